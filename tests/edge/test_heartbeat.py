"""The ping of HEARTBEAT_URL, at a loopback server that counts: only a bot that really checked sends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import Running, build
from bot.heartbeat import Ping
from bot.prices.simulated import SimulatedVenues
from bot.services.turns import PutOffError
from bot.settings import GivenSettings
from bot.treasury_file import read_treasury
from bot.workspace import Workspace

from .bot_process import SECRET, TOKEN, Bot, Source, eventually
from .cli_process import Plimsoll
from .test_run import NO_CALL
from .test_slack_bench import START, TREASURY, Hand


class Watchman(ThreadingHTTPServer):
    """Counts the pings of each path, and answers with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.pings: list[str] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Heard)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/s3cret-of-ours"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Heard(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Watchman)
        self.server.pings.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def watchman() -> Iterator[Watchman]:
    one = Watchman()
    yield one
    one.stop()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def running(database_url: str, clock: Hand) -> Iterator[Running]:
    settings = GivenSettings.model_validate(
        {"database_url": database_url, "slack_bot_token": TOKEN, "alert_channel": "C1", "price_every": "10s"}
    )
    http = httpx.Client(
        transport=SimulatedVenues(lambda _: 6_850_000, clock), mounts={"http://127.0.0.1": httpx.HTTPTransport()}
    )
    one = build(settings, clock=clock, http=http, database_clock=clock)
    yield one
    one.stop(1)


@pytest.fixture
def ping(running: Running, watchman: Watchman) -> Ping:
    return Ping(running.store, running._http, watchman.url, running.settings.polled_within)


def imports(running: Running) -> None:
    with running.store.writing() as tx:
        tx.apply(read_treasury("treasury.toml", TREASURY), at=START, by="test", source="treasury.toml")


def test_it_pings_after_a_real_check(running: Running, ping: Ping, watchman: Watchman) -> None:
    imports(running)
    running.poll_and_check()
    ping()
    assert watchman.pings == ["/s3cret-of-ours"]


def test_it_does_not_ping_while_nothing_is_imported(running: Running, ping: Ping, watchman: Watchman) -> None:
    running.poll_and_check()
    with pytest.raises(PutOffError, match="nothing is imported"):
        ping()
    assert watchman.pings == []


def test_it_does_not_ping_where_checks_do_not_complete(
    running: Running, ping: Ping, watchman: Watchman, clock: Hand
) -> None:
    imports(running)
    with pytest.raises(PutOffError, match="do not complete"):
        ping()
    running.poll_and_check()
    clock.passes(31)
    with running.store.sharing() as tx:
        tx.beat("alive and idle", "worker")
    with pytest.raises(PutOffError, match="do not complete"):
        ping()
    assert watchman.pings == []
    running.poll_and_check()
    ping()
    assert len(watchman.pings) == 1


@pytest.mark.parametrize("status", [302, 404, 500, None], ids=str)
def test_a_ping_that_fails_is_logged_without_its_address(
    running: Running, ping: Ping, watchman: Watchman, status: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("httpx").setLevel("WARNING")  # as bot.logs does
    imports(running)
    running.poll_and_check()
    if status is None:
        url = watchman.url.replace(str(watchman.server_port), "9")
        Ping(running.store, running._http, url, running.settings.polled_within)()
    else:
        watchman.status = status
        ping()
    said = capsys.readouterr()
    assert ("heartbeat_failed" if status is None else f"status={status}") in said.out + said.err
    assert "s3cret" not in said.out + said.err


def test_a_whole_bot_pings_and_keeps_the_address_to_itself(
    tmp_path: Path, plimsoll: Plimsoll, watchman: Watchman
) -> None:
    (tmp_path / "treasury.toml").write_text(NO_CALL)
    assert plimsoll("import", "treasury.toml").code == 0
    source = Source("90000.00")
    with Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None) as workspace:
        bot = Bot(tmp_path, workspace, source)
        try:
            watchman.status = 500
            bot.start("--role", "worker", HEARTBEAT_URL=watchman.url)
            eventually(lambda: watchman.pings, "it pings")
            eventually(lambda: "heartbeat_refused" in bot.log, "it says that the ping was refused")
            assert bot.end()[0] == 0
            assert "s3cret" not in bot.log
            assert len(watchman.pings) <= 2  # one a minute
        finally:
            bot.clean_up()
            source.stop()
