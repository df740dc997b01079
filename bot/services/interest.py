"""Reminders of interest: those that should have been said by now and were not are posted, each once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, time
from typing import Protocol

import structlog

from bot.domain.audit import PLIMSOLL
from bot.domain.digest_words import Told
from bot.domain.interest_reminders import reminder_told, reminders
from bot.services.books import Books
from bot.services.ports import Clock, Reading, Reads
from bot.services.posting import PostsOnce, post_once

JOB = "interest"

_log = structlog.get_logger(__name__)


class ReadsInterest(Reads, Protocol):
    """What is looked at to know what is to be said."""

    def first_recorded_at(self) -> datetime | None: ...

    def post_status(self, stream: str) -> str | None: ...


class PostsInterest(ReadsInterest, PostsOnce, Protocol):
    """What saying it writes."""


class InterestStore(Reading[ReadsInterest], Protocol):
    """The store, as far as this needs it."""

    def writing(self) -> AbstractContextManager[PostsInterest]: ...


class InterestReminders:
    """`at` is the local time of the treasury's mornings. `tell` hears that something waits to be delivered."""

    def __init__(self, store: InterestStore, books: Books, clock: Clock, at: time, tell: Callable[[], None]) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._at = at
        self._tell = tell

    def post(self, channel: str) -> list[str]:
        """Posts into `channel` what is to be said by now and was not; the streams of it.

        Nothing whose morning was before the first import, and nothing of what is paid by the moment of writing.
        """
        with self._store.reading() as tx:
            if not self._unsaid(tx):
                return []
        with self._store.writing() as tx:
            unsaid = self._unsaid(tx)
            for stream, told in unsaid.items():
                _post(tx, stream, channel, self._clock.now(), told)
        if unsaid:
            _log.info("interest_reminders_queued", reminders=list(unsaid), channel=channel)
            self._tell()
        return list(unsaid)

    def _unsaid(self, tx: ReadsInterest) -> dict[str, Told]:
        """By its stream each reminder that is to be there by now and is not in the outbox."""
        now, treasury, since = self._clock.now(), tx.treasury(), tx.first_recorded_at()
        if treasury is None or since is None or now < treasury.opened:
            return {}
        book = self._books.open(tx, now)
        due = {f"{JOB}:{one.name}": one for one in reminders(book, self._at) if one.since >= since}
        return {stream: reminder_told(book, one) for stream, one in due.items() if tx.post_status(stream) is None}


def _post(tx: PostsOnce, stream: str, channel: str, at: datetime, told: Told) -> None:
    post_once(tx, stream=stream, channel=channel, by=PLIMSOLL, at=at, say=lambda _sealed: told)
