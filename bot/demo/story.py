"""The demo's story: published bitcoin prices of October 2025 to February 2026, and a clock that jumps between them."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sin

from bot.domain.money import Price, parse_usd

NOTICE = """
[[call]]
facility = "antalpha"
tier = "margin call"
at = 2026-02-07T07:15:00Z
price = "67293.26"
ref = "notice 1 (simulated)"
"""
MET = "met = 2026-02-08T20:00:00Z\n"


@dataclass(frozen=True, slots=True)
class Waypoint:
    """The market at one instant: `price` in cents per BTC. The story stays there for `stay` seconds of real time.

    `recorded` is what the treasurer adds to the treasury file then.
    """

    at: datetime
    price: Price
    stay: float
    recorded: str = ""


def _on(instant: str, dollars: str, stay: float, recorded: str = "") -> Waypoint:
    return Waypoint(datetime.fromisoformat(instant), parse_usd(dollars), stay, recorded)


# Prices: Coinbase BTC/USD, 15-minute candles. Only the notice and its end are made up, and say so.
STORY: tuple[Waypoint, ...] = (
    _on("2025-10-06T18:45:00Z", "126296.00", 3),  # the all-time high
    _on("2025-10-10T21:15:00Z", "107000.00", 3),  # the low of 10 October
    _on("2025-11-18T03:00:00Z", "90128.08", 5),  # the first early warning
    _on("2025-11-19T20:00:00Z", "88483.12", 4),
    _on("2025-11-21T12:15:00Z", "80524.65", 4),  # the low of November
    _on("2025-12-03T12:00:00Z", "92824.47", 3),  # recovered, and November's coins are pledged
    _on("2026-01-14T12:00:00Z", "94634.00", 3),
    _on("2026-01-31T18:30:00Z", "75644.15", 4),  # an early warning again
    _on("2026-02-05T15:15:00Z", "66611.03", 5),  # the call line
    _on("2026-02-06T00:00:00Z", "60001.00", 4),  # the low of February
    _on("2026-02-07T07:15:00Z", "67293.26", 120, NOTICE),  # the lender calls (simulated); time to try things
    _on("2026-02-08T07:15:00Z", "69334.01", 20),  # half of the cure window is gone
    _on("2026-02-08T18:00:00Z", "70674.78", 20),  # 4,451 BTC are sold and the loan is repaid
    _on("2026-02-08T20:00:00Z", "70674.78", 10, NOTICE + MET),  # the lender is satisfied (simulated)
    _on("2026-02-09T14:00:00Z", "68526.00", 0),
)


class StoryClock:
    """The bot's clock: real speed, from one waypoint, until `jump` takes it to the next."""

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._base, self._since = start, time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            return self._base + timedelta(seconds=time.monotonic() - self._since)

    def jump(self, to: datetime) -> None:
        """Goes to `to`; never back."""
        with self._lock:
            present = self._base + timedelta(seconds=time.monotonic() - self._since)
            self._base, self._since = max(to, present), time.monotonic()


def price_at(now: datetime) -> Price:
    """The simulated price, cents per BTC: the last waypoint's own, breathing by up to three dollars."""
    here = STORY[max(bisect_right([waypoint.at for waypoint in STORY], now) - 1, 0)]
    return here.price + round(300 * abs(sin((now - here.at).total_seconds() / 7)))
