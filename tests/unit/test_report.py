"""A month as it is told: by site, by sale, by day, against plan; beside plain loops over the movements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import book, treasury

from bot.domain.book import Book
from bot.domain.ledger import ledger_faults
from bot.domain.money import btc_plain, parse_btc
from bot.domain.production_words import against_plan, lines, places, summary
from bot.domain.report import Report, month_report, months_asked, report
from bot.domain.treasury import CashCost, Movement, MovementKind, Policy, Statement, Treasury

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
LATE = datetime(2027, 1, 1, tzinfo=UTC)


def register(*movements: Movement, **more: Any) -> Treasury:
    made = treasury(opened=OPENED, movements=tuple(sorted(movements, key=lambda one: one.at)), **more)
    assert ledger_faults(made) == []
    return made


def asked(made: Treasury, when: datetime = LATE, price: str | None = None) -> Book:
    return book(made, price, when)


def january(made: Treasury, when: datetime = LATE) -> Report:
    return month_report(asked(made, when), "2026-01")


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, number, hour, tzinfo=UTC)


def mined(ref: str, when: datetime, btc: str, **more: Any) -> Movement:
    return Movement(when, MovementKind.MINED, ref, account="custody", btc=parse_btc(btc), **more)


def sold(ref: str, when: datetime, btc: str, dollars: int, **more: Any) -> Movement:
    return Movement(when, MovementKind.SOLD, ref, account="custody", btc=parse_btc(btc), usd=dollars * 100, **more)


def reversal(of: str, when: datetime) -> Movement:
    return Movement(when, MovementKind.REVERSAL, f"undo {of}", reverses=of)


def test_fills_of_one_order_add_up_gross_over_coins_and_net_beside() -> None:
    made = register(
        sold("f1", day(3), "1", 59_900, order="A", venue="OTC", gross_usd=6_000_000),
        sold("f2", day(4), "3", 209_700, order="A", fee_usd=30_000),
        sold("alone", day(5), "2", 100_000),
        sold("wrong", day(6), "9", 1, order="B"),
        reversal("wrong", day(7)),
    )
    one, two = january(made).sales
    assert (one.name, one.venue, one.btc, one.usd, one.gross) == ("A", "OTC", parse_btc("4"), 26_960_000, 27_000_000)
    assert (one.price, one.net_price) == (6_750_000, 6_740_000)
    assert (two.name, two.gross, two.price, two.net_price) == ("alone", None, None, 5_000_000)
    together = january(made).sale
    assert together is not None
    assert (together.btc, together.usd, together.price) == (parse_btc("6"), 36_960_000, None)


def test_an_average_rounds_half_up_to_the_cent() -> None:
    assert january(register(sold("a", day(3), "8", 1, gross_usd=4))).sales[0].price == 1
    assert january(register(sold("a", day(3), "9", 1, gross_usd=4))).sales[0].price == 0


def test_coins_are_counted_by_region_and_site_the_most_first() -> None:
    made = register(
        mined("a", day(2), "10", region="Oman", site="Salalah"),
        mined("b", day(3), "5", region="Oman", site="Salalah"),
        mined("c", day(3), "20", region="US"),
        mined("d", day(4), "1"),
        mined("e", day(5), "7", site="Gone"),
        reversal("e", day(6)),
    )
    assert list(places(january(made))) == [
        "US: 20.00 BTC, 55.56 %",
        "Oman, Salalah: 15.00 BTC, 41.67 %",
        "not said: 1.00 BTC, 2.78 %",
    ]


@pytest.mark.parametrize(
    ("when", "days", "elapsed", "plan"),
    [
        (datetime(2026, 1, 1, 0, tzinfo=UTC), 0, Fraction(0), "0"),
        (datetime(2026, 1, 7, 0, tzinfo=UTC), 6, Fraction(6), "60"),
        (datetime(2026, 1, 7, 18, tzinfo=UTC), 6, Fraction(27, 4), "60"),
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), 30, Fraction(31 * 86_400 - 1, 86_400), "300"),
        (datetime(2026, 2, 1, tzinfo=UTC), 31, Fraction(31), "310"),
    ],
)
def test_the_plan_counts_days_that_are_over(when: datetime, days: int, elapsed: Fraction, plan: str) -> None:
    about = january(register(policy=Policy(plan_btc_per_month=parse_btc("310"))), when)
    assert (about.days, about.elapsed, about.plan) == (days, elapsed, parse_btc(plan))


@pytest.mark.parametrize(
    ("opened", "days", "elapsed"),
    [
        (datetime(2026, 1, 15, 0, tzinfo=UTC), 5, Fraction(11, 2)),  # the 15th is whole
        (datetime(2026, 1, 15, 6, tzinfo=UTC), 4, Fraction(21, 4)),
        (datetime(2026, 1, 20, 6, tzinfo=UTC), 0, Fraction(1, 4)),
    ],
)
def test_days_begin_with_the_treasury(opened: datetime, days: int, elapsed: Fraction) -> None:
    made = replace(register(), opened=opened)
    about = january(made, datetime(2026, 1, 20, 12, tzinfo=UTC))
    assert (about.days, about.elapsed) == (days, elapsed)


def test_the_plan_says_the_days_that_it_is_for() -> None:
    made = replace(register(policy=Policy(plan_btc_per_month=parse_btc("280"))), opened=day(20))
    when = datetime(2026, 2, 9, tzinfo=UTC)
    year = report(asked(made, when), ["2026-01", "2026-02"])
    assert year.days == 11 + 8
    assert against_plan(year) == "0.00 of 80.00 BTC planned for 8 days, 100.00 % short"


@pytest.mark.parametrize(("month", "days"), [("2026-03", 31), ("2026-11", 30), ("2028-02", 29), ("2026-12", 31)])
def test_a_day_on_which_the_clock_changes_is_a_day(month: str, days: int) -> None:
    made = register(production_zone=CHICAGO, policy=Policy(plan_btc_per_month=parse_btc("1000")))
    when = datetime(2030, 1, 1, tzinfo=UTC)
    about = month_report(asked(made, when), month)
    assert (about.days, about.plan) == (days, parse_btc("1000"))
    noon = datetime(int(month[:4]), int(month[5:]), 20, 12, tzinfo=CHICAGO).astimezone(UTC)
    assert month_report(asked(made, noon), month).elapsed == Fraction(39, 2)


def test_a_coin_belongs_to_the_local_month_in_which_it_was_mined() -> None:
    midnight = datetime(2026, 4, 1, tzinfo=CHICAGO).astimezone(UTC)
    made = register(
        mined("last", midnight - timedelta(seconds=1), "1"), mined("first", midnight, "2"), production_zone=CHICAGO
    )
    told = {month: month_report(asked(made), month).mined for month in ("2026-03", "2026-04")}
    assert told == {"2026-03": parse_btc("1"), "2026-04": parse_btc("2")}


def test_the_year_to_date_is_the_months_that_have_begun() -> None:
    made = register(mined("a", day(2), "10"), mined("b", datetime(2026, 3, 2, tzinfo=UTC), "5"))
    when = datetime(2026, 3, 5, tzinfo=UTC)
    months = months_asked(asked(made, when), "ytd")
    assert months == ["2026-01", "2026-02", "2026-03"]
    year = report(asked(made, when), months)
    assert (year.opening, year.mined, year.closing) == (parse_btc("8000"), parse_btc("15"), parse_btc("8015"))
    assert year.days == 31 + 28 + 4
    assert summary(year) == (
        "January 2026 to March 2026 so far (63 days over): mined 15.00 BTC, sold 0.00 BTC, 8,015.00 BTC held"
    )


@pytest.mark.parametrize(
    "said", ["2026-1", "january", "2026-13", "ytd 2026", "2025-12", "2026-04", "9999-12", "0001-01"]
)
def test_what_is_no_month_to_tell_of_is_refused(said: str) -> None:
    east = register(production_zone=ZoneInfo("Asia/Tokyo"))
    with pytest.raises(ValueError, match=r"is not a month|ended before|has not begun"):
        months_asked(asked(east, datetime(2026, 3, 5, tzinfo=UTC)), said)


def test_it_says_how_the_month_rolls_forward_against_plan_cost_and_statement() -> None:
    made = register(
        mined("m", day(9), "496.35", region="Oman"),
        sold("s", day(10), "550.03", 37_000_000, gross_usd=3_710_000_000),
        Movement(day(11), MovementKind.COST, "c", account="custody", btc=parse_btc("0.5")),
        policy=Policy(plan_btc_per_month=parse_btc("550")),
        cash_costs=(CashCost("2026-01", 6_000_000),),
        statements=(Statement("2026-01", parse_btc("496.35"), parse_btc("550.03"), parse_btc("7945.80")),),
    )
    assert list(lines(asked(made), january(made))) == [
        "Opening 8,000.00 + mined 496.35 − sold 550.03 − other 0.50 = 7,945.82 BTC.",
        "Other: costs −0.50.",
        "Mined 16.01 BTC a day; 496.35 of 550.00 BTC planned, 9.75 % short.",
        "Sold 550.03 BTC, 110.81 % of the 496.35 BTC mined.",
        "Received $37,000,000.00: $67,450.87 a coin before fees, $67,269.06 after.",
        "Cash cost $60,000.00 a coin; margin of the coins sold $7,269.06 a coin after fees.",
        "Statement: mined 496.35, sold 550.03, held 7,945.80 BTC; gap −0.02 BTC.",
    ]
    under_way = month_report(asked(made, day(20), "68500"), "2026-01")
    assert against_plan(under_way) == "496.35 of 337.10 BTC planned for 19 days, 47.24 % over"
    assert "Statement" not in "\n".join(lines(asked(register(), day(20)), january(register(), day(20))))


def test_sales_taken_back_say_what_went_back() -> None:
    made = register(sold("s", day(10), "5", 300_000), reversal("s", datetime(2026, 2, 2, tzinfo=UTC)))
    assert list(lines(asked(made), month_report(asked(made), "2026-02")))[-2] == "Received -$300,000.00."


def test_a_month_in_whose_course_the_treasury_opened_says_so() -> None:
    made = replace(register(), opened=day(20))
    said = "The treasury opened in its course (2026-01-20T12:00:00Z): what was mined and sold before is not in it."
    assert next(lines(asked(made), january(made))) == said
    february = month_report(asked(made), "2026-02")
    assert next(lines(asked(made), february)).startswith("Opening ")


# -- beside plain loops --

SITES = (None, "A", "B")
ORDERS = (None, "x", "y")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], datetime]:
    """What happened, as plain facts, and when it is asked about."""
    count = draw(st.integers(0, 12))
    facts: list[dict[str, Any]] = []
    for number in range(count):
        when = OPENED + timedelta(hours=draw(st.integers(1, 24 * 89)))
        undone = [fact for fact in facts if fact["kind"] != "reversal" and not fact["undone"] and fact["when"] < when]
        if undone and draw(st.integers(0, 3)) == 0:
            fact = draw(st.sampled_from(undone))
            fact["undone"] = True
            facts.append({"kind": "reversal", "when": when, "of": fact, "ref": f"r{number}"})
            continue
        facts.append(
            {
                "kind": draw(st.sampled_from(["mined", "sold"])),
                "when": when,
                "ref": f"m{number}",
                "btc": draw(st.integers(1, 10**9)),
                "usd": draw(st.integers(1, 10**9)),
                "gross": draw(st.none() | st.integers(1, 10**9)),
                "site": draw(st.sampled_from(SITES)),
                "order": draw(st.sampled_from(ORDERS)),
                "undone": False,
            }
        )
    return facts, OPENED + timedelta(hours=draw(st.integers(1, 24 * 100)))


def movement(fact: dict[str, Any]) -> Movement:
    if fact["kind"] == "reversal":
        return Movement(fact["when"], MovementKind.REVERSAL, fact["ref"], reverses=fact["of"]["ref"])
    base: dict[str, Any] = {"account": "custody", "btc": fact["btc"]}
    if fact["kind"] == "mined":
        return Movement(fact["when"], MovementKind.MINED, fact["ref"], site=fact["site"], **base)
    own = {"usd": fact["usd"], "gross_usd": fact["gross"], "order": fact["order"]}
    return Movement(fact["when"], MovementKind.SOLD, fact["ref"], **base, **own)


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_it_is_what_a_plain_loop_over_the_facts_adds_up(world: tuple[list[dict[str, Any]], datetime]) -> None:
    facts, when = world
    made = register(*(movement(fact) for fact in facts))
    for month in months_asked(asked(made, when), "ytd"):
        about = month_report(asked(made, when), month)
        sites: dict[str | None, int] = {}
        orders: dict[str, list[int]] = {}
        for fact in facts:
            if fact["when"] > when or f"{fact['when']:%Y-%m}" != month:
                continue
            sign, done = (-1, fact["of"]) if fact["kind"] == "reversal" else (1, fact)
            if done["kind"] == "mined":
                sites[done["site"]] = sites.get(done["site"], 0) + sign * done["btc"]
            else:
                order = orders.setdefault(done["order"] or done["ref"], [0, 0])
                order[0] += sign * done["btc"]
                order[1] += sign * done["usd"]
        assert {one.site: one.btc for one in about.mined_at} == {site: btc for site, btc in sites.items() if btc}
        assert {one.name: [one.btc, one.usd] for one in about.sales} == {
            name: sums for name, sums in orders.items() if any(sums)
        }
        assert sum(sites.values()) == about.mined, btc_plain(about.mined)
        assert sum(sums[0] for sums in orders.values()) == about.sold
        assert about.opening + about.mined - about.sold == about.closing
