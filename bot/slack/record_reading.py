"""From what a form of `/record` brings back to the fact that it says, or what is wrong with it, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from bot.domain.book import Book
from bot.domain.facts import Fact
from bot.domain.money import MOST_BTC, MOST_USD, show_btc, show_usd
from bot.domain.periods import FIRST_DAY, LAST_DAY
from bot.domain.treasury import Movement, MovementKind, Notice, Statement
from bot.slack.asked import Asked
from bot.slack.record_choices import MENUS, chosen
from bot.slack.record_forms import ANSWER, FORMS, MOVEMENTS, NOTICE, STATEMENT, Ask, Field
from bot.slack.text import one_line, quoted

Values = Mapping[str, str | int]
"""What was filled in, by field: text as typed, the value of a choice, seconds since 1970."""

LONGEST = {Ask.TEXT: 100, Ask.LONG: 300}
"""Characters of what is typed: all of a form has to fit into what a dialog carries."""
LONGEST_AMOUNT = 40

_AMOUNT = re.compile(
    r"(?P<sign>[-+−]?)\s*\$?\s*(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?\s*(?P<unit>[km]?)\s*(?:btc|usd|\$)?\Z",
    re.ASCII | re.IGNORECASE,
)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


class WrongFieldsError(Exception):
    """What is wrong with a form: a line for each field."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(" ".join(wrong.values()))
        self.wrong = dict(wrong)


def filled_in(asked: Asked, kind: str) -> dict[str, str | int]:
    """What somebody filled in, as Slack brings it back; what was left out is not in it."""
    found = ((field.name, _raw(asked.value(field.block), field.ask)) for field in FORMS[kind].fields)
    return {name: value for name, value in found if value is not None}


def _raw(value: Mapping[str, Any], ask: Ask) -> str | int | None:
    if ask in (Ask.WHEN, Ask.UNTIL):
        instant = value.get("selected_date_time")
        return instant if isinstance(instant, int) else None
    if ask in MENUS:
        option = value.get("selected_option")
        return str(option.get("value") or "") or None if isinstance(option, Mapping) else None
    typed = value.get("selected_date" if ask is Ask.DAY else "value")
    return one_line(typed) or None if isinstance(typed, str) else None


def fact_of(kind: str, values: Values, book: Book) -> Fact:
    """The fact; of what takes an approver, see `bot.slack.agreements`. WrongFieldsError as for `said_in`."""
    return _made(kind, said_in(kind, values, book))


def said_in(kind: str, values: Values, book: Book) -> dict[str, Any]:
    """What each field says. WrongFieldsError: what is missing, or cannot be read."""
    said: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in FORMS[kind].fields:
        value = values.get(field.name)
        if value is None:
            if not field.optional:
                wrong[field.name] = "Fill this in."
            continue
        try:
            said[field.name] = _READERS.get(field.ask, _choice)(value, field, book)
        except ValueError as error:
            wrong[field.name] = str(error)
    if wrong:
        raise WrongFieldsError(wrong)
    return said


def _made(kind: str, said: dict[str, Any]) -> Fact:
    if kind in MOVEMENTS:
        return Movement(kind=MovementKind(kind), **said)
    if kind == STATEMENT:
        return Statement(**said)
    if kind == NOTICE:
        what, id_ = said.pop("exposure")
        return Notice(**said, **{what: id_})
    assert kind == ANSWER, kind  # noqa: S101  (every form is one of these)
    notice: Notice = said["call"]
    return replace(notice, **{said["became"]: said["at"]})


def _choice(value: str | int, field: Field, book: Book) -> Any:
    thing = chosen(field.ask, str(value), book)
    if thing is None:
        raise ValueError("That is not there any more; choose another.")
    return thing


def _btc(value: str | int, _field: Field, _book: Book) -> int:
    amount = amount_of(str(value), 8, "1,391.61")
    if abs(amount) > MOST_BTC:
        raise ValueError(f"That is more than the {show_btc(MOST_BTC)} BTC there will ever be.")
    return amount


def _usd(value: str | int, _field: Field, _book: Book) -> int:
    amount = amount_of(str(value), 2, "49,750,000.00 or 49.75m")
    if abs(amount) > MOST_USD:
        raise ValueError(f"That is more than {show_usd(MOST_USD)}.")
    return amount


def amount_of(text: str, places: int, example: str) -> int:
    """`text` in units of 10^-places, exactly. ValueError where it is none, or finer than that."""
    found = _AMOUNT.match(text) if len(text) <= LONGEST_AMOUNT else None
    if found is None:
        raise ValueError(f"{quoted(text)} is not an amount; write it as {example}.")
    size = Fraction(f"{found['whole'].replace(',', '')}.{found['part'] or '0'}") * _UNITS[found["unit"].lower()]
    units = size * 10**places
    if units.denominator != 1:
        raise ValueError(f"{quoted(text)} has more than {places} decimal places.")
    return int(-units if found["sign"] in ("-", "−") else units)


def _month(value: str | int, _field: Field, _book: Book) -> str:
    return str(value)


def _when(value: str | int, _field: Field, _book: Book) -> datetime:
    try:
        instant = datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError("That is no time.") from error
    if not FIRST_DAY <= instant.date() <= LAST_DAY:
        raise ValueError("That is out of range; choose a year from 2009 on.")
    return instant


def _day(value: str | int, _field: Field, _book: Book) -> date:
    return day_of(str(value))


def day_of(text: str) -> date:
    """A day as Slack reports it. ValueError: no day, or one that nobody means."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("That is no day.") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("That is out of range; choose a year from 2009 on.")
    return day


def _text(value: str | int, field: Field, _book: Book) -> str:
    text, longest = str(value), LONGEST[field.ask]
    if len(text) > longest:
        raise ValueError(f"At most {longest} characters; these are {len(text)}.")
    return text


_READERS: Mapping[Ask, Callable[[str | int, Field, Book], Any]] = {
    Ask.BTC: _btc,
    Ask.USD: _usd,
    Ask.MONTH: _month,
    Ask.WHEN: _when,
    Ask.UNTIL: _when,
    Ask.DAY: _day,
    Ask.TEXT: _text,
    Ask.LONG: _text,
}
"""How what is no choice is read."""
