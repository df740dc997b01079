"""What the running processes know of each other: who did which job's slot, and who is alive."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base


class JobRun(Base, table=True):
    """One slot of one scheduled job. Leases are by database time; `due_at` and `done_at` by the bot's clock."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UTCDateTime, index=True)
    leased_until: datetime = Field(sa_type=UTCDateTime)
    leased_by: str
    attempts: int
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Heartbeat(Base, table=True):
    """One process of the bot: when it last showed signs of life, and when it last completed every check."""

    __tablename__ = "heartbeat"

    worker: str = Field(primary_key=True)
    role: str
    started_at: datetime = Field(sa_type=UTCDateTime)
    beat_at: datetime = Field(sa_type=UTCDateTime)
    checked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
