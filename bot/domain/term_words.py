"""Terms as people read them, exact: what is shown can be typed back and is the same.

A ratio that no percentage of a sensible length says is shown as a coverage: "75 %", "66.67 %", "1.35x", "7/3".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from bot.domain.money import percent_plain, plain, show_percent, show_usd
from bot.domain.terms import InterestMode, Release, Terms, Tier
from bot.domain.words import counted

LONGEST = 40
"""Characters of a number in a treasury file, and so of each that is shown."""
MICROSECOND = timedelta(microseconds=1)

INTEREST = {
    InterestMode.CAPITALISED: "joins the principal each month",
    InterestMode.PAID: "paid in cash each month",
    InterestMode.AT_CLOSE: "due with the principal",
}
LABELS = {
    "rate": "Rate",
    "interest": "Interest",
    "cushion": "Cushion",
    "matures": "Matures",
    "min_call_usd": "No notice under",
    "credit_hours": "Credited within",
}
"""The terms that can be amended by hand, besides lines and release."""


def decimal_text(value: Fraction) -> str | None:
    """`value` as a decimal, exact: "0.6667"; None where it never ends."""
    rest, places = value.denominator, 0
    for factor in (2, 5):
        count = 0
        while rest % factor == 0:
            rest, count = rest // factor, count + 1
        places = max(places, count)
    if rest != 1:
        return None
    return plain(value.numerator * 10**places // value.denominator, places) if places else str(value)


def ratio_text(value: Fraction) -> str:
    """`value` as a file may have it, exact: a decimal where that is short enough, else two whole numbers."""
    decimal, pair = decimal_text(value), f"{value.numerator}/{value.denominator}"
    return decimal if decimal is not None and (len(decimal) <= LONGEST or len(decimal) <= len(pair)) else pair


def percent_text(value: Fraction) -> str:
    """A rate or a part as an exact percentage: "7.25 %", "100/7 %"."""
    return f"{ratio_text(value * 100)} %"


def line_text(value: Fraction) -> str:
    """An LTV, exact: as a percentage, else as the coverage that it is one over."""
    percent = decimal_text(value * 100)
    if percent is not None and len(percent) <= LONGEST:
        return f"{percent} %"
    coverage = 1 / value
    decimal = decimal_text(coverage)
    if decimal is not None and len(decimal) <= LONGEST:
        return f"{decimal}x"
    return f"{coverage.numerator}/{coverage.denominator}{'x' if coverage < 1 else ''}"


def line_phrase(value: Fraction) -> str:
    """As `line_text`, with the LTV where that is a coverage."""
    text = line_text(value)
    return text if text.endswith("%") else f"{text} (LTV {show_percent(percent_plain(value))})"


def hours_text(length: timedelta) -> str:
    """Hours, exact: "24", "1.5"."""
    return ratio_text(Fraction(length // MICROSECOND, 3_600_000_000))


def window_text(tier: Tier) -> str:
    """How long a notice gives: "24 h", "2 days"; "" where nothing is agreed."""
    if tier.window_hours is not None:
        return f"{hours_text(tier.window_hours)} h"
    if tier.window_days is not None:
        return counted(tier.window_days, "day")
    return ""


def own_line(tier: Tier) -> str:
    """The line as agreed: an LTV, a coverage or a price."""
    return show_usd(tier.price) if tier.price is not None else line_phrase(tier.line or Fraction(0))


def term_changes(old: Terms, new: Terms) -> Iterator[str]:
    """Each term that differs, old → new, a line each. Both have the same lines, by their order."""
    for name, label in LABELS.items():
        if getattr(old, name) != getattr(new, name):
            yield f"{label}: {_said(getattr(old, name))} → {_said(getattr(new, name))}"
    for was, tier in zip(old.tiers, new.tiers, strict=True):
        parts = [
            ("", own_line(was), own_line(tier)),
            ("cured to ", *(line_phrase(one.cure_to) if one.cure_to else "nothing of its own" for one in (was, tier))),
            ("notice ", *(window_text(one) or "none agreed" for one in (was, tier))),
        ]
        if said := [f"{about}{before} → {after}" for about, before, after in parts if before != after]:
            yield f"{tier.name}: {', '.join(said)}"
    if old.release != new.release:
        yield f"Release: {_release(old.release)} → {_release(new.release)}"


def _said(value: Any) -> str:
    match value:
        case None:
            return "nothing agreed"
        case InterestMode():
            return INTEREST[value]
        case Fraction():
            return percent_text(value)
        case date():
            return f"{value.day} {value:%b %Y}"
        case timedelta():
            return f"{hours_text(value)} h"
    return show_usd(value)


def _release(release: Release | None) -> str:
    if release is None:
        return "none"
    days = counted(release.days, "day")
    return f"at {line_phrase(release.line)} to {line_phrase(release.to)} after {days} in a row"
