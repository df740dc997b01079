"""Any sequence of movements that the ledger takes: nothing appears, nothing vanishes, nothing goes below zero."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.ledger import Balances, Ledger, ledger_faults
from bot.domain.postings import Asset, Place, net, postings
from bot.domain.terms import DayCount, Facility, Group, GroupTest, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Account, Holds, Movement, MovementKind, Treasury

UTC_ZONE = ZoneInfo("UTC")
OPENED = datetime(2026, 1, 30, 12, tzinfo=UTC)
END = OPENED + timedelta(days=60)
DEAR = TermsVersion(None, Terms(Fraction(36, 100), DayCount.ACT_360, InterestMode.CAPITALISED))
LATE = TermsVersion(None, Terms(Fraction(36, 100), DayCount.ACT_360, InterestMode.AT_CLOSE))


def loan(name: str, **more: Any) -> Facility:
    opening = {"drawn": date(2025, 1, 1), "collateral": 40, "accrued": 5, "versions": (DEAR,)}
    return Facility(name, name, 40, zone=UTC_ZONE, **{**opening, **more})


EMPTY = Treasury(
    "T",
    UTC_ZONE,
    UTC_ZONE,
    OPENED,
    accounts=(Account("a", 60, 60), Account("b", 20, 20), Account("pool", 20, holds=Holds.POOL)),
    facilities=(
        loan("x", accrued=50, versions=(LATE,)),
        loan("y", collateral=0, group="g"),
        loan("z", drawn=date(2026, 2, 3), collateral=0, versions=(LATE,)),
    ),
    groups=(Group("g", GroupTest.RATIO, pool=40),),
)

amounts = st.integers(1, 30)
accounts = st.sampled_from(["a", "b", "pool"])
facilities = st.sampled_from(["x", "y", "z"])
KINDS = [kind for kind in MovementKind if kind is not MovementKind.REVERSAL]
ONE_OF = (MovementKind.SENT, MovementKind.COST, MovementKind.TRANSFER, MovementKind.ADJUSTMENT)
CREDITS = {MovementKind.PLEDGED: "btc", MovementKind.REPAID: "usd", MovementKind.INTEREST_PAID: "usd"}
FIELDS: dict[MovementKind, str] = {
    MovementKind.MINED: "account btc",
    MovementKind.SOLD: "account btc usd fee_btc",
    MovementKind.PLEDGED: "account facility btc",
    MovementKind.RELEASED: "account facility btc",
    MovementKind.SENT: "account facility",
    MovementKind.DRAWN: "account facility usd",
    MovementKind.REPAID: "account facility usd",
    MovementKind.INTEREST_PAID: "account facility usd",
    MovementKind.REPAID_IN_KIND: "facility btc usd",
    MovementKind.COST: "account",
    MovementKind.TRANSFER: "account to",
    MovementKind.ADJUSTMENT: "account reason",
}


@st.composite
def recorded(draw: st.DrawFn, earlier: list[Movement], ref: str) -> Movement:
    """One movement, now and then a reversal or a credit of an earlier one, in no order of time."""
    at = OPENED + timedelta(hours=12 * draw(st.integers(0, 20)))
    if earlier and draw(st.integers(0, 4)) == 0:
        undone = draw(st.sampled_from(earlier))
        return Movement(max(at, undone.at), MovementKind.REVERSAL, ref, reverses=undone.ref)
    sent = [movement for movement in earlier if movement.kind is MovementKind.SENT]
    if draw(st.booleans()) and sent:
        of = draw(st.sampled_from(sent))
        kind = draw(st.sampled_from([kind for kind, unit in CREDITS.items() if getattr(of, unit)]))
        part: Any = {CREDITS[kind]: draw(amounts)}
        return Movement(max(at, of.at), kind, ref, facility=of.facility, of=of.ref, **part)
    return _first_hand(draw, at, ref)


def _first_hand(draw: st.DrawFn, at: datetime, ref: str) -> Movement:
    kind = draw(st.sampled_from(KINDS))
    values: dict[str, Any] = {
        "account": draw(accounts),
        "to": draw(accounts),
        "facility": draw(facilities),
        "btc": draw(amounts),
        "usd": draw(amounts),
        "fee_btc": draw(st.integers(0, 3)),
        "reason": "because",
    }
    said = {name: values[name] for name in FIELDS[kind].split()}
    if kind is MovementKind.SOLD and draw(st.booleans()):
        said["facility"] = values["facility"]
    if kind in ONE_OF:
        asset = draw(st.sampled_from(["btc", "usd"]))
        sign = draw(st.sampled_from([1, -1])) if kind is MovementKind.ADJUSTMENT else 1
        said[asset] = sign * values[asset]
    return Movement(at, kind, ref, **said)


@st.composite
def histories(draw: st.DrawFn, empty: Treasury = EMPTY) -> Treasury:
    """A treasury whose ledger refuses nothing: each movement is kept only if it is taken."""
    taken: list[Movement] = []
    for i in range(draw(st.integers(0, 12))):
        tried = [*taken, draw(recorded(taken, f"m{i}"))]
        if not ledger_faults(replace(empty, movements=tuple(tried))):
            taken = tried
    return replace(empty, movements=tuple(taken))


def whenever(ledger: Ledger) -> list[datetime]:
    """Every instant at which something moves, those just before, and the ends."""
    moments = ledger.moments(OPENED - timedelta(days=1), END)
    return [OPENED, *moments, *(m - timedelta(microseconds=1) for m in moments if m > OPENED), END]


def amounts_in(balances: Balances) -> list[int]:
    found = [*balances.collateral.values(), *balances.pools.values()]
    found += [amount for account in balances.accounts.values() for amount in (account.btc, account.usd)]
    found += [amount for left in balances.transit for amount in (left.btc, left.usd)]
    return found + [amount for debt in balances.debts.values() for amount in (debt.principal, debt.interest)]


def without_reversed(treasury: Treasury) -> list[Movement]:
    undone = {movement.reverses for movement in treasury.movements}
    return [m for m in treasury.movements if m.ref not in undone and m.reverses is None]


thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thoroughly
@given(histories())
def test_all_ledger_accounts_sum_to_nothing_per_asset(treasury: Treasury) -> None:
    by_ref = {movement.ref: movement for movement in treasury.movements}
    for movement in treasury.movements:
        sums = Counter[Asset]()
        for posting in postings(movement, treasury, by_ref):
            sums[posting.asset] += posting.amount
        assert not any(sums.values())
    everything = net(Ledger(treasury).movements_between(OPENED - timedelta(days=1), END))
    for asset in Asset:
        assert sum(amount for (_, unit), amount in everything.items() if unit is asset) == 0


@thoroughly
@given(histories())
def test_nothing_is_ever_negative(treasury: Treasury) -> None:
    ledger = Ledger(treasury)
    for instant in whenever(ledger):
        assert min(amounts_in(ledger.at(instant))) >= 0


@thoroughly
@given(histories())
def test_coins_held_change_only_by_what_came_and_what_went_for_good(treasury: Treasury) -> None:
    """A reversed movement might as well not have happened, once its reversal has."""
    held = Ledger(treasury).at(END).held
    came = 180
    for movement in without_reversed(treasury):
        btc = movement.btc or 0
        if movement.kind in (MovementKind.MINED, MovementKind.ADJUSTMENT):
            came += btc
        elif movement.kind in (MovementKind.SOLD, MovementKind.COST, MovementKind.REPAID_IN_KIND):
            came -= btc + (movement.fee_btc or 0)
    assert held == came


@thoroughly
@given(histories())
def test_dollars_change_only_by_what_came_and_what_went_for_good(treasury: Treasury) -> None:
    end = Ledger(treasury).at(END)
    dollars = sum(account.usd for account in end.accounts.values()) + sum(left.usd for left in end.transit)
    came = 80
    signs = {
        MovementKind.SOLD: 1,
        MovementKind.DRAWN: 1,
        MovementKind.ADJUSTMENT: 1,
        MovementKind.REPAID: -1,
        MovementKind.INTEREST_PAID: -1,
        MovementKind.COST: -1,
    }
    for movement in without_reversed(treasury):
        came += signs.get(movement.kind, 0) * (movement.usd or 0)
    assert dollars == came


@thoroughly
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_recording_is_irrelevant(treasury: Treasury, chance: Any) -> None:
    shuffled = list(treasury.movements)
    chance.shuffle(shuffled)
    again = replace(treasury, movements=tuple(shuffled))
    # A reversal may now come before what it undoes in the list: time decides, not place.
    assert ledger_faults(again) == []
    one, two = Ledger(treasury), Ledger(again)
    for instant in whenever(one):
        here, there = one.at(instant), two.at(instant)
        assert set(here.transit) == set(there.transit)
        assert replace(here, transit=()) == replace(there, transit=())


@thoroughly
@given(histories(), st.integers(0, 20))
def test_the_past_stays_as_it_was(treasury: Treasury, half_days: int) -> None:
    now = OPENED + timedelta(hours=12 * half_days)
    known = replace(treasury, movements=tuple(m for m in treasury.movements if m.at <= now))
    assert Ledger(treasury).at(now) == Ledger(known).at(now)


@thoroughly
@given(histories())
def test_a_movement_that_is_reversed_at_once_leaves_everything_as_it_was(treasury: Treasury) -> None:
    there = Ledger(treasury).at(END)
    for i, movement in enumerate(without_reversed(treasury)):
        undone = Movement(movement.at, MovementKind.REVERSAL, f"u{i}", reverses=movement.ref)
        without = replace(treasury, movements=tuple(m for m in treasury.movements if m is not movement))
        if any(m.of == movement.ref for m in treasury.movements):
            continue
        both = Ledger(replace(treasury, movements=(*treasury.movements, undone)))
        assert both.at(END) == Ledger(without).at(END)
    assert Ledger(treasury).at(END) == there


@thoroughly
@given(histories(), st.data())
def test_what_is_refused_would_break_a_balance_and_what_is_taken_does_not(
    treasury: Treasury, data: st.DataObject
) -> None:
    tried = replace(treasury, movements=(*treasury.movements, data.draw(recorded(list(treasury.movements), "new"))))
    refused = [fault for fault in ledger_faults(tried) if fault.key in ("btc", "usd") and "; at most" in fault.text]
    if not refused:
        return
    ledger = Ledger(tried)
    worst = min(amount for instant in whenever(ledger) for amount in amounts_in(ledger.at(instant)))
    owed = {
        f.id: ledger.debt_at(f.id, instant, instant).accrued for f in tried.facilities for instant in whenever(ledger)
    }
    overpaid = any(
        ledger.at(instant).debts[facility].accrued < Fraction(-1, 2)
        for instant in whenever(ledger)
        for facility in owed
    )
    assert worst < 0 or overpaid


def test_the_search_reaches_every_kind_of_place() -> None:
    """So that the promises above are not kept by histories in which little happens."""
    reached: Counter[Place] = Counter()

    @settings(thoroughly, max_examples=300, database=None)
    @given(histories())
    def look(treasury: Treasury) -> None:
        reached.update(
            {key.place for key, _ in net(Ledger(treasury).movements_between(OPENED - timedelta(days=1), END))}
        )

    look()
    assert set(reached) == set(Place)
