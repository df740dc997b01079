"""Cover on examples: the contract's own cures, a Saturday, limits, least repayments, groups, what is missing."""

from __future__ import annotations

from datetime import date, time
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import HOUR, NOW, OPENED, THREE, at, book, btc, fresh, loan, move, notice, tier, treasury, usd

from bot.domain.book import Book
from bot.domain.money import percent_plain, show_usd_short
from bot.domain.periods import Calendar
from bot.domain.sales import Alternative, Answer, Name, Scenario, Way, cover_now, plan_cover
from bot.domain.terms import Consent, Group, GroupTest
from bot.domain.treasury import Account, Holds, Policy, SlippageStep
from bot.domain.words import plain_text

FEES = Policy(fee_bps=10, slippage_bps=40)
NEW_YORK = Calendar("new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)}))
SATURDAY = at("02-07 14:15")


def account(name: str = "custody", coins: str = "0", cash: str = "0", **more: Any) -> Account:
    return Account(name, btc(coins), usd(cash), **more)


def rich(*loans: Any, **more: Any) -> Any:
    """2,000 BTC and $500M that can leave at once."""
    return treasury(*loans, **{"accounts": (account(coins="2000", cash="500000000"),), "policy": FEES, **more})


def cover(asked: Book, price: str = "55000") -> Answer:
    return plan_cover(asked, Scenario(price=usd(price)))


def way(answer: Answer, name: Name) -> Alternative:
    return next(one for one in answer.alternatives if one.name is name)


def said(alternative: Alternative) -> str:
    return plain_text(" ".join([alternative.why, *alternative.notes])).strip()


def ltv_after(alternative: Alternative, name: str = "antalpha") -> str | None:
    after = next(one for one in alternative.after if one.id == name)
    return after.reading.show(after.reading.lenders)


# -- the contract's worked example --


def test_the_four_cures_of_the_contract_side_by_side():
    answer = cover(book(rich(loan(consent=Consent.DESK)), "55000"))
    assert way(answer, Name.TOP_UP).top_up == btc("1391.60839161")
    assert way(answer, Name.CASH).repaid == usd("49750000.00")
    free = way(answer, Name.FREE)
    assert (free.sell_free, free.repaid) == (btc("909.09090910"), usd("49750000.00"))
    pledged = way(answer, Name.PLEDGED)
    assert 0 <= pledged.sell_pledged - btc("2621.87088275") < 60  # a cent is 18 satoshis
    for name in (Name.TOP_UP, Name.CASH, Name.FREE, Name.PLEDGED):
        assert (way(answer, name).feasible, ltv_after(way(answer, name))) == (True, "65.00")


def test_pledged_coins_sold_end_where_the_contract_says():
    pledged = way(cover(book(rich(loan(consent=Consent.DESK)), "55000")), Name.PLEDGED)
    after = next(one for one in pledged.after if one.id == "antalpha")
    assert (show_usd_short(after.debt), round(Fraction(after.collateral, 10**8), 2)) == (
        "$156.52M",
        Fraction("4378.13"),
    )
    assert pledged.btc_left == btc("9000") - pledged.sell_pledged
    assert after.call_price == usd("47666.66")  # the debt over 75 % of the coins
    assert pledged.cost == usd("721014.50")  # half a per cent of 2,621.87 BTC at $55,000


def test_cash_comes_before_a_top_up_and_a_top_up_before_a_sale():
    answer = cover(book(rich(accounts=(account(coins="1000", cash="20000000"),)), "55000"))
    best = answer.recommended
    assert (best.repaid, best.sell_free, best.sell_pledged) == (usd("20000000"), 0, 0)
    assert best.top_up == btc("832.16783217")  # (49.75M − 20M) / (65 % × 55,000)
    assert best is answer.alternatives[0]


def test_where_free_coins_are_not_enough_some_are_sold_and_the_others_pledged():
    """Each coin sold gains P(1 − s) − T·P more than pledged, so 49.75M = 1,000 × 35,750 + x × (54,725 − 35,750)."""
    best = cover(book(rich(accounts=(account(coins="1000"),)), "55000")).recommended
    sold = Fraction(49_750_000 - 1000 * 35_750, 54_725 - 35_750) * 10**8
    assert 0 <= best.sell_free - sold < 100
    assert 0 <= btc("1000") - best.top_up - best.sell_free < 40  # two cents' worth
    assert ltv_after(best) == "65.00"


def test_doing_nothing_says_what_the_lender_may_sell():
    lines = (*THREE[:2], tier("liquidation", "0.90", liquidate_to=Fraction("0.70"), liquidation_fee_bps=200))
    answer = cover(book(rich(loan(tiers=lines)), "55000"))
    nothing = way(answer, Name.NOTHING)
    need = Fraction(300_000_000) - Fraction("0.70") * 7000 * 55_000
    coins = need / (55_000 * Fraction("0.98") - Fraction("0.70") * 55_000) * 10**8
    assert 0 <= nothing.sell_pledged - coins < 1
    assert (nothing.feasible, ltv_after(nothing)) == (False, "70.00")
    assert nothing.btc_left == btc("9000") - nothing.sell_pledged
    assert said(nothing) == "Antalpha may sell 1,980.52 pledged BTC from Thu 5 Feb 12:00."


def test_what_a_group_loses_is_taken_from_all_its_loans():
    """Its lender sells more than the first of them has: the second's coins go too, and the debts of both."""
    tiers = (
        tier("call", "0.75", cure_to="0.65", window_hours=24),
        tier("liquidation", "0.80", liquidate_to=Fraction(0)),
    )
    two = [loan(name, debt="3000000", coins="60", tiers=(), group="both") for name in ("first", "second")]
    group = Group("both", GroupTest.RATIO, tiers)
    nothing = way(cover(book(rich(*two, groups=(group,)), "60000"), "60000"), Name.NOTHING)
    assert nothing.sell_pledged == btc("100")  # all that is owed, $6,000,000, at $60,000
    assert nothing.balances is not None
    assert dict(nothing.balances.collateral) == {"first": 0, "second": btc("20")}
    assert [debt.total for debt in nothing.balances.debts.values()] == [0, 0]


def test_a_liquidation_that_all_coins_do_not_pay_leaves_a_debt():
    nothing = way(cover(book(rich(), "40000"), "40000"), Name.NOTHING)
    assert (nothing.sell_pledged, nothing.repaid) == (btc("7000"), usd("280000000"))
    assert said(nothing) == ("Antalpha may sell 7,000.00 pledged BTC at once, and $20,000,000.00 would still be owed.")


def test_of_loans_alike_no_more_is_sold_from_pledge_than_must_be():
    """Free coins sold or pledged bring as much as pledged ones sold: then lenders' coins stay, whatever is rounded."""
    loans = [loan(f"f{n}", debt=f"{3_000_000 + n * 1_000}.00", coins="70", consent=Consent.DESK) for n in range(5)]
    bare = account(coins="25", cash="1000000")
    plan = cover(book(treasury(*loans, accounts=(bare,), policy=FEES), "55000")).recommended
    sold, pledged = plan.sell_free + plan.sell_pledged, plan.sell_pledged
    assert (round(Fraction(sold, 10**5)), round(Fraction(pledged, 10**5))) == (31818, 26219)


# -- time --


def saturday(*accounts: Account, **more: Any) -> Answer:
    """A notice on Saturday 7 February, 14:15Z, due in 24 hours."""
    called = notice(SATURDAY, price="55000")
    lent = loan(credit_hours=HOUR, **more)
    register = rich(lent, accounts=accounts, notices=(called,), calendars={"new-york": NEW_YORK})
    return cover(book(register, "55000", SATURDAY))


BANK = {"calendar": "new-york"}


def test_on_a_saturday_a_wire_is_too_late():
    cash = way(saturday(account(cash="90000000", **BANK)), Name.CASH)
    assert not cash.feasible
    assert said(cash) == (
        "$90,000,000.00 cash. Dollars of custody can leave from Mon 9 Feb 14:00, credited Mon 9 Feb 15:00: after the "
        "deadline Sun 8 Feb 14:15. Short by $49.75M, or 24 h 45 min more."
    )
    assert cash.missing.later == 24 * HOUR + 45 * HOUR / 60


def test_on_a_saturday_coins_and_stablecoins_are_in_time():
    answer = saturday(account(coins="1500", cash="90000000", ready_hours=4 * HOUR, **BANK))
    assert (answer.recommended.top_up, answer.recommended.credited_at) == (btc("1391.60839161"), at("02-07 19:15"))
    assert "Dollars of custody can leave from Mon 9 Feb 14:00" in said(answer.recommended)
    stable = saturday(account(cash="90000000", **BANK), account("wallet", cash="60000000", holds=Holds.USDT))
    assert (stable.recommended.repaid, stable.recommended.credited_at) == (usd("49750000"), at("02-07 15:15"))
    assert [leg.account for leg in stable.recommended.legs] == ["wallet"]


def test_coins_sold_on_a_saturday_bring_dollars_that_move_only_as_their_account_lets_them():
    coins = account(coins="1500", **BANK)
    assert not way(saturday(coins), Name.FREE).feasible
    free = way(saturday(coins, account("wallet", holds=Holds.USDC)), Name.FREE)
    assert (free.feasible, [(leg.account, leg.through) for leg in free.legs]) == (True, [("custody", "wallet")])
    assert [m.kind for m in free.movements] == ["transfer", "sold", "repaid"]


def test_the_lenders_desk_sells_when_it_is_open():
    desk = {"consent": Consent.DESK, "desk_calendar": "new-york"}
    late = way(saturday(account(), **desk), Name.PLEDGED)
    assert "Antalpha's desk can sell from Mon 9 Feb 14:00" in said(late)
    assert way(saturday(account(), consent=Consent.DESK), Name.PLEDGED).credited_at == at("02-07 15:15")


def test_after_a_missed_deadline_it_still_says_what_would_cure():
    called = notice(SATURDAY, price="55000")
    register = rich(notices=(called,))
    best = cover(book(register, "55000", at("02-09 10:00"))).recommended
    assert (best.feasible, best.repaid) == (True, usd("49750000"))
    assert "deadline is missed" in said(best)


def test_the_debt_is_that_of_the_settlement():
    """7 % on $300M is $58,333.33⅓ a day, so what is credited the next day must cure that much more."""
    lent = loan(rate=Fraction("0.07"), drawn=OPENED.date())
    now = cover(book(rich(lent), "55000")).recommended
    slow = cover(
        book(rich(loan(rate=Fraction("0.07"), drawn=OPENED.date(), credit_hours=13 * HOUR)), "55000")
    ).recommended
    assert (slow.repaid - now.repaid, slow.credited_at) == (usd("58333.34"), at("02-05 01:00"))


# -- limits --


def test_what_is_reserved_stays():
    kept = Policy(reserve_btc=btc("900"), min_cash_usd=usd("490000000"), fee_bps=10, slippage_bps=40)
    answer = cover(book(rich(loan(consent=Consent.DESK), policy=kept), "55000"))
    best = answer.recommended
    assert best.feasible
    assert best.balances.accounts["custody"].btc == btc("900")
    assert best.balances.accounts["custody"].usd == usd("490000000")
    assert not [one for one in answer.alternatives if one.breaks_reserves]


def test_reserves_are_broken_only_in_an_alternative_that_says_so():
    kept = Policy(reserve_btc=btc("1900"), min_cash_usd=usd("490000000"))
    answer = cover(book(rich(policy=kept), "55000"))
    assert not answer.recommended.feasible
    assert said(answer.recommended) == (
        "100.00 free BTC above the reserve of 1,900.00. $10,000,000.00 cash above the $490,000,000.00 that stays. "
        "Antalpha has not agreed to sell pledged coins. "
        "Short by $34.25M, or 622.73 BTC more free."
    )
    broken = way(answer, Name.BROKEN)
    assert (broken.feasible, broken.breaks_reserves, broken.repaid) == (True, True, usd("49750000"))
    assert said(broken) == "Breaks the least cash of $490,000,000.00: $450,250,000.00 stay."


def test_no_more_coins_are_sold_than_may_be():
    few = Policy(max_cover_btc=btc("500"))
    free = way(cover(book(rich(policy=few), "55000")), Name.FREE)
    assert (free.feasible, "At most 500.00 BTC may be sold (max_cover_btc)." in said(free)) == (False, True)
    none = {"accounts": (account(),)}
    lacking = way(cover(book(rich(policy=few, **none), "55000")), Name.FREE)
    assert said(lacking).startswith("No free BTC. At most 500.00 BTC may be sold (max_cover_btc).")
    ample = Policy(max_cover_btc=btc("5000"))
    lacking = way(cover(book(rich(policy=ample, **none), "55000")), Name.FREE)
    assert "max_cover_btc" not in said(lacking), "it stands in nobody's way"
    enough = Policy(max_cover_btc=btc("909.1"), fee_bps=10, slippage_bps=40)
    assert way(cover(book(rich(policy=enough), "55000")), Name.FREE).sell_free == btc("909.09090910")


def test_a_slippage_curve_is_gone_down_step_by_step():
    """400 BTC at 20 bps, and the rest at 100: 49.75M = 400 × 54,890 + x × 54,450."""
    steps = Policy(slippage=(SlippageStep(btc("400"), 20), SlippageStep(btc("100"), 100)))
    free = way(cover(book(rich(policy=steps), "55000")), Name.FREE)
    sold = 400 * 10**8 + Fraction(49_750_000 - 400 * 54_890, 54_450) * 10**8
    assert 0 <= free.sell_free - sold < 100
    assert free.cost == -(-(free.sell_free * 55_000 - 49_750_000 * 10**8) // 10**6)


def test_a_small_repayment_is_raised_to_the_least_that_the_lender_takes():
    best = cover(book(rich(loan(min_repayment=usd("60000000"))), "55000")).recommended
    assert (best.repaid, best.top_up, best.repayments[0].raised) == (usd("60000000"), 0, True)
    assert said(best) == "Antalpha takes no repayment under $60,000,000.00: raised to it."


def test_where_the_least_repayment_can_not_be_paid_it_does_without_one():
    little = rich(loan(min_repayment=usd("60000000")), accounts=(account(coins="2000", cash="55000000"),))
    best = cover(book(little, "55000")).recommended
    assert (best.repaid, best.top_up, best.proven) == (0, btc("1391.60839161"), True)


@pytest.mark.parametrize(("consent", "feasible"), [(Consent.NONE, False), (Consent.ASK, True), (Consent.DESK, True)])
def test_pledged_coins_are_sold_only_where_the_lender_lets_them_be(consent, feasible):
    pledged = way(cover(book(rich(loan(consent=consent)), "55000")), Name.PLEDGED)
    assert pledged.feasible is feasible
    asks = "Ask Antalpha first: it must agree to the sale of its pledged coins."
    assert (asks in said(pledged)) is (consent is Consent.ASK)


def test_coins_that_another_lender_may_release_are_used():
    lender = loan("other", debt="20000000", coins="3000", release=("0.50", "0.60", 1), credit_hours=2 * HOUR)
    register = rich(loan(), lender, accounts=(account(),))
    asked = book(register, "55000")
    marks = {at("02-04 00:00"): fresh("80000")}
    asked = Book(asked.register, asked.at, asked.price, marks)
    top_up = way(cover(asked), Name.TOP_UP)
    assert (top_up.feasible, top_up.top_up, top_up.credited_at) == (True, btc("1391.60839161"), NOW + 2 * HOUR)
    assert [m.kind for m in top_up.movements] == ["released", "pledged"]
    assert said(top_up) == "Ask Other first for the coins it may release."


# -- groups --


def test_a_pooled_group_is_cured_as_one():
    lines = (tier("call", "0.78", "group call", cure_to="0.68", window_hours=12),)
    group = Group("all", GroupTest.RATIO, lines, pool=btc("6000"))
    members = (
        loan("one", debt="180000000", coins="0", group="all"),
        loan("two", debt="90000000", coins="0", group="all"),
    )
    answer = cover(book(rich(*members, groups=(group,)), "55000"))
    assert [need.id for need in answer.needs] == ["all"]
    assert answer.recommended.repaid == usd("45600000")  # 270M − 68 % × 6,000 × 55,000
    assert ltv_after(answer.recommended, "all") == "68.00"


def test_a_requirements_group_is_repaid_where_its_terms_ask_for_most():
    """D/T of both, 360M + 240M, is to be under what 7,000 BTC carry: $1 repaid to two counts for two, to one for 1⅔."""
    strict = (tier("call", "0.60", cure_to="0.50"),)
    lax = (tier("call", "0.70", cure_to="0.60"),)
    members = (
        loan("one", debt="216000000", coins="0", group="all", tiers=lax),
        loan("two", debt="120000000", coins="0", group="all", tiers=strict),
    )
    register = rich(*members, groups=(Group("all", GroupTest.REQUIREMENTS, pool=btc("7000")),))
    answer = cover(book(register, "55000"))
    paid = [(one.facility, one.principal) for one in answer.recommended.repayments]
    assert paid == [("two", usd("107500000"))]  # (600M − 7,000 × 55,000) × 0.50
    after = next(one for one in answer.recommended.after if one.id == "all").reading
    assert after.lenders == after.exposure.bounds[0].target


# -- one of several --


def test_one_loan_can_be_planned_for_alone_and_its_plan_holds_without_the_others():
    loans = (loan(consent=Consent.DESK), loan("other"))
    needs, plan = cover_now(book(rich(*loans), "55000"), "covenant:other")
    assert [need.id for need in needs] == ["other"]
    assert (plan.feasible, plan.repaid, {leg.facility for leg in plan.legs}) == (True, usd("49750000"), {"other"})
    needs, plan = cover_now(book(rich(*loans), "55000"))
    assert [need.id for need in needs] == ["antalpha", "other"]
    assert plan.repaid == usd("99500000")


def test_a_loan_with_its_group_is_planned_for_with_what_is_cured_together_with_it():
    lines = (tier("call", "0.76", "group call", cure_to="0.60"),)
    register = rich(loan(group="all"), loan("other"), groups=(Group("all", GroupTest.RATIO, lines),))
    needs, plan = cover_now(book(register, "55000"), "covenant:antalpha")
    assert [need.id for need in needs] == ["antalpha", "all"]
    assert (plan.repaid, ltv_after(plan, "all")) == (usd("69000000"), "60.00")


def test_of_what_is_at_no_call_line_or_without_a_price_there_is_no_plan_now():
    assert cover_now(book(rich(), "60000"), "covenant:antalpha") == ((), None)
    assert cover_now(book(rich(), None)) == ((), None)


# -- what else there is to say --


def test_without_a_call_line_there_is_nothing_to_do():
    answer = cover(book(rich(), "68500"), "68500")
    assert (answer.recommended, answer.alternatives) == (None, ())
    assert answer.why == "Nothing would be at a call line at $68,500.00."


def test_without_a_price_nothing_can_be_recommended():
    answer = plan_cover(book(rich(), None))
    assert (answer.recommended, answer.why) == (None, "No price yet. Without a price nothing can be recommended.")


def test_the_policys_fall_is_the_scenario_where_none_is_given():
    asked = book(rich(policy=Policy(withstand_drop=Fraction("0.30"))), fresh("68500"))
    assert plan_cover(asked).view.last == usd("47950")
    assert plan_cover(asked, Scenario(drop=Fraction("0.10"))).view.last == usd("61650")
    assert plan_cover(book(rich(), fresh("55000"))).recommended.repaid == usd("49750000")


@pytest.mark.parametrize("wrong", [{"price": 0}, {"drop": Fraction(1)}, {"price": 1, "drop": Fraction(0)}])
def test_a_scenario_is_one_price_or_one_fall(wrong):
    with pytest.raises(ValueError, match=r"price|fall"):
        Scenario(**wrong)


def test_a_demand_that_the_cure_does_not_meet_is_said():
    """Called at $50,000 with the price back at $60,000: our cure is nothing, the lender's demand stands."""
    called = notice(NOW - HOUR, price="50000", demand_usd="60000000")
    best = cover(book(rich(notices=(called,)), "57000"), "57000").recommended
    assert "Of the demand of notice “n1” $" in said(best)


def test_coins_on_the_way_are_not_counted_and_that_is_said():
    sent = move("sent", NOW - HOUR, "on the way", btc="100")
    best = cover(book(rich(movements=(sent,)), "55000")).recommended
    assert best.repaid == usd("49750000")
    assert "100.00 BTC on the way to Antalpha (“on the way”) is not counted." in said(best)


def test_movements_that_are_recorded_for_later_are_not_known_yet():
    later = move("repaid", NOW + HOUR, usd="1000000")
    assert cover(book(rich(movements=(later,)), "55000")).recommended.repaid == usd("49750000")


def test_every_leg_says_what_it_is_for():
    best = cover(book(rich(accounts=(account(coins="1000"),)), "55000")).recommended
    assert [(leg.way, leg.facility, leg.account) for leg in best.legs] == [
        (Way.TOP_UP, "antalpha", "custody"),
        (Way.SELL_FREE, "antalpha", "custody"),
    ]
    assert percent_plain(best.after[0].reading.lenders) == "65.00"
    assert best.credited_at == NOW
