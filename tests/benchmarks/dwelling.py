"""From finding to Slack's acceptance: 50 alerts at once over 3 channels, against what Slack's own rate allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from slack_sdk import WebClient

from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.services.access import Access
from bot.services.deliver import Delivery
from bot.services.pacing import Pace
from bot.services.ports import SystemClock
from bot.slack.directory import SlackDirectory
from bot.slack.notifier import Notifier
from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.store import Store
from bot.workspace import Workspace, faults
from tests.benchmarks.bots import SECRET, TOKEN
from tests.benchmarks.measure import line, timed

ALERTS, CHANNELS = 50, ("C1", "C2", "C3")
LATENCY_S = 0.1
RATE, BURST = 1.0, 3


def run() -> Iterator[str]:
    with TemporaryDirectory() as folder, Workspace(SECRET, TOKEN, posts_per_second=None) as workspace:
        for channel in CHANNELS:
            workspace.add_channel(channel, name=channel.lower())
        workspace.on("chat.postMessage", faults.slow(LATENCY_S))
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        upgrade(url)
        store = Store(open_engine(url))
        client = WebClient(TOKEN, base_url=workspace.api_url, timeout=5, retry_handlers=[])
        bare = timed(lambda: client.chat_postMessage(channel="C1", text="bare"), 10)
        dwell: list[float] = []
        access = Access(store, SlackDirectory(client), SystemClock())
        delivery = Delivery(
            store,
            Notifier(client, access),
            SystemClock(),
            "bench",
            pace=Pace(RATE, BURST),
            tell_dwell=lambda _, seconds: dwell.append(seconds),
        )
        for channel in CHANNELS:
            access.place(channel)
        _enqueue(store)
        while len(dwell) < ALERTS:
            delivery.run_once()
        store.close()
    allowed = sorted(max(number // len(CHANNELS) - BURST + 1, 0) / RATE for number in range(ALERTS))
    above = sorted(max(taken - may, 0.0) for taken, may in zip(sorted(dwell), allowed, strict=True))
    yield line(
        f"{ALERTS} alerts over {len(CHANNELS)} channels: from finding to Slack", sorted(dwell), bare, "a bare post"
    )
    yield line("  of which above what Slack's rate (1/s a channel) makes anyone wait", above, bare, "a bare post")


def _enqueue(store: Store) -> None:
    """All at once, as one check records them."""
    with store.writing() as tx:
        for number in range(ALERTS):
            message = Message(f"covenant:loan-{number}", "critical", f"Loan {number} is at its margin-call line")
            tx.enqueue(
                alert_id=None,
                stream=f"alert:{number}",
                kind="post",
                channel=CHANNELS[number % len(CHANNELS)],
                message=message.document(),
                level=Level.CRITICAL,
                at=datetime.now(UTC),
            )
