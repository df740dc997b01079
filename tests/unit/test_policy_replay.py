"""A policy replay by hand: what the policy does, what lenders do, and what goes on in both runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from cover_books import random_book
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import DAY, HOUR, OPENED, THREE, at, btc, loan, move, notice, tier, treasury, usd

from bot.domain.alerts import AlertPolicy
from bot.domain.book import Register
from bot.domain.ledger import Ledger, ledger_faults
from bot.domain.policy_replay import Act, Comparison, NoAccountError, RunName, What, policy_replay
from bot.domain.policy_replay.record import split
from bot.domain.policy_replay.run import Run
from bot.domain.terms import Group, GroupTest, Waiver
from bot.domain.treasury import Account, Holds, Movement, Policy, Treasury
from bot.prices.files import read_prices
from bot.treasury_file import read_treasury

ROOT = Path(__file__).parents[2]
PRICES = ROOT.parent / "shared" / "data" / "btcusd_15m.csv.gz"
FALL = (
    (at("02-01 00:00"), "68500"),
    (at("02-02 00:00"), "60000"),
    (at("02-02 12:00"), "56000"),
    (at("02-03 00:00"), "52000"),
    (at("02-03 06:00"), "47000"),
    (at("02-03 07:00"), "50000"),
)
WITHSTAND = Policy(withstand_drop=Fraction(20, 100))


def compare(
    register: Treasury,
    rows: tuple[tuple[datetime, str], ...] = FALL,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Comparison:
    found = policy_replay(register, [(when, usd(price)) for when, price in rows], since, until, AlertPolicy())
    assert found is not None
    return found


def done(acts: tuple[Act, ...]) -> list[tuple[str, str, str, str]]:
    """(when, act, coins, dollars) as somebody would write them."""
    return [(f"{one.at:%m-%d %H:%M}", one.what.value, f"{one.btc / 10**8:.8f}", f"{one.usd / 100:.2f}") for one in acts]


# -- one loan, one fall --


def test_by_the_policy_nothing_is_ever_at_a_call_line_and_doing_nothing_is_sold_off():
    found = compare(treasury(policy=WITHSTAND))
    # 300M − 0.65 × 7,000 × 54,800; then 249.34M − 0.65 × 7,000 × 41,600
    assert done(found.policy.acts) == [
        ("02-01 00:00", "repaid", "0.00000000", "50660000.00"),
        ("02-03 00:00", "repaid", "0.00000000", "60060000.00"),
    ]
    # 300M / (7,000 × 56,000) = 76.53 %; at 47,000 it is 91.19 %, and 300M / 47,000 coins pay for all of it
    assert done(found.nothing.acts) == [
        ("02-02 12:00", "called", "0.00000000", "0.00"),
        ("02-03 06:00", "liquidated", "6382.97872341", "300000000.00"),
    ]
    policy, nothing = found.policy.totals, found.nothing.totals
    assert (policy.days_at_line, policy.calls, policy.liquidations, policy.sold, policy.cost) == (0, 0, 0, 0, 0)
    assert (policy.coins, policy.debt, policy.cash) == (btc("8000"), usd("189280000"), usd("389280000"))
    assert (nothing.days_at_line, nothing.calls, nothing.liquidations) == (2, 1, 1)
    assert (nothing.coins, nothing.debt, nothing.cash) == (btc("1617.02127659"), 0, usd("500000000"))
    assert policy.net_worth == usd("600000000")  # 8,000 coins at 50,000, and as much cash as debt more
    assert nothing.net_worth == usd("580851063.82")  # 19.15M less: 6,382.98 coins went 3,000 under the last price


def test_a_lender_is_paid_its_fee_and_stops_at_its_target():
    end = replace(THREE[2], liquidate_to=Fraction(70, 100), liquidation_fee_bps=200)
    (_, sold) = compare(treasury(loan(tiers=(*THREE[:2], end)), policy=WITHSTAND)).nothing.acts
    # 300M − 0.7 × 7,000 × 47,000 = 69.7M, a coin brings 0.98 × 47,000 and frees 0.7 × 47,000 less
    coins = ceil(Fraction(usd("69700000") * 10**8, usd("47000") * 28 // 100))
    worth = Fraction(coins * usd("47000"), 10**8)
    assert (sold.btc, sold.usd, sold.cost) == (coins, floor(worth * 98 / 100), ceil(worth) - floor(worth * 98 / 100))


def test_coins_are_sold_at_the_price_of_the_day_and_not_at_the_scenarios():
    policy = replace(WITHSTAND, fee_bps=10, slippage_bps=40)
    found = compare(
        treasury(accounts=(Account("custody", btc("1000")),), policy=policy), FALL[:1], until=at("02-02 00:00")
    )
    acts = {act.what: act for act in found.policy.acts}
    sold, pledged, repaid = acts[What.SOLD_FREE], acts[What.PLEDGED], acts[What.REPAID]
    assert sold.btc + pledged.btc == btc("1000")
    worth = Fraction(sold.btc * usd("68500"), 10**8)
    assert 0 <= worth * 995 / 1000 - sold.usd < 3
    assert sold.cost == ceil(worth) - sold.usd
    # Repaid is what the plan says, by the scenario's 54,800; what the coins bring beyond it stays.
    assert 0 <= Fraction(sold.btc * usd("54800"), 10**8) * 995 / 1000 - repaid.usd < 3
    assert found.policy.totals.cash == sold.usd - repaid.usd


def test_without_a_drop_the_plan_is_made_when_the_line_is_reached_at_midnight():
    found = compare(treasury())
    assert done(found.policy.acts) == [
        ("02-02 12:00", "called", "0.00000000", "0.00"),
        ("02-03 00:00", "repaid", "0.00000000", "63400000.00"),  # 300M − 0.65 × 7,000 × 52,000
        ("02-03 00:00", "call_met", "0.00000000", "0.00"),
    ]
    assert found.policy.totals.days_at_line == 2


def test_what_is_not_feasible_is_said_once_and_the_lender_sells():
    found = compare(treasury(accounts=(Account("custody"),), policy=WITHSTAND))
    assert [act.what for act in found.policy.acts] == [What.NO_PLAN, What.CALLED, What.LIQUIDATED]
    assert found.policy.acts[0].text
    assert found.policy.totals.sold_by_lender == found.nothing.totals.sold_by_lender > 0


def test_no_second_plan_is_made_while_one_is_under_way():
    tiers = (THREE[0], replace(THREE[1], window_hours=72 * HOUR), THREE[2])
    found = compare(
        treasury(loan(tiers=tiers, credit_hours=30 * HOUR), policy=WITHSTAND), FALL[:2], until=at("02-03 00:00")
    )
    # At 02-02 00:00, before the first is credited, 60,000 less 20 % asks for 81.6M in all.
    assert done(found.policy.acts) == [("02-02 06:00", "repaid", "0.00000000", "50660000.00")]


def test_a_plan_is_dropped_where_the_lender_has_sold_before_it_is_credited():
    rows = (FALL[0], (at("02-01 12:00"), "47000"))
    acts = compare(treasury(loan(credit_hours=20 * HOUR), policy=WITHSTAND), rows, until=at("02-03 00:00")).policy.acts
    assert [(act.at, act.what) for act in acts] == [
        (at("02-01 12:00"), What.LIQUIDATED),
        (at("02-01 12:00"), What.DROPPED),
    ]


# -- lenders --


def test_a_missed_call_is_sold_at_its_deadline_though_the_price_has_come_back():
    rows = (*FALL[:3], (at("02-02 13:00"), "70000"))
    acts = compare(treasury(), rows, until=at("02-05 00:00")).nothing.acts
    assert [(act.at, act.what, act.price) for act in acts] == [
        (at("02-02 12:00"), What.CALLED, usd("56000")),
        (at("02-03 12:00"), What.LIQUIDATED, usd("70000")),
    ]


def test_a_waiver_stays_the_lenders_hand():
    standstill = (Waiver(at("02-01 00:00"), at("02-03 06:30"), "standstill letter"),)
    acts = compare(treasury(loan(waivers=standstill)), until=at("02-03 08:00")).nothing.acts
    assert [(act.at, act.what, act.price) for act in acts] == [(at("02-03 06:30"), What.LIQUIDATED, usd("47000"))]


def test_a_group_is_sold_from_its_members_in_order():
    group = Group("both", GroupTest.RATIO, (tier("call", "0.75", cure_to="0.65", window_hours=1),))
    members = [loan(name, debt="150000000", coins="3500", tiers=(), group="both") for name in ("one", "two")]
    found = compare(treasury(*members, groups=(group,)), FALL[:3], until=at("02-03 00:00"))
    (_, sold) = found.nothing.acts
    assert (sold.of, sold.at, sold.usd) == ("both", at("02-02 13:00"), usd("300000000"))
    assert sold.btc == ceil(Fraction(usd("300000000") * 10**8, usd("56000")))
    assert (found.nothing.totals.debt, found.nothing.totals.calls) == (0, 1)


def test_a_call_open_at_the_beginning_is_open_in_both_and_what_became_of_it_later_is_not_known():
    called = notice(at("02-01 00:00"), met=at("02-01 18:00"), due=at("02-02 06:00"))
    rows = tuple((when, "65000") for when in (at("02-01 00:00"), at("02-02 00:00"), at("02-02 12:00")))
    found = compare(treasury(notices=(called,)), rows, since=at("02-01 00:00"))
    assert [(act.at, act.what) for act in found.nothing.acts] == [(at("02-02 06:00"), What.LIQUIDATED)]
    # 300M − 0.65 × 7,000 × 65,000
    assert done(found.policy.acts) == [
        ("02-01 00:00", "repaid", "0.00000000", "4250000.00"),
        ("02-01 00:00", "call_met", "0.00000000", "0.00"),
    ]


# -- the record --


def test_the_companys_own_answers_are_left_out_and_what_happened_anyway_goes_on():
    moves = (
        move("sold", at("02-01 06:00"), btc="5", usd="300000"),
        move("mined", at("02-01 18:00"), btc="3"),
        move("cost", at("02-01 18:00"), usd="1000"),
        move("interest_paid", at("02-02 06:00"), usd="500"),
        move("repaid", at("02-02 06:00"), usd="100000000"),
        move("pledged", at("02-02 06:00"), btc="500"),
        move("drawn", at("02-02 06:00"), usd="2000"),
    )
    found = compare(treasury(movements=moves), FALL[:2], since=at("02-01 12:00"), until=at("02-03 00:00"))
    assert found.left_out == {"pledged": 1, "repaid": 1}
    for run in found.runs:
        assert run.acts == ()
        assert run.totals.coins == btc("7998")  # five sold before it begins, three mined after
        assert run.totals.cash == usd("500301000")  # the interest is not owed, so it is not paid
        assert run.totals.debt == usd("300002000")


def test_a_cost_that_cannot_be_paid_is_said_and_taken_off_net_worth():
    moves = (move("cost", at("02-01 18:00"), usd="700000000"),)
    totals = compare(treasury(movements=moves), FALL[:2]).nothing.totals
    assert (totals.cash, totals.unpaid) == (0, usd("200000000"))
    assert totals.net_worth == 8000 * usd("60000") - usd("300000000") - usd("200000000")


def test_what_is_recorded_and_undone_later_is_in_neither():
    moves = (
        move("mined", at("02-01 18:00"), "slip", btc="300"),
        Movement(at("02-01 19:00"), move("mined", OPENED).kind.REVERSAL, "undo", reverses="slip"),
    )
    found = compare(treasury(movements=moves), FALL[:2])
    assert (found.nothing.totals.coins, found.left_out) == (btc("8000"), {})


def test_what_was_sent_before_is_credited_and_a_loan_drawn_later_gets_its_coins():
    new = loan("next", debt="1000000", coins="0", drawn=at("02-02 00:00").date(), tiers=THREE)
    moves = (
        move("sent", at("02-01 00:00"), "on its way", btc="10"),
        move("pledged", at("02-01 12:00"), of="on its way", btc="10"),
        move("pledged", at("02-02 09:00"), "first", facility="next", btc="40"),
        move("pledged", at("02-03 09:00"), "second", facility="next", btc="40"),
    )
    record = split(treasury(loan(), new, movements=moves), at("02-01 06:00"))
    assert [movement.ref for movement in record.later] == ["pledged 01 12:00:00", "first"]
    assert record.left_out == {"pledged": 1}


def test_a_treasury_without_an_account_for_dollars_is_refused():
    with pytest.raises(NoAccountError, match="add an"):
        compare(treasury(accounts=(Account("pool", holds=Holds.POOL),)))


def test_no_price_in_the_time_is_no_comparison():
    assert policy_replay(treasury(), [], None, None, AlertPolicy()) is None


# -- conservation --


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
@example(69611)  # a member's sale changes the lines of its group, which is to be sold too
def test_no_coin_and_no_dollar_comes_from_nowhere_or_is_lost(seed):
    book, rng = random_book(seed, steady=True), Random(seed)  # noqa: S311
    register = replace(
        book.treasury, policy=replace(book.treasury.policy, withstand_drop=rng.choice([None, Fraction(1, 4)]))
    )
    if all(account.holds is Holds.POOL for account in register.accounts):
        return
    record = split(register, book.at)
    before = Ledger(record.history).at(book.at)
    start = Register.of(record.history)
    for name in RunName:
        run = Run.of(name, record, start)
        for step in range(12):
            instant = book.at + step * 9 * HOUR
            run.price(instant, rng.randint(3_000_000, 7_000_000))
            run.until(instant + 9 * HOUR)
        ends = book.at + 6 * DAY
        run.until(ends)
        assert ledger_faults(run.register.treasury) == []
        totals = run.outcome(ends).totals
        brought = sum(act.usd for act in run.acts if act.what in (What.SOLD_FREE, What.SOLD_PLEDGED))
        cash = sum(account.usd for account in before.accounts.values())
        assert totals.coins + totals.sold == before.held
        assert totals.cash == cash + brought - totals.repaid
        assert totals.debt == sum(d.total for d in before.debts.values()) - totals.repaid - totals.repaid_by_lender
        gone = sum(
            Fraction(act.btc * act.price, 10**8)
            for act in run.acts
            if "sold" in act.what or act.what is What.LIQUIDATED
        )
        assert 0 <= totals.cost - (gone - brought - totals.repaid_by_lender) < len(run.acts) + 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["mined", "repaid", "sold", "interest_paid"])), max_size=12)
)
def test_a_ledger_that_goes_on_is_the_ledger_of_it_all(chosen):
    """Movements of whole half-days, some of one instant, booked one batch after the other or all together."""
    amounts = {
        "mined": {"btc": "1"},
        "repaid": {"usd": "10.01"},
        "sold": {"btc": "2", "usd": "9"},
        "interest_paid": {"usd": "3"},
    }
    moves = [
        move(kind, OPENED + half * DAY / 2, f"m{n}", **amounts[kind]) for n, (half, kind) in enumerate(sorted(chosen))
    ]
    register = treasury(loan(rate=Fraction(7, 100)))
    grown = Ledger(register)
    for instant in dict.fromkeys(one.at for one in moves):
        grown = grown.then([one for one in moves if one.at == instant])
    whole = Ledger(replace(register, movements=tuple(moves)))
    for hours in range(0, 96, 6):
        instant = OPENED + timedelta(hours=hours)
        assert grown.at(instant) == whole.at(instant)
    end = OPENED + 9 * DAY
    assert grown.moments(OPENED - DAY, end) == whole.moments(OPENED - DAY, end)
    assert grown.movements_between(OPENED - DAY, end) == whole.movements_between(OPENED - DAY, end)
    assert grown.interest_paid("antalpha", OPENED - DAY, end) == whole.interest_paid("antalpha", OPENED - DAY, end)


def test_a_ledger_goes_on_only_forwards():
    ledger = Ledger(treasury(movements=(move("mined", at("02-02 00:00"), btc="1"),)))
    with pytest.raises(ValueError, match="not before"):
        ledger.then([move("mined", at("02-01 00:00"), "early", btc="1")])


# -- the public record --


@pytest.mark.shared
@pytest.mark.skipif(not PRICES.exists(), reason="needs ../shared")
def test_the_public_record_on_the_real_prices():
    """The numbers of docs/policy-replay.md."""
    register = read_treasury("cango.toml", (ROOT / "bot/examples/cango.toml").read_text(encoding="utf-8"))
    chicago = ZoneInfo("America/Chicago")
    since, until = (datetime(*day, tzinfo=chicago).astimezone(UTC) for day in ((2025, 10, 1), (2026, 2, 10)))
    found = policy_replay(register, read_prices(PRICES), since, until, AlertPolicy())
    assert found is not None
    assert found.left_out == {"pledged": 4, "repaid": 1, "sold": 2}
    policy, nothing = found.policy.totals, found.nothing.totals
    assert (policy.sold_pledged, policy.sold_free, policy.sold_by_lender) == (btc("2531.13638878"), 0, 0)
    assert (policy.repaid, policy.cost, policy.net_worth) == (
        usd("291811094.61"),
        usd("1446678.98"),
        usd("131408470.59"),
    )
    assert (policy.days_at_line, policy.calls, policy.liquidations, policy.coins) == (0, 0, 0, btc("5493.51361122"))
    assert (nothing.sold, nothing.repaid_by_lender, nothing.cost) == (btc("4810.92982809"), usd("406754158.34"), 1)
    assert (nothing.days_at_line, nothing.calls, nothing.liquidations, nothing.coins) == (3, 1, 1, btc("3213.72017191"))
    assert nothing.net_worth == usd("91824803.85")
    assert Counter(act.what for act in found.nothing.acts) == {What.CALLED: 1, What.LIQUIDATED: 1}
