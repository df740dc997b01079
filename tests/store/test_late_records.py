"""What was recorded only after an instant that it is dated before, of every kind, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from making import NOON, OPENED, TERMS, a_treasury
from sqlalchemy import text

from bot.domain.terms import DayCount, Facility, Group, GroupTest, InterestMode, PriceIndex, Terms, TermsVersion, Waiver
from bot.domain.treasury import (
    Account,
    CashCost,
    Movement,
    MovementKind,
    Need,
    Notice,
    Policy,
    Statement,
    Treasury,
)
from bot.store import migrate
from bot.store.engine import open_engine, writing
from bot.store.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LATER = NOON, NOON + 30 * DAY
"""When the register was first written, and when what this is about was."""
FREE = Terms(Fraction(0), DayCount.ACT_360, InterestMode.PAID)


def put(store: Store, treasury: Treasury, at: datetime) -> None:
    with store.writing() as tx:
        tx.apply(treasury, at=at, by="U1", source="treasury.toml")


def late(store: Store, at: datetime) -> list[tuple[str, str, datetime, datetime]]:
    with store.reading() as tx:
        return [(one.kind, one.ref, one.at, one.recorded_at) for one in tx.recorded_after(at)]


def first_of(treasury: Treasury, **changes: Any) -> Treasury:
    return replace(treasury, facilities=(replace(treasury.facilities[0], **changes), *treasury.facilities[1:]))


def amended(treasury: Treasury, day: date, **terms: Any) -> Treasury:
    versions = treasury.facilities[0].versions
    new = (*versions, TermsVersion(day, replace(TERMS, **terms)))
    return first_of(treasury, versions=tuple(sorted(new, key=lambda one: one.effective or date.min)))


def waived(treasury: Treasury, since: datetime) -> Treasury:
    more = Waiver(since, since + 40 * DAY, "grace")
    return first_of(treasury, waivers=(*treasury.facilities[0].waivers, more))


def noted(treasury: Treasury, since: datetime) -> Treasury:
    return first_of(treasury, price_index=(*treasury.facilities[0].price_index, PriceIndex(since, "BRR")))


def called(treasury: Treasury, **changes: Any) -> Treasury:
    return replace(treasury, notices=(replace(treasury.notices[0], **changes), *treasury.notices[1:]))


def more(treasury: Treasury, name: str, *things: Any) -> Treasury:
    return replace(treasury, **{name: (*getattr(treasury, name), *things)})


def spent(ref: str, at: datetime) -> Movement:
    return Movement(at, MovementKind.COST, ref, "custody", usd=1)


def loan(name: str, drawn: date) -> Facility:
    return Facility(name, name, 5, drawn, ZoneInfo("Asia/Hong_Kong"), (TermsVersion(None, FREE),))


MONTH = datetime(2026, 2, 1, tzinfo=UTC)
WHEN = FIRST + 2 * DAY
KINDS: dict[str, tuple[Callable[[Treasury], Treasury], str, str, datetime]] = {
    "a movement": (lambda t: more(t, "movements", spent("fee", WHEN)), "movement", "fee", WHEN),
    "a reversal": (
        lambda t: more(t, "movements", Movement(WHEN, MovementKind.REVERSAL, "undo", reverses="mine 1")),
        "movement",
        "undo",
        WHEN,
    ),
    "an amendment, from midnight where its interest accrues": (
        lambda t: amended(t, date(2026, 2, 9), cushion=Fraction(1, 9)),
        "amendment",
        "antalpha 2026-02-09",
        datetime(2026, 2, 9, 6, tzinfo=UTC),
    ),
    "a waiver": (lambda t: waived(t, WHEN), "waiver", "antalpha 2026-02-09", WHEN),
    "a price index": (lambda t: noted(t, WHEN), "price_index", "antalpha 2026-02-09", WHEN),
    "a call": (
        lambda t: more(t, "notices", Notice("notice 3", "margin call", WHEN, 5_700_000, facility="antalpha")),
        "call",
        "notice 3",
        WHEN,
    ),
    "that a call was met": (lambda t: called(t, met=WHEN), "call met", "notice 1", WHEN),
    "that a call was withdrawn": (lambda t: called(t, withdrawn=WHEN), "call withdrawn", "notice 1", WHEN),
    "that a call was disputed": (lambda t: called(t, disputed=WHEN), "call disputed", "notice 1", WHEN),
    "a statement": (lambda t: more(t, "statements", Statement("2026-02", 1, 2, 3)), "statement", "2026-02", MONTH),
    "a restated statement": (
        lambda t: more(t, "statements", Statement("2026-01", 1, 2, 3)),
        "statement",
        "2026-01",
        datetime(2026, 1, 1, tzinfo=UTC),
    ),
    "a cash cost": (lambda t: more(t, "cash_costs", CashCost("2026-02", 7)), "cash_cost", "2026-02", MONTH),
    "an account that began with something": (
        lambda t: more(t, "accounts", Account("bank", 0, 5)),
        "account",
        "bank",
        OPENED,
    ),
    "a loan that was there when the treasury opened": (
        lambda t: more(t, "facilities", loan("old", date(2025, 1, 1))),
        "facility",
        "old",
        OPENED,
    ),
    "a loan from the midnight on which it was drawn": (
        lambda t: more(t, "facilities", loan("new", date(2026, 2, 9))),
        "facility",
        "new",
        datetime(2026, 2, 8, 16, tzinfo=UTC),
    ),
    "a group": (lambda t: more(t, "groups", Group("g", GroupTest.RATIO)), "group", "g", OPENED),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_came_late_is_named_from_its_own_instant_until_it_came(store: Store, name: str) -> None:
    change, what, ref, at = KINDS[name]
    put(store, a_treasury(), FIRST)
    put(store, change(a_treasury()), LATER)
    told = [(what, ref, at, LATER)]
    tick = timedelta.resolution
    for instant in (max(FIRST, at), LATER - tick):
        assert late(store, instant) == told
    for instant in (LATER, LATER + DAY):
        assert late(store, instant) == []
    if at > FIRST:
        assert late(store, at - tick) == []
    assert late(store, FIRST - tick) == []  # nobody can have asked then


UNDATED: dict[str, Callable[[Treasury], Treasury]] = {
    "policy": lambda t: replace(t, policy=Policy(fee_bps=9)),
    "a need": lambda t: more(t, "needs", Need(date(2026, 2, 8), 2, "wages")),
    "an account that began empty": lambda t: more(t, "accounts", Account("new")),
    "how long signers need": lambda t: replace(t, accounts=(replace(t.accounts[0], ready_hours=HOUR), *t.accounts[1:])),
    "what is dated later": lambda t: waived(
        called(
            amended(more(t, "movements", spent("fee", LATER + HOUR)), date(2026, 6, 1), cushion=Fraction(1, 9)),
            met=LATER + HOUR,
        ),
        LATER + HOUR,
    ),
    "a price index since later": lambda t: noted(t, LATER + HOUR),
    "a loan drawn later": lambda t: more(t, "facilities", loan("new", date(2026, 6, 1))),
    "nothing": lambda t: t,
}


@pytest.mark.parametrize("name", UNDATED)
def test_what_has_no_date_or_a_later_one_is_not_named(store: Store, name: str) -> None:
    put(store, a_treasury(), FIRST)
    put(store, UNDATED[name](a_treasury()), LATER)
    assert late(store, LATER - HOUR) == []


def test_what_came_with_its_loan_or_its_call_is_one_record_with_that(store: Store) -> None:
    put(store, a_treasury(), FIRST)
    terms = (TermsVersion(None, FREE), TermsVersion(date(2026, 2, 8), replace(FREE, cushion=Fraction(1, 9))))
    whole = replace(loan("old", date(2025, 1, 1)), versions=terms, waivers=(Waiver(NOON, LATER + DAY, "grace"),))
    whole = replace(whole, price_index=(PriceIndex(NOON, "BRR"),))
    notice = Notice("notice 3", "margin call", WHEN, 5_700_000, facility="antalpha", disputed=WHEN, met=WHEN + HOUR)
    put(store, more(more(a_treasury(), "facilities", whole), "notices", notice), LATER)
    assert [(what, ref) for what, ref, *_ in late(store, LATER - HOUR)] == [("facility", "old"), ("call", "notice 3")]


def test_of_what_was_restated_twice_the_last_is_named_and_all_in_the_order_of_recording(store: Store) -> None:
    made = a_treasury()
    put(store, made, FIRST)
    for step, held in enumerate((3, 4)):
        made = more(made, "statements", Statement("2026-01", 1, 2, held))
        made = more(made, "movements", spent(f"fee {step}", WHEN - step * HOUR))
        put(store, made, LATER + step * HOUR)
    january = datetime(2026, 1, 1, tzinfo=UTC)
    assert late(store, LATER - HOUR) == [
        ("movement", "fee 0", WHEN, LATER),
        ("statement", "2026-01", january, LATER + HOUR),
        ("movement", "fee 1", WHEN - HOUR, LATER + HOUR),
    ]
    assert [ref for _, ref, *_ in late(store, LATER)] == ["2026-01", "fee 1"]


def test_an_amendment_between_two_restates_the_later_as_well(store: Store) -> None:
    put(store, a_treasury(), FIRST)
    first, march = a_treasury().facilities[0].versions
    cushioned = (
        first,
        TermsVersion(date(2026, 2, 9), replace(TERMS, cushion=Fraction(1, 9))),
        replace(march, terms=replace(march.terms, cushion=Fraction(1, 9))),
    )
    put(store, first_of(a_treasury(), versions=cushioned), LATER)
    assert [ref for _, ref, *_ in late(store, LATER - HOUR)] == ["antalpha 2026-02-09", "antalpha 2026-03-01"]


def test_what_price_ended_by_itself_is_recorded_as_it_happens(store: Store) -> None:
    put(store, a_treasury(), FIRST)
    with store.writing() as tx:
        assert tx.record_recovered("notice 1", WHEN)
    put(store, replace(called(a_treasury(), recovered=WHEN), policy=Policy()), LATER)
    assert late(store, WHEN - HOUR) == late(store, WHEN) == late(store, LATER - HOUR) == []
    with store.engine.connect() as connection:
        kept = connection.execute(text("SELECT notice, became, recorded_by, source FROM notice_outcome")).all()
    assert kept == [("notice 2", "disputed", "U1", "treasury.toml"), ("notice 1", "recovered", "plimsoll", "check")]


def test_who_recorded_what_became_of_a_call_is_taken_over_from_the_lines_of_before(
    store: Store, database_url: str
) -> None:
    """As a database of 0005 has it: in the lines of its changes alone."""
    known = first_of(a_treasury(), price_index=())
    put(store, known, FIRST)
    with store.writing() as tx:
        line = "~ call “notice 1” met 2026-02-09T12:00:00Z"
        tx.apply(called(known, met=WHEN), at=LATER, by="U2", source="later.toml", lines=(line,))
    with store.engine.connect() as connection:
        query = text("SELECT * FROM notice_outcome ORDER BY notice, became")
        rows = connection.execute(query).all()
    store.close()
    with writing(open_engine(database_url, foreign_keys=False, pooled=False)) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
    assert migrate.upgrade(database_url)[0] == "0006"
    with store.engine.connect() as connection:  # which connects anew
        assert connection.execute(query).all() == rows
    assert late(store, LATER - HOUR) == [("call met", "notice 1", WHEN, LATER)]


def test_before_any_import_nothing_came_late(store: Store) -> None:
    assert late(store, NOON) == []
