"""A whole bot on a temporary database with the large treasury, its prices simulated, its Slack local."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bot.app import Running, build
from bot.prices.simulated import SimulatedVenues
from bot.settings import GivenSettings
from bot.store.migrate import upgrade
from bot.workspace import Workspace
from tests.benchmarks.treasuries import DAYS, OPENED, large_treasury

SECRET, TOKEN, CHANNEL, USER = "bench-secret", "xoxb-bench", "C0BENCH", "U0BENCH"
PRICE = 68_500_00


class BenchClock:
    """Two years after the treasury opened; moves only when told to."""

    def __init__(self) -> None:
        self.at = OPENED + timedelta(days=DAYS)

    def now(self) -> datetime:
        return self.at


@contextmanager
def large_bot() -> Iterator[tuple[Running, Workspace, BenchClock]]:
    clock = BenchClock()
    with TemporaryDirectory() as folder, Workspace(SECRET, TOKEN, clock=clock.now) as workspace:
        workspace.add_user(USER, name="Ada")
        workspace.add_channel(CHANNEL, name="treasury")
        settings = GivenSettings.model_validate(
            {
                "database_url": f"sqlite:///{Path(folder) / 'bench.db'}",
                "slack_bot_token": TOKEN,
                "slack_signing_secret": SECRET,
                "slack_api_url": workspace.api_url,
                "alert_channel": CHANNEL,
            }
        )
        upgrade(settings.database_url.get_secret_value())
        http = httpx.Client(transport=SimulatedVenues(lambda _: PRICE, clock))
        running = build(settings, clock=clock, http=http)
        with running.store.writing() as tx:
            tx.apply(large_treasury(), at=clock.now(), by="bench", source="bench")
        try:
            yield running, workspace, clock
        finally:
            running.stop(1)
