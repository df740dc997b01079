"""Weekend readiness, posted: before rails shut for longer than overnight, once for each closed period of a calendar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import structlog

from bot.domain.audit import PLIMSOLL
from bot.domain.closures import Closure, bank_closures
from bot.domain.digest_words import Told
from bot.domain.treasury import Treasury
from bot.domain.weekend import at_close, can_be_called
from bot.domain.weekend_words import closure_told
from bot.services.books import Books
from bot.services.ports import Clock, Reading, Reads
from bot.services.posting import Posting, PostsOnce, post_once

JOB = "weekend"

_log = structlog.get_logger(__name__)


class ReadsWeekends(Reads, Protocol):
    """What is looked at to know what is to be said."""

    def first_recorded_at(self) -> datetime | None: ...

    def post_status(self, stream: str) -> str | None: ...


class WeekendStore(Reading[ReadsWeekends], Protocol):
    """The store, as far as this needs it."""

    def writing(self) -> AbstractContextManager[PostsOnce]: ...


class Weekends:
    """`tell` hears that something waits to be delivered."""

    def __init__(self, store: WeekendStore, books: Books, clock: Clock, tell: Callable[[], None]) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._tell = tell

    def post(self, channel: str) -> list[str]:
        """Posts into `channel` what is to be said by now and was not, with the figures of now; the streams of it.

        Nothing whose noon was before the first import, and nothing once the last wire has gone: it is of no use then.
        """
        said = []
        for stream, told in self._unsaid().items():
            with self._store.writing() as tx:
                became = _post(tx, stream, channel, self._clock.now(), told)
            if became is Posting.QUEUED:
                said.append(stream)
        if said:
            _log.info("weekend_queued", closures=said, channel=channel)
            self._tell()
        return said

    def _unsaid(self) -> dict[str, Told]:
        """By its stream what is to be there by now and is not in the outbox.

        The plans in it take their time, so they are made while nothing is being written.
        """
        now = self._clock.now()
        with self._store.reading() as tx:
            treasury, since = tx.treasury(), tx.first_recorded_at()
            if treasury is None or since is None or now < treasury.opened:
                return {}
            streams = {f"{JOB}:{one.name}": one for one in _due(treasury, now, since)}
            due = {stream: one for stream, one in streams.items() if tx.post_status(stream) is None}
            if not due:
                return {}
            book = self._books.open(tx, now)
        return {stream: closure_told(book, one) for stream, one in due.items() if can_be_called(at_close(book, one))}


def _due(treasury: Treasury, now: datetime, since: datetime) -> list[Closure]:
    """The closed periods whose time to be spoken of has come, and which have not begun."""
    return [one for one in bank_closures(treasury, now) if since <= one.said_at <= now < one.shuts]


def _post(tx: PostsOnce, stream: str, channel: str, at: datetime, told: Told) -> Posting:
    return post_once(tx, stream=stream, channel=channel, by=PLIMSOLL, at=at, say=lambda _sealed: told)
