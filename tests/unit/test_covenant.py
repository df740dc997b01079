"""Lines: when they are reached, at which price, what is printed beside them, and what is said without a price."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import THREE, book, btc, entry, fresh, line, loan, tier, treasury, usd

from bot.domain.covenant import Exposure, bind, edges, price_at_ltv, read
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import Level, LtvOn, Tier

MARGIN = Fraction(1, 100)

debts = st.integers(1, 10**13)
coins = st.integers(1, 3 * 10**12)
prices = st.integers(1, 10**8)
lines = st.integers(1, 3000).map(lambda thousandth: Fraction(thousandth, 1000))
cushions = st.sampled_from([Fraction(0), Fraction(0), Fraction(5, 1000), Fraction(1, 10), Fraction(1, 3)])


def exposure(debt: int, collateral: int, *tiers: Tier, cushion: Fraction = Fraction(0), **more) -> Exposure:
    bounds = bind(tiers, debt, collateral, cushion, MARGIN)
    return Exposure("covenant:x", "x", "X", debt, debt, collateral, bounds, cushion=cushion, **more)


def plain_ltv(debt: int, collateral: int, price: int, cushion: Fraction) -> Fraction:
    """The lender's LTV in dollars and coins, as one would on paper."""
    dollars, held, each = Fraction(debt, 100), Fraction(collateral, 10**8), Fraction(price, 100) * (1 - cushion)
    return dollars / (held * each)


# -- one cent and one satoshi either side --


@pytest.mark.parametrize(
    ("debt", "coins", "price", "reached"),
    [
        ("300000000.00", "8000", "50000.00", True),  # 75 % to the satoshi
        ("299999999.99", "8000", "50000.00", False),
        ("300000000.00", "8000.00000001", "50000.00", False),
        ("300000000.00", "8000", "50000.01", False),
        ("300000000.01", "8000", "50000.00", True),
        ("300000000.00", "7999.99999999", "50000.00", True),
        ("300000000.00", "8000", "49999.99", True),
    ],
)
def test_a_line_is_reached_at_it_and_not_a_cent_or_a_satoshi_before(debt, coins, price, reached):
    asked = book(treasury(loan(debt=debt, coins=coins)), price)
    assert line(asked, "margin call")["reached"] is reached
    shown = entry(asked)["lender_ltv_pct"]
    assert shown == ("75.00" if reached else "74.99")
    assert entry(asked)["tier"] == ("margin call" if reached else "early warning")


@given(debts, coins, prices, lines, cushions)
def test_a_line_is_reached_exactly_from_its_ltv_on(debt, collateral, price, at, cushion):
    reading = read(exposure(debt, collateral, tier("call", at), cushion=cushion), PriceView.scenario(price))
    assert reading.tiers[0].reached is (plain_ltv(debt, collateral, price, cushion) >= at)
    assert reading.lenders == plain_ltv(debt, collateral, price, cushion)
    assert reading.ours == plain_ltv(debt, collateral, price, Fraction(0))


@given(debts, coins, lines, cushions)
def test_at_the_printed_price_the_line_is_reached_and_a_cent_above_it_is_not(debt, collateral, at, cushion):
    held = exposure(debt, collateral, tier("call", at), cushion=cushion)
    printed = read(held, PriceView.scenario(1)).tiers[0].price
    assert printed >= 0
    if printed:
        assert read(held, PriceView.scenario(printed)).tiers[0].reached
    assert not read(held, PriceView.scenario(printed + 1)).tiers[0].reached


@given(debts, coins, prices, st.lists(lines, min_size=1, max_size=4, unique=True), cushions)
def test_what_is_printed_never_shows_a_line_that_is_not_reached(debt, collateral, price, ats, cushion):
    tiers = [tier("call", at, f"line {at}") for at in sorted(ats)]
    reading = read(exposure(debt, collateral, *tiers, cushion=cushion), PriceView.scenario(price))
    exact, shown = reading.lenders * 100, Fraction(reading.show(reading.lenders))
    for one in reading.tiers:
        assert one.reached or shown != one.bound.line * 100
        assert not one.reached or shown >= one.bound.line * 100 - Fraction(1, 100)
    assert exact - shown <= Fraction(15, 1000)
    assert shown - exact <= Fraction(5, 1000)


@given(debts, coins, prices, lines, cushions)
def test_headroom_is_measured_from_the_printed_price(debt, collateral, price, at, cushion):
    reading = read(exposure(debt, collateral, tier("call", at), cushion=cushion), PriceView.scenario(price))
    assert reading.tiers[0].headroom == 1 - Fraction(reading.tiers[0].price, price)


@given(debts, coins, prices, prices, st.lists(lines, min_size=1, max_size=3, unique=True), cushions, lines)
def test_between_two_edges_nothing_changes(debt, collateral, one, other, ats, cushion, extra):
    tiers = [tier(kind, at) for kind, at in zip(("early", "call", "liquidation"), sorted(ats), strict=False)]
    held = exposure(debt, collateral, *tiers, cushion=cushion)
    found = edges(held, [extra])
    low, high = sorted((one, other))
    if not any(low <= edge < high for edge in found):
        here, there = (read(held, PriceView.scenario(price)) for price in (low, high))
        assert [t.reached for t in here.tiers] == [t.reached for t in there.tiers]
        assert [t.cleared for t in here.tiers] == [t.cleared for t in there.tiers]
        assert (here.lenders <= extra) is (there.lenders <= extra)


# -- cushion, principal, coverage, price lines --


def test_a_cushion_takes_a_part_off_the_lenders_price_only():
    asked = book(treasury(loan(cushion=Fraction(5, 100))), "60000")
    said = entry(asked)
    assert (said["ltv_pct"], said["lender_ltv_pct"], said["lender_price_usd"]) == ("71.43", "75.19", "57000.00")
    assert line(asked, "margin call")["price_usd"] == "60150.37"  # 57,142.857… / 0.95
    assert said["tier"] == "margin call"


def test_the_lenders_price_rounds_down_to_the_cent():
    assert entry(book(treasury(loan(cushion=Fraction(1, 3))), "100000.00"))["lender_price_usd"] == "66666.66"


def test_a_lender_may_test_principal_only_while_ours_counts_the_interest():
    loaded = loan(ltv_on=LtvOn.PRINCIPAL, accrued=usd("50000000"))
    said = entry(book(treasury(loaded), "58000"))
    assert (said["debt_usd"], said["ltv_pct"], said["lender_ltv_pct"]) == ("350000000.00", "86.21", "73.89")
    assert said["tier"] == "early warning"
    assert said["tiers"][1]["price_usd"] == "57142.85"


def test_a_line_may_be_written_as_coverage():
    said = book(
        treasury(loan(debt="100", coins="1", tiers=(tier("call", 1 / Fraction("4/3"), cure_to="2/3"),))), "133.33"
    )
    assert (line(said, "call")["ltv_pct"], line(said, "call")["price_usd"], entry(said)["tier"]) == (
        "75.00",
        "133.33",
        "call",
    )


@pytest.mark.parametrize(("price", "reached"), [("57000.00", True), ("57000.01", False)])
def test_a_price_line_is_reached_at_or_under_it_before_the_cushion(price, reached):
    lent = loan(tiers=(tier("call", price="57000"),), cushion=Fraction(1, 10))
    asked = book(treasury(lent), price)
    assert line(asked, "call")["reached"] is reached
    assert line(asked, "call")["price_usd"] == "57000.00"
    assert line(asked, "call")["ltv_pct"] == "83.54"  # 300M / (7,000 × 57,000 × 0.9)


def test_a_price_line_is_not_reached_where_nothing_is_owed():
    assert entry(book(treasury(loan(debt="0", tiers=(tier("call", price="57000"),))), "50000"))["level"] == "ok"


def test_lines_stand_in_the_order_in_which_they_are_written():
    tiers = (tier("call", "0.95", "by ratio"), tier("call", price="60000", name="by price"))
    assert entry(book(treasury(loan(tiers=tiers)), "59000"))["tier"] == "by price"


# -- targets --


def test_each_tier_aims_where_the_agreement_says():
    def targets(*tiers: Tier) -> list[str]:
        return [str(bound.target) for bound in bind(tiers, usd("300000000"), btc("7000"), Fraction(0), MARGIN)]

    early, fatal = tier("early", "0.68"), tier("liquidation", "0.9")
    call, cured = tier("call", "0.75"), tier("call", "0.75", cure_to="0.65")
    hasty, hasty_cured = tier("accelerated", "0.8"), tier("accelerated", "0.8", cure_to="0.6")
    assert targets(early, cured, hasty, fatal) == ["13/20"] * 4
    assert targets(early, cured, hasty_cured, fatal) == ["13/20", "13/20", "3/5", "13/20"]
    assert targets(early, cured, tier("call", "0.77", "second", cure_to="0.62"), hasty, fatal) == [
        "13/20",
        "13/20",
        "31/50",
        "31/50",
        "13/20",
    ]
    assert targets(early, call, hasty, fatal) == ["67/100"] * 4  # none has one: 68 % less a point
    assert targets(early) == ["67/100"]
    assert targets(fatal) == ["89/100"]
    assert targets(tier("call", "3/4", cure_to="2/3")) == ["2/3"]


# -- no coins, no lines, no price --


def test_debt_without_coins_is_at_its_worst_line_whatever_the_price():
    for price in ("60000", None):
        said = entry(book(treasury(loan(coins="0")), price))
        assert (said["tier"], said["level"], said["ltv_pct"], said["lender_ltv_pct"]) == (
            "liquidation",
            "critical",
            None,
            None,
        )
        assert [(one["price_usd"], one["headroom_pct"], one["reached"]) for one in said["tiers"]] == [
            (None, None, True)
        ] * 3


def test_a_loan_without_lines_has_no_ltv_and_counts_as_debt():
    said = entry(book(treasury(loan(tiers=())), "50000"))
    assert (said["ltv_pct"], said["lender_ltv_pct"], said["level"], said["tiers"]) == (None, None, "ok", [])
    assert said["debt_usd"] == "300000000.00"
    assert entry(book(treasury(loan(tiers=())), None))["level"] == "ok"


@pytest.mark.parametrize("state", [PriceState.DISPUTED, PriceState.STALE, PriceState.NONE])
def test_without_a_price_the_level_is_unknown_and_numbers_that_need_one_are_null(state):
    view = PriceView(state, None if state is PriceState.NONE else usd("50000"), references={"kraken": usd("50000")})
    said = entry(book(treasury(loan(reference="kraken")), view))
    assert said["level"] == "unknown"
    assert [said[key] for key in ("ltv_pct", "lender_ltv_pct", "lender_price_usd", "tier", "cures")] == [None] * 5
    assert [(one["price_usd"], one["headroom_pct"], one["reached"]) for one in said["tiers"]] == [
        ("63025.21", None, None),
        ("57142.85", None, None),
        ("47619.04", None, None),
    ]


def test_nothing_owed_is_fine_even_without_a_price():
    assert entry(book(treasury(loan(debt="0")), None))["level"] == "ok"


# -- the lender's own venue --


def test_a_line_reached_at_the_reference_only_is_a_warning_that_names_the_venue():
    asked = book(treasury(loan(reference="kraken")), fresh("57200", references={"kraken": usd("57142")}))
    said, call = entry(asked), asked.read(asked.snapshot.facilities[0]).tiers[1]
    assert (said["tier"], said["level"], said["lender_price_usd"]) == ("margin call", "warning", "57142.00")
    assert (said["ltv_pct"], said["lender_ltv_pct"]) == ("74.93", "75.00")
    assert (call.venue, call.level) == ("kraken", Level.WARNING)


def test_a_line_reached_at_both_prices_is_as_loud_as_ever():
    asked = book(treasury(loan(reference="kraken")), fresh("57100", references={"kraken": usd("57142")}))
    assert (entry(asked)["tier"], entry(asked)["level"]) == ("margin call", "critical")


def test_a_line_reached_at_our_price_only_is_not_reached():
    asked = book(treasury(loan(reference="kraken")), fresh("57100", references={"kraken": usd("57200")}))
    assert (entry(asked)["tier"], entry(asked)["level"]) == ("early warning", "warning")


def test_the_cushion_comes_off_the_reference_quote():
    asked = book(
        treasury(loan(reference="kraken", cushion=Fraction(1, 10))), fresh("70000", references={"kraken": usd("60000")})
    )
    assert (entry(asked)["lender_price_usd"], entry(asked)["tier"]) == ("54000.00", "margin call")


@pytest.mark.parametrize(
    "view", [PriceView.scenario(usd("57200")), fresh("57200"), fresh("57200", references={"gemini": 1})]
)
def test_a_scenario_or_a_missing_reference_uses_our_price(view):
    said = entry(book(treasury(loan(reference="kraken")), view))
    assert (said["lender_price_usd"], said["ltv_pct"], said["lender_ltv_pct"]) == ("57200.00", "74.93", "74.93")


def test_a_tier_may_set_its_own_level():
    quiet = (tier("early", "0.68", own_level=Level.NOTICE), *THREE[1:])
    assert entry(book(treasury(loan(tiers=quiet)), "60000"))["level"] == "notice"


def test_the_edge_of_a_line_is_the_same_by_both_formulas():
    assert price_at_ltv(usd("300000000"), btc("8000"), Fraction("0.75")) == usd("50000")
