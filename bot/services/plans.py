"""Proposing, approving and dismissing plans: one transaction each, short enough for Slack's 3 s.

What an approver approves is planned anew in that very transaction, on the book of that instant. Writers come one after
another, so of two approvers at once the second finds it approved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Protocol

from bot.domain.alert import Person
from bot.domain.audit import Entry, What
from bot.domain.book import Book
from bot.domain.plan_words import refusal
from bot.domain.planning import plan_now
from bot.domain.plans import (
    Act,
    Change,
    Did,
    Found,
    Made,
    Moved,
    Plan,
    Status,
    Turn,
    Wanted,
    Why,
    decide,
    figures_of,
    moved,
    propose,
)
from bot.domain.sales import Alternative
from bot.services.acting import ANSWER_WITHIN
from bot.services.books import Books
from bot.services.errors import PlimsollError
from bot.services.plan_keeping import keep, supersede
from bot.services.ports import Clock, KeepsPlans
from bot.services.recording import Channels

LAST_ENDED = 5
NO_CHANNEL = "APPROVAL_CHANNEL is not set, so nobody can be asked. Whoever runs Plimsoll sets it to a channel's id."


class PlansStore(Protocol):
    """The store, as far as plans need it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsPlans]: ...

    def reading(self) -> AbstractContextManager[KeepsPlans]: ...


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to on the Book of now."""

    book: Book
    wanted: Wanted
    found: Found


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of a proposal: `turn` None where there is nothing to propose, for the reason that `found` has.

    `already`: a plan that says the same waits, or is being carried out.
    """

    book: Book
    found: Found
    turn: Turn | None = None
    already: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a click on a plan. `refused` says why nothing was changed, "" where something was."""

    turn: Turn
    refused: str = ""


class Plans:
    """May be shared between threads. NothingImportedError before an import.

    `tell` is called once something is recorded: there may be a message to deliver.
    """

    def __init__(
        self, store: PlansStore, books: Books, clock: Clock, channels: Channels, tell: Callable[[], None]
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._channels = channels
        self._tell = tell

    @property
    def channel(self) -> str | None:
        """Where plans are approved."""
        return self._channels.approval

    def look(self, wanted: Wanted) -> Planned:
        """What `wanted` comes to now; nothing is kept."""
        with self._store.reading() as tx:
            book = self._books.open(tx, self._clock.now())
            return Planned(book, wanted, plan_now(book, wanted, tx.revision()))

    def propose(self, wanted: Wanted, by: Person) -> Proposed:
        """Asks the approvers' channel for what `wanted` comes to now, once however often it is said.

        PlimsollError where there is no such channel.
        """
        if self._channels.approval is None:
            raise PlimsollError(NO_CHANNEL)
        with self._store.writing(ANSWER_WITHIN) as tx:
            book = self._books.open(tx, self._clock.now())
            found = plan_now(book, wanted, tx.revision())
            if found.made is None:
                return Proposed(book, found)
            if (same := _same(tx.open_plans(), wanted, found.made)) is not None:
                return Proposed(book, found, Turn(same, same, Change.KEPT, Why.NOTHING_NEW), already=True)
            turn = keep(tx, book, propose(wanted, found.made, by, book.at), self._channels, by.id)
            supersede(tx, book, turn.plan, self._channels, by.id)
        self._tell()
        return Proposed(book, found, turn)

    def approve(self, plan_id: int, asked: int, by: Person) -> Decided:
        """Approves a plan as it was `asked` for, unless it is the approver's own or has moved. PlimsollError: there is
        none."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            book, plan = self._books.open(tx, self._clock.now()), _known(tx, plan_id)
            waits = plan.status is Status.PROPOSED
            found = plan_now(book, plan.wanted, tx.revision()) if waits else Found()
            turn = decide(plan, Act(Did.APPROVE, by, asked), book.at, found)
            kept = self._kept(tx, book, turn, by, found.why)
            if turn.change is Change.APPROVED:
                supersede(tx, book, turn.plan, self._channels, by.id)
        self._tell()
        return kept

    def dismiss(self, plan_id: int, by: Person, reason: str) -> Decided:
        """Ends a plan that is proposed or approved. PlimsollError: there is none."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            book, plan = self._books.open(tx, self._clock.now()), _known(tx, plan_id)
            turn = decide(plan, Act(Did.DISMISS, by, reason=reason), book.at)
            kept = self._kept(tx, book, turn, by)
        self._tell()
        return kept

    def since_last(self, wanted: Wanted, now: Alternative) -> tuple[Plan, tuple[Moved, ...]] | None:
        """The newest open plan for `wanted`, and each of its numbers that is another in `now`, what it comes to by now.

        None where there is no such plan, or nothing comes of it any more.
        """
        if not now.feasible:
            return None
        with self._store.reading() as tx:
            last = next((plan for plan in reversed(tx.open_plans()) if plan.wanted == wanted), None)
        if last is None:
            return None
        return last, moved(last.made.figures, figures_of(now.legs, now.repayments), Fraction(0))

    def plan(self, plan_id: int) -> tuple[Book, Plan]:
        """One plan, and the Book of now. PlimsollError: there is none."""
        with self._store.reading() as tx:
            return self._books.open(tx, self._clock.now()), _known(tx, plan_id)

    def listing(self) -> tuple[Book, tuple[Plan, ...]]:
        """Open plans, the oldest first, then the last that have ended."""
        with self._store.reading() as tx:
            return self._books.open(tx, self._clock.now()), (*tx.open_plans(), *tx.ended_plans(LAST_ENDED))

    def _kept(self, tx: KeepsPlans, book: Book, turn: Turn, by: Person, because: str = "") -> Decided:
        if turn.counts:
            return Decided(keep(tx, book, turn, self._channels, by.id))
        tx.add_audit(Entry(book.at, by.id, What.CLICKED, turn.plan.title, {"reason": turn.why.value}))
        return Decided(turn, refusal(book, turn, because))


def _same(plans: Sequence[Plan], wanted: Wanted, made: Made) -> Plan | None:
    """The open plan that says the same."""
    alike = (plan for plan in plans if plan.wanted == wanted and plan.made.keys == made.keys)
    return next((plan for plan in alike if not moved(plan.made.figures, made.figures)), None)


def _known(tx: KeepsPlans, plan_id: int) -> Plan:
    plan = tx.plan(plan_id)
    if plan is None:
        raise PlimsollError("There is no such plan.")
    return plan
