"""What access needs of Slack and of the database: what Slack says of people, places and user groups, and what of it is
kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.services.ports import Enqueues, Reading, Writing

Document = dict[str, Any]
LONG_AGO = timedelta(days=365 * 20)
"""What was said so long ago counts no more, whoever asks."""


class LookUpFailedError(Exception):
    """Slack did not say. `code` is Slack's error or what became of the request; `passing`: it may work later."""

    def __init__(self, code: str, *, passing: bool = True, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after


class Directory(Protocol):
    """What Slack says of people and places. LookUpFailedError where it does not."""

    def home(self) -> str:
        """The id of the workspace that the bot is at home in."""
        ...

    def user(self, user_id: str) -> Mapping[str, Any]: ...

    def channel(self, channel_id: str) -> Mapping[str, Any]: ...

    def group(self, group_id: str) -> Collection[str]:
        """The ids of who is in a user group."""
        ...


class Said(Protocol):
    """What Slack said of one user, channel or user group, and when."""

    @property
    def document(self) -> Document: ...

    @property
    def fetched_at(self) -> datetime: ...


class IsClosed(Protocol):
    """A channel in which nothing can be said: why, and when that was found."""

    @property
    def why(self) -> str: ...

    @property
    def since(self) -> datetime: ...


class ReadsCache(Protocol):
    def user(self, user_id: str) -> Said | None: ...

    def channel(self, channel_id: str) -> Said | None: ...

    def groups(self, ids: Collection[str]) -> Mapping[str, Said]: ...

    def closed_channels(self) -> Mapping[str, IsClosed]: ...

    def cached_ids(self, kind: str, before: datetime) -> list[str]: ...


class WritesCache(ReadsCache, Enqueues, Protocol):
    """What Slack said, by when it was asked: an answer that comes late undoes none that was asked for after it."""

    def put_users(self, documents: Iterable[tuple[str, Document]], asked_at: datetime) -> None: ...

    def put_channels(self, documents: Iterable[tuple[str, Document]], asked_at: datetime) -> None: ...

    def put_group(self, group_id: str, users: Collection[str], asked_at: datetime) -> None: ...

    def outdate(self, kind: str, one: str, long_ago: datetime) -> bool:
        """Whether a user, channel or group was known; what Slack said of it counts no more."""
        ...

    def close_channel(self, channel_id: str, why: str, since: datetime) -> None: ...

    def open_channel(self, channel_id: str) -> None: ...


class CacheStore(Reading[ReadsCache], Writing[WritesCache], Protocol):
    """The store, as far as access needs it."""
