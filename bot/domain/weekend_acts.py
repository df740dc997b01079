"""The cheapest act before the last wire: what alone cannot wait until a lender calls while rails are shut.

Least is lost by repaying from bank dollars just what will be missing then, so that is tried first: the planner says how
much is missing, and is asked again on the ledger in which it has been repaid. Where those dollars are not enough the
planner's whole mix is made from today, and of its steps those must be taken today that would come too late afterwards.
A sale counts at the fallen price: today's coins bring more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from bot.domain.book import Book, Register
from bot.domain.money import Cents
from bot.domain.sales.plan import Leg, Missing, Way
from bot.domain.sales.settling import Found, Search
from bot.domain.sales.situation import Patient, needs_of
from bot.domain.sales.sources import Dollars, sources_of
from bot.domain.treasury import Movement, MovementKind
from bot.domain.weekend import MOVED, Fall, Readiness, as_called, at_close, planned

_MORE = (0, 1, 2, 4, 8, 16)
"""Cents on top of what is missing, until whole cents and satoshis cure."""


@dataclass(frozen=True, slots=True)
class Act:
    """What to do before the last wire, and what remains for when a lender has called.

    `now` is empty where nothing would be enough: `missing` says then what would.
    """

    now: tuple[Leg, ...]
    then: tuple[Leg, ...]
    missing: Missing | None = None


def cheapest_act(found: Readiness, fall: Fall) -> Act | None:
    """What to do before the close, so that `fall` can be met afterwards; None where nothing must be, or it is late."""
    if not fall.is_short or found.has_begun:
        return None
    today = as_called(found.book, fall.view, fall.wanted)
    called = as_called(at_close(found.book, found.closure), fall.view, fall.wanted)
    needs = needs_of(called, fall.view)
    later = Search(called, fall.view, tuple(needs), sources_of(called, fall.view, needs), MOVED)
    for ways in (MOVED, frozenset({Way.TOP_UP})):  # where what dollars still move are less than a lender takes at least
        repaid = _repaid(found, fall, replace(later, ways=ways, known={}))
        if repaid is not None:
            return repaid
    mix = planned(today, fall.view)
    if not mix.feasible:
        return Act((), (), mix.missing)
    waits = [leg for leg in mix.legs if _can_wait(later, leg)]
    return Act(tuple(leg for leg in mix.legs if leg not in waits), tuple(waits))


def _can_wait(later: Search, leg: Leg) -> bool:
    """Whether a step of today's plan is still in time where it is begun after the close."""
    patient = next(one for one in later.patients() if leg.facility in {member.id for member in one.members})
    leaves = _leaves(later, patient, leg)
    return leaves is not None and leaves + patient.credit <= later.due(patient)


def _leaves(later: Search, patient: Patient, leg: Leg) -> datetime | None:
    if leg.way is Way.CASH:
        return next((one.leaves for one in later.sources.dollars if one.account == leg.account), None)
    if leg.way is Way.SELL_PLEDGED:
        return next((spot.opens for spot in patient.spots if spot.facility == leg.facility), None)
    coins = next(
        (one for one in later.sources.coins if one.account == leg.account and one.released_from == leg.released_from),
        None,
    )
    if coins is None:
        return None
    return coins.leaves if leg.way is Way.TOP_UP else coins.sold_leaves


def _repaid(found: Readiness, fall: Fall, later: Search) -> Act | None:
    """The repayment of today after which what still moves is enough; None where bank dollars do not reach so far."""
    short = later.best()
    if short is None:
        return None
    for more in _MORE:
        act = _paying(found, fall, later, _by_lender(short, more))
        if act is not None:
            return act
    return None


def _by_lender(short: Found, more: Cents) -> dict[str, Cents]:
    """By facility what is to be repaid today: what is missing of its cure, and no less than its least repayment."""
    due: dict[str, Cents] = {}
    for patient in short.problem.patients:
        left = ceil(short.solution["short", patient.id])
        left += more if left else 0
        for member in sorted(patient.members, key=lambda one: -short.solution["repay", one.id]):
            here = min(left, member.owed)
            if here:
                due[member.id] = max(here, min(member.least, member.owed))
            left -= here
    return due


def _paying(found: Readiness, fall: Fall, later: Search, due: Mapping[str, Cents]) -> Act | None:
    book = found.book
    sources = sources_of(book, fall.view, needs_of(book, fall.view))
    stuck = [one for one in sources.dollars if one.leaves < found.closure.shuts and _is_stuck(later, one)]
    if not due or sum(due.values()) > min(sum(one.usd for one in stuck), sources.spare_usd):
        return None
    legs = tuple(_from(book, stuck, due))
    movements = tuple(_movements(book, legs))
    paid = replace(book.treasury, movements=(*book.treasury.movements, *movements))
    after = replace(book, register=Register.of(paid, book.register.alerts), known=None)
    then = planned(as_called(at_close(after, found.closure), fall.view, fall.wanted), fall.view, MOVED)
    return Act(legs, then.legs) if then.feasible else None


def _is_stuck(later: Search, dollars: Dollars) -> bool:
    """Whether they would come too late for every lender where they are sent after the close."""
    leaves = next((one.leaves for one in later.sources.dollars if one.account == dollars.account), None)
    return leaves is None or all(leaves + one.credit > later.due(one) for one in later.patients())


def _from(book: Book, stuck: Sequence[Dollars], due: Mapping[str, Cents]) -> Iterator[Leg]:
    """Who is paid from where: each account until it is used up."""
    left = dict(due)
    for one in stuck:
        there = one.usd
        for facility in due:
            here = min(there, left[facility])
            if here:
                wait = book.treasury.facility_by_id[facility].terms_at(book.at).credit_hours
                credited = one.leaves + wait if wait is not None else one.leaves
                yield Leg(Way.CASH, facility, one.leaves, credited, one.account, usd=here)
                there -= here
                left[facility] -= here


def _movements(book: Book, legs: Sequence[Leg]) -> Iterator[Movement]:
    """The repayments as the ledger has them once they are credited: principal first, what is more pays the interest."""
    owed = {one.facility: book.register.ledger.debt_at(one.facility, book.at, book.at).principal for one in legs}
    for number, leg in enumerate(legs):
        principal = min(leg.usd, owed[leg.facility])
        owed[leg.facility] -= principal
        for kind, usd in ((MovementKind.REPAID, principal), (MovementKind.INTEREST_PAID, leg.usd - principal)):
            if usd:
                ref = f"before the close {number} {kind}"
                yield Movement(book.at, kind, ref, leg.account, facility=leg.facility, usd=usd)
