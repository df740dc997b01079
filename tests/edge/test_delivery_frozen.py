"""A worker's process is stopped (SIGSTOP) after each of its transactions; another takes over; it goes on (SIGCONT)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import psutil
import pytest
from slack_sdk import WebClient

from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.services.access import Access
from bot.services.deliver import Delivery
from bot.services.pacing import Pace
from bot.services.ports import SystemClock
from bot.slack.directory import SlackDirectory
from bot.slack.notifier import Notifier
from bot.store.store import Store
from bot.workspace import Workspace

from .cli_process import ROOT

SECRET, TOKEN = "shh", "xoxb-test"
SETTLE = timedelta(seconds=2)
WORKER = """
import os, signal, sys
from contextlib import contextmanager
sys.path.insert(0, sys.argv[4])
from bot.store.engine import open_engine
from bot.store.store import Store
from tests.edge.test_delivery_frozen import worker

class Stopping(Store):
    commits = 0

    @contextmanager
    def sharing(self):
        with super().sharing() as tx:
            yield tx
        self.commits += 1
        if self.commits == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGSTOP)

worker(Stopping(open_engine(sys.argv[1])), sys.argv[2], "frozen").run_once()
"""


def worker(store: Store, api_url: str, name: str) -> Delivery:
    """On the real clock; also what the process that gets stopped runs."""
    client, clock = WebClient(TOKEN, base_url=api_url, timeout=5, retry_handlers=[]), SystemClock()
    access = Access(store, SlackDirectory(client), clock)
    notifier = Notifier(client, access, strict=True, time_out_s=1)
    return Delivery(store, notifier, clock, name, settle_after=SETTLE, pace=Pace(per_second=1000, burst=1000))


def put(store: Store, stream: str, kind: str, said: str) -> None:
    message: dict[str, Any] = Message("price", "warning", said, "").document()
    with store.writing() as tx:
        tx.enqueue(
            alert_id=None,
            stream=stream,
            kind=kind,
            channel="C1",
            message=message,
            level=Level.WARNING,
            at=SystemClock().now(),
        )


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has stopped or ended."""
    return process.poll() is not None or psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


def until(check: Any, within: float = 30) -> None:
    give_up_at = time.monotonic() + within
    while not check():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
@pytest.mark.parametrize("kind", ["post", "edit"])
@pytest.mark.parametrize("nth", range(1, 5), ids=["looked", "claimed", "attempted", "delivered"])
def test_a_frozen_worker_that_goes_on_says_nothing(store: Store, database_url: str, nth: int, kind: str) -> None:
    with Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None) as slack:
        slack.add_channel("C1", name="treasury")
        other = worker(store, slack.api_url, "other")
        if kind == "edit":
            put(store, "s", "post", "the post")
            assert other.run_once() == 1
        put(store, "s", kind, "older")
        frozen = subprocess.Popen([sys.executable, "-c", WORKER, database_url, slack.api_url, str(nth), str(ROOT)])
        try:
            until(lambda: ended(frozen))
            assert frozen.poll() is None
            put(store, "s", "edit", "newer")
            give_up_at = time.monotonic() + 20

            def waits() -> bool:
                with store.reading() as tx:
                    return tx.has_pending()

            while waits() and time.monotonic() < give_up_at:
                other.run_once()
                time.sleep(0.1)
            assert not waits()
            said_by_now = Counter(call.method for call in slack.calls)
            os.kill(frozen.pid, signal.SIGCONT)
            assert frozen.wait(20) == 0
        finally:
            frozen.kill()
            frozen.wait(20)
        (post,) = slack.channel("C1")
        assert post.headline == "newer"
        for method in ("chat.postMessage", "chat.update"):
            assert slack.calls[method] == said_by_now[method]
