"""Price histories: CSV or CSV.gz with `ts` or `date`, and `usd` or `open, high, low, close`.

A candle becomes four prices, its open, low, high and close at 0, ¼, ½ and ¾ of the file's commonest spacing: the low
before the high, for caution.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import TextIO, cast

from bot.domain.money import Price, parse_amount
from bot.domain.periods import FIRST_DAY, LAST_DAY

CANDLE = ("open", "low", "high", "close")


class PriceFileError(ValueError):
    """The file cannot be read as prices; the message says where and what would be right."""


def read_prices(path: Path) -> list[tuple[datetime, Price]]:
    """Every (instant, cents per BTC) of the file, in order of time. PriceFileError names the line that is wrong."""
    try:
        with _open(path) as text:
            return sorted(_prices(path.name, csv.DictReader(text)), key=itemgetter(0))
    except FileNotFoundError as error:
        raise PriceFileError(f"{path}: no such file") from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise PriceFileError(f"{path}: cannot be read as CSV or CSV.gz ({error})") from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def _prices(name: str, rows: csv.DictReader[str]) -> Iterator[tuple[datetime, Price]]:
    columns = rows.fieldnames or []
    when = next((column for column in ("ts", "date") if column in columns), None)
    candle = all(column in columns for column in CANDLE)
    if when is None or not (candle or "usd" in columns):
        raise PriceFileError(f"{name}: needs the columns ts or date, and usd or open,high,low,close")
    listed = [(rows.line_num, row) for row in rows]
    instants = [_instant(name, line, row[when]) for line, row in listed]
    for (line, _), (before, after) in zip(listed[1:], pairwise(instants), strict=True):
        if after <= before:
            raise PriceFileError(f"{name} line {line}: {after:%Y-%m-%d %H:%M} is not after the row before it")
    quarter = _spacing(instants) / 4
    for (line, row), instant in zip(listed, instants, strict=True):
        for step, column in enumerate(CANDLE if candle else ("usd",)):
            yield instant + step * quarter, _price(name, line, column, row)


def _spacing(instants: list[datetime]) -> timedelta:
    """The commonest distance between two rows."""
    spacings = Counter(after - before for before, after in pairwise(instants))
    return spacings.most_common(1)[0][0] if spacings else timedelta(0)


def _instant(name: str, line: int, text: str | None) -> datetime:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        raise PriceFileError(f"{name} line {line}: “{text}” is no time; write 2026-02-06T14:15:00Z") from None
    if not FIRST_DAY <= instant.date() <= LAST_DAY:
        raise PriceFileError(f"{name} line {line}: {text} is out of range; write a year from 2009 to 2199")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _price(name: str, line: int, column: str, row: Mapping[str, str | None]) -> Price:
    text = (row[column] or "").strip()
    try:
        price = parse_amount(_to_cents(text), 2)
    except ValueError:
        price = 0
    if price <= 0:
        raise PriceFileError(f"{name} line {line}: {column} “{text}” is no price in dollars, as 68500.25")
    return price


def _to_cents(text: str) -> str:
    """Histories carry more decimals than a cent; what is finer than a cent is cut off: caution, a price too low."""
    whole, dot, part = text.partition(".")
    return f"{whole}{dot}{part[:2]}" if part[2:].isdigit() or not part[2:] else text
