"""The worked example of the contract's §3, digit for digit: through the answer and through the functions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from support import DAY, NOW, OPENED, book, btc, contract, entry, fresh, loan, treasury, usd

from bot.domain.answers import ltv_document
from bot.domain.covenant import cures, ltv, price_at_ltv, read, releasable
from bot.domain.money import percent_plain
from bot.domain.price import PriceView

DEBT, COINS = usd("300000000"), btc("7000")


def test_the_json_of_the_contract_is_what_the_file_of_the_contract_gives():
    document = ltv_document(book(contract(), "55000", OPENED))
    assert document["as_of"] == "2026-01-31T23:59:59Z"
    assert document["price"] == {"usd": "55000.00", "state": "scenario", "as_of": None, "age_s": None, "sources": []}
    antalpha = document["facilities"][0]
    call = next(tier for tier in antalpha.pop("tiers") if tier["kind"] == "call")
    assert antalpha == {
        "id": "antalpha",
        "lender": "Antalpha",
        "debt_usd": "300000000.00",
        "collateral_btc": "7000.00000000",
        "in_transit_btc": "0.00000000",
        "ltv_pct": "77.92",
        "lender_ltv_pct": "77.92",
        "lender_price_usd": "55000.00",
        "level": "critical",
        "tier": "margin call",
        "waived_until": None,
        "price_index": None,
        "call": None,
        "claims": [],
        "cures": {
            "top_up_btc": "1391.60839161",
            "repay_usd": "49750000.00",
            "sell_free_btc": "909.09090910",
            "sell_pledged_btc": "2621.87088275",
        },
        "interest_due": None,
    }
    assert call == {
        "name": "margin call",
        "kind": "call",
        "ltv_pct": "75.00",
        "price_usd": "57142.85",
        "headroom_pct": "-3.90",
        "reached": True,
    }
    assert document["groups"][0].keys() == document["facilities"][0].keys() | {"tiers"}


def test_at_68_500_nothing_is_reached_and_the_lines_are_where_the_table_says():
    antalpha = entry(book(contract(), "68500", OPENED))
    assert (antalpha["ltv_pct"], antalpha["lender_ltv_pct"], antalpha["level"]) == ("62.57", "62.57", "ok")
    assert (antalpha["tier"], antalpha["cures"]) == (None, None)
    assert [(t["name"], t["price_usd"], t["headroom_pct"], t["reached"]) for t in antalpha["tiers"]] == [
        ("early warning", "63025.21", "7.99", False),
        ("margin call", "57142.85", "16.58", False),
        ("liquidation", "47619.04", "30.48", False),
    ]


@pytest.mark.parametrize(("price", "shown"), [("68500", "62.57"), ("55000", "77.92")])
def test_ltv_is_debt_over_collateral_at_the_price(price, shown):
    assert percent_plain(ltv(DEBT, COINS, usd(price))) == shown


@pytest.mark.parametrize(("line", "shown"), [("0.75", "57142.85"), ("0.90", "47619.04")])
def test_a_line_is_where_the_table_says(line, shown):
    exact = price_at_ltv(DEBT, COINS, Fraction(line))
    assert usd(shown) == int(exact)
    assert exact == Fraction(DEBT * 10**8) / (COINS * Fraction(line))


def test_the_cures_are_exact_before_they_are_printed():
    reading = read(book(contract(), "55000", OPENED).snapshot.facilities[0], PriceView.scenario(usd("55000")))
    aim = cures(reading, Fraction("0.65"), DEBT, Fraction(50, 10_000))
    assert aim.top_up == Fraction(300_000_000) / (Fraction("0.65") * 55_000) * 10**8 - COINS
    assert aim.repay == usd("49750000")
    assert aim.sell_free == Fraction(49_750_000) / (55_000 * Fraction("0.995")) * 10**8
    assert aim.sell_pledged == Fraction(49_750_000) / (55_000 * Fraction("0.995") - 55_000 * Fraction("0.65")) * 10**8


def test_selling_pledged_coins_ends_at_the_target_with_what_the_table_says_is_left():
    sold, net = btc("2621.87088275"), Fraction(55_000) * Fraction("0.995")
    debt = 300_000_000 - Fraction(sold, 10**8) * net
    left = Fraction(COINS - sold, 10**8)
    assert (round(debt / 10**6, 2), round(left, 2)) == (Fraction("156.52"), Fraction("4378.13"))
    assert percent_plain(debt / (left * 55_000)) == "65.00"
    assert round(300_000_000 / (left * 55_000) * 100, 1) == Fraction(
        "124.6"
    )  # coins that leave before the dollars come


def test_what_may_come_back_is_what_the_table_says():
    exposure = book(treasury(loan(debt="225000000")), "68500").snapshot.facilities[0]
    assert percent_plain(ltv(exposure.tested, exposure.collateral, usd("68500"))) == "46.92"
    assert releasable(exposure, usd("68500"), Fraction("0.60")) == btc("1525.54744525")


@pytest.mark.parametrize(("day_count", "owed"), [("ACT/360", "1750000.00"), ("ACT/365", "1726027.40")])
def test_thirty_days_at_seven_percent_cost_what_the_table_says(day_count, owed):
    later = book(treasury(loan(rate="0.07", day_count=day_count)), "68500", OPENED + 30 * DAY)
    assert later.balances.debts["antalpha"].interest == usd(owed)


def test_the_group_of_the_contract_has_its_own_line():
    group = entry(book(contract(), "55000", OPENED), "antalpha-all")
    assert (group["lender"], group["ltv_pct"], group["level"], group["cures"]) == ("Antalpha", "77.92", "ok", None)
    assert group["tiers"] == [
        {
            "name": "group call",
            "kind": "call",
            "ltv_pct": "78.00",
            "price_usd": "54945.05",
            "headroom_pct": "0.10",
            "reached": False,
        }
    ]


def test_a_waiver_is_named_while_it_lasts_and_changes_no_level():
    register = contract(without=("call", "movement"))
    during, after = (entry(book(register, "55000", when)) for when in (NOW.replace(day=7), NOW.replace(day=10)))
    assert (during["waived_until"], during["level"]) == ("2026-02-10T00:00:00Z", "critical")
    assert (after["waived_until"], after["level"]) == (None, "critical")


def test_last_months_ltv_is_by_last_months_terms():
    amended = contract(
        (
            "                         # what isn't named stays",
            '\n    [[facility.amendment.tier]]\n    kind = "call"\n    ltv = "0.7"',
        ),
        without=("call", "movement"),
    )
    before, after = (entry(book(amended, "55000", NOW.replace(month=3, day=1, hour=hour))) for hour in (5, 6))
    assert [tier["name"] for tier in before["tiers"]] == ["early warning", "margin call", "liquidation"]
    assert [tier["name"] for tier in after["tiers"]] == ["call"]


def test_a_price_of_an_accepted_poll_says_how_old_it_is():
    view = fresh("55000", as_of=NOW, age=NOW - NOW.replace(second=0, minute=0, hour=11), sources=("kraken", "gemini"))
    assert ltv_document(book(contract(), view))["price"] == {
        "usd": "55000.00",
        "state": "fresh",
        "as_of": "2026-02-04T12:00:00Z",
        "age_s": 3600,
        "sources": ["kraken", "gemini"],
    }
