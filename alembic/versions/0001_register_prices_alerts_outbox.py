"""The register, price ticks, alerts with their history, the outbox, and what Slack told us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("newest_ts", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_alert_closed_at")),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_alert_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_closed_at", "alert", ["closed_at"], unique=False)
    op.create_index(
        "uq_alert_open_key",
        "alert",
        ["key"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "calendar",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
    )
    op.create_table(
        "cash_cost",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("usd_per_btc", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("usd_per_btc >= 0", name=op.f("ck_cash_cost_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_cost")),
    )
    op.create_index(op.f("ix_cash_cost_month"), "cash_cost", ["month"], unique=False)
    op.create_table(
        "facility_group",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_group")),
    )
    op.create_table(
        "handled_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handled_request")),
    )
    op.create_index(op.f("ix_handled_request_at"), "handled_request", ["at"], unique=False)
    op.create_table(
        "need",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("usd", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.CheckConstraint("usd >= 0", name=op.f("ck_need_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_need")),
        sa.UniqueConstraint("due", "purpose", name=op.f("uq_need_due_purpose")),
    )
    op.create_table(
        "price_tick",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_tick")),
        sa.UniqueConstraint("at", name=op.f("uq_price_tick_at")),
    )
    op.create_table(
        "register_change",
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_register_change")),
    )
    op.create_table(
        "slack_channel",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_channel")),
    )
    op.create_table(
        "slack_user",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_user")),
    )
    op.create_table(
        "statement",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("mined", sa.BigInteger(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mined >= 0 AND sold >= 0 AND held >= 0", name=op.f("ck_statement_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
    )
    op.create_index(op.f("ix_statement_month"), "statement", ["month"], unique=False)
    op.create_table(
        "treasury",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("production_timezone", sa.String(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_treasury_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_treasury")),
    )
    op.create_table(
        "account",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("btc", sa.BigInteger(), nullable=False),
        sa.Column("usd", sa.BigInteger(), nullable=False),
        sa.Column("holds", sa.String(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=True),
        sa.Column("ready_hours", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("btc >= 0 AND usd >= 0 AND ready_hours >= 0", name=op.f("ck_account_not_negative")),
        sa.ForeignKeyConstraint(["calendar"], ["calendar.id"], name=op.f("fk_account_calendar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("mark", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("ltv", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_event_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
    )
    op.create_index(op.f("ix_alert_event_alert_id"), "alert_event", ["alert_id"], unique=False)
    op.create_index(op.f("ix_alert_event_at"), "alert_event", ["at"], unique=False)
    op.create_table(
        "facility",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lender", sa.String(), nullable=False),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("accrued", sa.BigInteger(), nullable=False),
        sa.Column("collateral", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.Date(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=True),
        sa.CheckConstraint(
            "principal >= 0 AND accrued >= 0 AND collateral >= 0", name=op.f("ck_facility_not_negative")
        ),
        sa.ForeignKeyConstraint(["group"], ["facility_group.id"], name=op.f("fk_facility_group")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("sent_ts", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('post', 'edit', 'reply', 'continued')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint("status IN ('pending', 'sent', 'superseded', 'failed')", name=op.f("ck_outbox_status")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_outbox_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_outbox_delivery_id")),
    )
    op.create_index(op.f("ix_outbox_alert_id"), "outbox", ["alert_id"], unique=False)
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["stream", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "facility_terms",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["facility"], ["facility.id"], name=op.f("fk_facility_terms_facility")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_terms")),
    )
    op.create_table(
        "movement",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("to", sa.String(), nullable=True),
        sa.Column("facility", sa.String(), nullable=True),
        sa.Column("btc", sa.BigInteger(), nullable=True),
        sa.Column("usd", sa.BigInteger(), nullable=True),
        sa.Column("of", sa.String(), nullable=True),
        sa.Column("reverses", sa.String(), nullable=True),
        sa.Column("gross_usd", sa.BigInteger(), nullable=True),
        sa.Column("fee_usd", sa.BigInteger(), nullable=True),
        sa.Column("fee_btc", sa.BigInteger(), nullable=True),
        sa.Column("venue", sa.String(), nullable=True),
        sa.Column("order", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses IS NOT NULL)", name=op.f("ck_movement_reversal_names_what_it_undoes")
        ),
        sa.CheckConstraint(
            "kind = 'adjustment' OR (coalesce(btc, 0) >= 0 AND coalesce(usd, 0) >= 0)",
            name=op.f("ck_movement_not_negative"),
        ),
        sa.CheckConstraint(
            "coalesce(fee_btc, 0) >= 0 AND coalesce(fee_usd, 0) >= 0 AND coalesce(gross_usd, 0) >= 0",
            name=op.f("ck_movement_fees_not_negative"),
        ),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_movement_account")),
        sa.ForeignKeyConstraint(["facility"], ["facility.id"], name=op.f("fk_movement_facility")),
        sa.ForeignKeyConstraint(
            ["of"], ["movement.ref"], name=op.f("fk_movement_of"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["reverses"], ["movement.ref"], name=op.f("fk_movement_reverses"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["to"], ["account.id"], name=op.f("fk_movement_to")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_movement")),
        sa.UniqueConstraint("ref", name=op.f("uq_movement_ref")),
        sa.UniqueConstraint("reverses", name=op.f("uq_movement_reverses")),
    )
    op.create_index(op.f("ix_movement_at"), "movement", ["at"], unique=False)
    op.create_table(
        "notice",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("facility", sa.String(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("demand_btc", sa.BigInteger(), nullable=True),
        sa.Column("demand_usd", sa.BigInteger(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disputed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recovered", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('(facility IS NULL) <> ("group" IS NULL)', name=op.f("ck_notice_facility_or_group")),
        sa.CheckConstraint("demand_btc >= 0 AND demand_usd >= 0", name=op.f("ck_notice_not_negative")),
        sa.CheckConstraint("price > 0", name=op.f("ck_notice_price_is_one")),
        sa.ForeignKeyConstraint(["facility"], ["facility.id"], name=op.f("fk_notice_facility")),
        sa.ForeignKeyConstraint(["group"], ["facility_group.id"], name=op.f("fk_notice_group")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_notice")),
        sa.UniqueConstraint("ref", name=op.f("uq_notice_ref")),
    )
    op.create_table(
        "waiver",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("since < until", name=op.f("ck_waiver_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["facility"], ["facility.id"], name=op.f("fk_waiver_facility")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    op.create_index(op.f("ix_waiver_facility"), "waiver", ["facility"], unique=False)


def downgrade() -> None:
    for table in (
        "waiver",
        "notice",
        "movement",
        "facility_terms",
        "outbox",
        "facility",
        "alert_event",
        "account",
        "treasury",
        "statement",
        "slack_user",
        "slack_channel",
        "register_change",
        "price_tick",
        "need",
        "handled_request",
        "facility_group",
        "cash_cost",
        "calendar",
        "alert",
    ):
        op.drop_table(table)
