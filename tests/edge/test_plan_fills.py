"""Approved plans carried out: in parts, at better and worse prices, until all they were for is cured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.alert import Person
from bot.domain.audit import verify
from bot.domain.money import parse_btc
from bot.domain.planning import remaining
from bot.domain.plans import Status, Wanted
from bot.domain.sales import Scenario, Way
from bot.domain.treasury import Movement, MovementKind
from bot.store.store import Store

from .clicking import status
from .planning import (
    AT_55,
    CALLED,
    approves,
    buttons,
    fills,
    meets,
    newest_plan,
    plan,
    planning,
    posts,
    proposes,
    reads,
)
from .recording import entries
from .test_slack_bench import Bench

KILLED = Path(__file__).with_name("plan_killed.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}

ONCE = pytest.mark.parametrize("database_kind", ["sqlite"])
"""What asks the database for nothing that the others do not."""


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """Plan 1 is approved: sell 916.55370288 free BTC for $50.16M net, and repay."""
    with planning(store) as made:
        proposes(made)
        approves(made)
        yield made


def left(bot: Bench) -> int:
    """Satoshis that are still to be sold."""
    found = remaining(bot.questions.book(), plan(bot))
    assert found.made is not None, found.why
    return found.made.coins(Way.SELL_FREE)


def words(bot: Bench) -> list[str]:
    found = [what for _, what, about in entries(bot) if about == "plan 1"]
    with bot.store.reading() as tx:
        assert verify(tx.audit_rows()).fault is None
    return found


def sells(bot: Bench, ref: str, btc: str, usd: str) -> None:
    """A part is sold for it and paid to the lender, a minute later."""
    bot.clock.passes(60)
    fills(bot, "sold", f"sale {ref}", btc=btc, usd=usd, order="Plan 1")
    fills(bot, "repaid", f"wire {ref}", facility="antalpha", usd=usd)


def test_a_part_is_told_and_the_rest_is_planned_anew(bot: Bench) -> None:
    sells(bot, "1", "400", "21890000.00")
    message = newest_plan(bot)
    assert len(posts(bot)) == 1
    assert "Recorded: sold 400.00 of 916.55370288 BTC, repaid $21.89M of $50.16M." in reads(message)
    assert "Left to do at that price: sell 516.55370288 free BTC and repay $28.27M." in reads(message)
    assert plan(bot).fills == ("sale 1", "wire 1")
    assert words(bot) == ["proposed", "approved", "filled", "filled"]


@pytest.mark.parametrize(("usd", "compared"), [("24000000.00", "better"), ("20000000.00", "worse")])
def test_better_and_worse_prices_change_what_is_left(bot: Bench, usd: str, compared: str) -> None:
    sells(bot, "1", "400", usd)
    expected = parse_btc("516.55370288")
    net = 5_500_000 * 0.995 / 10**8
    off = (2_189_000_000 - int(usd.replace(".", ""))) / net
    assert left(bot) == pytest.approx(expected + off, abs=1000)
    assert (left(bot) < expected) == (compared == "better")


@ONCE
def test_done_at_a_worse_price_it_is_not_complete_until_the_rest_is_sold(bot: Bench) -> None:
    sells(bot, "1", "916.55370288", "49000000.00")
    assert plan(bot).status is Status.APPROVED
    assert "Left to do at that price: sell 21.1" in reads(newest_plan(bot))
    sells(bot, "2", "22", "1170000.00")
    assert plan(bot).status is Status.COMPLETE


def test_carried_out_it_is_complete_and_the_alert_it_answers_clears(bot: Bench) -> None:
    assert status(bot) == "open"
    sells(bot, "1", "916.55370288", "50158401.39")
    message = newest_plan(bot)
    assert plan(bot).status is Status.COMPLETE
    assert "Complete" in reads(message)
    assert "all it was for is at its cure target at that price" in reads(message)
    assert buttons(message) == []
    bot.clock.passes(660)
    bot.checks(56_500)
    assert status(bot) == "closed"
    assert words(bot) == ["proposed", "approved", "filled", "completed"]
    fills(bot, "repaid", "wire 9", facility="antalpha", usd="1000000")
    assert words(bot)[-1] == "completed"


@ONCE
def test_what_was_sold_pays_before_anything_more_is_sold(bot: Bench) -> None:
    """The plan may use no cash; what its sales brought is not cash to keep."""
    bot.clock.passes(60)
    fills(bot, "sold", "sale 1", btc="400", usd="21890000.00", order="plan 1")
    assert "Left to do at that price: sell 516.55370288 free BTC and repay $50.16M." in reads(newest_plan(bot))
    fills(bot, "sold", "sale 2", btc="516.55370288", usd="28268401.39", order="plan 1")
    assert "Left to do at that price: repay $50.16M." in reads(newest_plan(bot))


@ONCE
def test_what_is_on_its_way_is_not_asked_for_twice(bot: Bench) -> None:
    bot.clock.passes(60)
    fills(bot, "sold", "sale 1", btc="916.55370288", usd="50158401.39", order="plan 1")
    fills(bot, "sent", "wire 1", facility="antalpha", usd="50158401.39")
    assert "On its way to Antalpha: $50,158,401.39 (“wire 1”)." in reads(newest_plan(bot))
    assert "Nothing is left to send; it is complete once all of it is credited." in reads(newest_plan(bot))
    assert plan(bot).status is Status.APPROVED
    fills(bot, "repaid", "credited 1", facility="antalpha", usd="50158401.39", of="wire 1", account=None)
    assert plan(bot).status is Status.COMPLETE


@ONCE
def test_with_a_call_open_what_one_person_records_is_shown_as_claimed_and_not_as_done(store: Store) -> None:
    with planning(store, CALLED) as bot:
        bot.clock.passes(3 * 3600)
        bot.access.refresh()
        bot.checks(56_500)
        proposes(bot, AT_55)
        approves(bot)
        bot.clock.passes(60)
        fills(bot, "pledged", "coins 1", facility="antalpha", btc="10")
        paid = Movement(
            bot.clock.now(), MovementKind.REPAID, "wire 1", "custody", facility="antalpha", usd=5_000_000_000
        )
        bot.records.record(paid, Person("U1", "Ada Byron"))
        bot.delivers()
        said = reads(newest_plan(bot))
        assert "Claimed, and counts once it is confirmed: repaid $50,000,000.00" in said
        assert "repaid $0.00 of $50.00M" in said
        assert "Nothing is left to send; it is complete once all of it is credited." in said
        (claim,) = bot.questions.book().treasury.claims
        bot.records.confirm(claim.id, Person("U2", "Sam Hill"))
        bot.delivers()
        assert plan(bot).status is Status.COMPLETE
        assert status(bot) == "open"


@ONCE
def test_under_its_line_is_not_cured(bot: Bench) -> None:
    sells(bot, "1", "300", "16000000.00")
    assert plan(bot).status is Status.APPROVED
    assert "LTV 73" in bot.slack.command("/ltv antalpha at 55000").text
    assert "Left to do at that price: sell " in reads(newest_plan(bot))


@ONCE
def test_what_is_undone_counts_no_more(bot: Bench) -> None:
    sells(bot, "1", "400", "21890000.00")
    fills(bot, "reversal", "undo", account=None, reverses="wire 1", note="bounced")
    assert plan(bot).fills == ("sale 1",)
    assert "repaid $0.00 of $50.16M" in reads(newest_plan(bot))


@ONCE
def test_a_sale_that_names_no_plan_is_none_of_it(bot: Bench) -> None:
    bot.clock.passes(60)
    fills(bot, "sold", "payroll", btc="10", usd="560000.00")
    fills(bot, "sold", "another", btc="10", usd="560000.00", order="plan 2")
    assert plan(bot).fills == ()


@ONCE
def test_what_was_done_before_the_approval_is_none_of_it(bot: Bench) -> None:
    earlier = bot.clock.now() - timedelta(minutes=1)
    fills(bot, "repaid", "before", at=earlier, facility="antalpha", usd="1000000")
    assert plan(bot).fills == ()


@ONCE
def test_what_was_recorded_in_the_minute_of_the_approval_before_it_is_none_of_it(bot: Bench) -> None:
    """The plan was made with it; people record to the minute, so what is recorded after it in that minute is a fill."""
    bot.clock.passes(60)
    minute = bot.clock.now().replace(second=0, microsecond=0)
    fills(bot, "repaid", "before", at=minute, facility="antalpha", usd="1000000")
    fills(bot, "sent", "on its way", at=minute, facility="antalpha", usd="1000000")
    assert plan(bot).fills == ("before", "on its way, on its way")
    proposes(bot)
    approves(bot)
    assert plan(bot).status is Status.SUPERSEDED
    bot.checks()
    assert plan(bot, 2).fills == ()
    fills(bot, "repaid", "after", at=minute, facility="antalpha", usd="2000000")
    assert plan(bot, 2).fills == ("after",)


@ONCE
def test_a_sale_that_names_a_plan_counts_for_no_other(store: Store) -> None:
    with planning(store) as bot:
        bot.clock.passes(2 * 24 * 3600)
        meets(bot)
        bot.checks(56_500)
        proposes(bot, Wanted(Scenario(price=5_500_000), frozenset({Way.SELL_PLEDGED})))
        approves(bot)
        bot.clock.passes(60)
        fills(bot, "sold", "another's", facility="antalpha", btc="10", usd="540000.00", order="Plan 9")
        assert plan(bot).fills == ()
        fills(bot, "sold", "its own", facility="antalpha", btc="10", usd="540000.00", order="desk 31")
        assert plan(bot).fills == ("its own",)


@ONCE
def test_pledges_and_repayments_need_no_name(store: Store) -> None:
    with planning(store) as bot:
        proposes(bot, AT_55)
        approves(bot)
        bot.clock.passes(60)
        fills(bot, "repaid", "wire 1", facility="antalpha", usd="50000000")
        assert "pledged 0.00 of 4.43080812 BTC, repaid $50.00M of $50.00M" in reads(newest_plan(bot))
        fills(bot, "pledged", "coins 1", facility="antalpha", btc="4.43080812")
        assert plan(bot).status is Status.COMPLETE


@ONCE
def test_a_price_well_under_the_plans_is_said_once(bot: Bench) -> None:
    for usd in (54_900, 54_000, 56_000, 53_000):
        bot.clock.passes(60)
        bot.checks(usd)
    assert words(bot) == ["proposed", "approved", "noted"]
    assert "Bitcoin is under the plan's price" in reads(newest_plan(bot))


@pytest.mark.parametrize("left", [0, 1])
def test_a_bot_killed_while_it_approves_has_done_nothing(store: Store, left: int) -> None:
    """Killed with the row saved and its audit entry made, before its first message is written, or its second."""
    with planning(store) as bot:
        proposes(bot)
        url = store.engine.url.render_as_string(hide_password=False)
        told = json.dumps({"url": url, "at": bot.clock.now().isoformat(), "messages": left})
        killed = subprocess.run(
            [sys.executable, str(KILLED), told], env=ENVIRONMENT, capture_output=True, timeout=60, check=False
        )
        assert killed.returncode == -9, killed.stderr
        assert plan(bot).status is Status.PROPOSED
        assert words(bot) == ["proposed"]
        assert bot.pending() == []
        meets(bot)
        assert approves(bot).startswith("Approved")
        assert words(bot) == ["proposed", "approved"]


def test_a_bot_killed_after_it_approved_loses_no_message(store: Store) -> None:
    with planning(store) as bot:
        proposes(bot)
        bot.slack.click(newest_plan(bot).ts, "plan_approve", user="U3", channel="C8")
        assert plan(bot).status is Status.APPROVED
        assert "Waits for an approver" in reads(newest_plan(bot))
        bot.delivery = None  # another process takes over
        bot.delivers()
        assert "Approved by Grace Hopper" in reads(newest_plan(bot))
