"""`/sales` as a person types it: the recommended sale in one sentence, what to do, and the other ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from bot.store.store import Store

from .selling import SATURDAY, SATURDAY_WITH_STABLECOINS, WORKED
from .test_slack_bench import Bench, bench, said


@pytest.fixture
def database_kind() -> str:
    """One is enough: the answer asks nothing of the database that `/ltv` doesn't."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        made.slack.clear_calls()
        yield made


@pytest.fixture
def holding(store: Store) -> Iterator[Callable[[str, datetime], Bench]]:
    """A bot with another treasury, at an instant."""
    with ExitStack() as stack:

        def make(text: str, now: datetime) -> Bench:
            made = stack.enter_context(bench(store))
            made.imports(text)
            made.clock.set(now)
            made.knows("U1")
            return made

        yield make


def test_at_a_price_the_recommended_sale_comes_first_and_the_other_ways_after_it(bot: Bench) -> None:
    first, said_first, *rest = said(bot, "/sales at 55000").split("\n")
    assert first == "*Recommended sale at $55,000.00: a scenario, not the market*"
    assert said_first == (
        "Sell 2,643.40 BTC pledged to Antalpha, repay Antalpha $144,659,737.35: Antalpha LTV 78.03 % → 65.00 %, call "
        "line then $47,666.66; antalpha-all LTV 78.03 % → 65.00 %, call line then $45,833.33."
    )
    ways = [line.split("*")[1] for line in rest if line.startswith("*")]
    assert ways == ["Top up", "Repay from cash", "Free coins only", "Pledged only", "Do nothing"]
    assert not bot.slack.calls


def test_without_words_it_plans_at_the_fall_to_withstand(bot: Bench) -> None:
    assert said(bot, "/sales").startswith(
        "*Recommended sale at $47,950.00 (30 % below the last price, $68,500.00, 12 s old)*\n"
    )


def test_where_nothing_is_to_be_sold_it_says_the_headroom(bot: Bench) -> None:
    text = said(bot, "/sales -10%")
    assert text.startswith("*Nothing to sell at $61,650.00*\nNothing would be at a call line at $61,650.00 (10 % below")
    assert "The nearest is Antalpha's margin-call line at $57,220.64, another 7.18 % below." in text


def test_the_contracts_four_cures_side_by_side(holding: Callable[[str, datetime], Bench]) -> None:
    text = said(holding(WORKED, datetime(2026, 2, 1, tzinfo=UTC)), "/sales at 55000")
    assert text.startswith(
        "*Recommended sale at $55,000.00: a scenario, not the market*\n"
        "Repay Antalpha $49,750,000.00 from cash: LTV 77.92 % → 65.00 %, call line then $47,666.66.\n"
        "1. Send $49,750,000.00 of custody to Antalpha: from <!date^1769904000^"
    )
    ways = {line.split("*")[1]: line.partition(": ")[2] for line in text.split("\n") if line.startswith("*")}
    assert ways["Top up"].startswith(
        "Pledge 1,391.61 BTC. LTV then 65.00 %, call line $47,666.66. Costs $0.00, 9,000.00 BTC left. Credited <!date^"
    )
    assert ways["Repay from cash"] == "the same as recommended."
    assert ways["Free coins only"].startswith("Sell 909.10 free BTC, repay $49,750,000.00. LTV then 65.00 %, call line")
    assert ways["Pledged only"].startswith("Sell 2,621.88 pledged BTC, repay $143,481,884.06. LTV then 65.00 %")
    assert ways["Do nothing"].startswith("Antalpha may sell 1,980.52 pledged BTC from <!date^")
    assert "LTV then 70.00 %" in ways["Do nothing"]


MONDAY = "<!date^1770645600^{date_short_pretty} {time}|Mon 9 Feb 08:00>"
"""9 February 14:00Z: the bank opens in New York."""


def test_on_a_saturday_the_wire_is_too_late_until_monday(holding: Callable[[str, datetime], Bench]) -> None:
    saturday = datetime(2026, 2, 7, 14, 15, tzinfo=UTC)
    text = said(holding(SATURDAY, saturday), "/sales at 55000")
    assert "\nPledge 1,391.61 BTC to Antalpha: LTV 77.92 % → 65.00 %" in text
    assert f"*Repay from cash*: not possible. $90,000,000.00 cash. Dollars of custody can leave from {MONDAY}" in text
    assert "Short by $49.75M, or 24 h 45 min more." in text


def test_on_a_saturday_stablecoins_are_in_time(holding: Callable[[str, datetime], Bench]) -> None:
    saturday = datetime(2026, 2, 7, 14, 15, tzinfo=UTC)
    text = said(holding(SATURDAY_WITH_STABLECOINS, saturday), "/sales at 55000")
    assert "\nRepay Antalpha $49,750,000.00 from cash: LTV 77.92 % → 65.00 %" in text
    assert "1. Send $49,750,000.00 of wallet to Antalpha: from <!date^1770473700^" in text


def test_dollars_are_raised_by_a_day(bot: Bench) -> None:
    text = said(bot, "/sales raise 38m by 2026-03-01")
    assert text.startswith(
        "*Raise $38,000,000.00 by Sun 1 Mar 2026, selling at $68,500.00 (12 s old, 4 sources)*\n"
        "It cannot be raised in time: on Sun 1 Mar 2026 operations and the amount asked for cannot be paid. "
        "Short by $76.00M, or 1,140."
    )
    assert "$38.00M for operations is recorded for that day already; this is besides it." in text
    assert "Runway at $68,500.00: 3 weeks, until Sun 1 Mar 2026; then operations" in text
    assert "Runway at $47,950.00 (30 % below the last price): 3 weeks" in text
    low = said(bot, "/sales raise $2,000,000 by 2026-02-20 at 60k")
    assert low.startswith("*Raise $2,000,000.00 by Fri 20 Feb 2026, selling at $60,000.00 (what if)*\n")


def test_without_a_price_it_says_so_and_how_to_ask(store: Store) -> None:
    with bench(store) as bot:
        bot.imports()
        bot.knows("U1")
        text = said(bot, "/sales")
        assert text.startswith("*No price, and so no recommended sale*\nNo price yet. Without a price nothing can be")
        assert "Ask at a price: `/sales at 55000`" in text
        assert "no price to sell at" in said(bot, "/sales raise 1m by 2026-03-01")


WRONG = {
    "30": "“30” is nothing to ask sales about.",
    "banana": "“banana” is nothing to ask sales about.",
    "at": "“at” needs a price.",
    "at banana": "“banana” is not a price.",
    "30%": "“30%” is not a fall: it begins with a minus.",
    "-30": "“-30” lacks its %.",
    "-20% at 55000": "Ask about a price or a fall, not both.",
    "raise": "“raise” needs an amount and a day.",
    "raise 38m": "“raise” needs an amount and a day.",
    "raise lots by 2026-03-01": "“lots” is not an amount to raise.",
    "raise 0 by 2026-03-01": "“0” is not an amount to raise.",
    "raise 38m by march": "“march” is not a day: write it as 2026-03-01.",
    "raise 38m by 1999-01-01": "“1999-01-01” is out of range: a year from 2009 to 2199.",
    "raise 38m by 2026-02-06": "2026-02-06 is over: name a day from 2026-02-07 on.",
    "raise 38m by 2199-01-01": "2199-01-01 is too far ahead: name a day up to 2028-02-09.",
    "-99.999999%": "That fall leaves less than a cent, which is no price: ask about a smaller one.",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_is_refused_on_one_line_with_an_example(bot: Bench, words: str) -> None:
    if "99.9" in words:
        bot.price(1)
    examples = (
        "Try `/sales` or `/sales -30%` or `/sales at 55000` or `/sales raise 38m by 2026-03-01` or `/sales weekend` or "
        "`/sales plans`."
    )
    assert said(bot, f"/sales {words}") == f"{WRONG[words]} {examples}"
