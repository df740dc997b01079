"""`/sales` as a person types it: the recommended sale in one sentence, what to do, and the other ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.store.store import Store

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


@pytest.mark.parametrize("words", ["30", "banana", "at", "at banana", "30%", "-30", "-20% at 55000"])
def test_a_wrong_word_is_refused_on_one_line_with_an_example(bot: Bench, words: str) -> None:
    text = said(bot, f"/sales {words}")
    assert text.endswith("Try `/sales` or `/sales -30%` or `/sales at 55000`.")
    assert "\n" not in text
