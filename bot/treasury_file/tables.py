"""The tables of a treasury file: which keys each has, what a value must be, and an example of what is required.

Names are those of the file. Whatever is left out has the contract's default. What lies inside a table as a table of
its own (`nested`) is read by itself, so that one wrong value hides no other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo

from bot.domain.money import Cents, Price, Sats
from bot.domain.terms import Consent, DayCount, GroupTest, InterestMode, Level, LtvOn, OnRecovery, TierKind
from bot.domain.treasury import Holds, MovementKind, SlippageStep
from bot.treasury_file import moments, values

T = TypeVar("T")

_EXAMPLES = {
    "reserve_btc": "500",
    "max_cover_btc": "5000",
    "max_daily_btc": "600",
    "plan_btc_per_month": "550",
    "rollforward_tolerance_btc": "0.01",
    "collateral_btc": "7000",
    "demand_btc": "1095.57",
    "fee_btc": "0.0005",
    "mined": "496.35",
    "sold": "550.03",
    "held": "7474.62",
    "min_cash_usd": "10000000.00",
    "min_repayment": "25000.00",
    "min_call_usd": "25000.00",
    "principal": "300000000.00",
    "accrued_usd": "1750000.00",
    "demand_usd": "40670000.00",
    "gross_usd": "250250000.00",
    "fee_usd": "250000.00",
    "usd_per_btc": "78000",
}
"""An amount as it could stand at each key; at one that isn't here, the kind of amount has its own."""


def _amount(read: Callable[..., int]) -> Callable[[object, ValidationInfo], int]:
    """A reader of amounts whose complaints have an example of the very key."""

    def at_key(value: object, info: ValidationInfo) -> int:
        example = _EXAMPLES.get(info.field_name or "")
        return read(value, example) if example else read(value)

    return at_key


Text: TypeAlias = Annotated[str, PlainValidator(values.text)]
Id: TypeAlias = Annotated[str, PlainValidator(values.identifier)]
Month: TypeAlias = Annotated[str, PlainValidator(values.month)]
Btc: TypeAlias = Annotated[Sats, PlainValidator(_amount(values.btc))]
Usd: TypeAlias = Annotated[Cents, PlainValidator(_amount(values.usd))]
SomeBtc: TypeAlias = Annotated[Sats, PlainValidator(_amount(values.some_btc))]
SomeUsd: TypeAlias = Annotated[Cents, PlainValidator(_amount(values.some_usd))]
SignedBtc: TypeAlias = Annotated[Sats, PlainValidator(_amount(values.signed_btc))]
SignedUsd: TypeAlias = Annotated[Cents, PlainValidator(_amount(values.signed_usd))]
UsdPerBtc: TypeAlias = Annotated[Price, PlainValidator(_amount(values.price))]
Ratio: TypeAlias = Annotated[Fraction, PlainValidator(values.ratio)]
Share: TypeAlias = Annotated[Fraction, PlainValidator(values.share)]
Part: TypeAlias = Annotated[Fraction, PlainValidator(values.part)]
Ltv: TypeAlias = Annotated[Fraction, PlainValidator(values.ltv)]
Coverage: TypeAlias = Annotated[Fraction, PlainValidator(values.coverage)]
Bps: TypeAlias = Annotated[int, PlainValidator(values.whole(0, 10_000))]
Curve: TypeAlias = Annotated[tuple[SlippageStep, ...], PlainValidator(values.curve)]
DayOfMonth: TypeAlias = Annotated[int, PlainValidator(values.whole(1, 28))]
DaysInARow: TypeAlias = Annotated[int, PlainValidator(values.whole(1, 366))]
OpenDays: TypeAlias = Annotated[int, PlainValidator(values.whole(0, 366))]
Hours: TypeAlias = Annotated[timedelta, PlainValidator(moments.hours)]
Day: TypeAlias = Annotated[date, PlainValidator(moments.day)]
Days: TypeAlias = Annotated[frozenset[date], PlainValidator(moments.days)]
Instant: TypeAlias = Annotated[datetime, PlainValidator(moments.instant)]
Clock: TypeAlias = Annotated[time, PlainValidator(moments.clock)]
Zone: TypeAlias = Annotated[ZoneInfo, PlainValidator(moments.zone)]
Venue: TypeAlias = Annotated[str, PlainValidator(values.venue)]
LevelWord: TypeAlias = Annotated[Level, PlainValidator(values.level)]
TierKindWord: TypeAlias = Annotated[TierKind, PlainValidator(values.word_of(TierKind))]
DayCountWord: TypeAlias = Annotated[DayCount, PlainValidator(values.word_of(DayCount))]
InterestWord: TypeAlias = Annotated[InterestMode, PlainValidator(values.word_of(InterestMode))]
LtvOnWord: TypeAlias = Annotated[LtvOn, PlainValidator(values.word_of(LtvOn))]
RecoveryWord: TypeAlias = Annotated[OnRecovery, PlainValidator(values.word_of(OnRecovery))]
ConsentWord: TypeAlias = Annotated[Consent, PlainValidator(values.word_of(Consent))]
GroupTestWord: TypeAlias = Annotated[GroupTest, PlainValidator(values.word_of(GroupTest))]
HoldsWord: TypeAlias = Annotated[Holds, PlainValidator(values.word_of(Holds))]
MovementWord: TypeAlias = Annotated[MovementKind, PlainValidator(values.movement_kind)]


def required(example: str) -> Any:
    """A key that must be there; `example` is shown where it isn't."""
    return Field(examples=[example])


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    nested: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """Every key that may be written, nested tables too."""
        return (*(field.alias or name for name, field in cls.model_fields.items()), *cls.nested)


class TreasuryTable(Table):
    name: Text = required('"Example Mining"')
    timezone: Zone = required('"America/Chicago"')
    opened: Instant = required("2026-01-31T23:59:59Z")
    production_timezone: Zone = ZoneInfo("UTC")


class PolicyTable(Table):
    withstand_drop: Part | None = None
    reserve_btc: Btc = 0
    min_cash_usd: Usd = 0
    max_cover_btc: Btc | None = None
    sell_of_mined: Share = Fraction(1)
    max_daily_btc: Btc | None = None
    fee_bps: Bps = 0
    slippage_bps: Bps = 0
    slippage: Curve = ()
    sold_over_mined_limit: Ratio | None = None
    plan_btc_per_month: Btc | None = None
    plan_tolerance: Share = Fraction(0)
    rollforward_tolerance_btc: Btc | None = None
    statement_due_day: DayOfMonth | None = None


class CalendarTable(Table):
    id: Id = required('"new-york"')
    timezone: Zone = required('"America/New_York"')
    open: Clock = required('"09:00"')
    close: Clock = required('"17:00"')
    closed: Days = frozenset()


class AccountTable(Table):
    id: Id = required('"custody"')
    btc: Btc = 0
    usd: Usd = 0
    holds: HoldsWord = Holds.BANK
    calendar: Id | None = None
    ready_hours: Hours = timedelta(0)


class TierTable(Table):
    kind: TierKindWord = required('"call"')
    name: Text | None = None
    ltv: Ltv | None = None
    coverage: Coverage | None = None
    price: UsdPerBtc | None = None
    cure_to: Ltv | None = None
    cure_to_coverage: Coverage | None = None
    window_hours: Hours | None = None
    window_days: OpenDays | None = None
    due_time: Clock | None = None
    notice_cutoff: Clock | None = None
    calendar: Id | None = None
    level: LevelWord | None = None
    liquidate_to: Ltv | None = None
    liquidation_fee_bps: Bps = 0


class ReleaseTable(Table):
    ltv: Ltv | None = None
    coverage: Coverage | None = None
    to: Ltv | None = None
    to_coverage: Coverage | None = None
    days: DaysInARow = 1


class WaiverTable(Table):
    since: Instant = Field(alias="from", examples=["2026-02-06T00:00:00Z"])
    until: Instant = required("2026-02-10T00:00:00Z")
    reason: Text = required('"standstill letter"')


class PriceIndexTable(Table):
    since: Instant = required("2026-02-01T00:00:00Z")
    note: Text = required('"CME CF BRR, 16:00 London"')


class TermsTable(Table):
    """What a facility may say of its terms and an amendment may change, but for what a facility must say."""

    nested: ClassVar[tuple[str, ...]] = ("tier", "release")

    ltv_on: LtvOnWord = LtvOn.DEBT
    cushion: Part = Fraction(0)
    reference: Venue | None = None
    on_recovery: RecoveryWord = OnRecovery.STAYS
    credit_hours: Hours | None = None
    min_repayment: Usd = 0
    min_call_usd: Usd = 0
    consent: ConsentWord = Consent.NONE
    desk_calendar: Id | None = None
    matures: Day | None = None


class FacilityTable(TermsTable):
    nested: ClassVar[tuple[str, ...]] = ("tier", "release", "amendment", "waiver", "price_index")

    id: Id = required('"antalpha"')
    lender: Text = required('"Antalpha"')
    principal: Usd = required('"300000000.00"')
    drawn: Day = required("2024-11-11")
    rate: Part = required('"0.07"')
    day_count: DayCountWord = required('"ACT/360"')
    interest: InterestWord = required('"capitalised"')
    accrued_usd: Usd = 0
    collateral_btc: Btc = 0
    accrual_timezone: Zone | None = None
    group: Id | None = None


class AmendmentTable(TermsTable):
    effective: Day = required("2026-03-01")
    rate: Part | None = None
    day_count: DayCountWord | None = None
    interest: InterestWord | None = None


class GroupTable(Table):
    nested: ClassVar[tuple[str, ...]] = ("tier",)

    id: Id = required('"antalpha-all"')
    test: GroupTestWord = required('"ratio"')
    collateral_btc: Btc | None = None
    cushion: Part = Fraction(0)
    reference: Venue | None = None
    on_recovery: RecoveryWord = OnRecovery.STAYS
    min_call_usd: Usd = 0


class CallTable(Table):
    tier: Text = required('"margin call"')
    at: Instant = required("2026-02-07T14:15:00Z")
    price: UsdPerBtc = required('"57100"')
    ref: Text = required('"notice 1"')
    facility: Id | None = None
    group: Id | None = None
    demand_btc: SomeBtc | None = None
    demand_usd: SomeUsd | None = None
    due: Instant | None = None
    met: Instant | None = None
    withdrawn: Instant | None = None
    disputed: Instant | None = None


class NeedTable(Table):
    due: Day = required("2026-03-01")
    usd: SomeUsd = required('"38000000.00"')
    purpose: Text = required('"operations"')


class MovementTable(Table):
    """Which keys a kind must have, and what they may be, is the ledger's to say; here only what each key is."""

    at: Instant = required("2026-02-08T18:00:00Z")
    ref: Text = required('"sale 1"')
    kind: MovementWord | None = None
    account: Id | None = None
    to: Id | None = None
    facility: Id | None = None
    btc: SignedBtc | None = None
    usd: SignedUsd | None = None
    of: Text | None = None
    reverses: Text | None = None
    gross_usd: SignedUsd | None = None
    fee_usd: SignedUsd | None = None
    fee_btc: SignedBtc | None = None
    venue: Text | None = None
    order: Text | None = None
    purpose: Text | None = None
    site: Text | None = None
    region: Text | None = None
    reason: Text | None = None
    note: Text | None = None


class CashCostTable(Table):
    month: Month = required('"2026-01"')
    usd_per_btc: UsdPerBtc = required('"78000"')


class StatementTable(Table):
    month: Month = required('"2026-01"')
    mined: Btc = required('"496.35"')
    sold: Btc = required('"550.03"')
    held: Btc = required('"7474.62"')
