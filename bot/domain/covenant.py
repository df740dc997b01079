"""Covenant arithmetic: one exposure held against a price. LTV, tiers, targets, cures (contract §3).

An *exposure* is what a lender tests as one: a facility, or a group of them. Formulas work on exact rationals; only
what is printed is rounded, and what cures is rounded against ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from bot.domain.money import SATS_PER_BTC, Cents, Price, Sats, half_up, percent_plain, plain
from bot.domain.price import PriceView
from bot.domain.terms import Consent, Level, LtvOn, OnRecovery, Tier


@dataclass(frozen=True, slots=True)
class Bound:
    """A tier as it binds now: its line as an LTV (None for a price tier without coins) and its cure target."""

    tier: Tier
    line: Fraction | None
    target: Fraction | None


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
    if not collateral or not line:
        return None
    return Fraction(debt * SATS_PER_BTC) / (collateral * line * (1 - cushion))


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
        bounds.append(Bound(tier, line, inherited if tier.kind.is_call else fallback))
    return tuple(bounds)


def _line(tier: Tier, tested: Cents, collateral: Sats, cushion: Fraction) -> Fraction | None:
    if tier.line is not None:
        return tier.line
    return ltv(tested, collateral, tier.price * (1 - cushion)) if tier.price is not None else None


@dataclass(frozen=True, slots=True)
class TierReading:
    """One tier at one price. `reached` is None where there is no price to tell.

    `price` is the tier price, rounded down: at the printed price the tier is reached. `venue` names the reference
    whose quote alone reaches it. `clear_at` is the LTV at or under which it starts to clear.
    """

    bound: Bound
    rank: int
    price: Price | None
    headroom: Fraction | None
    reached: bool | None
    level: Level
    venue: str | None
    clear_at: Fraction | None

    @property
    def tier(self) -> Tier:
        return self.bound.tier

    @property
    def name(self) -> str:
        return self.bound.tier.name


@dataclass(frozen=True, slots=True)
class Reading:
    """One exposure at one price. `known` is False where the LTV needs a price and there is none.

    `ours` uses our debt and price, `lenders` what the agreement says. `market` is the lender's price before its
    cushion (the reference quote, or ours), `valued` after it; both exact cents per BTC.
    """

    exposure: Exposure
    known: bool
    price: Price | None
    market: Fraction | None
    valued: Fraction | None
    venue: str | None
    ours: Fraction | None
    lenders: Fraction | None
    tiers: tuple[TierReading, ...]

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

    def cleared(self, tier: TierReading) -> bool:
        """Whether `tier` is far enough away to start clearing."""
        if tier.reached:
            return False
        return self.lenders is None or tier.clear_at is None or self.lenders <= tier.clear_at

    def show(self, ratio: Fraction | None) -> str | None:
        """An LTV as printed: half-up, but never the printed value of a line that is not reached."""
        if ratio is None:
            return None
        taken = {percent_plain(t.bound.line) for t in self.tiers if not t.reached and t.bound.line is not None}
        hundredths = half_up(ratio * 10_000)
        while hundredths > 0 and plain(hundredths, 2) in taken:
            hundredths -= 1
        return plain(hundredths, 2)


def read(exposure: Exposure, view: PriceView, margin: Fraction) -> Reading:
    """`exposure` at the price of `view`; `margin` is how far under an early or liquidation line clearing starts."""
    price = view.usable
    quote = view.references.get(exposure.reference) if exposure.reference and price is not None else None
    market = Fraction(quote if quote is not None else price) if price is not None else None
    valued = market * (1 - exposure.cushion) if market is not None else None
    known = price is not None or not exposure.bounds or exposure.uncovered or not exposure.tested
    tiers = tuple(_tier_reading(exposure, rank, price, market, quote, margin) for rank in range(len(exposure.bounds)))
    has_ltv = bool(exposure.bounds) and price is not None
    return Reading(
        exposure=exposure,
        known=known,
        price=price,
        market=market,
        valued=valued,
        venue=exposure.reference if quote is not None else None,
        ours=ltv(exposure.debt, exposure.collateral, price) if has_ltv and price is not None else None,
        lenders=ltv(exposure.tested, exposure.collateral, valued) if has_ltv and valued is not None else None,
        tiers=tiers,
    )


def _tier_reading(
    exposure: Exposure,
    rank: int,
    price: Price | None,
    market: Fraction | None,
    quote: Price | None,
    margin: Fraction,
) -> TierReading:
    bound = exposure.bounds[rank]
    at = tier_price(exposure, bound)
    reached = _reached(exposure, bound, market)
    venue = None
    if reached and quote is not None and price is not None and not _reached(exposure, bound, Fraction(price)):
        venue = exposure.reference
    return TierReading(
        bound=bound,
        rank=rank,
        price=at,
        headroom=1 - Fraction(at, price) if at is not None and price else None,
        reached=reached,
        level=Level.WARNING if venue else bound.tier.level,
        venue=venue,
        clear_at=_clear_at(bound, margin),
    )


def tier_price(exposure: Exposure, bound: Bound) -> Price | None:
    """The highest price, cents per BTC before cushion, at which the tier is reached; None without coins."""
    if not exposure.collateral:
        return None
    if bound.tier.price is not None:
        return bound.tier.price
    exact = price_at_ltv(exposure.tested, exposure.collateral, bound.line, exposure.cushion) if bound.line else None
    return floor(exact) if exact is not None else None


def _reached(exposure: Exposure, bound: Bound, market: Fraction | None) -> bool | None:
    """Whether the lender's LTV at `market` (before cushion) is at or over the line, compared exactly."""
    if not exposure.tested:
        return False
    if exposure.uncovered:
        return True
    if market is None:
        return None
    if bound.tier.price is not None:
        return market <= bound.tier.price
    lenders = ltv(exposure.tested, exposure.collateral, market * (1 - exposure.cushion))
    return lenders is not None and bound.line is not None and lenders >= bound.line


def _clear_at(bound: Bound, margin: Fraction) -> Fraction | None:
    if bound.tier.kind.is_call:
        return bound.target
    return bound.line - margin if bound.line is not None else None


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


def thresholds(exposure: Exposure, margin: Fraction, extra: Iterable[Fraction] = ()) -> set[Price]:
    """Prices p such that nothing about `exposure` changes while the price stays between two neighbours (p, q].

    A tier is reached at or under its price; it starts to clear at or over another; both are given as the highest
    price of the lower side. `extra` are further LTVs that matter (release lines, recovery targets).
    """
    prices = {at for bound in exposure.bounds if (at := tier_price(exposure, bound)) is not None}
    levels = [clear for bound in exposure.bounds if (clear := _clear_at(bound, margin)) is not None]
    for level in [*levels, *extra]:
        exact = price_at_ltv(exposure.tested, exposure.collateral, level, exposure.cushion) if level > 0 else None
        if exact is not None:
            prices.add(ceil(exact) - 1)
    return prices


def basis(ltv_on: LtvOn, principal: Cents, total: Cents) -> Cents:
    """The debt that the lender's LTV counts."""
    return principal if ltv_on is LtvOn.PRINCIPAL else total
