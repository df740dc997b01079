"""How the price has moved so far: its hours, the lowest price within a window, realised volatility.

What is counted is exact: prices are whole cents and a fall is a ratio. Volatility is a statistic, and a float: it feeds
a model that is labelled one, and no ledger or tier test.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import fsum, log, sqrt

from bot.domain.money import Price

ONE_HOUR = timedelta(hours=1)
HOURS_A_YEAR = 365 * 24
LONGEST_GAP = 48
"""Hours without a price that a window or a step may span: a file of one price a day is a history too."""
VOLATILITY_OVER, VOLATILITY_NEEDS = 30 * 24, 10 * 24
"""Hours that the volatility is taken over, and how many of them must be known."""


@dataclass(frozen=True, slots=True)
class PriceHour:
    """The prices of one UTC hour, `number` since 1970: its first and its lowest, cents per BTC."""

    number: int
    first: Price
    low: Price


class Windows:
    """Windows of one length, each by its first and its lowest price, kept by how far it fell: many lines are asked of.

    How far is a quotient of integers and so rounded to the nearest float, which keeps the order: only where two are the
    same float must the integers tell.
    """

    def __init__(self, windows: Iterable[tuple[Price, Price]]) -> None:
        self._windows = sorted((low / first, low, first) for first, low in windows)
        self._kept = [kept for kept, _, _ in self._windows]

    def __len__(self) -> int:
        return len(self._windows)

    def fell(self, headroom: Fraction) -> int:
        """In how many the price fell by at least `headroom` (0.2 is 20 %), exactly."""
        left = 1 - headroom
        above, below = left.numerator, left.denominator
        surely, perhaps = bisect_left(self._kept, above / below), bisect_right(self._kept, above / below)
        return surely + sum(low * below <= first * above for _, low, first in self._windows[surely:perhaps])


@dataclass(frozen=True)
class PriceHistory:
    """Accepted prices from `begins` to `ends`, `points` of them, as their hours in order; hours without one are left
    out.

    Old ticks are one an hour, new ones one a poll: by the hour both weigh the same.
    """

    hours: tuple[PriceHour, ...] = ()
    points: int = 0
    begins: datetime | None = None
    ends: datetime | None = None

    @classmethod
    def of(cls, prices: Sequence[tuple[datetime, Price]]) -> PriceHistory:
        """The history of `prices` (instants, cents per BTC), which are in order of time."""
        if not prices:
            return cls()
        return cls(tuple(_by_hour(prices)), len(prices), prices[0][0], prices[-1][0])

    @cached_property
    def stretches(self) -> tuple[tuple[PriceHour, ...], ...]:
        """The hours, cut where there is no price for longer than `LONGEST_GAP`."""
        cuts = [i + 1 for i, (a, b) in enumerate(pairwise(self.hours)) if b.number - a.number > LONGEST_GAP]
        edges = [0, *cuts, len(self.hours)]
        return tuple(self.hours[begin:end] for begin, end in pairwise(edges) if begin < end)

    def windows(self, hours: int) -> Windows:
        """Every window of that many hours that begins with an hour's first price and lies inside the history.

        It ends with the first price that many hours later. Windows overlap; none spans a gap of over `LONGEST_GAP`.
        """
        return Windows(window for stretch in self.stretches for window in _windows(stretch, hours))

    def volatility(self, at: datetime) -> float | None:
        """Realised volatility of the 30 days before `at`, a year: 0.6 is 60 %. None where under 10 of them are known.

        √(Σ ln² of the steps between the hours' first prices ÷ Σ of their lengths), a year being 365 days: without a
        drift, as the model that uses it. What moved in a gap of up to `LONGEST_GAP` is one long step; a longer gap
        is left out, and its time with it.
        """
        until = hour_of(at)
        steps = [
            (before, after)
            for stretch in self.stretches
            for before, after in pairwise(stretch)
            if until - VOLATILITY_OVER <= before.number and after.number <= until
        ]
        known = sum(after.number - before.number for before, after in steps)
        if known < VOLATILITY_NEEDS:
            return None
        return sqrt(fsum(log(after.first / before.first) ** 2 for before, after in steps) * HOURS_A_YEAR / known)


def hour_of(instant: datetime) -> int:
    """The hour of `instant`, counted from 1970 in UTC."""
    return int(instant.timestamp() // 3600)


def _by_hour(prices: Sequence[tuple[datetime, Price]]) -> Iterator[PriceHour]:
    number, first, low = hour_of(prices[0][0]), prices[0][1], prices[0][1]
    for at, price in prices:
        hour = hour_of(at)
        if hour > number:
            yield PriceHour(number, first, low)
            number, first, low = hour, price, price
        low = min(low, price)
    yield PriceHour(number, first, low)


def _windows(stretch: Sequence[PriceHour], hours: int) -> Iterator[tuple[Price, Price]]:
    """The windows of a stretch, in one pass: `lowest` are the hours of the window that no later one of it undercuts."""
    lowest: deque[PriceHour] = deque()
    ahead = 0
    for begin in stretch:
        end = begin.number + hours
        if end > stretch[-1].number:
            return
        while stretch[ahead].number < end:
            while lowest and lowest[-1].low >= stretch[ahead].low:
                lowest.pop()
            lowest.append(stretch[ahead])
            ahead += 1
        while lowest[0].number < begin.number:
            lowest.popleft()
        low, last = lowest[0].low, stretch[ahead]
        yield begin.first, min(low, last.first) if last.number == end else low
