"""Reminders of interest: posted once the day before and while it is late, whoever runs, and not once it is paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.services.interest import JOB
from bot.workspace import faults

from .cli_process import Ran, run_plimsoll
from .teams import DAY, HOUR, MINUTE, Team, Woken, team
from .test_slack_bench import TREASURY, bench, said

PAYING = TREASURY.split("[[call]]")[0].replace('interest = "capitalised"', 'interest = "paid"')
"""$300M at 7 % ACT/360, paid in cash where the treasury is, in Chicago; opened on 31 January at 17:59:59 there."""
FEBRUARY = """
[[movement]]
at = 2026-02-01T18:00:00Z
kind = "interest_paid"
usd = "58333.33"
facility = "antalpha"
account = "custody"
ref = "interest of a day"
"""
PAID = """
[[movement]]
at = {at}
kind = "interest_paid"
usd = "1633333.34"
facility = "antalpha"
account = "custody"
ref = "interest 2026-02"
"""
UNDONE = """
[[movement]]
at = {at}
reverses = "interest 2026-02"
ref = "undo interest 2026-02"
"""
IMPORTED = datetime(2026, 2, 7, 12, tzinfo=UTC)
BEFORE = datetime(2026, 2, 28, 15, tzinfo=UTC)
"""Saturday, 09:00 in Chicago: the morning before the first."""
LATE = BEFORE + 2 * DAY
"""Monday, the morning after it."""
DUE_TOMORROW = "Antalpha: $1,633,333.34 of interest due tomorrow, 1 Mar"
OVERDUE = "Antalpha: $1,633,333.34 of interest overdue since 1 Mar ({})"


class Reminded(Woken):
    """The workers of a team, woken to remind of interest."""

    def __init__(self, team: Team) -> None:
        super().__init__(team, JOB)
        self.text = PAYING + FEBRUARY

    def imports(self, more: str = "", at: datetime | None = None) -> None:
        self.text += more
        self.team.imports(self.text, at or self.team.clock.now())


@pytest.fixture
def workers(database_url: str) -> Iterator[Reminded]:
    """On SQLite and on PostgreSQL."""
    with team(database_url) as made:
        reminded = Reminded(made)
        reminded.imports(at=IMPORTED)
        yield reminded


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Reminded]:
    """For what no other database would change; nothing is imported yet."""
    with team(sqlite_url) as made:
        yield Reminded(made)


# Shown


def test_ltv_in_slack_says_what_is_due_and_what_is_overdue_with_their_dates(on_sqlite: Reminded) -> None:
    with bench(on_sqlite.team.first.store) as bot:
        bot.imports(PAYING)
        bot.price(68_500)
        bot.knows("U1")
        text = said(bot, "/ltv antalpha")
        assert "$58,333.33 of interest overdue since 1 Feb (6 days)." in text
        assert "Interest: $1,633,333.34 due 1 Mar." in text
        bot.clock.set(datetime(2026, 3, 1, 18, tzinfo=UTC))
        bot.knows("U1")
        bot.imports(PAYING + FEBRUARY)
        assert "overdue" not in said(bot, "/ltv antalpha")
        assert "Interest: $1,633,333.34 due today, 1 Mar." in said(bot, "/ltv antalpha")
        assert "interest" not in said(bot, "/ltv antalpha-all").lower()


def test_the_command_line_says_the_same_and_its_json_has_it(on_sqlite: Reminded, tmp_path: Path) -> None:
    on_sqlite.text = PAYING
    on_sqlite.imports(at=IMPORTED)

    def ltv(*options: str) -> Ran:
        asked = ("ltv", "--price", "68500", "--at", "2026-03-04T15:00:00Z", *options)
        return run_plimsoll(tmp_path, *asked, DATABASE_URL=on_sqlite.team.url)

    shown = ltv().out
    assert "\nantalpha\n  $1,691,666.67 of interest overdue, the oldest of it since 1 Feb (31 days).\n" in shown
    assert "\n  Interest: $2,066,666.66 due 1 Apr.\n" in shown
    answer = ltv("--json").json
    assert answer["facilities"][0]["interest_due"] == {
        "usd": "2066666.66",
        "due": "2026-04-01",
        "overdue_usd": "1691666.67",
        "overdue_since": "2026-02-01",
    }
    assert answer["groups"][0]["interest_due"] is None


# Reminded of


def test_it_is_said_the_day_before_and_when_late_each_week_once_by_two_workers_and_after_a_restart(
    workers: Reminded,
) -> None:
    workers.team.joins()
    workers.wakes(BEFORE - MINUTE)
    assert workers.said() == []
    assert workers.wakes_together(BEFORE) in (["busy", "done"], ["already", "done"])
    assert workers.said() == [DUE_TOMORROW]
    workers.team.joins()  # as after a restart: nobody remembers
    workers.over(BEFORE + MINUTE, LATE - MINUTE, 5 * HOUR)
    assert workers.said() == [DUE_TOMORROW]
    workers.wakes(LATE)
    workers.team.joins()
    workers.over(LATE + MINUTE, LATE + 15 * DAY, 9 * HOUR)
    assert workers.said()[1:] == [OVERDUE.format(late) for late in ("1 day", "8 days", "15 days")]
    before, late, *_ = workers.team.slack.channel("C1")
    assert before.text.split("\n")[1] == (
        "Cash $9.94M. Record it as interest_paid once it is paid: until then it stays in the debt of $301.58M."
    )
    assert late.text.split("\n")[1] == (
        "Cash $9.94M. Record it as interest_paid once it is paid: until then it stays in the debt of $301.70M, "
        "and this comes once a week."
    )
    assert "<!" not in before.text + late.text  # nobody is called


def test_what_is_paid_in_time_is_not_late_and_what_was_not_is_late_until_it_is(workers: Reminded) -> None:
    workers.wakes(BEFORE)
    workers.imports(PAID.format(at="2026-03-01T18:00:00Z"), at=LATE - HOUR)
    workers.over(LATE - MINUTE, LATE + 9 * DAY, 7 * HOUR)
    assert workers.said() == [DUE_TOMORROW]
    workers.imports(UNDONE.format(at="2026-03-12T00:00:00Z"), at=LATE + 10 * DAY)  # the bank sent it back
    workers.wakes()
    assert workers.said()[1:] == [OVERDUE.format("11 days")]


def test_paid_before_it_is_due_nothing_is_said(on_sqlite: Reminded) -> None:
    on_sqlite.imports(PAID.format(at="2026-02-27T18:00:00Z").replace("1633333.34", "1516666.67"), at=BEFORE - HOUR)
    on_sqlite.wakes(BEFORE)
    assert on_sqlite.said() == ["Antalpha: $116,666.67 of interest due tomorrow, 1 Mar"]  # two days more
    rest = PAID.format(at="2026-03-01T06:00:00Z").replace("1633333.34", "116666.67")
    on_sqlite.imports(rest.replace("interest 2026-02", "the rest of it"), at=LATE - HOUR)
    on_sqlite.over(LATE, LATE + 8 * DAY, DAY)
    assert len(on_sqlite.said()) == 1


def test_after_an_outage_the_day_before_is_made_up_for_while_the_day_lasts_and_not_later(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=IMPORTED)
    on_sqlite.wakes(BEFORE + 38 * HOUR)  # Sunday, 23:00
    assert on_sqlite.said() == ["Antalpha: $1,633,333.34 of interest due today, 1 Mar"]
    on_sqlite.wakes(BEFORE + 39 * HOUR)  # the day is over
    on_sqlite.wakes(LATE + 6 * DAY)
    assert on_sqlite.said()[1:] == [OVERDUE.format("7 days")]
    on_sqlite.wakes(LATE + 7 * DAY)
    assert on_sqlite.said()[2:] == [OVERDUE.format("8 days")]


def test_an_outage_over_the_day_leaves_the_day_before_unsaid(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=IMPORTED)
    on_sqlite.wakes(LATE - HOUR)
    assert on_sqlite.said() == []
    on_sqlite.wakes(LATE + 9 * DAY)  # of two that were missed the last
    assert on_sqlite.said() == [OVERDUE.format("10 days")]


def test_nothing_of_before_the_first_import_is_said(on_sqlite: Reminded) -> None:
    on_sqlite.wakes(BEFORE)
    on_sqlite.imports(at=BEFORE + MINUTE)
    on_sqlite.over(BEFORE + 2 * MINUTE, LATE - MINUTE, 5 * HOUR)
    assert on_sqlite.said() == []
    on_sqlite.wakes(LATE)
    assert on_sqlite.said() == [OVERDUE.format("1 day")]


def test_a_treasury_that_has_not_opened_owes_nothing(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=datetime(2026, 1, 31, 15, tzinfo=UTC))
    on_sqlite.wakes()
    on_sqlite.wakes(datetime(2026, 2, 2, 15, tzinfo=UTC))
    assert on_sqlite.said() == []


def test_one_killed_after_it_wrote_doubles_nothing(workers: Reminded) -> None:
    workers.team.clock.set(BEFORE)
    assert workers.team.first.interest.post("C1") == ["interest:antalpha:2026-03-01:before"]
    workers.team.joins()
    workers.wakes(BEFORE + MINUTE)
    assert workers.said() == [DUE_TOMORROW]


def test_a_line_that_drops_after_slack_took_it_posts_it_once(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=IMPORTED)
    on_sqlite.team.slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    on_sqlite.wakes(BEFORE)
    assert on_sqlite.said() == [DUE_TOMORROW]
    assert on_sqlite.team.slack.calls["chat.postMessage"] == 1


def test_the_morning_is_that_of_the_digest_whatever_its_weekday(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=IMPORTED)
    on_sqlite.team.workers[0].stop(1)
    on_sqlite.team.workers.clear()
    on_sqlite.team.joins(digest_at="wed 06:30", digest_channel=None)
    on_sqlite.wakes(BEFORE - 151 * MINUTE)
    assert on_sqlite.said() == []
    on_sqlite.wakes(BEFORE - 150 * MINUTE)
    assert on_sqlite.said() == [DUE_TOMORROW]


def test_what_is_posted_is_in_the_audit_log(on_sqlite: Reminded) -> None:
    on_sqlite.imports(at=IMPORTED)
    on_sqlite.wakes(BEFORE)
    with on_sqlite.team.first.store.reading() as tx:
        entries = [(row.actor, row.what, row.about, row.detail) for row in tx.audit_rows()]
    assert entries[-1] == ("plimsoll", "posted", "interest:antalpha:2026-03-01:before", '{"channel":"C1"}')
