"""Exact amounts: coins in satoshis, dollars in cents, prices in cents per BTC, ratios as rationals.

No float enters here. Text is parsed to integers and integers are printed as text; what lies between is
`fractions.Fraction`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

Sats: TypeAlias = int
"""Satoshis: 1 BTC = 100,000,000."""
Cents: TypeAlias = int
"""US cents."""
Price: TypeAlias = int
"""US cents per BTC."""

SATS_PER_BTC = 100_000_000
CENTS_PER_USD = 100
MOST_BTC: Sats = 21_000_000 * SATS_PER_BTC
"""There will never be more."""
MOST_USD: Cents = 1_000_000_000_000 * CENTS_PER_USD
"""More than anybody owes: whoever writes it means cents."""

_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)
_TYPED = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?\s?([km]?)\Z", re.ASCII)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
LONGEST_TYPED = 40
"""Characters of an amount that a person types; Python makes no number of thousands of digits."""
_RATIO = re.compile(r"\d+/\d+\Z", re.ASCII)


def parse_amount(text: str, places: int) -> int:
    """`text` in units of 10^-places: parse_amount("1.5", 2) == 150.

    Raises ValueError where `text` is no plain decimal or has more than `places` places.
    """
    if not _DECIMAL.match(text):
        raise ValueError(f"“{text}” is not a decimal number")
    whole, _, part = text.partition(".")
    if len(part.rstrip("0")) > places:
        raise ValueError(f"“{text}” has more than {places} decimal places")
    return int(whole + part.rstrip("0").ljust(places, "0"))


def parse_btc(text: str) -> Sats:
    """Satoshis of a decimal number of coins. ValueError: no number, or finer than a satoshi."""
    return parse_amount(text, 8)


def parse_usd(text: str) -> Cents:
    """Cents of a decimal number of dollars. ValueError: no number, or finer than a cent."""
    return parse_amount(text, 2)


def parse_typed_usd(text: str) -> Cents:
    """Cents of dollars as people type them: "38m", "$55,000.50". ValueError: no amount, or finer than a cent."""
    bare = text.strip().lower().removesuffix("usd").strip().removeprefix("$").strip()
    found = _TYPED.match(bare) if len(bare) <= LONGEST_TYPED else None
    if found is None:
        raise ValueError(f"“{text}” is not an amount of dollars")
    whole, part, unit = found.groups()
    cents = Fraction(f"{whole.replace(',', '')}.{part or '0'}") * _UNITS[unit] * 100
    if cents.denominator != 1:
        raise ValueError(f"“{text}” is finer than a cent")
    return int(cents)


def parse_ratio(text: str) -> Fraction:
    """An exact ratio of "0.75" or "4/3". ValueError: neither, or a zero denominator."""
    if _RATIO.match(text):
        above, below = text.split("/")
        if not int(below):
            raise ValueError(f"“{text}” divides by zero")
        return Fraction(int(above), int(below))
    if not _DECIMAL.match(text):
        raise ValueError(f"“{text}” is not a ratio")
    return Fraction(text)


def half_up(value: Fraction) -> int:
    """The nearest integer; halves go away from zero."""
    magnitude = floor(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


def per_coin(usd: Cents | None, btc: Sats) -> Price | None:
    """Dollars over coins, in cents per BTC, half-up; None where the dollars are not known or there is no coin."""
    return half_up(Fraction(usd * SATS_PER_BTC, btc)) if usd is not None and btc > 0 else None


def plain(amount: int, places: int) -> str:
    """`amount` in units of 10^-places as a plain decimal: plain(-150, 2) == "-1.50"."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def btc_plain(amount: Sats) -> str:
    """Coins with eight places, as in files and JSON: "7000.00000000"."""
    return plain(amount, 8)


def usd_plain(amount: Cents) -> str:
    """Dollars with two places, as in files and JSON: "300000000.00"."""
    return plain(amount, 2)


def percent_plain(ratio: Fraction) -> str:
    """A ratio as a percentage with two places, half-up: "62.57"."""
    return plain(half_up(ratio * 10_000), 2)


def _grouped(text: str) -> str:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, dot, part = digits.partition(".")
    return f"{sign}{int(whole):,}{dot}{part}"


def show_percent(percent: str) -> str:
    """A percentage for people, from its plain digits: "77.92 %", "1,234.50 %"."""
    return f"{_grouped(percent)} %"


def show_btc(amount: Sats) -> str:
    """Coins for people: two places, more only where they say something: "4,451.00", "0.00000001"."""
    whole, part = btc_plain(amount).split(".")
    return _grouped(f"{whole}.{part.rstrip('0').ljust(2, '0')}")


def show_btc_up(amount: Fraction | int) -> str:
    """Coins that cure, in satoshis, rounded up to 0.01 BTC: "909.10"."""
    return _grouped(plain(ceil(Fraction(amount, SATS_PER_BTC // 100)), 2))


def show_btc_down(amount: Fraction | int) -> str:
    """Coins that may leave, in satoshis, rounded down to 0.01 BTC."""
    return _grouped(plain(floor(Fraction(amount, SATS_PER_BTC // 100)), 2))


def show_usd(amount: Cents) -> str:
    """Dollars for people, to the cent: "$55,000.00"."""
    text = _grouped(usd_plain(amount))
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def show_usd_short(amount: Cents) -> str:
    """Dollars for people, in millions where there are some, half-up: "$49.75M"; else to the cent."""
    return _millions(half_up(Fraction(amount, 1_000_000))) if _in_millions(amount) else show_usd(amount)


def show_usd_short_up(amount: Cents) -> str:
    """Dollars that cure, in millions where there are some, rounded up to $0.01M: "$49.76M"; else to the cent."""
    return _millions(ceil(Fraction(amount, 1_000_000))) if _in_millions(amount) else show_usd(amount)


def _in_millions(amount: Cents) -> bool:
    return abs(amount) >= 1_000_000 * CENTS_PER_USD


def _millions(hundredths: int) -> str:
    text = _grouped(plain(hundredths, 2))
    return f"-${text[1:]}M" if text.startswith("-") else f"${text}M"
