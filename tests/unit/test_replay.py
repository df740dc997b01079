"""Replay: what would have been said when, at its own instants between the rows of a price history."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DAY, HOUR, MINUTE, NOW, OPENED, THREE, at, btc, contract, loan, move, notice, tier, treasury, usd

from bot.domain.alerts import AlertPolicy, Change, decide
from bot.domain.book import Book, Register
from bot.domain.checks import all_findings
from bot.domain.price import PriceState, PriceView
from bot.domain.replay import ReplayLine, replay
from bot.domain.terms import Group, GroupTest, InterestMode, OnRecovery, Release, TermsVersion
from bot.domain.treasury import CashCost, Policy, Treasury
from bot.prices.files import PriceFileError, read_prices

Rows = Iterable[tuple[datetime, str]]


def lines(
    register: Treasury, rows: Rows, since: datetime | None = None, until: datetime | None = None
) -> list[ReplayLine]:
    prices = [(when, usd(price)) for when, price in rows]
    return list(replay(register, prices, since, until, AlertPolicy()))


def said(
    register: Treasury, rows: Rows, since: datetime | None = None, until: datetime | None = None
) -> list[tuple[Any, ...]]:
    return [(one.at, one.transition, one.level, one.tier) for one in lines(register, rows, since, until)]


# -- one line --


def test_a_line_is_what_the_contract_prints():
    (one,) = lines(treasury(), [(NOW, "55000")])
    document = one.document()
    text = document.pop("text")
    assert document == {
        "at": "2026-02-04T12:00:00Z",
        "key": "covenant:antalpha",
        "transition": "opened",
        "level": "critical",
        "tier": "margin call",
        "price_usd": "55000.00",
        "ltv_pct": "77.92",
    }
    assert text.startswith("Antalpha is at its margin-call line: LTV 77.92 % ≥ 75.00 %\nPrice $55,000.00.")


def test_the_ltv_is_the_lenders():
    (one,) = lines(treasury(loan(cushion=Fraction(1, 10))), [(NOW, "60000")])
    assert one.document()["ltv_pct"] == "79.37"


# -- between rows --


def test_a_line_clears_ten_minutes_after_its_price_and_not_at_the_next_row():
    rows = [(NOW, "63000"), (NOW + HOUR, "65000"), (NOW + 9 * HOUR, "65000")]
    assert said(treasury(), rows) == [
        (NOW, "opened", "warning", "early warning"),
        (NOW + HOUR + 10 * MINUTE, "closed", "warning", "early warning"),
    ]


def test_a_price_at_the_very_instant_at_which_it_would_clear_counts_first():
    rows = [(NOW, "63000"), (NOW + HOUR, "65000"), (NOW + HOUR + 10 * MINUTE, "63000"), (NOW + 9 * HOUR, "63000")]
    assert [one[1] for one in said(treasury(), rows)] == ["opened"]


def test_a_midnight_of_interest_reaches_a_line_between_two_rows():
    """Four midnights' 36 % make $301.2M of it, the fifth $301.5M; the call line is at $301.35M."""
    dear = treasury(loan(debt="300000000", coins="8000", rate=Fraction("0.36")))
    assert said(dear, [(NOW, "50225"), (NOW + 2 * DAY, "50225")]) == [
        (NOW, "opened", "warning", "early warning"),
        (at("02-05 00:00"), "worse", "critical", "margin call"),
    ]


def test_movements_act_at_their_own_instants():
    pledge = move("pledged", NOW + 90 * MINUTE, btc="1000")
    rows = [(NOW, "60000"), (NOW + 5 * HOUR, "60000")]
    assert said(treasury(movements=(pledge,)), rows) == [
        (NOW, "opened", "warning", "early warning"),
        (NOW + 100 * MINUTE, "closed", "warning", "early warning"),
    ]


def test_a_movement_and_a_price_at_one_instant_are_one_check():
    """The price alone would reach the call line, and the coins alone would clear the early one."""
    pledge = move("pledged", NOW + HOUR, btc="500")
    rows = [(NOW, "62000"), (NOW + HOUR, "57000"), (NOW + 2 * HOUR, "57000")]
    assert said(treasury(movements=(pledge,)), rows) == [(NOW, "opened", "warning", "early warning")]


def test_a_calls_clock_reminds_at_its_own_instants():
    called = treasury(notices=(notice(NOW + HOUR, price="55000", met=NOW + 30 * HOUR),))
    rows = [(NOW, "68500"), (NOW + 40 * HOUR, "68500")]
    assert said(called, rows) == [
        (NOW + 1 * HOUR, "opened", "critical", "margin call"),
        (NOW + 13 * HOUR, "reminder", "critical", "margin call"),
        (NOW + 19 * HOUR, "reminder", "critical", "margin call"),
        (NOW + 24 * HOUR, "reminder", "critical", "margin call"),
        (NOW + 25 * HOUR, "reminder", "critical", "margin call"),
        (NOW + 30 * HOUR, "closed", "critical", "margin call"),
    ]


def test_a_call_that_is_cured_in_time_is_not_missed():
    cure = move("repaid", NOW + 20 * HOUR, usd="49750000")
    called = treasury(notices=(notice(NOW, price="55000", met=NOW + 30 * HOUR),), movements=(cure,))
    assert [one[0] for one in said(called, [(NOW, "68500"), (NOW + 40 * HOUR, "68500")])] == [
        NOW + n * HOUR for n in (0, 12, 18, 23, 30)
    ]


def test_price_ends_a_call_for_good_ten_minutes_after_it_recovered():
    called = treasury(loan(on_recovery=OnRecovery.BELOW_CALL), notices=(notice(NOW, price="57000"),))
    rows = [(NOW, "57000"), (NOW + HOUR, "70000"), (NOW + 2 * HOUR, "57000"), (NOW + 50 * HOUR, "57000")]
    assert said(called, rows) == [
        (NOW, "opened", "critical", "margin call"),
        (NOW + HOUR + 10 * MINUTE, "closed", "critical", "margin call"),
        (NOW + 2 * HOUR, "opened", "critical", "margin call"),
    ]


def test_a_late_credit_is_a_warning_at_its_own_instant():
    moves = (move("sent", NOW + HOUR, "tx", btc="5"), move("pledged", NOW + 5 * HOUR, of="tx", btc="5"))
    found = lines(treasury(loan(credit_hours=2 * HOUR), movements=moves), [(NOW, "68500"), (NOW + 9 * HOUR, "68500")])
    assert [(one.key, one.at, one.transition, one.level, one.ltv) for one in found] == [
        ("transit:tx", NOW + 3 * HOUR, "opened", "warning", None),
        ("transit:tx", NOW + 5 * HOUR, "closed", "warning", None),
    ]


def test_coins_come_back_at_the_midnight_of_their_last_mark():
    free = treasury(loan(debt="225000000", release=("0.50", "0.60", 3)))
    found = lines(free, [(NOW, "68500"), (NOW + 9 * DAY, "68500")])
    assert [(one.key, one.at, one.transition, one.level) for one in found] == [
        ("release:antalpha", at("02-07 00:00"), "opened", "notice")
    ]


def test_a_price_between_midnights_ends_a_release_and_brings_it_back():
    """Its line is at $64,285.71; no tier is anywhere near."""
    free = treasury(loan(debt="225000000", release=("0.50", "0.60", 1)))
    noon = at("02-05 12:00")
    rows = [(NOW, "64300"), (noon, "64285"), (noon + HOUR, "64286"), (noon + 2 * HOUR, "64286")]
    assert said(free, rows) == [
        (at("02-05 00:00"), "opened", "notice", None),
        (noon + 10 * MINUTE, "closed", "notice", None),
        (noon + HOUR, "opened", "notice", None),
    ]


def test_marks_from_before_an_amendment_count_for_the_release_that_it_brings():
    plain = loan(debt="225000000")
    amended = replace(plain.versions[0].terms, release=Release(Fraction("0.5"), Fraction("0.6"), 3))
    free = treasury(replace(plain, versions=(*plain.versions, TermsVersion(date(2026, 2, 8), amended))))
    assert [one[0] for one in said(free, [(NOW, "68500"), (NOW + 9 * DAY, "68500")])] == [at("02-08 00:00")]


def test_an_amendment_counts_from_its_midnight():
    strict = (tier("call", "0.62", "margin call", cure_to="0.55"),)
    plain = loan()
    amended = TermsVersion(date(2026, 2, 8), replace(plain.versions[0].terms, tiers=strict))
    register = treasury(replace(plain, versions=(*plain.versions, amended)))
    assert said(register, [(NOW, "68500"), (NOW + 9 * DAY, "68500")]) == [
        (at("02-08 00:00"), "opened", "critical", "margin call")
    ]


# -- from when to when --

FALL = [(OPENED - HOUR, "10000"), (NOW, "63000"), (NOW + HOUR, "57000"), (NOW + 2 * HOUR, "47000")]


def test_nothing_is_said_before_the_treasury_opened():
    assert [one[0] for one in said(treasury(), FALL)] == [NOW, NOW + HOUR, NOW + 2 * HOUR]


def test_it_starts_without_alerts_at_the_first_price_from_the_given_day_on():
    assert said(treasury(), FALL, since=NOW + MINUTE) == [
        (NOW + HOUR, "opened", "critical", "margin call"),
        (NOW + 2 * HOUR, "worse", "critical", "liquidation"),
    ]


def test_the_last_day_is_excluded_for_prices_and_for_clocks():
    assert [one[0] for one in said(treasury(), FALL, until=NOW + 2 * HOUR)] == [NOW, NOW + HOUR]
    called = treasury(notices=(notice(NOW, price="55000"),))
    assert [one[0] for one in said(called, [(NOW, "68500")], until=NOW + 12 * HOUR)] == [NOW]
    assert [one[0] for one in said(called, [(NOW, "68500")], until=NOW + 12 * HOUR + MINUTE)] == [NOW, NOW + 12 * HOUR]


def test_without_a_last_day_it_ends_with_the_last_row():
    assert [one[0] for one in said(treasury(notices=(notice(NOW, price="55000"),)), [(NOW, "68500")])] == [NOW]


def test_no_price_says_nothing():
    assert said(treasury(), []) == []
    assert said(treasury(), FALL, since=NOW + DAY) == []


def test_nothing_is_repeated_or_escalated():
    assert len(said(treasury(), [(NOW + n * MINUTE, "55000") for n in range(300)])) == 1


def test_the_contracts_own_file_replays():
    rows = [
        (at("02-06 00:00"), "62000"),
        (at("02-07 12:00"), "57000"),
        (at("02-08 18:00"), "57000"),
        (at("02-12 00:00"), "57000"),
    ]
    assert {one.key for one in lines(contract(), rows)} >= {"covenant:antalpha"}


# -- beside its own checks, run every minute --

TWO = (
    loan("antalpha", debt="70", coins="1", group="all", rate=Fraction(1, 2), on_recovery=OnRecovery.AT_CURE),
    loan(
        "other",
        debt="35",
        coins="0.5",
        group="all",
        tiers=(*THREE[:1], tier("call", price="95", name="by price")),
        cushion=Fraction(1, 20),
    ),
)


def every_minute(register: Treasury, rows: list[tuple[datetime, int]], until: datetime) -> list[tuple[Any, ...]]:
    """The very checks and `decide`, looked at each minute: no skipping, no edges."""
    policy = AlertPolicy(repeat_every=None, edit_every=None)
    known, alerts, made = Register.of(register, policy), {}, []
    now = rows[0][0]
    while now < until:
        price = [price for when, price in rows if when <= now][-1]
        seen = Book(known, now, PriceView(PriceState.FRESH, price, as_of=now))
        found = all_findings(seen)
        for key in sorted(found.keys() | alerts.keys()):
            done = decide(alerts.pop(key, None), found.get(key), now, policy)
            if done.alert:
                alerts[key] = done.alert
            if done.recovered:
                ended = [replace(n, recovered=now) if n.ref in done.recovered else n for n in known.treasury.notices]
                known = known.with_notices(tuple(ended))
            if done.change in (Change.OPENED, Change.WORSE, Change.EASED, Change.REMINDER, Change.CLOSED):
                last = done.alert or done.before
                made.append((now, key, done.change.value, last.level.word, last.tier))
        now += MINUTE
    return made


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 239),
        st.sampled_from([9300, 9334, 9500, 9501, 10000, 10294, 10800, 11500, 12000]),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(
        [
            Group("all", GroupTest.RATIO, (tier("call", "0.72", cure_to="0.66", window_hours=2),)),
            Group("all", GroupTest.REQUIREMENTS),
        ]
    ),
    st.integers(0, 200),
    st.booleans(),
)
def test_skipping_what_makes_no_difference_changes_nothing(changes, group, called_at, on_group):
    begins = at("02-06 22:00")  # over the midnight from which a month may be behind plan
    when = begins + called_at * MINUTE
    called = (
        notice(when, called="call", price="95", group="all", due=when + HOUR) if on_group else notice(when, price="95")
    )
    production = {"policy": Policy(plan_btc_per_month=btc("10")), "cash_costs": (CashCost("2026-02", 10_000),)}
    register = treasury(*TWO, groups=(group,), notices=(called,), **production)
    rows = [(begins + minute * MINUTE, price) for minute, price in sorted(changes.items())]
    until = begins + 4 * HOUR
    found = [
        (one.at, one.key, one.transition, one.level, one.tier)
        for one in replay(register, rows, None, until, AlertPolicy())
    ]
    assert found == every_minute(register, rows, until)


def test_the_last_price_stands_until_the_end_but_no_longer_than_a_year():
    """At 90 % interest the debt grows over every line; nobody knows the price of the year after."""
    dear = treasury(loan(rate="0.9", debt="30000000", coins="1000", interest=InterestMode.AT_CLOSE))
    found = list(replay(dear, [(NOW, 60_000_00)], None, NOW + 3000 * DAY, AlertPolicy()))
    assert [line.transition for line in found] == ["opened", "worse", "worse"]
    assert found[-1].at < NOW + 366 * DAY
    slower = treasury(loan(rate="0.02", debt="30000000", coins="1000", interest=InterestMode.AT_CLOSE))
    assert list(replay(slower, [(NOW, 60_000_00)], None, NOW + 30000 * DAY, AlertPolicy())) == []


# -- price files --


def written(path: Path, text: str) -> list[tuple[datetime, int]]:
    path.write_text(text, encoding="utf-8")
    return read_prices(path)


def test_a_row_has_an_instant_and_dollars(tmp_path):
    text = "ts,usd\n2026-02-04T12:00:00Z,68500\n2026-02-04T12:15:00-06:00,68500.257\n"
    assert written(tmp_path / "p.csv", text) == [(NOW, 6_850_000), (at("02-04 18:15"), 6_850_025)]


def test_a_day_is_midnight_utc_and_columns_may_be_many(tmp_path):
    text = "date,volume,usd\n2026-02-04,1,68500.1\n2026-02-05,2,1\n"
    assert written(tmp_path / "p.csv", text) == [(at("02-04 00:00"), 6_850_010), (at("02-05 00:00"), 100)]


def test_a_candle_is_open_low_high_close_at_quarters_of_the_commonest_spacing(tmp_path):
    text = "ts,open,high,low,close\n" + "".join(
        f"2026-02-04T{clock}:00Z,1,3,2,4\n" for clock in ("12:00", "13:00", "14:00", "18:00")
    )
    found = written(tmp_path / "p.csv", text)
    assert found[:4] == [(NOW + n * 15 * MINUTE, price) for n, price in enumerate((100, 200, 300, 400))]
    assert [when for when, _ in found] == [NOW + h * HOUR + n * 15 * MINUTE for h in (0, 1, 2, 6) for n in range(4)]


def test_a_daily_candle_is_spread_over_its_day(tmp_path):
    text = "date,open,high,low,close\n2026-02-04,1,3,2,4\n2026-02-05,1,3,2,4\n"
    assert [when for when, _ in written(tmp_path / "p.csv", text)] == [
        at("02-04 00:00") + n * 6 * HOUR for n in range(8)
    ]


def test_a_packed_history_reads_the_same(tmp_path):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(b"ts,usd\n2026-02-04T12:00:00Z,68500\n"))
    assert read_prices(path) == [(NOW, 6_850_000)]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("when,usd\n2026-02-04,1\n", "needs the columns ts or date"),
        ("ts,open,high,low\n2026-02-04,1,1,1\n", "needs the columns ts or date"),
        ("ts,usd\nyesterday,1\n", "line 2: “yesterday” is no time"),
        ("ts,usd\n9999-12-31T23:59:59-10:00,1\n", "line 2: 9999-12-31T23:59:59-10:00 is out of range"),
        ("ts,usd\n2026-02-04,banana\n", "line 2: usd “banana” is no price"),
        ("ts,usd\n2026-02-04,0\n", "line 2: usd “0” is no price"),
        ("ts,usd\n2026-02-04,-5\n", "line 2: usd “-5” is no price"),
        ("ts,usd\n2026-02-04,1\n2026-02-04,2\n", "line 3: 2026-02-04 00:00 is not after the row before it"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_what_would_be_right(tmp_path, text, match):
    with pytest.raises(PriceFileError, match=match):
        written(tmp_path / "p.csv", text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PriceFileError, match="no such file"):
        read_prices(tmp_path / "none.csv")


def test_a_gap_shorter_than_the_commonest_spacing_keeps_prices_in_order(tmp_path):
    """Hourly candles with one half an hour after the one before it: its open comes before that one's high."""
    text = "ts,open,high,low,close\n" + "".join(
        f"2026-02-04T{clock}:00Z,1,3,2,4\n" for clock in ("12:00", "13:00", "14:00", "14:30", "15:30")
    )
    found = [when for when, _ in written(tmp_path / "p.csv", text)]
    assert found == sorted(found)
