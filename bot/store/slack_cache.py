"""What Slack told us about people and channels, and the requests that were handled."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
_groups = table_of(tables.SlackGroup)
_closed = table_of(tables.ClosedChannel)
_TABLES = {"user": _users, "channel": _channels, "group": _groups}


@dataclass(frozen=True, slots=True)
class Cached:
    """What Slack said about a user, channel or user group, and when."""

    id: str
    document: dict[str, Any]
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """A channel in which nothing can be said: why, and when that was found."""

    id: str
    why: str
    since: datetime


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

    def put_users(self, documents: Iterable[tuple[str, dict[str, Any]]], asked_at: datetime) -> None:
        """What Slack said of users when it was asked, unless what it was asked later is known."""
        self._put_all(_users, documents, asked_at)

    def put_channels(self, documents: Iterable[tuple[str, dict[str, Any]]], asked_at: datetime) -> None:
        self._put_all(_channels, documents, asked_at)

    def put_group(self, group_id: str, users: Collection[str], asked_at: datetime) -> None:
        """Who is in a user group."""
        self._put_all(_groups, [(group_id, {"users": sorted(users)})], asked_at)

    def user(self, user_id: str) -> Cached | None:
        return self._cached(_users, user_id)

    def channel(self, channel_id: str) -> Cached | None:
        return self._cached(_channels, channel_id)

    def outdate(self, kind: str, one: str, long_ago: datetime) -> bool:
        """Whether a user, channel or group was known; what Slack said of it counts as said `long_ago`."""
        table = _TABLES[kind]
        change = update(table).where(table.c.id == one).values(fetched_at=long_ago)
        return self._connection.execute(change).rowcount == 1

    def groups(self, ids: Collection[str]) -> dict[str, Cached]:
        """What is known of these user groups."""
        rows = self._connection.execute(select(_groups).where(_groups.c.id.in_(ids))) if ids else ()
        return {row.id: Cached(row.id, row.document, row.fetched_at) for row in rows}

    def closed_channels(self) -> dict[str, Closed]:
        """The channels in which nothing can be said, as far as people have been told."""
        return {row.id: Closed(row.id, row.why, row.since) for row in self._connection.execute(select(_closed))}

    def close_channel(self, channel_id: str, why: str, since: datetime) -> None:
        self._put(_closed, {"id": channel_id, "why": why, "since": since})

    def open_channel(self, channel_id: str) -> None:
        self._connection.execute(delete(_closed).where(_closed.c.id == channel_id))

    def cached_ids(self, kind: str, before: datetime) -> list[str]:
        """The ids of `kind` ("user" or "channel") that were fetched before `before`: time to refresh them."""
        table = _TABLES[kind]
        return list(self._connection.execute(select(table.c.id).where(table.c.fetched_at < before)).scalars())

    def _put_all(self, table: Table, documents: Iterable[tuple[str, dict[str, Any]]], asked_at: datetime) -> None:
        """An answer that was under way for long undoes none that was asked for after it."""
        for key, document in documents:
            values = {"id": key, "document": document, "fetched_at": asked_at}
            statement = self._on_conflict(table).values(values)
            newer = table.c.fetched_at <= asked_at
            self._connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=newer))

    def _cached(self, table: Table, key: str) -> Cached | None:
        row = self._connection.execute(select(table).where(table.c.id == key)).one_or_none()
        return Cached(row.id, row.document, row.fetched_at) if row else None
