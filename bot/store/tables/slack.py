"""What Slack told us and what we answered it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base, Json


class HandledRequest(Base, table=True):
    """A Slack request that was taken on; its retry gets the same answer."""

    __tablename__ = "handled_request"

    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    answer: dict[str, Any] | None = Field(default=None, sa_type=Json)


class SlackUser(Base, table=True):
    __tablename__ = "slack_user"

    id: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=Json)
    fetched_at: datetime = Field(sa_type=UTCDateTime)


class SlackChannel(Base, table=True):
    __tablename__ = "slack_channel"

    id: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=Json)
    fetched_at: datetime = Field(sa_type=UTCDateTime)


class SlackGroup(Base, table=True):
    """A user group that the settings name; `document` has its `users`."""

    __tablename__ = "slack_group"

    id: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=Json)
    fetched_at: datetime = Field(sa_type=UTCDateTime)


class ClosedChannel(Base, table=True):
    """A channel of the settings in which nothing can be said, which people have been told. Open ones have no row."""

    __tablename__ = "closed_channel"

    id: str = Field(primary_key=True)
    why: str
    since: datetime = Field(sa_type=UTCDateTime)
