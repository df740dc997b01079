"""Checks of the monthly totals: each off unless its limit is set, one alert a month, with its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import fresh, treasury

from bot.domain.alerts import Alert, AlertPolicy, Change, Person, Silence, decide
from bot.domain.answers import production_document
from bot.domain.book import Book, Register
from bot.domain.checks import all_findings, finding_of
from bot.domain.messages import message_of
from bot.domain.money import parse_btc, parse_usd
from bot.domain.price import PriceState, PriceView
from bot.domain.replay import replay
from bot.domain.silencing import about, subject_name
from bot.domain.treasury import CashCost, Movement, MovementKind, Policy, Statement, Treasury
from bot.domain.words import plain_text

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = PriceView(PriceState.NONE)


def moved(kind: str, when: datetime, btc: str) -> Movement:
    usd = 100 if kind == "sold" else None
    return Movement(when, MovementKind(kind), f"{kind} {when}", account="custody", btc=parse_btc(btc), usd=usd)


def register(*movements: Movement, stated: str | None = None, cost: str | None = None, **policy: Any) -> Treasury:
    statements = (Statement("2026-01", parse_btc("10"), 0, parse_btc(stated)),) if stated is not None else ()
    costs = (CashCost("2026-02", parse_usd(cost)),) if cost is not None else ()
    made = treasury(
        opened=OPENED, movements=movements, policy=Policy(**policy), statements=statements, cash_costs=costs
    )
    return replace(made, facilities=())


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def open_book(made: Treasury, when: datetime, view: PriceView = NOBODY) -> Book:
    return Book(Register.of(made), when, view)


def found(made: Treasury, when: datetime, view: PriceView = NOBODY) -> list[str]:
    return [finding.key.removeprefix("production:") for finding in all_findings(open_book(made, when, view)).values()]


def told(made: Treasury, key: str, when: datetime, before: Alert | None = None, view: PriceView = NOBODY) -> list[str]:
    """Headline and body as the channel reads them."""
    asked = open_book(made, when, view)
    finding = finding_of(asked, all_findings(asked), f"production:{key}")
    message = message_of(asked, decide(before, finding, when, AlertPolicy()))
    return [message.level, *plain_text(f"{message.headline}\n{message.body}").splitlines()]


def opened(made: Treasury, key: str, when: datetime, view: PriceView = NOBODY) -> Alert:
    asked = open_book(made, when, view)
    alert = decide(None, all_findings(asked)[f"production:{key}"], when, AlertPolicy()).alert
    assert alert is not None
    return alert


# -- sold over mined --

SOLD = register(
    moved("mined", at("02-03T00:00:00"), "100"),
    moved("sold", at("02-04T00:00:00"), "50.00000001"),
    sold_over_mined_limit=Fraction(1, 2),
)


def test_one_satoshi_over_the_limit_is_over_and_one_less_is_not() -> None:
    assert found(SOLD, at("02-03T12:00:00")) == []
    assert found(SOLD, at("02-04T00:00:00")) == ["2026-02:sold-over-mined"]
    within = register(
        moved("mined", at("02-03T00:00:00"), "100"),
        moved("sold", at("02-04T00:00:00"), "50"),
        sold_over_mined_limit=Fraction(1, 2),
    )
    assert found(within, at("02-04T00:00:00")) == []


def test_a_sale_over_what_was_mined_says_its_numbers() -> None:
    assert told(SOLD, "2026-02:sold-over-mined", at("02-05T00:00:00")) == [
        "warning",
        "February 2026: sold 50.00000001 BTC, 50.00 % of the 100.00 BTC mined; the limit is 50.00 %",
        "0.00000001 BTC more than the limit so far allows.",
        "Opening 1,000.00 + mined 100.00 − sold 50.00000001 + other 0.00 = 1,049.99999999 BTC.",
        "Received $1.00, $0.02 a coin after fees, in 1 sale.",
    ]


def test_it_is_watched_until_the_month_after_is_over_and_then_says_so() -> None:
    key = "2026-02:sold-over-mined"
    assert found(SOLD, at("03-31T23:59:59")) == [key]
    assert found(SOLD, at("04-01T00:00:00")) == []
    closed = told(SOLD, key, at("04-01T00:00:00"), opened(SOLD, key, at("02-05T00:00:00")))
    assert closed[:2] == [
        "ok",
        "February 2026 is no longer watched for this. February 2026: sold 50.00000001 BTC, 50.00 % of the 100.00 BTC"
        " mined; the limit is 50.00 %",
    ]


def test_coins_mined_since_close_it_at_once() -> None:
    key = "2026-02:sold-over-mined"
    more = register(*SOLD.movements, moved("mined", at("02-06T00:00:00"), "1"), sold_over_mined_limit=Fraction(1, 2))
    before = opened(more, key, at("02-05T00:00:00"))
    assert told(more, key, at("02-06T00:00:00"), before)[:2] == [
        "ok",
        "February 2026: sold 50.00000001 BTC, 49.50 % of the 101.00 BTC mined, within the limit again",
    ]


def test_coins_of_an_earlier_month_taken_back_are_no_sale() -> None:
    undo = Movement(at("02-03T00:00:00"), MovementKind.REVERSAL, "undo", reverses=f"mined {at('01-20T00:00:00')}")
    mined = moved("mined", at("01-20T00:00:00"), "100")
    calm = register(mined, undo, sold_over_mined_limit=Fraction(1))
    assert found(calm, at("02-10T00:00:00")) == []
    sold = register(mined, undo, moved("sold", at("02-04T00:00:00"), "5"), sold_over_mined_limit=Fraction(1))
    assert told(sold, "2026-02:sold-over-mined", at("02-10T00:00:00"))[:3] == [
        "warning",
        "February 2026: sold 5.00 BTC, none mined yet: 100.00 BTC more reversed than mined; the limit is 100.00 %",
        "5.00 BTC more than the limit so far allows.",
    ]


# -- behind plan --

PLAN = {"plan_btc_per_month": parse_btc("280"), "plan_tolerance": Fraction(1, 10)}
"""10 BTC a day in February."""


@pytest.mark.parametrize(
    ("day", "mined", "behind"),
    [
        ("02-06T23:59:59", "0", False),  # too early to tell
        ("02-07T00:00:00", "53.99999999", True),  # six days are over: 60, of which 54 will do
        ("02-07T00:00:00", "54", False),
        ("02-07T23:59:59", "54", False),
        ("02-08T00:00:00", "54", True),
        ("02-28T23:59:59", "243", False),
        ("03-01T00:00:00", "251.99999999", True),
        ("03-01T00:00:00", "252", False),
    ],
)
def test_it_is_behind_plan_from_the_seventh_on_by_more_than_is_tolerated(day: str, mined: str, behind: bool) -> None:
    coins = [moved("mined", at("02-01T00:00:00"), mined)] if mined != "0" else []
    made = register(moved("mined", at("01-31T00:00:00"), "310"), *coins, **PLAN)
    march = {"2026-03:behind-plan"}
    assert set(found(made, at(day))) - march == ({"2026-02:behind-plan"} if behind else set())


def test_behind_plan_says_the_pace() -> None:
    made = register(moved("mined", at("02-01T00:00:00"), "40"), **PLAN)
    assert told(made, "2026-02:behind-plan", at("02-09T00:00:00")) == [
        "warning",
        "February 2026 is behind plan: 40.00 of 80.00 BTC planned for 8 days, 50.00 % short",
        "5.00 BTC a day so far; the plan is 280.00 BTC for the month, 10.00 % short is tolerated.",
    ]


def test_a_plan_of_nothing_closes_it_in_whole_sentences() -> None:
    key, when = "2026-02:behind-plan", at("02-09T00:00:00")
    before = opened(register(**PLAN), key, when)
    nothing = register(plan_btc_per_month=0)
    assert told(nothing, key, when, before)[:2] == ["ok", "February 2026 is not behind plan: nothing is planned"]


# -- roll-forward and statements --

STATED = register(moved("mined", at("01-20T00:00:00"), "10"), stated="1009.98", rollforward_tolerance_btc=10**6)


def test_a_gap_over_the_tolerance_raises_one_alert_with_its_amount() -> None:
    assert found(STATED, at("01-31T23:59:59")) == []
    assert found(STATED, at("02-01T00:00:00")) == ["2026-01:roll-forward"]
    assert found(STATED, at("12-01T00:00:00")) == ["2026-01:roll-forward"]  # it can be mended at any time
    assert told(STATED, "2026-01:roll-forward", at("02-01T00:00:00")) == [
        "warning",
        "January 2026 does not roll forward: the statement holds 0.02 BTC less than the movements",
        "By the movements: 1,000.00 + mined 10.00 − sold 0.00 + other 0.00 = 1,010.00 BTC.",
        "By the statement: mined 10.00, sold 0.00, held 1,009.98 BTC.",
        "Record the movement that is missing, or a restated statement.",
    ]
    for held in ("1009.99", "1010.01"):
        within = register(moved("mined", at("01-20T00:00:00"), "10"), stated=held, rollforward_tolerance_btc=10**6)
        assert found(within, at("02-01T00:00:00")) == []


def test_a_gap_that_is_tolerated_now_is_still_told() -> None:
    key, when = "2026-01:roll-forward", at("02-01T00:00:00")
    tolerant = replace(STATED, policy=replace(STATED.policy, rollforward_tolerance_btc=2 * 10**6))
    assert told(tolerant, key, when, opened(STATED, key, when))[:2] == [
        "ok",
        "January 2026 rolls forward within what is tolerated: the statement holds 0.02 BTC less than the movements",
    ]


def test_a_statement_is_missing_once_its_day_is_over() -> None:
    made = register(statement_due_day=5)
    assert found(made, at("02-05T23:59:59")) == []
    assert found(made, at("02-06T00:00:00")) == ["2026-01:statement-missing"]
    assert found(register(statement_due_day=5, stated="1000"), at("02-06T00:00:00")) == []
    assert found(made, at("03-05T23:59:59")) == ["2026-01:statement-missing"]
    assert found(made, at("03-06T00:00:00")) == ["2026-01:statement-missing", "2026-02:statement-missing"]
    assert found(made, at("04-01T00:00:00")) == ["2026-02:statement-missing"]
    assert found(register(statement_due_day=31), at("02-28T23:59:59")) == []
    assert found(register(statement_due_day=31), at("03-01T00:00:00")) == ["2026-01:statement-missing"]
    assert told(made, "2026-01:statement-missing", at("02-06T00:00:00"))[:3] == [
        "warning",
        "January 2026 has no statement",
        "It was due by 5 February. By the movements: 1,000.00 + mined 0.00 − sold 0.00 + other 0.00 = 1,000.00 BTC.",
    ]


def test_the_day_is_that_of_the_mines() -> None:
    made = register(statement_due_day=5)
    there = replace(made, production_zone=ZoneInfo("America/Chicago"), opened=at("01-01T06:00:00"))
    assert found(there, at("02-06T05:59:59")) == []
    assert found(there, at("02-06T06:00:00")) == ["2026-01:statement-missing"]


def test_the_month_in_whose_course_the_treasury_opened_has_no_findings() -> None:
    made = register(
        moved("sold", at("01-20T00:00:00"), "10"), sold_over_mined_limit=Fraction(1), statement_due_day=5, stated="1"
    )
    late = replace(made, opened=at("01-02T00:00:00"))
    assert found(late, at("02-20T00:00:00")) == []
    assert found(made, at("01-20T00:00:00")) == ["2026-01:sold-over-mined"]


# -- cash cost --

COST = register(cost="60000.00")


def test_a_price_under_the_months_cash_cost_is_found_in_that_month_only() -> None:
    key = "2026-02:cash-cost"
    assert found(COST, at("02-10T00:00:00"), fresh("60000")) == []
    assert found(COST, at("02-10T00:00:00"), fresh("59999.99")) == [key]
    assert found(COST, at("03-10T00:00:00"), fresh("59999.99")) == []
    assert told(COST, key, at("02-10T00:00:00"), view=fresh("55000")) == [
        "warning",
        "Bitcoin is under the cash cost of February 2026: $60,000.00 a coin",
        "Price $55,000.00.",
        "Each coin mined costs $5,000.00 more than it is worth.",
    ]


def test_without_a_price_it_neither_opens_nor_closes() -> None:
    key, when = "2026-02:cash-cost", at("02-10T00:00:00")
    blind = open_book(COST, when)
    finding = all_findings(blind)[f"production:{key}"]
    assert decide(None, finding, when, AlertPolicy()).alert is None
    before = opened(COST, key, when, fresh("55000"))
    later = when + timedelta(hours=1)
    assert decide(before, finding, later, AlertPolicy()).change is not Change.CLOSED


def test_it_clears_once_the_price_has_stayed_over_it() -> None:
    key, when = "2026-02:cash-cost", at("02-10T00:00:00")
    before = opened(COST, key, when, fresh("55000"))
    for minutes, change in ((1, Change.UPDATED), (11, Change.CLOSED)):
        over = open_book(COST, when + timedelta(minutes=minutes), fresh("61000"))
        done = decide(before, finding_of(over, all_findings(over), f"production:{key}"), over.at, AlertPolicy())
        assert done.change is change
        assert message_of(over, done).headline == "Bitcoin is over the cash cost of February 2026: $60,000.00 a coin"
        before = done.after or before


@pytest.mark.parametrize("price", ["55000", "61000", None])
def test_once_the_month_is_over_it_does_not_say_that_the_price_has_recovered(price: str | None) -> None:
    key, after = "2026-02:cash-cost", at("03-01T00:10:00")
    before = opened(COST, key, at("02-28T23:00:00"), fresh("55000"))
    view = fresh(price) if price else NOBODY
    over = open_book(COST, at("03-01T00:00:00"), view)
    kept = decide(before, finding_of(over, all_findings(over), f"production:{key}"), over.at, AlertPolicy())
    assert kept.change is not Change.CLOSED
    said = "February 2026 is over: its cash cost, $60,000.00 a coin, is no longer watched"
    assert message_of(over, kept).headline == said
    closed = told(COST, key, after, kept.after, view)
    assert closed[:2] == ["ok", said]
    assert "more than it is worth" not in "\n".join(closed)


# -- off, told, replayed --


def test_a_limit_that_is_not_set_checks_nothing() -> None:
    made = register(moved("sold", at("01-20T00:00:00"), "10"), stated="1")
    assert found(made, at("03-01T00:00:00"), fresh("1")) == []


def test_a_question_tells_of_a_month_that_is_no_longer_watched() -> None:
    shown = production_document(open_book(SOLD, at("06-01T00:00:00")), ["2026-02"])
    assert [(one["key"], one["level"]) for one in shown["findings"]] == [
        ("production:2026-02:sold-over-mined", "warning")
    ]
    assert shown["findings"][0]["text"].startswith("February 2026: sold 50.00000001 BTC, 50.00 %")


def test_a_replay_has_them_at_their_own_instants() -> None:
    movements = (moved("mined", at("01-20T00:00:00"), "10"), moved("sold", at("02-10T06:30:00"), "1"))
    made = register(
        *movements,
        cost="60000.00",
        sold_over_mined_limit=Fraction(1),
        statement_due_day=5,
        plan_btc_per_month=parse_btc("310"),
    )
    prices = [
        (at("01-30T00:00:00"), 7_000_000),
        (at("02-02T00:00:00"), 5_999_999),
        (at("02-03T00:00:00"), 6_000_000),
        (at("02-20T00:00:00"), 6_000_000),
    ]
    said = [
        (one.at.isoformat()[5:16], one.transition, one.key.removeprefix("production:2026-"))
        for one in replay(made, prices, None, None, AlertPolicy())
    ]
    assert said == [
        ("01-30T00:00", "opened", "01:behind-plan"),
        ("02-02T00:00", "opened", "02:cash-cost"),
        ("02-03T00:10", "closed", "02:cash-cost"),
        ("02-06T00:00", "opened", "01:statement-missing"),
        ("02-07T00:00", "opened", "02:behind-plan"),
        ("02-10T06:30", "opened", "02:sold-over-mined"),
    ]


def test_a_silence_names_the_month_and_the_check_as_people_do() -> None:
    ends = at("03-01T00:00:00")
    silence = Silence(
        1, frozenset({"production"}), frozenset({"2026-02:behind-plan"}), "maintenance", Person("U1"), OPENED, ends
    )
    assert about(silence) == "Production of February 2026, behind plan"
    assert subject_name("2026-loan") == "2026-loan"
    assert subject_name("2026-02:other") == "2026-02:other"
