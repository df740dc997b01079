"""Weeks as the digest counts them: from one weekly local time to the next, each named by the ISO week it is most of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.periods import local_day, local_instant

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_WEEK = timedelta(days=7)
_TO_ITS_MIDDLE = timedelta(days=3)
_WRITTEN = re.compile(r"([a-z]+)\s+(\d{1,2}):(\d{2})\Z", re.ASCII)
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Week:
    """The week that ends at `ends`: what happened in (`begins`, `ends`] is in it. `name`: "2026-W06".

    It is the ISO week of the local day three days before the last: the one that most of it lies in.
    """

    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Weekly:
    """A local time once a week; `weekday` is 0 for Monday.

    It happens once in every week, whatever clocks do: of an hour that comes twice the first counts, and of an hour
    that is left out the same time by the clock as it was before (02:30 becomes 03:30).
    """

    weekday: int
    at: time

    @classmethod
    def parse(cls, text: str) -> Weekly:
        """Reads "mon 09:00". ValueError: it is no weekday and time."""
        found = _WRITTEN.match(" ".join(text.lower().split()))
        if not found or not (found[1] in WEEKDAYS or found[1] in _NAMES):
            raise ValueError(f"“{text}” is not a weekday and a time; write it as mon 09:00")
        hour, minute = int(found[2]), int(found[3])
        if hour > 23 or minute > 59:
            raise ValueError(f"“{text}” is no time of the day; write it as mon 09:00")
        return cls(WEEKDAYS.index(found[1][:3]), time(hour, minute))

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.at:%H:%M}"

    def ended(self, now: datetime, zone: ZoneInfo) -> Week:
        """The last week that has ended at `now`, in `zone`."""
        return self._until(self._last_day(now, zone), zone)

    def running(self, now: datetime, zone: ZoneInfo) -> Week:
        """The week that `now` lies in."""
        return self._until(self._last_day(now, zone) + ONE_WEEK, zone)

    def before(self, week: Week, zone: ZoneInfo) -> Week:
        """The week that ended where `week` begins."""
        return self.ended(week.begins, zone)

    def _until(self, day: date, zone: ZoneInfo) -> Week:
        year, number, _ = (day - _TO_ITS_MIDDLE).isocalendar()
        begins, ends = (local_instant(one, self.at, zone) for one in (day - ONE_WEEK, day))
        return Week(f"{year:04d}-W{number:02d}", begins, ends)

    def _last_day(self, now: datetime, zone: ZoneInfo) -> date:
        """The local day of the last time it was due, at or before `now`."""
        today = local_day(now, zone)
        day = today + timedelta(days=self.weekday - today.weekday()) + ONE_WEEK
        while local_instant(day, self.at, zone) > now:
            day -= ONE_WEEK
        return day
