"""The month-end report: due on the first working day after the month, once a month in any zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import book, btc, move, treasury

from bot.domain.audit import Head
from bot.domain.month_end import last_month_end, report_told
from bot.domain.periods import Calendar
from bot.domain.production import month_ends
from bot.domain.treasury import Policy, Statement, Treasury
from bot.domain.words import plain_text

NINE = time(9)
OPENED = datetime(2025, 12, 1, tzinfo=UTC)
ZONES = ("UTC", "America/Chicago", "Asia/Tokyo", "Pacific/Kiritimati", "Europe/Berlin")


def register(zone: str = "UTC", mines: str = "UTC", *closed: date) -> Treasury:
    office = Calendar("office", ZoneInfo(zone), time(8), time(17), frozenset(closed))
    return treasury(
        opened=OPENED,
        zone=ZoneInfo(zone),
        production_zone=ZoneInfo(mines),
        calendars={"office": office} if closed else {},
    )


@pytest.mark.parametrize(
    ("now", "month", "due"),
    [
        ("2026-01-01T08:59:59", "2025-11", "2025-12-01T09:00:00"),
        ("2026-01-01T09:00:00", "2025-12", "2026-01-01T09:00:00"),  # a Thursday, and no calendar closes it
        ("2026-02-02T08:59:59", "2025-12", "2026-01-01T09:00:00"),
        ("2026-02-02T09:00:00", "2026-01", "2026-02-02T09:00:00"),  # the first is a Sunday
        ("2026-03-01T12:00:00", "2026-01", "2026-02-02T09:00:00"),
    ],
)
def test_it_is_due_at_nine_of_the_first_weekday_after_the_month(now: str, month: str, due: str) -> None:
    found = last_month_end(register(), NINE, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (found.month, found.due_at) == (month, datetime.fromisoformat(due).replace(tzinfo=UTC))


def test_a_day_that_a_calendar_closes_is_no_working_day() -> None:
    closed = register("UTC", "UTC", date(2026, 1, 1), date(2026, 1, 2))
    found = last_month_end(closed, NINE, datetime(2026, 1, 6, tzinfo=UTC))
    assert found.due_at == datetime(2026, 1, 5, 9, tzinfo=UTC)


@given(st.sampled_from(ZONES), st.sampled_from(ZONES), st.integers(0, 365 * 24 * 4), st.integers(0, 23))
def test_each_month_is_due_once_after_its_end_and_before_the_next(zone: str, mines: str, hours: int, at: int) -> None:
    made, now = register(zone, mines), datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
    found = last_month_end(made, time(at), now)
    assert month_ends(found.month, ZoneInfo(mines)) <= found.due_at <= now
    assert found.due_at.astimezone(ZoneInfo(zone)).weekday() < 5
    assert found.due_at - month_ends(found.month, ZoneInfo(mines)) < timedelta(days=4)
    assert now - found.due_at < timedelta(days=36)
    assert last_month_end(made, time(at), found.due_at) == found
    before = last_month_end(made, time(at), found.due_at - timedelta(microseconds=1))
    assert month_ends(before.month, ZoneInfo(mines)) < month_ends(found.month, ZoneInfo(mines))


def test_it_says_what_is_to_be_checked_by_when_and_where_the_coins_came_from() -> None:
    made = replace(
        register(),
        policy=Policy(statement_due_day=5, plan_btc_per_month=btc("400")),
        movements=(
            move("mined", datetime(2026, 1, 5, tzinfo=UTC), btc="310", region="Oman"),
            move("sold", datetime(2026, 1, 6, tzinfo=UTC), btc="10", usd="700000", venue="OTC"),
        ),
    )
    due = datetime(2026, 2, 2, 9, tzinfo=UTC)
    said = report_told(book(made, None, due), "2026-01", due + timedelta(minutes=15), Head(7, "ab" * 32))
    assert said.text.split("\n") == [
        "January 2026: mined 310.00 BTC, sold 10.00 BTC, 8,300.00 BTC held",
        "Check it and record the statement of January 2026, by 5 Feb: what it holds is compared with the movements.",
        "Production:",
        "Opening 8,000.00 + mined 310.00 − sold 10.00 + other 0.00 = 8,300.00 BTC.",
        "Mined 10.00 BTC a day; 310.00 of 400.00 BTC planned, 22.50 % short.",
        "Sold 10.00 BTC, 3.23 % of the 310.00 BTC mined.",
        "Received $700,000.00: $70,000.00 a coin after fees.",
        "Statement: none.",
        "To be looked at:",
        "January 2026 is behind plan: 310.00 of 400.00 BTC planned, 22.50 % short.",
        "Mined at:",
        "Oman: 310.00 BTC, 100.00 %",
        "Sold:",
        "sold 06 00:00:00 at OTC: 10.00 BTC for $700,000.00, $70,000.00 a coin after fees",
        "Audit log: 7 entries, head abababababababab",
    ]
    stated = replace(made, statements=(Statement("2026-01", btc("310"), btc("10"), btc("8300.5")),))
    late = report_told(book(stated, None, due), "2026-01", due + timedelta(hours=25))
    assert late.advice == "It is stated: the statement holds 0.50 BTC more than the movements."
    assert (
        plain_text(late.note)
        == "Late: it was due Mon 2 Feb 09:00, 25 h ago. Its figures are those of then, not of now."
    )
