"""A form of terms: filled in with what is in force it is no amendment, and what is typed is what is agreed, exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import UTC_ZONE

from bot.domain.agreed import Amendment, amendment_table
from bot.domain.periods import Calendar
from bot.domain.terms import DayCount, Facility, InterestMode, Level, Release, Terms, TermsVersion, Tier, TierKind
from bot.domain.treasury import Treasury
from bot.services.agreeing import Agreements
from bot.slack.record_reading import WrongFieldsError
from bot.slack.term_fields import LONGEST_TYPED, TermAsk, term_fields, typed_terms
from bot.treasury_file import read_part
from bot.treasury_file.values import ltv, price

DAY = date(2026, 3, 1)
OPENED = datetime(2026, 1, 31, tzinfo=UTC)


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[Fraction]:
    """Decimals with so many places; the ends are in hundredths."""
    step = 10 ** (places - 2)
    return st.integers(least * step, most * step).map(lambda n: Fraction(n, 100 * step))


pairs = st.tuples(st.integers(1, 10**18), st.integers(1, 10**18)).map(lambda p: Fraction(p[0], p[0] + p[1]))
parts = decimals(0, 99, 4) | decimals(0, 99, 36) | pairs
"""Everything under 1 that a file may have: short and long decimals, and two whole numbers."""
ltvs = decimals(1, 200, 4) | pairs | (decimals(50, 2000, 2) | decimals(50, 2000, 36)).map(lambda value: 1 / value)
"""An LTV, however it is written: one over a coverage as well."""
hours = st.integers(0, 366 * 24 * 10**6).map(lambda n: timedelta(microseconds=n * 3_600))
days = st.dates(date(2025, 1, 2), date(2199, 12, 31))
names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=80)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Lines from mild to fatal: kinds, LTVs and prices each in order; any mixture of them."""
    count = draw(st.integers(0, 4))
    some = {"min_size": count, "max_size": count}
    kinds = sorted(draw(st.lists(st.sampled_from(TierKind), **some)), key=lambda kind: kind.severity)
    lines = sorted(draw(st.lists(ltvs, **some)))
    prices = sorted(draw(st.lists(st.integers(1, 10**12), **some)), reverse=True)
    called = draw(st.lists(names, **some, unique=True))
    return tuple(draw(tier(*one)) for one in zip(kinds, called, lines, prices, strict=True))


@st.composite
def tier(draw: st.DrawFn, kind: TierKind, name: str, line: Fraction, usd: int) -> Tier:
    by_price = draw(st.booleans())
    window = draw(st.none() | hours | st.integers(0, 366))
    cure = draw(st.none() | ltvs) if kind.is_call else None
    return Tier(
        kind,
        name,
        line=None if by_price else line,
        price=usd if by_price else None,
        cure_to=cure if cure is None or by_price else min(cure, line),
        window_hours=window if isinstance(window, timedelta) else None,
        window_days=window if isinstance(window, int) else None,
        due_time=draw(st.none() | st.just(time(17, 30))),
        notice_cutoff=draw(st.none() | st.just(time(12, 0, 30))),
        calendar=draw(st.sampled_from([None, "new-york"])),
        own_level=draw(st.sampled_from([None, Level.NOTICE, Level.CRITICAL])),
        liquidation_fee_bps=draw(st.integers(0, 10_000)),
    )


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    pair = sorted(draw(st.tuples(ltvs, ltvs)))
    return Terms(
        rate=draw(parts),
        day_count=DayCount.ACT_360,
        interest=draw(st.sampled_from(InterestMode)),
        tiers=draw(tiers()),
        release=draw(st.sampled_from([None, Release(*pair, 3)])),
        cushion=draw(parts),
        credit_hours=draw(st.none() | hours),
        min_call_usd=draw(st.integers(0, 10**14)),
        matures=draw(st.none() | days),
    )


def amended(before: Terms, after: Terms) -> Amendment:
    """The amendment, read by a file's own rules."""
    calendar = Calendar("new-york", UTC_ZONE, time(9), time(17))
    facility = Facility("a", "A", 1, date(2025, 1, 1), UTC_ZONE, (TermsVersion(None, before),))
    known = Treasury("T", UTC_ZONE, UTC_ZONE, OPENED, calendars={"new-york": calendar}, facilities=(facility,))
    return Agreements(read_part).amendment(known, facility, DAY, after)


@given(all_terms())
def test_filled_in_with_what_is_in_force_it_is_no_amendment(terms: Terms) -> None:
    fields = term_fields(terms)
    assert all(len(field.shown) <= LONGEST_TYPED for field in fields)
    assert len({field.block for field in fields}) == len(fields)
    read = typed_terms(terms, {field.name: field.shown for field in fields})
    assert read == terms
    assert amendment_table(DAY, terms, read) == {"effective": DAY}
    for part in ({"tiers": terms.tiers}, {"release": terms.release}):  # said anew as a whole, they are what they were
        bare = replace(terms, tiers=(), release=None)
        if replace(bare, **part) != bare:
            assert amended(bare, replace(bare, **part)).version.terms == replace(bare, **part)


@st.composite
def new_values(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, Any], list[int]]:
    """What is typed for the terms besides lines, what it means, and hundredths of a percent for lines, in order."""
    rate, cents, mode = draw(st.integers(100, 9_999)), draw(st.integers(0, 10**14)), draw(st.sampled_from(InterestMode))
    day, minutes = draw(days), draw(st.integers(0, 365 * 24 * 4))
    typed = {
        "rate": f"{rate // 100}.{rate % 100:02d}",
        "cushion": f"{rate}/1000000 %",
        "min_call_usd": f"${cents // 100:,}.{cents % 100:02d}",
        "interest": mode.value,
        "matures": day.isoformat(),
        "credit_hours": f"{minutes // 4}.{minutes % 4 * 25:02d}",
    }
    means = {
        "rate": Fraction(rate, 10_000),
        "cushion": Fraction(rate, 100_000_000),
        "min_call_usd": cents,
        "interest": mode,
        "matures": day,
        "credit_hours": timedelta(minutes=15 * minutes),
    }
    return typed, means, sorted(draw(st.lists(st.integers(201, 20_000), min_size=4, max_size=4)))


@given(all_terms(), new_values())
def test_what_is_typed_is_what_is_in_force_from_the_day_on(
    terms: Terms, new: tuple[dict[str, str], dict[str, Any], list[int]]
) -> None:
    """By a file's own rules; and nothing else is."""
    typed, means, lines = new
    before = replace(terms, release=None)
    expected = []
    for index, (one, line) in enumerate(zip(before.tiers, lines, strict=False)):
        if one.line is not None:
            typed[f"line_{index}"] = f"{line // 100}.{line % 100:02d} %"
            one = replace(one, line=Fraction(line, 10_000))  # noqa: PLW2901
        if one.kind.is_call:
            typed |= {f"cure_{index}": "2 %", f"window_{index}": "3 days"}
            one = replace(one, cure_to=Fraction(1, 50), window_hours=None, window_days=3)  # noqa: PLW2901
        expected.append(one)
    after = typed_terms(before, typed)
    assert after == replace(before, **means, tiers=tuple(expected))
    if after != before:
        made = amended(before, after)
        assert (made.version.terms, made.before) == (after, before)
        assert made.facility.versions[0].terms == before


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("75", Fraction(3, 4)),
        ("75 %", Fraction(3, 4)),
        ("75.00%", Fraction(3, 4)),
        ("66.67 %", Fraction(6667, 10_000)),
        ("200/3 %", Fraction(2, 3)),
        ("1.5 %", Fraction(15, 1000)),
        ("4/3", Fraction(3, 4)),
        ("1.35x", Fraction(20, 27)),
        ("1.35 X", Fraction(20, 27)),
        ("2/3x", Fraction(3, 2)),
        ("$57,142.85", 5_714_285),
        ("$57k", 5_700_000),
    ],
)
def test_a_line_is_what_was_typed(typed: str, means: Fraction | int) -> None:
    line = typed_terms(_with(Tier(TierKind.CALL, "call", line=Fraction(1, 2))), {"line_0": typed}).tiers[0]
    assert (line.line if isinstance(means, Fraction) else line.price) == means
    assert (line.price if isinstance(means, Fraction) else line.line) is None
    if isinstance(means, Fraction):
        assert ltv(str(means)) == means
    else:
        assert price(f"{means / 100:.2f}") == means


def test_a_plain_number_of_a_price_line_is_dollars() -> None:
    terms = _with(Tier(TierKind.CALL, "call", price=6_000_000))
    assert typed_terms(terms, {"line_0": "57,000"}).tiers[0].price == 5_700_000
    assert typed_terms(terms, {"line_0": "75 %"}).tiers[0].line == Fraction(3, 4)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        *(("line_0", text) for text in ("1.35", "2", "0", "0 x", "1/0", "0/3", "4/3/2", "-75", "75 %%", "½", "1e2")),
        *(("rate", text) for text in ("0.07", "1/7", "7/0 %", "-7", "seven", "7 % %", "")),
        *(("window_0", text) for text in ("24", "1.5 days", "h", "2 weeks", "9" * 30 + " h", "0.0000001 h")),
        *(("release_days", text) for text in ("1.5", "-1", "99999", "¹")),
        ("matures", "soon"),
        ("interest", "weekly"),
        ("release_line", "50 %"),
        ("line_7", "75 %"),
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_asked_back(field: str, typed: str) -> None:
    terms = _with(Tier(TierKind.CALL, "call", line=Fraction(1, 2)))
    with pytest.raises(WrongFieldsError):
        typed_terms(terms, {field: typed})


def test_what_is_agreed_cannot_be_taken_away() -> None:
    terms = replace(
        _with(), matures=DAY, credit_hours=timedelta(hours=1), release=Release(Fraction(1, 2), Fraction(3, 5))
    )
    for field in term_fields(terms):
        if field.ask in (TermAsk.DAY, TermAsk.HOURS, TermAsk.DAYS, TermAsk.LTV):
            with pytest.raises(WrongFieldsError, match="cannot take this away"):
                typed_terms(terms, {field.name: ""})


def _with(*lines: Tier, **more: Any) -> Terms:
    return Terms(Fraction(7, 100), DayCount.ACT_360, InterestMode.PAID, tiers=lines, **more)
