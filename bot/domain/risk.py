"""How near the next lines are: how often the price has fallen that far in so long, and what a model says of it.

Neither is a forecast. What is counted is exact; the model (contract §3, *touch probability*) and its volatility are
floats, and nothing is tested on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

from bot.domain.book import Book
from bot.domain.calls import deadline
from bot.domain.covenant import Exposure, Reading, TierReading
from bot.domain.money import Price
from bot.domain.price_history import HOURS_A_YEAR, ONE_HOUR, PriceHistory, Windows
from bot.domain.terms import Tier

CURE = "cure"
DAY, WEEK, MONTH = 24, 7 * 24, 30 * 24
_FAR = 25.0


@dataclass(frozen=True, slots=True)
class WindowRisk:
    """One line within one window: in how many of so many past windows the price `fell` that far; the model's chance.

    `hours` is None for the cure window of a line without one, and then so is everything; `of` 0: the history is
    shorter than the window, `fell` then None. Without a price `fell` and `model` are None.
    """

    name: str
    hours: int | None
    fell: int | None = None
    of: int | None = None
    model: float | None = None


@dataclass(frozen=True, slots=True)
class LineRisk:
    """A line ahead, with its windows: a day, the cure window, a week, a month."""

    tier: TierReading
    windows: tuple[WindowRisk, ...]


@dataclass(frozen=True, slots=True)
class ExposureRisk:
    """One facility or group, with its lines that are not reached, from mild to fatal."""

    reading: Reading
    lines: tuple[LineRisk, ...]


@dataclass(frozen=True)
class Risk:
    """The lines ahead at the price of `book`, held against `history`. `volatility` a year: 0.6 is 60 %."""

    book: Book
    history: PriceHistory
    volatility: float | None
    exposures: tuple[ExposureRisk, ...]


def risk(book: Book, history: PriceHistory, exposures: Sequence[Exposure]) -> Risk:
    """Every line ahead of `exposures`, against `history` up to the Book's instant."""
    volatility = history.volatility(book.at)
    kept: dict[int, Windows] = {}

    def within(name: str, hours: int | None, tier: TierReading) -> WindowRisk:
        if hours is None:
            return WindowRisk(name, None)
        if hours not in kept:
            kept[hours] = history.windows(hours)
        windows, price = kept[hours], book.price.usable
        if tier.headroom is None or tier.price is None or price is None:
            return WindowRisk(name, hours, of=len(windows))
        fell = windows.fell(tier.headroom) if windows else None
        model = None if volatility is None else touch_probability(price, tier.price, hours / HOURS_A_YEAR, volatility)
        return WindowRisk(name, hours, fell, len(windows), model)

    def line(tier: TierReading) -> LineRisk:
        cure = cure_hours(book, tier.tier)
        spans = (("24 h", DAY), (CURE, cure), ("7 d", WEEK), ("30 d", MONTH))
        return LineRisk(tier, tuple(within(name, hours, tier) for name, hours in spans))

    read = [book.read(exposure) for exposure in exposures]
    return Risk(book, history, volatility, tuple(ExposureRisk(one, tuple(map(line, ahead(one)))) for one in read))


def ahead(reading: Reading) -> list[TierReading]:
    """The lines not reached; where there is no price, all of them. None while nothing is owed: no price reaches one."""
    return [tier for tier in reading.tiers if not tier.reached and tier.price] if reading.exposure.tested else []


def cure_hours(book: Book, tier: Tier) -> int | None:
    """Hours that there would be for a cure if a notice came now, rounded up, at least one; None without a window."""
    due = deadline(tier, book.at, book.treasury.calendars, book.treasury.zone)
    return None if due is None else max(-((book.at - due) // ONE_HOUR), 1)


def touch_probability(price: Price, line: Price, years: float, volatility: float) -> float:
    """The chance that a driftless log-normal price falls from `price` to `line` within `years` of 365 days.

    N((b − ντ)/(σ√τ)) + e^(2νb/σ²)·N((b + ντ)/(σ√τ)) with b = ln(line/price), ν = −σ²/2. The second term is a tiny
    number times a huge one: written as e^(−d²/2) times a scaled erfc, neither overflows nor loses the other.
    """
    if line >= price:
        return 1.0
    spread = volatility * sqrt(years)
    if line <= 0 or spread <= 0:
        return 0.0
    down = log(line) - log(price)
    near, far = down / spread + spread / 2, down / spread - spread / 2
    return min(erfc(-near / sqrt(2)) / 2 + exp(-near * near / 2) * _scaled_erfc(-far / sqrt(2)) / 2, 1.0)


def _scaled_erfc(x: float) -> float:
    """e^(x²)·erfc(x) for x ≥ 0; far out, where erfc vanishes, by its asymptotic series."""
    if x < _FAR:
        return exp(x * x) * erfc(x)
    square = 2 * x * x
    return (1 - 1 / square + 3 / square / square) / (x * sqrt(pi))
