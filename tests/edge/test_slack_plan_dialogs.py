"""What may be done with a recommendation before it is a plan: adjusted, let go; and buttons that are none of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from bot.domain.money import parse_btc
from bot.domain.plans import Wanted
from bot.domain.sales import Scenario, Way
from bot.services.plans import NO_CHANNEL
from bot.slack.views.plans import ADJUST, DROP, PROPOSE
from bot.store.store import Store

from .clicking import told
from .planning import ROLES, SELLS, answer, buttons, plan, planning, posts, presses, proposes, reads
from .test_slack_bench import Bench, bench


@pytest.fixture
def database_kind() -> str:
    """Nothing here asks the database for more than a plan."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with planning(store) as made:
        yield made


def test_what_is_not_to_be_cured_is_not_proposed(bot: Bench) -> None:
    said = proposes(bot, Wanted(Scenario(price=9_000_000)))
    assert said == "Not proposed. Nothing would be at a call line at $90,000.00."
    assert posts(bot) == []


def test_without_a_channel_for_it_nothing_is_proposed(store: Store) -> None:
    with bench(store, roles=ROLES) as made:
        made.imports()
        made.knows("U1")
        assert presses(made, answer(made), PROPOSE, "U1", "C1") == NO_CHANNEL


def test_a_button_that_is_none_of_ours_does_nothing(bot: Bench) -> None:
    ts = answer(bot)
    for value in ("", "{}", "[]", "7", '{"ways":[],"keep_reserves":true}', '{"ways":["x"],"keep_reserves":true}'):
        assert "not understood any more" in presses(bot, ts, PROPOSE, "U1", "C1", value=value, stale=True)
    assert posts(bot) == []


def adjusts(bot: Bench, user: str = "U4", wanted: Wanted = SELLS, **fields: object) -> tuple[dict[str, str], str]:
    """Opens the dialog of a recommendation and sends it; what is wrong, and what they read."""
    presses(bot, answer(bot, wanted), ADJUST, user, "C1")
    view, before = bot.slack.state.open_modal(user), len(told(bot, user))
    assert view is not None
    came = bot.slack.submit_view(view.id, {f"plan_{name}": value for name, value in fields.items()}, user=user)
    assert came.ok, (came.error, came.problems)
    bot.quiet()
    wrong = came.json["errors"] if isinstance(came.json, dict) and "errors" in came.json else {}
    return wrong, "\n".join(told(bot, user)[before:])


def test_what_is_adjusted_is_planned_anew_and_can_be_proposed(bot: Bench) -> None:
    wrong, said = adjusts(bot, user="U1", price="52000", drop=None, ways=["cash", "sell_free"], most="2,000")
    assert wrong == {}
    assert said.startswith("*Recommended mix (only: repay from cash and sell free coins; at most 2,000.00 BTC sold): ")
    message = bot.slack.ephemerals("U1")[-1]
    assert buttons(message) == ["Propose", "Adjust…", "Dismiss"]
    assert "Proposed as plan 1" in presses(bot, message.ts, PROPOSE, "U1", "C1")
    made = plan(bot)
    assert made.wanted == Wanted(Scenario(price=5_200_000), frozenset({Way.CASH, Way.SELL_FREE}), parse_btc("2000"))
    assert 0 < made.made.coins(Way.SELL_FREE) <= parse_btc("2000")


def test_what_cannot_be_done_so_is_not_offered(bot: Bench) -> None:
    _, said = adjusts(bot, price="52000", ways=["sell_free"], most="1")
    assert "Propose" not in buttons(bot.slack.ephemerals("U4")[-1])
    assert "BTC" in said


def test_the_dialog_says_what_is_wrong_under_its_field(bot: Bench) -> None:
    assert adjusts(bot, price="banana", ways=["cash"])[0] == {"plan_price": "“banana” is not a price."}
    assert adjusts(bot, price="52000", drop="5", ways=["cash"])[0] == {"plan_drop": "Give a price or a fall, not both."}
    assert "plan_most" in adjusts(bot, ways=["cash"], most="-3")[0]
    assert "not a fall" in adjusts(bot, price=None, drop="120", ways=["cash"])[0]["plan_drop"]


@pytest.mark.parametrize(
    ("was", "typed", "comes"),
    [
        (Scenario(price=5_500_000), {"drop": "5"}, Scenario(drop=Fraction(5, 100))),
        (Scenario(drop=Fraction(1, 10)), {"price": "52000"}, Scenario(price=5_200_000)),
        (Scenario(drop=Fraction(12_345, 100_000)), {}, Scenario(drop=Fraction(12_345, 100_000))),
    ],
)
def test_what_was_only_filled_in_gives_way_to_what_is_typed(
    bot: Bench, was: Scenario, typed: dict[str, str], comes: Scenario
) -> None:
    assert adjusts(bot, "U1", replace(SELLS, scenario=was), **typed)[0] == {}
    presses(bot, bot.slack.ephemerals("U1")[-1].ts, PROPOSE, "U1", "C1")
    assert plan(bot).wanted.scenario == comes


def test_an_answer_can_be_let_go(bot: Bench) -> None:
    adjusts(bot, user="U1", price="52000", ways=["cash", "sell_free"])
    message = bot.slack.ephemerals("U1")[-1]
    presses(bot, message.ts, DROP, "U1", "C1")
    (shown_now,) = [one for one in bot.slack.ephemerals("U1") if one.ts == message.ts]
    assert (reads(shown_now), buttons(shown_now)) == ("Dismissed: nothing was proposed.", [])
    assert posts(bot) == []
