"""Who recorded what became of a call, and when: until now only the lines of the register's changes said so."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OUTCOMES = ("met", "withdrawn", "disputed", "recovered")


def upgrade() -> None:
    table = op.create_table(
        "notice_outcome",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("became", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.ref"], name=op.f("fk_notice_outcome_notice_notice")),
        sa.PrimaryKeyConstraint("notice", "became", name=op.f("pk_notice_outcome")),
    )
    rows = list(_recorded())
    if rows:
        op.bulk_insert(table, rows)


def _recorded():
    """What the notices have, each with the change whose line says that it came; else it came with the notice."""
    connection = op.get_bind()
    notice = sa.table("notice", *map(sa.column, ("ref", "recorded_by", "source")), *_instants("recorded_at", *OUTCOMES))
    change = sa.table("register_change", *map(sa.column, ("revision", "by", "source", "lines")), *_instants("at"))
    said = [
        (line, row.at, row.by, row.source)
        for row in connection.execute(sa.select(change).order_by(change.c.revision))
        for line in json.loads(row.lines)
    ]
    for row in connection.execute(sa.select(notice)).all():
        for name in OUTCOMES:
            at = row._mapping[name]
            if at is None:
                continue
            begins = (f"~ call “{row.ref}” {name} ", f"call {row.ref}: {name}")
            came = next((told[1:] for told in said if told[0].startswith(begins)), None)
            recorded_at, by, source = came or (row.recorded_at, row.recorded_by, row.source)
            yield {
                "recorded_at": recorded_at,
                "recorded_by": by,
                "source": source,
                "notice": row.ref,
                "became": name,
                "at": at,
            }


def _instants(*names):
    return [sa.column(name, sa.DateTime(timezone=True)) for name in names]


def downgrade() -> None:
    op.drop_table("notice_outcome")
