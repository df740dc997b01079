"""`plimsoll run` from the outside: a whole process, a price source, and a Slack that keeps count."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.workspace import Workspace, faults
from edge.bot_process import SECRET, TOKEN, Bot, Source, eventually, free_port
from edge.cli_process import CONTRACT, Plimsoll

NO_CALL = re.sub(
    "^(plan_btc_per_month|statement_due_day).*", "", CONTRACT.read_text().split("[[call]]")[0], flags=re.MULTILINE
)
"""The contract's treasury before the lender called, with no plan: what it says is up to the price alone."""


@pytest.fixture
def bot(tmp_path: Path, workspace: Workspace, source: Source, plimsoll: Plimsoll) -> Iterator[Bot]:
    """The bot with a treasury far from its lines; not started."""
    (tmp_path / "treasury.toml").write_text(NO_CALL)
    assert plimsoll("import", "treasury.toml").code == 0
    one = Bot(tmp_path, workspace, source)
    yield one
    one.clean_up()


def posts(workspace: Workspace) -> list[str]:
    return [message.text.splitlines()[0] for message in workspace.channel("treasury")]


def pss_in_mb(process: psutil.Process) -> float:
    """The memory of a process and its children, each shared page counted once."""
    family = [process, *process.children(recursive=True)]
    rollups = [Path(f"/proc/{one.pid}/smaps_rollup").read_text() for one in family]
    return sum(int(text.split("\nPss:")[1].split()[0]) for text in rollups) / 1024


def test_it_watches_alerts_answers_and_stops(bot: Bot, workspace: Workspace, source: Source) -> None:
    process = bot.start_and_wait()
    eventually(lambda: bot.get("/readyz")[0] == 200, "it is ready")
    assert posts(workspace) == []

    source.price = "55000.00"
    eventually(lambda: len(posts(workspace)) == 2, "facility and group are reported")
    assert posts(workspace)[0].startswith("Antalpha is at its margin-call line: LTV ")

    eventually(lambda: "LTV at $55,000.00" in workspace.command("/ltv", user="U1", channel="C1").body, "it answers")
    status, metrics = bot.get("/metrics")
    assert status == 200
    for line in (
        "plimsoll_price_usd 55000.0",
        'plimsoll_open_alerts{level="critical"} 2.0',
        "plimsoll_database_up 1.0",
    ):
        assert line in metrics
    assert 'plimsoll_deliveries_total{kind="post",outcome="sent",reason="ok"} 2.0' in metrics
    assert 'plimsoll_dwell_seconds_count{kind="post"} 2.0' in metrics
    if sys.platform == "linux":
        assert pss_in_mb(psutil.Process(process.pid)) < 150

    code, seconds = bot.end()
    assert (code, len(posts(workspace))) == (0, 2)
    assert seconds < 10
    assert TOKEN not in bot.log
    assert SECRET not in bot.log
    assert all(json.loads(line)["event"] for line in bot.log.splitlines())


def test_it_posts_once_when_it_is_killed_between_the_change_and_the_post(
    bot: Bot, workspace: Workspace, source: Source, tmp_path: Path
) -> None:
    workspace.offline()
    source.price = "60000.00"
    bot.start_and_wait()

    def recorded() -> bool:
        with sqlite3.connect(tmp_path / "var" / "plimsoll.db", timeout=10) as database:
            found = database.execute("SELECT count(*) FROM outbox WHERE status = 'pending'").fetchone()
        database.close()
        return found != (0,)

    eventually(recorded, "the alert is recorded, with what is to be said")
    bot.end(signal.SIGKILL)
    assert posts(workspace) == []

    workspace.online()
    bot.start_and_wait()  # on the same port: nothing of the killed bot may hold it
    eventually(lambda: posts(workspace), "the alert arrives", within=90)
    assert bot.end()[0] == 0
    assert len([post for post in posts(workspace) if post.startswith("Antalpha is at its ")]) == 1


def test_it_stops_in_time_while_slack_hangs(bot: Bot, workspace: Workspace, source: Source) -> None:
    workspace.on("chat.postMessage", faults.hang(30))
    source.price = "60000.00"
    bot.start_and_wait()
    eventually(lambda: workspace.calls["chat.postMessage"], "it tries to post")
    code, seconds = bot.end()
    assert code == 0
    assert seconds < 10


def test_it_says_why_it_is_not_ready(bot: Bot, source: Source) -> None:
    source.price = "nonsense"
    bot.start_and_wait()
    eventually(lambda: bot.get("/readyz")[0] == 503, "it is not ready")
    assert "there is no price (none)" in json.loads(bot.get("/readyz")[1])["reasons"]
    assert bot.get("/healthz") == (200, '{"dead":[],"ok":true}\n')


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_web_and_worker_share_one_postgresql(
    bot: Bot, workspace: Workspace, source: Source, database_url: str, plimsoll: Plimsoll
) -> None:
    assert plimsoll("import", "treasury.toml", DATABASE_URL=database_url).code == 0
    source.price = "60000.00"
    pages = free_port()
    worker = bot.start("--role", "worker", DATABASE_URL=database_url, WORKER_PORT=str(pages))
    try:
        eventually(lambda: posts(workspace), "the worker reports")
        sent = 'plimsoll_deliveries_total{kind="post",outcome="sent",reason="ok"}'
        eventually(lambda: sent in bot.get("/metrics", pages)[1], "it counts what it sent")
        eventually(lambda: bot.get("/readyz", pages)[0] == 200, "it is ready")
        assert bot.get("/healthz", pages) == (200, '{"dead":[],"ok":true}\n')
        assert bot.get("/slack/events", pages)[0] == 404
        bot.start_and_wait("--role", "web", DATABASE_URL=database_url)
        eventually(
            lambda: "LTV at $60,000.00" in workspace.command("/ltv", user="U1", channel="C1").body, "the web answers"
        )
        assert bot.end()[0] == 0
        worker.terminate()
        assert worker.wait(10) == 0
    finally:
        worker.kill()
        worker.wait(10)


def test_a_job_that_takes_longer_than_its_turn_is_told_of_once(bot: Bot, source: Source) -> None:
    source.pause = 2.5
    bot.start_and_wait()
    eventually(lambda: "job_still_running" in bot.log, "it says so")
    assert "skipped" not in bot.log
    assert bot.end()[0] == 0


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (b"Transfer-Encoding: chunked", b"ZZ\r\nnonsense\r\n", b"400"),
        (b"Transfer-Encoding: chunked", b"4\r\nnull\r\n0\r\n\r\n", b"401"),
        (b"Content-Length: 4\r\nX-Slack-Request-Timestamp: 1\r\nX-Slack-Signature: \xe9", b"null", b"401"),
        (b"Content-Length: 4\r\nX-Slack-Request-Timestamp: abc\r\nX-Slack-Signature: v0=", b"null", b"401"),
        (b"Content-Length: 2000000", b"", b"413"),
    ],
)
def test_strangers_get_nothing_out_of_it(bot: Bot, headers: bytes, body: bytes, status: bytes) -> None:
    bot.start_and_wait()
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + headers + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", bot.port), timeout=5) as line:
        line.sendall(head + body)
        assert line.recv(100).split()[1] == status
    assert bot.end()[0] == 0
    assert "Traceback" not in bot.log


# What stops a start


def test_a_missing_slack_setting_stops_the_start(plimsoll: Plimsoll) -> None:
    refused = plimsoll("run", SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET=SECRET)
    assert (refused.code, refused.err) == (
        2,
        "ALERT_CHANNEL is not set: plimsoll run needs the id of the channel that alerts go to, as C0123456789\n",
    )


@pytest.mark.parametrize(("role", "setting"), [("all", "PORT"), ("worker", "WORKER_PORT")])
def test_a_taken_port_stops_the_start(bot: Bot, plimsoll: Plimsoll, role: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", bot.port)):
        refused = plimsoll("run", "--role", role, **{**bot.settings, setting: str(bot.port)})
    assert (refused.code, refused.err) == (
        1,
        f"Port {bot.port} on 127.0.0.1 is taken; stop what uses it, or choose another with {setting}\n",
    )


@pytest.mark.parametrize("host", ["999.1.1.1", "nosuch.invalid", "a..b", "x" * 80, " ", "192.0.2.1"])
def test_a_host_that_is_no_address_here_stops_the_start(bot: Bot, plimsoll: Plimsoll, host: str) -> None:
    refused = plimsoll("run", **{**bot.settings, "HOST": host})
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1, refused.err
    assert refused.err.startswith("HOST ")
    assert host in refused.err


@pytest.mark.parametrize("secret", [" ", "\t \t"])
def test_a_blank_signing_secret_stops_the_start(bot: Bot, plimsoll: Plimsoll, secret: str) -> None:
    refused = plimsoll("run", **{**bot.settings, "SLACK_SIGNING_SECRET": secret})
    assert (refused.code, refused.err) == (
        2,
        "SLACK_SIGNING_SECRET is blank; it is under Basic Information of the Slack app\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="tells by /proc that the signal is taken")
@pytest.mark.parametrize("role", ["all", "worker"])
def test_told_to_stop_while_it_starts_it_stops_well(bot: Bot, role: str) -> None:
    for tenths in range(0, 30, 5):
        process = bot.start("--role", role)
        eventually(lambda: takes_sigterm(process.pid), "it takes the signal", every=0.002)  # noqa: B023
        time.sleep(tenths / 10)
        code, seconds = bot.end()
        assert (tenths, code) == (tenths, 0), bot.log
        assert seconds < 9, tenths
    assert "Traceback" not in bot.log


def takes_sigterm(pid: int) -> bool:
    """Whether the process has a handler for it."""
    caught = Path(f"/proc/{pid}/status").read_text().split("SigCgt:")[1].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def test_a_postgresql_that_is_behind_stops_the_start(
    bot: Bot, plimsoll: Plimsoll, empty_database: Callable[[str], str]
) -> None:
    refused = plimsoll("run", **bot.settings, DATABASE_URL=empty_database("postgresql"))
    assert refused.code == 1
    assert refused.err.endswith(": plimsoll db upgrade\n")
    assert len(refused.err.splitlines()) == 1
