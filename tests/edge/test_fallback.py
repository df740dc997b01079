"""Where Slack fails, critical alerts reach FALLBACK_URLS: once each, only then, and the channel hears of it after."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.domain.terms import Level
from bot.domain.transitions import Change, Reason, Transition
from bot.fallback import AppriseTargets
from bot.health import REFUSALS
from bot.services.fallback import Fallback
from bot.store.store import Store
from bot.workspace import Workspace, faults
from edge.bot_process import SECRET, TOKEN, Bot, Source, eventually
from edge.cli_process import CONTRACT, Plimsoll

from .test_delivery_bench import NO_WAIT, deliver, headlines, opened, out
from .test_slack_bench import Bench, bench

CANARY = "canary-5f3a"
TWO_MINUTES = timedelta(minutes=2)


class Target(ThreadingHTTPServer):
    """Takes what apprise's json:// sends; while `broken` it answers 500."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.broken = False
        self.tries = 0
        super().__init__(("127.0.0.1", 0), _Takes)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://user:{CANARY}@127.0.0.1:{self.server_port}/"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Target)
        self.server.tries += 1
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.broken:
            self.server.taken.append(said)
        self.send_response(500 if self.server.broken else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def target() -> Iterator[Target]:
    one = Target()
    yield one
    one.stop()


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


def fallback(bot: Bench, *targets: Target, worker: str = "w1") -> Fallback:
    urls = [SecretStr(target.url) for target in targets]
    return Fallback(
        bot.store, AppriseTargets(urls), bot.clock, worker, after=TWO_MINUTES, refusals=REFUSALS, channel="C1"
    )


def urgent(bot: Bench, said: str = "Antalpha is at its margin-call line", **more: Any) -> int:
    return out(bot, opened(bot), said=said, elsewhere=True, **more)


def test_it_goes_another_way_after_two_minutes_once_and_is_told_of_afterwards(bot: Bench, target: Target) -> None:
    bot.imports()
    urgent(bot)
    bot.slack.offline()
    worker, other = bot.deliverer(**NO_WAIT), fallback(bot, target)
    for _ in range(119):
        worker.run_once()
        bot.clock.passes(1)
    assert other.run_once() == 0
    bot.clock.passes(1)
    worker.run_once()
    bot.clock.passes(60)
    assert [other.run_once(), other.run_once()] == [1, 0]
    (said,) = target.taken
    assert said["title"] == "CRITICAL: Antalpha is at its margin-call line"
    assert "Price $55,000.00." in said["message"]
    assert "Slack has not taken this for 3 min" in said["message"]
    bot.slack.online()
    deliver(bot)
    other.run_once()
    deliver(bot)
    first, told = bot.slack.channel("C1")
    assert first.headline == "Antalpha is at its margin-call line"
    assert told.headline == "Slack takes messages again"
    assert "1 critical alert went to FALLBACK_URLS instead" in told.blocks[1]["text"]["text"]
    other.run_once()
    assert not bot.pending()


def test_what_slack_refuses_for_good_goes_at_once(bot: Bench, target: Target) -> None:
    urgent(bot)
    bot.slack.on("chat.postMessage", faults.error("token_revoked"))
    bot.deliverer(**NO_WAIT).run_once()
    bot.clock.passes(1)
    assert fallback(bot, target).run_once() == 1
    assert "token_revoked" in target.taken[0]["message"]


def test_only_what_is_critical_and_new_goes(bot: Bench, target: Target) -> None:
    out(bot, opened(bot), said="a repeat")
    out(bot, opened(bot, "price"), said="a warning", level=Level.WARNING)
    bot.clock.passes(600)
    assert fallback(bot, target).run_once() == 0


def test_of_one_alert_only_the_newest_goes(bot: Bench, target: Target) -> None:
    alert = opened(bot)
    out(bot, alert, said="at the call line", elsewhere=True)
    out(bot, alert, said="at the liquidation line", elsewhere=True)
    bot.clock.passes(600)
    assert fallback(bot, target).run_once() == 1
    assert fallback(bot, target, worker="w2").run_once() == 0
    assert [one["title"] for one in target.taken] == ["CRITICAL: at the liquidation line"]


def test_a_target_that_fails_is_tried_again_and_one_that_took_it_is_not(bot: Bench) -> None:
    urgent(bot)
    bot.clock.passes(600)
    broken = Target()
    broken.broken = True
    try:
        one = fallback(bot, broken)
        assert [one.run_once(), one.run_once()] == [0, 0]
        broken.broken = False
        bot.clock.passes(31)
        assert one.run_once() == 1
        assert len(broken.taken) == 1
    finally:
        broken.stop()


def test_of_two_workers_one_sends(bot: Bench, target: Target) -> None:
    for number in range(6):
        out(bot, opened(bot, f"transit:{number}"), said=f"alert {number}", stream=f"s{number}", elsewhere=True)
    bot.clock.passes(600)
    threads = [threading.Thread(target=fallback(bot, target, worker=f"w{n}").run_once) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["title"] for one in target.taken) == [f"CRITICAL: alert {number}" for number in range(6)]


def test_a_worker_that_died_sending_is_taken_over_from(bot: Bench, target: Target) -> None:
    row = urgent(bot)
    bot.clock.passes(600)
    with bot.store.writing() as tx:
        assert tx.claim_fallback(row, "the dead one", TWO_MINUTES)
    assert fallback(bot, target).run_once() == 0
    bot.clock.passes(121)
    assert fallback(bot, target).run_once() == 1


def test_the_whole_bot_does_it(tmp_path: Path, target: Target, plimsoll: Plimsoll) -> None:
    (tmp_path / "treasury.toml").write_text(CONTRACT.read_text().split("[[call]]")[0])
    assert plimsoll("import", "treasury.toml").code == 0
    source = Source("55000.00")
    with Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None) as workspace:
        workspace.add_user("U1", name="Ada")
        workspace.add_channel("C1", name="treasury")
        workspace.offline()
        one = Bot(tmp_path, workspace, source)
        try:
            one.start_and_wait(FALLBACK_URLS=target.url, FALLBACK_AFTER="2s")
            eventually(lambda: len(target.taken) == 2, "facility and group go another way")
            workspace.online()
            eventually(
                lambda: any("Slack takes messages again" in m.text for m in workspace.channel("treasury")), "it is told"
            )
            time.sleep(1)
            assert one.end()[0] == 0
        finally:
            one.clean_up()
            source.stop()
    assert len(target.taken) == 2
    assert CANARY not in one.log


def test_an_address_that_nobody_knows_stops_the_start(tmp_path: Path, plimsoll: Plimsoll) -> None:
    settings = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET, "ALERT_CHANNEL": "C1"}
    refused = plimsoll("run", **settings, FALLBACK_URLS=f"mailtoo://me:{CANARY}@example.com")
    assert refused.code == 2
    assert refused.err.startswith("FALLBACK_URLS: an address that begins with “mailtoo://” is not one")
    assert CANARY not in refused.err
    assert len(refused.err.splitlines()) == 1


def test_the_post_is_still_made_once(bot: Bench, target: Target) -> None:
    urgent(bot)
    bot.clock.passes(600)
    fallback(bot, target).run_once()
    deliver(bot)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]


def test_what_slack_has_taken_meanwhile_goes_nowhere_else(bot: Bench) -> None:
    row = urgent(bot)
    bot.clock.passes(600)
    deliver(bot)
    with bot.store.writing() as tx:
        assert not tx.claim_fallback(row, "late", TWO_MINUTES)


def test_what_is_over_before_anything_takes_it_goes_nowhere(bot: Bench, target: Target) -> None:
    alert = opened(bot)
    out(bot, alert, elsewhere=True)
    with bot.store.writing() as tx:
        known = tx.open_alerts()["covenant:antalpha"].alert
        over = Transition(known.key, Change.CLOSED, Reason.ALL_CLEAR, bot.clock.now(), replace(known, active=()), known)
        tx.save_transition(over, channel="C1", text="")
    bot.clock.passes(600)
    assert fallback(bot, target).run_once() == 0
