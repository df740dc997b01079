"""The month-end report: which month's is due, and the one message that says it, with the figures of its own instant."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, time
from typing import Protocol

import structlog

from bot.domain.audit import PLIMSOLL
from bot.domain.month_end import last_month_end, report_told
from bot.domain.production import month_begins
from bot.domain.slots import Claim, Slot
from bot.services.books import Books
from bot.services.ports import Clock, Reading, ReadsPast
from bot.services.posting import Posting, PostsOnce, post_once

JOB = "month_end"

_log = structlog.get_logger(__name__)


class ReadsMonths(ReadsPast, Protocol):
    """What a report reads."""

    def first_recorded_at(self) -> datetime | None: ...


class MonthEndStore(Reading[ReadsMonths], Protocol):
    """The store, as far as this needs it."""

    def writing(self) -> AbstractContextManager[PostsOnce]: ...


class MonthEnds:
    """`at` is the local time of the day at which a report is due. `tell` hears that something waits to be delivered."""

    def __init__(self, store: MonthEndStore, books: Books, clock: Clock, at: time, tell: Callable[[], None]) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._at = at
        self._tell = tell

    def due(self) -> Slot | None:
        """The slot of the month whose report is to be there by now; None: of none is, as the treasury was not open for
        all of it, or nothing was recorded by then.
        """
        with self._store.reading() as tx:
            treasury, since = tx.treasury(), tx.first_recorded_at()
        if treasury is None or since is None:
            return None
        end = last_month_end(treasury, self._at, self._clock.now())
        is_whole = month_begins(end.month, treasury.production_zone) >= treasury.opened
        return Slot(JOB, end.due_at, end.month) if is_whole and end.due_at >= since else None

    def work(self, claim: Claim, channel: str) -> Posting:
        """Posts the report of the month that `claim` is about into `channel`, unless that was done before."""
        now, slot = self._clock.now(), claim.slot
        with self._store.reading() as tx:
            book = self._books.open_past(tx, slot.due_at)
        with self._store.writing() as tx:
            became = post_once(
                tx,
                stream=f"{JOB}:{slot.name}",
                channel=channel,
                by=PLIMSOLL,
                at=now,
                say=lambda sealed: report_told(book, slot.name, now, sealed),
            )
        if became is Posting.QUEUED:
            _log.info("month_end_queued", month=slot.name, channel=channel)
            self._tell()
        return became
