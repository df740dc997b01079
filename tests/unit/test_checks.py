"""What is found: release, transit, the price itself; and that blindness leaves covenant alerts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import DAY, HOUR, MINUTE, NOW, OPENED, at, book, fresh, loan, move, notice, tier, treasury, usd

from bot.domain.alerts import Alert, AlertPolicy, Change, Finding, decide
from bot.domain.book import Book, Register, marks_needed
from bot.domain.checks import all_findings
from bot.domain.messages import message_of
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import Level, OnRecovery
from bot.domain.treasury import Treasury
from bot.domain.words import plain_text

SECOND = timedelta(seconds=1)


def findings(register: Treasury, view: PriceView | str, when: datetime = NOW, **more: Any) -> dict[str, Finding]:
    price = fresh(view) if isinstance(view, str) else view
    return all_findings(Book(Register.of(register), when, price, **more))


def level(finding: Finding | None) -> Level | None:
    return max(line.level for line in finding.lines) if finding else None


# -- release: after its daily marks in a row --

GENEROUS = treasury(loan(debt="225000000", release=("0.50", "0.60", 3)))
MARKS = [at("02-04 00:00"), at("02-03 00:00"), at("02-02 00:00")]


def released(
    register: Treasury = GENEROUS, price: str = "68500", marks: tuple[str, ...] = ("65000",) * 3
) -> Finding | None:
    prices = {instant: fresh(mark) for instant, mark in zip(MARKS, marks, strict=True) if mark}
    return findings(register, price, midnight_prices=prices).get("release:antalpha")


def test_coins_may_come_back_after_three_marks_in_a_row():
    assert marks_needed(GENEROUS, NOW) == set(MARKS)
    finding = released()
    assert level(finding) is Level.NOTICE
    assert "1,525.54 BTC can be asked back, down to LTV 60.00 %" in finding.text


@pytest.mark.parametrize(
    "marks", [("65000", "65000", "64285.71"), ("64285.71", "65000", "65000"), ("65000", "", "65000")]
)
def test_one_mark_over_the_line_or_unknown_breaks_the_row(marks):
    assert released(marks=marks) is None


def test_a_mark_at_the_line_itself_counts():
    even = treasury(loan(debt="225000000", coins="7500", release=("0.50", "0.60", 3)))
    assert released(even, marks=("60000",) * 3) is not None
    assert released(even, marks=("60000", "59999.99", "60000")) is None


def test_nothing_comes_back_while_the_loan_is_over_its_release_line_now():
    assert released(price="64285.71") is None
    assert released(price="64285.72") is not None  # 225M / (7,000 × 64,285.72) = 50.00 % less a hair


def test_a_row_longer_than_the_record_is_not_complete():
    early = at("02-02 12:00")
    prices = {instant: fresh("65000") for instant in (at("02-02 00:00"), at("02-01 00:00"))}
    assert "release:antalpha" not in findings(GENEROUS, "68500", early, midnight_prices=prices)


def test_a_mark_is_read_after_that_midnights_interest():
    """49.99 % before midnight, 50.06 % after a day's interest."""
    dear = treasury(loan(debt="224985000", coins="7500", rate="0.36", release=("0.50", "0.60", 1)))
    midnight = at("02-01 00:00")
    prices = {midnight: fresh("60000")}
    assert "release:antalpha" not in findings(dear, "90000", midnight, midnight_prices=prices)
    assert "release:antalpha" in findings(dear, "90000", midnight, midnight_prices={midnight: fresh("60300")})


def test_marks_are_at_midnight_where_interest_accrues():
    far = treasury(loan(debt="225000000", release=("0.50", "0.60", 2), zone=ZoneInfo("America/Chicago")))
    assert marks_needed(far, NOW) == {at("02-04 06:00"), at("02-03 06:00")}


def test_an_unknown_price_neither_opens_nor_closes_a_release():
    register = Register.of(GENEROUS)
    prices = {instant: fresh("65000") for instant in MARKS}

    def see(alert: Alert | None, minutes: int, view: PriceView) -> Alert | None:
        when = NOW + minutes * MINUTE
        asked = Book(register, when, view, prices)
        done = decide(alert, all_findings(asked).get("release:antalpha"), when, register.alerts)
        if alert is not None and alert.level is Level.NOTICE:
            assert "over its release line" not in message_of(asked, done).headline
        return done.alert

    blind = PriceView(PriceState.STALE, usd("68500"))
    assert see(None, 0, blind) is None
    alert = see(None, 1, fresh("68500"))
    assert alert is not None
    for minutes in range(2, 60):
        alert = see(alert, minutes, blind)
        assert alert is not None


# -- transit --


def test_what_is_not_credited_in_time_is_a_warning():
    slow = treasury(loan(credit_hours=HOUR), movements=(move("sent", NOW, "tx-1", btc="5"),))
    assert "transit:tx-1" not in findings(slow, "68500", NOW + HOUR - SECOND)
    finding = findings(slow, "68500", NOW + HOUR + SECOND)["transit:tx-1"]
    assert level(finding) is Level.WARNING
    assert "neither collateral nor repayment" in finding.text


def test_what_is_credited_is_no_longer_found_and_what_remains_is():
    moves = (
        move("sent", NOW, "tx-1", btc="5"),
        move("pledged", NOW + 2 * HOUR, of="tx-1", btc="4"),
        move("pledged", NOW + 3 * HOUR, of="tx-1", btc="1"),
    )
    slow = treasury(loan(credit_hours=HOUR), movements=moves)
    assert ["transit:tx-1" in findings(slow, "68500", NOW + n * HOUR) for n in (2, 3)] == [True, False]


def test_without_credit_hours_nobody_asks():
    patient = treasury(movements=(move("sent", NOW, "tx-1", btc="5"),))
    assert not findings(patient, "68500", NOW + 30 * DAY)


def test_dollars_in_transit_are_watched_too():
    slow = treasury(loan(credit_hours=HOUR), movements=(move("sent", NOW, "wire", usd="5"),))
    assert "transit:wire" in findings(slow, PriceView(PriceState.NONE), NOW + 2 * HOUR)


# -- blind is not mute --


def blind(
    polls: int = 2, since: timedelta = 30 * SECOND, lowest: str | None = "68500", state: str = "disputed"
) -> PriceView:
    return PriceView(
        PriceState(state),
        usd("68500") if state != "none" else None,
        age=5 * MINUTE if state != "none" else None,
        lowest_fresh=usd(lowest) if lowest else None,
        blind_polls=polls,
        blind_since=NOW - since,
    )


@pytest.mark.parametrize("state", ["disputed", "stale", "none"])
def test_two_blind_polls_in_a_row_are_a_warning(state):
    assert "price" not in findings(treasury(), blind(1, state=state))
    assert level(findings(treasury(), blind(2, state=state))["price"]) is Level.WARNING


@pytest.mark.parametrize("state", ["fresh", "degraded", "scenario"])
def test_a_price_is_not_blindness(state):
    assert "price" not in findings(treasury(), PriceView(PriceState(state), usd("68500")))


def test_ten_minutes_of_it_are_critical():
    assert level(findings(treasury(), blind(20, 10 * MINUTE - SECOND))["price"]) is Level.WARNING
    assert level(findings(treasury(), blind(20, 10 * MINUTE))["price"]) is Level.CRITICAL


@pytest.mark.parametrize(
    ("lowest", "found"), [("57142.86", Level.WARNING), ("57142.85", Level.CRITICAL), (None, Level.WARNING)]
)
def test_it_is_critical_at_once_where_the_lowest_fresh_quote_reaches_a_call_line(lowest, found):
    assert level(findings(treasury(), blind(lowest=lowest))["price"]) is found


def test_an_early_line_at_the_lowest_quote_is_no_call():
    assert level(findings(treasury(), blind(lowest="60000"))["price"]) is Level.WARNING


def test_a_liquidation_line_alone_counts_as_a_call_line():
    only = treasury(loan(tiers=(tier("liquidation", "0.9"),)))
    assert level(findings(only, blind(lowest="47619"))["price"]) is Level.CRITICAL


def test_it_says_what_each_loan_would_be_at_and_that_it_is_no_price():
    text = findings(treasury(), blind(lowest="57142.85"))["price"].text
    assert "At the last price $68,500.00, 5 min old: Antalpha LTV 62.57 %." in text
    assert (
        "At the lowest fresh quote $57,142.85 (what if, not a price): Antalpha LTV 75.00 % (at its margin-call line)."
        in text
    )


def test_it_closes_with_the_next_price():
    policy, register = AlertPolicy(), treasury()
    opened = decide(None, findings(register, blind())["price"], NOW, policy)
    grave = decide(opened.alert, findings(register, blind(20, 10 * MINUTE))["price"], NOW + MINUTE, policy)
    closed = decide(grave.alert, findings(register, "68500").get("price"), NOW + 2 * MINUTE, policy)
    assert [one.change for one in (opened, grave, closed)] == [Change.OPENED, Change.WORSE, Change.CLOSED]


def test_blindness_moves_no_covenant_alert_while_the_clocks_of_calls_run():
    register = Register.of(
        treasury(loan(on_recovery=OnRecovery.AT_CURE), notices=(notice(NOW),)),
        AlertPolicy(repeat_every=None, edit_every=None),
    )
    alert = None
    said = []
    for minute in range(26 * 60):
        view = fresh("55000") if minute < 2 else PriceView(PriceState.STALE, usd("99000"), age=minute * MINUTE)
        when = NOW + minute * MINUTE
        asked = Book(register, when, view)
        done = decide(alert, all_findings(asked)["covenant:antalpha"], when, register.alerts)
        alert = done.alert
        if done.speaks:
            said.append((minute, done.change, done.mark, done.recovered))
            assert "margin call" in plain_text(message_of(asked, done).headline)
    assert said == [
        (0, Change.OPENED, None, ()),
        (12 * 60, Change.REMINDER, "half", ()),
        (18 * 60, Change.REMINDER, "quarter", ()),
        (23 * 60, Change.REMINDER, "last hour", ()),
        (24 * 60, Change.REMINDER, "missed", ()),
    ]


# -- levels and keys --


def test_levels_are_those_of_the_contract():
    for price, opened in (("63000", Level.WARNING), ("57000", Level.CRITICAL), ("47000", Level.CRITICAL)):
        done = decide(None, findings(treasury(), price)["covenant:antalpha"], NOW, AlertPolicy())
        assert done.alert.level is opened


def test_each_exposure_that_is_far_from_its_lines_finds_nothing():
    assert findings(treasury(), "100000") == {}


def test_an_unsecured_loan_is_never_found():
    assert findings(treasury(loan(tiers=())), PriceView(PriceState.NONE)) == {}


def test_a_book_can_be_asked_at_any_instant_after_opening():
    assert book(treasury(), "55000", OPENED).at == OPENED


def test_a_mark_is_read_at_the_lenders_own_venue():
    """Our price at midnight was far above the line; the quote the agreement names was not."""
    venue = replace(fresh("90000"), references={"kraken": usd("55000")})
    marked = loan(release=("0.5", "0.6", 1), reference="kraken", debt="225000000")
    today = at("02-04 00:00")
    assert "release:antalpha" in findings(treasury(marked), "90000", midnight_prices={today: fresh("90000")})
    assert "release:antalpha" not in findings(treasury(marked), "90000", midnight_prices={today: venue})
