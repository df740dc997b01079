"""CoinGecko, a spare: an average over many markets, with its own time in seconds. It rate-limits in the body too."""

from __future__ import annotations

from datetime import datetime

from bot.domain.quotes import Quote
from bot.prices.source import Reason, Source, SourceError, as_object, as_price, epoch_seconds, read_object


def parse(body: bytes, fetched_at: datetime) -> Quote:
    """`{"bitcoin": {"usd": 50000.123, "last_updated_at": 1700000000}}`; trouble is `{"status": {"error_code": …}}`."""
    answer = read_object(body)
    if "status" in answer:
        throttled = as_object(answer["status"]).get("error_code") == 429
        raise SourceError(Reason.RATE_LIMITED if throttled else Reason.VENUE_ERROR)
    bitcoin = as_object(answer.get("bitcoin"))
    return Quote(
        source=SOURCE.name,
        price=as_price(bitcoin.get("usd")),
        at=epoch_seconds(bitcoin.get("last_updated_at")),
        fetched_at=fetched_at,
    )


SOURCE = Source(
    "coingecko",
    "https://api.coingecko.com",
    "/api/v3/simple/price?ids=bitcoin&vs_currencies=usd&include_last_updated_at=true",
    parse,
)
