"""Plans by signed clicks: proposed, approved by a second person on the book of then, asked for anew, dismissed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from bot.domain.audit import verify
from bot.domain.money import show_btc
from bot.domain.plans import Status, Wanted
from bot.domain.sales import Scenario, Way
from bot.slack.views.plans import APPROVE, DISMISS, PROPOSE
from bot.store.store import Store

from .clicking import told
from .planning import (
    APPROVAL,
    SELLS,
    answer,
    approves,
    buttons,
    dismisses,
    fills,
    newest_plan,
    plan,
    planning,
    posts,
    presses,
    proposes,
    reads,
)
from .recording import entries
from .test_slack_bench import Bench

FALLS = Wanted(Scenario(drop=Fraction(1, 20)), frozenset({Way.SELL_FREE}))
"""What sells free coins alone, at 5 % under the last price."""

ONCE = pytest.mark.parametrize("database_kind", ["sqlite"])
"""What asks the database for nothing that the others do not."""


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with planning(store) as made:
        yield made


def words(bot: Bench) -> list[tuple[str, str]]:
    """Who did what to plans, by the audit log, which is unbroken."""
    found = [(actor, what) for actor, what, about in entries(bot) if about.startswith("plan ")]
    with bot.store.reading() as tx:
        assert verify(tx.audit_rows()).fault is None
    return found


def test_what_is_proposed_waits_in_the_approvers_channel(bot: Bench) -> None:
    said = proposes(bot)
    assert said == (
        "Proposed as plan 1 in <#C8>: sell 916.55370288 free BTC and repay $50.16M. An approver other than you decides."
    )
    message = newest_plan(bot)
    assert message.headline == "Plan 1, proposed by Ada Byron: sell 916.55370288 free BTC and repay $50.16M"
    assert "Made for a price of $55,000.00, with bitcoin at $56,500.00" in reads(message)
    assert (
        "Sell 916.55370288 BTC of custody, $50,158,401.39 after costs into custody, order “plan 1”: dollars"
        in reads(message)
    )
    assert "Antalpha: LTV 78.03 % → 65.00 % at that price, for its margin call line (cured at 65.00 %)" in reads(
        message
    )
    assert "Waits for an approver other than Ada Byron" in reads(message)
    assert buttons(message) == ["Approve", "Dismiss…"]
    assert words(bot) == [("U1", "proposed")]


def test_a_second_person_approves_it_and_the_proposer_is_told(bot: Bench) -> None:
    proposes(bot)
    assert approves(bot) == "Approved: plan 1. Carry it out, and record it as it is done."
    assert plan(bot).status is Status.APPROVED
    message = newest_plan(bot)
    assert "Approved by Grace Hopper" in reads(message)
    assert "sales with the order “plan 1”" in reads(message)
    assert "Left to do at that price: sell 916.55370288 free BTC and repay $50.16M." in reads(message)
    assert buttons(message) == ["Dismiss…"]
    (reply,) = [m for m in bot.slack.state.posts(APPROVAL) if m.thread_ts == message.ts]
    assert reads(reply) == "<@U1>: approved by Grace Hopper. Carry it out."
    assert words(bot) == [("U1", "proposed"), ("U3", "approved")]


def test_nobody_approves_their_own(bot: Bench) -> None:
    proposes(bot, user="U3")
    assert approves(bot, "U3").startswith("You proposed this yourself; a second person ")
    assert plan(bot).status is Status.PROPOSED
    assert words(bot) == [("U3", "proposed"), ("U3", "clicked")]
    assert approves(bot, "U5").startswith("Approved")


def test_who_is_no_approver_neither_approves_nor_dismisses(bot: Bench) -> None:
    proposes(bot, user="U2")
    refused = {"U1": "This takes an approver, and you are an operator", "U4": "This takes an", "U6": "you are a guest"}
    for user, reason in refused.items():
        assert reason in approves(bot, user)
        assert reason in dismisses(bot, user=user)
    assert plan(bot).status is Status.PROPOSED
    assert words(bot) == [("U2", "proposed")]


@ONCE
def test_who_is_no_operator_does_not_propose(bot: Bench) -> None:
    assert "This takes an operator" in proposes(bot, user="U4")
    assert "you are a guest" in proposes(bot, user="U6")
    assert posts(bot) == []


def test_what_has_moved_is_asked_for_anew_and_the_older_message_approves_nothing(bot: Bench) -> None:
    proposes(bot, FALLS)
    first, before = newest_plan(bot), plan(bot).made.coins(Way.SELL_FREE)
    bot.clock.passes(60)
    bot.checks(55_000)
    said = approves(bot)
    assert said == "Not approved: its numbers have moved by more than 1 %. Plan 1 is asked for anew, below."
    second = newest_plan(bot)
    assert second.ts != first.ts
    assert "Asked again: since it was last shown it has moved by more than 1.00 %." in reads(second)
    assert f"- sell free coins, antalpha: {show_btc(before)} BTC → 1,205.47044101 BTC" in reads(second)
    assert buttons(first) == []
    assert "Continued in <http" in reads(first)
    assert plan(bot).status is Status.PROPOSED
    assert presses(bot, first.ts, APPROVE, "U3", value="1 1", stale=True) == (
        "Plan 1 has been asked for anew since that message: look at the newest one."
    )
    assert approves(bot, "U5") == "Approved: plan 1. Carry it out, and record it as it is done."
    assert words(bot) == [("U1", "proposed"), ("U3", "asked again"), ("U3", "clicked"), ("U5", "approved")]


@ONCE
def test_what_has_moved_by_less_is_approved_with_the_numbers_of_then(bot: Bench) -> None:
    proposes(bot, FALLS)
    before = plan(bot).made
    bot.clock.passes(60)
    bot.checks(56_490)
    assert approves(bot).startswith("Approved")
    approved = plan(bot).made
    assert approved.price == 5_366_550
    assert before.coins(Way.SELL_FREE) < approved.coins(Way.SELL_FREE)
    assert f"${approved.repaid / 10**8:.2f}M" in newest_plan(bot).headline


def test_it_is_held_against_what_has_been_recorded_since(bot: Bench) -> None:
    proposes(bot)
    bot.clock.passes(60)
    fills(bot, "repaid", "wire 1", facility="antalpha", usd="5000000")
    assert "moved by more than 1 %" in approves(bot)
    assert "- repay, antalpha: $50,158,401.39 → $45,1" in reads(newest_plan(bot))


@ONCE
def test_what_nothing_needs_any_more_ends(bot: Bench) -> None:
    proposes(bot, FALLS)
    bot.clock.passes(60)
    bot.checks(80_000)
    assert approves(bot) == "Not approved: nothing is to be cured any more, so plan 1 has ended."
    assert plan(bot).status is Status.EXPIRED
    assert "Ended" in reads(newest_plan(bot))
    assert buttons(newest_plan(bot)) == []


@ONCE
def test_what_cannot_be_done_now_is_not_approved(bot: Bench) -> None:
    proposes(bot)
    fills(bot, "transfer", "to cold", to="custody", btc="1")
    fills(bot, "adjustment", "theft", btc="-2500", reason="lost")
    said = approves(bot)
    assert said.startswith("Not approved: it cannot be carried out now."), said
    assert plan(bot).status is Status.PROPOSED
    assert words(bot)[-1] == ("U3", "clicked")


@ONCE
def test_without_a_price_a_fall_is_not_approved(bot: Bench) -> None:
    proposes(bot, FALLS)
    bot.clock.passes(1200)
    bot.no_price()
    assert "Without a price nothing can be recommended" in approves(bot)
    assert plan(bot).status is Status.PROPOSED


def test_two_approvers_at_once_give_one_approval(bot: Bench) -> None:
    proposes(bot)
    ts, start = newest_plan(bot).ts, threading.Barrier(2)

    def press(user: str) -> None:
        start.wait()
        assert bot.slack.click(ts, APPROVE, user=user, channel=APPROVAL).status == 200

    threads = [threading.Thread(target=press, args=(user,)) for user in ("U3", "U5")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bot.delivers()
    assert sorted(what for _, what in words(bot)) == ["approved", "clicked", "proposed"]
    said = sorted(told(bot, "U3")[-1:] + told(bot, "U5")[-1:])
    assert said[0].startswith("Approved: plan 1.")
    assert said[1].startswith("Nothing was changed. Plan 1: approved by ")


def test_a_double_click_and_a_retry_propose_once(bot: Bench) -> None:
    ts = answer(bot)
    assert "Proposed as plan 1" in presses(bot, ts, PROPOSE, "U1", "C1")
    assert "Plan 1 says the same already" in presses(bot, ts, PROPOSE, "U1", "C1")
    bot.slack.click(ts, PROPOSE, user="U2", channel="C1", deliveries=2)
    bot.delivers()
    assert len(posts(bot)) == 1
    assert words(bot) == [("U1", "proposed")]


def test_a_newer_proposal_for_the_same_takes_the_place_of_the_older(bot: Bench) -> None:
    proposes(bot)
    proposes(bot, replace(SELLS, scenario=Scenario(price=5_000_000)), "U2")
    older, newer = posts(bot)
    assert "Overtaken" in reads(older)
    assert "by plan 2" in reads(older)
    assert buttons(older) == []
    assert buttons(newer) == ["Approve", "Dismiss…"]
    assert (plan(bot).status, plan(bot, 2).status) == (Status.SUPERSEDED, Status.PROPOSED)


@ONCE
def test_an_approved_plan_stands_until_another_is_approved(bot: Bench) -> None:
    proposes(bot)
    approves(bot)
    proposes(bot, replace(SELLS, scenario=Scenario(price=5_000_000)), "U2")
    assert plan(bot).status is Status.APPROVED
    approves(bot)
    assert (plan(bot).status, plan(bot, 2).status) == (Status.SUPERSEDED, Status.APPROVED)


def test_an_approver_dismisses_it_with_a_reason(bot: Bench) -> None:
    proposes(bot)
    assert dismisses(bot) == "Dismissed: plan 1."
    message = newest_plan(bot)
    assert "Dismissed by Grace Hopper" in reads(message)
    assert "(sold elsewhere)" in reads(message)
    assert buttons(message) == []
    assert words(bot)[-1] == ("U3", "dismissed")
    assert presses(bot, message.ts, DISMISS, "U5", value="1 1", stale=True) == "Plan 1 is dismissed already."
    assert "Nothing was changed. Plan 1: dis" in presses(bot, message.ts, APPROVE, "U5", value="1 1", stale=True)


@ONCE
def test_a_dismissal_needs_its_reason(bot: Bench) -> None:
    proposes(bot)
    presses(bot, newest_plan(bot).ts, DISMISS, "U3")
    view = bot.slack.state.open_modal("U3")
    assert view is not None
    answered = bot.slack.submit_view(view.id, {"plan_reason": "  "}, user="U3")
    assert answered.json == {"response_action": "errors", "errors": {"plan_reason": "Say why: it stays with the plan."}}
    assert plan(bot).status is Status.PROPOSED
