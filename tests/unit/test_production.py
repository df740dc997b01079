"""The month's roll-forward: what was held, mined, sold and otherwise moved is exactly what is held."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ledger import Ledger, ledger_faults
from bot.domain.money import parse_btc
from bot.domain.production import MonthProduction, month_begins, month_ends, month_key, month_production
from bot.domain.terms import DayCount, Facility, Group, GroupTest, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Account, Holds, Movement, MovementKind, Statement, Treasury

SHARED = Path(__file__).parents[2].parent / "shared"
UTC_ZONE = ZoneInfo("UTC")
FREE = TermsVersion(None, Terms(Fraction(0), DayCount.ACT_360, InterestMode.AT_CLOSE))
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def loan(name: str = "loan", collateral: str = "100", **more: Any) -> Facility:
    return Facility(name, name, 10**12, date(2024, 1, 1), UTC_ZONE, (FREE,), collateral=parse_btc(collateral), **more)


def treasury(*movements: Movement, **more: Any) -> Treasury:
    parts: dict[str, Any] = {
        "accounts": (Account("custody", parse_btc("50"), 10**12), Account("f2pool", parse_btc("5"), holds=Holds.POOL)),
        "facilities": (loan(), loan("pooled", "0", group="g")),
        "groups": (Group("g", GroupTest.RATIO, pool=parse_btc("20")),),
        "production_zone": UTC_ZONE,
        "opened": OPENED,
    }
    register = Treasury("T", UTC_ZONE, movements=movements, **{**parts, **more})
    assert ledger_faults(register) == []
    return register


def produced(register: Treasury, month: str, as_of: datetime = LATER) -> MonthProduction:
    return month_production(register, Ledger(register), month, as_of)


def move(kind: str, ref: str, at: datetime, **fields: Any) -> Movement:
    exact: dict[str, Any] = {k: parse_btc(v) if k in {"btc", "fee_btc"} else v for k, v in fields.items()}
    return Movement(at, MovementKind(kind), ref, **exact)


def mined(ref: str, at: datetime, btc: str) -> Movement:
    return move("mined", ref, at, account="custody", btc=btc)


# -- months --


def test_an_instant_belongs_to_the_month_of_its_zone() -> None:
    instant = datetime(2026, 2, 1, 5, 59, 59, tzinfo=UTC)
    assert month_key(instant, UTC_ZONE) == "2026-02"
    assert month_key(instant, ZoneInfo("America/Chicago")) == "2026-01"
    assert month_key(instant + timedelta(seconds=1), ZoneInfo("America/Chicago")) == "2026-02"


def test_months_follow_each_other_across_years_and_clock_changes() -> None:
    chicago = ZoneInfo("America/Chicago")
    assert month_begins("2026-03", chicago) == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert month_ends("2026-03", chicago) == datetime(2026, 4, 1, 5, tzinfo=UTC)
    assert month_ends("2025-12", UTC_ZONE) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "month", ["2026-1", "2026-13", "2026-00", "26-01", "0000-01", "2026-01-01", "٢٠٢٦-01", "ytd", ""]
)
def test_a_month_is_written_as_year_and_month(month: str) -> None:
    with pytest.raises(ValueError, match="is not a month; write it YYYY-MM, as 2026-01"):
        produced(treasury(), month)


def test_a_month_before_the_opening_or_still_to_come_has_no_production() -> None:
    with pytest.raises(ValueError, match=r"2025-12 ended before the treasury opened \(2026-01-01T00:00:00Z\)"):
        produced(treasury(), "2025-12")
    with pytest.raises(ValueError, match="2026-03 has not begun at 2026-02-28T23:59:59Z"):
        produced(treasury(), "2026-03", datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC))


# -- the roll-forward --


def test_it_shows_each_part_of_other() -> None:
    day = datetime(2026, 1, 5, tzinfo=UTC)
    register = treasury(
        mined("m", day, "10"),
        move("sold", "s", day, account="custody", btc="4", fee_btc="0.01", usd=100),
        move("sold", "desk", day, account="custody", facility="loan", btc="3", fee_btc="0.02", usd=100),
        move("cost", "c", day, account="custody", btc="0.5"),
        move("cost", "dollars", day, account="custody", usd=5),
        move("adjustment", "a", day, account="custody", btc="-0.25", reason="miscounted"),
        move("repaid_in_kind", "k", day, facility="pooled", btc="2", usd=100),
        move("sent", "on the way", day, account="custody", facility="loan", btc="7"),
        move("pledged", "p", day, account="custody", facility="pooled", btc="1"),
        move("transfer", "t", day, account="f2pool", to="custody", btc="1"),
    )
    january = produced(register, "2026-01")
    assert january.opening == parse_btc("175")
    assert (january.mined, january.sold) == (parse_btc("10"), parse_btc("7"))
    assert (january.adjustments, january.costs) == (parse_btc("-0.25"), parse_btc("-0.5"))
    assert (january.fees, january.in_kind) == (parse_btc("-0.03"), parse_btc("-2"))
    assert january.other == parse_btc("-2.78")
    assert january.closing == parse_btc("175.22") == Ledger(register).at(LATER).held


def test_a_reversal_counts_negatively_in_the_month_in_which_it_happens() -> None:
    january, march = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
    register = treasury(
        mined("m", january, "10"),
        move("sold", "s", january, account="custody", btc="4", fee_btc="1", usd=100),
        move("reversal", "not m", march, reverses="m"),
        move("reversal", "not s", march, reverses="s"),
    )
    assert produced(register, "2026-01").mined == parse_btc("10")
    undone = produced(register, "2026-03")
    assert (undone.opening, undone.mined, undone.sold) == (parse_btc("180"), parse_btc("-10"), parse_btc("-4"))
    assert (undone.fees, undone.closing) == (parse_btc("1"), parse_btc("175"))


def test_the_month_begins_with_its_first_instant_and_ends_before_the_next() -> None:
    tick = timedelta(microseconds=1)
    february, march = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    register = treasury(
        mined("january", february - tick, "1"),
        mined("first", february, "2"),
        mined("last", march - tick, "4"),
        mined("march", march, "8"),
    )
    month = produced(register, "2026-02")
    assert (month.opening, month.mined, month.closing) == (parse_btc("176"), parse_btc("6"), parse_btc("182"))


def test_in_the_course_of_a_month_it_closes_with_the_instant_asked_about() -> None:
    register = treasury(
        mined("1", datetime(2026, 1, 5, tzinfo=UTC), "1"), mined("2", datetime(2026, 1, 6, tzinfo=UTC), "2")
    )
    month = produced(register, "2026-01", datetime(2026, 1, 5, tzinfo=UTC))
    assert (month.mined, month.closing) == (parse_btc("1"), parse_btc("176"))


def test_the_newest_statement_counts_and_its_gap_is_held_less_closing() -> None:
    older, other, newest = (
        Statement("2026-01", 0, 0, parse_btc("175")),
        Statement("2026-02", 0, 0, 0),
        Statement("2026-01", 0, 0, parse_btc("174.5")),
    )
    month = produced(treasury(statements=(older, other, newest)), "2026-01")
    assert month.statement == newest
    assert month.gap == parse_btc("-0.5")


def test_without_a_statement_there_is_no_gap() -> None:
    assert (produced(treasury(), "2026-01").statement, produced(treasury(), "2026-01").gap) == (None, None)


def test_the_month_in_whose_course_the_treasury_opened_has_no_gap() -> None:
    stated = (Statement("2026-01", 1, 1, 1), Statement("2026-02", 0, 0, parse_btc("175")))
    register = treasury(statements=stated, opened=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    january = produced(register, "2026-01")
    assert (january.opening, january.gap, january.is_whole) == (parse_btc("175"), None, False)
    assert (produced(register, "2026-02").gap, produced(register, "2026-02").is_whole) == (0, True)


def test_the_month_that_begins_with_the_opening_is_a_whole_month() -> None:
    register = treasury(mined("m", OPENED, "1"), statements=(Statement("2026-01", 0, 0, parse_btc("176")),))
    month = produced(register, "2026-01")
    assert (month.opening, month.mined, month.gap) == (parse_btc("175"), parse_btc("1"), 0)


# -- any history --

kinds = st.sampled_from(["mined", "sold", "desk", "cost", "adjustment", "in kind", "sent", "pledged", "reversal"])
instants = st.integers(0, 150 * 24).map(lambda hours: OPENED + timedelta(hours=hours))


def one(kind: str, ref: str, at: datetime, btc: int, undone: Movement | None) -> Movement:
    custody: dict[str, Any] = {"account": "custody"}
    match kind:
        case "reversal" if undone is not None:
            return Movement(max(at, undone.at), MovementKind.REVERSAL, ref, reverses=undone.ref)
        case "sold" | "desk":
            source: dict[str, Any] = {"facility": "loan"} if kind == "desk" else {}
            return Movement(at, MovementKind.SOLD, ref, btc=btc, usd=1, fee_btc=btc // 3, **custody, **source)
        case "adjustment":
            return Movement(at, MovementKind.ADJUSTMENT, ref, btc=-btc, reason="r", **custody)
        case "in kind":
            return Movement(at, MovementKind.REPAID_IN_KIND, ref, facility="pooled", btc=btc, usd=1)
        case "sent" | "pledged":
            return Movement(at, MovementKind(kind), ref, facility="loan", btc=btc, **custody)
        case "cost":
            return Movement(at, MovementKind.COST, ref, btc=btc, **custody)
        case _:
            return Movement(at, MovementKind.MINED, ref, btc=btc, **custody)


@st.composite
def histories(draw: st.DrawFn) -> Treasury:
    moved: list[Movement] = []
    for i in range(draw(st.integers(0, 25))):
        known = {movement.reverses for movement in moved}
        open_ones = [m for m in moved if m.reverses is None and m.ref not in known]
        undone = draw(st.sampled_from(open_ones)) if open_ones else None
        moved.append(one(draw(kinds), f"m{i}", draw(instants), draw(st.integers(1, 10**7)), undone))
    zone = ZoneInfo(draw(st.sampled_from(["UTC", "America/Chicago", "Pacific/Apia"])))
    return treasury(*moved, production_zone=zone)


@settings(max_examples=150, deadline=None)
@given(histories(), instants)
def test_every_month_opens_with_what_the_last_closed_with_and_closes_with_what_is_held(
    register: Treasury, as_of: datetime
) -> None:
    ledger = Ledger(register)
    month = month_key(register.opened, register.production_zone)
    held = ledger.opening.held
    while month_begins(month, register.production_zone) <= as_of:
        found = month_production(register, ledger, month, as_of)
        assert found.opening == held
        ends = month_ends(month, register.production_zone)
        held = ledger.at(min(as_of, ends - timedelta(microseconds=1))).held
        assert found.closing == found.opening + found.mined - found.sold + found.other == held
        month = month_key(ends, register.production_zone)
    assert held == ledger.at(as_of).held


# -- the public record --


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_the_published_months_of_cango_roll_forward_without_a_gap() -> None:
    with (SHARED / "data" / "cango_months.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    moved: list[Movement] = []
    for row in rows:
        middle = month_begins(row["month"], UTC_ZONE) + timedelta(days=14)
        moved.append(mined(f"mined {row['month']}", middle, row["mined_btc"]))
        if parse_btc(row["sold_btc"]):
            moved.append(move("sold", f"sold {row['month']}", middle, account="custody", btc=row["sold_btc"], usd=1))
    stated = tuple(
        Statement(row["month"], *(parse_btc(row[name]) for name in ("mined_btc", "sold_btc", "held_btc")))
        for row in rows
    )
    empty = {"accounts": (Account("custody"),), "facilities": (), "groups": ()}
    register = treasury(*moved, statements=stated, opened=datetime(2024, 11, 1, tzinfo=UTC), **empty)
    assert len(rows) == 15
    assert {row["month"]: produced(register, row["month"]).gap for row in rows} == {row["month"]: 0 for row in rows}
    january = produced(register, "2026-01")
    assert january.opening == parse_btc("7528.30")
    assert january.closing == parse_btc("7474.62")
    doubted = replace(stated[-1], held=stated[-1].held - 1)
    assert produced(replace(register, statements=(*stated, doubted)), "2026-01").gap == -1
