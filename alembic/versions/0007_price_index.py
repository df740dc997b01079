"""Which index a lender prices by: a note with the instant since which it is so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_index",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["facility"], ["facility.id"], name=op.f("fk_price_index_facility_facility")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_index")),
    )
    with op.batch_alter_table("price_index") as batch:
        batch.create_index(op.f("ix_price_index_facility"), ["facility"])


def downgrade() -> None:
    op.drop_table("price_index")
