"""Coinbase Exchange: the last trade of BTC-USD, with its own time to the nanosecond."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Reason, Source, SourceError, as_price, iso_instant, read_object, volume_text


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"price": "79540.05", "time": "2026-09-07T07:26:13.721780188Z", "volume": …}`; trouble is `{"message": …}`."""
    ticker = read_object(body)
    if "message" in ticker:
        raise SourceError(Reason.VENUE_ERROR)
    return Quote(
        source=SOURCE.name,
        price=as_price(ticker.get("price")),
        at=iso_instant(ticker.get("time")),
        fetched_at=fetched_at,
        volume=volume_text(ticker.get("volume")),
    )


SOURCE = Source("coinbase", "https://api.exchange.coinbase.com", "/products/BTC-USD/ticker", parse)
