"""How dated needs are met: by hand, by a simulation of the accounts, and against every schedule there could be."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.fund import DaySale, Funding, Means, Shortfall, fund, more_coins
from bot.domain.money import parse_btc as btc
from bot.domain.money import parse_usd as usd
from bot.domain.treasury import Need, Policy, SlippageStep

TODAY = date(2026, 2, 1)
PRICE = usd("68500")


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def need(number: int, dollars: str, purpose: str = "operations") -> Need:
    return Need(day(number), usd(dollars), purpose)


def means(cash: str = "0", free: str = "0", mined: str = "0") -> Means:
    """Dollars, free coins, and coins mined each day."""
    return Means(TODAY, usd(cash), btc(free), lambda _: btc(mined))


def shown(plan: Funding) -> list[tuple[int, str, str]]:
    """Day, newly mined and free coins of each sale."""
    return [((sale.day - TODAY).days, f"{sale.mined / 10**8:.8f}", f"{sale.free / 10**8:.8f}") for sale in plan.sales]


def test_cash_above_the_minimum_comes_first() -> None:
    policy = Policy(min_cash_usd=usd("10000000"))
    needs = [need(3, "1000000"), need(9, "4000000")]
    assert fund(means("15000000"), needs, policy, PRICE).sales == ()
    plan = fund(means("14000000", free="100"), needs, policy, usd("50000"))
    assert shown(plan) == [(9, "0.00000000", "20.00000000")]
    under = fund(means("9000000", free="100"), [need(3, "1000000")], policy, usd("50000"))
    assert shown(under) == [(3, "0.00000000", "20.00000000")]  # to have the minimum again is no need


def test_new_coins_are_sold_as_they_come_and_free_ones_on_the_last_day_that_will_do() -> None:
    plan = fund(means(free="1000", mined="18"), [need(5, "10000000")], Policy(), usd("100000"))
    assert shown(plan) == [
        *((number, "18.00000000", "0.00000000") for number in (1, 2, 3, 4)),
        (5, "18.00000000", "10.00000000"),
    ]
    assert (plan.mined, plan.free, plan.usd) == (btc("90"), btc("10"), usd("10000000"))
    assert (plan.shortfall, plan.runway_weeks) == (None, None)


def test_only_so_much_of_what_is_mined_is_sold_and_no_more_than_is_needed() -> None:
    policy = Policy(sell_of_mined=Fraction(1, 2))
    plan = fund(means(mined="18"), [need(5, "3000000")], policy, usd("100000"))
    assert shown(plan) == [
        (1, "9.00000000", "0.00000000"),
        (2, "9.00000000", "0.00000000"),
        (3, "9.00000000", "0.00000000"),
        (4, "3.00000000", "0.00000000"),
    ]


def test_the_daily_limit_brings_free_coins_forward_no_further_than_it_must() -> None:
    policy = Policy(max_daily_btc=btc("100"), reserve_btc=btc("200"))
    plan = fund(means(free="1000", mined="10"), [need(4, "25000000")], policy, usd("100000"))
    assert shown(plan) == [
        (1, "10.00000000", "0.00000000"),
        (2, "10.00000000", "30.00000000"),
        (3, "10.00000000", "90.00000000"),
        (4, "10.00000000", "90.00000000"),
    ]


def test_proceeds_are_rounded_down_after_fee_and_slippage_and_still_pay() -> None:
    policy = Policy(fee_bps=10, slippage_bps=40)
    (sale,) = fund(means(free="1000"), [need(0, "49750000")], policy, usd("55000")).sales
    assert sale == DaySale(TODAY, 0, 90_909_090_910, 5_500_000, usd("49750000"))
    with_less = (sale.btc - 1) * 5_500_000 * Fraction(995, 1_000) / 10**8
    assert with_less < usd("49750000")


def test_the_first_day_that_cannot_be_met_says_what_is_missing_and_ends_the_plan() -> None:
    policy = Policy(reserve_btc=btc("50"))
    needs = [need(20, "3000000"), need(30, "4000000", "interest"), need(30, "500000", "racks"), need(60, "9000000")]
    plan = fund(means(free="100"), needs, policy, usd("100000"))
    assert plan.shortfall == Shortfall(day(30), ("interest", "racks"), usd("2500000"))
    assert plan.runway_weeks == 4
    assert shown(plan) == [(20, "0.00000000", "30.00000000"), (30, "0.00000000", "20.00000000")]


@pytest.mark.parametrize("policy", [Policy(max_daily_btc=0), Policy(fee_bps=10_000), Policy(reserve_btc=btc("1000"))])
def test_who_may_sell_nothing_has_nothing(policy: Policy) -> None:
    plan = fund(means(free="1000"), [need(2, "1")], policy, PRICE)
    assert (plan.sales, plan.shortfall) == ((), Shortfall(day(2), ("operations",), 100))


def test_what_was_due_before_is_taken_as_met_and_without_needs_nothing_is_sold() -> None:
    plan = fund(means(free="1000", mined="10"), [need(-1, "1000000")], Policy(), PRICE)
    assert (plan.needs, plan.sales, plan.shortfall) == ((), (), None)


# Against a simulation of the accounts

amounts = st.integers(0, 5_000_000_00)
policies = st.builds(
    Policy,
    reserve_btc=st.integers(0, 30 * 10**8),
    min_cash_usd=amounts,
    sell_of_mined=st.fractions(0, 1, max_denominator=7),
    max_daily_btc=st.none() | st.integers(0, 40 * 10**8),
    fee_bps=st.integers(0, 100),
    slippage_bps=st.integers(0, 300),
    slippage=st.just(())
    | st.tuples(st.integers(1, 10 * 10**8), st.integers(1, 10 * 10**8)).map(
        lambda ends: (SlippageStep(ends[0], 10), SlippageStep(ends[1], 90), SlippageStep(10**8, 700))
    ),
)
needs_of = st.lists(st.builds(Need, st.integers(0, 25).map(day), amounts, st.just("any")), max_size=5)
any_case = given(
    cash=amounts,
    free=st.integers(0, 100 * 10**8),
    mined=st.lists(st.integers(0, 10 * 10**8), min_size=30, max_size=30),
    needs=needs_of,
    policy=policies,
    price=st.integers(1_000_00, 2_000_000_00),
)


def along_the_curve(coins: int, price: int, policy: Policy) -> Fraction:
    """Cents that a day's coins bring, by how many of them are past each step's beginning; the curve is convex."""
    bps = [step.bps for step in policy.slippage] or [policy.slippage_bps]
    ends = [0, *accumulate(step.btc or 0 for step in policy.slippage[:-1])]
    lost = bps[0] * coins + sum((bps[n] - bps[n - 1]) * max(coins - ends[n], 0) for n in range(1, len(policy.slippage)))
    return Fraction(price * (coins * (10_000 - policy.fee_bps) - lost), 10**12)


CURVE = (SlippageStep(btc("100"), 0), SlippageStep(btc("50"), 1_000), SlippageStep(None, 5_000))


def test_a_days_coins_run_along_the_slippage_curve_and_the_next_day_begins_anew() -> None:
    plan = fund(means(free="1000"), [need(0, "15500000"), need(1, "5000000")], Policy(slippage=CURVE), usd("100000"))
    assert shown(plan) == [(0, "0.00000000", "170.00000000"), (1, "0.00000000", "50.00000000")]
    assert [sale.usd for sale in plan.sales] == [usd("15500000"), usd("5000000")]  # 10M + 4.5M + 1M, and 5M


def test_coins_are_sold_on_more_days_where_the_curve_takes_less_then() -> None:
    plan = fund(means(free="1000"), [need(1, "15500000"), need(2, "5000000")], Policy(slippage=CURVE), usd("100000"))
    assert shown(plan) == [
        (0, "0.00000000", "55.00000000"),
        (1, "0.00000000", "100.00000000"),
        (2, "0.00000000", "50.00000000"),
    ]
    limited = Policy(slippage=CURVE, max_daily_btc=btc("110"))
    plan = fund(means(free="1000"), [need(1, "21500000")], limited, usd("100000"))
    assert shown(plan) == [(0, "0.00000000", "106.66666667"), (1, "0.00000000", "110.00000000")]  # 20M + 0.6M + 0.9M


def test_what_cannot_be_met_later_does_not_keep_a_day_from_being_met() -> None:
    needs = [need(1, "6000000"), need(2, "99000000")]
    steep = (SlippageStep(btc("50"), 0), SlippageStep(None, 5_000))
    plan = fund(means(free="60"), needs, Policy(slippage=steep, max_daily_btc=btc("100")), usd("100000"))
    assert shown(plan) == [(0, "0.00000000", "10.00000000"), (1, "0.00000000", "50.00000000")]
    assert plan.shortfall is not None
    assert (plan.shortfall.day, plan.shortfall.missing) == (day(2), usd("99000000"))


@settings(max_examples=120, deadline=None)
@any_case
def test_carried_out_as_printed_it_pays_within_every_limit(
    cash: int, free: int, mined: Sequence[int], needs: list[Need], policy: Policy, price: int
) -> None:
    plan = fund(Means(TODAY, cash, free, lambda on: mined[(on - TODAY).days]), needs, policy, price)
    assert [sale.day for sale in plan.sales] == sorted({sale.day for sale in plan.sales})
    by_day = {sale.day: sale for sale in plan.sales}
    floor_of_cash, new = min(cash, policy.min_cash_usd), Fraction(0)
    for number in range(30):
        sale = by_day.pop(day(number), None)
        new += policy.sell_of_mined * mined[number] if number else 0
        if sale is not None:
            assert sale.btc > 0
            assert min(sale.mined, sale.free) >= 0
            assert policy.max_daily_btc is None or sale.btc <= policy.max_daily_btc
            exact = along_the_curve(sale.btc, price, policy)
            assert exact - 1 < sale.usd <= exact
            new, free, cash = new - sale.mined, free - sale.free, cash + sale.usd
            assert new >= 0
            assert free >= policy.reserve_btc or not sale.free
        cash -= sum(one.usd for one in needs if one.due == day(number))
        if plan.shortfall is not None and plan.shortfall.day == day(number):
            assert cash == floor_of_cash - plan.shortfall.missing
            at_limit = policy.max_daily_btc is not None and (sale.btc if sale else 0) == policy.max_daily_btc
            assert at_limit or (new < 1 and free <= policy.reserve_btc)
            break
        assert cash >= floor_of_cash
    assert not by_day


@settings(max_examples=120, deadline=None)
@any_case
def test_so_many_more_coins_meet_the_day_that_was_short_and_one_satoshi_less_does_not(
    cash: int, free: int, mined: Sequence[int], needs: list[Need], policy: Policy, price: int
) -> None:
    at = Means(TODAY, cash, free, lambda on: mined[(on - TODAY).days])
    plan = fund(at, needs, policy, price)
    more = more_coins(at, plan, policy, price)
    if plan.shortfall is None:
        assert more is None
        return

    def short_with(coins: int) -> date | None:
        found = fund(replace(at, free=free + coins), needs, policy, price).shortfall
        return found.day if found is not None else None

    if more is None:
        assert policy.max_daily_btc is not None
        assert short_with(10**13) == plan.shortfall.day
    else:
        assert short_with(more) != plan.shortfall.day
        assert short_with(more - 1) == plan.shortfall.day


# Against every schedule there could be: a satoshi brings a cent, so that nothing is rounded

CENT_A_SATOSHI = 10**8


def every_schedule(
    days: int, cash: int, free: int, mined: Sequence[int], needs: Sequence[tuple[int, int]], policy: Any
) -> Iterable[tuple[int, int | None, int]]:
    """(first day that cannot be met, what is missing then at least, fewest free coins) over all schedules."""
    states = {(0, 0)}  # newly mined and free coins sold so far
    spare, got = max(cash - policy.min_cash_usd, 0), 0
    for number in range(days):
        got += mined[number] if number else 0
        states = {
            (new + more, old + also)
            for new, old in states
            for more in range(policy.max_daily_btc + 1)
            for also in range(policy.max_daily_btc + 1 - more)
            if new + more <= policy.sell_of_mined * got and old + also <= max(free - policy.reserve_btc, 0)
        }
        due = sum(dollars for on, dollars in needs if on <= number) - spare
        lacking = min(due - new - old for new, old in states)
        if lacking > 0:
            yield number, lacking, min(old for new, old in states if due - new - old == lacking)
            return
        states = {(new, old) for new, old in states if new + old >= due}
    yield days, None, min(old for _, old in states)


@settings(max_examples=200, deadline=None)
@given(
    cash=st.integers(0, 4),
    free=st.integers(0, 9),
    mined=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    needs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=4),
    policy=st.builds(
        Policy,
        reserve_btc=st.integers(0, 3),
        min_cash_usd=st.integers(0, 3),
        sell_of_mined=st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(2, 3), Fraction(0)]),
        max_daily_btc=st.integers(0, 4),
    ),
)
def test_no_schedule_lasts_longer_or_sells_fewer_free_coins(
    cash: int, free: int, mined: Sequence[int], needs: list[tuple[int, int]], policy: Policy
) -> None:
    days = max(on for on, _ in needs) + 1
    at = Means(TODAY, cash, free, lambda on: mined[(on - TODAY).days])
    plan = fund(at, [Need(day(on), dollars, "any") for on, dollars in needs], policy, CENT_A_SATOSHI)
    ((fails, missing, fewest),) = every_schedule(days, cash, free, mined, needs, policy)
    if missing is None:
        assert (plan.shortfall, plan.free) == (None, fewest)
    else:
        assert plan.shortfall is not None
        assert (plan.shortfall.day, plan.shortfall.missing) == (day(fails), missing)
        assert plan.free == fewest


def every_way(days: int, limit: int, mined: list[int], free: int) -> Iterable[tuple[tuple[int, ...], int]]:
    """Every schedule, by coins a day, and how many of its coins are free ones."""
    for way in itertools.product(range(limit + 1), repeat=days):
        short = max(sold - come for sold, come in zip(accumulate(way), accumulate(mined), strict=False))
        if short <= free:
            yield way, max(short, 0)


@settings(max_examples=300, deadline=None)
@given(
    free=st.integers(0, 8),
    mined=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    needs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25)), min_size=1, max_size=4),
    ends=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    limit=st.integers(1, 5),
)
def test_no_schedule_along_a_curve_lasts_longer_or_sells_fewer_coins(
    free: int, mined: list[int], needs: list[tuple[int, int]], ends: tuple[int, int], limit: int
) -> None:
    steps = (SlippageStep(ends[0], 0), SlippageStep(ends[1], 5_000), SlippageStep(None, 7_500))
    policy = Policy(slippage=steps, max_daily_btc=limit)
    at = Means(TODAY, 0, free, lambda on: mined[(on - TODAY).days])
    plan = fund(at, [Need(day(on), dollars, "any") for on, dollars in needs], policy, 4 * CENT_A_SATOSHI)
    brings = ([4] * ends[0] + [2] * ends[1] + [1] * limit)[:limit]
    ways = dict(every_way(max(on for on, _ in needs) + 1, limit, [0, *mined[1:]], free))
    for last in sorted({on for on, _ in needs}):
        due = sum(dollars for on, dollars in needs if on <= last)
        raised = {way: sum(sum(brings[:coins]) for coins in way[: last + 1]) for way in ways}
        if max(raised.values()) < due:
            assert plan.shortfall is not None
            assert (plan.shortfall.day, plan.shortfall.missing) == (day(last), due - max(raised.values()))
            return
        ways = {way: own for way, own in ways.items() if raised[way] >= due}
    assert (plan.shortfall, plan.free) == (None, min(ways.values()))


def test_the_runway_is_shorter_at_a_lower_price() -> None:
    needs = [need(7 * week, "1500000") for week in range(1, 20)]
    plans = [
        fund(means(free="100", mined="1"), needs, Policy(fee_bps=25), usd(str(price))) for price in (90_000, 45_000)
    ]
    assert [plan.runway_weeks for plan in plans] == [11, 4]
