"""Workers over one database, woken by hand: what is posted by them, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx

from bot.app import Running, build
from bot.domain.money import parse_usd
from bot.domain.quotes import Poll, PricePolicy, Quote, aggregate
from bot.jobs import jobs_of
from bot.settings import GivenSettings
from bot.treasury_file import read_treasury
from bot.workspace import Workspace

from .test_slack_bench import SECRET, SOURCES, TREASURY, Hand

TOKEN = "xoxb-1-of-tests"
IMPORTED = datetime(2026, 2, 7, 12, tzinfo=UTC)
MONDAY = datetime(2026, 2, 9, 15, tzinfo=UTC)
"""09:00 in Chicago, where the treasury is."""
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


class Team:
    """Workers over one database, none of which is started: each is woken by hand, by one clock."""

    def __init__(self, url: str, workspace: Workspace, clock: Hand) -> None:
        self.url, self.slack, self.clock = url, workspace, clock
        self.workers: list[Running] = []

    def joins(self, **more: Any) -> Running:
        """One more worker, as a process that has just started."""
        settings = {
            "database_url": self.url,
            "slack_bot_token": TOKEN,
            "slack_signing_secret": SECRET,
            "slack_api_url": self.slack.api_url,
            "alert_channel": "C1",
            "digest_channel": "C2",
        }
        given = GivenSettings.model_validate(settings | more)
        offline = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
        self.workers.append(build(given, clock=self.clock, http=offline, database_clock=self.clock))
        return self.workers[-1]

    @property
    def first(self) -> Running:
        return self.workers[0]

    def imports(self, text: str = TREASURY, at: datetime = IMPORTED) -> None:
        self.clock.set(at)
        with self.first.store.writing() as tx:
            tx.apply(read_treasury("treasury.toml", text), at=at, by="test", source="treasury.toml")

    def price(self, usd: str, at: datetime) -> None:
        """All four sources said `usd` at `at`."""
        poll = Poll(at, SOURCES, tuple(Quote(source, parse_usd(usd), at, at) for source in SOURCES))
        with self.first.store.writing() as tx:
            tx.add_tick(aggregate(None, poll, PricePolicy()))

    def delivers(self) -> None:
        for _ in range(60):
            if not any(worker.delivery.run_once() for worker in self.workers) and not self.waiting():
                return
            self.clock.passes(1)
        raise AssertionError(f"still waiting: {self.waiting()}")

    def waiting(self) -> list[Any]:
        with self.first.store.reading() as tx:
            return tx.waiting()

    def posted(self) -> list[str]:
        """The first line of every digest in Slack."""
        self.delivers()
        return [message.text.split("\n")[0] for message in self.slack.channel("C2")]

    def slots(self) -> list[tuple[str, str, int, bool]]:
        query = "SELECT job, slot, attempts, done_at FROM job_run WHERE job = 'digest' ORDER BY slot"
        with self.first.store.reading() as tx:
            rows = tx._connection.exec_driver_sql(query).all()
        return [(job, slot, attempts, done is not None) for job, slot, attempts, done in rows]


@contextmanager
def team(url: str) -> Iterator[Team]:
    clock = Hand(IMPORTED)
    with Workspace(SECRET, TOKEN, clock=clock.now, posts_per_second=None, updates_per_minute=None) as workspace:
        workspace.add_channel("C1", name="treasury")
        workspace.add_channel("C2", name="treasury-weekly")
        made = Team(url, workspace, clock)
        made.joins()
        yield made
        for worker in made.workers:
            worker.stop(1)


class Woken:
    """The workers of a team, each woken for the one job `name` as its scheduler would."""

    def __init__(self, team: Team, name: str) -> None:
        self.team, self.name = team, name

    def job(self, worker: Running) -> str:
        """What the job of `worker` comes to now."""
        (job,) = [one for one in jobs_of(worker, works=True, answers=False) if one.name == self.name]
        return str(job.run())

    def wakes(self, at: datetime | None = None) -> list[str]:
        """What each worker's job came to at `at`, in turn."""
        if at is not None:
            self.team.clock.set(at)
        return [self.job(worker) for worker in self.team.workers]

    def wakes_together(self, at: datetime) -> list[str]:
        """What two workers' jobs came to, woken by two threads at once, sorted."""
        self.team.clock.set(at)
        barrier = Barrier(2)

        def wakes(worker: Running) -> str:
            barrier.wait(10)
            return self.job(worker)

        with ThreadPoolExecutor(2) as threads:
            return sorted(threads.map(wakes, self.team.workers))

    def over(self, since: datetime, until: datetime, every: timedelta) -> None:
        while since <= until:
            self.wakes(since)
            since += every

    def texts(self) -> list[str]:
        """Every message in the channel for alerts."""
        self.team.delivers()
        return [message.text for message in self.team.slack.channel("C1")]

    def said(self) -> list[str]:
        """The first line of each."""
        return [text.split("\n")[0] for text in self.texts()]
