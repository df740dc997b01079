"""The whole 15-minute price file over ten facilities, against a loop that only compares each price with one line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bot.domain.alerts import AlertPolicy
from bot.domain.money import Price
from bot.domain.replay import replay
from bot.prices.files import read_prices
from tests.benchmarks.treasuries import OPENED, large_treasury

PRICES = Path(__file__).parents[2].parent / "shared" / "data" / "btcusd_15m.csv.gz"


def run() -> Iterator[str]:
    began = time.perf_counter()
    prices = read_prices(PRICES) if PRICES.exists() else _made_up()
    read = time.perf_counter() - began
    began = time.perf_counter()
    below = sum(1 for _, price in prices if price <= 50_000_00)
    bare = time.perf_counter() - began
    began = time.perf_counter()
    said = sum(1 for _ in replay(large_treasury(), prices, None, None, AlertPolicy()))
    taken = time.perf_counter() - began
    which = PRICES.name if PRICES.exists() else "made-up prices"
    yield (
        f"replay of {which}, {len(prices):,} prices × 10 facilities: {taken:.2f} s ({said} transitions; reading the "
        f"file {read:.2f} s); bare loop over the prices {bare * 1e3:.1f} ms ({below} below); ratio {taken / bare:.0f}"
    )


def _made_up() -> list[tuple[object, Price]]:  # type: ignore[type-arg]
    step = timedelta(minutes=3, seconds=45)
    return [(OPENED + step * n, 60_000_00 + (n * 7919) % 2_000_000) for n in range(287_780)]
