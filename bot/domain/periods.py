"""Time as treasuries mean it: aware instants, local midnights, days on which a bank or desk is open.

Every instant is aware UTC; every zone is an IANA zone. A naive datetime is an error wherever it turns up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(2009, 1, 3), date(2199, 12, 31)
"""The days there can be something to say of: bitcoin begins with the first, and far-off ones are slips of the pen."""

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
SATURDAY = 5


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC. ValueError where it is naive: nobody knows when that is."""
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; write it with one, as 2026-01-31T23:59:59Z")
    return instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """`instant` as in files and JSON: "2026-01-31T23:59:59Z", fractions of a second only where there are some."""
    text = as_utc(instant).isoformat(timespec="auto" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of `at` o'clock on `day` in `zone`; of an hour that happens twice, the first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins in `zone`."""
    return local_instant(day, time.min, zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `instant` in `zone`."""
    return instant.astimezone(zone).date()


def midnights(after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every local midnight in (after, until], in order."""
    day = local_day(after, zone) + ONE_DAY
    while (instant := midnight(day, zone)) <= until:
        yield instant
        day += ONE_DAY


@dataclass(frozen=True, slots=True)
class Calendar:
    """When bank dollars move, desks work and days count: weekdays from `open` to `close` but for `closed` days."""

    id: str
    zone: ZoneInfo
    open: time
    close: time
    closed: frozenset[date] = frozenset()

    def is_open_day(self, day: date) -> bool:
        return day.weekday() < SATURDAY and day not in self.closed

    def is_open(self, instant: datetime) -> bool:
        local = instant.astimezone(self.zone)
        return self.is_open_day(local.date()) and self.open <= local.time() < self.close

    def next_open(self, instant: datetime) -> datetime:
        """The first instant at or after `instant` at which the calendar is open."""
        if self.is_open(instant):
            return instant
        day = local_day(instant, self.zone)
        while not self.is_open_day(day) or local_instant(day, self.open, self.zone) < instant:
            day += ONE_DAY
        return local_instant(day, self.open, self.zone)
