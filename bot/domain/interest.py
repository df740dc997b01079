"""What one loan costs: a day of interest at each local midnight, exact to the fraction of a cent.

A loan's whole life happens on local days: accrual, capitalisation, amendments and a later draw all fall on a
midnight, in this order: the midnight's accrual and then, on the first of a month, its capitalisation, both by the
terms until then; the amendment; the draw; and only then the movements of that instant. So between two movements
nothing needs the clock, and a span with constant terms is one multiplication instead of a loop over its days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.domain.money import Cents, half_up
from bot.domain.periods import ONE_DAY, local_day, midnight
from bot.domain.terms import DayCount, Facility, InterestMode, Terms


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed at one instant, in cents; `accrued` is the exact sum since the last capitalisation."""

    principal: Cents
    accrued: Fraction

    @property
    def interest(self) -> Cents:
        """The interest owed, rounded half-up to the cent; never under 0.

        Who pays 11 cents where 10½ are owed leaves −½: that is nothing owed, not a cent in his favour.
        """
        return max(half_up(self.accrued), 0)

    @property
    def total(self) -> Cents:
        """Principal and interest."""
        return self.principal + self.interest


@dataclass(frozen=True, slots=True)
class Standing:
    """What is owed after everything that has happened once `day` had begun, up to the movement last booked."""

    day: date
    debt: Debt


@dataclass(frozen=True, slots=True)
class _Span:
    """Terms constant over the accruals of the days in (since, until]; `draw` joins the principal after the last."""

    since: date
    until: date
    terms: Terms
    draw: Cents


class Loan:
    """One facility's interest from the treasury's `opened` on."""

    def __init__(self, facility: Facility, opened: datetime) -> None:
        self.facility = facility
        first = begun_day(opened, facility.zone)
        self._drawn_later = facility.drawn > first
        self._spans = tuple(self._cut())
        # A loan drawn later owes nothing before, so it has accrued nothing either.
        owed = Debt(0, Fraction(0)) if self._drawn_later else Debt(facility.principal, Fraction(facility.accrued))
        self.opening = Standing(first, owed)

    def _cut(self) -> Iterator[_Span]:
        facility = self.facility
        days = {version.effective for version in facility.versions if version.effective}
        if self._drawn_later:
            days.add(facility.drawn)
        edges = [date.min, *sorted(days - {date.min}), date.max]
        for since, until in pairwise(edges):
            terms = next(v.terms for v in reversed(facility.versions) if v.effective is None or v.effective <= since)
            draw = facility.principal if self._drawn_later and until == facility.drawn else 0
            yield _Span(since, until, terms, draw)

    def roll(self, standing: Standing, until: date) -> Standing:
        """`standing` once `until` has begun: every accrual, capitalisation, amendment and draw until then, no movement.

        Unchanged where `until` is not after the standing's own day.
        """
        if until <= standing.day:
            return standing
        day, principal, accrued = standing.day, standing.debt.principal, standing.debt.accrued
        for span in self._spans:
            if span.until <= day:
                continue
            if span.since >= until:
                break
            stop = min(span.until, until)
            principal, accrued = _accrue(principal, accrued, day, stop, span.terms)
            if stop == span.until:
                principal += span.draw
            day = stop
        return Standing(until, Debt(principal, accrued))


def begun_day(instant: datetime, zone: ZoneInfo) -> date:
    """The last day whose midnight in `zone` is at or before `instant`.

    The calendar day of `instant`, but where clocks jump across midnight: St. John's went back from 00:01 to 23:01,
    and the day that had begun (and accrued) doesn't begin again.
    """
    day = local_day(instant, zone)
    if midnight(day + ONE_DAY, zone) <= instant:
        return day + ONE_DAY
    return day if midnight(day, zone) <= instant else day - ONE_DAY


def _accrue(principal: Cents, accrued: Fraction, since: date, until: date, terms: Terms) -> tuple[Cents, Fraction]:
    """Principal and interest after the midnights of (since, until] at `terms`, capitalising where they say so.

    In integers over one denominator: a loan without movements is rolled over many months each time it is asked
    about, and Fraction's gcd at every month's end took six times as long.
    """
    number = _day_number(terms.day_count)
    per_day = terms.rate.numerator
    scale = terms.rate.denominator * _days_in_year(terms.day_count)
    above, below = accrued.numerator * scale, accrued.denominator
    begins = number(since)
    if terms.interest is InterestMode.CAPITALISED:
        for first in _firsts(since, until):
            ends = number(first)
            above += principal * per_day * (ends - begins) * below
            whole = below * scale
            principal += max((2 * above + whole) // (2 * whole), 0)
            above, below, begins = 0, 1, ends
    above += principal * per_day * (number(until) - begins) * below
    return principal, Fraction(above, below * scale)


def _firsts(since: date, until: date) -> Iterator[date]:
    """The first days of months in (since, until]."""
    year, month = since.year, since.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if (year, month, 1) > (until.year, until.month, until.day):
            return
        yield date(year, month, 1)


def _day_number(day_count: DayCount) -> Callable[[date], int]:
    return _thirty_360 if day_count is DayCount.THIRTY_360 else date.toordinal


def _thirty_360(day: date) -> int:
    """30E: every month has 30 days and the 31st is the 30th; the days between two dates are a difference of these."""
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def _days_in_year(day_count: DayCount) -> int:
    return 365 if day_count is DayCount.ACT_365 else 360
