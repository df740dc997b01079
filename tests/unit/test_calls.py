"""A lender's calls: what is demanded, what counts against it, and what ends it."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPENED,
    THREE,
    at,
    book,
    btc,
    contract,
    entry,
    fresh,
    loan,
    move,
    notice,
    tier,
    treasury,
    usd,
)

from bot.domain.alerts import AlertPolicy, Change, Reason, Transition, decide
from bot.domain.book import Book, Register
from bot.domain.calls import Demand, open_calls
from bot.domain.checks import all_findings
from bot.domain.ledger import Credited
from bot.domain.price import PriceView
from bot.domain.terms import Level, OnRecovery
from bot.domain.treasury import Movement, Notice, Treasury

LATER = NOW + DAY  # when a notice of NOW under the margin call is due


def called(*movements: Movement, notices: tuple[Notice, ...] | None = None, **terms: Any) -> Treasury:
    return treasury(loan(**terms), notices=notices or (notice(NOW, price="55000"),), movements=movements)


def call(register: Treasury, when: Any, price: str | None = "55000") -> dict[str, Any]:
    return entry(book(register, price, when))["call"]


# -- what is demanded --


def test_a_notice_demands_the_top_up_or_the_repayment_of_its_own_instant_and_price():
    said = call(called(), NOW)
    assert said == {
        "at": "2026-02-04T12:00:00Z",
        "due": "2026-02-05T12:00:00Z",
        "tier": "margin call",
        "state": "open",
        "demand_btc": "1391.60839161",
        "demand_usd": "49750000.00",
        "sent_btc": "0.00000000",
        "sent_usd": "0.00",
        "credited_btc": "0.00000000",
        "credited_usd": "0.00",
        "missing_btc": "1391.60839161",
        "missing_usd": "49750000.00",
    }


def test_the_lenders_price_has_its_cushion_in_it_already():
    assert call(called(cushion=Fraction(1, 10)), NOW)["demand_usd"] == "49750000.00"


def test_what_happens_later_changes_no_demand():
    later = (move("pledged", NOW + HOUR, btc="100"), move("drawn", NOW + HOUR, usd="1000000"))
    assert call(called(*later), NOW + 2 * HOUR, "20000")["demand_usd"] == "49750000.00"


def test_the_debt_is_that_of_the_deadline():
    """Two midnights until it is due, at 36 % a year: 600,000 more."""
    register = called(rate=Fraction("0.36"), notices=(notice(NOW, price="55000", due=NOW + 2 * DAY),))
    before = usd(entry(book(called(rate=Fraction("0.36")), "55000"))["debt_usd"])
    assert usd(call(register, NOW)["demand_usd"]) == before + usd("600000") - ceil(
        Fraction("0.65") * 7000 * 55_000 * 100
    )


def test_the_contracts_own_notice_is_judged_by_the_contracts_own_file():
    said = call(contract(), at("02-07 15:00"))
    principal = Fraction("300058333.33")  # with the day that capitalises on the first, in Chicago
    debt = principal + Fraction(round(principal * 7 * 7 / 360), 100)  # and seven midnights more until it is due
    assert Fraction(said["demand_usd"]) == Fraction(ceil((debt - Fraction("0.65") * 7000 * 57_100) * 100), 100)


@pytest.mark.parametrize(
    ("stated", "btc", "usd"),
    [
        ({"demand_btc": "250"}, "250.00000000", None),
        ({"demand_usd": "1000000"}, None, "1000000.00"),
        ({"demand_btc": "250", "demand_usd": "1000000"}, "250.00000000", "1000000.00"),
    ],
)
def test_a_stated_demand_is_the_demand(stated, btc, usd):
    said = call(called(notices=(notice(NOW, **stated),)), NOW)
    assert (said["demand_btc"], said["demand_usd"]) == (btc, usd)
    assert (said["missing_btc"], said["missing_usd"]) == (btc, usd)


def test_a_notice_at_a_price_that_needs_nothing_demands_nothing():
    said = call(called(notices=(notice(NOW, price="90000"),)), LATER)
    assert (said["demand_btc"], said["missing_usd"], said["state"]) == ("0.00000000", "0.00", "open")


def test_a_notice_from_before_the_treasury_opened_is_judged_by_the_opening_figures():
    register = called(notices=(notice(OPENED - HOUR, price="55000"),))
    said = call(register, OPENED)
    assert (said["demand_usd"], said["due"]) == ("49750000.00", "2026-02-01T22:59:59Z")


def test_a_notice_without_any_target_asks_for_all_that_is_owed():
    far = loan(debt="50", tiers=(tier("call", price="1", name="margin call", window_hours=24),))
    said = call(treasury(far, notices=(notice(NOW),)), NOW)
    assert (said["demand_btc"], said["demand_usd"]) == (None, "50.00")


# -- what counts against it --


def test_coins_and_dollars_add_up_as_parts_of_one_demand():
    half = (move("pledged", NOW + HOUR, btc="50"), move("repaid", NOW + HOUR, usd="300000"))
    register = called(*half, notices=(notice(NOW, demand_btc="100", demand_usd="1000000"),))
    said = call(register, NOW + 2 * HOUR)
    assert (said["credited_btc"], said["credited_usd"]) == ("50.00000000", "300000.00")
    assert (said["missing_btc"], said["missing_usd"]) == ("20.00000000", "200000.00")


def test_what_was_released_counts_against_and_interest_does_not_count():
    moves = (
        move("pledged", NOW + HOUR, btc="50"),
        move("released", NOW + 2 * HOUR, btc="20"),
        move("interest_paid", NOW + 2 * HOUR, usd="5"),
    )
    register = called(*moves, accrued=usd("5"), notices=(notice(NOW, demand_btc="100", demand_usd="1000000"),))
    assert call(register, NOW + 3 * HOUR)["missing_btc"] == "70.00000000"


def test_what_is_credited_up_to_the_notice_is_not_credited_against_it():
    moves = (move("pledged", NOW - HOUR, btc="10"), move("pledged", NOW, btc="10", ref="same instant"))
    said = call(called(*moves, notices=(notice(NOW, demand_btc="100"),)), NOW + HOUR)
    assert said["credited_btc"] == "0.00000000"


def test_coins_on_their_way_are_shown_and_change_nothing_until_they_are_credited():
    sent = move("sent", NOW + HOUR, "s1", btc="500")
    credited = move("pledged", NOW + 3 * HOUR, of="s1", btc="500")
    register = called(sent, credited)
    before, during, after = (entry(book(register, "55000", NOW + n * HOUR)) for n in (0, 2, 3))
    assert (
        (during["ltv_pct"], during["in_transit_btc"])
        == (before["ltv_pct"], "500.00000000")
        == ("77.92", "500.00000000")
    )
    assert (during["call"]["sent_btc"], during["call"]["missing_btc"]) == ("500.00000000", "1391.60839161")
    assert (after["ltv_pct"], after["in_transit_btc"]) == ("72.73", "0.00000000")
    assert (after["call"]["sent_btc"], after["call"]["credited_btc"]) == ("0.00000000", "500.00000000")
    assert after["call"]["missing_btc"] == "891.60839161"


def test_dollars_on_their_way_are_no_repayment_yet():
    register = called(
        move("sent", NOW + HOUR, "s1", usd="49750000"), move("repaid", NOW + 3 * HOUR, of="s1", usd="49750000")
    )
    during, after = (entry(book(register, "55000", NOW + n * HOUR)) for n in (2, 3))
    assert (during["debt_usd"], during["call"]["sent_usd"]) == ("300000000.00", "49750000.00")
    assert (after["ltv_pct"], after["tier"], after["call"]["missing_usd"]) == ("65.00", None, "0.00")


demands = st.none() | st.integers(1, 10**11)


@given(demands, demands, st.integers(-(10**11), 10**11), st.integers(-(10**11), 10**11))
def test_what_is_missing_is_the_demand_less_the_parts_credited_rounded_up(coins, dollars, got_btc, got_usd):
    left = Demand(coins, dollars).missing_part(Credited(got_btc, got_usd))
    met = sum(Fraction(got, asked) for got, asked in ((got_btc, coins), (got_usd, dollars)) if asked)
    assert left == max(1 - met, 0)


def test_what_is_missing_rounds_up_to_the_satoshi_and_the_cent():
    register = called(
        move("pledged", NOW + HOUR, btc="0.00000001"),
        notices=(notice(NOW, demand_btc="0.00000003", demand_usd="0.01"),),
    )
    said = call(register, NOW + HOUR)
    assert (said["missing_btc"], said["missing_usd"]) == ("0.00000002", "0.01")


# -- its state --


def test_it_is_open_until_it_is_due_and_missed_when_something_is_missing_then():
    register = called(move("pledged", NOW + HOUR, btc="100"))
    assert [call(register, when)["state"] for when in (NOW, LATER - MINUTE, LATER, LATER + DAY)] == [
        "open",
        "open",
        "missed",
        "missed",
    ]


def test_what_is_credited_at_the_deadline_itself_is_in_time():
    assert call(called(move("repaid", LATER, usd="49750000")), LATER + HOUR)["state"] == "open"
    assert call(called(move("repaid", LATER + MINUTE, usd="49750000")), LATER + HOUR)["state"] == "missed"
    assert call(called(move("repaid", LATER, usd="49749999.99")), LATER + HOUR)["state"] == "missed"


def test_what_is_still_on_its_way_at_the_deadline_is_missing():
    assert call(called(move("sent", NOW, usd="49750000")), LATER)["state"] == "missed"


def test_a_dispute_is_shown_and_stops_no_clock():
    register = called(notices=(notice(NOW, price="55000", disputed=NOW + HOUR),))
    said = [call(register, when) for when in (NOW, NOW + HOUR, LATER)]
    assert [one["state"] for one in said] == ["open", "disputed", "missed"]
    assert {one["due"] for one in said} == {"2026-02-05T12:00:00Z"}


@pytest.mark.parametrize("end", ["met", "withdrawn"])
def test_only_the_lenders_word_ends_it_even_when_it_is_missed(end):
    register = called(notices=(notice(NOW, price="55000", **{end: LATER + HOUR}),))
    assert call(register, LATER + HOUR - MINUTE)["state"] == "missed"
    assert call(register, LATER + HOUR) is None
    assert entry(book(register, "90000", LATER + HOUR))["level"] == "ok"


def test_it_is_not_there_before_its_own_instant():
    assert call(called(), NOW - MINUTE) is None


def test_an_open_call_is_critical_whatever_the_price_says():
    for price in ("90000", None):
        said = entry(book(called(), price))
        assert (said["level"], said["tier"]) == ("critical", None)


# -- several --


def two(*, second: dict[str, Any], first: dict[str, Any] | None = None) -> Treasury:
    tiers = (*THREE[:2], tier("accelerated", "0.8", window_hours=6), THREE[2])
    notices = (notice(NOW, "first", **(first or {})), notice(NOW + HOUR, "second", **second))
    return treasury(loan(tiers=tiers), notices=notices)


def test_the_earliest_deadline_governs_and_a_new_notice_extends_none():
    assert call(two(second={}), NOW + 2 * HOUR)["at"] == "2026-02-04T12:00:00Z"
    assert call(two(second={"called": "accelerated"}), NOW + 2 * HOUR)["at"] == "2026-02-04T13:00:00Z"
    assert call(two(second={"due": LATER - MINUTE}), NOW + 2 * HOUR)["at"] == "2026-02-04T13:00:00Z"
    assert call(two(second={"due": LATER + MINUTE}), NOW + 2 * HOUR)["due"] == "2026-02-05T12:00:00Z"


def test_of_equal_deadlines_the_worse_tier_governs():
    assert call(two(second={"called": "accelerated", "due": LATER}), NOW + 2 * HOUR)["tier"] == "accelerated"
    worse_first = two(first={"called": "accelerated", "due": LATER}, second={"due": LATER})
    assert call(worse_first, NOW + 2 * HOUR)["tier"] == "accelerated"


def test_a_call_with_a_deadline_governs_one_without():
    tiers = (tier("call", "0.75", "margin call", cure_to="0.65"),)
    notices = (notice(NOW, "first"), notice(NOW + HOUR, "second", due=LATER + DAY))
    assert call(treasury(loan(tiers=tiers), notices=notices), NOW + 2 * HOUR)["due"] == "2026-02-06T12:00:00Z"


def test_when_the_governing_one_is_met_the_other_governs():
    register = two(first={"met": NOW + 2 * HOUR}, second={"due": LATER + DAY})
    assert [call(register, NOW + n * HOUR)["due"][:10] for n in (1, 2)] == ["2026-02-05", "2026-02-06"]


def test_a_tier_that_was_amended_away_keeps_its_notice():
    edit = (
        "                         # what isn't named stays",
        '\n    [[facility.amendment.tier]]\n    kind = "call"\n    name = "new call"\n'
        '    ltv = "0.7"\n    cure_to = "0.62"',
    )
    said = call(contract(edit), at("03-02 12:00"))
    assert (said["tier"], said["state"]) == ("margin call", "missed")
    assert open_calls(book(contract(edit), "55000", at("03-02 12:00")))[0].rank == 0


# -- what price alone does to it --


class Watch:
    """Holds the findings of a treasury against its alert, minute by minute, as the checks do."""

    def __init__(self, **terms: Any) -> None:
        self.register = Register.of(called(**terms), AlertPolicy())
        self.alert = None

    def check(self, when: Any, price: str | PriceView) -> Transition:
        view = fresh(price) if isinstance(price, str) else price
        finding = all_findings(Book(self.register, when, view)).get("covenant:antalpha")
        done = decide(self.alert, finding, when, self.register.alerts)
        self.alert = done.alert
        return done

    def minutes(self, price: str, *numbers: int) -> list[tuple[str, ...]]:
        return [self.check(NOW + n * MINUTE, price).recovered for n in numbers]


def test_by_default_price_alone_does_nothing_to_it():
    assert set(Watch().minutes("100000", *range(60))) == {()}


@pytest.mark.parametrize(
    ("rule", "enough", "not_enough"),
    [("below_call", "57142.86", "57142.85"), ("at_cure", "65934.07", "65934.06")],
)
def test_a_price_that_holds_for_ten_minutes_ends_it_where_the_terms_say_so(rule, enough, not_enough):
    for price, ends in ((enough, ("n1",)), (not_enough, ())):
        watch = Watch(on_recovery=OnRecovery(rule))
        assert watch.minutes("55000", 0) == [()]
        assert watch.minutes(price, 1, 10) == [(), ()]
        assert watch.check(NOW + 11 * MINUTE, price).recovered == ends


@pytest.mark.parametrize("price", ["57142.86", "100000"])
def test_a_notice_at_a_price_of_ours_that_has_recovered_already_still_stands_for_ten_minutes(price):
    """The lender's price was lower than ours: the call is open and critical until the price has held."""
    watch = Watch(on_recovery=OnRecovery.BELOW_CALL)
    done = watch.check(NOW, price)
    assert (done.change, done.alert.level, done.alert.tier) == (Change.OPENED, Level.CRITICAL, "margin call")
    assert watch.minutes(price, 5, 9, 10) == [(), (), ("n1",)]


def test_a_dip_starts_its_ten_minutes_again():
    watch = Watch(on_recovery=OnRecovery.BELOW_CALL)
    watch.minutes("55000", 0)
    assert watch.minutes("60000", 1, 5) == [(), ()]
    assert watch.minutes("57142.85", 6) == [()]
    assert watch.minutes("60000", 7, 11, 16) == [(), (), ()]
    assert watch.minutes("60000", 17) == [("n1",)]


def test_minutes_without_a_price_do_not_count():
    watch = Watch(on_recovery=OnRecovery.BELOW_CALL)
    blind = book(watch.register, None).price
    watch.minutes("55000", 0)
    watch.minutes("60000", 1)
    for n in range(6, 30):
        assert watch.check(NOW + n * MINUTE, blind).recovered == ()
    assert watch.minutes("60000", 30, 34) == [(), ()]
    assert watch.minutes("60000", 35) == [("n1",)]


def test_a_missed_call_is_never_ended_by_price():
    watch = Watch(on_recovery=OnRecovery.BELOW_CALL)
    watch.check(NOW, "55000")
    watch.check(LATER, "55000")
    for n in range(1, 30):
        assert watch.check(LATER + n * MINUTE, "100000").recovered == ()


def test_a_scenario_ends_none():
    register = called(on_recovery=OnRecovery.BELOW_CALL)
    for n in range(3):
        assert call(register, NOW + n * HOUR, "100000")["state"] == "open"


def test_what_price_has_ended_has_ended_for_good():
    register = called(notices=(notice(NOW, recovered=NOW + HOUR),), on_recovery=OnRecovery.BELOW_CALL)
    assert call(register, NOW + HOUR - MINUTE, "50000") is not None
    assert call(register, NOW + HOUR, "50000") is None


def test_its_end_by_price_is_noted_at_that_instant():
    watch = Watch(on_recovery=OnRecovery.BELOW_CALL)
    watch.check(NOW, "55000")
    watch.check(NOW + MINUTE, "60000")
    done = watch.check(NOW + 11 * MINUTE, "60000")
    assert (done.recovered, done.change, done.reason) == (("n1",), Change.NOTED, Reason.NOTICE_ENDED)
    assert done.at == NOW + timedelta(minutes=11)


def test_the_coins_of_the_demand_are_those_of_the_terms_then():
    assert btc(call(called(), NOW)["demand_btc"]) == ceil(
        Fraction(300_000_000) / (Fraction("0.65") * 55_000) * 10**8 - 7000 * 10**8
    )
