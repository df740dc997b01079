"""What a loan agreement says: tiers, cures, release, interest. Terms are versions with an effective day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.domain.money import Cents, Price, Sats
from bot.domain.periods import midnight


class Level(IntEnum):
    """How loud something is; comparable."""

    OK = 0
    NOTICE = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class TierKind(StrEnum):
    """One line of a facility, from mild to fatal."""

    EARLY = "early"
    CALL = "call"
    ACCELERATED = "accelerated"
    LIQUIDATION = "liquidation"

    @property
    def severity(self) -> int:
        return list(TierKind).index(self)

    @property
    def is_call(self) -> bool:
        """Whether the lender may demand a cure at this line, with a target of its own."""
        return self in (TierKind.CALL, TierKind.ACCELERATED)

    @property
    def is_urgent(self) -> bool:
        """Whether the lender may act on it at once."""
        return self in (TierKind.ACCELERATED, TierKind.LIQUIDATION)


class DayCount(StrEnum):
    ACT_360 = "ACT/360"
    ACT_365 = "ACT/365"
    THIRTY_360 = "30/360"


class InterestMode(StrEnum):
    """`capitalised` joins the principal on the first of each month, `paid` is due in cash then; or all at close."""

    CAPITALISED = "capitalised"
    PAID = "paid"
    AT_CLOSE = "at_close"


class LtvOn(StrEnum):
    DEBT = "debt"
    PRINCIPAL = "principal"


class OnRecovery(StrEnum):
    """What price alone does to an open call."""

    STAYS = "stays"
    BELOW_CALL = "below_call"
    AT_CURE = "at_cure"


class Consent(StrEnum):
    """Whether pledged coins may be sold: not at all, after asking, or by the lender's desk."""

    NONE = "none"
    ASK = "ask"
    DESK = "desk"


class GroupTest(StrEnum):
    RATIO = "ratio"
    REQUIREMENTS = "requirements"


@dataclass(frozen=True, slots=True)
class Tier:
    """One line: reached when the lender's LTV is at or over `line`, or its price is at or under `price`.

    Exactly one of `line` (a ratio) and `price` (cents per BTC) is given. `cure_to` is an LTV.
    """

    kind: TierKind
    name: str
    line: Fraction | None = None
    price: Price | None = None
    cure_to: Fraction | None = None
    window_hours: timedelta | None = None
    window_days: int | None = None
    due_time: time | None = None
    notice_cutoff: time | None = None
    calendar: str | None = None
    own_level: Level | None = None
    liquidate_to: Fraction | None = None
    liquidation_fee_bps: int = 0

    @property
    def level(self) -> Level:
        if self.own_level is not None:
            return self.own_level
        return Level.WARNING if self.kind is TierKind.EARLY else Level.CRITICAL


@dataclass(frozen=True, slots=True)
class Release:
    """Excess collateral comes back at or under `line`, down to `to`, after `days` daily marks in a row."""

    line: Fraction
    to: Fraction
    days: int = 1


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything of a facility that an amendment may change. Money in cents, ratios exact."""

    rate: Fraction
    day_count: DayCount
    interest: InterestMode
    tiers: tuple[Tier, ...] = ()
    release: Release | None = None
    ltv_on: LtvOn = LtvOn.DEBT
    cushion: Fraction = Fraction(0)
    reference: str | None = None
    on_recovery: OnRecovery = OnRecovery.STAYS
    credit_hours: timedelta | None = None
    min_repayment: Cents = 0
    min_call_usd: Cents = 0
    consent: Consent = Consent.NONE
    desk_calendar: str | None = None
    matures: date | None = None


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """Terms in force from 00:00 of `effective` in the facility's accrual zone; None: from the beginning."""

    effective: date | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class Waiver:
    """The lender's word that a breach has no consequence in [since, until). It relabels alerts, never silences them."""

    since: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PriceIndex:
    """Which index the lender prices by from `since` on, in words. A note: no number is computed with it."""

    since: datetime
    note: str


@dataclass(frozen=True)
class Facility:
    """One loan. `principal`, `accrued` (cents) and `collateral` (satoshis) are those at the treasury's `opened`."""

    id: str
    lender: str
    principal: Cents
    drawn: date
    zone: ZoneInfo
    versions: tuple[TermsVersion, ...]
    accrued: Cents = 0
    collateral: Sats = 0
    group: str | None = None
    waivers: tuple[Waiver, ...] = ()
    price_index: tuple[PriceIndex, ...] = ()

    @property
    def drawn_at(self) -> datetime:
        """The instant at which the loan begins: 00:00 of `drawn` where interest accrues."""
        return midnight(self.drawn, self.zone)

    def effective_at(self, version: TermsVersion) -> datetime | None:
        return midnight(version.effective, self.zone) if version.effective else None

    def terms_at(self, instant: datetime) -> Terms:
        """The terms in force at `instant`; an amendment counts from its first instant on."""
        return next(v.terms for v in reversed(self.versions) if v.effective is None or self._begun(v, instant))

    def _begun(self, version: TermsVersion, instant: datetime) -> bool:
        begins = self.effective_at(version)
        return begins is None or begins <= instant

    def waiver_at(self, instant: datetime) -> Waiver | None:
        return next((w for w in self.waivers if w.since <= instant < w.until), None)

    def price_index_at(self, instant: datetime) -> PriceIndex | None:
        """What was noted of the lender's index at `instant`: the newest; of one instant, what was recorded last."""
        begun = [index for index in self.price_index if index.since <= instant]
        return max(reversed(begun), key=lambda index: index.since, default=None)


@dataclass(frozen=True)
class Group:
    """One master agreement over several facilities; with `pool` (satoshis) the coins are the group's, not theirs."""

    id: str
    test: GroupTest
    tiers: tuple[Tier, ...] = ()
    pool: Sats | None = None
    cushion: Fraction = Fraction(0)
    reference: str | None = None
    on_recovery: OnRecovery = OnRecovery.STAYS
    min_call_usd: Cents = 0
