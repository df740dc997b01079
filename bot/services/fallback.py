"""Where Slack fails, critical alerts go another way: once each, and the channel is told when Slack is back.

A message is claimed before it is sent and marked after. A process killed in between leaves a claim that runs out: it is
sent again then, so a duplicate is possible here, a loss is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.domain.treasury import Treasury
from bot.domain.words import moment, plain_text, span
from bot.services.messaging import Row
from bot.services.ports import Clock, Reading

LEASE = timedelta(minutes=1)
"""Longer than all targets together may take."""
AGAIN = timedelta(seconds=30)
STREAM = "fallback"

_log = structlog.get_logger(__name__)


class Targets(Protocol):
    """Where else messages go. `send` returns how many targets took it; it never raises for one that did not."""

    def send(self, message_id: int, title: str, body: str) -> int: ...


class KeepsFallbacks(Protocol):
    """What this writes; see `bot.store.fallbacks`."""

    def treasury(self) -> Treasury | None: ...

    def to_send_elsewhere(self, waiting_since: datetime, refusals: Iterable[str]) -> list[Any]: ...

    def claim_fallback(self, outbox_id: int, worker: str, lease: timedelta) -> bool: ...

    def fallback_sent(self, outbox_ids: Iterable[int], worker: str, at: datetime) -> None: ...

    def fallback_put_off(self, outbox_id: int, worker: str, wait: timedelta) -> None: ...

    def untold_fallbacks(self) -> list[datetime]: ...

    def fallbacks_told(self, at: datetime) -> None: ...

    def enqueue(
        self,
        *,
        alert_id: int | None,
        stream: str,
        kind: str,
        channel: str,
        message: dict[str, Any],
        level: Level | int,
        at: datetime,
        elsewhere: bool = False,
    ) -> int: ...


class FallbackStore(Reading[KeepsFallbacks], Protocol):
    """The store, as far as this needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsFallbacks]: ...


def _unheard(_outcome: str) -> None:
    """Nobody counts."""


class Fallback:
    """Takes elsewhere what Slack has not taken for `after`, or refuses for good; tells `channel` when that is over."""

    def __init__(
        self,
        store: FallbackStore,
        targets: Targets,
        clock: Clock,
        worker: str,
        *,
        after: timedelta,
        refusals: Iterable[str],
        channel: str,
        tell: Callable[[str], None] = _unheard,
    ) -> None:
        self._store = store
        self._targets = targets
        self._clock = clock
        self._worker = worker
        self._after = after
        self._refusals = tuple(refusals)
        self._channel = channel
        self._tell = tell

    def run_once(self) -> int:
        """Sends what must go another way now, and says so in the channel once Slack is back; how many went."""
        since = self._clock.now() - self._after
        with self._store.reading() as tx:
            rows: list[Row] = tx.to_send_elsewhere(since, self._refusals)
            back = bool(tx.untold_fallbacks())
        sent = sum(self._send(stream) for stream in _by_stream(rows))
        if back:
            self._say_so()
        return sent

    def _send(self, rows: list[Row]) -> bool:
        """The newest of one alert's messages: the older ones say what is no longer so."""
        newest = rows[-1]
        with self._store.writing() as tx:
            if not tx.claim_fallback(newest.id, self._worker, LEASE):
                return False
        taken = self._targets.send(newest.id, *self._words(newest))
        self._tell("sent" if taken else "failed")
        with self._store.writing() as tx:
            if taken:
                tx.fallback_sent([row.id for row in rows], self._worker, self._clock.now())
            else:
                tx.fallback_put_off(newest.id, self._worker, AGAIN)
        log = _log.warning if taken else _log.error
        log("sent_elsewhere" if taken else "not_sent_elsewhere", row=newest.id, stream=newest.stream, targets=taken)
        return bool(taken)

    def _words(self, row: Row) -> tuple[str, str]:
        message = Message.of(row.message)
        waited = span(self._clock.now() - row.created_at)
        why = f"Slack has not taken this for {waited} ({row.reason or 'unreachable'}); it is posted there when it does."
        return f"{message.level.upper()}: {plain_text(message.headline)}", f"{plain_text(message.body)}\n{why}".strip()

    def _say_so(self) -> None:
        with self._store.writing() as tx:
            times, treasury, now = tx.untold_fallbacks(), tx.treasury(), self._clock.now()
            if not times or treasury is None:
                return  # another worker has said so
            first, last = (moment(at, treasury.zone, now) for at in (times[0], times[-1]))
            many = f"{len(times)} critical message{'s' if len(times) > 1 else ''}"
            when = f"From {first} to {last}" if first != last else f"At {first}"
            said = f"{when} {many} went to FALLBACK_URLS instead; what they said is posted here by now."
            message = Message("fallback", Level.NOTICE.word, "Slack takes messages again", said)
            tx.enqueue(
                alert_id=None,
                stream=STREAM,
                kind="post",
                channel=self._channel,
                message=message.document(),
                level=Level.NOTICE,
                at=now,
            )
            tx.fallbacks_told(now)


def _by_stream(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each alert, oldest first."""
    streams: dict[str, list[Row]] = {}
    for row in rows:
        streams.setdefault(row.stream, []).append(row)
    return list(streams.values())
