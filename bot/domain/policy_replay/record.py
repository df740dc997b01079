"""What of the record goes on in both runs: what happened anyway, cut down to what there is in each.

Up to the beginning all that is recorded is history. Of what is recorded later, the company's own reaction (sales,
repayments, pledges, releases, coins and dollars sent to a lender) is left out of both runs, whose subject it is. What
would have happened whatever was done about the loans goes on: coins mined, costs, draws, interest paid, transfers,
adjustments; what was sent before is credited; and a loan drawn later gets the coins pledged on its day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from math import floor

from bot.domain.ledger import Ledger
from bot.domain.money import Cents, Sats
from bot.domain.periods import ONE_DAY, midnight
from bot.domain.postings import Asset, Key, Place, Posting, postings
from bot.domain.treasury import Claim, Movement, MovementKind, Notice, Treasury

_GOES_ON = (
    MovementKind.MINED,
    MovementKind.COST,
    MovementKind.DRAWN,
    MovementKind.INTEREST_PAID,
    MovementKind.TRANSFER,
    MovementKind.ADJUSTMENT,
)
_PAYS = (MovementKind.REPAID, MovementKind.INTEREST_PAID)
_COSTS = (MovementKind.COST, MovementKind.ADJUSTMENT)
_OURS = (Place.ACCOUNT, Place.COLLATERAL, Place.POOL, Place.TRANSIT)
_DEBT = (Place.PRINCIPAL, Place.INTEREST)


@dataclass(frozen=True)
class Record:
    """`history`: the treasury as known at the beginning. `later`: what goes on, in order. `left_out`, by kind."""

    history: Treasury
    later: tuple[Movement, ...]
    left_out: Mapping[str, int]


def split(treasury: Treasury, begin: datetime) -> Record:
    """What is history at `begin` and what goes on after it. What is recorded and undone later is in neither."""
    history = tuple(movement for movement in treasury.movements if movement.at <= begin)
    coming = [movement for movement in treasury.movements if movement.at > begin]
    undone = {movement.reverses for movement in coming if movement.kind is MovementKind.REVERSAL}
    known = {movement.ref for movement in history}
    later: list[Movement] = []
    left_out: Counter[str] = Counter()
    for movement in coming:
        if movement.ref in undone or (movement.kind is MovementKind.REVERSAL and movement.reverses not in known):
            continue
        if _goes_on(treasury, begin, movement, known):
            later.append(movement)
        else:
            left_out[movement.kind.value] += 1
    then = replace(
        treasury,
        movements=history,
        notices=tuple(_as_known(notice, begin) for notice in treasury.notices if notice.at <= begin),
        claims=tuple(claim for claim in treasury.claims if _at(claim) <= begin),
    )
    return Record(then, tuple(sorted(later, key=lambda movement: movement.at)), dict(sorted(left_out.items())))


def _goes_on(treasury: Treasury, begin: datetime, movement: Movement, known: set[str]) -> bool:
    if movement.of is not None or movement.kind is MovementKind.REVERSAL:
        return movement.of in known or movement.reverses in known
    if movement.kind is MovementKind.PLEDGED:
        facility = treasury.facility_by_id[movement.facility or ""]
        return begin < facility.drawn_at and movement.at < midnight(facility.drawn + ONE_DAY, facility.zone)
    return movement.kind in _GOES_ON


def _as_known(notice: Notice, begin: datetime) -> Notice:
    """A call as it stood at `begin`: what became of it later is an answer to what was really done."""

    def known(at: datetime | None) -> datetime | None:
        return at if at is not None and at <= begin else None

    return replace(
        notice,
        met=known(notice.met),
        withdrawn=known(notice.withdrawn),
        disputed=known(notice.disputed),
        recovered=known(notice.recovered),
    )


def _at(claim: Claim) -> datetime:
    return claim.thing.at


class Stand:
    """What there is and what is owed at one instant, while the movements of that instant are tried one by one."""

    def __init__(self, ledger: Ledger, instant: datetime) -> None:
        self._treasury, there = ledger.treasury, ledger.at(instant)
        self._by_ref = {movement.ref: movement for movement in ledger.treasury.movements}
        self._left: dict[tuple[Key, Asset], int] = {}
        for name, account in there.accounts.items():
            self._put(Place.ACCOUNT, name, account.btc, account.usd)
        for name, coins in there.collateral.items():
            self._put(Place.COLLATERAL, name, coins, 0)
        for name, coins in there.pools.items():
            self._put(Place.POOL, name, coins, 0)
        for item in there.transit:
            self._put(Place.TRANSIT, item.ref, item.btc, item.usd)
        for name, debt in there.debts.items():
            self._put(Place.PRINCIPAL, name, 0, debt.principal)
            self._put(Place.INTEREST, name, 0, floor(debt.accrued + Fraction(1, 2)))

    def _put(self, place: Place, name: str, btc: Sats, usd: Cents) -> None:
        self._left[Key(place, name), Asset.BTC] = btc
        self._left[Key(place, name), Asset.USD] = usd

    def book(self, movement: Movement) -> None:
        """Takes it as done. A balance that it would leave under 0 shows in `sound`."""
        for key, asset, amount in postings(movement, self._treasury, self._by_ref):
            if key.place in _OURS + _DEBT:
                sign = -1 if key.place in _DEBT else 1
                self._left[key, asset] = self._left.get((key, asset), 0) + sign * amount

    @property
    def sound(self) -> bool:
        """Whether nothing is under 0."""
        return all(left >= 0 for left in self._left.values())

    def cut(self, movement: Movement, places: tuple[Place, ...] = _OURS + _DEBT) -> Movement | None:
        """The movement with no more than there is at `places`, or is owed; None where that is nothing."""
        taken = [p for p in postings(movement, self._treasury, self._by_ref) if p.key.place in places and _takes(p)]
        asset = Asset.BTC if movement.usd is None else Asset.USD
        wanted = abs(getattr(movement, asset.value) or 0)
        least = min([wanted, *(max(self._left.get((p.key, p.asset), 0), 0) for p in taken)])
        if least == wanted:
            return movement
        sign = -1 if (getattr(movement, asset.value) or 0) < 0 else 1
        return replace(movement, **{asset.value: sign * least}) if least else None


def _takes(posting: Posting) -> bool:
    return posting.amount > 0 if posting.key.place in _DEBT else posting.amount < 0


@dataclass(frozen=True)
class Fitted:
    """Recorded movements of one instant as far as they can be, and the costs that cannot: coins and dollars."""

    movements: tuple[Movement, ...]
    unpaid_btc: Sats = 0
    unpaid_usd: Cents = 0


def fitted(ledger: Ledger, movements: list[Movement]) -> Fitted:
    """What of `movements`, all of one instant, can be booked next: no balance under 0, nobody repaid too much."""
    stand = Stand(ledger, movements[0].at)
    done: list[Movement] = []
    unpaid = {Asset.BTC: 0, Asset.USD: 0}
    for movement in sorted(movements, key=_order):
        if movement.kind is MovementKind.REVERSAL:
            stand.book(movement)
            if not stand.sound:
                stand = Stand(ledger, movement.at)
                for booked in done:
                    stand.book(booked)
                continue
            done.append(movement)
            continue
        cut = stand.cut(movement)
        if movement.kind in _COSTS:
            for asset in unpaid:
                missing = abs(getattr(movement, asset.value) or 0) - abs((cut and getattr(cut, asset.value)) or 0)
                unpaid[asset] += missing
        if cut is not None:
            stand.book(cut)
            done.append(cut)
    return Fitted(tuple(done), unpaid[Asset.BTC], unpaid[Asset.USD])


def carried_out(ledger: Ledger, movements: list[Movement]) -> tuple[Movement, ...] | None:
    """A plan's movements of one instant, nobody repaid more than is owed; None where coins or dollars are short."""
    stand = Stand(ledger, movements[0].at)
    done: list[Movement] = []
    for movement in movements:
        cut = stand.cut(movement, _DEBT) if movement.kind in _PAYS else movement
        if cut is not None:
            stand.book(cut)
            done.append(cut)
    return tuple(done) if stand.sound else None


def _order(movement: Movement) -> int:
    """Of one instant, what comes in is there for what goes out."""
    if movement.kind is MovementKind.ADJUSTMENT:
        return 0 if (movement.btc or movement.usd or 0) > 0 else 2
    return {MovementKind.MINED: 0, MovementKind.DRAWN: 0, MovementKind.TRANSFER: 1}.get(movement.kind, 2)
