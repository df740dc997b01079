"""Gemini: the last trade of btcusd. `volume.timestamp` moves in steps of five minutes: too coarse to be its time."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Reason, Source, SourceError, as_price, read_object, volume_text


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"last": "9115.23", "volume": {"BTC": "1523.2", …}}`; trouble is `{"result": "error", "reason": …}`."""
    ticker = read_object(body)
    if ticker.get("result") == "error":
        throttled = str(ticker.get("reason")).startswith("RateLimit")
        raise SourceError(Reason.RATE_LIMITED if throttled else Reason.VENUE_ERROR)
    volume = ticker.get("volume")
    return Quote(
        source=SOURCE.name,
        price=as_price(ticker.get("last")),
        at=None,
        fetched_at=fetched_at,
        volume=volume_text(volume.get("BTC")) if isinstance(volume, dict) else None,
    )


SOURCE = Source("gemini", "https://api.gemini.com", "/v1/pubticker/btcusd", parse)
