"""The Book: everything true at one instant. Pure data plus the questions that every answer and check asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property

from bot.domain.alerts import AlertPolicy
from bot.domain.covenant import Bound, Exposure, Reading, basis, bind, bound_of, read
from bot.domain.late import LateRecord
from bot.domain.ledger import Balances, Ledger
from bot.domain.money import Cents, Sats
from bot.domain.periods import local_day, midnight
from bot.domain.price import PriceView
from bot.domain.terms import Consent, Facility, Group, GroupTest, PriceIndex, Terms, Tier, TierKind, Waiver
from bot.domain.treasury import Holds, Notice, Treasury


@dataclass(frozen=True)
class Register:
    """A treasury's record with its ledger, built once, and the policy by which alerts are judged."""

    treasury: Treasury
    ledger: Ledger
    alerts: AlertPolicy

    @classmethod
    def of(cls, treasury: Treasury, alerts: AlertPolicy | None = None) -> Register:
        return cls(treasury, Ledger(treasury), alerts or AlertPolicy())

    def with_notices(self, notices: tuple[Notice, ...]) -> Register:
        """The same movements, and so the same ledger, with other calls."""
        return replace(self, treasury=replace(self.treasury, notices=notices))

    @property
    def margin(self) -> Fraction:
        """How far under an early or liquidation line clearing starts."""
        return self.alerts.clear_margin

    def snapshot(self, at: datetime, debts_at: datetime | None = None) -> Snapshot:
        """What is known at `at`, with interest run on to `debts_at` where that is later."""
        return Snapshot(self, at, max(at, debts_at or at))


@dataclass(frozen=True)
class Snapshot:
    """The register as known at one instant, with debts projected to another: what an exposure is made of.

    Movements up to `at` are known; interest runs on to `debts_at` (normally the same instant).
    """

    register: Register
    at: datetime
    debts_at: datetime

    @property
    def treasury(self) -> Treasury:
        return self.register.treasury

    @cached_property
    def balances(self) -> Balances:
        return self.register.ledger.at(self.at)

    def terms(self, facility: Facility) -> Terms:
        return facility.terms_at(self.at)

    @cached_property
    def facilities(self) -> tuple[Exposure, ...]:
        """Every facility, in file order."""
        return tuple(self.facility(facility) for facility in self.treasury.facilities)

    @cached_property
    def groups(self) -> tuple[Exposure, ...]:
        """Every group, in file order."""
        return tuple(self.group(group) for group in self.treasury.groups)

    def title(self, facility: Facility) -> str:
        """What people call it: its lender, with the id where that lender has lent more than once."""
        alike = [other for other in self.treasury.facilities if other.lender == facility.lender]
        return facility.lender if len(alike) == 1 else f"{facility.lender} ({facility.id})"

    def debt(self, facility: Facility) -> Cents:
        """Principal and interest, in cents."""
        return self._owed(facility)[1]

    def tested(self, facility: Facility) -> Cents:
        """The debt that the lender's LTV counts, by the facility's `ltv_on`, in cents."""
        principal, total = self._owed(facility)
        return basis(self.terms(facility).ltv_on, principal, total)

    def _owed(self, facility: Facility) -> tuple[Cents, Cents]:
        if self.debts_at > self.at:
            debt = self.register.ledger.debt_at(facility.id, self.debts_at, self.at)
        else:
            debt = self.balances.debts[facility.id]
        return debt.principal, debt.total

    def facility(self, facility: Facility) -> Exposure:
        """A facility tested alone. One whose group pools the coins has no lines of its own."""
        terms = self.terms(facility)
        tested, collateral = self.tested(facility), self.balances.collateral.get(facility.id, 0)
        pooled = self.treasury.pool_of(facility) is not None
        tiers = () if pooled else terms.tiers
        return Exposure(
            key=f"covenant:{facility.id}",
            id=facility.id,
            title=self.title(facility),
            debt=self.debt(facility),
            tested=tested,
            collateral=collateral,
            bounds=bind(tiers, tested, collateral, terms.cushion, self.register.margin),
            cushion=terms.cushion,
            reference=terms.reference,
            on_recovery=terms.on_recovery,
            min_call_usd=terms.min_call_usd,
            consent=terms.consent,
            desk_calendar=terms.desk_calendar,
        )

    def group(self, group: Group) -> Exposure:
        """A group tested as one: Σdebt against all its coins."""
        members = self.treasury.members(group)
        tested = sum(self.tested(facility) for facility in members)
        collateral = self.group_coins(group)
        agreed = [self.terms(facility) for facility in members]
        if group.test is GroupTest.RATIO:
            bounds = bind(group.tiers, tested, collateral, group.cushion, self.register.margin)
        else:
            bounds = self._required(group, members, tested)
        return Exposure(
            key=f"covenant:group:{group.id}",
            id=group.id,
            title=group.id,
            debt=sum(self.debt(facility) for facility in members),
            tested=tested,
            collateral=collateral,
            bounds=bounds,
            is_group=True,
            cushion=group.cushion,
            reference=group.reference,
            on_recovery=group.on_recovery,
            min_call_usd=group.min_call_usd,
            consent=min((terms.consent for terms in agreed), key=list(Consent).index, default=Consent.NONE),
            desk_calendar=next((terms.desk_calendar for terms in agreed if terms.desk_calendar), None),
        )

    def group_coins(self, group: Group) -> Sats:
        if group.pool is not None:
            return self.balances.pools[group.id]
        return sum(self.balances.collateral.get(facility.id, 0) for facility in self.treasury.members(group))

    def _required(self, group: Group, members: tuple[Facility, ...], tested: Cents) -> tuple[Bound, ...]:
        """The lines that the members' own terms add up to: for each kind, Σdebt ÷ Σ(debtᵢ/tierᵢ); targets alike."""
        parts = [(self.tested(f), bounds) for f, bounds in self._counted(group, members)]
        kinds = sorted({b.tier.kind for _, bounds in parts for b in bounds}, key=lambda kind: kind.severity)
        coins, combined = self.group_coins(group), []
        for kind in kinds:
            counted = [(debt, _counting(bounds, kind)) for debt, bounds in parts]
            line = _harmonic(tested, [(debt, bound.line) for debt, bound in counted])
            if line is not None:
                target = _harmonic(tested, [(debt, bound.target) for debt, bound in counted])
                tier = _combined_tier(kind, line, [bound.tier for _, bound in counted])
                combined.append(bound_of(tier, line, target, tested, coins, group.cushion, self.register.margin))
        return tuple(combined)

    def _counted(self, group: Group, members: tuple[Facility, ...]) -> list[tuple[Facility, tuple[Bound, ...]]]:
        """The members of a requirements group whose terms make up its lines: those with debt and lines."""
        return [(f, self._member_bounds(f, group.cushion)) for f in members if self.tested(f) and self.terms(f).tiers]

    def required_targets(self, group: Group, kind: TierKind) -> dict[str, Fraction | None]:
        """The cure targets that a requirements group's target for `kind` is made of, by facility."""
        counted = self._counted(group, self.treasury.members(group))
        return {facility.id: _counting(bounds, kind).target for facility, bounds in counted}

    def _member_bounds(self, facility: Facility, cushion: Fraction) -> tuple[Bound, ...]:
        """A member's own lines, by the group's cushion."""
        terms = self.terms(facility)
        coins = self.balances.collateral.get(facility.id, 0)
        return bind(terms.tiers, self.tested(facility), coins, cushion, self.register.margin)

    def exposure(self, facility: str | None, group: str | None) -> Exposure:
        """The exposure that a notice names."""
        if facility is not None:
            return self.facility(self.treasury.facility_by_id[facility])
        return self.group(self.treasury.group_by_id[group or ""])


def _counting(bounds: tuple[Bound, ...], kind: TierKind) -> Bound:
    """The milder line of `kind`; without one the next worse line, else the worst there is."""
    at_or_worse = [bound for bound in bounds if bound.tier.kind.severity >= kind.severity]
    return at_or_worse[0] if at_or_worse else bounds[-1]


def _harmonic(total: Cents, parts: list[tuple[Cents, Fraction | None]]) -> Fraction | None:
    """Σdebt ÷ Σ(debtᵢ/ratioᵢ); None where a part has no ratio."""
    weights = [debt / ratio for debt, ratio in parts if ratio]
    return total / sum(weights, Fraction(0)) if weights and len(weights) == len(parts) else None


def _combined_tier(kind: TierKind, line: Fraction, tiers: list[Tier]) -> Tier:
    """A line of a requirements group: named by its kind, with the shortest of the windows that make it up."""
    hours = [tier.window_hours for tier in tiers if tier.window_hours is not None]
    in_days = [tier for tier in tiers if tier.window_days is not None]
    shortest = min(in_days, key=lambda tier: tier.window_days or 0) if in_days else None
    levels = [tier.own_level for tier in tiers if tier.own_level is not None and tier.kind is kind]
    return Tier(
        kind=kind,
        name=kind.value,
        line=line,
        window_hours=min(hours, default=None),
        window_days=shortest.window_days if shortest and not hours else None,
        due_time=shortest.due_time if shortest else None,
        notice_cutoff=shortest.notice_cutoff if shortest else None,
        calendar=shortest.calendar if shortest else None,
        own_level=max(levels) if levels else None,
    )


@dataclass(frozen=True)
class Coins:
    """All coins by where they are, in satoshis; `total` is the sum of the four."""

    free: Sats
    pledged: Sats
    in_transit: Sats
    pool: Sats

    @property
    def total(self) -> Sats:
        return self.free + self.pledged + self.in_transit + self.pool


@dataclass(frozen=True)
class Book:
    """Everything true at `at`. `midnight_prices` are the prices as known at the midnights that `marks_needed` names.

    `known` is a snapshot of an earlier instant since which nothing but the price has moved. `late` is what is dated at
    or before `at` and was recorded after it, where the past was asked about; see `bot.domain.restated`.
    """

    register: Register
    at: datetime
    price: PriceView
    midnight_prices: Mapping[datetime, PriceView] = field(default_factory=dict)
    known: Snapshot | None = None
    late: tuple[LateRecord, ...] = ()

    @property
    def treasury(self) -> Treasury:
        return self.register.treasury

    @cached_property
    def snapshot(self) -> Snapshot:
        return self.known or self.register.snapshot(self.at)

    @property
    def balances(self) -> Balances:
        return self.snapshot.balances

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        return self.snapshot.facilities + self.snapshot.groups

    def read(self, exposure: Exposure) -> Reading:
        return read(exposure, self.price)

    @property
    def coins(self) -> Coins:
        pools = {account.id for account in self.treasury.accounts if account.holds is Holds.POOL}
        held = self.balances.accounts
        return Coins(
            free=sum(balance.btc for key, balance in held.items() if key not in pools),
            pledged=sum(self.balances.collateral.values()) + sum(self.balances.pools.values()),
            in_transit=sum(transit.btc for transit in self.balances.transit),
            pool=sum(balance.btc for key, balance in held.items() if key in pools),
        )

    @property
    def cash(self) -> Cents:
        """Dollars in accounts, in cents; what is in transit is apart."""
        return sum(balance.usd for balance in self.balances.accounts.values())

    @property
    def cash_in_transit(self) -> Cents:
        return sum(transit.usd for transit in self.balances.transit)

    @property
    def debt(self) -> Cents:
        return sum(debt.total for debt in self.balances.debts.values())

    def waiver(self, exposure: Exposure) -> Waiver | None:
        """The lender's waiver in force on a facility; a group has none of its own."""
        facility = self.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
        return facility.waiver_at(self.at) if facility else None

    def price_index(self, exposure: Exposure) -> PriceIndex | None:
        """What was noted of the index that a facility's lender prices by; of a group, nothing."""
        facility = self.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
        return facility.price_index_at(self.at) if facility else None

    def marks(self, facility: Facility) -> Iterator[Fraction | None]:
        """The lender's LTV at the last daily marks that a release asks for, newest first; None where unknown."""
        for instant in release_midnights(self.treasury, facility, self.at):
            view = self.midnight_prices.get(instant)
            exposure = self.register.snapshot(instant).facility(facility)
            yield read(exposure, view).lenders if view else None


def release_midnights(treasury: Treasury, facility: Facility, at: datetime) -> list[datetime]:
    """The midnights, newest first, whose marks decide whether `facility` may ask coins back at `at`."""
    release = facility.terms_at(at).release
    if release is None or treasury.pool_of(facility) is not None:
        return []
    day = local_day(at, facility.zone)
    instants = [midnight(day - timedelta(days=back), facility.zone) for back in range(release.days)]
    return [instant for instant in instants if instant >= treasury.opened]


def marks_needed(treasury: Treasury, at: datetime) -> set[datetime]:
    """Every midnight whose price a Book at `at` needs."""
    return {instant for facility in treasury.facilities for instant in release_midnights(treasury, facility, at)}
