"""The month-end report, posted: once on its first working day, late if need be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.services.turns import Turn

from .teams import Team, team
from .test_slack_bench import TREASURY


@pytest.fixture
def workers(database_url: str) -> Iterator[Team]:
    with team(database_url) as made:
        made.imports()
        yield made


@pytest.fixture
def only_sqlite(sqlite_url: str) -> Iterator[Team]:
    """For what no other database would change; nothing is imported yet."""
    with team(sqlite_url) as made:
        yield made


def test_a_months_report_is_posted_once_on_its_first_working_day_and_late_after_an_outage(workers: Team) -> None:
    workers.clock.set(datetime(2026, 3, 2, 14, 59, tzinfo=UTC))
    assert workers.first.post_month_end() is None  # January is not all of it known, and February's is not due yet
    workers.joins()
    workers.clock.set(datetime(2026, 3, 2, 15, tzinfo=UTC))  # Monday, 09:00 in Chicago
    assert [worker.post_month_end() for worker in workers.workers] == [Turn.DONE, Turn.ALREADY]
    assert workers.posted() == ["February 2026: mined 0.00 BTC, sold 3,650.00 BTC, 3,824.62 BTC held"]
    workers.clock.set(datetime(2026, 4, 2, 9, tzinfo=UTC))
    late = workers.joins()
    assert [late.post_month_end(), workers.first.post_month_end()] == [Turn.DONE, Turn.ALREADY]
    assert workers.posted()[1:] == ["March 2026: mined 0.00 BTC, sold 0.00 BTC, 3,824.62 BTC held"]
    text = workers.slack.channel("C2")[1].text
    assert "Late: it was due Wed 1 Apr 09:00, 19 h ago." in text
    assert "Check it and record the statement of March 2026, by 5 Apr" in text


def test_a_months_report_says_what_came_after_its_own_instant(only_sqlite: Team) -> None:
    only_sqlite.imports()
    stated = '[[statement]]\nmonth="2026-02"\nmined="0"\nsold="3650"\nheld="3824.62"\n'
    only_sqlite.imports(TREASURY + stated, datetime(2026, 3, 2, 20, tzinfo=UTC))
    assert only_sqlite.first.post_month_end() is Turn.DONE
    only_sqlite.delivers()
    (message,) = only_sqlite.slack.channel("C2")
    assert message.text.split("\n")[1] == "It is stated: the statement and the movements both hold 3,824.62 BTC."
    assert "and counts: statement 2026-02 (recorded Mon 2 Mar 14:00)." in message.text
