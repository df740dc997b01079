"""The weekly digest: which week is due, its figures as of its end, and the one message that says them.

The slot only keeps all but one from doing the work: what makes it one message is `bot.services.posting`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.alert import Episode, Silence
from bot.domain.audit import PLIMSOLL
from bot.domain.book import Book
from bot.domain.digest import Digest, digest_of
from bot.domain.digest_words import Picture, told
from bot.domain.periods import iso
from bot.domain.slots import Claim, Slot
from bot.domain.weeks import Week, Weekly
from bot.services.books import Books
from bot.services.errors import NothingImportedError, UsageError
from bot.services.ports import Clock, Reading, ReadsPast
from bot.services.posting import Posting, PostsOnce, post_once

JOB = "digest"

_log = structlog.get_logger(__name__)


class ReadsDigest(ReadsPast, Protocol):
    """What a digest reads, within one transaction."""

    def first_recorded_at(self) -> datetime | None: ...

    def episodes(self, since: datetime, until: datetime) -> list[Episode]: ...

    def silences(self, now: datetime) -> tuple[Silence, ...]: ...

    def post_status(self, stream: str) -> str | None: ...


class DigestStore(Reading[ReadsDigest], Protocol):
    """The store, as far as this needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[PostsOnce]: ...


def _unheard() -> None:
    """Nobody waits for it."""


def _unseen(_digest: Digest) -> None:
    """Nobody draws."""


def _stream(week: Week) -> str:
    """The stream of a week's one message."""
    return f"{JOB}:{week.name}"


class Digests:
    """May be shared between threads. `weekly` and the treasury's zone say when a week ends.

    `tell` hears that something waits to be delivered. `illustrate` draws a week and has Slack keep the picture: None,
    and never an error, where that cannot be.
    """

    def __init__(
        self,
        store: DigestStore,
        books: Books,
        clock: Clock,
        weekly: Weekly,
        tell: Callable[[], None] = _unheard,
        illustrate: Callable[[Digest], Picture | None] = _unseen,
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._weekly = weekly
        self._tell = tell
        self._illustrate = illustrate

    def ended(self, at: datetime | None = None) -> Digest:
        """That of the last week that had ended at `at` (default now), as of its end.

        NothingImportedError before any import; UsageError where the treasury had not opened by then.
        """
        with self._store.reading() as tx:
            treasury = tx.treasury()
            if treasury is None:
                raise NothingImportedError
            week = self._weekly.ended(at or self._clock.now(), treasury.zone)
            if week.ends < treasury.opened:
                first = self._weekly.running(treasury.opened, treasury.zone)
                raise UsageError(f"No week had ended since the treasury opened; the first ends {iso(first.ends)}")
            return self._read(tx, week, self._books.open_past(tx, week.ends))

    def running(self) -> Digest:
        """That of the week we are in, as far as it has come. NothingImportedError before any import."""
        with self._store.reading() as tx:
            treasury, now = tx.treasury(), self._clock.now()
            if treasury is None:
                raise NothingImportedError
            return self._read(tx, self._weekly.running(now, treasury.zone), self._books.open(tx, now))

    def due(self) -> Slot | None:
        """The slot of the week whose digest is to be there by now; None: of none is, as nothing was recorded then.

        It is that of the last week, so what is older than a week is not made up for.
        """
        with self._store.reading() as tx:
            treasury, since = tx.treasury(), tx.first_recorded_at()
        if treasury is None or since is None:
            return None
        week = self._weekly.ended(self._clock.now(), treasury.zone)
        return Slot(JOB, week.ends, week.name) if week.ends >= max(since, treasury.opened) else None

    def work(self, claim: Claim, channel: str) -> None:
        """Posts the digest of the week that `claim` is about into `channel`, unless that was done before."""
        digest = self.ended(claim.slot.due_at)
        with self._store.reading() as tx:
            is_new = tx.post_status(_stream(digest.week)) is None
        if is_new:
            self._post(digest, channel, PLIMSOLL, self._illustrate(digest), again=False)

    def post(self, digest: Digest, channel: str, by: str) -> Posting:
        """Posts it by hand, `by` whom: as `work`, but what Slack has refused for good is posted again.

        UsageError where its week has not ended yet.
        """
        if digest.week.ends > self._clock.now():
            raise UsageError(f"Week {digest.week.name} has not ended yet: only a week that has is posted")
        return self._post(digest, channel, by, None, again=True)

    def _post(self, digest: Digest, channel: str, by: str, picture: Picture | None, *, again: bool) -> Posting:
        now, week = self._clock.now(), digest.week
        with self._store.writing() as tx:
            became = post_once(
                tx,
                stream=_stream(week),
                channel=channel,
                by=by,
                at=now,
                say=lambda sealed: told(digest, now, sealed, picture),
                again=again,
            )
        if became is Posting.QUEUED:
            _log.info("digest_queued", week=week.name, channel=channel)
            self._tell()
        return became

    def _read(self, tx: ReadsDigest, week: Week, book: Book) -> Digest:
        at = book.at
        before = self._books.open(tx, week.begins) if week.begins >= book.treasury.opened else None
        last = self._weekly.before(week, book.treasury.zone)
        return digest_of(week, last, book, before, tx.episodes(week.begins, at), tx.silences(at))
