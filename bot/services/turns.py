"""Shared work, once: a slot of a job is claimed in the database, worked, and marked as done.

Every process is woken for every job and asks the database what is due. The latest slot that nobody has finished and
nobody is at is claimed for a while; whoever fails gives it back, and whoever dies is taken over from once its lease is
over. Slots missed while nothing ran are not made up for: the latest one stands for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog

from bot.domain.slots import Claim, Slot, last_due
from bot.services.ports import Clock, Reading

LEASE = timedelta(seconds=30)
"""How long a slot is somebody's without a further word. Less than a job takes is harmless: it is done twice."""
AFTER_FAILURE = timedelta(seconds=5)
_RELEASE_WAIT = timedelta(seconds=1)

_log = structlog.get_logger(__name__)


class LostClaimError(Exception):
    """The slot is somebody else's by now: this process was too slow, or frozen. What it was about to do is void."""


class PutOffError(Exception):
    """Not now: the slot is given back and tried again shortly. Nothing has gone wrong."""


class Turn(StrEnum):
    """What became of one waking for a job."""

    DONE = "done"
    ALREADY = "already"
    """The slot was finished before, here or elsewhere."""
    BUSY = "busy"
    """Somebody else is at it."""
    PUT_OFF = "put_off"
    LOST = "lost"
    FAILED = "failed"


class HowItStands(Protocol):
    @property
    def done(self) -> bool: ...
    @property
    def leased(self) -> bool: ...


class ReadsSlots(Protocol):
    def slot_state(self, slot: Slot) -> HowItStands: ...


class HoldsSlots(Protocol):
    """What a claim needs of a transaction; see `bot.store.jobs`."""

    def claim_slot(self, slot: Slot, by: str, lease: timedelta) -> Claim | None: ...

    def finish_slot(self, claim: Claim, at: datetime) -> bool: ...

    def release_slot(self, claim: Claim, wait: timedelta) -> None: ...


class SlotStore(Reading[ReadsSlots], Protocol):
    """The store, as far as turns need it. `sharing` writes rows that are one's own alone."""

    def sharing(self, wait: timedelta = ...) -> AbstractContextManager[HoldsSlots]: ...


def _untold(_job: str, _turn: Turn) -> None:
    """Nobody counts."""


def _untimed(_job: str, _seconds: float) -> None:
    """Nobody measures."""


class Turns:
    """One process's share of the shared work. May be used from many threads; a job is woken by one at a time.

    `tell` hears what became of every slot that was claimed, `tell_late` how many seconds after it was due it began.
    `unavailable` are the errors of a database that cannot be used: a slot that cannot be given back then is taken over
    later.
    """

    def __init__(
        self,
        store: SlotStore,
        clock: Clock,
        worker: str,
        *,
        unavailable: tuple[type[Exception], ...] = (),
        tell: Callable[[str, Turn], None] = _untold,
        tell_late: Callable[[str, float], None] = _untimed,
    ) -> None:
        self._store = store
        self._clock = clock
        self._worker = worker
        self._unavailable = unavailable
        self._tell = tell
        self._tell_late = tell_late
        self._guard = threading.Lock()
        self._held: set[Claim] = set()
        self._stopping = False

    def take(self, job: str, every: timedelta, work: Callable[[Claim], object], lease: timedelta = LEASE) -> Turn:
        """Does the latest slot of `job`, due `every` so often, if nobody has and nobody is at it; see `take_slot`."""
        return self.take_slot(Slot(job, last_due(every, self._clock.now())), work, lease)

    def take_slot(self, slot: Slot, work: Callable[[Claim], object], lease: timedelta = LEASE) -> Turn:
        """Does `slot`, which is due, if nobody has and nobody is at it.

        Whatever `work` raises, except LostClaimError and PutOffError, comes out here after the slot was given back.
        """
        with self._store.reading() as tx:
            stands = tx.slot_state(slot)
        if stands.done:
            return Turn.ALREADY
        claim = None if stands.leased else self._claim(slot, lease)
        if claim is None:
            return Turn.BUSY
        self._tell_late(slot.job, max(0.0, (self._clock.now() - slot.due_at).total_seconds()))
        turn = Turn.FAILED
        try:
            turn = self._worked(claim, work)
        finally:
            with self._guard:
                self._held.discard(claim)
            self._tell(slot.job, turn)
            if turn in (Turn.FAILED, Turn.PUT_OFF):
                self._release(claim, AFTER_FAILURE)
        return turn

    def stop(self) -> None:
        """Claims nothing more."""
        with self._guard:
            self._stopping = True

    def let_go(self) -> None:
        """Gives back what is still held, so that another process may take it at once. What is left of its work is
        void: whoever comes next does it again."""
        with self._guard:
            held, self._held = self._held, set()
        for claim in held:
            self._release(claim, timedelta(0))

    def _claim(self, slot: Slot, lease: timedelta) -> Claim | None:
        with self._guard:
            if self._stopping:
                return None
        with self._store.sharing() as tx:
            claim = tx.claim_slot(slot, self._worker, lease)
        if claim is not None:
            with self._guard:
                self._held.add(claim)
        return claim

    def _worked(self, claim: Claim, work: Callable[[Claim], object]) -> Turn:
        job = claim.slot.job
        try:
            work(claim)
        except PutOffError as reason:
            _log.info("job_put_off", job=job, slot=claim.slot.name, reason=str(reason))
            return Turn.PUT_OFF
        except LostClaimError:
            _log.warning("job_lost", job=job, slot=claim.slot.name)
            return Turn.LOST
        with self._store.sharing() as tx:
            done = tx.finish_slot(claim, self._clock.now())
        if not done:
            _log.warning("job_lost", job=job, slot=claim.slot.name)
        return Turn.DONE if done else Turn.LOST

    def _release(self, claim: Claim, wait: timedelta) -> None:
        with suppress(*self._unavailable), self._store.sharing(_RELEASE_WAIT) as tx:
            tx.release_slot(claim, wait)
