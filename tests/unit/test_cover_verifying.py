"""The judge of plans: a plan that was tampered with is refused, each for its own reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support import HOUR, NOW, at, book, btc, loan, notice, treasury, usd

from bot.domain.book import Book
from bot.domain.sales import Alternative, Name, Way, alternative
from bot.domain.sales.situation import needs_of
from bot.domain.sales.verifying import judge
from bot.domain.terms import Consent
from bot.domain.treasury import Account, Movement, MovementKind, Policy, Treasury


def register(*loans: Any, **more: Any) -> Treasury:
    accounts = (Account("custody", btc("2000"), usd("500000000")),)
    return treasury(*loans, **{"accounts": accounts, "policy": Policy(fee_bps=10, slippage_bps=40), **more})


def planned(asked: Book, *ways: Way) -> Alternative:
    made = alternative(
        asked, asked.price, tuple(needs_of(asked, asked.price)), Name.RECOMMENDED, frozenset(ways or Way)
    )
    assert made.feasible, made.why
    return made


def judged(asked: Book, movements: Any, legs: Any) -> str:
    return "; ".join(judge(asked, asked.price, movements, legs).complaints)


def changed(plan: Alternative, kind: MovementKind, **more: Any) -> list[Movement]:
    """The plan's movements with what `more` adds to each field of those of one kind."""
    return [
        replace(m, **{key: getattr(m, key) + by for key, by in more.items()}) if m.kind is kind else m
        for m in plan.movements
    ]


@pytest.mark.parametrize(
    ("way", "kind", "less"),
    [
        (Way.CASH, MovementKind.REPAID, {"usd": -2}),
        (Way.SELL_FREE, MovementKind.REPAID, {"usd": -2}),
        (Way.TOP_UP, MovementKind.PLEDGED, {"btc": -57}),  # two cents' worth at 65 % of $55,000
        (Way.SELL_PLEDGED, MovementKind.REPAID, {"usd": -2}),
    ],
)
def test_two_cents_worth_less_does_not_cure(way, kind, less):
    asked = book(register(loan(consent=Consent.DESK)), "55000")
    plan = planned(asked, way)
    assert judged(asked, plan.movements, plan.legs) == ""
    legs = [replace(leg, btc=leg.btc - 57) for leg in plan.legs] if way is Way.TOP_UP else plan.legs
    assert judged(asked, changed(plan, kind, **less), legs) == "Antalpha would not be at its cure target"


def test_a_sale_can_not_bring_more_than_its_coins_are_worth():
    asked = book(register(), "55000")
    plan = planned(asked, Way.SELL_FREE)
    dearer = judged(asked, changed(plan, MovementKind.SOLD, usd=1), plan.legs)
    assert dearer == "909.0909091 BTC do not bring $49,750,000.01"


def test_movements_that_the_ledger_refuses_are_refused():
    asked = book(register(), "55000")
    plan = planned(asked, Way.CASH)
    said = judged(asked, changed(plan, MovementKind.REPAID, usd=usd("500000000")), plan.legs)
    assert "account “custody” has $500,000,000.00" in said


def test_what_is_reserved_is_refused():
    asked = book(register(), "55000")
    plan = planned(asked, Way.TOP_UP)
    reserved = Policy(reserve_btc=btc("1000"), min_cash_usd=usd("500000000"), fee_bps=10, slippage_bps=40)
    kept = book(register(policy=reserved), "55000")
    assert judged(kept, plan.movements, plan.legs) == "608.39160839 BTC would be left free, under the reserve"
    cash = planned(asked, Way.CASH)
    assert judged(kept, cash.movements, cash.legs) == "$450,250,000.00 would be left in cash, under the least"
    assert judge(kept, kept.price, cash.movements, cash.legs, keep_reserves=False).complaints == ()


def test_more_coins_than_may_be_sold_are_refused():
    asked = book(register(), "55000")
    plan = planned(asked, Way.SELL_FREE)
    few = book(register(policy=Policy(max_cover_btc=btc("909"), fee_bps=10, slippage_bps=40)), "55000")
    assert judged(few, plan.movements, plan.legs) == "909.0909091 BTC sold is more than max_cover_btc"


def test_pledged_coins_need_consent_and_repayments_their_least():
    asked = book(register(loan(consent=Consent.DESK)), "55000")
    plan = planned(asked, Way.SELL_PLEDGED)
    unwilling = book(register(loan(min_repayment=usd("200000000"))), "55000")
    assert judged(unwilling, plan.movements, plan.legs) == (
        "antalpha has not agreed to sell pledged coins; antalpha takes no repayment under $200,000,000.00"
    )


def test_what_comes_before_it_can_is_refused():
    asked = book(register(), "55000")
    plan = planned(asked, Way.TOP_UP)
    slow = (Account("custody", btc("2000"), usd("500000000"), ready_hours=4 * HOUR),)
    late = book(register(loan(credit_hours=HOUR), accounts=slow), "55000")
    assert judged(late, plan.movements, plan.legs) == (
        f"antalpha can not have credited it at {NOW}; coins of custody are not ready at {NOW}"
    )


def test_legs_and_movements_must_be_the_same():
    asked = book(register(), "55000")
    plan = planned(asked, Way.TOP_UP)
    legs = [replace(leg, btc=leg.btc + 1) for leg in plan.legs]
    assert judged(asked, plan.movements, legs) == "1,391.60839162 BTC said and 1,391.60839161 booked"


def test_nobody_else_may_come_to_a_call_line_by_it():
    """Coins released by a loan that needs them itself."""
    other = loan("other", debt="30000000", coins="750")  # 72.73 %
    asked = book(register(loan(), other), "55000")
    plan = planned(asked, Way.CASH)
    taken = Movement(NOW, MovementKind.RELEASED, "taken", account="custody", facility="other", btc=btc("30"))
    assert judged(asked, [taken, *plan.movements], plan.legs) == "Other would come to a call line by it"


def test_what_is_credited_after_the_deadline_is_refused():
    called = register(notices=(notice(NOW - HOUR, price="55000"),))
    asked = book(called, "55000")
    plan = planned(asked, Way.CASH)
    legs = [replace(leg, credited_at=at("02-06 12:00")) for leg in plan.legs]
    assert "after the deadline" in judged(asked, plan.movements, legs)
