"""Whole worker processes over one database: each slot is worked once, whoever is killed, frozen or told to stop."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.domain.slots import Slot
from bot.store.engine import FROZEN_AFTER, open_engine
from bot.store.store import Store
from bot.workspace import Workspace, faults

from .bot_process import SECRET, TOKEN, Bot, Source, eventually
from .cli_process import Plimsoll
from .test_run import NO_CALL


class Herd:
    """Workers over one PostgreSQL."""

    def __init__(self, bot: Bot, source: Source, url: str) -> None:
        self.bot, self.source, self.url = bot, source, url
        self.processes: list[subprocess.Popen[bytes]] = []
        self.store = Store(open_engine(url))

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        self.processes.append(self.bot.start("--role", "worker", DATABASE_URL=self.url, **settings))
        return self.processes[-1]

    def ask(self, query: str, **values: str) -> list[Any]:
        with self.store.reading() as tx:
            return list(tx._connection.execute(text(query), values).all())

    def slots(self, job: str = "poll_and_check") -> list[Any]:
        query = "SELECT slot, leased_by, attempts, done_at FROM job_run WHERE job = :job ORDER BY slot"
        return self.ask(query, job=job)

    def passes(self, seconds: int) -> None:
        """Claims grow old by so much; who was frozen in the middle of a transaction loses it first."""
        with self.store.writing(wait=FROZEN_AFTER * 1.5) as tx:
            aged = "UPDATE job_run SET leased_until = leased_until - :seconds * interval '1 second'"
            tx._connection.execute(text(aged), {"seconds": seconds})

    def ticks(self) -> int:
        return int(self.ask("SELECT count(*) FROM price_tick")[0][0])

    def end(self) -> list[int]:
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        return [process.wait(12) for process in self.processes]

    def clean_up(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)
        self.store.close()


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


@pytest.fixture
def bot(tmp_path: Path, source: Source) -> Iterator[Bot]:
    with Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None) as workspace:
        workspace.add_channel("C1", name="treasury")
        one = Bot(tmp_path, workspace, source)
        yield one
        one.clean_up()


@pytest.fixture
def herd(bot: Bot, source: Source, database_url: str, plimsoll: Plimsoll, tmp_path: Path) -> Iterator[Herd]:
    (tmp_path / "treasury.toml").write_text(NO_CALL)
    assert plimsoll("import", "treasury.toml", DATABASE_URL=database_url).code == 0
    one = Herd(bot, source, database_url)
    yield one
    one.clean_up()


def test_two_workers_poll_each_slot_once(herd: Herd) -> None:
    herd.start()
    herd.start()
    eventually(lambda: len({row.leased_by for row in herd.slots()}) == 2, "both have polled")
    time.sleep(3)
    assert herd.end() == [0, 0]
    slots = herd.slots()
    assert len(slots) >= 3
    assert all(row.attempts == 1 and row.done_at is not None for row in slots)
    assert 3 <= herd.ticks() == herd.source.asked <= len(slots)  # a late poll may be that of the slot after as well
    (thinned,) = herd.slots("thin")
    assert thinned.attempts == 1
    beats = herd.ask("SELECT role, checked_at FROM heartbeat")
    assert [(row.role, row.checked_at is not None) for row in beats] == [("worker", True)] * 2


@pytest.mark.parametrize("fate", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_a_worker_that_is_gone_in_its_poll_is_taken_over_from(herd: Herd, fate: signal.Signals) -> None:
    herd.source.pause = 3
    first = herd.start(PRICE_EVERY="8h")
    eventually(lambda: herd.source.asked == 1, "the first polls")
    first.send_signal(fate)
    herd.source.pause = 0
    herd.start(PRICE_EVERY="8h")
    eventually(lambda: herd.slots("thin"), "the second has looked for what is due")
    assert [row.attempts for row in herd.slots()] == [1]
    herd.passes(25)
    eventually(lambda: any(row.done_at for row in herd.slots()), "the second took it over", within=60)
    (slot,) = herd.slots()
    assert (slot.attempts, herd.ticks()) == (2, 1)
    if fate is signal.SIGSTOP:
        first.send_signal(signal.SIGCONT)
        eventually(lambda: "job_lost" in herd.bot.log, "the first finds that its claim is gone")
        assert herd.slots() == [slot]
        assert herd.ticks() == 1
        assert herd.end() == [0, 0]


def test_a_slot_missed_while_nothing_ran_runs_at_the_start(herd: Herd) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with herd.store.writing() as tx:
        for days in (5, 4):
            claim = tx.claim_slot(Slot("thin", today - timedelta(days=days)), "who ran then", timedelta(0))
            assert claim is not None
            assert tx.finish_slot(claim, today)
    herd.start()
    eventually(lambda: any(row.done_at and row.leased_by != "who ran then" for row in herd.slots("thin")), "it thins")
    assert herd.end() == [0]
    first = herd.slots("thin")
    assert [row.slot for row in first] == [Slot("thin", today).name]  # the others were forgotten, and not made up for
    polled = herd.ticks()
    herd.start()
    eventually(lambda: herd.ticks() > polled, "it runs again")
    assert herd.end()[1] == 0
    assert herd.slots("thin") == first


def test_workers_post_the_weekly_digest_once_whoever_is_killed_and_started(herd: Herd) -> None:
    with herd.store.writing() as tx:  # it was imported before the week ended
        tx._connection.execute(text("UPDATE register_change SET at = at - interval '1 day'"))
    ended = (datetime.now(UTC) - timedelta(minutes=2)).astimezone(ZoneInfo("America/Chicago"))
    weekly = {"DIGEST_CHANNEL": "C1", "DIGEST_AT": f"{ended:%a %H:%M}", "PRICE_EVERY": "8h"}
    first = herd.start(**weekly)
    herd.start(**weekly)
    eventually(lambda: herd.bot.workspace.channel("treasury"), "it is posted")
    first.kill()
    herd.start(**weekly)
    eventually(lambda: len(herd.ask("SELECT worker FROM heartbeat")) == 3, "the third works")
    time.sleep(2)
    assert herd.end() == [-signal.SIGKILL, 0, 0]
    (message,) = herd.bot.workspace.channel("treasury")
    assert message.text.startswith("Week ")
    assert f", to {ended:%a} {ended.day} {ended:%b %H:%M}: no bitcoin price" in message.text
    ((slot, _, attempts, done),) = herd.slots("digest")
    assert (slot, attempts, done is not None) == (message.text[5:13], 1, True)


def test_told_to_stop_while_slack_does_not_take_the_digests_picture_it_stops_in_time(herd: Herd) -> None:
    with herd.store.writing() as tx:
        tx._connection.execute(text("UPDATE register_change SET at = at - interval '1 day'"))
    ended = (datetime.now(UTC) - timedelta(minutes=2)).astimezone(ZoneInfo("America/Chicago"))
    herd.bot.workspace.on("files.getUploadURLExternal", faults.hang(60))
    herd.start(DIGEST_CHANNEL="C1", DIGEST_AT=f"{ended:%a %H:%M}", PRICE_EVERY="8h")
    eventually(lambda: herd.bot.workspace.calls["files.getUploadURLExternal"], "it uploads")
    began = time.monotonic()
    assert herd.end() == [0]
    assert time.monotonic() - began < 10


def test_told_to_stop_it_leaves_no_slot_to_wait_for(herd: Herd) -> None:
    herd.source.pause = 2
    herd.start(PRICE_EVERY="8h")
    eventually(lambda: herd.source.asked == 1, "it polls")
    began = time.monotonic()
    assert herd.end() == [0]
    assert time.monotonic() - began < 10
    (slot,) = herd.slots()
    assert slot.done_at is not None
    assert herd.ticks() == 1


def test_work_that_is_cut_short_by_a_stop_can_be_taken_at_once(herd: Herd) -> None:
    with herd.store.writing() as tx:
        tx.put_channels([("C1", {"name": "treasury"})], datetime.now(UTC) - timedelta(minutes=50))
    herd.bot.workspace.on("conversations.info", faults.hang(9))
    herd.bot.start("--role", "web", DATABASE_URL=herd.url)
    eventually(lambda: herd.bot.workspace.calls["conversations.info"], "it asks Slack")
    code, seconds = herd.bot.end()
    assert (code, seconds < 10) == (0, True)
    with herd.store.sharing() as tx:
        (row,) = herd.slots("refresh")
        assert row.done_at is None
        slot = Slot("refresh", datetime.fromisoformat(row.slot))
        assert tx.claim_slot(slot, "the next", timedelta(minutes=5))


def test_two_processes_share_what_is_asked_of_slack_and_each_knows_its_home(
    bot: Bot, source: Source, database_url: str, tmp_path: Path
) -> None:
    with closing(Store(open_engine(database_url))) as store:
        with store.writing() as tx:
            tx.put_channels([("C1", {"name": "treasury"})], datetime.now(UTC) - timedelta(minutes=50))
        one = Bot(tmp_path, bot.workspace, source)
        try:
            for each in (bot, one):
                each.start("--role", "web", DATABASE_URL=database_url)
                eventually(each.serves, "it serves")
            eventually(lambda: bot.workspace.calls["auth.test"] >= 2, "each has asked whose bot it is")
            with store.reading() as tx:
                rows = tx._connection.execute(text("SELECT attempts, done_at FROM job_run WHERE job = 'refresh'")).all()
            assert {row.attempts for row in rows} == {1}
            assert bot.workspace.calls["conversations.info"] == 1
            assert [each.end()[0] for each in (bot, one)] == [0, 0]
        finally:
            one.clean_up()
