"""What the Slack tests stand on: a store, a strict Slack, and between them the real Bolt app, served over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from slack_sdk import WebClient
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.domain.alerts import AlertPolicy
from bot.domain.price import PriceState, PriceView
from bot.domain.quotes import Failure, Poll, PricePolicy, Quote, aggregate
from bot.domain.roles import Roles
from bot.domain.transitions import Transition
from bot.domain.weeks import Weekly
from bot.services.access import Access
from bot.services.acting import Acting
from bot.services.agreeing import Agreements
from bot.services.auditing import Auditing
from bot.services.books import Books
from bot.services.checking import run_checks
from bot.services.deliver import Delivery
from bot.services.digest import Digests
from bot.services.pacing import Pace
from bot.services.plans import Plans
from bot.services.questions import Questions
from bot.services.recording import Channels
from bot.services.records import Records
from bot.slack.app import build_app
from bot.slack.directory import SlackDirectory
from bot.slack.health import Health
from bot.slack.notifier import Notifier
from bot.slack.requests import Requests
from bot.slack.web import slack_blueprint
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store
from bot.treasury_file import read_part, read_treasury
from bot.workspace import Workspace

SECRET, TOKEN = "shh", "xoxb-test"
OPENED = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
START = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
"""Two hours before the example's notice."""
GOLDEN = (Path(__file__).parent.parent / "golden" / "treasury.toml").read_text(encoding="utf-8")
TREASURY = GOLDEN.replace('plan_btc_per_month = "550"\n', "")
"""Without a plan, as nothing is mined in it: on the seventh it would be behind."""
SOURCES = ("coinbase", "kraken", "bitstamp", "gemini")


class Hand:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        self._now = now


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(flask: Flask) -> Iterator[int]:
    """A threaded server on a free port."""
    server = make_server("127.0.0.1", 0, flask, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Bench:
    """The bot and its Slack. `quiet` waits until everything handed to the executor is done."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        clock: Hand,
        prefix: str = "",
        policy: AlertPolicy | None = None,
        roles: Roles | None = None,
        audit: str | None = None,
        approval: str | None = None,
    ) -> None:
        self.store, self.slack, self.clock = store, workspace, clock
        self.client = WebClient(TOKEN, base_url=workspace.api_url, timeout=5, retry_handlers=[])
        self.books = Books(policy or AlertPolicy(), PricePolicy())
        self.questions = Questions(store, self.books, clock)
        self.channels = Channels("C1", "C2", "S1", audit=audit, approval=approval)
        self.changes: list[Transition] = []
        self.acting = Acting(store, self.books, clock, self.channels, self.changes.extend)
        self.records = Records(store, self.books, clock, self.channels, self.changes.extend, Agreements(read_part))
        self.plans = Plans(store, self.books, clock, self.channels, tell=lambda: None)
        self.digests = Digests(store, self.books, clock, Weekly.parse("mon 09:00"))
        self.access = Access(store, SlackDirectory(self.client), clock, roles or Roles(), self.channels)
        self.requests = Requests(store, clock)
        self.executor = ThreadPoolExecutor(4)
        self.jobs: list[Future[None]] = []
        self.audit = Auditing(store, clock, self.later)
        self.health: Callable[[], Health] = lambda: Health(clock.now(), PriceView(PriceState.NONE), SOURCES)
        self.app = build_app(
            signing_secret=SECRET,
            client=self.client,
            questions=self.questions,
            acting=self.acting,
            records=self.records,
            plans=self.plans,
            digests=self.digests,
            access=self.access,
            requests=self.requests,
            audit=self.audit,
            health=lambda: self.health(),  # noqa: PLW0108  (tests replace it)
            run_later=self.later,
            command_prefix=prefix,
            unavailable=(DatabaseUnavailableError,),
            strict=True,
        )
        self.url = ""
        self.deliverers = 0
        self.delivery: Delivery | None = None

    def checks(self, usd: int | None = None) -> None:
        """Holds every finding against every alert, at a fresh price where one is given, and delivers what is said."""
        if usd is not None:
            self.price(usd)
        run_checks(self.store, self.books, self.clock, self.channels)
        self.delivers()

    def delivers(self) -> None:
        """Everything that waits goes out."""
        self.quiet()
        if self.delivery is None:
            self.delivery = self.deliverer(pace=Pace(per_second=1000, burst=1000))
        while self.delivery.run_once():
            pass

    def later(self, job: Callable[[], None]) -> None:
        self.jobs.append(self.executor.submit(job))

    def quiet(self) -> None:
        """Everything handed over is done, and none of it failed."""
        while self.jobs:
            jobs, self.jobs = self.jobs, []
            wait(jobs, timeout=30)
            for job in jobs:
                job.result()

    def imports(self, text: str = TREASURY) -> None:
        treasury = read_treasury("treasury.toml", text)
        with self.store.writing() as tx:
            tx.apply(treasury, at=self.clock.now(), by="test", source="treasury.toml")

    def price(self, usd: int, age: int = 12) -> None:
        """All four sources said `usd`, `age` seconds ago."""
        at = self.clock.now() - timedelta(seconds=age)
        poll = Poll(at, SOURCES, tuple(Quote(source, usd * 100, at, at) for source in SOURCES))
        with self.store.writing() as tx:
            tx.add_tick(aggregate(None, poll, PricePolicy()))

    def no_price(self) -> None:
        """No source has answered."""
        failures = tuple(Failure(source, "timeout") for source in SOURCES)
        with self.store.writing() as tx:
            tx.add_tick(aggregate(tx.last_tick(), Poll(self.clock.now(), SOURCES, (), failures), PricePolicy()))

    def knows(self, *users: str, channels: tuple[str, ...] = ("C1",)) -> None:
        """These have been looked up already."""
        for user in users:
            for channel in channels:
                self.access.look_up(user, "", channel)

    def deliverer(self, **options: Any) -> Delivery:
        """A worker of its own, as a process that has just started has one."""
        self.deliverers += 1
        notifier = Notifier(
            self.client, self.access, strict=options.pop("strict", True), time_out_s=options.pop("time_out_s", 5)
        )
        worker = f"worker {self.deliverers}"
        return Delivery(options.pop("store", self.store), notifier, self.clock, worker, **options)

    def pending(self) -> list[Any]:
        """What waits in the outbox, whatever it waits for."""
        with self.store.reading() as tx:
            return tx.waiting()


@contextmanager
def bench(
    store: Store,
    prefix: str = "",
    policy: AlertPolicy | None = None,
    roles: Roles | None = None,
    audit: str | None = None,
    approval: str | None = None,
) -> Iterator[Bench]:
    clock = Hand()
    store = Store(store.engine, now=clock.now)  # so that leases run out as this clock goes
    with Workspace(SECRET, TOKEN, clock=clock.now, posts_per_second=None, updates_per_minute=None) as workspace:
        workspace.add_user("U1", name="Ada")
        workspace.add_user("U2", name="Sam")
        workspace.add_channel("C1", name="treasury")
        workspace.add_channel("C2", name="escalation")
        workspace.add_usergroup("S1", ["U2"])
        made = Bench(store, workspace, clock, prefix, policy, roles, audit, approval)
        flask = Flask("bench")
        flask.register_blueprint(slack_blueprint(made.app, SECRET))
        with served(flask) as port:
            made.url = f"http://127.0.0.1:{port}/slack/events"
            workspace.connect(made.url)
            yield made
            made.quiet()
            made.executor.shutdown()


def said(bot: Bench, line: str, **sending: object) -> str:
    """What the asker reads: the text of all blocks."""
    answer = bot.slack.command(line, **sending)  # type: ignore[arg-type]
    assert answer.ok, (answer.error, answer.problems)
    assert answer.status == 200
    shown = []
    for block in answer.blocks:
        parts = [block["text"]] if "text" in block else block.get("elements", [])
        shown += [part["text"] for part in parts if part["type"] != "button"]
    return "\n".join(shown)
