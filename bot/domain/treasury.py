"""The register: everything a treasury has told Plimsoll, as recorded facts. State at an instant is derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.domain.money import Cents, Price, Sats
from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group


class Holds(StrEnum):
    """What an account's dollars are; `pool` holds coins earned and not yet paid out."""

    BANK = "bank"
    USDT = "usdt"
    USDC = "usdc"
    POOL = "pool"


class MovementKind(StrEnum):
    MINED = "mined"
    SOLD = "sold"
    PLEDGED = "pledged"
    RELEASED = "released"
    SENT = "sent"
    DRAWN = "drawn"
    REPAID = "repaid"
    INTEREST_PAID = "interest_paid"
    REPAID_IN_KIND = "repaid_in_kind"
    COST = "cost"
    TRANSFER = "transfer"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Account:
    """Where free coins and cash are; `btc` (satoshis) and `usd` (cents) are those at the treasury's `opened`."""

    id: str
    btc: Sats = 0
    usd: Cents = 0
    holds: Holds = Holds.BANK
    calendar: str | None = None
    ready_hours: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Movement:
    """One append-only change of coins (satoshis), cash or debt (cents). A reversal names the ref it undoes."""

    at: datetime
    kind: MovementKind
    ref: str
    account: str | None = None
    to: str | None = None
    facility: str | None = None
    btc: Sats | None = None
    usd: Cents | None = None
    of: str | None = None
    reverses: str | None = None
    gross_usd: Cents | None = None
    fee_usd: Cents | None = None
    fee_btc: Sats | None = None
    venue: str | None = None
    order: str | None = None
    purpose: str | None = None
    site: str | None = None
    region: str | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A lender's call as recorded (a `[[call]]` of the file). Exactly one of `facility` and `group` is given.

    `price` is the lender's own, cents per BTC. `met`, `withdrawn`, `disputed` and `recovered` are instants;
    `recovered` is Plimsoll's own record that price alone ended it (`on_recovery`).
    """

    ref: str
    tier: str
    at: datetime
    price: Price
    facility: str | None = None
    group: str | None = None
    demand_btc: Sats | None = None
    demand_usd: Cents | None = None
    due: datetime | None = None
    met: datetime | None = None
    withdrawn: datetime | None = None
    disputed: datetime | None = None
    recovered: datetime | None = None


ANSWERS = ("met", "withdrawn", "disputed")
"""What somebody may say later of a call, by its fields."""


class Ending(StrEnum):
    """What a lender's word makes of its own call for good."""

    MET = "met"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CallEnd:
    """That the lender takes the call `ref` as over."""

    ref: str
    how: Ending
    at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What one person recorded and nobody has confirmed: it would ease a lender's call, and nobody types a call away.

    `at` is when it was recorded, `by` their id and `name` what they go by. See `bot.domain.claims`.
    """

    id: int
    thing: Movement | CallEnd
    by: str
    name: str
    at: datetime

    @property
    def ref(self) -> str:
        """The movement's own, or that of the call."""
        return self.thing.ref


@dataclass(frozen=True, slots=True)
class Need:
    """Dollars (cents) that must be there on `due`."""

    due: date
    usd: Cents
    purpose: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A month's totals as the company states them, in satoshis. The newest of a month counts; older ones are kept."""

    month: str
    mined: Sats
    sold: Sats
    held: Sats


@dataclass(frozen=True, slots=True)
class CashCost:
    """What mining one coin cost in `month`, in cents per BTC."""

    month: str
    usd_per_btc: Price


@dataclass(frozen=True, slots=True)
class SlippageStep:
    """One step of a slippage curve: the next `btc` (satoshis; None: all that are left) lose `bps` of the price."""

    btc: Sats | None
    bps: int

    @property
    def part(self) -> Fraction:
        return Fraction(self.bps, 10_000)


@dataclass(frozen=True, slots=True)
class Policy:
    """The team's own limits; None is off. Money in satoshis and cents."""

    withstand_drop: Fraction | None = None
    reserve_btc: Sats = 0
    min_cash_usd: Cents = 0
    max_cover_btc: Sats | None = None
    sell_of_mined: Fraction = Fraction(1)
    max_daily_btc: Sats | None = None
    fee_bps: int = 0
    slippage_bps: int = 0
    slippage: tuple[SlippageStep, ...] = ()
    sold_over_mined_limit: Fraction | None = None
    plan_btc_per_month: Sats | None = None
    plan_tolerance: Fraction = Fraction(0)
    rollforward_tolerance_btc: Sats | None = None
    statement_due_day: int | None = None

    @property
    def sale_cost(self) -> Fraction:
        """s of the contract's formulas: the part of a sale's proceeds that fees and slippage take.

        Of a slippage curve the last step, at which no sale costs more.
        """
        return Fraction(self.fee_bps + self.curve[-1].bps, 10_000)

    @property
    def curve(self) -> tuple[SlippageStep, ...]:
        """What the coins sold at once lose, step by step, the cheapest first; the last step has no end."""
        if not self.slippage:
            return (SlippageStep(None, self.slippage_bps),)
        return (*self.slippage[:-1], SlippageStep(None, self.slippage[-1].bps))


@dataclass(frozen=True)
class Treasury:
    """One treasury's whole register. `movements` are in order of (at, recorded); lists are in file order.

    `claims` are the open ones, in the order of recording; they are not among the movements.
    """

    name: str
    zone: ZoneInfo
    production_zone: ZoneInfo
    opened: datetime
    policy: Policy = field(default_factory=Policy)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    facilities: tuple[Facility, ...] = ()
    groups: tuple[Group, ...] = ()
    notices: tuple[Notice, ...] = ()
    needs: tuple[Need, ...] = ()
    movements: tuple[Movement, ...] = ()
    cash_costs: tuple[CashCost, ...] = ()
    statements: tuple[Statement, ...] = ()
    claims: tuple[Claim, ...] = ()

    @cached_property
    def facility_by_id(self) -> Mapping[str, Facility]:
        return {facility.id: facility for facility in self.facilities}

    @cached_property
    def group_by_id(self) -> Mapping[str, Group]:
        return {group.id: group for group in self.groups}

    @cached_property
    def account_by_id(self) -> Mapping[str, Account]:
        return {account.id: account for account in self.accounts}

    @cached_property
    def notice_by_ref(self) -> Mapping[str, Notice]:
        return {notice.ref: notice for notice in self.notices}

    def members(self, group: Group) -> tuple[Facility, ...]:
        """The facilities under one master agreement, in file order."""
        return tuple(facility for facility in self.facilities if facility.group == group.id)

    def pool_of(self, facility: Facility) -> Group | None:
        """The group that holds this facility's coins in its own pool, if it does."""
        group = self.group_by_id.get(facility.group) if facility.group else None
        return group if group is not None and group.pool is not None else None
