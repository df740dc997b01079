"""What there is and what is owed at any instant, derived from the opening figures and the movements.

Nothing here is stored: holdings, collateral, transit and debt are sums of the same postings, so they cannot
disagree. Movements of one instant are one step, after that instant's midnight.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from math import floor
from operator import attrgetter
from typing import NamedTuple

from bot.domain.booked import booked
from bot.domain.interest import Debt, Loan, Standing, begun_day
from bot.domain.ledger_rules import LedgerFault, Suspects, balance_fault, movement_faults
from bot.domain.money import Cents, Sats
from bot.domain.periods import as_utc, iso
from bot.domain.postings import Asset, Effect, Key, Place, coins_key, effect_of, net
from bot.domain.treasury import Movement, MovementKind, Treasury

__all__ = [
    "AccountBalance",
    "Balances",
    "Credited",
    "Debt",
    "Effect",
    "Ledger",
    "LedgerFault",
    "Transit",
    "ledger_faults",
]

_Change = Mapping[tuple[Key, Asset], int]

_DEBT = (Place.PRINCIPAL, Place.INTEREST)
_OURS = (Place.ACCOUNT, Place.COLLATERAL, Place.POOL, Place.TRANSIT)


@dataclass(frozen=True, slots=True)
class Transit:
    """What remains of a `sent` (satoshis, cents): still ours, but neither free nor collateral nor repayment."""

    ref: str
    facility: str
    sent_at: datetime
    btc: Sats
    usd: Cents


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What is in one account: satoshis and cents."""

    btc: Sats
    usd: Cents


@dataclass(frozen=True, slots=True)
class Balances:
    """Everything at one instant. `collateral` is 0 for a facility whose group holds the coins in its pool.

    `transit` has only what is still on its way, in the order in which it was sent.
    """

    accounts: Mapping[str, AccountBalance]
    debts: Mapping[str, Debt]
    collateral: Mapping[str, Sats]
    pools: Mapping[str, Sats]
    transit: tuple[Transit, ...]

    @property
    def held(self) -> Sats:
        """All coins that are ours: in accounts (those owed by mining pools too), pledged, and in transit."""
        return (
            sum(account.btc for account in self.accounts.values())
            + sum(self.collateral.values())
            + sum(self.pools.values())
            + sum(transit.btc for transit in self.transit)
        )


@dataclass(frozen=True, slots=True)
class Credited:
    """What lenders took in: coins pledged less released (satoshis), and principal repaid (cents)."""

    btc: Sats
    usd: Cents


class _Step(NamedTuple):
    """What the movements of one instant left behind. Debts are kept apart: interest moves them too."""

    accounts: Mapping[str, AccountBalance]
    collateral: Mapping[str, Sats]
    pools: Mapping[str, Sats]
    transit: Mapping[str, Transit]
    on_the_way: tuple[Transit, ...]


class _DebtLine(NamedTuple):
    """One loan: `standings[0]` is that at `opened`, `standings[i + 1]` that after the movements of `instants[i]`.

    `paid[i]` is all interest paid (cents) by `standings[i]`.
    """

    loan: Loan
    instants: list[datetime]
    standings: list[Standing]
    paid: list[Cents]

    def last(self, instant: datetime) -> Standing:
        return self.standings[bisect_right(self.instants, instant)]

    def fork(self) -> _DebtLine:
        """One that can go on by itself."""
        return _DebtLine(self.loan, [*self.instants], [*self.standings], [*self.paid])

    def move(self, instant: datetime, change: _Change) -> None:
        facility = self.loan.facility
        before = self.loan.roll(self.standings[-1], begun_day(instant, facility.zone))
        principal = before.debt.principal - change.get((Key(Place.PRINCIPAL, facility.id), Asset.USD), 0)
        interest = change.get((Key(Place.INTEREST, facility.id), Asset.USD), 0)
        self.instants.append(instant)
        self.standings.append(Standing(before.day, Debt(principal, before.debt.accrued - interest)))
        self.paid.append(self.paid[-1] + interest)


class Ledger:
    """Every balance of one treasury at every instant since `opened`.

    The treasury must be one in which `ledger_faults` finds nothing. What happens later changes nothing that was
    true before it.
    """

    def __init__(self, treasury: Treasury) -> None:
        self.treasury = treasury
        movements = booked(treasury)
        self._by_ref = {movement.ref: movement for movement in movements}
        in_order = sorted(movements, key=attrgetter("at"))
        self._effects = tuple(effect_of(movement, treasury, self._by_ref) for movement in in_order)
        self._effect_times = [effect.at for effect in self._effects]
        self._zones = {facility.zone for facility in treasury.facilities}
        self._debts = {f.id: _debt_line(Loan(f, treasury.opened)) for f in treasury.facilities}
        self._instants: list[datetime] = []
        self._steps = [_opening(treasury)]
        for instant, effects in self.steps():
            change = net(effects)
            self._instants.append(instant)
            self._steps.append(_after(self._steps[-1], change, self._by_ref))
            for facility in {key.id for key, _ in change if key.place in _DEBT}:
                self._debts[facility].move(instant, change)

    def then(self, movements: Iterable[Movement]) -> Ledger:
        """The same with `movements` of one instant at its end; what is there already is not reckoned anew.

        The instant is that of the last step, whose movements they join, or a later one. ValueError: it is neither.
        """
        added = tuple(movements)
        instants = {movement.at for movement in added}
        if len(instants) != 1 or (self._instants and min(instants) < self._instants[-1]):
            raise ValueError("what is added to a ledger is of one instant, and not before what it has")
        grown, instant = copy(self), min(instants)
        grown.treasury = replace(self.treasury, movements=self.treasury.movements + added)
        grown._by_ref = self._by_ref | {movement.ref: movement for movement in added}
        effects = tuple(effect_of(movement, grown.treasury, grown._by_ref) for movement in added)
        grown._effects = self._effects + effects
        grown._effect_times = [*self._effect_times, *(effect.at for effect in effects)]
        change = net(effects)
        joins = bool(self._instants) and self._instants[-1] == instant
        kept = self._steps[:-1] if joins else self._steps
        grown._steps = [*kept, _after(self._steps[-1], change, grown._by_ref)]
        grown._instants = self._instants if joins else [*self._instants, instant]
        moved = {key.id for key, _ in change if key.place in _DEBT}
        grown._debts = {facility: line.fork() if facility in moved else line for facility, line in self._debts.items()}
        for facility in moved:
            grown._debts[facility].move(instant, change)
        return grown

    @property
    def opening(self) -> Balances:
        """The opening balances: at `opened`, before any movement of that instant."""
        debts = {facility: line.standings[0].debt for facility, line in self._debts.items()}
        return _balances(self._steps[0], debts)

    def at(self, instant: datetime) -> Balances:
        """Everything after `instant`'s midnight, if it is one, and after all its movements.

        ValueError: `instant` is naive, or before `opened`.
        """
        instant = as_utc(instant)
        if instant < self.treasury.opened:
            raise ValueError(f"{iso(instant)} is before the treasury opened ({iso(self.treasury.opened)})")
        days = {zone: begun_day(instant, zone) for zone in self._zones}
        debts = {
            facility: line.loan.roll(line.last(instant), days[line.loan.facility.zone]).debt
            for facility, line in self._debts.items()
        }
        return _balances(self._steps[bisect_right(self._instants, instant)], debts)

    def debt_at(self, facility_id: str, when: datetime, known_until: datetime) -> Debt:
        """The debt at `when` if nothing moves it after `known_until`; terms, a later draw and interest go on.

        Where `known_until` is after `when`, the debt as it was at `when`; before `opened`, the opening figures are
        what is known. KeyError: no such facility. ValueError: a naive datetime.
        """
        line = self._debts[facility_id]
        when = as_utc(when)
        known = line.last(min(as_utc(known_until), when))
        return line.loan.roll(known, begun_day(when, line.loan.facility.zone)).debt

    def interest_paid(self, facility_id: str, after: datetime, until: datetime) -> Cents:
        """The interest paid in (after, until], in cents; a reversal in it counts negatively. KeyError as `debt_at`."""
        line = self._debts[facility_id]
        before, by = (bisect_right(line.instants, as_utc(instant)) for instant in (after, until))
        return line.paid[by] - line.paid[before]

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """The instants in (after, until] at which something moves, in order, each once."""
        return self._instants[_within(self._instants, after, until)]

    def movements_between(self, after: datetime, until: datetime) -> tuple[Effect, ...]:
        """What moved in (after, until], in order; a reversal is an effect of its own, at its own instant."""
        return self._effects[_within(self._effect_times, after, until)]

    def steps(self) -> Iterator[tuple[datetime, tuple[Effect, ...]]]:
        """Every instant at which something moves, with all that moves then."""
        for instant, effects in groupby(self._effects, key=attrgetter("at")):
            yield instant, tuple(effects)

    def credited(self, facility_ids: Collection[str], after: datetime, until: datetime) -> Credited:
        """What the lender of these facilities credited in (after, until]; a reversal in it counts negatively."""
        btc = usd = 0
        for effect in self.movements_between(after, until):
            movement = effect.movement
            if movement.facility not in facility_ids:
                continue
            match movement.kind:
                case MovementKind.PLEDGED:
                    btc += effect.sign * (movement.btc or 0)
                case MovementKind.RELEASED:
                    btc -= effect.sign * (movement.btc or 0)
                case MovementKind.REPAID | MovementKind.REPAID_IN_KIND:
                    usd += effect.sign * (movement.usd or 0)
                case _:
                    pass
        return Credited(btc, usd)


def ledger_faults(treasury: Treasury) -> list[LedgerFault]:
    """Everything in the movements that must be refused, in their order.

    First each movement by itself; then, with the sound ones booked, every balance after every step. A balance that
    a refused movement would have changed isn't tested from there on, and one that fails is named once: one mistake
    is one fault. Open claims are held to the same, as what they are booked as.
    """
    treasury = replace(treasury, movements=booked(treasury), claims=())
    faults, sound, suspects = movement_faults(treasury)
    ledger = Ledger(replace(treasury, movements=tuple(movement for _, movement in sound)))
    index = {movement.ref: position for position, movement in sound}
    return sorted([*faults, *_balance_faults(ledger, index, suspects)], key=attrgetter("index"))


def _balance_faults(ledger: Ledger, index: Mapping[str, int], suspects: Suspects) -> Iterator[LedgerFault]:
    held = _opening_amounts(ledger.treasury)
    named: set[tuple[Key, Asset]] = set()
    for instant, effects in ledger.steps():
        for entry, change in net(effects).items():
            key, asset = entry
            if key.place in _DEBT:
                left = _debt_left(ledger, key, instant)
            elif key.place in _OURS:
                left = held[entry] = held.get(entry, 0) + change
            else:
                continue
            if left < 0 and entry not in named and not suspects.touches(key, instant):
                named.add(entry)
                yield balance_fault(effects, key, asset, left, index)


def _debt_left(ledger: Ledger, key: Key, instant: datetime) -> Cents:
    """What is still owed after the payments of `instant`; interest may be paid to the cent, half-up."""
    debt = ledger.debt_at(key.id, instant, instant)
    return debt.principal if key.place is Place.PRINCIPAL else floor(debt.accrued + Fraction(1, 2))


def _opening_amounts(treasury: Treasury) -> dict[tuple[Key, Asset], int]:
    """The opening figures of what is ours. Coins entered for a facility whose group has a pool are the pool's."""
    held: dict[tuple[Key, Asset], int] = {}
    for account in treasury.accounts:
        held[Key(Place.ACCOUNT, account.id), Asset.BTC] = account.btc
        held[Key(Place.ACCOUNT, account.id), Asset.USD] = account.usd
    for group in treasury.groups:
        held[Key(Place.POOL, group.id), Asset.BTC] = group.pool or 0
    for facility in treasury.facilities:
        entry = coins_key(facility.id, treasury), Asset.BTC
        held[entry] = held.get(entry, 0) + facility.collateral
    return held


def _opening(treasury: Treasury) -> _Step:
    held = _opening_amounts(treasury)
    return _Step(
        accounts={account.id: AccountBalance(account.btc, account.usd) for account in treasury.accounts},
        collateral={f.id: held.get((Key(Place.COLLATERAL, f.id), Asset.BTC), 0) for f in treasury.facilities},
        pools={g.id: held[Key(Place.POOL, g.id), Asset.BTC] for g in treasury.groups if g.pool is not None},
        transit={},
        on_the_way=(),
    )


def _after(before: _Step, change: _Change, by_ref: Mapping[str, Movement]) -> _Step:
    """The next step; what didn't change is shared with the one before."""
    accounts, collateral = dict(before.accounts), dict(before.collateral)
    pools, transit = dict(before.pools), dict(before.transit)
    for (key, asset), amount in change.items():
        btc, usd = (amount, 0) if asset is Asset.BTC else (0, amount)
        match key.place:
            case Place.ACCOUNT:
                account = accounts[key.id]
                accounts[key.id] = AccountBalance(account.btc + btc, account.usd + usd)
            case Place.COLLATERAL:
                collateral[key.id] += btc
            case Place.POOL:
                pools[key.id] += btc
            case Place.TRANSIT:
                sent = by_ref[key.id]
                left = transit.get(key.id) or Transit(key.id, sent.facility or "", sent.at, 0, 0)
                transit[key.id] = replace(left, btc=left.btc + btc, usd=left.usd + usd)
            case _:
                pass
    transit = {ref: left for ref, left in transit.items() if left.btc or left.usd}
    return _Step(accounts, collateral, pools, transit, tuple(sorted(transit.values(), key=attrgetter("sent_at"))))


def _balances(step: _Step, debts: Mapping[str, Debt]) -> Balances:
    return Balances(step.accounts, debts, step.collateral, step.pools, step.on_the_way)


def _debt_line(loan: Loan) -> _DebtLine:
    return _DebtLine(loan, [], [loan.opening], [0])


def _within(instants: Sequence[datetime], after: datetime, until: datetime) -> slice:
    return slice(bisect_right(instants, as_utc(after)), bisect_right(instants, as_utc(until)))
