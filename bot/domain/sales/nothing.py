"""Doing nothing: what lenders may sell then, and from when (contract §7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import count
from math import ceil, floor

from bot.domain.book import Book, Snapshot
from bot.domain.covenant import Exposure, read
from bot.domain.ledger import Balances, Ledger
from bot.domain.money import SATS_PER_BTC, Cents, Sats
from bot.domain.price import PriceView
from bot.domain.sales.plan import Liquidation, Need
from bot.domain.terms import TierKind
from bot.domain.treasury import Holds, Movement, MovementKind, Treasury


def liquidations(book: Book, view: PriceView, needs: Sequence[Need]) -> tuple[Liquidation, ...]:
    """The coins each lender may sell at the scenario price to be at `liquidate_to` (without one: paid in full).

    At the deadline, on the debt then; at once where the liquidation line is reached or a deadline missed. Its fee is
    `liquidation_fee_bps` of what the coins fetch. A group's sale is of what its members' sales leave.
    """
    found: dict[str, Liquidation] = {}
    for need in needs:
        at = None if need.at_once else need.due
        then = book.register.snapshot(book.at, at)
        exposure = then.exposure(*((None, need.id) if need.is_group else (need.id, None)))
        members = _members(then, need)
        before = [found[key] for key in (f"covenant:{name}" for name in members) if need.is_group and key in found]
        one = _liquidation(then, exposure, view, before)
        if one is not None:
            found[need.key] = Liquidation(members[0], *one, at=at)
    return tuple(found.values())


def sold_off(book: Book, sold: Sequence[Liquidation]) -> list[Movement]:
    """The same as movements: what the ledger would say afterwards. None where no account could take the dollars."""
    account = dollar_account(book.treasury)
    if account is None:
        return []
    movements: list[Movement] = []
    taken = {movement.ref for movement in book.treasury.movements}
    refs = (ref for n in count(1) if (ref := f"liquidation {n}") not in taken)
    for one in sorted(sold, key=lambda liquidation: liquidation.at or book.at):
        at = one.at or book.at
        there = _carried(book, movements).at(at)
        movements += liquidation_movements(book.treasury, there, one, at, account, refs)
    return movements


def dollar_account(treasury: Treasury) -> str | None:
    """The account through which a lender's sale is booked; None where none holds dollars."""
    return next((one.id for one in treasury.accounts if one.holds is not Holds.POOL), None)


def liquidation_movements(
    treasury: Treasury, there: Balances, one: Liquidation, at: datetime, account: str, refs: Iterator[str]
) -> Iterator[Movement]:
    """A lender's sale at `at`, where `there` is what there is then; nothing where it brings nothing.

    Coins and dollars are those of its own loan first, then of the others of its group: principal before interest.
    """
    if not one.btc or not one.usd:
        return
    group = treasury.facility_by_id[one.facility].group
    together = dict.fromkeys([one.facility, *(f.id for f in treasury.facilities if group and f.group == group)])
    for name, btc, part in _shares(treasury, there, one, list(together)):
        yield Movement(
            at, MovementKind.SOLD, next(refs), account, facility=name, btc=btc, usd=part, purpose="liquidation"
        )
    left = one.usd
    for name in together:
        debt = there.debts[name]
        for kind, owed in ((MovementKind.REPAID, debt.principal), (MovementKind.INTEREST_PAID, debt.interest)):
            here = min(left, owed)
            if here:
                yield Movement(at, kind, next(refs), account, facility=name, usd=here)
                left -= here


def _carried(book: Book, movements: Sequence[Movement]) -> Ledger:
    """What is known now and these: interest goes on until a lender sells, on what earlier sales have left."""
    known = tuple(movement for movement in book.treasury.movements if movement.at <= book.at)
    return Ledger(replace(book.treasury, movements=known + tuple(movements)))


def _shares(
    treasury: Treasury, there: Balances, one: Liquidation, together: Sequence[str]
) -> Iterator[tuple[str, Sats, Cents]]:
    """Whose coins a sale takes, and the dollars of each. Coins that a group pools are all behind any of them."""
    if treasury.pool_of(treasury.facility_by_id[one.facility]) is not None:
        yield one.facility, one.btc, one.usd
        return
    needed, unpaid = one.btc, one.usd
    for name in together:
        take = min(needed, there.collateral[name])
        if take:
            part = unpaid if take == needed else max(one.usd * take // one.btc, 1)
            yield name, take, part
            needed, unpaid = needed - take, unpaid - part


def _members(then: Snapshot, need: Need) -> list[str]:
    if not need.is_group:
        return [need.id]
    return [facility.id for facility in then.treasury.members(then.treasury.group_by_id[need.id])]


def _liquidation(
    then: Snapshot, exposure: Exposure, view: PriceView, before: Sequence[Liquidation]
) -> tuple[Sats, Cents, Cents, Cents] | None:
    """Coins, dollars repaid, dollars still owed where the coins are not enough, and the lender's fee."""
    price, valued = view.usable or 0, read(exposure, view).valued or Fraction(0)
    to, fee = _terms(then, exposure)
    coins = exposure.collateral - sum(one.btc for one in before)
    counted = exposure.tested if to else exposure.debt  # paid in full is with the interest, whatever an LTV counts
    owed = counted - sum(one.usd for one in before)
    need = owed - to * coins * valued / SATS_PER_BTC
    net = price * (1 - fee)
    if need <= 0 or owed <= 0:
        return None
    gain = net - to * valued
    exact = need * SATS_PER_BTC / gain if gain > 0 else None
    take = min(ceil(exact), coins) if exact is not None else coins
    gross = Fraction(take * price, SATS_PER_BTC)
    brought = min(floor(gross * (1 - fee)), owed)
    left = owed - brought if take == coins else 0
    return take, brought, left, ceil(gross * fee)


def _terms(then: Snapshot, exposure: Exposure) -> tuple[Fraction, Fraction]:
    """`liquidate_to` and the fee of the liquidation line; of a group without one, the hardest of its members'."""
    own = [bound.tier for bound in exposure.bounds if bound.tier.kind is TierKind.LIQUIDATION]
    if exposure.is_group and not any(tier.liquidate_to for tier in own):
        members = then.treasury.members(then.treasury.group_by_id[exposure.id])
        terms = (then.terms(facility) for facility in members)
        own = [tier for one in terms for tier in one.tiers if tier.kind is TierKind.LIQUIDATION] or own
    to = min((tier.liquidate_to or Fraction(0) for tier in own), default=Fraction(0))
    fee = max((tier.liquidation_fee_bps for tier in own), default=0)
    return to, Fraction(fee, 10_000)
