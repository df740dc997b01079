"""Cures: what is printed brings the loan back to its target, and one unit less does not."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from support import DAY, NOW, THREE, book, btc, entry, fresh, loan, notice, tier, treasury, usd

from bot.domain.covenant import Exposure, bind, cures, read, releasable
from bot.domain.price import PriceView
from bot.domain.terms import LtvOn
from bot.domain.treasury import Policy

MARGIN = Fraction(1, 100)

debts = st.integers(1, 10**12)
coins = st.integers(1, 10**12)
prices = st.integers(100, 10**8)
targets = st.integers(100, 950).map(lambda thousandth: Fraction(thousandth, 1000))
cushions = st.sampled_from([Fraction(0), Fraction(0), Fraction(5, 1000), Fraction(1, 10), Fraction(2, 3)])
costs = st.sampled_from([Fraction(0), Fraction(50, 10_000), Fraction(5, 100), Fraction(9, 10)])
venues = st.none() | st.integers(900, 1100).map(lambda thousandth: Fraction(thousandth, 1000))


def back(debt: Fraction, held: Fraction, valued: Fraction, target: Fraction) -> bool:
    """Whether the LTV is at or under the target; `held` in satoshis, `debt` in cents."""
    return debt * 10**8 <= target * held * valued


class Situation:
    """One loan at a price P, valued by its lender at V, and its cures as JSON prints them (rounded up)."""

    def __init__(
        self, debt: int, held: int, price: int, target: Fraction, cushion: Fraction, s: Fraction, at: Any
    ) -> None:
        line = tier("call", target + Fraction(1, 1000), cure_to=target)
        bounds = bind([line], debt, held, cushion, MARGIN)
        quote = max(int(price * at), 1) if at is not None else None
        named = {"reference": "kraken"} if quote is not None else {}
        exposure = Exposure("covenant:x", "x", "X", debt, debt, held, bounds, cushion=cushion, **named)
        view = fresh("1", references={"kraken": quote}) if quote is not None else PriceView.scenario(price)
        view = PriceView(view.state, price, references=view.references)
        self.debt, self.held, self.price, self.target, self.s = debt, held, price, target, s
        self.valued = Fraction(quote if quote is not None else price) * (1 - cushion)
        aim = cures(read(exposure, view), target, debt, s)
        names = ("top_up", "repay", "sell_free", "sell_pledged")
        self.amounts = {name: None if (exact := getattr(aim, name)) is None else ceil(exact) for name in names}

    def is_back(self, *, less_debt: Fraction | int = 0, more_coins: int = 0) -> bool:
        return back(Fraction(self.debt) - less_debt, Fraction(self.held + more_coins), self.valued, self.target)

    def proceeds(self, sold: int) -> Fraction:
        """What selling brings, in exact cents."""
        return Fraction(sold * self.price, 10**8) * (1 - self.s)


@st.composite
def at_some_ltv(draw: st.DrawFn) -> Situation:
    """Around its target more often than not, so that every cure has something to do."""
    held, price = draw(coins), draw(prices)
    debt = int(held * price * draw(st.integers(1, 1500)) / (1000 * 10**8)) + draw(st.integers(0, 2))
    return Situation(debt or 1, held, price, draw(targets), draw(cushions), draw(costs), draw(venues))


situations = at_some_ltv()


@given(situations)
def test_the_top_up_brings_it_back_and_a_satoshi_less_does_not(it):
    amount = it.amounts["top_up"]
    assert it.is_back(more_coins=amount)
    assert amount == 0 or not it.is_back(more_coins=amount - 1)


@given(situations)
def test_the_repayment_brings_it_back_and_a_cent_less_does_not(it):
    amount = it.amounts["repay"]
    assert it.is_back(less_debt=amount)
    assert amount == 0 or not it.is_back(less_debt=amount - 1)
    assert amount <= it.debt


@given(situations)
def test_selling_free_coins_brings_it_back_and_a_satoshi_less_does_not(it):
    amount = it.amounts["sell_free"]
    assert it.is_back(less_debt=it.proceeds(amount))
    assert amount == 0 or not it.is_back(less_debt=it.proceeds(amount - 1))


@given(situations)
def test_selling_pledged_coins_brings_it_back_and_a_satoshi_less_does_not(it):
    amount = it.amounts["sell_pledged"]
    assume(amount is not None)
    assert amount <= it.held
    assert it.is_back(less_debt=it.proceeds(amount), more_coins=-amount)
    assert amount == 0 or not it.is_back(less_debt=it.proceeds(amount - 1), more_coins=-(amount - 1))


@given(situations)
def test_selling_pledged_coins_is_null_exactly_where_no_amount_that_is_there_would_do(it):
    """A coin sold brings P(1 − s) and takes T·V of room: only more than that gains, and only coins that are there."""
    gain = Fraction(it.price) * (1 - it.s) - it.target * it.valued
    if it.amounts["sell_pledged"] is None:
        assert gain <= 0 or not it.is_back(less_debt=it.proceeds(it.held), more_coins=-it.held)
    else:
        assert gain > 0


def test_a_sale_that_takes_as_much_room_as_it_brings_is_no_cure():
    dear = Policy(fee_bps=3500)  # a coin at $55,000 brings $35,750, which is just what 65 % of it carries
    said = entry(book(treasury(policy=dear), "55000"))["cures"]
    assert (said["sell_pledged_btc"], said["sell_free_btc"]) == (None, "1391.60839161")


def test_more_coins_than_are_pledged_is_no_cure():
    assert entry(book(treasury(), "42857"))["cures"]["sell_pledged_btc"] is None  # LTV over 100 %


def test_nothing_is_ever_asked_back():
    """A call met in advance, a line held for its venue: what is already under the target costs nothing."""
    open_call = treasury(notices=(notice(NOW),))
    assert entry(book(open_call, "90000"))["cures"] == {
        "top_up_btc": "0.00000000",
        "repay_usd": "0.00",
        "sell_free_btc": "0.00000000",
        "sell_pledged_btc": "0.00000000",
    }


def test_without_coins_only_what_needs_none_of_them_cures():
    said = entry(book(treasury(loan(coins="0", debt="1000")), "50000"))["cures"]
    assert said == {
        "top_up_btc": "0.03076924",  # 1,000 / (0.65 × 50,000)
        "repay_usd": "1000.00",
        "sell_free_btc": "0.02000000",
        "sell_pledged_btc": None,
    }
    assert entry(book(treasury(loan(coins="0", debt="1000")), None))["cures"] == {
        "top_up_btc": None,
        "repay_usd": "1000.00",
        "sell_free_btc": None,
        "sell_pledged_btc": None,
    }


def test_a_call_without_a_price_has_cures_that_cannot_be_known():
    said = entry(book(treasury(notices=(notice(NOW),)), None))
    assert said["cures"] == {"top_up_btc": None, "repay_usd": None, "sell_free_btc": None, "sell_pledged_btc": None}
    assert (said["level"], said["ltv_pct"]) == ("critical", None)


def test_cures_count_the_debt_that_the_lender_tests():
    loaded = loan(ltv_on=LtvOn.PRINCIPAL, accrued=usd("50000000"))
    assert entry(book(treasury(loaded), "55000"))["cures"]["repay_usd"] == "49750000.00"


def test_the_coins_are_valued_at_the_lenders_price_and_sold_at_ours():
    lent = loan(reference="kraken", cushion=Fraction(1, 10))
    said = entry(book(treasury(lent, policy=Policy(fee_bps=100)), fresh("60000", references={"kraken": usd("58000")})))
    assert said["lender_price_usd"] == "52200.00"
    need = 300_000_000 - Fraction("0.65") * 7000 * 52_200
    assert said["cures"]["repay_usd"] == f"{float(need):.2f}"
    assert btc(said["cures"]["sell_free_btc"]) == ceil(need / (60_000 * Fraction("0.99")) * 10**8)
    gain = 60_000 * Fraction("0.99") - Fraction("0.65") * 52_200
    assert btc(said["cures"]["sell_pledged_btc"]) == ceil(need / gain * 10**8)
    assert btc(said["cures"]["top_up_btc"]) == ceil(300_000_000 / (Fraction("0.65") * 52_200) * 10**8 - 7000 * 10**8)


def test_an_early_line_is_cured_to_the_target_of_the_first_call():
    assert entry(book(treasury(), "63000"))["cures"]["repay_usd"] == "13350000.00"  # 300M − 65 % × 7,000 × 63,000


def test_the_worst_line_reached_or_called_sets_the_target():
    tiers = (*THREE[:2], tier("accelerated", "0.80", cure_to="0.60"), THREE[2])
    reached = entry(book(treasury(loan(tiers=tiers)), "53000"))
    called = treasury(loan(tiers=tiers), notices=(notice(NOW, called="accelerated"),))
    assert reached["cures"]["repay_usd"] == "77400000.00"  # to 60 %
    assert entry(book(called, "53000.01"))["cures"]["repay_usd"] == "77399958.00"
    assert entry(book(called, "60000"))["cures"]["repay_usd"] == "48000000.00"


def test_with_an_open_call_the_debt_is_that_of_its_deadline():
    """10 days at 36.5 % of $300M: 3 M more by then (ACT/360: 3,041,666.67)."""
    lent = loan(rate=Fraction("0.365"), drawn=NOW.date())
    called = treasury(lent, notices=(notice(NOW, due=NOW + 10 * DAY),))
    plain = treasury(lent)
    pledge = {"opened": NOW.replace(hour=0)}
    one, other = (entry(book(treasury(lent, notices=t.notices, **pledge), "55000")) for t in (called, plain))
    assert (one["debt_usd"], other["debt_usd"]) == ("300000000.00", "300000000.00")
    assert (other["cures"]["repay_usd"], one["cures"]["repay_usd"]) == ("49750000.00", "52791666.67")


def test_after_the_deadline_the_debt_is_that_of_now():
    lent = loan(rate=Fraction("0.365"))
    called = treasury(lent, notices=(notice(NOW, due=NOW + DAY),))
    plain = treasury(lent)
    later = NOW + 5 * DAY
    assert entry(book(called, "55000", later))["cures"] == entry(book(plain, "55000", later))["cures"]


# -- what may come back --


@given(debts, coins, prices, targets)
def test_what_may_come_back_leaves_the_loan_at_or_under_the_release_target(debt, held, price, target):
    amount = releasable(Exposure("k", "x", "X", debt, debt, held, ()), price, target)
    assert 0 <= amount <= held
    if amount:
        assert back(Fraction(debt), Fraction(held - amount), Fraction(price), target)
    assert not back(Fraction(debt), Fraction(held - amount - 1), Fraction(price), target)
