"""What stands beside the recommended sale: doing nothing, what is missing of a way, an open call at its target."""

from __future__ import annotations

from fractions import Fraction

import pytest
from support import HOUR, NOW, THREE, book, btc, loan, notice, tier, usd
from test_cover import cover, rich, said, way

from bot.domain.sales import Alternative, Name
from bot.domain.sales_rows import rows, told
from bot.domain.sales_words import recommendation
from bot.domain.terms import Consent, Group, GroupTest, InterestMode, LtvOn
from bot.domain.treasury import Account, Policy
from bot.domain.words import plain_text


def test_a_lender_that_sells_at_its_deadline_is_paid_the_interest_until_then():
    """Without `liquidate_to` it sells until all is paid: nothing is owed then, and no cent of what it takes is ours."""
    for mode in InterestMode:
        nothing = way(cover(book(rich(loan(rate="0.07", interest=mode)), "55000")), Name.NOTHING)
        if mode is InterestMode.AT_CLOSE:
            assert nothing.repaid == usd("300291666.67")  # five days at 7 % on 360 days
        assert nothing.balances is not None
        assert nothing.balances.debts["antalpha"].total == 0
        assert 0 <= nothing.balances.accounts["custody"].usd - usd("500000000") < 2


def test_a_lender_that_counts_principal_alone_sells_until_its_interest_is_paid_too():
    lender = loan(rate="0.07", interest=InterestMode.AT_CLOSE, ltv_on=LtvOn.PRINCIPAL)
    nothing = way(cover(book(rich(lender), "55000")), Name.NOTHING)
    assert nothing.repaid == usd("300291666.67")
    assert nothing.balances is not None
    assert nothing.balances.debts["antalpha"].total == 0


def test_doing_nothing_that_leaves_nothing_owed_is_not_said_to_be_impossible():
    asked = book(rich(), "55000")
    nothing = next(row for row in rows(asked, cover(asked)) if row.name == "Do nothing")
    assert plain_text(told(nothing)) == (
        "Antalpha may sell 5,454.55 pledged BTC from Thu 5 Feb 12:00. Nothing owed then. Costs $0.00, "
        "3,545.45 BTC left."
    )


def test_two_lenders_that_sell_at_different_deadlines_are_each_paid_in_full():
    tiers = (tier("call", "0.75", cure_to="0.65", window_hours=24), tier("liquidation", "0.90"))
    later = (tier("call", "0.74", cure_to="0.65", window_hours=72), tier("liquidation", "0.90"))
    two = (
        loan("first", debt="3000000", coins="60", tiers=later, rate="0.07"),
        loan("second", debt="3000000", coins="60", tiers=tiers, rate="0.07"),
    )
    nothing = way(cover(book(rich(*two), "60000"), "60000"), Name.NOTHING)
    assert nothing.balances is not None
    assert [debt.total for debt in nothing.balances.debts.values()] == [0, 0]


@pytest.mark.parametrize(
    ("name", "coins", "cash", "more_btc", "more_usd"),
    [
        (Name.TOP_UP, "474.62", "10000000", "1416.98839161", "0"),  # of it 25.38 BTC to come to the reserve
        (Name.FREE, "474.62", "10000000", "934.47090910", "0"),
        (Name.CASH, "474.62", "9000000", "0", "50750000"),  # of it $1M to come to the least cash
    ],
)
def test_what_is_missing_would_do_and_no_less_where_the_reserves_are_not_full(
    name: Name, coins: str, cash: str, more_btc: str, more_usd: str
):
    kept = Policy(reserve_btc=btc("500"), min_cash_usd=usd("10000000"), fee_bps=10, slippage_bps=40)

    def asked(more_coins: int, more_cash: int) -> Alternative:
        held = Account("custody", btc(coins) + more_coins, usd(cash) + more_cash)
        return way(cover(book(rich(policy=kept, accounts=(held,)), "55000")), name)

    missing = asked(0, 0).missing
    assert missing is not None
    assert (missing.usd if name is Name.CASH else missing.btc) == (usd(more_usd) or btc(more_btc))
    assert asked(btc(more_btc), usd(more_usd)).feasible
    less = (btc(more_btc) - btc("0.0001"), 0) if btc(more_btc) else (0, usd(more_usd) - 100)
    assert not asked(*less).feasible


def test_an_open_call_at_its_target_is_not_said_to_be_over_it():
    called = notice(NOW - HOUR, price="50000", demand_usd="60000000")
    lines = (*THREE[:2], tier("liquidation", "0.90", liquidate_to=Fraction("0.70")))
    asked = book(rich(loan(tiers=lines), notices=(called,)), "68500")
    answer = cover(asked, "68500")
    assert plain_text(recommendation(asked, answer)) == (
        "Nothing to sell or pay for the cure target, but the lender's call is open: LTV 62.57 % → 62.57 %, call line "
        "then $57,142.85."
    )
    assert said(way(answer, Name.NOTHING)) == "Antalpha is at its cure target; the lender's call stays open."
    assert said(answer.recommended) == (
        "Of the demand of notice “n1” $60.00M would still be missing: pledge or pay it so that it is credited by "
        "Thu 5 Feb 11:00."
    )
    over = (*THREE[:2], tier("liquidation", "0.90", liquidate_to=Fraction("0.85")))
    assert said(way(cover(book(rich(loan(tiers=over)), "55000")), Name.NOTHING)) == (
        "Antalpha would stay over the cure target."
    )


def test_a_lender_without_coins_is_not_said_to_sell_any():
    """What is owed stays owed: it is not said to be gone either."""
    pool = Group("both", GroupTest.RATIO, THREE, pool=0)
    of_the_pool = [loan(name, coins="0", tiers=(), group="both") for name in ("first", "second")]
    for asked, who, owed in (
        (book(rich(loan(coins="0")), "55000"), "Antalpha", "$300,000,000.00"),
        (book(rich(*of_the_pool, groups=(pool,)), "55000"), "First", "$600,000,000.00"),
    ):
        nothing = next(row for row in rows(asked, cover(asked)) if row.name == "Do nothing")
        assert plain_text(told(nothing)) == (
            f"{who} has no coins left to sell, and {owed} would still be owed. LTV then without coins. "
            "Costs $0.00, 2,000.00 BTC left."
        )


def test_at_its_liquidation_line_it_is_said_that_the_lender_need_not_wait():
    best = cover(book(rich(), "47000"), "47000").recommended
    assert said(best).startswith(
        "Antalpha may sell pledged coins at any time, it is at its liquidation line: the earliest way is the best."
    )
    assert "at any time" not in said(cover(book(rich(), "55000")).recommended)


def test_of_a_pool_each_lender_must_let_its_coins_be_sold():
    lines = (tier("call", "0.75", cure_to="0.65", window_hours=24),)
    group = Group("all", GroupTest.RATIO, lines, pool=btc("6000"))

    def pledged(first: Consent, second: Consent) -> str:
        members = (
            loan("one", debt="200000000", coins="0", tiers=(), group="all", consent=first),
            loan("two", debt="100000000", coins="0", tiers=(), group="all", consent=second),
        )
        return said(way(cover(book(rich(*members, groups=(group,)), "55000")), Name.PLEDGED))

    assert "Two has not agreed to sell pledged coins." in pledged(Consent.ASK, Consent.NONE)
    assert "One and Two have not agreed to sell pledged coins." in pledged(Consent.NONE, Consent.NONE)
    asks = "Ask One and Two first: each must agree to the sale of their pledged coins."
    assert asks in pledged(Consent.ASK, Consent.ASK)
