"""Kraken: the last trade of XBTUSD. The ticker has no time; trouble comes as HTTP 200 with `error` not empty."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Reason, Source, SourceError, as_object, as_price, bad_body, read_object, volume_text

_THROTTLED = ("EGeneral:Too many requests", "EAPI:Rate limit exceeded", "EService:Throttled")


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"error": [], "result": {"XXBTZUSD": {"c": [price, size], "v": [today, 24 h], …}}}`.

    The key in `result` is not the pair that was asked for, so the one value counts, whatever its name.
    """
    answer = read_object(body)
    errors = answer.get("error")
    if errors:
        throttled = isinstance(errors, list) and str(errors[0]).startswith(_THROTTLED)
        raise SourceError(Reason.RATE_LIMITED if throttled else Reason.VENUE_ERROR)
    tickers = list(as_object(answer.get("result")).values())
    if len(tickers) != 1:
        bad_body()
    ticker = as_object(tickers[0])
    # Today's volume changes only with a trade; the 24 h figure also falls as old trades leave it, which would hide
    # a market that stands still.
    return Quote(
        source=SOURCE.name,
        price=as_price(_first(ticker.get("c"))),
        at=None,
        fetched_at=fetched_at,
        volume=volume_text(_first(ticker.get("v"))),
    )


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


SOURCE = Source("kraken", "https://api.kraken.com", "/0/public/Ticker?pair=XBTUSD", parse)
