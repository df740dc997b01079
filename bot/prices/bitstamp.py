"""Bitstamp: the last trade of btcusd, with its own time in seconds. Maintenance is a page, or an `error`."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Reason, Source, SourceError, as_price, epoch_seconds, read_object, volume_text


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"timestamp": "1785145937", "last": "65236.60", "volume": …}`; trouble is `{"error": …}` or a status "error"."""
    ticker = read_object(body)
    if "error" in ticker or ticker.get("status") == "error":
        raise SourceError(Reason.VENUE_ERROR)
    return Quote(
        source=SOURCE.name,
        price=as_price(ticker.get("last")),
        at=epoch_seconds(ticker.get("timestamp")),
        fetched_at=fetched_at,
        volume=volume_text(ticker.get("volume")),
    )


SOURCE = Source("bitstamp", "https://www.bitstamp.net", "/api/v2/ticker/btcusd/", parse)
