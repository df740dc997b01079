"""How things went: each loan's LTV over some weeks against its lines, and the coins of each month. For pictures.

Ratios stay exact here; who draws makes floats of them, and nothing is tested on those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.book import Book, Register
from bot.domain.covenant import Reading
from bot.domain.money import Price, Sats, percent_plain, show_btc, show_percent
from bot.domain.periods import ONE_DAY, local_day, midnight
from bot.domain.price import PriceState, PriceView
from bot.domain.production_words import month_name
from bot.domain.report import month_report, months_until, this_month
from bot.domain.treasury import Treasury

WEEKS, MONTHS = 12, 12
MOST_POINTS = 600
"""More than a picture has room for."""
LAST_KNOWN_FOR = timedelta(hours=2)
"""A price of so long ago still stands for its time in a picture: of old ticks one an hour is kept."""


@dataclass(frozen=True)
class LtvHistory:
    """One facility or group. At each of `instants` its lender's LTV, also as it is printed, and the LTV of each line,
    by name; None unknown."""

    title: str
    instants: tuple[datetime, ...]
    ltvs: tuple[Fraction | None, ...]
    printed: tuple[str | None, ...]
    lines: Mapping[str, tuple[Fraction | None, ...]]

    @property
    def known(self) -> list[tuple[Fraction, str]]:
        """What is known, oldest first: LTVs, and as they are printed."""
        both = zip(self.ltvs, self.printed, strict=True)
        return [(ltv, said) for ltv, said in both if ltv is not None and said is not None]

    def words(self) -> str:
        """What the picture shows, for who cannot see it."""
        if not self.known:
            return f"{self.title}: LTV unknown."
        top = max(self.known, key=lambda one: one[0])
        first, last, most = (show_percent(said) for _, said in (self.known[0], self.known[-1], top))
        lines = [f"{name} {_percent(line)}" for name, line in self.lines_now()]
        said = f"; lines: {', '.join(lines)}" if lines else ""
        return f"{self.title}: LTV from {first} to {last}, {most} at most{said}."

    def lines_now(self) -> list[tuple[str, Fraction]]:
        """The lines as they are at the last instant, from mild to fatal."""
        now = [(name, ltvs[-1]) for name, ltvs in self.lines.items()]
        return [(name, ltv) for name, ltv in now if ltv is not None]


@dataclass(frozen=True, slots=True)
class MonthCoins:
    """Coins mined and sold in one month, in satoshis; `is_over` is false for the one under way."""

    month: str
    mined: Sats
    sold: Sats
    is_over: bool

    def words(self) -> str:
        so_far = "" if self.is_over else " so far"
        return f"{month_name(self.month)}{so_far}: mined {show_btc(self.mined)}, sold {show_btc(self.sold)} BTC."


def sampled(treasury: Treasury, at: datetime, weeks: int = WEEKS) -> list[datetime]:
    """The midnights of the last weeks since the treasury opened, in its zone, and `at` itself."""
    first = max(at - timedelta(weeks=weeks), treasury.opened)
    day, instants = local_day(first, treasury.zone), []
    while (instant := midnight(day, treasury.zone)) < at:
        if instant >= first:
            instants.append(instant)
        day += ONE_DAY
    return [*instants, at]


def as_known(view: PriceView) -> PriceView:
    """The price that a picture shows for an instant: the last accepted one, unless it was too old by then."""
    if view.last is None or view.age is None or view.age > LAST_KNOWN_FOR:
        return PriceView(PriceState.NONE)
    return PriceView(PriceState.FRESH, view.last, view.as_of, references=view.references)


def at_prices(register: Register, prices: Iterable[tuple[datetime, Price]]) -> list[Book]:
    """A Book at each instant, by the price (cents per BTC) that stands then."""
    return [Book(register, at, PriceView(PriceState.FRESH, price, as_of=at)) for at, price in prices]


def thinned(prices: Sequence[tuple[datetime, Price]], most: int = MOST_POINTS) -> list[tuple[datetime, Price]]:
    """About `most` of the prices: of each stretch of equal length the lowest, and the last of all."""
    each = max(len(prices) // most, 1)
    stretches = (prices[start : start + each] for start in range(0, len(prices), each))
    kept = [min(stretch, key=lambda one: one[1]) for stretch in stretches]
    return kept if kept[-1:] == list(prices[-1:]) else [*kept, *prices[-1:]]


def ltv_histories(books: Sequence[Book]) -> list[LtvHistory]:
    """Every facility and group with lines, as it is in the last of `books`, over all of them; the worst last LTV
    against its first line comes first."""
    read = [{exposure.key: book.read(exposure) for exposure in book.exposures} for book in books]
    made = []
    for exposure in books[-1].exposures if books else ():
        readings = [readings.get(exposure.key) for readings in read]
        last = readings[-1]
        if exposure.bounds and last is not None:
            made.append((_closeness(last), _history(exposure.title, books, readings)))
    return [history for _, history in sorted(made, key=lambda one: -one[0])]


def month_coins(book: Book, count: int = MONTHS) -> list[MonthCoins]:
    """The last months up to the one under way, oldest first."""
    reports = [month_report(book, month) for month in months_until(book, this_month(book))]
    told = [one for one in reports if one.month.is_whole or one.mined or one.sold]
    return [MonthCoins(one.month.month, one.mined, one.sold, one.has_ended) for one in told[-count:]]


def _history(title: str, books: Sequence[Book], readings: Sequence[Reading | None]) -> LtvHistory:
    names = dict.fromkeys(tier.name for reading in readings if reading for tier in reading.tiers)
    return LtvHistory(
        title=title,
        instants=tuple(book.at for book in books),
        ltvs=tuple(reading.lenders if reading else None for reading in readings),
        printed=tuple(reading.show(reading.lenders) if reading else None for reading in readings),
        lines={name: tuple(_line(reading, name) for reading in readings) for name in names},
    )


def _line(reading: Reading | None, name: str) -> Fraction | None:
    tiers = reading.tiers if reading else ()
    return next((tier.bound.line for tier in tiers if tier.name == name), None)


def _closeness(reading: Reading) -> Fraction:
    """How much of the way to the first line is gone."""
    lines = [tier.bound.line for tier in reading.tiers if tier.bound.line is not None]
    return reading.lenders / min(lines) if reading.lenders is not None and lines else Fraction(0)


def _percent(ltv: Fraction) -> str:
    return show_percent(percent_plain(ltv))
