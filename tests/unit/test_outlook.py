"""What is expected to be mined, what falls due, and the schedule that a Book's own figures give."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import book, btc, loan, move, treasury, usd

from bot.domain.fund import DaySale
from bot.domain.outlook import Expected, expected, funding, horizon, needs_ahead
from bot.domain.terms import Facility, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Account, Movement, Need, Policy, Treasury

OPENED = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)


def mined(*amounts: str) -> tuple[Movement, ...]:
    """So much on the tenth of each month from January 2026 on."""
    return tuple(
        move("mined", datetime(2026, month, 10, tzinfo=UTC), btc=amount) for month, amount in enumerate(amounts, 1)
    )


def mining(movements: Sequence[Movement], plan: str | None = None, opened: datetime = OPENED) -> Treasury:
    policy = Policy(plan_btc_per_month=btc(plan) if plan else None)
    return treasury(opened=opened, movements=tuple(movements), policy=policy)


# Production


@settings(deadline=None)
@given(
    month=st.dates(date(2024, 1, 1), date(2028, 12, 1)).map(lambda day: day.replace(day=1)),
    a_month=st.fractions(0, 10**12, max_denominator=3),
)
def test_the_days_of_a_month_add_up_to_it_and_none_is_far_from_its_share(month: date, a_month: Fraction) -> None:
    days = monthrange(month.year, month.month)[1]
    each = [Expected(a_month).on(month + n * DAY) for n in range(days)]
    assert sum(each) == int(a_month)
    assert all(abs(one - a_month / days) < 1 for one in each)


def test_the_plan_is_what_is_expected() -> None:
    asked = book(mining(mined("1", "2"), plan="550"), "68500", datetime(2026, 3, 15, tzinfo=UTC))
    assert expected(asked) == Expected(Fraction(btc("550")))


def test_without_a_plan_it_is_the_mean_of_the_last_three_whole_months() -> None:
    register = mining(mined("100", "10", "20", "40", "1000"))
    asked = book(register, "68500", datetime(2026, 5, 20, tzinfo=UTC))
    assert expected(asked) == Expected(Fraction(btc("70"), 3), ("2026-02", "2026-03", "2026-04"))
    asked = book(register, "68500", datetime(2026, 2, 20, tzinfo=UTC))
    assert expected(asked) == Expected(Fraction(btc("100")), ("2026-01",))


def test_the_month_in_which_the_treasury_opened_is_not_whole_and_nothing_known_is_nothing_expected() -> None:
    register = mining(mined("100", "10"), opened=datetime(2026, 1, 5, tzinfo=UTC))
    assert expected(book(register, "68500", datetime(2026, 2, 20, tzinfo=UTC))) == Expected(Fraction(0))
    assert expected(book(register, "68500", datetime(2026, 3, 20, tzinfo=UTC))).months == ("2026-02",)


# Needs


def test_interest_that_is_paid_in_cash_falls_due_each_first() -> None:
    paying = loan(rate="0.0365", interest=InterestMode.PAID, debt="100000000")
    others = [loan("b", rate="0.07", interest=InterestMode.CAPITALISED), loan("c", rate="0.07")]
    needs = (Need(date(2026, 2, 20), usd("1"), "racks"), Need(date(2026, 1, 20), usd("1"), "over"))
    register = treasury(paying, *others, needs=needs)
    found = needs_ahead(book(register, "68500", datetime(2026, 2, 4, 12, tzinfo=UTC)), date(2026, 4, 30))
    a_day = Fraction(usd("3650000"), 360)
    assert [(need.due, need.purpose) for need in found] == [
        (date(2026, 2, 4), "interest of Antalpha"),  # of the day before the first of February, overdue since then
        (date(2026, 2, 20), "racks"),
        (date(2026, 3, 1), "interest of Antalpha"),
        (date(2026, 4, 1), "interest of Antalpha"),
    ]
    paid = [need.usd for need in found if need.purpose != "racks"]
    assert paid == [pytest.approx(days * a_day, abs=1) for days in (1, 28, 31)]


def test_interest_that_is_overdue_is_due_today_and_what_is_paid_is_not() -> None:
    paying = loan(rate="0.036", interest=InterestMode.PAID, debt="100000000")
    register = treasury(paying)
    asked = book(register, "68500", datetime(2026, 3, 15, tzinfo=UTC))
    today, then = date(2026, 3, 15), date(2026, 4, 1)
    assert [(need.due, need.usd) for need in needs_ahead(asked, then)] == [
        (today, usd("10000")),  # the one day of January, the 28 of February, the 31 of March, $10,000 each
        (today, usd("280000")),
        (then, usd("310000")),
    ]
    paid = move("interest_paid", datetime(2026, 3, 2, tzinfo=UTC), usd="290000")
    (due,) = needs_ahead(book(treasury(paying, movements=(paid,)), "68500", asked.at), date(2026, 4, 1))
    assert due.usd == usd("310000")


def test_what_is_paid_back_brings_no_more_interest() -> None:
    paying = loan(rate="0.036", interest=InterestMode.PAID, debt="100000000")
    back = move("repaid", datetime(2026, 3, 15, tzinfo=UTC), usd="100000000")
    asked = book(treasury(paying, movements=(back,)), "68500", datetime(2026, 3, 15, tzinfo=UTC))
    assert [(need.due, need.usd) for need in needs_ahead(asked, date(2026, 6, 30))] == [
        (date(2026, 3, 15), usd("10000")),
        (date(2026, 3, 15), usd("280000")),
        (date(2026, 4, 1), usd("140000")),
    ]


def test_on_the_day_itself_what_is_not_paid_is_due_today() -> None:
    paying = loan(rate="0.036", interest=InterestMode.PAID, debt="100000000")
    asked = book(treasury(paying), "68500", datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert [(need.due, need.usd) for need in needs_ahead(asked, date(2026, 3, 31))] == [
        (date(2026, 3, 1), usd("10000")),
        (date(2026, 3, 1), usd("280000")),
    ]


# Maturities


def test_a_loan_that_matures_is_to_be_paid_back_with_its_interest_of_then() -> None:
    one = loan(rate="0.036", debt="100000000", matures=date(2026, 3, 10))
    asked = book(treasury(one), "68500", datetime(2026, 2, 4, 12, tzinfo=UTC))
    (due,) = needs_ahead(asked, date(2026, 3, 10))
    assert (due.due, due.purpose) == (date(2026, 3, 10), "Antalpha's maturity")
    assert due.usd == usd("100380000")  # one day of January, 28 and 9 more at $10,000
    assert needs_ahead(asked, date(2026, 3, 9)) == []


def test_interest_that_is_paid_before_a_maturity_is_not_paid_again_at_it() -> None:
    one = loan(rate="0.036", interest=InterestMode.PAID, debt="100000000", matures=date(2026, 3, 10))
    register = treasury(one)
    found = needs_ahead(book(register, "68500", datetime(2026, 2, 4, 12, tzinfo=UTC)), date(2026, 6, 30))
    assert [(need.due, need.usd, need.purpose) for need in found] == [
        (date(2026, 2, 4), usd("10000"), "interest of Antalpha"),
        (date(2026, 3, 1), usd("280000"), "interest of Antalpha"),
        (date(2026, 3, 10), usd("100090000"), "Antalpha's maturity"),
    ]
    on_a_first = replace(one, versions=(replace(one.versions[0], terms=first_of_april(one)),))
    found = needs_ahead(book(treasury(on_a_first), "68500", datetime(2026, 2, 4, 12, tzinfo=UTC)), date(2026, 6, 30))
    assert [(need.due, need.usd) for need in found][2:] == [
        (date(2026, 4, 1), usd("310000")),
        (date(2026, 4, 1), usd("100000000")),
    ]


def first_of_april(one: Facility) -> Terms:
    return replace(one.versions[0].terms, matures=date(2026, 4, 1))


@settings(deadline=None, max_examples=50)
@given(
    mode=st.sampled_from(InterestMode),
    matures=st.dates(date(2026, 2, 1), date(2026, 12, 31)),
    now=st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_all_that_is_paid_until_a_maturity_is_what_is_owed_then(
    mode: InterestMode, matures: date, now: datetime
) -> None:
    """By the ledger; of a maturity that is over, what is owed now. It is the last of all."""
    register = treasury(loan(rate="0.07", interest=mode, matures=matures))
    asked = book(register, "68500", now)
    found = needs_ahead(asked, date(2030, 1, 1))
    then = max(now, datetime(matures.year, matures.month, matures.day, tzinfo=UTC))
    assert sum(need.usd for need in found) == asked.register.ledger.debt_at("antalpha", then, now).total
    assert (found[-1].due, found[-1].purpose) == (then.date(), "Antalpha's maturity")


def test_a_maturity_that_an_amendment_moves_is_due_once_and_one_that_is_paid_back_is_not() -> None:
    one = loan(matures=date(2026, 3, 10))
    moved = replace(one, versions=(*one.versions, TermsVersion(date(2026, 3, 1), first_of_april(one))))
    late = replace(one, versions=(*one.versions, TermsVersion(date(2026, 3, 11), first_of_april(one))))
    at = datetime(2026, 2, 4, 12, tzinfo=UTC)
    for amended, day in ((moved, date(2026, 4, 1)), (late, date(2026, 3, 10))):
        assert [need.due for need in needs_ahead(book(treasury(amended), "68500", at), date(2026, 6, 30))] == [day]
    back = move("repaid", datetime(2026, 2, 2, tzinfo=UTC), usd="300000000")
    assert needs_ahead(book(treasury(one, movements=(back,)), "68500", at), date(2026, 6, 30)) == []


# All of it


def test_a_book_is_funded_from_its_own_cash_coins_and_plan() -> None:
    register = treasury(
        loan(debt="0"),
        accounts=(Account("custody", btc("100"), usd("3000000")),),
        policy=Policy(
            plan_btc_per_month=btc("280"),
            reserve_btc=btc("90"),
            min_cash_usd=usd("1000000"),
            sell_of_mined=Fraction(1, 2),
        ),
        needs=(Need(date(2026, 2, 6), usd("2500000"), "operations"), Need(date(2026, 6, 1), usd("9999999"), "racks")),
    )
    plan = funding(book(register, "68500", datetime(2026, 2, 4, 12, tzinfo=UTC)), usd("50000"), date(2026, 2, 28))
    price = usd("50000")
    assert plan.sales == (
        DaySale(date(2026, 2, 5), btc("5"), 0, price, usd("250000")),
        DaySale(date(2026, 2, 6), btc("5"), 0, price, usd("250000")),
    )
    asked = book(register, "68500", datetime(2026, 2, 4, 12, tzinfo=UTC))
    whole = funding(asked, price, horizon(asked))
    assert [need.purpose for need in whole.needs] == ["operations", "racks"]
    poorer = funding(book(register, "68500", datetime(2026, 2, 4, 12, tzinfo=UTC)), usd("30000"), date(2026, 2, 28))
    assert [(sale.mined, sale.free) for sale in poorer.sales] == [
        (btc("5"), 0),
        (btc("5"), 666_666_667),
    ]
