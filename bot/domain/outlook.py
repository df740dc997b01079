"""What a treasury must pay in the time ahead, and what it may expect to mine until then; see `bot.domain.fund`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import takewhile
from math import floor

from bot.domain.book import Book
from bot.domain.fund import Funding, Means, fund
from bot.domain.interest_due import payments
from bot.domain.maturity import maturities
from bot.domain.money import Price
from bot.domain.periods import local_day
from bot.domain.production import month_production
from bot.domain.report import months_until, this_month
from bot.domain.terms import Facility
from bot.domain.treasury import Need

MONTHS = 3
"""Whole months whose mean is expected where there is no plan."""
AHEAD = timedelta(weeks=13)


@dataclass(frozen=True, slots=True)
class Expected:
    """Coins expected to be mined: `a_month`, in satoshis, by the plan or as the mean of `months` that are over."""

    a_month: Fraction
    months: tuple[str, ...] = ()

    def on(self, day: date) -> int:
        """Satoshis on `day`: its share of the month, so rounded that a month's days add up to it, rounded down."""
        first = day.replace(day=1)
        length = ((first + timedelta(days=31)).replace(day=1) - first).days
        return floor(self.a_month * day.day / length) - floor(self.a_month * (day.day - 1) / length)


def expected(book: Book) -> Expected:
    """The plan; without one the mean of the last whole months that are over, three at most; without those nothing."""
    planned = book.treasury.policy.plan_btc_per_month
    if planned is not None:
        return Expected(Fraction(planned))
    over = months_until(book, this_month(book))[:-1]
    rolled = [month_production(book.treasury, book.register.ledger, month, book.at) for month in over]
    whole = [month for month in rolled if month.is_whole][-MONTHS:]
    if not whole:
        return Expected(Fraction(0))
    mean = Fraction(sum(month.mined for month in whole), len(whole))
    return Expected(max(mean, Fraction(0)), tuple(month.month for month in whole))


def needs_ahead(book: Book, until: date) -> list[Need]:
    """What is to be paid from the Book's day to `until`: recorded needs, interest that is paid in cash, and loans that
    mature."""
    today = local_day(book.at, book.treasury.zone)
    found = [need for need in book.treasury.needs if today <= need.due <= until]
    for facility in book.treasury.facilities:
        dated = (replace(need, due=max(need.due, today)) for need in _lenders(book, facility))
        found += takewhile(lambda need: need.due <= until, dated)
    return sorted(found, key=lambda need: need.due)


def _lenders(book: Book, facility: Facility) -> Iterator[Need]:
    """What falls due in cash, if what fell due before is paid by then, and what is overdue, in order of days.

    At its maturity all that is left is due, with what interest has come since where that day is over.
    """
    ledger, title = book.register.ledger, book.snapshot.title(facility)
    ends = next(maturities(ledger, facility, book.at), None)
    last = ends.day if ends is not None else date.max
    paid = 0
    for one in takewhile(lambda one: one.due <= last, payments(ledger, facility, book.at)):
        paid += one.usd
        yield Need(one.due, one.usd, f"interest of {title}")
    if ends is not None and ends.usd > paid:
        yield Need(last, ends.usd - paid, f"{title}'s maturity")


def funding(book: Book, price: Price, until: date, more: Sequence[Need] = ()) -> Funding:
    """How needs are met from the Book's own cash and coins, and those expected, selling at `price` (cents per BTC).

    `more` are needs besides those of `needs_ahead`.
    """
    ahead = [*needs_ahead(book, until), *more]
    return fund(means(book), ahead, book.treasury.policy, price)


def means(book: Book) -> Means:
    """What a Book has for its needs: cash, free coins, and what it may expect to mine."""
    return Means(local_day(book.at, book.treasury.zone), book.cash, book.coins.free, expected(book).on)


def horizon(book: Book, more: Sequence[Need] = ()) -> date:
    """The last day that is looked at: that of the last need, and a quarter ahead at least."""
    today = local_day(book.at, book.treasury.zone)
    return max([today + AHEAD, *(need.due for need in (*book.treasury.needs, *more))])
