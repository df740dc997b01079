"""One value of the file that is a time: days, instants, times of day, hours, zones. As in `values`, or a ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.money import parse_amount
from bot.domain.periods import FIRST_DAY, LAST_DAY, as_utc
from bot.treasury_file.values import Cell, Float, decimal_of, not_negative, plain_text, shown

MOST_HOURS = timedelta(days=366)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?\Z", re.ASCII)


def hours(value: object) -> timedelta:
    """Hours, as a whole number or a decimal in quotes; exact to 0.0036 s."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    count = not_negative(decimal_of(value, lambda word: parse_amount(word, 6), "1.5", "hours go to six", 6), value)
    if count > MOST_HOURS // timedelta(hours=1) * 10**6:
        raise ValueError(f"{shown(value)} is more than a year; write hours.")
    return timedelta(microseconds=count * 3600)


def day(value: object) -> date:
    value = _moment_of(value) if isinstance(value, Cell) else value
    if isinstance(value, datetime):
        raise ValueError(f"{shown(value)} is an instant; write a date: {value.date().isoformat()}")
    if not isinstance(value, date):
        raise _not_a_moment(value, "a date", "2026-03-01", date.fromisoformat)
    return _sensible(value, value)


def instant(value: object) -> datetime:
    """An aware instant, in UTC."""
    value = _moment_of(value) if isinstance(value, Cell) else value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{shown(value)} has no time zone; write {shown(value)}Z")
        _sensible(value.date(), value)
        return as_utc(value)
    if isinstance(value, date):
        raise ValueError(f"{shown(value)} is a date; write an instant with its zone: {shown(value)}T14:15:00Z")
    raise _not_a_moment(value, "an instant with its zone", "2026-02-07T14:15:00Z", datetime.fromisoformat)


def _moment_of(cell: Cell) -> object:
    """The instant or date that a cell writes; the cell itself where it writes neither."""
    try:
        if _INSTANT.fullmatch(cell):
            return datetime.fromisoformat(cell.upper())
        return date.fromisoformat(cell) if _DAY.fullmatch(cell) else cell
    except ValueError:
        return cell


def _not_a_moment(value: object, what: str, example: str, parse: Callable[[str], date]) -> ValueError:
    if isinstance(value, str) and not isinstance(value, (Float, Cell)):
        try:
            parse(value)
        except ValueError:
            pass
        else:
            return ValueError(f"{shown(value)} is text; write it without quotes: {value}")
    return ValueError(f"{shown(value)} is not {what}; write it as {example}")


def _sensible(when: date, value: date) -> date:
    if not FIRST_DAY <= when <= LAST_DAY:
        raise ValueError(f"{shown(value)} is out of range; write a year from 2009 to 2199.")
    return when


def days(value: object) -> frozenset[date]:
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is not a list of dates; write it as [2026-02-16]")
    return frozenset(map(day, value))


def clock(value: object) -> time:
    """A time of day: "17:00", or TOML's own 17:00:00."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or isinstance(value, Float) or not _CLOCK.match(value):
        raise ValueError(f'{shown(value)} is not a time of day; write it as "17:00"')
    return time.fromisoformat(value)


def zone(value: object) -> ZoneInfo:
    word = plain_text(value, "America/Chicago")
    if word in _zones():
        return ZoneInfo(word)
    near = get_close_matches(word, sorted(_zones()), n=1)
    hint = f"did you mean “{near[0]}”?" if near else "write an IANA zone, as “America/Chicago”."
    raise ValueError(f"{shown(word)} is no time zone; {hint}")


@cache
def _zones() -> frozenset[str]:
    """The IANA zones. This machine's own (`localtime`) would be another zone on the next machine."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})
