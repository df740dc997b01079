"""When rails shut for longer than overnight: weekends, holidays, and weekends with holidays beside them.

A bank calendar is one that an account holding bank dollars names: while it is closed no wire leaves that account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain.periods import ONE_DAY, Calendar, local_day, local_instant
from bot.domain.treasury import Holds, Treasury

NOON = time(12)
AHEAD = timedelta(hours=2)
"""How long before the last wire it is said, where noon would be later."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A closed period of `calendar` with at least one closed day in it, from `shuts` on until it `opens`.

    `day` is the last open day before it, in the calendar's zone; a wire of that day leaves before `shuts`.
    """

    calendar: Calendar
    day: date
    shuts: datetime
    opens: datetime

    @property
    def said_at(self) -> datetime:
        """When it is to be spoken of: at noon of the last open day, and at least two hours before the last wire."""
        return min(local_instant(self.day, NOON, self.calendar.zone), self.shuts - AHEAD)

    @property
    def name(self) -> str:
        """What no other is called: "new-york:2026-02-06"."""
        return f"{self.calendar.id}:{self.day}"


def bank_calendars(treasury: Treasury) -> tuple[Calendar, ...]:
    """Every calendar by which bank dollars move, in the order of the accounts."""
    named = [one.calendar for one in treasury.accounts if one.holds is Holds.BANK and one.calendar]
    return tuple(treasury.calendars[name] for name in dict.fromkeys(named) if name in treasury.calendars)


def closures(calendar: Calendar, at: datetime) -> Iterator[Closure]:
    """Every closed period that is not over at `at`, in order and without end: one that has begun comes first.

    A night between two open days that follow each other is none.
    """
    day = local_day(at, calendar.zone)
    while not calendar.is_open_day(day) or local_instant(day, calendar.open, calendar.zone) > at:
        day -= ONE_DAY
    while True:
        after = _next_open_day(calendar, day)
        if after - day > ONE_DAY:
            shuts = local_instant(day, calendar.close, calendar.zone)
            opens = local_instant(after, calendar.open, calendar.zone)
            if opens > at:
                yield Closure(calendar, day, shuts, opens)
        day = after


def next_closure(calendar: Calendar, at: datetime) -> Closure:
    """The closed period that `at` lies in, else the next one."""
    return next(closures(calendar, at))


def bank_closures(treasury: Treasury, at: datetime) -> list[Closure]:
    """The next closed period of each bank calendar, or that which `at` lies in; the first to shut comes first."""
    ahead = (next_closure(calendar, at) for calendar in bank_calendars(treasury))
    return sorted(ahead, key=lambda one: one.shuts)


def _next_open_day(calendar: Calendar, day: date) -> date:
    day += ONE_DAY
    while not calendar.is_open_day(day):
        day += ONE_DAY
    return day
