"""`/plimsoll` and `/readyz` of a whole bot: they judge by the same rules, and name what is the matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from slack_sdk import WebClient

from bot.app import Running, build
from bot.domain.money import Price
from bot.health import readiness
from bot.prices.simulated import SimulatedVenues
from bot.settings import GivenSettings
from bot.slack.slash import Slash
from bot.slack.views.plimsoll import May, plimsoll
from bot.treasury_file import read_treasury

from .test_slack_bench import START, TOKEN, TREASURY, Hand


@dataclass
class Whole:
    running: Running
    clock: Hand
    failing: set[str]

    def said(self) -> str:
        access = self.running.access
        may = May(access.roles, access.standing("U1"), access.name)
        return str(plimsoll(self.running.health(), may, Slash())["text"])


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(database_url: str) -> Iterator[Whole]:
    clock, failing = Hand(), set[str]()

    def price(_: object) -> Price:
        return 6_850_000

    venues = SimulatedVenues(price, clock)

    def answer(request: httpx.Request) -> httpx.Response:
        if any(name in request.url.host for name in failing):
            return httpx.Response(500)
        answered = venues.handle_request(request)
        if "bitstamp" in request.url.host and "outlier" in failing:
            return httpx.Response(200, json={**json.loads(answered.read()), "last": "78500.00"})
        return answered

    settings = GivenSettings.model_validate(
        {"database_url": database_url, "slack_bot_token": TOKEN, "alert_channel": "C1", "price_every": "10s"}
    )
    slack = WebClient(TOKEN, base_url="http://127.0.0.1:9/")
    http = httpx.Client(transport=httpx.MockTransport(answer))
    running = build(settings, clock=clock, slack=slack, http=http, database_clock=clock)
    treasury = read_treasury("treasury.toml", TREASURY.replace("antalpha", "first-loan"))
    with running.store.writing() as tx:
        tx.apply(treasury, at=START, by="test", source="treasury.toml")
    yield Whole(running, clock, failing)
    running.stop(1)


@pytest.mark.parametrize("seconds", [0, 29, 30, 31, 120, 400])
def test_checks_are_dead_after_the_same_time_for_both(bot: Whole, seconds: int) -> None:
    bot.running.poll_and_check()
    bot.clock.passes(seconds)
    ready = not any("were last asked" in reason for reason in readiness(bot.running)["reasons"])
    assert ready is (seconds <= 30)
    assert ("checks do not run" not in bot.said()) is ready


def test_the_patience_follows_how_often_it_polls() -> None:
    every = {2: 10, 30: 90, 900: 2_700}
    for seconds, within in every.items():
        settings = GivenSettings.model_validate({"price_every": f"{seconds}s"})
        assert settings.polled_within == timedelta(seconds=within)


def test_it_names_the_sources_that_are_no_part_of_the_price(bot: Whole) -> None:
    bot.failing |= {"kraken", "outlier"}
    bot.running.poll_and_check()
    said = bot.said()
    assert said.count("degraded") == 1
    assert "dropped: bitstamp (" in said
    assert "missing: kraken (" in said
    assert "coinbase (" not in said


def test_nothing_is_named_where_all_is_well(bot: Whole) -> None:
    bot.running.poll_and_check()
    said = bot.said()
    assert said.startswith("Plimsoll: All is well\nPrice: fresh, $68,500.00 (0 s old, 4 sources); asked: coinbase, ")
    assert "dropped" not in said
    assert "missing" not in said


def test_its_help_names_a_facility_that_there_is(bot: Whole) -> None:
    said = bot.said()
    assert "/ltv first-loan: one facility" in said
    assert "antalpha" not in said
