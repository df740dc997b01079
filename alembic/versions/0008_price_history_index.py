"""The price by the hour from an index alone: the rows hold each poll's whole document, 300 MB in 90 days."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_price_tick_hour_at_state_price"), "price_tick", ["hour", "at", "state", "price"])


def downgrade() -> None:
    op.drop_index(op.f("ix_price_tick_hour_at_state_price"), table_name="price_tick")
