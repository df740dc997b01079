"""The sources there are, and how `PRICE_SOURCES` chooses among them. A new source is one file and one entry here."""

from __future__ import annotations

from types import MappingProxyType
from urllib.parse import urlsplit

from bot.prices import bitstamp, coinbase, coingecko, gemini, kraken, mempool

SOURCES = MappingProxyType(
    {
        module.SOURCE.name: module.SOURCE
        for module in (
            coinbase,
            kraken,
            bitstamp,
            gemini,
            coingecko,
            mempool,
        )
    }
)

DEFAULT_SOURCES = "coinbase,kraken,bitstamp,gemini"


def parse_sources(text: str = DEFAULT_SOURCES) -> list[tuple[str, str]]:
    """(name, base URL without a trailing slash) of each entry of `name` or `name=base-url`, separated by commas.

    ValueError, on one line and with what would be right: an unknown name, one named twice, a base URL that is none.
    """
    chosen: dict[str, str] = {}
    for entry in text.split(","):
        name, given, url = (part.strip() for part in entry.partition("="))
        if name not in SOURCES:
            raise ValueError(f"“{name}” is no price source; name some of {', '.join(SOURCES)}, separated by commas")
        if name in chosen:
            raise ValueError(f"price source “{name}” is named twice; name each once")
        chosen[name] = _base_url(name, url) if given else SOURCES[name].base_url
    return list(chosen.items())


def _base_url(name: str, url: str) -> str:
    """`url` as a base to which the source's path is added. The refusal leaves it out: it may hold a secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc or any(c.isspace() for c in url):
        raise ValueError(
            f"the base URL of price source “{name}” must read like {SOURCES[name].base_url}, "
            "without user, query or fragment"
        )
    return url.rstrip("/")
