"""Covenant arithmetic: one exposure held against a price. LTV, tiers, targets, cures (contract §3).

An *exposure* is what a lender tests as one: a facility, or a group of them. Formulas work on exact rationals; only
what is printed is rounded, and what cures is rounded against ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from bot.domain.money import SATS_PER_BTC, Cents, Price, Sats, half_up, percent_plain, plain
from bot.domain.price import PriceView
from bot.domain.terms import Consent, Level, LtvOn, OnRecovery, Tier


@dataclass(frozen=True, slots=True)
class Bound:
    """A tier as it binds now, for one debt and its coins.

    `line` is its LTV (None for a price tier without coins), `target` what a cure of it aims at, `clear_at` the LTV at
    or under which it starts to clear. `price` is the tier price (cents per BTC before cushion, rounded down: at it the
    tier is reached) and `clear_price` the lowest price that clears it; None where no price does.
    """

    tier: Tier
    line: Fraction | None
    target: Fraction | None
    clear_at: Fraction | None
    price: Price | None
    clear_price: Price | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is tested as one. `debt` is all that is owed, `tested` what the lender's LTV counts; cents and satoshis."""

    key: str
    id: str
    title: str
    debt: Cents
    tested: Cents
    collateral: Sats
    bounds: tuple[Bound, ...]
    is_group: bool = False
    cushion: Fraction = Fraction(0)
    reference: str | None = None
    on_recovery: OnRecovery = OnRecovery.STAYS
    min_call_usd: Cents = 0
    consent: Consent = Consent.NONE
    desk_calendar: str | None = None

    @property
    def uncovered(self) -> bool:
        """Debt with lines and no coin under it: at its worst tier whatever the price."""
        return bool(self.bounds) and self.tested > 0 and not self.collateral

    def rank_of(self, tier: Tier) -> int:
        """Where `tier` stands among the present lines, mildest 0; one that was amended away, by its kind."""
        names = [bound.tier.name for bound in self.bounds]
        if tier.name in names:
            return names.index(tier.name)
        milder = [i for i, b in enumerate(self.bounds) if b.tier.kind.severity <= tier.kind.severity]
        return max(milder, default=0)

    def bound_named(self, name: str) -> Bound | None:
        return next((bound for bound in self.bounds if bound.tier.name == name), None)


def ltv(debt: Cents, collateral: Sats, price: Fraction | Price) -> Fraction | None:
    """debt / (collateral × price); None without coins."""
    return Fraction(debt * SATS_PER_BTC) / (collateral * price) if collateral else None


def price_at_ltv(debt: Cents, collateral: Sats, line: Fraction, cushion: Fraction = Fraction(0)) -> Fraction | None:
    """The exact price, cents per BTC, at which the LTV is `line`: debt / (collateral × line), over (1 − cushion)."""
    if not collateral or line <= 0:
        return None
    kept = 1 - cushion
    # One fraction instead of a chain of them: a replay asks this some hundred thousand times.
    return Fraction(
        debt * SATS_PER_BTC * line.denominator * kept.denominator, collateral * line.numerator * kept.numerator
    )


def bind(
    tiers: Iterable[Tier], tested: Cents, collateral: Sats, cushion: Fraction, margin: Fraction
) -> tuple[Bound, ...]:
    """Each tier with its line and cure target as they are for this debt and collateral.

    A call or accelerated tier without `cure_to` inherits the one before it; early and liquidation tiers use the
    first call's; where none has one, the mildest tier less `margin` serves.
    """
    listed = tuple(tiers)
    lines = [_line(tier, tested, collateral, cushion) for tier in listed]
    own = [tier.cure_to for tier in listed if tier.kind.is_call and tier.cure_to is not None]
    known = [line for line in lines if line is not None]
    fallback = own[0] if own else (max(known[0] - margin, Fraction(0)) if known else None)
    bounds, inherited = [], fallback
    for tier, line in zip(listed, lines, strict=True):
        if tier.kind.is_call:
            inherited = tier.cure_to if tier.cure_to is not None else inherited
        target = inherited if tier.kind.is_call else fallback
        bounds.append(bound_of(tier, line, target, tested, collateral, cushion, margin))
    return tuple(bounds)


def bound_of(
    tier: Tier,
    line: Fraction | None,
    target: Fraction | None,
    tested: Cents,
    collateral: Sats,
    cushion: Fraction,
    margin: Fraction,
) -> Bound:
    """A tier with its prices. A call clears at its target, any other tier `margin` under its line."""
    clear_at = target if tier.kind.is_call else (line - margin if line is not None else None)
    reach = price_at_ltv(tested, collateral, line, cushion) if line is not None else None
    clear = price_at_ltv(tested, collateral, clear_at, cushion) if clear_at is not None else None
    price = floor(reach) if reach is not None else None
    if tier.price is not None and collateral:
        price = tier.price
    return Bound(tier, line, target, clear_at, price, ceil(clear) if clear is not None else None)


def _line(tier: Tier, tested: Cents, collateral: Sats, cushion: Fraction) -> Fraction | None:
    if tier.line is not None:
        return tier.line
    return ltv(tested, collateral, tier.price * (1 - cushion)) if tier.price is not None else None


@dataclass(frozen=True, slots=True)
class TierReading:
    """One tier at one price. `reached` is None where there is no price to tell.

    `headroom` is 1 − tier price / our price. `venue` names the reference whose quote alone reaches the tier.
    `cleared` says whether the LTV is far enough under it to start clearing.
    """

    bound: Bound
    rank: int
    headroom: Fraction | None
    reached: bool | None
    cleared: bool
    level: Level
    venue: str | None

    @property
    def tier(self) -> Tier:
        return self.bound.tier

    @property
    def name(self) -> str:
        return self.bound.tier.name

    @property
    def price(self) -> Price | None:
        return self.bound.price


@dataclass(frozen=True)
class Reading:
    """One exposure at one price. `known` is False where the LTV needs a price and there is none.

    `price` is ours, `market` the lender's before its cushion (the quote of `venue`, or ours): cents per BTC.
    """

    exposure: Exposure
    known: bool
    price: Price | None
    market: Price | None
    venue: str | None
    tiers: tuple[TierReading, ...]

    @property
    def valued(self) -> Fraction | None:
        """V: the lender's price after its cushion, exact."""
        return self.market * (1 - self.exposure.cushion) if self.market is not None else None

    @cached_property
    def ours(self) -> Fraction | None:
        """The LTV by our debt and price; None without lines, coins or a price."""
        exposure = self.exposure
        has_one = exposure.bounds and self.price is not None
        return ltv(exposure.debt, exposure.collateral, self.price) if has_one and self.price is not None else None

    @cached_property
    def lenders(self) -> Fraction | None:
        """The LTV by the agreement, on which tiers are tested; None without lines, coins or a price."""
        exposure, valued = self.exposure, self.valued
        return ltv(exposure.tested, exposure.collateral, valued) if exposure.bounds and valued is not None else None

    @property
    def reached(self) -> tuple[TierReading, ...]:
        return tuple(tier for tier in self.tiers if tier.reached)

    @property
    def worst(self) -> TierReading | None:
        return self.reached[-1] if self.reached else None

    @property
    def next_line(self) -> TierReading | None:
        """The mildest line that is not reached yet."""
        return next((tier for tier in self.tiers if tier.reached is False), None)

    @property
    def level(self) -> Level:
        return max((tier.level for tier in self.reached), default=Level.OK)

    def show(self, ratio: Fraction | None) -> str | None:
        """An LTV as printed: half-up, but never the printed value of a line that is not reached."""
        if ratio is None:
            return None
        taken = {percent_plain(t.bound.line) for t in self.tiers if not t.reached and t.bound.line is not None}
        hundredths = half_up(ratio * 10_000)
        while hundredths > 0 and plain(hundredths, 2) in taken:
            hundredths -= 1
        return plain(hundredths, 2)


def read(exposure: Exposure, view: PriceView) -> Reading:
    """`exposure` at the price of `view`, or at the fresh quote of its reference venue where it has one."""
    price = view.usable
    quote = view.references.get(exposure.reference) if exposure.reference and price is not None else None
    market = quote if quote is not None else price
    known = price is not None or not exposure.bounds or exposure.uncovered or not exposure.tested
    return Reading(
        exposure=exposure,
        known=known,
        price=price,
        market=market,
        venue=exposure.reference if quote is not None else None,
        tiers=tuple(_tier_reading(exposure, rank, bound, price, market) for rank, bound in enumerate(exposure.bounds)),
    )


def _tier_reading(
    exposure: Exposure, rank: int, bound: Bound, price: Price | None, market: Price | None
) -> TierReading:
    reached = _reached(exposure, bound, market)
    ours_too = market == price or not reached or _reached(exposure, bound, price)
    return TierReading(
        bound=bound,
        rank=rank,
        headroom=1 - Fraction(bound.price, price) if bound.price is not None and price else None,
        reached=reached,
        cleared=not reached and _cleared(exposure, bound, market),
        level=bound.tier.level if ours_too else Level.WARNING,
        venue=None if ours_too else exposure.reference,
    )


def _reached(exposure: Exposure, bound: Bound, market: Price | None) -> bool | None:
    """Whether the lender's LTV at `market` (before cushion) is at or over the line.

    Held against the tier price, which is the same exactly: prices are whole cents and the tier price is rounded down.
    """
    if not exposure.tested:
        return False
    if exposure.uncovered:
        return True
    if market is None:
        return None
    return bound.price is not None and market <= bound.price


def _cleared(exposure: Exposure, bound: Bound, market: Price | None) -> bool:
    if not exposure.tested:
        return True
    return market is not None and bound.clear_price is not None and market >= bound.clear_price


@dataclass(frozen=True, slots=True)
class Cures:
    """What brings an exposure back to `target`, exact: satoshis and cents as fractions, None where it cannot be.

    Unconstrained: what free coins, cash or the lender's consent allow is for the message to say.
    """

    target: Fraction
    top_up: Fraction | None
    repay: Fraction | None
    sell_free: Fraction | None
    sell_pledged: Fraction | None


def cures(reading: Reading, target: Fraction, debt: Cents, sale_cost: Fraction) -> Cures:
    """The four cures of §3 for `debt` (cents; the tested debt, at the instant it must be cured).

    `sale_cost` is s, the part of a sale's proceeds lost to fees and slippage. V values collateral, coins sell at P.
    """
    exposure, price, valued = reading.exposure, reading.price, reading.valued
    if price is None or valued is None:
        repay = Fraction(debt) if exposure.uncovered else None
        return Cures(target, None, repay, None, None)
    coins = Fraction(exposure.collateral)
    covered = target * coins * valued / SATS_PER_BTC
    repay = max(debt - covered, Fraction(0))
    top_up = max(debt * SATS_PER_BTC / (target * valued) - coins, Fraction(0)) if target else None
    net = price * (1 - sale_cost)
    gain = net - target * valued
    sell_pledged = repay * SATS_PER_BTC / gain if gain > 0 else None
    if sell_pledged is not None and sell_pledged > coins:
        sell_pledged = None
    return Cures(
        target=target,
        top_up=top_up,
        repay=repay,
        sell_free=repay * SATS_PER_BTC / net if net > 0 else None,
        sell_pledged=sell_pledged,
    )


def releasable(exposure: Exposure, price: Price, to: Fraction) -> Sats:
    """Coins the lender lets go on request: floor(C − D/(T_r·P)), at least 0."""
    kept = Fraction(exposure.tested * SATS_PER_BTC) / (to * price)
    return max(floor(exposure.collateral - kept), 0)


def edges(exposure: Exposure, further: Iterable[Fraction] = ()) -> set[Price]:
    """Prices between which nothing about `exposure` changes: it reads the same at all prices in (edge, next edge].

    A tier is reached at or under its price, and clears at or over another; each edge is the highest price of its lower
    side. `further` are other LTVs that matter: release lines, the targets at which calls end.
    """
    prices = {bound.price for bound in exposure.bounds if bound.price is not None}
    prices |= {bound.clear_price - 1 for bound in exposure.bounds if bound.clear_price is not None}
    for level in further:
        exact = price_at_ltv(exposure.tested, exposure.collateral, level, exposure.cushion)
        if exact is not None:
            prices.add(ceil(exact) - 1)
    return prices


def basis(ltv_on: LtvOn, principal: Cents, total: Cents) -> Cents:
    """The debt that the lender's LTV counts."""
    return principal if ltv_on is LtvOn.PRINCIPAL else total
