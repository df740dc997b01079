"""What interest is due in cash, and when: what falls due next, and what fell due and has not been paid since.

With the mode `paid` all interest owed falls due on the first of each month, at that midnight, after its accrual, by the
terms until then. Payments go to the oldest first. What is due is no sum of its own: it is read off the ledger's debt on
those firsts, so it is that debt to the cent, half-up once for the sum of all that is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from bot.domain.interest import begun_day
from bot.domain.ledger import Ledger
from bot.domain.money import Cents, half_up
from bot.domain.periods import midnight
from bot.domain.terms import Facility, InterestMode, Terms

FAR = timedelta(days=366)
"""How far ahead a payment is looked for."""
_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Payment:
    """Interest in cents that falls, or fell, due on `due`, a first of a month where it accrues, and is not paid yet.

    What was due before it and is not paid is not in it. Of one to come: what it will be if nothing is paid until then.
    """

    due: date
    usd: Cents


@dataclass(frozen=True, slots=True)
class InterestDue:
    """A facility's interest as due in cash on `today`, its day where it accrues.

    `next` falls due today or later. `overdue` was due before today; the oldest comes first.
    """

    today: date
    next: Payment | None
    overdue: tuple[Payment, ...]

    @property
    def overdue_usd(self) -> Cents:
        """All that is overdue, in cents."""
        return sum(one.usd for one in self.overdue)

    @property
    def overdue_since(self) -> date | None:
        return self.overdue[0].due if self.overdue else None

    @property
    def days_late(self) -> int:
        """Days since the oldest was due; 0 where nothing is overdue."""
        return (self.today - self.overdue[0].due).days if self.overdue else 0


def interest_due(ledger: Ledger, facility: Facility, at: datetime) -> InterestDue:
    """What is due of `facility` as known at `at`, from the treasury's `opened` on."""
    today = begun_day(at, facility.zone)
    overdue: list[Payment] = []
    for one in payments(ledger, facility, at):
        if one.due >= today:
            return InterestDue(today, one, tuple(overdue))
        overdue.append(one)
    return InterestDue(today, None, tuple(overdue))


def payments(ledger: Ledger, facility: Facility, at: datetime) -> Iterator[Payment]:
    """Every payment of interest that is due and not made by `at`, then those of the year ahead, in order."""
    if not any(version.terms.interest is InterestMode.PAID for version in facility.versions):
        return
    today, sum_before = begun_day(at, facility.zone), 0
    for first, owed in [*_unpaid(ledger, facility, at)][::-1]:
        if owed > sum_before:
            yield Payment(first, owed - sum_before)
        sum_before = owed
    for first in takewhile(lambda day: day <= today + FAR, _firsts_after(today)):
        terms = _terms_until(facility, first)
        if terms.matures is not None and today <= terms.matures < first:
            return  # what is still owed then is due with the principal
        if terms.interest is InterestMode.CAPITALISED:
            sum_before = 0
        if terms.interest is not InterestMode.PAID:
            continue
        owed = _owed(ledger, facility, first, at)
        if owed > sum_before:
            yield Payment(first, owed - sum_before)
        sum_before = owed


def _unpaid(ledger: Ledger, facility: Facility, at: datetime) -> Iterator[tuple[date, Cents]]:
    """Of each first up to `at` of which something is not paid, the newest first: the sum of all that is due by it.

    It ends where all is paid, and where what was not became principal.
    """
    opened = begun_day(ledger.treasury.opened, facility.zone)
    for first in takewhile(lambda day: day >= opened, _firsts_back(begun_day(at, facility.zone))):
        mode = _terms_until(facility, first).interest
        if mode is InterestMode.CAPITALISED:
            return
        if mode is not InterestMode.PAID:
            continue
        owed = _owed(ledger, facility, first, at)
        if not owed:
            return
        yield first, owed


def _owed(ledger: Ledger, facility: Facility, first: date, at: datetime) -> Cents:
    """The interest owed on `first`, less what is paid from then to `at`: all of it due by then. Never under 0."""
    begins = midnight(first, facility.zone)
    known = min(at, begins)
    owed = ledger.debt_at(facility.id, begins, known).accrued
    return max(half_up(owed - ledger.interest_paid(facility.id, known, at)), 0)


def _terms_until(facility: Facility, first: date) -> Terms:
    """The terms by which that midnight still goes: an amendment comes after it."""
    return facility.terms_at(midnight(first, facility.zone) - _TICK)


def _firsts_after(day: date) -> Iterator[date]:
    """Every first of a month after `day`."""
    year, month = day.year, day.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        yield date(year, month, 1)


def _firsts_back(day: date) -> Iterator[date]:
    """Every first of a month from `day` back, the latest first."""
    first = day.replace(day=1)
    while True:
        yield first
        first = (first - timedelta(days=1)).replace(day=1)
