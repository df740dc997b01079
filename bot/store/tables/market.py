"""The price as it was polled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base, Json, UsCents


class PriceTick(Base, table=True):
    """One poll: `document` is the whole domain `Tick`, the other columns are what queries ask for.

    The price history is read from the index alone: without it, 90 days of documents, 300 MB, for two numbers an hour.

    `hour` is that of `at`, counted from 1970 in UTC.
    """

    __tablename__ = "price_tick"
    __table_args__ = (Index(None, "hour", "at", "state", "price"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, unique=True)
    state: str
    price: int | None = Field(default=None, sa_type=UsCents)
    as_of: datetime | None = Field(default=None, sa_type=UTCDateTime)
    hour: int
    document: dict[str, Any] = Field(sa_type=Json)
