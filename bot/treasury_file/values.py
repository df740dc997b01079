"""One value of the file: what TOML or a cell gave, read into the domain's own units, or a ValueError that says what to
write.

The messages are shown as they are, after `file: table: key: `. They end in a full stop unless they end in something
to copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from bot.domain.money import (
    MOST_BTC,
    MOST_USD,
    Cents,
    Price,
    Sats,
    parse_amount,
    parse_btc,
    parse_ratio,
    parse_usd,
    plain,
    show_btc,
    show_usd,
)
from bot.domain.periods import FIRST_DAY, LAST_DAY
from bot.domain.terms import Level
from bot.domain.treasury import MovementKind, SlippageStep
from bot.domain.words import sentence

E = TypeVar("E", bound=StrEnum)

VENUES = ("coinbase", "kraken", "bitstamp", "gemini", "coingecko", "mempool")

LONGEST_TEXT = 500
LONGEST_NUMBER = 40

_ID = re.compile(r"[a-z0-9-]+\Z")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z", re.ASCII)
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Float(str):
    """A TOML float as it was written: `tomllib.loads(parse_float=Float)`, so that none is ever computed with."""

    __slots__ = ()


class Cell(str):
    """A cell of a CSV file as it was written: always text, whatever it says."""

    __slots__ = ()


class SemicolonCell(Cell):
    """A cell of a file separated by “;”, as a spreadsheet writes it where the comma is for decimals."""

    __slots__ = ()


def shown(value: object) -> str:
    """`value` as it stands in the file, on one line."""
    match value:
        case Float():
            return str(value)
        case str():
            text = _NOT_SHOWN.sub(" ", value)
            return f"“{text if len(text) <= 60 else text[:59] + '…'}”"
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case list():
            return "a list"
        case dict():
            return "a table"
    return str(value)


def meant(word: str, known: tuple[str, ...]) -> str:
    """“did you mean …?” where one of `known` is near `word`, else all that could be written."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean “{near[0]}”?" if near else f"write {sentence(known)}."


def _not_text(value: object, example: str) -> ValueError:
    if isinstance(value, Float) or (isinstance(value, int) and not isinstance(value, bool)):
        kind = "a float" if isinstance(value, Float) else "a number"
        return ValueError(f'{shown(value)} is {kind}; write it in quotes: "{value}"')
    return ValueError(f'{shown(value)} is not text; write it in quotes, as "{example}"')


def plain_text(value: object, example: str) -> str:
    if not isinstance(value, str) or isinstance(value, Float):
        raise _not_text(value, example)
    return str(value)


def text(value: object) -> str:
    """Words on one line."""
    words = plain_text(value, "a name")
    if not words.strip():
        raise ValueError("is empty; write what it is called, or leave the key out.")
    if _NOT_TEXT.search(words):
        raise ValueError(f"{shown(words)} has a line break or another control character; write it on one line.")
    if len(words) > LONGEST_TEXT:
        raise ValueError(f"has {len(words)} characters; write at most {LONGEST_TEXT}.")
    return words


def identifier(value: object) -> str:
    word = plain_text(value, "custody")
    if not _ID.match(word):
        raise ValueError(f"{shown(word)} is no id; write small letters, digits and hyphens, as “{_as_id(word)}”.")
    return word


def _as_id(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:60] or "custody"


def month(value: object) -> str:
    word = plain_text(value, "2026-01")
    if not _MONTH.match(word):
        raise ValueError(f'{shown(word)} is not a month; write it as "2026-01"')
    if not FIRST_DAY.year <= int(word[:4]) <= LAST_DAY.year:
        raise ValueError(f"{shown(word)} is out of range; write a year from 2009 to 2199")
    return word


def decimal_of(value: object, parse: Callable[[str], int], example: str, finest: str, places: int) -> int:
    """What `parse` makes of a decimal in quotes; `finest` says why it has at most `places` decimals."""
    word = plain_text(value, example)
    if len(word) > LONGEST_NUMBER:
        raise ValueError(f"{shown(word)} is too long for a number; write it as “{example}”.")
    if isinstance(value, Cell):
        word = _ungrouped(value, places)
    try:
        return parse(word)
    except ValueError:
        pass
    if re.fullmatch(r"[+-]?\d+\.\d+", word, re.ASCII):
        raise ValueError(f"{shown(word)} has more than {places} decimal places; {finest}.")
    raise ValueError(f'{shown(word)} is not a decimal number; write it as "{example}"')


_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+", re.ASCII)
_MAYBE_THOUSANDS = re.compile(r"([+-]?[1-9]\d{0,2})[.,](\d{3})", re.ASCII)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_SEPARATOR = re.compile(r"[\s'’,]")


def _ungrouped(cell: Cell, places: int) -> str:
    """The decimal of a cell, whose thousands may be grouped where nothing else can be meant: “1,391.61”.

    “1,391” is 1391 to some and 1.391 to others; so is “1.391” where cells are separated by “;”.
    """
    if _GROUPED.fullmatch(cell):
        return cell.replace(",", "")
    by_semicolon = isinstance(cell, SemicolonCell)
    if (either := _MAYBE_THOUSANDS.fullmatch(cell)) and ("," in cell or by_semicolon):
        whole, part = either.groups()
        if len(part.rstrip("0")) > places:
            raise _not_plain(cell, f"{whole}{part}")
        decimal = f"{whole}.{part}{'0' if by_semicolon else ''}"
        raise ValueError(f"{shown(cell)} can be read in two ways; write “{whole}{part}” or “{decimal}”.")
    if (_SEPARATOR.search(cell) or cell.count(".") > 1) and _PLAIN.fullmatch(meant_by_it := _with_a_dot(cell)):
        raise _not_plain(cell, meant_by_it)
    return str(cell)


def _not_plain(cell: Cell, right: str) -> ValueError:
    return ValueError(f"{shown(cell)} is not a plain decimal number; write “{right}”.")


def _with_a_dot(cell: str) -> str:
    """The number as a plain decimal: the last of its commas and dots is the decimal one, unless it comes twice."""
    word = re.sub(r"[\s'’]", "", cell)
    *groups, part = re.split(r"[,.]", word)
    last = word[-len(part) - 1 : len(word) - len(part)]
    return f"{''.join(groups)}.{part}" if word.count(last) == 1 else "".join((*groups, part))


def signed_btc(value: object, example: str = "474.62") -> Sats:
    amount = decimal_of(value, parse_btc, example, "coins go to the satoshi", 8)
    if abs(amount) > MOST_BTC:
        raise ValueError(f"{shown(value)} is more than the {show_btc(MOST_BTC)} BTC there will ever be.")
    return amount


def signed_usd(value: object, example: str = "10000000.00") -> Cents:
    amount = decimal_of(value, parse_usd, example, "dollars go to the cent", 2)
    if abs(amount) > MOST_USD:
        raise ValueError(f"{shown(value)} is more than {show_usd(MOST_USD)}; write dollars, not cents.")
    return amount


def btc(value: object, example: str = "474.62") -> Sats:
    return not_negative(signed_btc(value, example), value)


def usd(value: object, example: str = "10000000.00") -> Cents:
    return not_negative(signed_usd(value, example), value)


def not_negative(amount: int, value: object) -> int:
    if amount < 0:
        raise ValueError(f"{shown(value)} is negative; write 0 or more.")
    return amount


def some_btc(value: object, example: str = "474.62") -> Sats:
    return _positive(signed_btc(value, example), value)


def some_usd(value: object, example: str = "10000000.00") -> Cents:
    return _positive(signed_usd(value, example), value)


def price(value: object, example: str = "57000") -> Price:
    """Dollars per coin, to the cent, above 0."""
    return _positive(signed_usd(value, example), value)


def _positive(amount: int, value: object) -> int:
    if amount <= 0:
        raise ValueError(f"{shown(value)} is {'negative' if amount < 0 else 'nothing'}; write more than 0.")
    return amount


def ratio(value: object) -> Fraction:
    """An exact ratio, 0 or more: a decimal or two whole numbers."""
    word = plain_text(value, "0.75")
    if len(word) > LONGEST_NUMBER:
        raise ValueError(f"{shown(word)} is too long for a ratio; write it as “0.75” or “4/3”.")
    try:
        number = parse_ratio(word)
    except ValueError:
        hint = _percent_as_ratio(word) if word.endswith("%") else '"0.75" or "4/3"'
        raise ValueError(f"{shown(word)} is not a ratio; write it as {hint}") from None
    if number < 0:
        raise ValueError(f"{shown(word)} is negative; write 0 or more.")
    return number


def _percent_as_ratio(word: str) -> str:
    try:
        hundredths = parse_amount(word[:-1].strip(), 2)
    except ValueError:
        return '"0.75" or "4/3"'
    return f'"{plain(hundredths, 4)}"'


def share(value: object) -> Fraction:
    """A ratio from 0 to 1."""
    number = ratio(value)
    if number > 1:
        raise ValueError(f"{shown(value)} is over 1; write a ratio from 0 to 1, as “0.30” for 30 %.")
    return number


def part(value: object) -> Fraction:
    """A ratio from 0 to under 1."""
    number = ratio(value)
    if number >= 1:
        raise ValueError(f"{shown(value)} is not under 1; write a ratio, as “0.30” for 30 %.")
    return number


def ltv(value: object) -> Fraction:
    """An LTV above 0. Lines over 100 % exist on paper; over 200 % somebody wrote a percentage."""
    number = ratio(value)
    if not 0 < number <= 2:
        raise ValueError(f"{shown(value)} is no LTV; write a ratio above 0, as “0.75” for 75 %.")
    return number


def coverage(value: object) -> Fraction:
    """The LTV that a coverage (CTP, CVL) stands for: 1/coverage."""
    number = ratio(value)
    if not Fraction(1, 2) <= number <= 20:
        raise ValueError(f"{shown(value)} is no coverage; write collateral over debt, as “4/3” or “1.35”.")
    return 1 / number


def whole(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        if isinstance(value, (Float, bool)) or not isinstance(value, (int, str)):
            raise ValueError(f"{shown(value)} is not a whole number; write one from {least} to {most}.")
        if isinstance(value, str):
            if re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
                raise ValueError(f"{shown(value)} is text; write it without quotes: {int(value)}")
            raise ValueError(f"{shown(value)} is not a whole number; write one from {least} to {most}.")
        if not least <= value <= most:
            raise ValueError(f"{value} is out of range; write {least} to {most}.")
        return value

    return read


_CURVE = 'as [{ btc = "500", bps = 20 }, { btc = "1000", bps = 60 }]'


def curve(value: object) -> tuple[SlippageStep, ...]:
    """A slippage curve: the next so many coins lose so much, step by step, none cheaper than the one before."""
    if not isinstance(value, list) or not all(isinstance(step, dict) for step in value):
        raise ValueError(f"{shown(value)} is no list of steps; write it {_CURVE}")
    steps = tuple(_step(number, step) for number, step in enumerate(value, start=1))
    for number, (before, after) in enumerate(pairwise(steps), start=2):
        if after.bps < before.bps:
            raise ValueError(f"step {number} loses {after.bps} bps, less than the {before.bps} before it; no step may.")
    return steps


def _step(number: int, step: dict[str, object]) -> SlippageStep:
    if step.keys() != {"btc", "bps"}:
        raise ValueError(f"step {number} needs btc and bps and nothing else; write it {_CURVE}")
    try:
        return SlippageStep(some_btc(step["btc"], "500"), whole(0, 9_999)(step["bps"]))
    except ValueError as error:
        raise ValueError(f"step {number}: {error}") from None


def word_of(kind: type[E]) -> Callable[[object], E]:
    """A reader of the words of `kind`."""
    known = tuple(kind)

    def read(value: object) -> E:
        word = plain_text(value, known[0])
        if word not in known:
            raise ValueError(f"{shown(word)} is unknown; {meant(word, known)}")
        return kind(word)

    return read


_KINDS_WRITTEN = tuple(kind for kind in MovementKind if kind is not MovementKind.REVERSAL)


def movement_kind(value: object) -> MovementKind:
    word = plain_text(value, _KINDS_WRITTEN[0])
    if word == MovementKind.REVERSAL:
        raise ValueError("a reversal has no kind; leave kind out and name the movement it undoes in reverses.")
    if word not in _KINDS_WRITTEN:
        raise ValueError(f"{shown(word)} is unknown; {meant(word, _KINDS_WRITTEN)}")
    return MovementKind(word)


def venue(value: object) -> str:
    word = plain_text(value, VENUES[0])
    if word not in VENUES:
        raise ValueError(f"{shown(word)} is no venue that Plimsoll asks; {meant(word, VENUES)}")
    return word


def level(value: object) -> Level:
    known = tuple(one.word for one in Level if one is not Level.OK)
    word = plain_text(value, known[0])
    if word not in known:
        raise ValueError(f"{shown(word)} is unknown; {meant(word, known)}")
    return Level[word.upper()]
