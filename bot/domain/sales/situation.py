"""What must be cured at the scenario price, by when, and the inequalities that say so (contract §3 and §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.book import Book, Snapshot
from bot.domain.calls import Call, calls_of, deadline, open_calls
from bot.domain.covenant import Exposure, Reading, read
from bot.domain.money import SATS_PER_BTC, Cents, Sats
from bot.domain.price import PriceView
from bot.domain.sales.plan import Need
from bot.domain.terms import Consent, Facility, Group, GroupTest, TierKind


def needs_of(book: Book, view: PriceView) -> list[Need]:
    """Everything that would be at a call line or worse at `view`, or has an open call; in the Book's order."""
    calls = open_calls(book)
    found = (_need(book, read(exposure, view), calls_of(exposure, calls)) for exposure in book.exposures)
    return [need for need in found if need is not None]


def _need(book: Book, reading: Reading, calls: list[Call]) -> Need | None:
    exposure, worst = reading.exposure, reading.worst
    reached = worst is not None and worst.tier.kind.severity >= TierKind.CALL.severity
    if not exposure.bounds or not exposure.tested or not (reached or calls):
        return None
    ranks = [call.rank for call in calls] + ([worst.rank] if worst is not None else [])
    bound = exposure.bounds[max(ranks)]
    dues = [call.due for call in calls if call.due is not None]
    ahead = [due for due in dues if due > book.at]
    uncalled = worst is not None and reached and worst.rank > max((call.rank for call in calls), default=-1)
    if uncalled:
        ahead += _if_called_now(book, reading)
    return Need(
        key=exposure.key,
        id=exposure.id,
        title=exposure.title,
        is_group=exposure.is_group,
        tier=bound.tier,
        target=bound.target if bound.target is not None else Fraction(0),
        due=min(ahead, default=None),
        missed=len([due for due in dues if due <= book.at]) > 0,
        called=bool(calls),
    )


def _if_called_now(book: Book, reading: Reading) -> Iterator[datetime]:
    for tier in reading.reached:
        if tier.tier.kind.severity >= TierKind.CALL.severity:
            due = deadline(tier.tier, book.at, book.treasury.calendars, book.treasury.zone)
            if due is not None:
                yield due


@dataclass(frozen=True, slots=True)
class Member:
    """A loan that may be repaid: `owed` is the debt its lender's LTV counts, `least` its least repayment; cents."""

    id: str
    owed: Cents
    least: Cents


@dataclass(frozen=True, slots=True)
class Spot:
    """Where pledged coins are: with a facility, or in a group's pool. `opens` is when they can be sold there."""

    id: str
    facility: str
    coins: Sats
    consent: Consent
    opens: datetime


@dataclass(frozen=True, slots=True)
class Test:
    """Σ weight·repaid + `per_coin`·(coins added − coins sold) ≥ `short`: cents, and cents per satoshi.

    `weights` by member, `spots` by id; `is_need` where it is a cure, else a line that must not be crossed for it.
    """

    weights: Mapping[str, Fraction]
    spots: frozenset[str]
    per_coin: Fraction
    short: Fraction
    is_need: bool


@dataclass(frozen=True)
class Patient:
    """What is cured together: a lone facility, or a group with all its members.

    `due` is the earliest deadline of its needs; `credit` is what its slowest lender takes from sent to credited.
    """

    id: str
    members: tuple[Member, ...]
    spots: tuple[Spot, ...]
    tests: tuple[Test, ...]
    due: datetime | None
    credit: timedelta


def patients_of(book: Book, needs: Sequence[Need]) -> list[str]:
    """What is cured together, by name: each group that needs it or has a member that does, else each facility."""
    return list(dict.fromkeys(patient_of(book, need) for need in needs))


def patient_of(book: Book, need: Need) -> str:
    """The name of what `need` is cured together with."""
    group = need.id if need.is_group else book.treasury.facility_by_id[need.id].group
    return f"group:{group}" if group else f"facility:{need.id}"


def patient(book: Book, view: PriceView, needs: Sequence[Need], key: str, settles: datetime) -> Patient:
    """One of `patients_of`, with its debts run on to `settles`."""
    then = book.register.snapshot(book.at, settles)
    kind, name = key.split(":", 1)
    treasury = book.treasury
    group = treasury.group_by_id[name] if kind == "group" else None
    facilities = treasury.members(group) if group else (treasury.facility_by_id[name],)
    by_key = {need.key: need for need in needs}
    tests = list(_tests(then, view, by_key, facilities, group))
    own = {facility.id for facility in facilities}
    mine = [need for need in needs if (group is not None and need.id == name if need.is_group else need.id in own)]
    return Patient(
        id=key,
        members=tuple(Member(f.id, then.tested(f), then.terms(f).min_repayment) for f in facilities),
        spots=tuple(_spots(book, then, facilities, group)),
        tests=tuple(tests),
        due=min((need.due for need in mine if need.due is not None), default=None),
        credit=max(then.terms(f).credit_hours or timedelta(0) for f in facilities),
    )


def _spots(book: Book, then: Snapshot, facilities: tuple[Facility, ...], group: Group | None) -> Iterator[Spot]:
    if group is not None and group.pool is not None:
        exposure = then.group(group)
        yield Spot(pool_spot(group), facilities[0].id, exposure.collateral, exposure.consent, _opens(book, exposure))
        return
    for facility in facilities:
        exposure = then.facility(facility)
        yield Spot(facility.id, facility.id, exposure.collateral, exposure.consent, _opens(book, exposure))


def pool_spot(group: Group) -> str:
    """A pool's spot; no facility has such an id."""
    return f"pool:{group.id}"


def _opens(book: Book, exposure: Exposure) -> datetime:
    calendar = book.treasury.calendars.get(exposure.desk_calendar) if exposure.desk_calendar else None
    return calendar.next_open(book.at) if calendar else book.at


def _tests(
    then: Snapshot,
    view: PriceView,
    needs: Mapping[str, Need],
    facilities: tuple[Facility, ...],
    group: Group | None,
) -> Iterator[Test]:
    for facility in facilities:
        exposure = then.facility(facility)
        if exposure.bounds and exposure.tested:
            yield _test(exposure, view, needs.get(exposure.key), [facility.id], frozenset({facility.id}))
    if group is None:
        return
    exposure = then.group(group)
    if not exposure.bounds or not exposure.tested:
        return
    spots = frozenset({pool_spot(group)}) if group.pool is not None else frozenset(f.id for f in facilities)
    need = needs.get(exposure.key)
    if need is not None and group.test is GroupTest.REQUIREMENTS:
        yield _required(then, view, group, need, spots)
    else:
        yield _test(exposure, view, need, [f.id for f in facilities], spots)


def _test(exposure: Exposure, view: PriceView, need: Need | None, members: list[str], spots: frozenset[str]) -> Test:
    """D − R ≤ T·V·(C + added − sold). What needs no cure may not get worse than it is, or than its target."""
    reading = read(exposure, view)
    valued = (reading.valued or Fraction(0)) / SATS_PER_BTC
    target = need.target if need else exposure.bounds[0].target or Fraction(0)
    per_coin = target * valued
    if need is None and exposure.collateral:
        per_coin = max(per_coin, Fraction(exposure.tested, exposure.collateral))
    short = exposure.tested - per_coin * exposure.collateral
    return Test(dict.fromkeys(members, Fraction(1)), spots, per_coin, short, need is not None)


def _required(then: Snapshot, view: PriceView, group: Group, need: Need, spots: frozenset[str]) -> Test:
    """Σ(Dᵢ − Rᵢ)/Tᵢ ≤ V·(C + added − sold), times the target, so that it counts in cents of cure."""
    exposure = then.group(group)
    valued = (read(exposure, view).valued or Fraction(0)) / SATS_PER_BTC
    targets = then.required_targets(group, need.tier.kind)
    if any(not target for target in targets.values()):
        return Test(dict.fromkeys(targets, Fraction(1)), spots, Fraction(0), Fraction(exposure.tested), is_need=True)
    debts = {f: then.tested(then.treasury.facility_by_id[f]) for f in targets}
    asked = sum((debts[f] / target for f, target in targets.items() if target), Fraction(0))
    combined = sum(debts.values()) / asked
    weights = {f: combined / target for f, target in targets.items() if target}
    return Test(weights, spots, combined * valued, combined * (asked - valued * exposure.collateral), is_need=True)
