"""The lender of a policy replay: does at once, and to the full, what its terms allow.

A call line reached is called in that instant, with the deadline of its window, unless less than `min_call_usd` is
missing. The call is over when what it demands is credited, when a plan has brought the loan to its cure target, or when
price alone ends it (`on_recovery`). At the deadline, or at once where the liquidation line is reached, the lender sells
down to `liquidate_to` (without one: until all is paid) at the price standing then, and its fee is
`liquidation_fee_bps`. While a waiver is in force it does neither.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from bot.domain.book import Book
from bot.domain.calls import Call, deadline, demanded
from bot.domain.covenant import Exposure, Reading, edges, price_at_ltv
from bot.domain.money import SATS_PER_BTC, Cents, Price, Sats
from bot.domain.sales.nothing import dollar_account, liquidation_movements, liquidations
from bot.domain.sales.plan import Need
from bot.domain.terms import TierKind
from bot.domain.treasury import Movement, Notice


def at_call_line(reading: Reading) -> bool:
    """Whether a call line or worse is reached."""
    return any(tier.tier.kind.severity >= TierKind.CALL.severity for tier in reading.reached)


def least_call_price(exposure: Exposure, target: Fraction | None) -> Price | None:
    """The highest price at which `min_call_usd` is missing to `target`; None where any call is made."""
    asked = exposure.tested - exposure.min_call_usd
    if not exposure.min_call_usd or not target:
        return None
    exact = price_at_ltv(asked, exposure.collateral, target, exposure.cushion) if asked > 0 else None
    return floor(exact) if exact is not None else 0


def highest_line(exposure: Exposure) -> Price:
    """The highest price at which a call line or worse is reached; -1 where at none, more than any where at all."""
    if exposure.uncovered:
        return sys.maxsize
    lines = [bound.price for bound in exposure.bounds if bound.tier.kind.severity >= TierKind.CALL.severity]
    return max((price for price in lines if price is not None and exposure.tested), default=-1)


def edges_of(exposure: Exposure, *, called: bool) -> set[Price]:
    """Prices between which a lender does nothing else: it acts the same at all prices in (edge, next edge].

    Where it has called, also those at which price alone may end that.
    """
    least = (least_call_price(exposure, bound.target) for bound in exposure.bounds if exposure.min_call_usd)
    found = {price for price in least if price is not None}
    if called:
        targets = [bound.target for bound in exposure.bounds if bound.target is not None]
        return found | edges(exposure, targets)
    return found | {bound.price for bound in exposure.bounds if bound.price is not None}


def new_notice(book: Book, exposure: Exposure, calls: Sequence[Call], refs: Iterator[str]) -> Notice | None:
    """What the lender of `exposure`, on which `calls` are open, calls now; None where it has nothing to call."""
    if not exposure.tested or not exposure.collateral or book.waiver(exposure) is not None:
        return None
    price, known = book.price.usable or 0, max((call.rank for call in calls), default=-1)
    lines = [tier for tier in book.read(exposure).reached if tier.tier.kind.is_call]
    if not lines or lines[-1].rank <= known:
        return None
    worst = lines[-1]
    least = least_call_price(exposure, worst.bound.target)
    if least is not None and price > least:
        return None
    due = deadline(worst.tier, book.at, book.treasury.calendars, book.treasury.zone)
    facility, group = (None, exposure.id) if exposure.is_group else (exposure.id, None)
    notice = Notice(next(refs), worst.name, book.at, price, facility, group, due=due)
    demand = demanded(book.register, notice, due)
    return replace(notice, demand_btc=demand.btc, demand_usd=demand.usd)


def is_met(reading: Reading, call: Call) -> bool:
    """Whether what was booked for it makes the lender take `call` as met."""
    exposure = reading.exposure
    if not exposure.tested or not call.missing:
        return True
    target = exposure.bounds[call.rank].target if exposure.bounds else None
    return target is not None and reading.lenders is not None and reading.lenders <= target


def to_liquidate(book: Book, exposure: Exposure, calls: Sequence[Call]) -> bool:
    """Whether the lender may sell now: its liquidation line is reached, or a deadline is past."""
    if not exposure.tested or not exposure.collateral or not exposure.bounds or book.waiver(exposure) is not None:
        return False
    reached = any(tier.tier.kind is TierKind.LIQUIDATION for tier in book.read(exposure).reached)
    return reached or any(call.due is not None and call.due <= book.at for call in calls)


@dataclass(frozen=True, slots=True)
class Sale:
    """A lender's sale: coins, what they repaid, what it cost (worth less repaid, rounded up), and as movements."""

    btc: Sats
    usd: Cents
    cost: Cents
    still_owed: Cents
    movements: tuple[Movement, ...]


def liquidated(book: Book, exposure: Exposure, calls: Sequence[Call], refs: Iterator[str]) -> Sale | None:
    """What the lender of `exposure`, on which `calls` are open, sells now; None where that is nothing."""
    reached = book.read(exposure).reached
    rank = max([call.rank for call in calls] + [tier.rank for tier in reached], default=0)
    bound = exposure.bounds[rank]
    need = Need(
        key=exposure.key,
        id=exposure.id,
        title=exposure.title,
        is_group=exposure.is_group,
        tier=bound.tier,
        target=bound.target or Fraction(0),
        due=None,
        missed=True,
        called=bool(calls),
    )
    found = liquidations(book, book.price, [need])
    if not found or not found[0].btc or not found[0].usd:
        return None
    one = found[0]
    worth = Fraction(one.btc * (book.price.usable or 0), SATS_PER_BTC)
    account = dollar_account(book.treasury) or ""
    movements = liquidation_movements(book.treasury, book.balances, one, book.at, account, refs)
    return Sale(one.btc, one.usd, ceil(worth) - one.usd, one.still_owed, tuple(movements))
