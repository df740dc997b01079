"""mempool.space, a spare: itself a median of the large venues, with its own time in seconds; -1 where it has none."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Source, as_price, epoch_seconds, read_object


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"time": 1703252411, "USD": 43753, "EUR": …}`."""
    prices = read_object(body)
    return Quote(
        source=SOURCE.name,
        price=as_price(prices.get("USD")),
        at=epoch_seconds(prices.get("time")),
        fetched_at=fetched_at,
    )


SOURCE = Source("mempool", "https://mempool.space", "/api/v1/prices", parse)
