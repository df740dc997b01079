"""The cheapest act before the last wire: what alone cannot wait until a lender calls while rails are shut.

Least is lost by repaying from bank dollars just what will be missing then, so that is tried first: the planner says how
much is missing, and is asked again on the ledger in which it has been repaid. Where those dollars are not enough the
planner's whole mix is made from today, on the debts of when the last step after the close could be credited; of its
steps those must be taken today that would come too late afterwards. They too are booked, and what remains is planned
anew on that ledger. A sale counts at the fallen price: today's coins bring more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from bot.domain.book import Book, Register
from bot.domain.money import Cents
from bot.domain.sales.cover import best_of
from bot.domain.sales.movements import coins_moved, matched, repaid
from bot.domain.sales.plan import SALES, Alternative, Leg, Missing, Way
from bot.domain.sales.settling import Found, Search
from bot.domain.sales.situation import Patient, needs_of
from bot.domain.sales.sources import Dollars, sources_of
from bot.domain.treasury import Movement
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
    later = _search(as_called(at_close(found.book, found.closure), fall.view, fall.wanted), fall)
    for ways in (MOVED, frozenset({Way.TOP_UP})):  # where what dollars still move are less than a lender takes at least
        repaid = _repaid(found, fall, replace(later, ways=ways))
        if repaid is not None:
            return repaid
    return _mixed(found, fall, later)


def _search(book: Book, fall: Fall) -> Search:
    needs = needs_of(book, fall.view)
    return Search(book, fall.view, tuple(needs), sources_of(book, fall.view, needs))


def _mixed(found: Readiness, fall: Fall, later: Search) -> Act:
    """The planner's mix of today, what can wait left for later; all of it today where the rest would not do then.

    Nothing is promised that does not hold against the Book at the close.
    """
    today = as_called(found.book, fall.view, fall.wanted)
    mix = best_of(replace(_search(today, fall), debts_at=later.last_credits()))
    if not mix.feasible:
        return Act((), (), mix.missing)
    urgent = tuple(leg for leg in mix.legs if not _can_wait(later, leg))
    early = tuple(leg for leg in mix.legs if leg in urgent or leg.starts < found.closure.shuts)
    for legs in dict.fromkeys((urgent, early)):  # the rest of a repayment may be less than its lender takes
        movements = tuple(_steps(found.book, mix, legs))
        waiting = {leg.way for leg in mix.legs if leg not in legs}
        for ways in dict.fromkeys((MOVED, MOVED | waiting)):  # nothing is sold then where there is another way
            then = _afterwards(found, fall, movements, ways)
            if then is not None:
                return Act(tuple(_as_owed(found.book, legs)), then)
    return Act((), ())


def _as_owed(book: Book, legs: Sequence[Leg]) -> Iterator[Leg]:
    """The same, but no lender gets more cash than it is owed by then: what is paid off bears no more interest."""
    paid = dict.fromkeys((leg.facility for leg in legs), 0)
    for leg in legs:
        if leg.way is Way.CASH:
            owed = book.register.ledger.debt_at(leg.facility, leg.credited_at, book.at).total
            here = min(leg.usd, owed - paid[leg.facility])
            paid[leg.facility] += here
            if here:
                yield replace(leg, usd=here)
        else:
            yield leg


def _afterwards(
    found: Readiness, fall: Fall, movements: tuple[Movement, ...], ways: frozenset[Way]
) -> tuple[Leg, ...] | None:
    """What is to be done with `ways` after the close, once `movements` are booked today; None where it won't do."""
    treasury = found.book.treasury
    named = [replace(one, ref=f"before the close {number}") for number, one in enumerate(movements)]
    done = replace(treasury, movements=(*treasury.movements, *named))
    after = replace(found.book, register=Register.of(done, found.book.register.alerts), known=None)
    called = as_called(at_close(after, found.closure), fall.view, fall.wanted)
    plan = planned(called, fall.view, ways)
    return plan.legs if plan.feasible else None


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
    paid = [(leg.account, leg.facility, leg.usd) for leg in legs]
    then = _afterwards(found, fall, tuple(_payments(book, paid)), MOVED)
    return Act(legs, then) if then is not None else None


def _is_stuck(later: Search, dollars: Dollars) -> bool:
    """Whether they would come too late for every lender where they are sent after the close."""
    leaves = next((one.leaves for one in later.sources.dollars if one.account == dollars.account), None)
    return leaves is None or all(leaves + one.credit > later.due(one) for one in later.patients())


def _from(book: Book, stuck: Sequence[Dollars], due: Mapping[str, Cents]) -> Iterator[Leg]:
    for one, facility, usd in matched([(one, one.usd) for one in stuck], due):
        wait = book.treasury.facility_by_id[facility].terms_at(book.at).credit_hours
        credited = one.leaves + wait if wait is not None else one.leaves
        yield Leg(Way.CASH, facility, one.leaves, credited, one.account, usd=usd)


def _steps(book: Book, mix: Alternative, legs: Sequence[Leg]) -> Iterator[Movement]:
    """`legs` of `mix` as the ledger has them once all is credited: coins first, then whom their dollars repay."""
    for leg in legs:
        yield from coins_moved(leg, book.at, book.at)
    yield from _payments(book, _repaid_by(book, mix, legs))


def _repaid_by(book: Book, mix: Alternative, legs: Sequence[Leg]) -> Iterator[tuple[str | None, str, Cents]]:
    """Which account pays whom, and how many cents: a sale for a group repays whom cash does not repay in full."""
    left = {one.facility: one.principal + one.interest for one in mix.repayments}
    for leg in mix.legs:
        if leg.way is Way.CASH:
            left[leg.facility] -= leg.usd
    yield from ((leg.account, leg.facility, leg.usd) for leg in legs if leg.way is Way.CASH)
    lenders = {name: facility.group or name for name, facility in book.treasury.facility_by_id.items()}
    for lender in dict.fromkeys(lenders[name] for name in left):
        sales = [leg for leg in legs if leg.way in SALES and lenders[leg.facility] == lender]
        due = {name: usd for name, usd in left.items() if lenders[name] == lender}
        for leg, facility, usd in matched([(leg, leg.usd) for leg in sales], due):
            yield leg.through, facility, usd


def _payments(book: Book, paid: Iterable[tuple[str | None, str, Cents]]) -> Iterator[Movement]:
    """Repayments of today as the ledger has them, each no more than is owed today."""
    left = {name: (debt.principal, debt.total) for name, debt in book.balances.debts.items()}
    for account, facility, usd in paid:
        principal, total = left[facility]
        here = min(usd, total)
        left[facility] = max(0, principal - here), total - here
        yield from repaid(facility, account, here, book.at, principal)
