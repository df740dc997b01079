"""An agreement's terms as the fields of a form: each as it is agreed, exact, and what is typed instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from bot.domain.money import Price, parse_amount, parse_ratio, percent_plain, show_percent, show_usd
from bot.domain.term_words import INTEREST, MICROSECOND, hours_text, line_text, percent_text, window_text
from bot.domain.terms import InterestMode, Release, Terms, Tier
from bot.slack.record_reading import WrongFieldsError, amount_of, day_of
from bot.slack.text import quoted

LONGEST_TYPED = 64
LONGEST_NAME = 60
"""Characters of a line's name over its fields."""

_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\d+/\d+)\s*(%?)\Z", re.ASCII)
_COVERAGE = re.compile(r"(\d+(?:\.\d+)?|\d+/\d+)\s*([xX×]?)\Z", re.ASCII)
_WINDOW = re.compile(r"(\d+(?:\.\d+)?)\s*(h|hours?|d|days?)\Z", re.ASCII | re.IGNORECASE)
_HOURS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:h|hours?)?\Z", re.ASCII | re.IGNORECASE)
_MOST_DIGITS = 12


class TermAsk(StrEnum):
    """How a term is asked for."""

    PART = "part"
    """A rate, or what is taken off a price."""
    LINE = "line"
    """An LTV, a coverage or a price."""
    LTV = "ltv"
    """An LTV or a coverage."""
    USD = "usd"
    HOURS = "hours"
    WINDOW = "window"
    DAYS = "days"
    DAY = "day"
    INTEREST = "interest"


@dataclass(frozen=True, slots=True)
class TermField:
    """One term. `shown` is what is agreed, "" where nothing is; `path` where a file has it, within its amendment.

    `stays`: an amendment cannot take it away. Of `by_price` a plain number is dollars.
    """

    name: str
    label: str
    ask: TermAsk
    shown: str
    path: str
    hint: str = ""
    stays: bool = True
    by_price: bool = False

    @property
    def block(self) -> str:
        return f"term_{self.name}"

    @property
    def optional(self) -> bool:
        """Whether it may be left empty."""
        return not self.stays or not self.shown


def term_fields(terms: Terms) -> list[TermField]:
    """The fields of terms that can be amended by hand, in their order."""
    return [
        *_own(terms),
        *(field for i, tier in enumerate(terms.tiers) for field in _of_tier(i, tier)),
        *_release(terms),
    ]


def _own(terms: Terms) -> Iterator[TermField]:
    yield TermField("rate", "Rate (%)", TermAsk.PART, percent_text(terms.rate), "rate", "A year, as 7.25 %.")
    yield TermField("interest", "Interest", TermAsk.INTEREST, terms.interest.value, "interest")
    cushion = "Taken off the price before it is tested."
    yield TermField("cushion", "Cushion (%)", TermAsk.PART, percent_text(terms.cushion), "cushion", cushion)
    matures = terms.matures.isoformat() if terms.matures else ""
    yield TermField("matures", "Matures", TermAsk.DAY, matures, "matures")
    least = "The lender sends no notice for less."
    usd = show_usd(terms.min_call_usd)
    yield TermField("min_call_usd", "No notice under (USD)", TermAsk.USD, usd, "min_call_usd", least)
    hours = hours_text(terms.credit_hours) if terms.credit_hours is not None else ""
    sent = "From sent to credited."
    yield TermField("credit_hours", "Credited within (hours)", TermAsk.HOURS, hours, "credit_hours", sent)


def _of_tier(index: int, tier: Tier) -> Iterator[TermField]:
    name = tier.name if len(tier.name) <= LONGEST_NAME else f"{tier.name[: LONGEST_NAME - 1]}…"
    path = f"tier.{index}"
    by_price = tier.price is not None
    line = show_usd(tier.price) if tier.price is not None else line_text(tier.line or Fraction(0))
    hint = "Dollars a coin." if by_price else "LTV as 75 %, or coverage as 4/3 or 1.35x."
    yield TermField(f"line_{index}", f"{name}: line", TermAsk.LINE, line, path, hint, by_price=by_price)
    if tier.kind.is_call:
        cure = line_text(tier.cure_to) if tier.cure_to is not None else ""
        yield TermField(f"cure_{index}", f"{name}: cured to", TermAsk.LTV, cure, f"{path}.cure_to", stays=False)
    if tier.kind.is_call or window_text(tier):
        hint = "As 24 h or 2 days."
        window = window_text(tier)
        yield TermField(
            f"window_{index}", f"{name}: notice", TermAsk.WINDOW, window, f"{path}.window", hint, stays=False
        )


def _release(terms: Terms) -> Iterator[TermField]:
    release = terms.release
    line, to, days = (line_text(release.line), line_text(release.to), str(release.days)) if release else ("", "", "")
    back = "At or under it coins come back."
    yield TermField("release_line", "Release: line", TermAsk.LTV, line, "release.ltv", back)
    yield TermField("release_to", "Release: down to", TermAsk.LTV, to, "release.to")
    yield TermField("release_days", "Release: days in a row", TermAsk.DAYS, days, "release.days")


def field_at(fields: list[TermField], path: str) -> TermField:
    """The field of what a file has at `path`; of what no field asks for, the nearest, or the first."""
    parts = path.split(".")
    if parts[0] == "tier" and len(parts) > 1:
        wanted = {"cure_to": "cure", "cure_to_coverage": "cure", "window_hours": "window", "window_days": "window"}
        word = wanted.get(parts[-1], "line")
        names = [f"{word}_{parts[1]}", f"line_{parts[1]}"]
    elif parts[0] == "release":
        names = [
            {"ltv": "release_line", "coverage": "release_line", "days": "release_days"}.get(parts[-1], "release_to")
        ]
    else:
        names = parts[:1]
    return next((field for name in names for field in fields if field.name == name), fields[0])


def typed_terms(terms: Terms, typed: Mapping[str, str]) -> Terms:
    """`terms` with what was typed for some of their fields. WrongFieldsError: what cannot be read, by field."""
    fields = {field.name: field for field in term_fields(terms)}
    said: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, text in typed.items():
        field = fields.get(name)
        if field is None:
            wrong[name] = "That is not among the terms any more; open the form anew."
            continue
        try:
            said[name] = _read(field, text)
        except ValueError as error:
            wrong[name] = str(error)
    release = _released(terms.release, said, wrong)
    if wrong:
        raise WrongFieldsError(wrong)
    own = {name: value for name, value in said.items() if hasattr(terms, name)}
    tiers = tuple(_tier_with(tier, index, said) for index, tier in enumerate(terms.tiers))
    return replace(terms, **own, tiers=tiers, release=release)


def _read(field: TermField, text: str) -> Any:
    if not text:
        if field.stays and field.shown:
            raise ValueError("An amendment cannot take this away; give another.")
        return None
    if len(text) > LONGEST_TYPED:
        raise ValueError(f"At most {LONGEST_TYPED} characters.")
    return _READERS[field.ask](text, field)


def _tier_with(tier: Tier, index: int, said: Mapping[str, Any]) -> Tier:
    if (line := f"line_{index}") in said:
        value = said[line]
        ratio, price = (None, value) if isinstance(value, int) else (value, None)
        tier = replace(tier, line=ratio, price=price)
    if (cure := f"cure_{index}") in said:
        tier = replace(tier, cure_to=said[cure])
    if (window := f"window_{index}") in said:
        value = said[window]
        hours, days = (value, None) if isinstance(value, timedelta) else (None, value)
        tier = replace(tier, window_hours=hours, window_days=days)
    return tier


def _released(agreed: Release | None, said: Mapping[str, Any], wrong: dict[str, str]) -> Release | None:
    """The release with what was typed; a new one needs its line and its target."""
    typed = ((name, said.get(f"release_{name}")) for name in ("line", "to", "days"))
    given: dict[str, Any] = {name: value for name, value in typed if value is not None}
    if agreed is not None:
        return replace(agreed, **given)
    if not given:
        return None
    for name in ("line", "to"):
        if name not in given:
            wrong.setdefault(f"release_{name}", "A release has a line and what it goes down to; fill this in too.")
    return Release(**given) if {"line", "to"} <= given.keys() else None


def _part(text: str, _field: TermField) -> Fraction:
    found = _PERCENT.match(text)
    if found is None or ("/" in found[1] and not found[2]):
        raise ValueError(f"{quoted(text)} is not a percentage; write it as 7.25 %.")
    value = _ratio(found[1], text)
    if not found[2] and 0 < value < 1:
        raise ValueError(f"{quoted(text)} may be {text} % or {_percent(value)}; write it with its %.")
    return value / 100


def _ltv(text: str, _field: TermField) -> Fraction:
    if (found := _PERCENT.match(text)) and (found[2] or "/" not in found[1]):
        value = _ratio(found[1], text)
        if not found[2] and value <= 2:
            raise ValueError(f"{quoted(text)} may be an LTV or a coverage; write it as 75 %, 4/3 or 1.35x.")
        return value / 100
    found = _COVERAGE.match(text)
    coverage = _ratio(found[1], text) if found else None
    if found is None or not coverage:
        raise ValueError(f"{quoted(text)} is no line; write it as an LTV, 75 %, or a coverage, 4/3 or 1.35x.")
    if not found[2] and coverage < 1:
        raise ValueError(
            f"{quoted(text)} as a coverage is an LTV of {_percent(1 / coverage)}; write {text} as a percentage, "
            f"or {text}x where it is meant."
        )
    return 1 / coverage


def _line(text: str, field: TermField) -> Fraction | Price:
    bare = not text.endswith(("%", "x", "X", "×")) and "/" not in text
    if text.startswith("$") or (field.by_price and bare):
        return amount_of(text, 2, "57,000.00")
    return _ltv(text, field)


def _ratio(number: str, text: str) -> Fraction:
    try:
        return parse_ratio(number)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} divides by zero.") from error


def _percent(value: Fraction) -> str:
    return show_percent(percent_plain(value))


def _usd(text: str, _field: TermField) -> int:
    return amount_of(text, 2, "25,000.00")


def _hours(text: str, _field: TermField) -> timedelta:
    found = _HOURS.match(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is not a number of hours; write it as 24 or 1.5.")
    return _length(found[1], text)


def _length(hours: str, text: str) -> timedelta:
    try:
        count = parse_amount(hours, 6)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} has more than 6 decimal places.") from error
    if len(str(count)) > _MOST_DIGITS:
        raise ValueError(f"{quoted(text)} is more than a year.")
    return count * 3_600 * MICROSECOND


def _window(text: str, _field: TermField) -> timedelta | int:
    found = _WINDOW.match(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is no length of notice; write it as 24 h or 2 days.")
    if found[2][0] in "hH":
        return _length(found[1], text)
    return _whole(found[1], text)


def _days(text: str, _field: TermField) -> int:
    return _whole(text, text)


def _whole(number: str, text: str) -> int:
    if not number.isascii() or not number.isdigit() or len(number) > 4:
        raise ValueError(f"{quoted(text)} is not a number of days; write it as 3.")
    return int(number)


def _interest(text: str, _field: TermField) -> InterestMode:
    if text not in INTEREST:
        raise ValueError("Choose how interest is paid.")
    return InterestMode(text)


_READERS: Mapping[TermAsk, Callable[[str, TermField], Any]] = {
    TermAsk.PART: _part,
    TermAsk.LINE: _line,
    TermAsk.LTV: _ltv,
    TermAsk.USD: _usd,
    TermAsk.HOURS: _hours,
    TermAsk.WINDOW: _window,
    TermAsk.DAYS: _days,
    TermAsk.DAY: lambda text, _field: day_of(text),
    TermAsk.INTEREST: _interest,
}
"""How what is typed is read."""
