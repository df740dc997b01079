"""`/readyz`, `/healthz` and `/metrics` of a whole bot: each says why, and none asks anybody but the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest
from slack_sdk import WebClient
from sqlalchemy import event

from bot.app import Running, build
from bot.domain.alert import Person
from bot.domain.quotes import Poll, PricePolicy, Quote, aggregate
from bot.domain.roles import Role
from bot.domain.terms import Level
from bot.domain.transitions import Act, ActKind
from bot.health import readiness
from bot.prices.simulated import SimulatedVenues
from bot.services.checking import run_checks
from bot.services.ports import Clock, SystemClock
from bot.settings import GivenSettings
from bot.slack.token import TokenWatch
from bot.treasury_file import read_treasury
from bot.web import create_wsgi
from bot.workspace import Workspace, faults

from .bot_process import eventually
from .test_slack_bench import SECRET, START, TOKEN, TREASURY, Hand


@dataclass
class Whole:
    running: Running
    clock: Hand
    slack: Workspace

    def reasons(self) -> list[str]:
        return list(readiness(self.running)["reasons"])

    def page(self, path: str) -> tuple[int, Any]:
        answer = create_wsgi(self.running).test_client().get(path)
        return answer.status_code, answer.get_json(silent=True)

    def metrics(self) -> list[str]:
        return generate_latest(self.running.metrics.registry).decode().splitlines()


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def slack() -> Iterator[Workspace]:
    one = Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None)
    one.add_channel("C1", name="treasury")
    with one:
        yield one


def made(database_url: str, slack: Workspace, clock: Clock, database_clock: Clock | None, **more: str) -> Running:
    given = {
        "database_url": database_url,
        "slack_bot_token": TOKEN,
        "alert_channel": "C1",
        "price_every": "10s",
        **more,
    }
    running = build(
        GivenSettings.model_validate(given),
        clock=clock,
        slack=WebClient(TOKEN, base_url=slack.api_url, timeout=2, retry_handlers=[]),
        http=httpx.Client(transport=SimulatedVenues(lambda _: 6_850_000, clock)),
        database_clock=database_clock,
    )
    with running.store.writing() as tx:
        tx.apply(read_treasury("treasury.toml", TREASURY), at=START, by="test", source="treasury.toml")
    return running


@pytest.fixture
def bot(database_url: str, slack: Workspace) -> Iterator[Whole]:
    """Not started; its database's time is its clock's."""
    clock = Hand()
    running = made(database_url, slack, clock, clock)
    yield Whole(running, clock, slack)
    running.stop(1)


def test_a_bot_that_has_done_nothing_yet_says_so(bot: Whole) -> None:
    assert bot.page("/readyz")[0] == 503
    assert bot.reasons() == [
        "the price sources were never asked",
        "there is no price (none)",
        "the checks have not completed yet",
        "Slack was not asked about the token",
    ]


def test_it_is_ready_when_it_has_checked_and_slack_knows_it(bot: Whole) -> None:
    bot.running.poll_and_check()
    bot.running.know_token()
    assert bot.page("/readyz") == (200, readiness(bot.running))
    assert bot.page("/readyz")[1]["checked_s"] == 0


def test_checks_that_no_longer_complete_are_a_reason_though_the_price_is_polled(bot: Whole, database_url: str) -> None:
    bot.running.poll_and_check()
    bot.clock.passes(31)
    assert "the checks last completed 31 s ago" in bot.reasons()
    other = made(database_url, bot.slack, bot.clock, bot.clock)
    other.poll_and_check()
    other.stop(1)
    assert not any("checks" in reason for reason in bot.reasons())


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
def test_a_token_that_slack_refuses_is_a_reason(bot: Whole, error: str) -> None:
    bot.running.poll_and_check()
    bot.slack.on("auth.test", faults.error(error))
    bot.running.know_token()
    bot.slack.clear_calls()
    assert bot.reasons() == [f"Slack refuses the token ({error}): plimsoll doctor says the next step"]
    assert not bot.slack.calls
    bot.running.know_token()
    assert bot.slack.calls["auth.test"] == 1
    bot.slack.clear_faults()
    bot.running.know_token()
    assert bot.reasons() == []
    bot.running.know_token()
    assert bot.slack.calls["auth.test"] == 2


def test_a_token_that_was_good_is_so_while_slack_is_away(bot: Whole) -> None:
    bot.running.poll_and_check()
    bot.slack.on("auth.test", faults.http_500)
    bot.running.know_token()
    assert bot.reasons() == ["Slack was not asked about the token: http_5xx"]
    bot.slack.clear_faults()
    watch = TokenWatch(bot.running.access.ask_home, good_for_s=0)
    watch.look()
    bot.slack.on("auth.test", faults.http_500)
    watch.look()
    assert watch.trouble() is None


def test_a_channel_of_ours_that_is_closed_is_a_reason_though_nothing_waits(bot: Whole) -> None:
    bot.running.poll_and_check()
    bot.running.know_token()
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    bot.running.access.refresh()
    said = "ALERT_CHANNEL (C1) is shared with another organisation"
    assert f"{said}: nothing is posted there; plimsoll doctor says the next step" in bot.reasons()
    assert bot.running.health().closed == (said,)
    bot.slack.add_channel("C1", name="treasury")
    bot.running.access.refresh()
    assert not any("ALERT_CHANNEL" in reason for reason in bot.reasons())
    assert bot.running.health().closed == ()


def test_the_bot_knows_the_roles_of_its_settings(database_url: str, slack: Workspace) -> None:
    slack.add_user("U1", name="Ada")
    slack.add_usergroup("S1", ["U1"])
    running = made(database_url, slack, Hand(), None, viewers="U2", operators="S1", approvers="U2")
    running.access.refresh()
    judged = [running.access.look_up("U1", "", "C1", role).allowed for role in Role]
    running.stop(1)
    assert judged == [True, True, False]


def test_a_message_that_waits_is_a_reason(bot: Whole) -> None:
    bot.running.poll_and_check()
    bot.running.know_token()
    with bot.running.store.writing() as tx:
        message = {"headline": "x", "body": "", "footer": "", "level": 2}
        tx.enqueue(alert_id=None, stream="s", kind="post", channel="C1", message=message, level=Level.WARNING, at=START)
    bot.clock.passes(121)
    bot.running.poll_and_check()
    assert bot.reasons() == ["1 messages are not delivered, the oldest for 2 min"]
    assert readiness(bot.running)["oldest_undelivered_s"] == 121


def test_a_full_database_is_a_reason_until_it_can_be_written_again(database_url: str, slack: Workspace) -> None:
    running = made(database_url, slack, SystemClock(), None, price_every="1s")
    full = False

    @event.listens_for(running.store.engine, "begin")
    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {1 if full else 1_000_000}")  # 1: those there are

    running.start(works=True, answers=True)
    said = "the database cannot be written: database or disk is full"
    try:
        eventually(lambda: not readiness(running)["reasons"], "it is ready")
        full = True
        eventually(lambda: said in readiness(running)["reasons"], "it says that the database is full")
        full = False
        eventually(lambda: not readiness(running)["reasons"], "it is ready again")
    finally:
        full = False
        running.stop(5)


def test_what_should_run_and_does_not_is_told_by_healthz(database_url: str, slack: Workspace) -> None:
    running = made(database_url, slack, SystemClock(), None)
    running.start(works=True, answers=False)
    whole = Whole(running, Hand(), slack)
    assert whole.page("/healthz") == (200, {"ok": True, "dead": []})
    running.stop(5)
    assert whole.page("/healthz") == (503, {"ok": False, "dead": ["scheduler", "deliver"]})


def test_metrics_tell_of_each_source_and_of_the_checks(bot: Whole) -> None:
    bot.running.poll_and_check()
    bot.clock.passes(7)
    said = bot.metrics()
    assert 'plimsoll_source_state{source="kraken",state="used"} 1.0' in said
    assert 'plimsoll_source_state{source="kraken",state="stale"} 0.0' in said
    assert 'plimsoll_source_price_age_seconds{source="kraken"} 7.0' in said
    assert "plimsoll_checks_age_seconds 7.0" in said


def test_what_people_do_to_an_alert_is_counted_as_what_the_checks_find(bot: Whole) -> None:
    low = Poll(START, ("kraken",), (Quote("kraken", 5_500_000, START, START),))
    with bot.running.store.writing() as tx:
        tx.add_tick(aggregate(None, low, PricePolicy(quorum=1)))
    run_checks(bot.running.store, bot.running.books, bot.clock, bot.running.channels)
    with bot.running.store.reading() as tx:
        (alert, *_) = tx.open_alerts().values()
    bot.running.acting.act(alert.id, Act(ActKind.ACKNOWLEDGE, Person("U1", "Ada")))
    assert 'plimsoll_alert_transitions_total{change="acknowledged",reason="taken"} 1.0' in bot.metrics()


def test_a_poll_by_slots_is_counted_with_its_lateness(database_url: str, slack: Workspace) -> None:
    running = made(database_url, slack, SystemClock(), None, price_every="1s")
    whole = Whole(running, Hand(), slack)
    running.start(works=True, answers=False)
    try:
        done = 'plimsoll_job_slots_total{job="poll_and_check",outcome="done"} 2.0'
        eventually(lambda: done in whole.metrics(), "two slots were polled", every=0.05)
        late = 'plimsoll_job_lateness_seconds_bucket{job="poll_and_check",le="1.0"} 2.0'
        assert late in whole.metrics()
    finally:
        running.stop(5)
