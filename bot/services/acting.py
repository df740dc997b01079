"""What people do to alerts: acknowledge, snooze, say that no notice came, ask for silence and end it.

Each is one transaction, short enough for Slack's 3 s; what it changes is said as any other change is, by the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.alert import Person, Silence
from bot.domain.alerts import decide
from bot.domain.audit import Entry, What
from bot.domain.book import Book
from bot.domain.checks import all_findings, finding_of
from bot.domain.periods import iso
from bot.domain.silencing import about
from bot.domain.transitions import Act, Reason, Transition
from bot.services.books import Books
from bot.services.checking import checks_in
from bot.services.errors import NothingImportedError
from bot.services.ports import Clock, KeepsAlerts, OpenAlert
from bot.services.recording import Channels, record

ANSWER_WITHIN = timedelta(seconds=2)
"""How long somebody who clicks waits for the database."""


class KeepsSilences(KeepsAlerts, Protocol):
    """What acting writes."""

    def alert(self, alert_id: int) -> OpenAlert | None: ...

    def alerts(self, limit_closed: int = 10) -> Sequence[OpenAlert]: ...

    def add_silence(self, silence: Silence) -> int: ...

    def end_silence(self, silence_id: int, by: str, at: datetime) -> bool: ...

    def first_time(self, request_id: str, at: datetime) -> bool: ...


class ActingStore(Protocol):
    """The store, as far as acting needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsSilences]: ...

    def reading(self) -> AbstractContextManager[KeepsSilences]: ...


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a click: `row` is the alert as it is kept now, None where there never was one."""

    book: Book
    row: OpenAlert | None
    transition: Transition | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything `/alerts` shows: alerts, open ones first, and the silences in force."""

    book: Book
    alerts: Sequence[OpenAlert]
    silences: tuple[Silence, ...]


class Acting:
    """May be shared between threads. `channels`: where its changes are said. NothingImportedError before an import.

    `tell` hears each transition that people see something of, once it is recorded.
    """

    def __init__(
        self,
        store: ActingStore,
        books: Books,
        clock: Clock,
        channels: Channels,
        tell: Callable[[Sequence[Transition]], None],
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._channels = channels
        self._tell = tell

    def act(self, alert_id: int, act: Act) -> Acted:
        """`act` upon one alert, as it stands at this very instant."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            book = self._books.open(tx, now)
            row = tx.alert(alert_id)
            if row is None or row.status != "open":
                key = row.key if row else f"alert {alert_id}"
                tx.add_audit(_to_no_effect(act, key, Reason.NOT_OPEN, now))
                return Acted(book, row, None)
            policy = replace(self._books.alerts, silences=tx.silences(now))
            finding = finding_of(book, all_findings(book), row.alert.key)
            by_itself = decide(row.alert, finding, now, policy)
            record(tx, book, by_itself, self._channels)
            acted = decide(by_itself.after, finding, now, policy, act)
            if acted.speaks:
                record(tx, book, acted, self._channels)
            else:
                tx.add_audit(_to_no_effect(act, acted.key, acted.reason, now))
            kept = Acted(book, tx.alert(alert_id), acted)
        self._tell([one for one in (by_itself, acted) if one.speaks])
        return kept

    def look(self, alert_id: int) -> Acted:
        """One alert, as it is kept; nothing is done to it."""
        with self._store.reading() as tx:
            return Acted(self._books.open(tx, self._clock.now()), tx.alert(alert_id), None)

    def listing(self) -> Listing:
        """Open alerts, the last ten that closed, and the silences in force."""
        with self._store.reading() as tx:
            now = self._clock.now()
            return Listing(self._books.open(tx, now), tx.alerts(), tx.silences(now))

    def silence(self, wanted: Silence, request_id: str = "") -> Silence | None:
        """Records a silence from now on, and lets every alert that it covers say so, together.

        None where `request_id` has been recorded already: a double click, a retry that reached another process.
        """
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            if tx.treasury() is None:
                raise NothingImportedError
            if request_id and not tx.first_time(request_id, now):
                return None
            wanted = replace(wanted, at=now)
            made = replace(wanted, id=tx.add_silence(wanted))
            tx.add_audit(Entry(now, made.by.id, What.SILENCED, about(made), _terms_of(made)))
            said = checks_in(tx, self._books, now, self._channels)
        self._tell(said)
        return made

    def end_silence(self, silence_id: int, by: Person) -> bool:
        """Ends one; whether it was in force. What it kept quiet is said at once."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            ending = next((one for one in tx.silences(now) if one.id == silence_id), None)
            ended = tx.end_silence(silence_id, by.id, now)
            tx.add_audit(_ended(ending, silence_id, by, now))
            said = checks_in(tx, self._books, now, self._channels) if ended else []
        self._tell(said)
        return ended


def _to_no_effect(act: Act, key: str, reason: Reason, now: datetime) -> Entry:
    """A click that changed nothing, and why not."""
    return Entry(now, act.by.id, What.CLICKED, key, {"act": act.kind.value, "reason": reason.value})


def _ended(silence: Silence | None, silence_id: int, by: Person, now: datetime) -> Entry:
    """That somebody ended a silence; None: there was none in force to end."""
    if silence is None:
        return Entry(now, by.id, What.CLICKED, f"silence {silence_id}", {"act": "end", "reason": "not_in_force"})
    return Entry(now, by.id, What.SILENCE_ENDED, about(silence), {"silence": silence_id})


def _terms_of(silence: Silence) -> dict[str, Any]:
    """What a silence covers, until when, and why."""
    return {
        "silence": silence.id,
        "checks": sorted(silence.checks),
        "subjects": sorted(silence.subjects),
        "until": iso(silence.until),
        "reason": silence.reason,
    }
