"""When a lender's notice is due: windows in hours and in open days, over weekends, holidays and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW, at, book, contract, entry, loan, notice, tier, treasury

from bot.domain.calls import deadline
from bot.domain.periods import Calendar, as_utc, iso, local_instant, midnight, midnights

NEW_YORK = ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")
DESK = Calendar("new-york", NEW_YORK, time(9), time(17), frozenset({date(2026, 2, 16)}))


def due(when: datetime, **window: Any) -> str | None:
    found = deadline(tier("call", "0.75", **window), when, {"new-york": DESK}, CHICAGO)
    return iso(found) if found else None


def in_days(when: str, **more: Any) -> str | None:
    """Due under one open day of New York, for a notice at a New York time."""
    local = datetime.fromisoformat(f"2026-{when}").replace(tzinfo=NEW_YORK)
    return due(local.astimezone(UTC), **{"window_days": 1, "calendar": "new-york", **more})


# -- hours --


def test_hours_run_through_nights_weekends_and_clock_changes():
    assert due(at("02-07 14:15"), window_hours=24) == "2026-02-08T14:15:00Z"
    assert due(at("03-08 06:30"), window_hours=24) == "2026-03-09T06:30:00Z"  # 23 h on a clock of Chicago


def test_without_a_window_there_is_no_deadline():
    assert due(NOW) is None
    tiers = (tier("call", "0.75", "margin call", cure_to="0.65"),)
    said = entry(book(treasury(loan(tiers=tiers), notices=(notice(NOW),)), "55000"))
    assert (said["call"]["due"], said["call"]["state"]) == (None, "open")


def test_the_notices_own_deadline_counts_before_any_window():
    called = treasury(notices=(notice(NOW, due=at("02-05 09:30")),))
    assert entry(book(called, "55000"))["call"]["due"] == "2026-02-05T09:30:00Z"


# -- open days --


def test_a_notice_within_hours_is_due_the_next_open_day_at_the_close():
    assert in_days("02-11 10:00") == "2026-02-12T22:00:00Z"
    assert in_days("02-11 08:00") == "2026-02-12T22:00:00Z"  # before the desk opens, but on its day


def test_a_notice_at_the_close_is_in_time_and_a_second_later_is_not():
    assert in_days("02-11 17:00") == "2026-02-12T22:00:00Z"
    assert in_days("02-11 17:00:01") == "2026-02-13T22:00:00Z"


def test_a_notice_on_a_friday_evening_before_a_holiday_counts_from_tuesday():
    assert in_days("02-13 11:00") == "2026-02-17T22:00:00Z"  # Friday is day 0; Monday is closed
    assert in_days("02-13 19:00") == "2026-02-18T22:00:00Z"  # Tuesday is day 0
    assert in_days("02-13 16:00", notice_cutoff=time(15)) == "2026-02-18T22:00:00Z"
    assert in_days("02-13 19:00", notice_cutoff=time(20)) == "2026-02-17T22:00:00Z"
    assert in_days("02-13 15:00", notice_cutoff=time(15)) == "2026-02-17T22:00:00Z"


@pytest.mark.parametrize("when", ["02-14 10:00", "02-15 23:00", "02-16 10:00"])
def test_a_notice_on_a_closed_day_counts_from_the_next_open_one(when):
    assert in_days(when) == "2026-02-18T22:00:00Z"


def test_it_is_due_at_the_time_that_is_agreed():
    assert in_days("02-11 10:00", due_time=time(10, 30)) == "2026-02-12T15:30:00Z"


def test_no_days_is_due_on_day_0():
    assert in_days("02-11 10:00", window_days=0) == "2026-02-11T22:00:00Z"
    assert in_days("02-13 19:00", window_days=0) == "2026-02-17T22:00:00Z"


def test_the_day_is_that_of_the_calendars_own_zone():
    """22:30 UTC on Wednesday is after the close in New York in winter, and before it in Honolulu."""
    honolulu = Calendar("honolulu", ZoneInfo("Pacific/Honolulu"), time(9), time(17))
    call = tier("call", "0.75", window_days=1, calendar="honolulu")
    assert deadline(call, at("02-12 02:00"), {"honolulu": honolulu}, CHICAGO) == at("02-13 03:00")


def test_the_close_stays_at_five_when_the_clocks_change():
    assert in_days("03-06 12:00") == "2026-03-09T21:00:00Z"  # daylight saving begins on Sunday the 8th
    assert in_days("10-30 12:00") == "2026-11-02T22:00:00Z"  # and ends on Sunday the 1st


def test_without_a_calendar_every_day_is_open_until_five_where_the_treasury_is():
    assert due(at("02-13 20:00"), window_days=1) == "2026-02-14T23:00:00Z"  # Friday 14:00 in Chicago
    assert due(at("02-13 23:00:00"), window_days=1) == "2026-02-14T23:00:00Z"
    assert due(at("02-13 23:00:01"), window_days=1) == "2026-02-15T23:00:00Z"
    assert due(at("02-13 20:00"), window_days=2, due_time=time(12)) == "2026-02-15T18:00:00Z"


def test_the_contracts_file_reads_its_window_of_days():
    edit = (
        "window_hours = 24                     # or window_days = 1, due_time, notice_cutoff, calendar",
        'window_days = 1\n  calendar = "new-york"\n  notice_cutoff = "12:00"',
    )
    said = entry(book(contract(edit), "55000", at("02-07 15:00")))
    assert said["call"]["due"] == "2026-02-10T22:00:00Z"  # Saturday; Monday is day 0


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.integers(0, 9), st.integers(6, 22))  # noqa: DTZ001
def test_between_a_notice_and_its_deadline_lie_just_that_many_open_days(naive, days, cutoff):
    """Counted the other way round: of the open days after day 0, the deadline's is the n-th."""
    when = naive.replace(tzinfo=NEW_YORK)
    found = deadline(
        tier("call", "0.75", window_days=days, calendar="new-york", notice_cutoff=time(cutoff)),
        when.astimezone(UTC),
        {"new-york": DESK},
        CHICAGO,
    )
    end = found.astimezone(NEW_YORK)
    opens = [d for d in (when.date() + timedelta(n) for n in range(40)) if d.weekday() < 5 and d != date(2026, 2, 16)]
    in_time = when.date() == opens[0] and naive.time() <= time(cutoff)
    first = opens[0] if in_time or when.date() != opens[0] else opens[1]
    assert (end.date(), end.time()) == (opens[opens.index(first) + days], time(17))


# -- the calendar itself --


def test_a_desk_is_open_from_its_opening_up_to_its_close():
    def is_open(text: str) -> bool:
        return DESK.is_open(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=NEW_YORK))

    assert [is_open(f"02-11 {clock}") for clock in ("08:59:59", "09:00", "16:59:59", "17:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not is_open("02-14 12:00")
    assert not is_open("02-16 12:00")


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("02-11 13:00", "02-11 14:00"),
        ("02-11 14:00", "02-11 14:00"),
        ("02-11 21:59", "02-11 21:59"),
        ("02-11 22:00", "02-12 14:00"),
        ("02-13 22:00", "02-17 14:00"),
        ("03-07 12:00", "03-09 13:00"),
    ],
)
def test_the_next_opening_is_the_first_open_instant(when, opens):
    assert DESK.next_open(at(when)) == at(opens)


# -- instants --


def test_a_naive_instant_is_an_error():
    with pytest.raises(ValueError, match="has no time zone"):
        as_utc(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="has no time zone"):
        iso(datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_instant_is_printed_in_utc_with_a_fraction_only_where_there_is_one():
    assert iso(datetime(2026, 2, 7, 8, 15, tzinfo=CHICAGO)) == "2026-02-07T14:15:00Z"
    assert iso(datetime(2026, 2, 7, 8, 15, 0, 250_000, tzinfo=UTC)) == "2026-02-07T08:15:00.250000Z"


def test_local_midnights_survive_the_clock_changes():
    found = list(midnights(at("03-07 05:00"), at("03-10 04:00"), NEW_YORK))
    assert found == [at("03-08 05:00"), at("03-09 04:00"), at("03-10 04:00")]


def test_of_an_hour_that_happens_twice_it_is_the_first_and_of_one_that_never_does_the_next():
    assert local_instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == at("11-01 05:30")
    assert local_instant(date(2026, 3, 8), time(2, 30), NEW_YORK) == at("03-08 07:30")
    beirut = ZoneInfo("Asia/Beirut")  # its clocks go forward at midnight: 29 March 2026 begins at 01:00
    assert midnight(date(2026, 3, 29), beirut) == at("03-28 22:00")
