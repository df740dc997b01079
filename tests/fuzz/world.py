"""The bot that is fuzzed: the very app that gunicorn serves, on a SQLite file, with the demo's treasury, a lender's
call open and its alerts posted in a strict Slack."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from urllib.parse import quote

import httpx

from bot.app import Running, build
from bot.demo.run import CHANNEL, ESCALATION_CHANNEL, GUEST, LENDER_CHANNEL, OFFICER, OFFICERS, TREASURER, record
from bot.demo.story import NOTICE
from bot.prices.simulated import SimulatedVenues
from bot.services.pacing import Pace
from bot.settings import GivenSettings
from bot.slack.web import PATH
from bot.store.migrate import upgrade
from bot.web import create_wsgi
from bot.workspace import Workspace
from bot.workspace.model import Call
from bot.workspace.signing import Answer, headers

from .logs import Logs
from .surface import Surface, registering

BOT_TOKEN = "xoxb-1-CnryBotToken7f3a9"
SIGNING_SECRET = "cnrysigningsecret5b21c"
APP_TOKEN = "xapp-1-A1-CnryAppToken88d2"
HEARTBEAT_KEY = "cnry-heartbeat-key-4471-ab"
FALLBACK_PASSWORD = "CnryFallbackPassword03e"
DATABASE_PASSWORD = "CnryDatabasePassword61"
HEARTBEAT_URL = f"http://127.0.0.1:9/ping/{HEARTBEAT_KEY}"
FALLBACK_URL = f"json://alerts:{FALLBACK_PASSWORD}@127.0.0.1:9/fallback"
CANARIES = (BOT_TOKEN, SIGNING_SECRET, APP_TOKEN, HEARTBEAT_KEY, FALLBACK_PASSWORD, DATABASE_PASSWORD)
"""Each is searched for, in any case, in all that is logged and recorded."""

START = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
PRICE = 67_293_26
STRANGER, ROBOT = "U0STRANGER", "U0ROBOT"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class _Watched(ThreadPoolExecutor):
    """An executor of which one can wait for all that it was given."""

    def __init__(self) -> None:
        super().__init__(4, thread_name_prefix="later")
        self._given: list[Future[Any]] = []

    def submit(self, work: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
        given = super().submit(work, *args, **options)
        self._given.append(given)
        return given

    def quiet(self) -> None:
        while self._given:
            given, self._given = self._given, []
            wait(given, timeout=60)


@dataclass(frozen=True)
class Served:
    """What the WSGI app answered, and how long that took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    errors: str


class _Slack(Workspace):
    """A Slack that calls the bot in this process, and not over a socket."""

    world: World

    def _send(self, request: tuple[bytes, str], sending: Any) -> Answer:
        body, kind = request
        served = self.world.serve(body, {**headers(SIGNING_SECRET, body, kind, sending)})
        error = "" if served.status == 200 else "dispatch_failed"
        return Answer(served.status, served.body.decode(), served.seconds, error, request=request)


class World:
    """One bot and what is around it. `surface` is what it listens to."""

    user, channel = TREASURER, CHANNEL

    def __init__(self, running: Running, slack: _Slack, clock: Hand, logs: Logs, surface: Surface) -> None:
        self.running, self.slack, self.clock, self.logs, self.surface = running, slack, clock, logs, surface
        self._wsgi = create_wsgi(running)
        self._later = _Watched()
        running._later = self._later
        running.delivery._pace = Pace(1_000, 1_000)  # of real seconds, which nobody here waits for
        slack.world = self

    def begins(self) -> None:
        """The treasury is recorded, the lender has called, the alerts are posted, people are known."""
        record(self.running, NOTICE)
        self.running.access.ask_home()
        for person in (TREASURER, OFFICER, GUEST):
            self.running.access.look_up(person, "", CHANNEL)
        self.beats()
        self.quiet()

    def beats(self) -> None:
        """What the schedule would do: poll, check, tell Slack, ping."""
        self.running.poll_and_check()
        if self.running.ping is not None:
            self.running.ping()
        while self.running.delivery.run_once():
            pass

    def serve(self, body: bytes, sent: Mapping[str, str], *, method: str = "POST", target: str = PATH) -> Served:
        """One request through the app, as a WSGI server would hand it over."""
        path, _, query = target.partition("?")
        errors = StringIO()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "3000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": errors,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in sent.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        told: list[Any] = []
        began = time.perf_counter()
        answer = self._wsgi(environ, lambda status, given, *_: told.extend((status, dict(given))))
        try:
            content = b"".join(answer)
        finally:
            answer.close()  # type: ignore[attr-defined]
        seconds = time.perf_counter() - began
        return Served(int(told[0][:3]), told[1], content, seconds, errors.getvalue())

    def quiet(self) -> None:
        """Everything that was put off until after an answer is done."""
        self._later.quiet()

    def taken_calls(self) -> list[Call]:
        """What Slack was asked since the last time."""
        calls = list(self.slack.calls)
        self.slack.clear_calls()
        return calls

    def forgets_dialogs(self) -> None:
        """Nobody has a dialog open any more."""
        with self.slack.state.change():
            self.slack.state.views.clear()


@cache
def _migrated() -> Path:
    made = Path(mkdtemp(prefix="plimsoll-fuzz-template-")) / "plimsoll.db"
    upgrade(f"sqlite:///{made}")
    return made


@contextmanager
def world(database_url: str = "", *, logs_everything: bool = False) -> Iterator[World]:
    """A new one. `database_url` names an empty, migrated database; "" makes a SQLite file."""
    with TemporaryDirectory(prefix="plimsoll-fuzz-", dir=_quick()) as folder:
        if not database_url:
            shutil.copy(_migrated(), Path(folder) / "plimsoll.db")
            database_url = f"sqlite:///{folder}/plimsoll.db"
        clock = Hand()
        slack = _Slack(SIGNING_SECRET, BOT_TOKEN, clock.now, posts_per_second=None, updates_per_minute=None)
        _peopled(slack)
        with slack:
            yield from _built(database_url, clock, slack, logs_everything)


def _built(database_url: str, clock: Hand, slack: _Slack, everything: bool) -> Iterator[World]:
    settings = GivenSettings.model_validate(
        {
            "database_url": database_url,
            "slack_bot_token": BOT_TOKEN,
            "slack_signing_secret": SIGNING_SECRET,
            "slack_api_url": slack.api_url,
            "alert_channel": CHANNEL,
            "digest_channel": CHANNEL,
            "escalation_channel": ESCALATION_CHANNEL,
            "escalation_group": OFFICERS,
            "audit_channel": CHANNEL,
            "operators": TREASURER,
            "approvers": OFFICERS,
            "heartbeat_url": HEARTBEAT_URL,
            "fallback_urls": FALLBACK_URL,
        }
    )
    with Logs(settings.secrets(), everything=everything) as logs, registering() as surface:
        http = httpx.Client(transport=SimulatedVenues(lambda _: PRICE, clock))
        running = build(settings, clock=clock, http=http, database_clock=clock)
        made = World(running, slack, clock, logs, surface)
        logs.open_up()
        try:
            made.begins()
            yield made
        finally:
            made.quiet()
            running.stop(1)


def _peopled(slack: Workspace) -> None:
    slack.add_user(TREASURER, name="Ada Byron")
    slack.add_user(OFFICER, name="Grace <!channel> & Hopper")
    slack.add_user(GUEST, name="A guest", is_restricted=True)
    slack.add_user(STRANGER, name="A stranger", is_stranger=True)
    slack.add_user(ROBOT, name="A robot", is_bot=True)
    slack.add_channel(CHANNEL, name="treasury")
    slack.add_channel(ESCALATION_CHANNEL, name="treasury-escalation")
    slack.add_channel(LENDER_CHANNEL, name="lender-desk", is_ext_shared=True)
    slack.add_usergroup(OFFICERS, [OFFICER])


def _quick() -> str | None:
    """In memory, where there is some: the answers are looked at here, not the disk."""
    memory = Path("/dev/shm")  # noqa: S108
    return str(memory) if memory.is_dir() else None


def password_in(url: str) -> str:
    """`url` with a user and the database's canary as password."""
    return url.replace("://", f"://{quote('plimsoll')}:{DATABASE_PASSWORD}@", 1)
