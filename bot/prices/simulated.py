"""The four default venues, simulated behind an httpx transport, for `plimsoll demo`: their shapes, a price of ours.

The real feed and the real parsers run against it. Times are the clock's, and volumes grow with every answer, so that
nothing looks frozen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.domain.money import Price, half_up, usd_plain
from bot.prices import bitstamp, coinbase, gemini, kraken
from bot.prices.source import Clock, Source

_BASIS_POINTS = {"coinbase": 0, "kraken": 2, "bitstamp": -1, "gemini": 3}
"""How far each venue is off, chosen so that the lower median is the price asked for, to the cent."""


class SimulatedVenues(httpx.BaseTransport):
    """Answers as Coinbase, Kraken, Bitstamp and Gemini would at `price_at(now)` cents per BTC; anything else is 404."""

    def __init__(self, price_at: Callable[[datetime], Price], clock: Clock) -> None:
        self._price_at = price_at
        self._clock = clock
        self._answers = itertools.count(1)  # next() is atomic: the feed asks from several threads
        self._venues = {
            _address(source): (source.name, body)
            for source, body in (
                (coinbase.SOURCE, _coinbase),
                (kraken.SOURCE, _kraken),
                (bitstamp.SOURCE, _bitstamp),
                (gemini.SOURCE, _gemini),
            )
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One venue's answer at the clock's now."""
        name, body = self._venues.get((request.url.host, request.url.path), ("", None))
        if body is None:
            return httpx.Response(404, json={"message": "NotFound"}, request=request)
        now = self._clock.now().astimezone(UTC)
        price = half_up(Fraction(self._price_at(now) * (10_000 + _BASIS_POINTS[name]), 10_000))
        volume = f"{1_000 + next(self._answers) / 100:.2f}"
        return httpx.Response(200, json=body(usd_plain(price), volume, now), request=request)


def _address(source: Source) -> tuple[str, str]:
    url = urlsplit(source.base_url + source.path)
    return url.netloc, url.path


def _coinbase(price: str, volume: str, now: datetime) -> dict[str, Any]:
    return {
        "ask": price,
        "bid": price,
        "volume": volume,
        "trade_id": 1_089_753_385,
        "price": price,
        "size": "0.00023846",
        "time": f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z",
    }


def _kraken(price: str, volume: str, now: datetime) -> dict[str, Any]:
    last = f"{price}000"
    ticker = {
        "a": [last, "1", "1.000"],
        "b": [last, "1", "1.000"],
        "c": [last, "0.00802897"],
        "v": [volume, volume],
        "p": [last, last],
        "t": [now.hour * 3_600 + now.minute * 60 + now.second, 86_400],
        "l": [last, last],
        "h": [last, last],
        "o": last,
    }
    return {"error": [], "result": {"XXBTZUSD": ticker}}


def _bitstamp(price: str, volume: str, now: datetime) -> dict[str, Any]:
    return {
        "timestamp": str(int(now.timestamp())),
        "open": price,
        "high": price,
        "low": price,
        "last": price,
        "volume": volume,
        "vwap": price,
        "bid": price,
        "ask": price,
        "side": "0",
        "market_type": "SPOT",
    }


def _gemini(price: str, volume: str, now: datetime) -> dict[str, Any]:
    five_minutes = int(now.timestamp()) // 300 * 300
    return {
        "bid": price,
        "ask": price,
        "volume": {"BTC": volume, "USD": volume, "timestamp": five_minutes * 1_000},
        "last": price,
    }
