"""What a movement may say: the fields of each kind, the names they use, and what they may refer to.

Rules that need no balance are here; what a movement would do to the balances is for `ledger.ledger_faults`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.domain.money import show_btc, show_usd
from bot.domain.periods import iso
from bot.domain.postings import Asset, Effect, Key, Place, coins_key
from bot.domain.treasury import Holds, Movement, MovementKind, Treasury


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """Why one movement is refused. `index` is its place in `treasury.movements`, `key` the field that is wrong."""

    ref: str
    index: int
    key: str
    text: str


class _Fields(NamedTuple):
    """What a kind needs and may have. `one_of`: exactly one of btc and usd as well."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    one_of: bool = False


_FIELDS: Mapping[MovementKind, _Fields] = {
    MovementKind.MINED: _Fields(("account", "btc"), ("site", "region")),
    MovementKind.SOLD: _Fields(
        ("btc", "usd", "account"), ("facility", "gross_usd", "fee_usd", "fee_btc", "venue", "order", "purpose")
    ),
    MovementKind.PLEDGED: _Fields(("account", "facility", "btc"), ("of",)),
    MovementKind.RELEASED: _Fields(("facility", "account", "btc")),
    MovementKind.SENT: _Fields(("account", "facility"), one_of=True),
    MovementKind.DRAWN: _Fields(("facility", "account", "usd")),
    MovementKind.REPAID: _Fields(("facility", "account", "usd"), ("of",)),
    MovementKind.INTEREST_PAID: _Fields(("facility", "account", "usd"), ("of",)),
    MovementKind.REPAID_IN_KIND: _Fields(("facility", "btc", "usd")),
    MovementKind.COST: _Fields(("account",), one_of=True),
    MovementKind.TRANSFER: _Fields(("account", "to"), one_of=True),
    MovementKind.ADJUSTMENT: _Fields(("account", "reason"), one_of=True),
    MovementKind.REVERSAL: _Fields(("reverses",)),
}

_ALL_FIELDS = (
    *("account", "to", "facility", "btc", "usd", "of", "reverses", "gross_usd", "fee_usd", "fee_btc"),
    *("venue", "order", "purpose", "site", "region", "reason"),
)
_MAY_BE_ZERO = ("fee_usd", "fee_btc")
_MOVES_DEBT = (MovementKind.DRAWN, MovementKind.REPAID, MovementKind.INTEREST_PAID, MovementKind.REPAID_IN_KIND)

_Complaint = tuple[str, str]
"""The field that is wrong, and the sentence."""


@dataclass
class Suspects:
    """Balances that an unsound movement would have changed, each with the instant from which nobody knows it.

    A key whose id is None stands for every balance at that place: nobody knows which one was meant.
    """

    _since: dict[tuple[Place, str | None], datetime] = field(default_factory=dict)

    def add(self, movement: Movement, treasury: Treasury, by_ref: Mapping[str, Movement]) -> None:
        """Everything that `movement` names, or should have named."""
        if movement.kind is MovementKind.REVERSAL:
            undone = by_ref.get(movement.reverses or "")
            names = _names(undone, treasury) if undone and undone.kind is not MovementKind.REVERSAL else _ANYTHING
        else:
            names = _names(movement, treasury)
        for name in names:
            self._since[name] = min(movement.at, self._since.get(name, movement.at))

    def touches(self, key: Key, instant: datetime) -> bool:
        """Whether the balance of `key` at `instant` rests on a movement that was refused."""
        since = [self._since[name] for name in ((key.place, key.id), (key.place, None)) if name in self._since]
        return bool(since) and min(since) <= instant


_OF_FACILITY = (Place.COLLATERAL, Place.POOL, Place.PRINCIPAL, Place.INTEREST)
_ANYTHING: tuple[tuple[Place, str | None], ...] = tuple(
    (place, None) for place in (Place.ACCOUNT, Place.TRANSIT, *_OF_FACILITY)
)


def _names(movement: Movement, treasury: Treasury) -> Iterator[tuple[Place, str | None]]:
    needs = _FIELDS[movement.kind].needs
    for name, value in (("account", movement.account), ("to", movement.to)):
        if value is not None or (name in needs and movement.of is None):
            yield Place.ACCOUNT, value if value in treasury.account_by_id else None
    if movement.facility is not None and movement.facility in treasury.facility_by_id:
        yield coins_key(movement.facility, treasury)
        yield from ((place, movement.facility) for place in (Place.PRINCIPAL, Place.INTEREST))
    elif movement.facility is not None or "facility" in needs:
        yield from ((place, None) for place in _OF_FACILITY)
    yield Place.TRANSIT, movement.ref
    if movement.of is not None:
        yield Place.TRANSIT, movement.of


class Sorted(NamedTuple):
    """The movements' own faults, the sound ones with their index, and what the others leave in doubt."""

    faults: list[LedgerFault]
    sound: list[tuple[int, Movement]]
    suspects: Suspects


def movement_faults(treasury: Treasury) -> Sorted:
    """Holds every movement against the rules that need no balance.

    A movement that rests on a refused one (`of`, `reverses`) is not refused for that, and isn't booked either.
    """
    by_ref: dict[str, Movement] = {}
    for movement in treasury.movements:
        by_ref.setdefault(movement.ref, movement)
    reversed_by: dict[str, Movement] = {}
    faults: list[LedgerFault] = []
    unsound: set[int] = set()
    for index, movement in enumerate(treasury.movements):
        complaints = list(_complaints(movement, treasury, by_ref, reversed_by))
        faults += (LedgerFault(movement.ref, index, key, text) for key, text in complaints)
        if complaints:
            unsound.add(index)
        elif movement.kind is MovementKind.REVERSAL:
            reversed_by[movement.reverses or ""] = movement
    _rest_on_unsound(treasury, by_ref, unsound)
    suspects = Suspects()
    for index in unsound:
        suspects.add(treasury.movements[index], treasury, by_ref)
    sound = [(index, movement) for index, movement in enumerate(treasury.movements) if index not in unsound]
    return Sorted(faults, sound, suspects)


def _rest_on_unsound(treasury: Treasury, by_ref: Mapping[str, Movement], unsound: set[int]) -> None:
    """Adds what draws on an unsound `sent`, then what reverses an unsound movement: nothing rests deeper than that."""
    for name in ("of", "reverses"):
        refused = {id(treasury.movements[index]) for index in unsound}
        for index, movement in enumerate(treasury.movements):
            target = by_ref.get(getattr(movement, name) or "")
            if target is not None and id(target) in refused:
                unsound.add(index)


def _complaints(
    movement: Movement, treasury: Treasury, by_ref: Mapping[str, Movement], reversed_by: Mapping[str, Movement]
) -> Iterator[_Complaint]:
    yield from _about_ref(movement, by_ref)
    yield from _about_fields(movement)
    yield from _about_amounts(movement)
    yield from _about_names(movement, treasury)
    yield from _about_time(movement, treasury)
    if movement.of is not None and "of" in _FIELDS[movement.kind].may:
        yield from _about_of(movement, by_ref.get(movement.of))
    if movement.kind is MovementKind.REVERSAL and movement.reverses is not None:
        yield from _about_reverses(movement, by_ref.get(movement.reverses), reversed_by.get(movement.reverses))


def _about_ref(movement: Movement, by_ref: Mapping[str, Movement]) -> Iterator[_Complaint]:
    if not movement.ref:
        yield "ref", f"this {movement.kind} movement needs a ref; any text that no other movement has"
    elif (first := by_ref[movement.ref]) is not movement:
        yield (
            "ref",
            f"ref “{movement.ref}” is already that of {_described(first)}; every movement needs a ref of its own",
        )


def _about_fields(movement: Movement) -> Iterator[_Complaint]:
    fields = _FIELDS[movement.kind]
    for name in fields.needs:
        if getattr(movement, name) is None and not (name == "account" and movement.of is not None):
            yield name, f"{movement.kind} needs {name}; {_takes(movement.kind)}"
    allowed = {*fields.needs, *fields.may, *(("btc", "usd") if fields.one_of else ())}
    for name in _ALL_FIELDS:
        if getattr(movement, name) is not None and name not in allowed:
            yield name, f"{movement.kind} has no {name}; {_takes(movement.kind)}"
    if fields.one_of and (movement.btc is None) == (movement.usd is None):
        both = movement.btc is not None
        wrong = "not both; record two movements" if both else "neither is given"
        yield "usd" if both else "btc", f"{movement.kind} needs exactly one of btc and usd, {wrong}"


def _takes(kind: MovementKind) -> str:
    fields = _FIELDS[kind]
    needed = ", ".join((*fields.needs, "btc or usd") if fields.one_of else fields.needs)
    may = f", and may have {', '.join(fields.may)}" if fields.may else ""
    return f"it takes {needed}{may}"


def _about_amounts(movement: Movement) -> Iterator[_Complaint]:
    signed = movement.kind is MovementKind.ADJUSTMENT
    for name in ("btc", "usd", "gross_usd", "fee_usd", "fee_btc"):
        amount: int | None = getattr(movement, name)
        if amount is None:
            continue
        shown = _shown(amount, Asset.BTC if name.endswith("btc") else Asset.USD)
        if amount == 0 and name not in _MAY_BE_ZERO:
            yield name, f"{name} is {shown}; a movement moves something"
        elif amount < 0 and not signed:
            right = "0 or more" if name in _MAY_BE_ZERO else "more than 0, the kind says which way it goes"
            yield name, f"{name} is {shown}; it must be {right}"
    gross, fee, net = movement.gross_usd, movement.fee_usd, movement.usd
    if gross is not None and fee is not None and net is not None and gross - fee != net:
        yield (
            "usd",
            f"gross_usd {show_usd(gross)} less fee_usd {show_usd(fee)} is {show_usd(gross - fee)}, "
            f"but usd says {show_usd(net)}; usd is the net received",
        )


def _about_names(movement: Movement, treasury: Treasury) -> Iterator[_Complaint]:
    accounts = treasury.account_by_id
    for name, value in (("account", movement.account), ("to", movement.to)):
        if value is None:
            continue
        if value not in accounts:
            yield name, f"there is no account “{value}”; accounts: {_listed(accounts)}"
        elif movement.usd is not None and movement.of is None and accounts[value].holds is Holds.POOL:
            yield (
                name,
                f"account “{value}” is coins owed by a pool and holds no dollars, so {show_usd(movement.usd)} can't "
                "pass through it; name one that holds bank, usdt or usdc",
            )
    if movement.kind is MovementKind.TRANSFER and movement.to is not None and movement.to == movement.account:
        yield "to", f"to is “{movement.to}”, the account it leaves; name another account"
    if movement.facility is not None and movement.facility not in treasury.facility_by_id:
        yield (
            "facility",
            f"there is no facility “{movement.facility}”; facilities: {_listed(treasury.facility_by_id)}",
        )


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"


def _about_time(movement: Movement, treasury: Treasury) -> Iterator[_Complaint]:
    if movement.at < treasury.opened:
        yield (
            "at",
            f"{iso(movement.at)} is before the treasury opened ({iso(treasury.opened)}), whose opening figures "
            "have it already; leave it out or correct its at",
        )
    facility = treasury.facility_by_id.get(movement.facility or "")
    if facility is None or movement.kind not in _MOVES_DEBT or facility.drawn_at <= treasury.opened:
        return
    if treasury.opened <= movement.at < facility.drawn_at:
        yield (
            "at",
            f"{facility.id} is drawn at {iso(facility.drawn_at)}, so nothing can be {_done(movement.kind)} at "
            f"{iso(movement.at)}; date it then or later",
        )


def _done(kind: MovementKind) -> str:
    if kind is MovementKind.DRAWN:
        return "drawn"
    return "paid" if kind is MovementKind.INTEREST_PAID else "repaid"


def _about_of(movement: Movement, sent: Movement | None) -> Iterator[_Complaint]:
    unit = "btc" if movement.kind is MovementKind.PLEDGED else "usd"
    if sent is None:
        yield "of", f"of names “{movement.of}”, which is not recorded; it takes the ref of a sent movement"
    elif sent.kind is not MovementKind.SENT:
        yield "of", f"of names “{sent.ref}”, {_described(sent)}; it takes the ref of a sent movement"
    elif sent.at > movement.at:
        yield (
            "of",
            f"of names “{sent.ref}”, sent at {iso(sent.at)}, after this ({iso(movement.at)}); it takes one before",
        )
    elif sent.facility != movement.facility:
        yield "of", f"of names “{sent.ref}”, sent for {sent.facility}, not for {movement.facility}"
    elif getattr(sent, unit) is None:
        other = "dollars" if unit == "btc" else "coins"
        yield "of", f"of names “{sent.ref}”, which sent {other}; {movement.kind} takes one that sent {unit}"


def _about_reverses(movement: Movement, undone: Movement | None, earlier: Movement | None) -> Iterator[_Complaint]:
    name = movement.reverses
    if undone is None:
        yield "reverses", f"reverses names “{name}”, which is not recorded; it takes the ref of the movement to undo"
    elif undone.kind is MovementKind.REVERSAL:
        yield "reverses", f"“{name}” is a reversal itself and can't be reversed; record the movement again instead"
    elif earlier is not None:
        yield "reverses", f"“{name}” is already reversed, by “{earlier.ref}” at {iso(earlier.at)}; leave this one out"
    elif movement.at < undone.at:
        yield (
            "reverses",
            f"“{name}” happened at {iso(undone.at)}, after this ({iso(movement.at)}); date the reversal then or later",
        )


def _described(movement: Movement) -> str:
    return f"the {movement.kind} movement of {iso(movement.at)}"


_SHORT: Mapping[Place, str] = {
    Place.ACCOUNT: "account “{id}” has {there} at {at}, and {taken} leaves it; at most {there} can",
    Place.COLLATERAL: "{id} has {there} pledged at {at}, and {taken} leaves it; at most {there} can",
    Place.POOL: "group {id} has {there} in its pool at {at}, and {taken} leaves it; at most {there} can",
    Place.TRANSIT: "“{id}” has {there} left in transit at {at}, and {taken} is taken from it; at most {there} can be",
    Place.PRINCIPAL: "{id} owes {there} of principal at {at}, and {taken} of it is repaid; at most {there} can be",
    Place.INTEREST: "{id} owes {there} of interest at {at}, and {taken} of it is paid; at most {there} can be",
}


def balance_fault(
    effects: Sequence[Effect], key: Key, asset: Asset, left: int, index: Mapping[str, int]
) -> LedgerFault:
    """The fault of a step that left `key` with `left` (negative): at the last of its movements that took from it."""
    sign = 1 if key.place in (Place.PRINCIPAL, Place.INTEREST) else -1
    takers = [
        (index[effect.record.ref], effect.record, sign * posting.amount)
        for effect in effects
        for posting in effect.postings
        if (posting.key, posting.asset) == (key, asset) and sign * posting.amount > 0
    ]
    taken = sum(amount for _, _, amount in takers)
    position, record, _ = max(takers, key=lambda taker: taker[0])
    text = _SHORT[key.place].format(
        id=key.id, at=iso(record.at), there=_shown(left + taken, asset), taken=_shown(taken, asset)
    )
    return LedgerFault(record.ref, position, _field_at_fault(record, key, asset), text)


def _field_at_fault(record: Movement, key: Key, asset: Asset) -> str:
    if record.kind is MovementKind.REVERSAL:
        return "reverses"
    return "of" if key.place is Place.TRANSIT else asset.value


def _shown(amount: int, asset: Asset) -> str:
    return f"{show_btc(amount)} BTC" if asset is Asset.BTC else show_usd(amount)
