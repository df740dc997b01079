"""When somebody is reminded of interest: the morning before its day, then once a week, in any zone, on any clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DAY, book, loan, move, treasury

from bot.domain.book import Register
from bot.domain.interest_reminders import Reminder, reminder_told, reminders
from bot.domain.terms import InterestMode
from bot.domain.treasury import Account, Claim, Treasury
from bot.domain.words import plain_text

OPENED = datetime(2026, 1, 10, tzinfo=UTC)
ZONES = ("UTC", "America/Chicago", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin")
MORNINGS = st.sampled_from([time(0), time(6, 30), time(9), time(23, 59)])


def register(ours: str = "UTC", lenders: str = "UTC", **more: object) -> Treasury:
    paying = loan(rate=Fraction(7, 100), interest=InterestMode.PAID, zone=ZoneInfo(lenders))
    return replace(treasury(paying, opened=OPENED, zone=ZoneInfo(ours)), **more)


def by(made: Treasury, when: datetime, at: time = time(9)) -> list[Reminder]:
    return list(reminders(book(made, None, when), at))


def names(made: Treasury, when: datetime, at: time = time(9)) -> list[str]:
    return [one.name.removeprefix("antalpha:") for one in by(made, when, at)]


def through(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += timedelta(hours=5)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(ZONES), MORNINGS)
def test_each_comes_on_a_morning_the_first_two_around_the_day_and_then_a_week_apart(
    ours: str, lenders: str, at: time
) -> None:
    """Asked every five hours from February to April, with the changes of the clocks in March."""
    made, zone = Register.of(register(ours, lenders)), ZoneInfo(ours)
    first: dict[str, Reminder] = {}
    for when in through(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)):
        for one in reminders(book(made, None, when), at):
            assert one.since <= when
            first.setdefault(one.name, one)
            assert first[one.name].since == one.since
    begins = datetime(2026, 3, 1, tzinfo=ZoneInfo(lenders)).astimezone(UTC)
    march = {name.split(":")[2]: one.since for name, one in first.items() if ":2026-03-01:" in name}
    assert list(march) == ["before", "late1", "late2", "late3", "late4", "late5"][: len(march)]
    assert len(march) >= 5
    assert timedelta(0) < begins - march["before"] <= DAY
    assert timedelta(0) <= march["late1"] - (begins + DAY) < DAY
    local = [since.astimezone(zone) for since in march.values()]
    assert {one.time() for one in local} == {at}
    weeks = [later.date() - earlier.date() for earlier, later in pairwise(local[1:])]
    assert set(weeks) == {timedelta(weeks=1)}


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-02-28T08:59:59", ["2026-02-01:late4"]),
        ("2026-02-28T09:00:00", ["2026-02-01:late4", "2026-03-01:before"]),  # a Saturday
        ("2026-03-01T23:59:59", ["2026-02-01:late4", "2026-03-01:before"]),
        ("2026-03-02T00:00:00", []),  # what is overdue now has its own mornings
        ("2026-03-02T09:00:00", ["2026-03-01:late1"]),
        ("2026-03-09T08:59:59", ["2026-03-01:late1"]),
        ("2026-03-09T09:00:00", ["2026-03-01:late2"]),
        ("2026-03-31T09:00:00", ["2026-03-01:late5", "2026-04-01:before"]),
        ("2026-04-02T09:00:00", ["2026-04-01:late1"]),
    ],
)
def test_what_is_to_be_there(when: str, said: list[str]) -> None:
    assert names(register(), datetime.fromisoformat(when).replace(tzinfo=UTC)) == said


def test_each_facility_is_reminded_of_by_itself_and_one_that_is_paid_is_not() -> None:
    other = replace(register().facilities[0], id="matador", lender="Matador")
    january = move("interest_paid", OPENED + 22 * DAY, usd="1283333.33")
    made = replace(register(), facilities=(register().facilities[0], other), movements=(january,))
    assert [one.name for one in by(made, datetime(2026, 2, 3, tzinfo=UTC))] == ["matador:2026-02-01:late1"]


def test_it_says_what_is_due_the_cash_there_is_and_the_next_step() -> None:
    poor = register(accounts=(Account("custody", 0, 1_000_000_00),))
    late = datetime(2026, 2, 2, 9, tzinfo=UTC)
    (one,) = by(poor, late)
    assert one.due == date(2026, 2, 1)
    assert reminder_told(book(poor, None, late), one).text == (
        "Antalpha: $1,283,333.33 of interest overdue since 1 Feb (1 day)\n"
        "Cash $1.00M, $283,333.33 too little. Record it as interest_paid once it is paid: until then it stays in "
        "the debt of $301.34M, and this comes once a week."
    )
    before = datetime(2026, 1, 31, 9, tzinfo=UTC)
    (one,) = by(register(), before)
    assert reminder_told(book(register(), None, before), one).text == (
        "Antalpha: $1,283,333.33 of interest due tomorrow, 1 Feb\n"
        "Cash $500.00M. Record it as interest_paid once it is paid: until then it stays in the debt of $301.23M."
    )


def test_what_is_claimed_as_paid_is_to_be_confirmed_and_not_recorded_again() -> None:
    """The cash has left its account: that it is too little would be untrue."""
    when = datetime(2026, 2, 1, 12, tzinfo=UTC)
    paid = move("interest_paid", when, "wire 1", account="custody", usd="1283333.33")
    claim = Claim(1, paid, "U1", "Ada", when)
    made = register(accounts=(Account("custody", 0, 1_283_333_33),), claims=(claim,))
    late = datetime(2026, 2, 2, 9, tzinfo=UTC)
    (one,) = by(made, late)
    told = plain_text(reminder_told(book(made, None, late), one).text)
    assert told == (
        "Antalpha: $1,283,333.33 of interest overdue since 1 Feb (1 day)\n"
        "Not confirmed: paid $1,283,333.33 of interest to antalpha (“wire 1”), Sun 1 Feb 12:00, claimed by Ada Sun "
        "12:00. Have a second operator confirm it, or withdraw it: until then it stays in the debt of $301.34M, and "
        "this comes once a week."
    )


def test_a_day_that_is_the_lenders_tomorrow_and_not_ours_is_said_by_its_date_alone() -> None:
    """In Kiritimati 1 March begins when it is four in the morning of 28 February in Chicago."""
    made, when = register("America/Chicago", "Pacific/Kiritimati"), datetime(2026, 2, 27, 15, tzinfo=UTC)
    said = [reminder_told(book(made, None, when), one).headline for one in by(made, when)]
    assert said[-1] == "Antalpha: $1,633,333.34 of interest due 1 Mar"
