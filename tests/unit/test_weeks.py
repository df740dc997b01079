"""Weeks: one end in every ISO week, in any zone, whatever clocks do; their names; what DIGEST_AT refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.weeks import Weekly

MONDAY = Weekly(0, time(9))
CHICAGO, BERLIN = ZoneInfo("America/Chicago"), ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC",
    "America/Chicago",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Santiago",  # changes at midnight
    "Africa/Cairo",  # changes at midnight
    "Atlantic/Azores",  # midnight happens twice
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # changes by half an hour
    "Antarctica/Troll",  # changes by two hours
    "Pacific/Kiritimati",
)
MINUTE = timedelta(minutes=1)

weeklies = st.builds(Weekly, st.integers(0, 6), st.times().map(lambda at: at.replace(second=0, microsecond=0)))
zones = st.sampled_from(ZONES).map(ZoneInfo)
seconds = int(timedelta(days=365 * 17).total_seconds())
instants = st.integers(0, seconds).map(lambda after: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=after))
weeks = st.builds(date.fromisocalendar, st.integers(2020, 2037), st.integers(1, 52), st.just(1))


def shown(instant: datetime, zone: ZoneInfo) -> tuple[date, time]:
    """What the clock on the wall shows, to the minute."""
    local = instant.astimezone(zone)
    return local.date(), local.time().replace(second=0, microsecond=0, tzinfo=None, fold=0)


@settings(max_examples=50)
@given(weeklies, zones, weeks)
def test_every_iso_week_has_exactly_one_end_in_any_zone(weekly: Weekly, zone: ZoneInfo, monday: date) -> None:
    """Against the clock on the wall, looked at every hour of three weeks."""
    start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC) - timedelta(days=7)
    looks = [start + timedelta(hours=1) * n for n in range(24 * 21)]
    ends = sorted({weekly.ended(look, zone).ends for look in looks})
    of_this = [end for end in ends if shown(end, zone)[0].isocalendar()[:2] == monday.isocalendar()[:2]]
    assert len(of_this) == 1
    (end,) = of_this
    day = monday + timedelta(days=weekly.weekday)
    around = [end + MINUTE * n for n in range(-26 * 60, 26 * 60)]
    times = [instant for instant in around if shown(instant, zone) == (day, weekly.at)]
    if times:
        assert end == times[0]  # of an hour that comes twice, the first
    else:  # an hour that the clocks left out: later on the same day
        assert shown(end, zone)[0] == day
        assert weekly.at < shown(end, zone)[1]


@given(weeklies, zones, instants)
def test_weeks_follow_each_other_and_every_instant_is_in_one(weekly: Weekly, zone: ZoneInfo, now: datetime) -> None:
    week, running = weekly.ended(now, zone), weekly.running(now, zone)
    assert week.begins < week.ends <= now < running.ends
    assert running.begins == week.ends
    assert weekly.before(running, zone) == week
    assert week.ends - week.begins - timedelta(days=7) in (timedelta(hours=h / 2) for h in (-4, -2, -1, 0, 1, 2, 4))
    assert weekly.ended(week.ends, zone) == week
    assert weekly.ended(week.ends - timedelta.resolution, zone) == weekly.before(week, zone)


@given(weeklies, zones, weeks)
def test_a_week_has_the_name_of_the_iso_week_that_most_of_it_lies_in(
    weekly: Weekly, zone: ZoneInfo, monday: date
) -> None:
    week = weekly.running(datetime(monday.year, monday.month, monday.day, 12, tzinfo=UTC), zone)
    hours = [week.begins + timedelta(hours=n) for n in range(int((week.ends - week.begins).total_seconds()) // 3600)]
    counted: dict[str, int] = {}
    for hour in hours:
        year, number, _ = hour.astimezone(zone).date().isocalendar()
        counted[f"{year}-W{number:02d}"] = counted.get(f"{year}-W{number:02d}", 0) + 1
    assert counted[week.name] >= max(counted.values()) - 24  # on a Thursday the halves are as long but for hours


def test_names_never_repeat_over_many_years() -> None:
    for weekday in range(7):
        weekly, now, names = Weekly(weekday, time(9)), datetime(2020, 1, 10, tzinfo=UTC), []
        while now.year < 2036:
            names.append(weekly.ended(now, CHICAGO).name)
            now += timedelta(days=7)
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("weekly", "now", "name", "begins", "ends"),
    [
        (MONDAY, "2026-02-09T15:00:00Z", "2026-W06", "2026-02-02T15:00:00Z", "2026-02-09T15:00:00Z"),
        (MONDAY, "2026-02-09T14:59:59Z", "2026-W05", "2026-01-26T15:00:00Z", "2026-02-02T15:00:00Z"),
        (Weekly(4, time(17)), "2026-02-06T23:00:00Z", "2026-W06", "2026-01-30T23:00:00Z", "2026-02-06T23:00:00Z"),
        (MONDAY, "2026-01-05T16:00:00Z", "2026-W01", "2025-12-29T15:00:00Z", "2026-01-05T15:00:00Z"),
        # clocks went forward on 8 March: the week has 167 hours
        (MONDAY, "2026-03-09T14:00:00Z", "2026-W10", "2026-03-02T15:00:00Z", "2026-03-09T14:00:00Z"),
        # and back on 1 November: 169
        (MONDAY, "2026-11-02T15:00:00Z", "2026-W44", "2026-10-26T14:00:00Z", "2026-11-02T15:00:00Z"),
        # in the hour that is left out, and in the one that comes twice
        (Weekly(6, time(2, 30)), "2026-03-08T12:00:00Z", "2026-W10", "2026-03-01T08:30:00Z", "2026-03-08T08:30:00Z"),
        (Weekly(6, time(1, 30)), "2026-11-01T12:00:00Z", "2026-W44", "2026-10-25T06:30:00Z", "2026-11-01T06:30:00Z"),
    ],
)
def test_chicago(weekly: Weekly, now: str, name: str, begins: str, ends: str) -> None:
    week = weekly.ended(datetime.fromisoformat(now), CHICAGO)
    assert (week.name, week.begins, week.ends) == (name, datetime.fromisoformat(begins), datetime.fromisoformat(ends))


@pytest.mark.parametrize(("now", "hours"), [("2026-03-30T08:00:00Z", 167), ("2026-10-26T09:00:00Z", 169)])
def test_berlin_changes_on_other_days(now: str, hours: int) -> None:
    week = MONDAY.ended(datetime.fromisoformat(now), BERLIN)
    assert week.ends - week.begins == timedelta(hours=hours)
    assert week.ends.astimezone(BERLIN).hour == week.begins.astimezone(BERLIN).hour == 9


@pytest.mark.parametrize(
    ("text", "read"),
    [("mon 09:00", MONDAY), ("Sunday  9:05", Weekly(6, time(9, 5))), ("FRI 23:59", Weekly(4, time(23, 59)))],
)
def test_it_reads_a_weekday_and_a_time(text: str, read: Weekly) -> None:
    assert Weekly.parse(text) == read
    assert Weekly.parse(str(read)) == read


@pytest.mark.parametrize(
    "text", ["", "mon", "09:00", "monde 09:00", "mon 9", "mon 24:00", "mon 09:60", "mon 09:00 CET"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as mon 09:00"):
        Weekly.parse(text)
