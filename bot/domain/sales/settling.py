"""Finding the best plan: for each day it may settle on, the programme, all-or-nothing repayments, whole numbers.

A debt is that of a plan's settlement, and which sources a plan uses says when it settles. So every day that debts
differ on is tried as the last, and of each the settlement is moved forward to when what is used has been credited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from bot.domain.book import Book
from bot.domain.price import PriceView
from bot.domain.sales.model import Problem, Solution, solve
from bot.domain.sales.plan import EVERY_WAY, NEVER, Need, Way
from bot.domain.sales.rounding import Draft, Use
from bot.domain.sales.situation import Patient, patient, patients_of
from bot.domain.sales.sources import Sources
from bot.domain.terms import Consent

_TRIES = 32
_TIGHTER = (0, 1, 2, 4, 8, 16)
"""Cents by which each test is tightened, one after the other, until whole numbers fit into the exact solution."""

Settles = Mapping[str, datetime]
Known = dict[tuple[str, datetime], Patient]


@dataclass(frozen=True)
class Found:
    """A plan in whole numbers, or (`draft` None) how far the best stays short. `settles` by patient."""

    solution: Solution
    problem: Problem
    draft: Draft | None
    settles: Settles
    proven: bool


@dataclass(frozen=True)
class Search:
    """All plans for one Book, price and set of ways. `later` is time added to every deadline.

    `debts_at`, by patient, is when its debt is to be met even where all that is used is credited earlier.
    """

    book: Book
    view: PriceView
    needs: tuple[Need, ...]
    sources: Sources
    ways: frozenset[Way] = EVERY_WAY
    later: timedelta = timedelta(0)
    debts_at: Settles = field(default_factory=dict)
    known: Known = field(default_factory=dict, repr=False, compare=False)
    """Patients by settlement, once they have been read off the Book."""

    def best(self) -> Found | None:
        """The best plan of all days; where none cures, the one that is missing least."""
        found = [one for last in self._days() if (one := self._settled(last)) is not None]
        return min(found, key=lambda one: (one.draft is None, one.solution.merit), default=None)

    def missing_coins(self) -> Fraction | None:
        """The fewest more free coins that would do, in satoshis; None where none would."""
        least = []
        for last in self._days():
            problem = self._problem(self.last_credits(last), last)
            solution, _, _ = _whole_repayments(problem, "btc")
            if solution is not None:
                least.append(solution.short)
        return min(least, default=None)

    def missing_time(self) -> timedelta | None:
        """The least time that every deadline would have to be later by; None where time alone would not do."""
        known = [one for one in self.patients() if one.due is not None]
        lates = {arrival - one.due for one in known for arrival in self.arrivals(one) if one.due and arrival > one.due}
        tries = sorted(lates)
        low, high = 0, len(tries)
        while low < high:
            middle = (low + high) // 2
            best = replace(self, later=tries[middle]).best()
            if best is not None and best.draft is not None:
                high = middle
            else:
                low = middle + 1
        return tries[low] if low < len(tries) else None

    def arrivals(self, patient: Patient) -> list[datetime]:
        """Every instant at which something could be credited to `patient`, deadlines aside."""
        instants = [one.leaves for one in self.sources.dollars if Way.CASH in self.ways]
        for coins in self.sources.coins:
            instants += [coins.leaves] if Way.TOP_UP in self.ways else []
            instants += [coins.sold_leaves] if Way.SELL_FREE in self.ways and coins.sold_leaves else []
        if Way.SELL_PLEDGED in self.ways:
            instants += [spot.opens for spot in patient.spots if spot.coins and spot.consent is not Consent.NONE]
        return sorted({instant + patient.credit for instant in instants})

    def due(self, patient: Patient) -> datetime:
        return patient.due + self.later if patient.due is not None else NEVER

    def patients(self, settles: Settles | None = None) -> list[Patient]:
        """What is cured together, each with its debts run on to when it settles; else as they are now."""
        found = []
        for key in patients_of(self.book, self.needs):
            at = self._met(key, (settles or {}).get(key, self.book.at))
            if (key, at) not in self.known:
                self.known[key, at] = patient(self.book, self.view, self.needs, key, at)
            found.append(self.known[key, at])
        return found

    def _met(self, key: str, settles: datetime) -> datetime:
        return max(settles, self.debts_at.get(key, settles))

    def _in_time(self, patient: Patient, last: datetime) -> list[datetime]:
        return [arrival for arrival in self.arrivals(patient) if arrival <= min(self.due(patient), last)]

    def _days(self) -> Iterator[datetime]:
        """The last arrival of each day on which debts differ, the latest first."""
        instants = {at for one in self.patients() for at in self._in_time(one, NEVER)} | {self.book.at}
        seen: set[tuple[object, ...]] = set()
        for instant in sorted(instants, reverse=True):
            then = self.patients(dict.fromkeys(patients_of(self.book, self.needs), instant))
            debts = tuple(member for one in then for member in one.members)
            if debts not in seen:
                seen.add(debts)
                yield instant

    def last_credits(self, last: datetime = NEVER) -> Settles:
        """By patient when the latest of what is in time, and up to `last`, is credited; now where nothing is."""
        return {one.id: max(self._in_time(one, last), default=self.book.at) for one in self.patients()}

    def _problem(self, settles: Settles, last: datetime) -> Problem:
        known = self.patients(settles)
        policy = self.book.treasury.policy
        return Problem(
            price=self.view.usable or 0,
            steps=policy.curve,
            fee=Fraction(policy.fee_bps, 10_000),
            patients=tuple(known),
            sources=self.sources,
            until={one.id: min(self.due(one), last, settles[one.id]) for one in known},
            ways=self.ways,
        )

    def _settled(self, last: datetime) -> Found | None:
        settles = self.last_credits(last)
        while True:
            problem = self._problem(settles, last)
            found = _rounded(problem, settles)
            if found is None or found.draft is None:
                return found
            last_credits = {one.id: _last_credit(found.draft, one, self.book.at) for one in problem.patients}
            used = {key: self._met(key, at) for key, at in last_credits.items()}
            if used == settles or self.patients(used) == self.patients(settles):
                return replace(found, settles=used)
            settles = used


def _rounded(problem: Problem, settles: Settles) -> Found | None:
    """The exact solution in whole numbers; where it does not go into them, that of a slightly tighter problem.

    First from what a solution uses alone. A tighter one is rounded down, so that it fits into what there is. None
    where neither the sources nor any whole numbers would do.
    """
    solution, _, proven = exact = _whole_repayments(problem, "usd")
    if solution is None or solution.short:
        return Found(solution, problem, None, settles, proven) if solution is not None else None
    for anew in (False, True):
        for cents in _TIGHTER:
            tried = _tighter(problem, solution, cents) if cents else exact
            if tried[0] is not None and not tried[0].short:
                whole = replace(tried[1], patients=problem.patients, margin={})
                draft = Draft(whole, tried[0], floor if cents else ceil)
                if draft.round(anew=anew):
                    return Found(solution, problem, draft, settles, tried[2])
    return None


def _tighter(problem: Problem, exact: Solution, cents: int) -> tuple[Solution | None, Problem, bool]:
    """The solution of a tighter problem; once more where that repays somebody whom the exact one does not."""
    tried = _whole_repayments(_tightened(problem, exact, cents), "usd")
    found = tried[0]
    if found is None or all(_repaid(exact, one) or not _repaid(found, one) for one in problem.patients):
        return tried
    return _whole_repayments(_tightened(problem, found, cents), "usd")


def _repaid(solution: Solution, patient: Patient) -> Fraction:
    return sum((solution["repay", member.id] for member in patient.members), Fraction(0))


def _tightened(problem: Problem, exact: Solution, cents: int) -> Problem:
    """The same with every cure some cents further off, and no fewer dollars more for what the solution repays."""
    margin = {}
    for one in problem.patients:
        repaid = _repaid(exact, one)
        margin[one.id] = _margin(cents, repaid) if repaid else Fraction(0)
    return replace(problem, patients=tuple(_further_off(one, cents) for one in problem.patients), margin=margin)


def _margin(cents: int, repaid: Fraction) -> Fraction:
    """At least `cents` for each `repaid`, less than twice as many, as a power of two.

    So loans that are alike stay so, and which of them sells is not decided by cents; and the fractions stay short.
    """
    times = floor(repaid / cents)
    return Fraction(1, 1 << (times.bit_length() - 1)) if times else cents / repaid


def _further_off(patient: Patient, cents: int) -> Patient:
    """The same with every cure some cents further off, but no further than everything that is owed.

    Where it is as far as that, a coin counts for so much less instead.
    """
    owed = {member.id: member.owed for member in patient.members}
    tests = []
    for test in patient.tests:
        most = sum((owed[member] * weight for member, weight in test.weights.items()), Fraction(0))
        short, per_coin = test.short, test.per_coin
        if test.is_need and short + cents <= most:
            short += cents
        elif test.is_need and short > 0:
            per_coin *= short / (short + cents)
        tests.append(replace(test, short=short, per_coin=per_coin))
    return replace(patient, tests=tuple(tests))


def credited(draft: Draft, one: Patient, use: Use) -> tuple[datetime, datetime]:
    """When a use can leave (or its desk opens), and when its lender credits it."""
    way, number, where = use
    if way is Way.CASH:
        leaves = draft.dollars[number].leaves
    elif way is Way.TOP_UP:
        leaves = draft.coins[number].leaves
    elif way is Way.SELL_FREE:
        leaves = draft.coins[number].sold_leaves or NEVER
    else:
        leaves = next(spot.opens for spot in one.spots if spot.id == where)
    return leaves, leaves + one.credit


def _last_credit(draft: Draft, patient: Patient, now: datetime) -> datetime:
    instants = [credited(draft, patient, use)[1] for use in draft.uses(patient) if draft.amounts[use]]
    return max(instants, default=now)


def _whole_repayments(problem: Problem, missing: str) -> tuple[Solution | None, Problem, bool]:
    """The best solution in which nobody is repaid less than its least: raised to it, or left out.

    Each such choice is tried both ways, as far as `_TRIES` goes; whether all were, is the last of the three.
    """
    tries = _TRIES
    proven = True

    def branch(now: Problem) -> tuple[Solution | None, Problem]:
        nonlocal tries, proven
        tries -= 1
        solution = solve(now, missing=missing)
        small = _too_small(now, solution) if solution is not None else None
        if small is None:
            return solution, now
        raised = replace(now, raised=now.raised | {small})
        if tries <= 0:
            proven = False
            return branch(raised)
        ways = [branch(raised), branch(replace(now, left_out=now.left_out | {small}))]
        known = [(one.merit, one, which) for one, which in ways if one is not None]
        if not known:
            return None, now
        _, best, which = min(known, key=lambda way: way[0])
        return best, which

    solution, chosen = branch(problem)
    return solution, chosen, proven


def _too_small(problem: Problem, solution: Solution) -> str | None:
    for one in problem.patients:
        for member in one.members:
            if member.id in problem.raised:
                continue
            if 0 < solution["repay", member.id] < min(member.least, member.owed):
                return member.id
    return None
