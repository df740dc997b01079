"""What Slack told us about people and channels, and the requests that were handled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, select, update

from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

KEEP_REQUESTS_FOR = timedelta(hours=1)

_requests = table_of(tables.HandledRequest)
_users = table_of(tables.SlackUser)
_channels = table_of(tables.SlackChannel)


@dataclass(frozen=True, slots=True)
class Cached:
    """What Slack said about a user or channel, and when."""

    id: str
    document: dict[str, Any]
    fetched_at: datetime


class SlackCache(Part):
    def first_time(self, request_id: str, at: datetime) -> bool:
        """Whether this request is new: then it is ours to handle. What is older than an hour is forgotten."""
        self._connection.execute(delete(_requests).where(_requests.c.at < at - KEEP_REQUESTS_FOR))
        return self._insert_unless_there(_requests, {"id": request_id, "at": at})

    def keep_answer(self, request_id: str, answer: dict[str, Any]) -> None:
        """The answer that a retry of the request gets."""
        self._connection.execute(update(_requests).where(_requests.c.id == request_id).values(answer=answer))

    def kept_answer(self, request_id: str) -> dict[str, Any] | None:
        """What was answered to the request; None: nothing yet."""
        query = select(_requests.c.answer).where(_requests.c.id == request_id)
        answer: dict[str, Any] | None = self._connection.execute(query).scalar()
        return answer

    def put_users(self, documents: Iterable[tuple[str, dict[str, Any]]], fetched_at: datetime) -> None:
        self._put_all(_users, documents, fetched_at)

    def put_channels(self, documents: Iterable[tuple[str, dict[str, Any]]], fetched_at: datetime) -> None:
        self._put_all(_channels, documents, fetched_at)

    def user(self, user_id: str) -> Cached | None:
        return self._cached(_users, user_id)

    def channel(self, channel_id: str) -> Cached | None:
        return self._cached(_channels, channel_id)

    def cached_ids(self, kind: str, before: datetime) -> list[str]:
        """The ids of `kind` ("user" or "channel") that were fetched before `before`: time to refresh them."""
        table = {"user": _users, "channel": _channels}[kind]
        return list(self._connection.execute(select(table.c.id).where(table.c.fetched_at < before)).scalars())

    def _put_all(self, table: Table, documents: Iterable[tuple[str, dict[str, Any]]], fetched_at: datetime) -> None:
        for key, document in documents:
            self._put(table, {"id": key, "document": document, "fetched_at": fetched_at})

    def _cached(self, table: Table, key: str) -> Cached | None:
        row = self._connection.execute(select(table).where(table.c.id == key)).one_or_none()
        return Cached(row.id, row.document, row.fetched_at) if row else None
