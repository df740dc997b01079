"""The recommended sale of 5 and of 100 loans at their call lines, against HiGHS on the same linear programme."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain.book import Book, Register
from bot.domain.price import PriceView
from bot.domain.sales import Name, alternative
from bot.domain.sales.situation import needs_of
from bot.domain.terms import Consent, DayCount, Facility, InterestMode, Terms, TermsVersion, Tier, TierKind
from bot.domain.treasury import Account, Policy, Treasury
from tests.benchmarks.measure import line, timed

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC)
PRICE = 55_000_00
TIMES = {5: 20, 100: 3}
"""100 loans with every kind of leg take about a second: a few are enough to see the ratio."""


def run() -> Iterator[str]:
    for count, times in TIMES.items():
        book = Book(Register.of(_treasury(count)), NOW, PriceView.scenario(PRICE))
        needs = tuple(needs_of(book, book.price))
        solved = timed(_highs(book), times, warm=1)
        best = timed(partial(alternative, book, book.price, needs, Name.RECOMMENDED), times, warm=1)
        yield line(f"sales: the recommended plan of {count} loans, carried out", best, solved, "HiGHS on the same LP")


def _treasury(count: int) -> Treasury:
    """Coins and cash for some of them, consent of all: a plan of every kind of leg."""
    zone = ZoneInfo("UTC")
    return Treasury(
        "T",
        zone,
        zone,
        NOW - timedelta(days=7),
        policy=Policy(fee_bps=10, slippage_bps=40),
        accounts=(Account("custody", 5 * count * 10**8, 200_000_00 * count),),
        facilities=tuple(_loan(n) for n in range(count)),
    )


def _loan(number: int) -> Facility:
    lines = (
        Tier(TierKind.CALL, "call", Fraction(75, 100), cure_to=Fraction(65, 100), window_hours=timedelta(hours=24)),
        Tier(TierKind.LIQUIDATION, "liquidation", Fraction(90, 100)),
    )
    terms = Terms(Fraction(0), DayCount.ACT_360, InterestMode.AT_CLOSE, lines, consent=Consent.DESK)
    return Facility(
        f"f{number}",
        f"Lender {number}",
        3_000_000_00 + number * 1_000_00,
        drawn=NOW.date() - timedelta(days=30),
        zone=ZoneInfo("UTC"),
        versions=(TermsVersion(None, terms),),
        collateral=70 * 10**8,
    )


def _highs(book: Book) -> Callable[[], object]:
    """The programme as scipy solves it, built anew each time as the plan is."""
    unit = str(Path(__file__).parents[1] / "unit")
    if unit not in sys.path:
        sys.path.insert(0, unit)
    from cover_oracle import Oracle

    names = [name for name, _, _ in Oracle(book, {}, {}).together()]
    at = dict.fromkeys(names, book.at)
    until = {name: Oracle(book, {}, {}).due(name) for name in names}
    return lambda: Oracle(book, until, at).optimum()
