"""When rails shut for longer than overnight, held against a walk through the calendar hour by hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import treasury

from bot.domain.closures import Closure, bank_calendars, closures, next_closure
from bot.domain.periods import Calendar
from bot.domain.treasury import Account, Holds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW_YORK = Calendar("new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)}))
ZONES = ("America/New_York", "Europe/London", "Asia/Hong_Kong", "Australia/Sydney", "Africa/Cairo", "UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "shuts", "opens"),
    [
        ("02-04T12:00", "02-06T22:00", "02-09T14:00"),
        ("02-06T21:59:59", "02-06T22:00", "02-09T14:00"),
        ("02-06T22:00", "02-06T22:00", "02-09T14:00"),  # it has begun
        ("02-09T13:59:59", "02-06T22:00", "02-09T14:00"),
        ("02-09T14:00", "02-13T22:00", "02-17T14:00"),  # with the holiday Monday behind it
        ("02-16T15:00", "02-13T22:00", "02-17T14:00"),
        ("03-05T12:00", "03-06T22:00", "03-09T13:00"),  # clocks go forward on the Sunday: an hour shorter
        ("10-30T12:00", "10-30T21:00", "11-02T14:00"),  # and back: an hour longer
    ],
)
def test_it_is_from_the_last_close_to_the_next_opening(at: str, shuts: str, opens: str) -> None:
    found = next_closure(NEW_YORK, utc(at))
    assert (found.shuts, found.opens) == (utc(shuts), utc(opens))


def test_a_holiday_within_the_week_is_one_and_a_night_is_none() -> None:
    christmas = Calendar("c", NEW_YORK.zone, time(9), time(17), frozenset({date(2026, 11, 11)}))
    found = list(islice(closures(christmas, utc("11-09T15:00")), 2))
    assert [(one.day, one.shuts, one.opens) for one in found] == [
        (date(2026, 11, 10), utc("11-10T22:00"), utc("11-12T14:00")),
        (date(2026, 11, 13), utc("11-13T22:00"), utc("11-16T14:00")),
    ]


@pytest.mark.parametrize(
    ("close", "said_at"), [("17:00", "12:00"), ("14:00", "12:00"), ("13:30", "11:30"), ("11:00", "09:00")]
)
def test_it_is_spoken_of_at_noon_and_two_hours_before_the_last_wire_at_least(close: str, said_at: str) -> None:
    early = Calendar("early", NEW_YORK.zone, time(8), time.fromisoformat(close))
    local = next_closure(early, utc("02-04T12:00")).said_at.astimezone(early.zone)
    assert (f"{local:%H:%M}", local.date()) == (said_at, date(2026, 2, 6))


def test_bank_calendars_are_those_that_accounts_with_bank_dollars_name_once_each() -> None:
    hong_kong = Calendar("hong-kong", ZoneInfo("Asia/Hong_Kong"), time(9), time(18))
    idle = Calendar("idle", NEW_YORK.zone, time(9), time(17))
    made = treasury(
        calendars={"new-york": NEW_YORK, "hong-kong": hong_kong, "idle": idle},
        accounts=(
            Account("a", calendar="hong-kong"),
            Account("b", holds=Holds.USDT, calendar="idle"),
            Account("c", holds=Holds.POOL, calendar="idle"),
            Account("d"),
            Account("e", calendar="new-york"),
            Account("f", calendar="hong-kong"),
        ),
    )
    assert [one.id for one in bank_calendars(made)] == ["hong-kong", "new-york"]


def walked(calendar: Calendar, at: datetime) -> tuple[datetime, datetime]:
    """The closed period of `at` or the next, seen half an hour at a time by the clock on the bank's wall.

    It is one where between the day of the last open half hour and that of the next there is another day.
    """
    step = timedelta(minutes=30)
    now, last_open = at.replace(minute=0, second=0, microsecond=0) - 20 * DAY, None
    while True:
        local = now.astimezone(calendar.zone)
        weekend = local.strftime("%a") in ("Sat", "Sun")
        if not weekend and local.date() not in calendar.closed and calendar.open <= local.time() < calendar.close:
            if last_open is not None and now > at:
                day = last_open.astimezone(calendar.zone).date()
                if (local.date() - day).days > 1:
                    return last_open + step, now
            last_open = now
        now += step


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from([(9, 17), (8, 12), (10, 18), (3, 23)]),
    st.sampled_from(["2026-03-01", "2026-03-20", "2026-04-20", "2026-10-01", "2026-10-20", "2026-11-01"]),
    st.integers(0, 20 * 48),
    st.sets(st.integers(0, 35), max_size=12),
)
def test_it_is_what_a_walk_through_the_hours_finds(
    zone: str, hours: tuple[int, int], begin: str, halves: int, closed: set[int]
) -> None:
    """Around every change of clocks of the year, with any days closed."""
    first = date.fromisoformat(begin)
    off = frozenset(first + n * DAY for n in closed)
    calendar = Calendar("c", ZoneInfo(zone), time(hours[0]), time(hours[1]), off)
    at = datetime(first.year, first.month, first.day, tzinfo=UTC) + halves * timedelta(minutes=30)
    found: Closure = next_closure(calendar, at)
    assert (found.shuts, found.opens) == walked(calendar, at)
    assert not calendar.is_open(found.shuts)
    assert calendar.is_open(found.shuts - timedelta.resolution)
    assert calendar.is_open(found.opens)
    assert not calendar.is_open(found.opens - timedelta.resolution)
    assert found.said_at < found.shuts
