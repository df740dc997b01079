"""The lines ahead of ten facilities against two years of prices by the hour, against a loop that only looks at each."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from bot.domain.book import Book, Register
from bot.domain.price import PriceView
from bot.domain.price_history import PriceHistory
from bot.domain.risk import risk
from tests.benchmarks.bots import PRICE
from tests.benchmarks.measure import line, timed
from tests.benchmarks.treasuries import DAYS, OPENED, large_treasury

TIMES = 20


def run() -> Iterator[str]:
    end = OPENED + timedelta(days=DAYS)
    history = PriceHistory.of(_walk(DAYS * 24))
    book = Book(Register.of(large_treasury()), end, PriceView.scenario(PRICE))
    lines = sum(len(one.lines) for one in risk(book, history, book.exposures).exposures)
    taken = timed(lambda: risk(book, history, book.exposures), TIMES)
    looked = timed(lambda: sum(b.low <= a.first for a, b in pairwise(history.hours)), TIMES)
    yield line(
        f"risk: {lines} lines, {len(history.hours):,} hours of prices", taken, looked, "bare loop over the hours"
    )


def _walk(hours: int) -> list[tuple[datetime, int]]:
    rng, level, begins = random.Random(1), math.log(PRICE), OPENED  # noqa: S311
    made = []
    for hour in range(hours):
        made.append((begins + timedelta(hours=hour), round(math.exp(level))))
        level += rng.gauss(0, 0.6 / math.sqrt(8_760))
    return made
