"""The weekly digest, posted: once a week whoever runs, late if need be, with the figures of its own instant."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest

from bot.app import Running
from bot.domain.slots import Claim
from bot.services.turns import Turn
from bot.workspace import faults

from .cli_process import run_plimsoll
from .teams import DAY, HOUR, MINUTE, MONDAY, Team, team
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


def test_it_carries_the_head_of_the_audit_log_and_so_vouches_for_what_is_before_it(only_sqlite: Team) -> None:
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    only_sqlite.first.post_digest()
    only_sqlite.delivers()
    (message,) = only_sqlite.slack.channel("C2")
    (sealed,) = re.findall(r"Audit log: 1 entry, head ([0-9a-f]{16})$", message.text)
    database = only_sqlite.url.removeprefix("sqlite:///")
    run = run_plimsoll(Path(database).parent, "audit", "verify", "--head", sealed, DATABASE_URL=only_sqlite.url)
    assert (run.code, run.err) == (0, "")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TRIGGER audit_keeps_rows")
        connection.execute("DELETE FROM audit")
        connection.commit()
    run = run_plimsoll(Path(database).parent, "audit", "verify", "--head", sealed, DATABASE_URL=only_sqlite.url)
    assert run.code == 1


def test_two_workers_woken_together_post_it_once(workers: Team) -> None:
    workers.joins()
    workers.clock.set(MONDAY)
    workers.price("70940", MONDAY - timedelta(seconds=12))
    together = Barrier(2)

    def wakes(worker: Running) -> Turn | None:
        together.wait(10)
        return worker.post_digest()

    with ThreadPoolExecutor(2) as threads:
        became = sorted(str(turn) for turn in threads.map(wakes, workers.workers))
    assert became in (["busy", "done"], ["already", "done"])
    assert workers.posted() == ["Week 2026-W06, to Mon 9 Feb 09:00: bitcoin $70,940.00"]
    (message,) = workers.slack.channel("C2")
    assert "Late" not in message.text
    assert message.blocks[0]["text"]["text"].startswith("*Week 2026-W06, to <!date^1770649200^")
    assert workers.slots() == [("digest", "2026-W06", 1, True)]
    assert [worker.post_digest() for worker in workers.workers] == [Turn.ALREADY] * 2


def test_an_outage_over_monday_posts_it_once_late_with_mondays_figures(workers: Team) -> None:
    workers.price("70940", MONDAY - MINUTE)
    workers.price("50000", MONDAY + DAY)
    workers.clock.set(MONDAY + DAY + HOUR)  # nothing ran until now
    late = workers.joins()
    assert late.post_digest() is Turn.DONE
    assert workers.first.post_digest() is Turn.ALREADY
    workers.joins()
    assert workers.workers[-1].post_digest() is Turn.ALREADY
    assert workers.posted() == ["Week 2026-W06, to Mon 9 Feb 09:00: bitcoin $70,940.00"]
    (message,) = workers.slack.channel("C2")
    assert "Late: it was due Mon 9 Feb 09:00, 25 h ago. Its figures are those of then, not of now." in message.text
    assert "$50,000.00" not in message.text


def test_what_came_after_its_week_and_is_dated_before_is_said_where_it_is_posted_late(only_sqlite: Team) -> None:
    only_sqlite.imports()
    coin = '[[movement]]\nat=2026-02-{}T08:00:00Z\nkind="mined"\nbtc="1"\naccount="custody"\nref="mined {}"\n'
    only_sqlite.imports(TREASURY + coin.format("09", 1) + coin.format("10", 2), MONDAY + DAY)
    assert only_sqlite.first.post_digest() is Turn.DONE
    only_sqlite.delivers()
    (message,) = only_sqlite.slack.channel("C2")
    said = (
        "Restated: 1 record dated before this came later, and counts: movement “mined 1” (recorded Tue 10 Feb 09:00)."
    )
    assert f"Its figures are those of then, not of now. {said}" in message.text


def test_a_price_that_nobody_knew_then_is_not_made_up_later(only_sqlite: Team) -> None:
    workers = only_sqlite
    workers.imports()
    workers.price("71500", MONDAY - HOUR)
    workers.clock.set(MONDAY + DAY)
    workers.price("50000", MONDAY + DAY)
    assert workers.first.post_digest() is Turn.DONE
    assert workers.posted() == ["Week 2026-W06, to Mon 9 Feb 09:00: no bitcoin price"]
    (message,) = workers.slack.channel("C2")
    assert "Unknown: $71,500.00 (1 h old, 4 sources, stale)" in message.text
    assert "Antalpha: LTV unknown" in message.text


def test_of_several_weeks_that_were_missed_the_last_is_posted(only_sqlite: Team) -> None:
    workers = only_sqlite
    workers.imports()
    workers.clock.set(MONDAY + 2 * 7 * DAY + 6 * DAY)
    assert workers.first.post_digest() is Turn.DONE
    assert [line[:13] for line in workers.posted()] == ["Week 2026-W08"]
    assert [slot for _, slot, *_ in workers.slots()] == ["2026-W08"]


def test_a_new_installation_posts_nothing_of_weeks_before_it(only_sqlite: Team) -> None:
    workers = only_sqlite
    workers.clock.set(MONDAY + HOUR)
    assert workers.first.post_digest() is None  # nothing is imported
    workers.imports(at=MONDAY + HOUR)
    workers.clock.passes(60)
    assert workers.first.post_digest() is None
    assert workers.slots() == []
    workers.clock.set(MONDAY + 7 * DAY)
    assert workers.first.post_digest() is Turn.DONE
    assert [line[:13] for line in workers.posted()] == ["Week 2026-W07"]


def test_a_treasury_that_had_not_opened_has_no_digest(only_sqlite: Team) -> None:
    opens = TREASURY.replace("opened = 2026-01-31T23:59:59Z", "opened = 2026-02-09T16:00:00Z").split("[[call]]")[0]
    only_sqlite.imports(opens.replace("from = 2026-02-06T00:00:00Z", "from = 2026-02-09T17:00:00Z"))
    only_sqlite.clock.set(MONDAY + 2 * HOUR)
    assert only_sqlite.first.post_digest() is None


def test_one_killed_after_it_wrote_and_before_it_said_so_doubles_nothing(workers: Team) -> None:
    workers.clock.set(MONDAY)
    slot = workers.first.digests.due()
    assert slot is not None
    with workers.first.store.sharing() as tx:
        claim = tx.claim_slot(slot, "the dead", timedelta(seconds=30))
    assert isinstance(claim, Claim)
    workers.first.digests.work(claim, "C2")
    assert workers.joins().post_digest() is Turn.BUSY
    workers.clock.passes(31)
    assert workers.workers[-1].post_digest() is Turn.DONE
    assert len(workers.posted()) == 1
    assert workers.slots() == [("digest", "2026-W06", 2, True)]


def test_one_killed_before_it_wrote_is_taken_over_from(only_sqlite: Team) -> None:
    workers = only_sqlite
    workers.imports()
    workers.clock.set(MONDAY)
    slot = workers.first.digests.due()
    assert slot is not None
    with workers.first.store.sharing() as tx:
        assert tx.claim_slot(slot, "the dead", timedelta(seconds=30))
    assert workers.first.post_digest() is Turn.BUSY
    assert workers.posted() == []
    workers.clock.passes(31)
    assert workers.first.post_digest() is Turn.DONE
    assert len(workers.posted()) == 1


def test_a_line_that_drops_after_slack_took_it_posts_it_once(only_sqlite: Team) -> None:
    workers = only_sqlite
    workers.imports()
    workers.clock.set(MONDAY)
    workers.slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    assert workers.first.post_digest() is Turn.DONE
    assert len(workers.posted()) == 1
    assert workers.slack.calls["chat.postMessage"] == 1


def test_without_a_channel_none_is_posted(only_sqlite: Team) -> None:
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    assert only_sqlite.joins(digest_channel=None).post_digest() is None
    assert only_sqlite.slots() == []


@pytest.mark.parametrize(
    ("zone", "monday"),
    [
        ("America/Chicago", "2026-03-09"),
        ("America/Chicago", "2026-11-02"),
        ("Europe/Berlin", "2026-03-30"),
        ("Europe/Berlin", "2026-10-26"),
    ],
)
def test_over_a_change_of_the_clocks_each_week_has_its_one_digest_at_nine(
    only_sqlite: Team, zone: str, monday: str
) -> None:
    """Two workers, woken around each Monday from a week before the change to a week after."""
    workers, there = only_sqlite, ZoneInfo(zone)
    workers.imports(TREASURY.replace("America/Chicago", zone).split("[[call]]")[0])
    workers.joins()
    changed = datetime.fromisoformat(f"{monday}T09:00").replace(tzinfo=there)
    for week in (-1, 0, 1):
        on = (changed + week * timedelta(days=7)).astimezone(UTC)
        for hours in (*range(-30, -2, 4), *range(-2, 3), *range(3, 12, 4)):
            workers.clock.set(on + hours * HOUR)
            for worker in workers.workers:
                worker.post_digest()
    written = sorted(row.created_at.astimezone(there) for row in workers.waiting())
    days = [changed.date() + timedelta(days=7 * week) for week in (-1, 0, 1)]
    before = written.pop(0)  # the first waking was late for the week before all this
    assert before.date() < days[0]
    assert [(one.date(), one.hour, one.minute) for one in written] == [(day, 9, 0) for day in days]
    posted = workers.posted()
    assert len(set(posted)) == len(posted) == 4
    assert [slot for _, slot, _, done in workers.slots() if done] == [line[5:13] for line in sorted(posted)]
