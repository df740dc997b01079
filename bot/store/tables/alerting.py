"""Alerts, their history, and the messages that must still go out."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import CheckConstraint, Index, false, text
from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base, Json, Ratio, UsCents

_OPEN = text("status = 'open'")
_PENDING = text("status = 'pending'")


class Alert(Base, table=True):
    """One alert; at most one per key is open. `state` is the whole domain `Alert`; `newest_ts` its newest post."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", "status"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", "closed_at"),
        Index("uq_alert_open_key", "key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_alert_closed_at", "closed_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str
    status: str
    level: int
    tier: str | None = None
    opened_at: datetime = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    due: datetime | None = Field(default=None, sa_type=UTCDateTime)
    text: str
    state: dict[str, Any] = Field(sa_type=Json)
    channel: str | None = None
    newest_ts: str | None = None


class AlertEvent(Base, table=True):
    """One transition of an alert, for ever."""

    __tablename__ = "alert_event"

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id", index=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    change: str
    reason: str
    level: int
    tier: str | None = None
    mark: str | None = None
    text: str
    price: int | None = Field(default=None, sa_type=UsCents)
    ltv: Fraction | None = Field(default=None, sa_type=Ratio)
    by: str | None = None
    until: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Silence(Base, table=True):
    """What somebody has asked to be quiet about: `checks` and `subjects` are lists of words; no subjects: all."""

    __tablename__ = "silence"
    __table_args__ = (CheckConstraint("at < until", "ends_after_it_begins"),)

    id: int | None = Field(default=None, primary_key=True)
    checks: list[str] = Field(sa_type=Json)
    subjects: list[str] = Field(sa_type=Json)
    reason: str
    by: str
    at: datetime = Field(sa_type=UTCDateTime)
    until: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_by: str | None = None


class Outbox(Base, table=True):
    """One message that must reach Slack, in its stream's order.

    `attempted_at` is committed before the network call: a row that has it and is still pending may have been posted.
    `settled_look_at` is when a look past SETTLE_AFTER did not find it: only then it is sent again. `elsewhere`: it goes
    to FALLBACK_URLS where Slack does not take it.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("kind IN ('post', 'edit', 'reply', 'continued')", "kind"),
        CheckConstraint("status IN ('pending', 'sent', 'superseded', 'failed')", "status"),
        Index("ix_outbox_pending", "stream", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int | None = Field(default=None, foreign_key="alert.id", index=True)
    stream: str
    kind: str
    channel: str
    message: dict[str, Any] = Field(sa_type=Json)
    delivery_id: str = Field(unique=True)
    level: int
    status: str
    attempts: int
    not_before: datetime | None = Field(default=None, sa_type=UTCDateTime)
    attempted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    settled_look_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str | None = None
    sent_ts: str | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    leased_by: str | None = None
    elsewhere: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Fallback(Base, table=True):
    """One outbox message that went, or is going, to FALLBACK_URLS because Slack did not take it.

    `told_at`: when the channel was told of it, Slack being back. Leases are by database time.
    """

    __tablename__ = "fallback"

    outbox_id: int = Field(primary_key=True, foreign_key="outbox.id")
    leased_until: datetime = Field(sa_type=UTCDateTime)
    leased_by: str
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
