"""Double entry: every movement takes from one place what it puts in another, so each asset sums to zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot.domain.treasury import Movement, MovementKind, Treasury


class Asset(StrEnum):
    """What is counted: `btc` in satoshis, `usd` in cents."""

    BTC = "btc"
    USD = "usd"


class Place(StrEnum):
    """Where an asset is, or, from `mined` on, where it came from or went for good.

    Debt is dollars in a place of the lender's: `principal` and `interest` go up by what is repaid.
    """

    ACCOUNT = "account"
    COLLATERAL = "collateral"
    POOL = "pool"
    TRANSIT = "transit"
    PRINCIPAL = "principal"
    INTEREST = "interest"
    MINED = "mined"
    MARKET = "market"
    FEES = "fees"
    COSTS = "costs"
    ADJUSTMENTS = "adjustments"
    IN_KIND = "in_kind"


class Key(NamedTuple):
    """One ledger account. `id` names the account, facility, group (pool) or `sent` (transit); else it is empty."""

    place: Place
    id: str = ""


class Posting(NamedTuple):
    """`amount` of `asset` comes to `key`, or leaves it where negative."""

    key: Key
    asset: Asset
    amount: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What one recorded movement did.

    `movement` is what was done (sign 1) or, for a reversal, what was undone (sign −1); `record` is the movement as
    recorded, whose `at` is the effect's. `postings` have their sign already.
    """

    at: datetime
    sign: int
    movement: Movement
    record: Movement
    postings: tuple[Posting, ...]


def effect_of(record: Movement, treasury: Treasury, by_ref: Mapping[str, Movement]) -> Effect:
    """What `record` does; of a reversal, the undoing. KeyError as for `postings`."""
    done = tuple(postings(record, treasury, by_ref))
    if record.kind is MovementKind.REVERSAL:
        return Effect(record.at, -1, by_ref[record.reverses or ""], record, done)
    return Effect(record.at, 1, record, record, done)


def net(effects: Iterable[Effect]) -> dict[tuple[Key, Asset], int]:
    """What comes to each ledger account in sum, per asset."""
    sums: dict[tuple[Key, Asset], int] = {}
    for effect in effects:
        for key, asset, amount in effect.postings:
            sums[key, asset] = sums.get((key, asset), 0) + amount
    return sums


def postings(movement: Movement, treasury: Treasury, by_ref: Mapping[str, Movement]) -> list[Posting]:
    """What `movement` does, as amounts that sum to zero per asset.

    `by_ref` holds the movements that a reversal may name. KeyError: it isn't there, or a facility is unknown.
    """
    if movement.kind is MovementKind.REVERSAL:
        undone = by_ref[movement.reverses or ""]
        return [Posting(p.key, p.asset, -p.amount) for p in postings(undone, treasury, by_ref)]
    return _ENTRIES[movement.kind](movement, treasury)


def coins_key(facility_id: str, treasury: Treasury) -> Key:
    """Where the coins pledged to a facility are: with it, or in its group's pool."""
    pool = treasury.pool_of(treasury.facility_by_id[facility_id])
    return Key(Place.POOL, pool.id) if pool else Key(Place.COLLATERAL, facility_id)


def _move(source: Key, target: Key, asset: Asset, amount: int) -> list[Posting]:
    return [Posting(source, asset, -amount), Posting(target, asset, amount)]


def _move_one(source: Key, target: Key, movement: Movement) -> list[Posting]:
    """The one asset that a movement of “btc or usd” names."""
    if movement.btc is not None:
        return _move(source, target, Asset.BTC, movement.btc)
    return _move(source, target, Asset.USD, movement.usd or 0)


def _account(movement: Movement) -> Key:
    return Key(Place.ACCOUNT, movement.account or "")


def _source(movement: Movement) -> Key:
    """The account, or with `of` the transit of that `sent`."""
    return Key(Place.TRANSIT, movement.of) if movement.of is not None else _account(movement)


def _coins(movement: Movement, treasury: Treasury) -> Key:
    return coins_key(movement.facility or "", treasury)


def _mined(movement: Movement, _: Treasury) -> list[Posting]:
    return _move(Key(Place.MINED), _account(movement), Asset.BTC, movement.btc or 0)


def _sold(movement: Movement, treasury: Treasury) -> list[Posting]:
    coins = _coins(movement, treasury) if movement.facility is not None else _account(movement)
    sale = _move(coins, Key(Place.MARKET), Asset.BTC, movement.btc or 0)
    if movement.fee_btc:
        sale += _move(coins, Key(Place.FEES), Asset.BTC, movement.fee_btc)
    return sale + _move(Key(Place.MARKET), _account(movement), Asset.USD, movement.usd or 0)


def _pledged(movement: Movement, treasury: Treasury) -> list[Posting]:
    return _move(_source(movement), _coins(movement, treasury), Asset.BTC, movement.btc or 0)


def _released(movement: Movement, treasury: Treasury) -> list[Posting]:
    return _move(_coins(movement, treasury), _account(movement), Asset.BTC, movement.btc or 0)


def _sent(movement: Movement, _: Treasury) -> list[Posting]:
    return _move_one(_account(movement), Key(Place.TRANSIT, movement.ref), movement)


def _drawn(movement: Movement, _: Treasury) -> list[Posting]:
    return _move(Key(Place.PRINCIPAL, movement.facility or ""), _account(movement), Asset.USD, movement.usd or 0)


def _repaid(movement: Movement, _: Treasury) -> list[Posting]:
    return _move(_source(movement), Key(Place.PRINCIPAL, movement.facility or ""), Asset.USD, movement.usd or 0)


def _interest_paid(movement: Movement, _: Treasury) -> list[Posting]:
    return _move(_source(movement), Key(Place.INTEREST, movement.facility or ""), Asset.USD, movement.usd or 0)


def _repaid_in_kind(movement: Movement, treasury: Treasury) -> list[Posting]:
    swap = Key(Place.IN_KIND)
    principal = Key(Place.PRINCIPAL, movement.facility or "")
    return _move(_coins(movement, treasury), swap, Asset.BTC, movement.btc or 0) + _move(
        swap, principal, Asset.USD, movement.usd or 0
    )


def _cost(movement: Movement, _: Treasury) -> list[Posting]:
    return _move_one(_account(movement), Key(Place.COSTS), movement)


def _transfer(movement: Movement, _: Treasury) -> list[Posting]:
    return _move_one(_account(movement), Key(Place.ACCOUNT, movement.to or ""), movement)


def _adjustment(movement: Movement, _: Treasury) -> list[Posting]:
    return _move_one(Key(Place.ADJUSTMENTS), _account(movement), movement)


_ENTRIES: Mapping[MovementKind, Callable[[Movement, Treasury], list[Posting]]] = {
    MovementKind.MINED: _mined,
    MovementKind.SOLD: _sold,
    MovementKind.PLEDGED: _pledged,
    MovementKind.RELEASED: _released,
    MovementKind.SENT: _sent,
    MovementKind.DRAWN: _drawn,
    MovementKind.REPAID: _repaid,
    MovementKind.INTEREST_PAID: _interest_paid,
    MovementKind.REPAID_IN_KIND: _repaid_in_kind,
    MovementKind.COST: _cost,
    MovementKind.TRANSFER: _transfer,
    MovementKind.ADJUSTMENT: _adjustment,
}
