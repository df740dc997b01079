"""What every price source is made of: where to ask, how to read the answer, and how it may fail.

A body is outside text: whatever it holds, a parser gives a Quote or raises SourceError, nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, NoReturn, Protocol, TypeAlias

from bot.domain.money import Price, half_up
from bot.domain.quotes import Quote

HIGHEST_PRICE: Price = 10_000_000_000
"""$100M per BTC: above it is a mistake in units, not a price."""

_PLAIN_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?\Z", re.ASCII)
_WHOLE_NUMBER = re.compile(r"\d{1,20}\Z", re.ASCII)
_LONGEST_TEXT = 64
_MOST_DIGITS = 40
_LATEST_EPOCH = 4_102_444_800  # the year 2100


class Reason(StrEnum):
    """Why a source gave no quote: few and fixed, so that a metric can be labelled by it."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate_limited"
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    BAD_BODY = "bad_body"
    VENUE_ERROR = "venue_error"
    BENCHED = "benched"
    BUG = "bug"


class SourceError(Exception):
    """A source gave no quote. It holds a reason and never a word of the answer.

    `retry_after` is how long the venue asked to be left alone, where it did.
    """

    def __init__(self, reason: Reason, retry_after: timedelta | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after


class Clock(Protocol):
    """Where the time comes from: aware UTC."""

    def now(self) -> datetime: ...


Parser: TypeAlias = Callable[[bytes, datetime], Quote]
"""(body, instant of the fetch) to a quote. SourceError(bad_body, rate_limited or venue_error) where it is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """One venue: GET `base_url` + `path`, read by `parse`."""

    name: str
    base_url: str
    path: str
    parse: Parser


def bad_body() -> NoReturn:
    """The answer is not what the venue documents."""
    raise SourceError(Reason.BAD_BODY)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, its fractions as exact Decimals; NaN and Infinity are refused."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=lambda _: bad_body())
    except (ValueError, ArithmeticError, RecursionError):
        bad_body()
    return as_object(value)


def as_object(value: object) -> dict[str, Any]:
    """`value`, if it is a JSON object."""
    return value if isinstance(value, dict) else bad_body()


def as_price(value: object) -> Price:
    """Cents per BTC of a JSON number or of a string that holds one; beyond the cent, half-up.

    Exact: venues print "65231.80000" and 50000.123, and a float would sit next to both. Exponents are bounded first,
    because an exact 1e999999999 is a number that never finishes.
    """
    cents = half_up(_number(value) * 100)
    return cents if 0 < cents <= HIGHEST_PRICE else bad_body()


def _number(value: object) -> Fraction:
    if isinstance(value, str) and _PLAIN_NUMBER.match(value):
        return Fraction(value)
    if isinstance(value, Decimal) and len(value.as_tuple().digits) <= _MOST_DIGITS and abs(value.adjusted()) <= 20:
        return Fraction(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    bad_body()


def epoch_seconds(value: object) -> datetime:
    """The instant of whole seconds since 1970, as a JSON integer or a string of digits."""
    if isinstance(value, str) and _WHOLE_NUMBER.match(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LATEST_EPOCH:
        bad_body()
    return datetime.fromtimestamp(value, UTC)


def iso_instant(value: object) -> datetime:
    """The instant of an ISO 8601 text with a zone; digits beyond the microsecond are dropped."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        bad_body()
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            bad_body()
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        bad_body()


def volume_text(value: object) -> str | None:
    """A volume as the venue prints it: only ever compared with the one before, so None where there is none."""
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        return str(value)[:_LONGEST_TEXT]
    return None
