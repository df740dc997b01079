"""Where Slack fails, critical alerts go another way: once each, and the channel is told when Slack is back.

A message is claimed before it is sent and marked after. A process killed in between leaves a claim that runs out: it is
sent again then, so a duplicate is possible here, a loss is not. It counts as gone once one target has it; the others
are tried again for some minutes by the process that sent it, and only by that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.domain.treasury import Treasury
from bot.domain.words import moment, plain_text, span
from bot.services.messaging import Row
from bot.services.ports import Clock, Enqueues, Reading

PATIENCE = timedelta(seconds=15)
"""What one target may take for one message."""
LEASE = timedelta(seconds=30)
"""How long a claim lasts beyond what all targets together may take."""
AGAIN = timedelta(seconds=30)
OWED_AGAIN = timedelta(seconds=5)
OWED_TRIES = 6
"""5, 10, 20 … s: for five minutes a target that failed is tried again with what another one took."""
LATELY = timedelta(days=1)
"""What Slack refused for good longer ago is no news."""
STREAM = "fallback"

_log = structlog.get_logger(__name__)


class Targets(Protocol):
    """Where else messages go: so many places, by number. `name` may be said in a log."""

    def __len__(self) -> int: ...

    def name(self, number: int) -> str: ...

    def send(self, number: int, title: str, body: str) -> bool:
        """Whether it took it, within `PATIENCE`. It never raises for one that did not."""
        ...


class Gone(Protocol):
    """What went another way; see `bot.store.fallbacks`."""

    @property
    def stream(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def sent_at(self) -> datetime: ...


class KeepsFallbacks(Enqueues, Protocol):
    """What this writes; see `bot.store.fallbacks`."""

    def treasury(self) -> Treasury | None: ...

    def to_send_elsewhere(
        self, waiting_since: datetime, failed_since: datetime, refusals: Iterable[str]
    ) -> list[Any]: ...

    def claim_fallback(self, outbox_id: int, worker: str, lease: timedelta) -> bool: ...

    def fallback_sent(self, outbox_id: int, worker: str, at: datetime) -> None: ...

    def fallback_put_off(self, outbox_id: int, worker: str, wait: timedelta) -> None: ...

    def untold_fallbacks(self) -> Sequence[Gone]: ...

    def fallbacks_told(self, at: datetime) -> None: ...


class FallbackStore(Reading[KeepsFallbacks], Protocol):
    """The store, as far as this needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsFallbacks]: ...


def _unheard(_outcome: str) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class _Owed:
    """What some targets have and these do not."""

    row: int
    words: tuple[str, str]
    targets: set[int]
    again_at: datetime
    tries: int = 1


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
        self._taken: dict[int, set[int]] = {}
        self._ailing: set[int] = set()
        self._owed: list[_Owed] = []

    def run_once(self) -> int:
        """Sends what must go another way now, and says so in the channel once Slack is back; how many went."""
        now = self._clock.now()
        with self._store.reading() as tx:
            rows: list[Row] = tx.to_send_elsewhere(now - self._after, now - LATELY, self._refusals)
            back = bool(tx.untold_fallbacks())
        sent = sum(self._send(row) for row in _newest(rows))
        self._send_owed()
        if back:
            self._say_so()
        return sent

    def _send(self, row: Row) -> bool:
        """The newest of one alert's messages: the older ones say what is no longer so, and count as gone with it."""
        with self._store.writing() as tx:
            if not tx.claim_fallback(row.id, self._worker, LEASE + PATIENCE * len(self._targets)):
                return False
        words = self._words(row)
        taken = self._taken.setdefault(row.id, set())
        if taken:  # the database failed us before we could say so
            self._mark(row)
        for number in sorted(range(len(self._targets)), key=lambda number: (number in self._ailing, number)):
            if taken and number in self._ailing:
                break  # nobody waits for a broken target: it gets it with what else it is owed
            if number not in taken and self._offer(number, row.id, words):
                taken.add(number)
                if len(taken) == 1:
                    self._mark(row)
        if not taken:
            with self._store.writing() as tx:
                tx.fallback_put_off(row.id, self._worker, AGAIN)
            _log.error("not_sent_elsewhere", row=row.id, stream=row.stream)
            return False
        del self._taken[row.id]
        if missing := set(range(len(self._targets))) - taken:
            self._owed.append(_Owed(row.id, words, missing, self._clock.now() + OWED_AGAIN))
        _log.warning("sent_elsewhere", row=row.id, stream=row.stream, targets=len(taken))
        return True

    def _mark(self, row: Row) -> None:
        with self._store.writing() as tx:
            tx.fallback_sent(row.id, self._worker, self._clock.now())

    def _offer(self, number: int, row: int, words: tuple[str, str]) -> bool:
        took = self._targets.send(number, *words)
        self._tell("sent" if took else "failed")
        if took:
            self._ailing.discard(number)
        else:
            self._ailing.add(number)
            _log.warning("fallback_target_failed", row=row, target=self._targets.name(number), number=number + 1)
        return took

    def _send_owed(self) -> None:
        """Tries again, each target that fails once only: what else it is owed would fail as well."""
        failed: set[int] = set()
        for owed in [one for one in self._owed if one.again_at <= self._clock.now()]:
            tried = owed.targets - failed
            for number in sorted(tried):
                if self._offer(number, owed.row, owed.words):
                    owed.targets.discard(number)
                else:
                    failed.add(number)
            if tried and owed.targets:
                owed.again_at = self._clock.now() + OWED_AGAIN * 2**owed.tries
                owed.tries += 1
            if owed.targets and owed.tries > OWED_TRIES:
                names = [self._targets.name(number) for number in sorted(owed.targets)]
                _log.error("fallback_target_given_up", row=owed.row, targets=names)
                owed.targets.clear()
        self._owed = [one for one in self._owed if one.targets]

    def _words(self, row: Row) -> tuple[str, str]:
        message = Message.of(row.message)
        waited = span(self._clock.now() - row.created_at)
        because = f" ({row.reason})" if row.reason else ""
        if row.status == "failed":
            why = f"Slack refuses this for good{because}: it is not posted there."
        else:
            why = f"Slack has not taken this for {waited}{because}; it is posted there when it does."
        return f"{message.level.upper()}: {plain_text(message.headline)}", f"{plain_text(message.body)}\n{why}".strip()

    def _say_so(self) -> None:
        with self._store.writing() as tx:
            gone, treasury, now = tx.untold_fallbacks(), tx.treasury(), self._clock.now()
            if not gone or treasury is None:
                return  # another worker has said so
            first, last = (moment(at, treasury.zone, now) for at in (gone[0].sent_at, gone[-1].sent_at))
            alerts, refused = ({one.stream for one in gone}, {one.stream for one in gone if one.status == "failed"})
            many = f"{len(alerts)} critical alert{'s' if len(alerts) > 1 else ''}"
            when = f"From {first} to {last}" if first != last else f"At {first}"
            posted = "what they said is posted here by now"
            if refused:
                posted = f"Slack refused {len(refused)} of them for good, which the log says more of"
            said = f"{when} {many} went to FALLBACK_URLS instead; {posted}."
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


def _newest(rows: Iterable[Row]) -> list[Row]:
    """The newest of each stream, the stream that has waited longest first. `rows` are the oldest first."""
    streams: dict[str, Row] = {}
    for row in rows:
        streams[row.stream] = row
    return list(streams.values())
