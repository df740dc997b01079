"""What delivery speaks with: Slack as it needs it, the outbox as it needs it, and what became of a call.

Outcomes are sorted by the reaction they need; their reasons are a bounded set that the log and the metrics share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.terms import Level
from bot.services.ports import Enqueues, Reading


class Fate(StrEnum):
    """What became of a call to Slack, by the reaction it needs."""

    SENT = "sent"
    ABSENT = "absent"
    RETRY = "retry"
    UNKNOWN = "unknown"
    GONE = "gone"
    PERMANENT = "permanent"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is one of a bounded set (log, metrics). `ts`: where it is; `after`: how long Slack asks to wait.

    ABSENT answers a look: it is not there. GONE: the message to edit is no more. BUG: ours, and nothing was taken.
    """

    fate: Fate
    reason: str = ""
    ts: str = ""
    after: timedelta | None = None

    @classmethod
    def sent(cls, ts: str) -> Outcome:
        return cls(Fate.SENT, "ok", ts)

    @classmethod
    def absent(cls) -> Outcome:
        return cls(Fate.ABSENT, "absent")

    @classmethod
    def retry(cls, reason: str, after: timedelta | None = None) -> Outcome:
        return cls(Fate.RETRY, reason, after=after)

    @classmethod
    def unknown(cls, reason: str) -> Outcome:
        return cls(Fate.UNKNOWN, reason)

    @classmethod
    def gone(cls, reason: str) -> Outcome:
        return cls(Fate.GONE, reason)

    @classmethod
    def permanent(cls, reason: str) -> Outcome:
        return cls(Fate.PERMANENT, reason)

    @classmethod
    def bug(cls, reason: str) -> Outcome:
        return cls(Fate.BUG, reason)


MayLeave = Callable[[], bool]
"""Asked when the line stands and only the message is missing on it: records the attempt, says whether it may leave."""


class Messenger(Protocol):
    """Slack, as far as delivery needs it. Messages are the documents of the outbox; no call raises.

    What `may_leave` forbids at the last moment certainly has not arrived: RETRY, "claim_lost".
    """

    def post(
        self,
        channel: str,
        message: Mapping[str, Any],
        delivery_id: str,
        thread_ts: str | None = None,
        *,
        may_leave: MayLeave,
    ) -> Outcome: ...

    def edit(self, channel: str, ts: str, message: Mapping[str, Any], *, may_leave: MayLeave) -> Outcome: ...

    def continued(self, channel: str, ts: str, newer_channel: str, newer_ts: str, *, may_leave: MayLeave) -> Outcome:
        """Makes the older post say that the alert goes on in the newer one."""
        ...

    def find(self, channel: str, delivery_id: str, since: datetime, thread_ts: str | None = None) -> Outcome:
        """SENT with its ts, ABSENT, or why one could not look."""
        ...


class Place(Protocol):
    """Where a post is in Slack."""

    @property
    def channel(self) -> str: ...

    @property
    def ts(self) -> str: ...


class Row(Protocol):
    """A message of the outbox; see `bot.store.outbox`."""

    @property
    def id(self) -> int: ...
    @property
    def alert_id(self) -> int | None: ...
    @property
    def stream(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def message(self) -> dict[str, Any]: ...
    @property
    def delivery_id(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def status(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def attempted_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def outcome_unknown(self) -> bool: ...
    @property
    def newest(self) -> Place | None: ...


class ReadsOutbox(Protocol):
    def has_pending(self) -> bool: ...

    def database_now(self) -> datetime: ...


class WritesOutbox(Enqueues, Protocol):
    """What delivery writes, each for the worker that has the row; False where it has not."""

    def database_now(self) -> datetime: ...

    def due(self, settle_after: timedelta, limit: int) -> list[Any]: ...

    def outbox_row(self, row_id: int) -> Any: ...

    def claim(self, row_id: int, worker: str, lease: timedelta) -> Any: ...

    def attempted(self, row_id: int, worker: str) -> bool: ...

    def looked(self, row_id: int, worker: str) -> bool: ...

    def post_afresh(self, row_id: int, worker: str) -> bool: ...

    def delivered(self, row_id: int, ts: str, at: datetime) -> Place | None: ...

    def retry(self, row_id: int, worker: str, wait: timedelta, reason: str, outcome_unknown: bool) -> bool: ...

    def failed(self, row_id: int, worker: str, reason: str, at: datetime) -> bool: ...

    def dropped(self, row_id: int, worker: str, reason: str) -> bool: ...


class OutboxStore(Reading[ReadsOutbox], Protocol):
    """The store, as far as delivery needs it."""

    def sharing(self) -> AbstractContextManager[WritesOutbox]: ...
