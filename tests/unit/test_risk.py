"""Which lines are ahead, within which windows, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from math import log, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import HOUR, THREE, at, book, fresh, loan, tier, treasury

from bot.domain.book import Book
from bot.domain.periods import Calendar
from bot.domain.price import PriceState
from bot.domain.price_history import PriceHistory
from bot.domain.risk import Risk, WindowRisk, cure_hours, risk, touch_probability
from bot.domain.risk_document import risk_document
from bot.domain.risk_words import counted, explained, modelled, no_line, window_name
from bot.domain.terms import Group, GroupTest, Tier

CALL, LIQUIDATION = THREE[1], THREE[2]


def past(asked: Book, days: int = 40, dip: int = 0) -> PriceHistory:
    """A price of $100,000.00 each hour of the days before `asked`, one of them `dip` percent lower."""
    count = days * 24
    prices = [(asked.at - n * HOUR, 10_000_000) for n in range(count, -1, -1)]
    prices[count // 2] = (prices[count // 2][0], 10_000_000 - dip * 100_000)
    return PriceHistory.of(prices)


def found(asked: Book, history: PriceHistory | None = None) -> Risk:
    return risk(asked, history or past(asked), asked.exposures)


def entry(asked: Book, history: PriceHistory | None = None) -> Any:
    return risk_document(found(asked, history))["facilities"][0]


def test_every_line_ahead_has_its_windows_counted_and_modelled() -> None:
    asked = book(treasury(), "68500")
    told = risk_document(found(asked, past(asked, dip=10)))
    (facility,) = told["facilities"]
    assert (facility["id"], facility["tier"], facility["price_usd"]) == ("antalpha", "early warning", "63025.21")
    assert facility["headroom_pct"] == "7.99"
    assert [(w["name"], w["hours"], w["fell"], w["of"]) for w in facility["windows"]] == [
        ("24 h", 24, 24, 937),
        ("cure", None, None, None),
        ("7 d", 168, 168, 793),
        ("30 d", 720, 241, 241),
    ]
    assert [line["tier"] for line in facility["further"]] == ["margin call", "liquidation"]
    call = facility["further"][0]
    assert call["windows"][1] == {**call["windows"][0], "name": "cure"}
    assert all(window["fell"] == 0 for window in call["windows"])
    assert told["history"] == {"from": "2025-12-26T12:00:00Z", "to": "2026-02-04T12:00:00Z", "points": 961}
    assert told["as_of"] == "2026-02-04T12:00:00Z"
    assert told["price"]["usd"] == "68500.00"


def test_the_model_has_the_volatility_of_the_last_thirty_days_and_the_hours_of_the_window() -> None:
    asked = book(treasury(), "68500")
    judged = found(asked, past(asked, dip=10))
    assert judged.volatility == pytest.approx(log(10 / 9) * sqrt(2 * 8_760 / 720))  # down and up again
    line = judged.exposures[0].lines[1]
    for window, days in zip(line.windows, (1, 1, 7, 30), strict=True):
        assert judged.volatility is not None
        assert window.model == touch_probability(68_500_00, 57_142_85, days / 365, judged.volatility)


def test_what_is_counted_is_held_against_the_headroom_not_the_price() -> None:
    asked = book(treasury(), "68500")
    window = found(asked, past(asked, dip=8)).exposures[0].lines[0].windows[0]
    assert (window.fell, window.of) == (24, 937)
    assert found(asked, past(asked, dip=7)).exposures[0].lines[0].windows[0].fell == 0


def test_a_line_that_is_reached_is_not_ahead() -> None:
    assert entry(book(treasury(), "55000"))["tier"] == "liquidation"
    judged = found(book(treasury(), "47619.04"))
    assert no_line(judged, judged.exposures[0]) == "every line is reached"
    assert entry(judged.book) == {
        "id": "antalpha",
        "tier": None,
        "price_usd": None,
        "headroom_pct": None,
        "windows": [],
        "further": [],
    }


def test_a_line_above_our_price_that_its_venue_has_not_reached_is_certain() -> None:
    quoted = fresh("55000", references={"kraken": 60_000_00})
    facility = entry(book(treasury(loan(reference="kraken")), quoted, at("02-04 12:00")))
    assert facility["tier"] == "margin call"
    assert facility["headroom_pct"] == "-3.90"
    window = facility["windows"][0]
    assert (window["fell"], window["model_pct"]) == (window["of"], "100")


@pytest.mark.parametrize("price", [None, replace(fresh("68500"), state=PriceState.STALE)])
def test_without_a_price_every_line_is_there_and_what_needs_a_price_is_unknown(price: Any) -> None:
    facility = entry(book(treasury(), price))
    assert (facility["tier"], facility["price_usd"], facility["headroom_pct"]) == ("early warning", "63025.21", None)
    assert facility["windows"][0] == {"name": "24 h", "hours": 24, "fell": None, "of": 937, "model_pct": None}
    assert len(facility["further"]) == 2


def test_a_history_that_is_too_short_says_so() -> None:
    asked = book(treasury(), "68500")
    day, _, week, month = found(asked, past(asked, days=3)).exposures[0].lines[0].windows
    assert (day.fell, day.of, day.model) == (0, 49, None)
    assert (week.fell, week.of, month.of) == (None, 0, 0)
    assert (counted(day), counted(week), modelled(day)) == ("0 of 49 (0.00 %)", "history too short", "–")
    nothing = found(asked, PriceHistory())
    assert explained(nothing) == ["There is no price history up to 4 Feb 2026: nothing to count, and no model."]
    assert risk_document(nothing)["history"] == {"from": None, "to": None, "points": 0}


def test_it_says_what_the_numbers_are() -> None:
    asked = book(treasury(), "68500")
    assert explained(found(asked, past(asked, dip=10))) == [
        "Counted: in how many windows of the history from 26 Dec 2025 to 4 Feb 2026 (961 prices) the price fell as far "
        "as the line is now. One begins each hour, so they overlap.",
        "Model: a driftless log-normal price with the realised volatility of the last 30 days, 51.97 % a year. Neither "
        "is a forecast.",
    ]
    assert explained(found(asked, past(asked, days=9)))[1:] == [
        "No model: it needs 10 of the last 30 days. What is counted is no forecast."
    ]


def test_numbers_read_as_people_write_them() -> None:
    window = WindowRisk("cure", 72, 12, 8_736, 0.000_941_7)
    assert [window_name(window), counted(window), modelled(window)] == ["cure 3 d", "12 of 8,736 (0.14 %)", "0.094 %"]
    assert modelled(replace(window, model=1e-7)) == "under 0.001 %"
    assert modelled(replace(window, model=0.0)) == "0.000 %"
    assert window_name(replace(window, hours=30)) == "cure 30 h"


def test_who_has_no_line_says_why() -> None:
    pooled = loan("pooled", group="all", coins="0")
    group = Group("all", GroupTest.RATIO, (CALL,), pool=7_000 * 10**8)
    judged = found(book(treasury(loan("bare", tiers=()), loan("paid", debt="0"), pooled, groups=(group,)), "68500"))
    said = [no_line(judged, one) if not one.lines else None for one in judged.exposures]
    assert said == ["no covenant lines", "nothing owed", "its coins are pooled in all, which is tested as one", None]
    (entry,) = risk_document(judged)["groups"]
    assert (entry["id"], entry["tier"], entry["further"]) == ("all", "margin call", [])
    priced = loan("priced", debt="0", tiers=(tier("call", price="50000"),))
    judged = found(book(treasury(priced), "68500"))
    assert (judged.exposures[0].lines, no_line(judged, judged.exposures[0])) == ((), "nothing owed")


# The cure window: until the deadline, if a notice came now

NEW_YORK = Calendar("ny", ZoneInfo("America/New_York"), time(9), time(17))


@pytest.mark.parametrize(
    ("when", "line", "hours"),
    [
        ("02-04 12:00", tier("call", "0.75", window_hours=72), 72),
        ("02-04 12:00", tier("liquidation", "0.90"), None),
        ("02-04 12:00", tier("call", "0.75", window_days=1), 29),  # every day is open, until 17:00
        ("02-04 12:20", tier("call", "0.75", window_days=1), 29),
        ("02-04 11:40", tier("call", "0.75", window_days=1), 30),
        ("02-06 12:00", tier("call", "0.75", window_days=1, calendar="ny"), 82),  # a Friday: until Monday 22:00 UTC
        ("02-04 12:00", tier("call", "0.75", window_hours=0), 1),
    ],
)
def test_a_cure_window_ends_with_the_deadline_of_a_notice_of_now(when: str, line: Tier, hours: int | None) -> None:
    asked = book(treasury(loan(tiers=(line,)), calendars={"ny": NEW_YORK}), "68500", at(when))
    assert cure_hours(asked, line) == hours


def test_windows_of_lines_that_share_their_length_are_the_same() -> None:
    hours = [THREE[0], replace(CALL, window_hours=timedelta(hours=168)), LIQUIDATION]
    asked = book(treasury(loan(tiers=tuple(hours))), "68500")
    call = found(asked, past(asked, dip=20)).exposures[0].lines[1]
    _, cure, week, _ = call.windows
    assert (cure.fell, cure.of, cure.model) == (week.fell, week.of, week.model)
    assert cure.fell
