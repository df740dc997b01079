"""The register: what the treasury has told Plimsoll. Rows are added and never deleted.

`position` is the order of the treasury file; `seq` and `id` that of recording. Agreements are JSON documents
(`bot.domain.documents`), kept as they were recorded.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base, Duration, Json, Satoshis, UsCents, deferred


class Recorded(Base):
    """Who put a row into the register, when, and where it came from (a file's name, a Slack modal)."""

    recorded_at: datetime = Field(sa_type=UTCDateTime)
    recorded_by: str
    source: str


class Treasury(Base, table=True):
    """The one treasury. `revision` counts the changes of the whole register; a cached register is as new as it."""

    __tablename__ = "treasury"
    __table_args__ = (CheckConstraint("id = 1", "only_one"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    timezone: str
    production_timezone: str
    opened: datetime = Field(sa_type=UTCDateTime)
    policy: dict[str, Any] = Field(sa_type=Json)
    revision: int
    changed_at: datetime = Field(sa_type=UTCDateTime)


class RegisterChange(Base, table=True):
    """One change of the register: which revision it made, who, when, from where, and what it did, in a line each."""

    __tablename__ = "register_change"

    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UTCDateTime)
    by: str
    source: str
    lines: list[str] = Field(sa_type=Json)


class Calendar(Recorded, table=True):
    __tablename__ = "calendar"

    id: str = Field(primary_key=True)
    position: int
    document: dict[str, Any] = Field(sa_type=Json)


class Account(Recorded, table=True):
    """`btc` and `usd` are the balances at the treasury's `opened`."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("btc >= 0 AND usd >= 0 AND ready_hours >= 0", "not_negative"),)

    id: str = Field(primary_key=True)
    position: int
    btc: int = Field(sa_type=Satoshis)
    usd: int = Field(sa_type=UsCents)
    holds: str
    calendar: str | None = Field(default=None, foreign_key="calendar.id")
    ready_hours: timedelta = Field(sa_type=Duration)


class FacilityGroup(Recorded, table=True):
    __tablename__ = "facility_group"

    id: str = Field(primary_key=True)
    position: int
    document: dict[str, Any] = Field(sa_type=Json)


class Facility(Recorded, table=True):
    """`principal`, `accrued` and `collateral` are those at the treasury's `opened`."""

    __tablename__ = "facility"
    __table_args__ = (CheckConstraint("principal >= 0 AND accrued >= 0 AND collateral >= 0", "not_negative"),)

    id: str = Field(primary_key=True)
    position: int
    lender: str
    principal: int = Field(sa_type=UsCents)
    accrued: int = Field(sa_type=UsCents)
    collateral: int = Field(sa_type=Satoshis)
    drawn: date
    timezone: str
    group: str | None = Field(default=None, foreign_key="facility_group.id")


class FacilityTerms(Recorded, table=True):
    """One version of a facility's terms, in force from `effective`; null: from the beginning.

    Of one facility and day the row with the highest id counts: an amendment that comes between two recorded ones
    is carried into the later, and what that said before stays.
    """

    __tablename__ = "facility_terms"

    id: int | None = Field(default=None, primary_key=True)
    facility: str = Field(foreign_key="facility.id")
    effective: date | None = None
    document: dict[str, Any] = Field(sa_type=Json)


class Waiver(Recorded, table=True):
    __tablename__ = "waiver"
    __table_args__ = (CheckConstraint("since < until", "ends_after_it_begins"),)

    id: int | None = Field(default=None, primary_key=True)
    facility: str = Field(foreign_key="facility.id", index=True)
    since: datetime = Field(sa_type=UTCDateTime)
    until: datetime = Field(sa_type=UTCDateTime)
    reason: str


class PriceIndex(Recorded, table=True):
    """What was noted of the index that a lender prices by: the newest since an instant counts, older ones are kept."""

    __tablename__ = "price_index"

    id: int | None = Field(default=None, primary_key=True)
    facility: str = Field(foreign_key="facility.id", index=True)
    since: datetime = Field(sa_type=UTCDateTime)
    note: str


class Notice(Recorded, table=True):
    """A lender's call and what became of it."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint('(facility IS NULL) <> ("group" IS NULL)', "facility_or_group"),
        CheckConstraint("price > 0", "price_is_one"),
        CheckConstraint("demand_btc >= 0 AND demand_usd >= 0", "not_negative"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    ref: str = Field(unique=True)
    tier: str
    at: datetime = Field(sa_type=UTCDateTime)
    price: int = Field(sa_type=UsCents)
    facility: str | None = Field(default=None, foreign_key="facility.id")
    group: str | None = Field(default=None, foreign_key="facility_group.id")
    demand_btc: int | None = Field(default=None, sa_type=Satoshis)
    demand_usd: int | None = Field(default=None, sa_type=UsCents)
    due: datetime | None = Field(default=None, sa_type=UTCDateTime)
    met: datetime | None = Field(default=None, sa_type=UTCDateTime)
    withdrawn: datetime | None = Field(default=None, sa_type=UTCDateTime)
    disputed: datetime | None = Field(default=None, sa_type=UTCDateTime)
    recovered: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NoticeOutcome(Recorded, table=True):
    """What became of a call, `became` being the column of the notice that has its instant: who recorded that, and when.

    The notice's own row says who recorded the call.
    """

    __tablename__ = "notice_outcome"

    notice: str = Field(primary_key=True, foreign_key="notice.ref")
    became: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)


class Need(Recorded, table=True):
    """Dollars that must be there; keyed by due and purpose."""

    __tablename__ = "need"
    __table_args__ = (UniqueConstraint("due", "purpose"), CheckConstraint("usd >= 0", "not_negative"))

    id: int | None = Field(default=None, primary_key=True)
    due: date
    usd: int = Field(sa_type=UsCents)
    purpose: str


class Movement(Recorded, table=True):
    """One append-only change of coins, cash or debt; only an adjustment has a sign of its own."""

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("kind = 'adjustment' OR (coalesce(btc, 0) >= 0 AND coalesce(usd, 0) >= 0)", "not_negative"),
        CheckConstraint(
            "coalesce(fee_btc, 0) >= 0 AND coalesce(fee_usd, 0) >= 0 AND coalesce(gross_usd, 0) >= 0",
            "fees_not_negative",
        ),
        CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", "reversal_names_what_it_undoes"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    kind: str
    ref: str = Field(unique=True)
    account: str | None = Field(default=None, foreign_key="account.id")
    to: str | None = Field(default=None, foreign_key="account.id")
    facility: str | None = Field(default=None, foreign_key="facility.id")
    btc: int | None = Field(default=None, sa_type=Satoshis)
    usd: int | None = Field(default=None, sa_type=UsCents)
    of: str | None = Field(default=None, sa_column_args=[deferred("movement.ref")])
    reverses: str | None = Field(default=None, unique=True, sa_column_args=[deferred("movement.ref")])
    gross_usd: int | None = Field(default=None, sa_type=UsCents)
    fee_usd: int | None = Field(default=None, sa_type=UsCents)
    fee_btc: int | None = Field(default=None, sa_type=Satoshis)
    venue: str | None = None
    order: str | None = None
    purpose: str | None = None
    site: str | None = None
    region: str | None = None
    reason: str | None = None
    note: str | None = None


class Statement(Recorded, table=True):
    """A month's totals as stated; the row with the highest id of a month counts, older ones are kept."""

    __tablename__ = "statement"
    __table_args__ = (CheckConstraint("mined >= 0 AND sold >= 0 AND held >= 0", "not_negative"),)

    id: int | None = Field(default=None, primary_key=True)
    month: str = Field(index=True)
    mined: int = Field(sa_type=Satoshis)
    sold: int = Field(sa_type=Satoshis)
    held: int = Field(sa_type=Satoshis)


class CashCost(Recorded, table=True):
    """What mining one coin cost in a month; the row with the highest id of a month counts, older ones are kept."""

    __tablename__ = "cash_cost"
    __table_args__ = (CheckConstraint("usd_per_btc >= 0", "not_negative"),)

    id: int | None = Field(default=None, primary_key=True)
    month: str = Field(index=True)
    usd_per_btc: int = Field(sa_type=UsCents)


class Claim(Recorded, table=True):
    """What one person recorded that would ease a lender's call, until somebody confirms or withdraws it.

    `document` is the movement, or the end of the call `ref` (`bot.domain.documents`). Confirmed, it is recorded as what
    it says; the row stays, with whom, when and why.
    """

    __tablename__ = "claim"

    id: int | None = Field(default=None, primary_key=True)
    ref: str = Field(index=True)
    document: dict[str, Any] = Field(sa_type=Json)
    name: str
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_by: str | None = None
    ended: str | None = None
    reason: str | None = None
