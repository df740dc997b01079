"""What people ask of recommended sales: at a price or a fall, or dollars by a day; refused where it makes no sense."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.money import Cents
from bot.domain.periods import local_day
from bot.domain.raising import Raising, raising
from bot.domain.sales import Answer, plan_cover
from bot.domain.sales import Scenario as PlanScenario
from bot.services.books import NoPriceLeftError, Scenario
from bot.services.errors import UsageError

AHEAD_AT_MOST = timedelta(days=2 * 366)
"""What is to be raised later than that is no plan of sales by the day."""


def recommended(book: Book, scenario: Scenario | None = None) -> Answer:
    """The recommended sale at `scenario`, else at the policy's withstand_drop off the Book's own price.

    NoPriceLeftError where a fall leaves none.
    """
    return plan_cover(book, _asked(book, scenario, book.treasury.policy.withstand_drop) or PlanScenario())


def to_raise(book: Book, usd: Cents, by: date, scenario: Scenario | None = None) -> Raising:
    """How `usd` is raised by `by`, selling at `scenario`, else at the Book's own price.

    UsageError: a day that is over or too far ahead. NoPriceLeftError where a fall leaves no price.
    """
    today = local_day(book.at, book.treasury.zone)
    if by < today:
        raise UsageError(f"{by} is over: name a day from {today} on.")
    if by > today + AHEAD_AT_MOST:
        raise UsageError(f"{by} is too far ahead: name a day up to {today + AHEAD_AT_MOST}.")
    return raising(book, usd, by, _asked(book, scenario, None))


def _asked(book: Book, scenario: Scenario | None, withstand: Fraction | None) -> PlanScenario | None:
    asked = PlanScenario(scenario.price, scenario.drop) if scenario is not None else None
    if (asked or PlanScenario()).view(book.price, withstand).usable == 0:
        raise NoPriceLeftError("That fall leaves less than a cent, which is no price: ask about a smaller one.")
    return asked
