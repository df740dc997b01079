"""The register: what goes in comes out, and what happened is never overwritten."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import psycopg
import pytest
from making import NOON, TERMS, a_large_treasury, a_treasury
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.terms import PriceIndex, TermsVersion, Waiver
from bot.domain.treasury import Account, CashCost, Movement, MovementKind, Need, Notice, Policy, Statement, Treasury
from bot.store.engine import open_engine
from bot.store.store import Store

INT64 = 2**63 - 1


def put(store: Store, treasury: Treasury, at: datetime = NOON) -> bool:
    with store.writing() as tx:
        return tx.apply(treasury, at=at, by="U1", source="treasury.toml")


def stored(store: Store) -> Treasury:
    """As another process would load it."""
    with Store(store.engine).reading() as tx:
        treasury = tx.treasury()
    assert treasury is not None
    return treasury


def test_nothing_is_imported_yet(store: Store) -> None:
    with store.reading() as tx:
        assert tx.treasury() is None
        assert tx.revision() == 0


def test_everything_comes_back_as_it_went_in(store: Store) -> None:
    assert put(store, a_treasury())
    assert stored(store) == a_treasury()


def test_the_same_again_changes_nothing(store: Store) -> None:
    put(store, a_treasury())
    with store.reading() as tx:
        before = tx.revision()
    assert not put(store, a_treasury())
    with store.reading() as tx:
        assert tx.revision() == before == 1


def test_what_is_new_is_added_and_the_rest_stays(store: Store) -> None:
    first = a_treasury()
    put(store, first)
    antalpha, unsecured = first.facilities
    amended = replace(TERMS, rate=Fraction(9, 100))
    second = replace(
        first,
        policy=Policy(max_cover_btc=3),
        accounts=(*first.accounts, Account("a-new", 1, 2)),
        facilities=(
            replace(
                antalpha,
                versions=(*antalpha.versions, TermsVersion(date(2026, 6, 1), amended)),
                waivers=(*antalpha.waivers, Waiver(NOON, NOON + timedelta(days=9), "longer")),
                price_index=(*antalpha.price_index, PriceIndex(NOON, "CF Benchmarks, hourly")),
            ),
            unsecured,
        ),
        notices=(
            replace(first.notices[0], met=NOON),
            first.notices[1],
            Notice("notice 0", "margin call", NOON - timedelta(days=2), 5_800_000, facility="antalpha"),
        ),
        needs=(replace(first.needs[0], usd=1), Need(date(2026, 3, 1), 2, "wages")),
        movements=(
            first.movements[0],
            Movement(NOON - timedelta(hours=1), MovementKind.COST, "late entry", "custody", usd=5),
            *first.movements[1:],
            Movement(NOON, MovementKind.TRANSFER, "transfer 1", "custody", "a-new", btc=1),
        ),
        statements=(*first.statements, Statement("2026-02", 1, 2, 3), Statement("2026-01", 4, 5, 6)),
        cash_costs=(*first.cash_costs, CashCost("2026-01", 1)),
    )
    assert put(store, second)
    assert stored(store) == second


def test_an_amendment_between_two_keeps_what_the_later_said_before(store: Store) -> None:
    first = a_treasury()
    put(store, first)
    facility = first.facilities[0]
    original, later = facility.versions
    between = TermsVersion(date(2026, 2, 15), replace(TERMS, cushion=Fraction(1, 20)))
    carried = replace(later, terms=replace(later.terms, cushion=Fraction(1, 20)))
    second = replace(
        first, facilities=(replace(facility, versions=(original, between, carried)), *first.facilities[1:])
    )
    put(store, second)
    assert stored(store) == second
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT document FROM facility_terms WHERE effective = '2026-03-01'")).all()
    assert len(rows) == 2


def with_movement(treasury: Treasury, **changes: object) -> Treasury:
    return replace(treasury, movements=(replace(treasury.movements[0], **changes), *treasury.movements[1:]))


def with_facility(treasury: Treasury, **changes: object) -> Treasury:
    return replace(treasury, facilities=(replace(treasury.facilities[0], **changes), *treasury.facilities[1:]))


REWRITTEN = {
    "a movement's amount": lambda t: with_movement(t, btc=10),
    "a movement gone": lambda t: replace(t, movements=t.movements[1:]),
    "a principal": lambda t: with_facility(t, principal=1),
    "a collateral": lambda t: with_facility(t, collateral=1),
    "a waiver gone": lambda t: with_facility(t, waivers=()),
    "a price index gone": lambda t: with_facility(t, price_index=()),
    "an opening balance": lambda t: replace(t, accounts=(replace(t.accounts[0], btc=1), *t.accounts[1:])),
    "an account gone": lambda t: replace(t, accounts=t.accounts[:1]),
    "a notice gone": lambda t: replace(t, notices=t.notices[1:]),
    "a statement rewritten": lambda t: replace(t, statements=(Statement("2026-01", 1, 2, 3),)),
    "its opening": lambda t: replace(t, opened=NOON),
}


@pytest.mark.parametrize("rewrite", REWRITTEN.values(), ids=REWRITTEN.keys())
def test_what_is_recorded_cannot_be_rewritten(store: Store, rewrite: object) -> None:
    put(store, a_treasury())
    with pytest.raises(ValueError, match=r"stays|would be lost|never changed"):
        put(store, rewrite(a_treasury()))  # type: ignore[operator]
    assert stored(store) == a_treasury()


def test_who_when_and_whence_stay(store: Store) -> None:
    put(store, a_treasury())
    later = with_movement(a_treasury())
    later = replace(later, movements=(*later.movements, Movement(NOON, MovementKind.COST, "fee", "custody", usd=1)))
    with store.writing() as tx:
        tx.apply(later, at=NOON + timedelta(hours=1), by="U2", source="slack")
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT ref, recorded_by, source FROM movement ORDER BY seq")).all()
        changes = connection.execute(text('SELECT revision, "by", source FROM register_change ORDER BY 1')).all()
    assert rows[0] == ("mine 1", "U1", "treasury.toml")
    assert rows[-1] == ("fee", "U2", "slack")
    assert changes == [(1, "U1", "treasury.toml"), (2, "U2", "slack")]


def test_a_call_that_price_ended_is_recorded_once(store: Store) -> None:
    put(store, a_treasury())
    with store.writing() as tx:
        assert tx.record_recovered("notice 1", NOON)
    with store.writing() as tx:
        assert not tx.record_recovered("notice 1", NOON + timedelta(hours=1))
        assert tx.revision() == 2
    assert stored(store).notices[0].recovered == NOON
    with pytest.raises(ValueError, match="recovered"):
        put(store, a_treasury())


def test_integers_are_exact_to_the_satoshi_at_the_ends(store: Store) -> None:
    extreme = replace(
        a_treasury(),
        accounts=(Account("custody", INT64, INT64), Account("a-pool", 1_234_567_890_112_345_678, 2**53 + 1)),
        movements=(
            Movement(NOON, MovementKind.ADJUSTMENT, "low", "custody", btc=-(2**63), reason="x"),
            Movement(NOON, MovementKind.MINED, "high", "custody", btc=INT64),
        ),
    )
    put(store, extreme)
    assert stored(store) == extreme


@pytest.mark.parametrize("amount", [1.0, True, 2**63, Fraction(1)])
def test_anything_but_a_whole_number_of_64_bits_is_refused(store: Store, amount: object) -> None:
    with pytest.raises(Exception, match="Satoshis"):
        put(store, replace(a_treasury(), accounts=(Account("custody", amount), Account("a-pool"))))  # type: ignore[arg-type]


def test_instants_come_back_aware_and_naive_ones_are_refused(store: Store) -> None:
    tokyo = timezone(timedelta(hours=9))
    instant = datetime(2026, 2, 7, 21, 0, 0, 123456, tzinfo=tokyo)
    put(store, with_movement(a_treasury(), at=instant.astimezone(ZoneInfo("America/Chicago"))))
    at = next(m.at for m in stored(store).movements if m.ref == "mine 1")
    assert at == instant
    assert at.tzinfo is UTC
    naive = Movement(datetime(2026, 2, 8), MovementKind.COST, "naive", "custody", usd=1)  # noqa: DTZ001
    with pytest.raises(Exception, match="timezone"):
        put(store, replace(stored(store), movements=(*stored(store).movements, naive)))


def test_the_register_is_loaded_once_while_nothing_changes(store: Store, database_url: str) -> None:
    put(store, a_treasury())
    with store.reading() as tx:
        first = tx.treasury()
    with store.reading() as tx:
        assert tx.treasury() is first
    other = Store(open_engine(database_url))
    changed = replace(a_treasury(), policy=Policy())
    put(other, changed)
    with store.reading() as tx:
        assert tx.treasury() == changed
    other.close()


def test_what_was_rolled_back_was_never_seen(store: Store) -> None:
    put(store, a_treasury())
    with suppress(ZeroDivisionError), store.writing() as tx:
        tx.apply(replace(a_treasury(), policy=Policy(fee_bps=9)), at=NOON, by="U1", source="x")
        seen = tx.treasury()
        assert seen is not None
        assert seen.policy.fee_bps == 9
        _ = 1 / 0
    put(store, replace(a_treasury(), policy=Policy(fee_bps=8)))
    with store.reading() as tx:
        seen = tx.treasury()
    assert seen is not None
    assert seen.policy.fee_bps == 8


NEGATIVE = [
    "UPDATE account SET btc = -1",
    "UPDATE facility SET principal = -1",
    "UPDATE movement SET usd = -2 WHERE ref = 'mine 1'",
    "UPDATE movement SET fee_btc = -2",
    "UPDATE notice SET price = 0",
    "UPDATE notice SET facility = NULL WHERE ref = 'notice 1'",
    "UPDATE notice SET facility = 'antalpha' WHERE ref = 'notice 2'",
    "UPDATE statement SET held = -1",
    "UPDATE movement SET account = 'nowhere'",
    "UPDATE treasury SET id = 2",
]


@pytest.mark.parametrize("statement", NEGATIVE)
def test_the_database_itself_refuses_what_cannot_be(store: Store, statement: str) -> None:
    put(store, a_treasury())
    with pytest.raises(IntegrityError), store.writing() as tx:
        tx._connection.execute(text(statement))


def test_a_reversal_of_nothing_is_refused_at_the_commit(store: Store) -> None:
    put(store, a_treasury())
    stray = Movement(NOON, MovementKind.REVERSAL, "undo 2", reverses="no such ref")
    with pytest.raises((IntegrityError, sqlite3.IntegrityError, psycopg.IntegrityError)):
        put(store, replace(a_treasury(), movements=(*a_treasury().movements, stray)))
    assert stored(store) == a_treasury()


def test_a_movement_may_name_one_of_the_same_import_that_comes_after_it(store: Store) -> None:
    undo, mistake = (
        Movement(NOON, MovementKind.REVERSAL, "undo 2", reverses="oops"),
        Movement(NOON, MovementKind.COST, "oops", "custody", usd=1),
    )
    both = replace(a_treasury(), movements=(*a_treasury().movements, undo, mistake))
    put(store, both)
    assert stored(store) == both


def test_two_years_of_ten_facilities_come_back(store: Store) -> None:
    large = a_large_treasury()
    put(store, large)
    assert stored(store) == large
