"""`/plimsoll risk` as a person types it: answered in the acknowledgement from the prices that were stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.price import PriceState
from bot.domain.quotes import Tick
from bot.store.store import Store

from .test_slack_bench import Bench, bench, said


@pytest.fixture
def database_kind() -> str:
    """One is enough: the query behind it has tests of its own on both."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot with forty days of prices: up and down by 1 % each hour."""
    with bench(store) as made:
        made.imports()
        with made.store.writing() as tx:
            for n in range(40 * 24):
                at, cents = made.clock.now() - timedelta(hours=n, minutes=1), 69_300_00 + n % 2 * 700_00
                tx.add_tick(Tick(at, PriceState.FRESH, cents, at))
        made.price(68_500)
        made.knows("U1")
        made.slack.clear_calls()
        yield made


def test_it_shows_each_line_ahead_counted_and_modelled(bot: Bench) -> None:
    text = said(bot, "/plimsoll risk")
    assert text.startswith(
        "*Lines ahead at $68,500.00 (12 s old, 4 sources)*\n*Antalpha*\n• early warning at $63,111.00, 7.87 "
    )
    assert " % below\n24 h: 0 of 936 (0.00 %), model 10.0 % · " in text
    assert " · 7 d: 0 of 792 (0.00 %), model 5" in text
    assert "margin call at $57,2" in text
    assert " · cure 24 h: 0 of 936 (0.00 %), model 0.0" in text
    assert "*Group antalpha-all*\n• group call at $" in text
    assert "history from 29 Dec 2025 to 7 Feb 2026 (961 prices)" in text
    assert "Neither is a forecast. Bitcoin $68,500.00 (12 s old, 4 sources) from coinbase" in text
    assert not bot.slack.calls


@pytest.mark.parametrize("words", ["risk antalpha at 55000", "RISK  Antalpha  at $55k", "risk antalpha-all at 55000"])
def test_one_can_be_asked_about_at_a_price(bot: Bench, words: str) -> None:
    text = said(bot, f"/plimsoll {words}")
    assert "What if bitcoin were at $55,000.00: a scenario, not the market" in text
    assert ("liquidation at $47,6" in text) == ("*Antalpha*" in text) == ("*Group antalpha-all*" not in text)


def test_a_fall_brings_the_lines_nearer(bot: Bench) -> None:
    assert "early warning at $63,1" in said(bot, "/plimsoll risk -5%")
    near = said(bot, "/plimsoll risk antalpha -7.8%")
    assert " below\n24 h: 468 of 936 (50.00 %), model 98.9 %" in near


def test_without_a_price_the_lines_are_there_and_nothing_is_counted(store: Store) -> None:
    with bench(store) as bot:
        bot.imports()
        bot.knows("U1")
        text = said(bot, "/plimsoll risk")
        assert "*No price yet: LTV unknown*" in text
        assert "early warning at $63,1" in text
        assert "There is no price history up to 7 Feb 2026" in text
