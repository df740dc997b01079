"""A lender's calls: what a notice demands, by when, and what became of it (contract §3, *Calls*)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from bot.domain.book import Book, Register
from bot.domain.covenant import Exposure
from bot.domain.ledger import Credited, Ledger
from bot.domain.money import SATS_PER_BTC, Cents, Sats
from bot.domain.periods import ONE_DAY, Calendar, local_day, local_instant
from bot.domain.terms import Tier
from bot.domain.treasury import Notice, Treasury

END_OF_DAY = time(17)


class CallState(StrEnum):
    """All three stay open until the lender's `met` or `withdrawn`; a dispute stops no clock."""

    OPEN = "open"
    DISPUTED = "disputed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Demand:
    """What the lender asks: coins or dollars, two alternatives; None where only the other was stated."""

    btc: Sats | None
    usd: Cents | None

    def missing_part(self, credited: Credited) -> Fraction:
        """The part of the demand not credited yet: 1 − btc/demand_btc − usd/demand_usd, at least 0."""
        if 0 in (self.btc, self.usd):
            return Fraction(0)
        met = Fraction(credited.btc, self.btc) if self.btc else Fraction(0)
        met += Fraction(credited.usd, self.usd) if self.usd else Fraction(0)
        return max(1 - met, Fraction(0))


@dataclass(frozen=True, slots=True)
class Call:
    """An open call as it stands now. Amounts in satoshis and cents; `missing_*` rounded up."""

    notice: Notice
    tier: Tier
    rank: int
    due: datetime | None
    state: CallState
    demand: Demand
    credited: Credited
    sent_btc: Sats
    sent_usd: Cents
    missing: Fraction

    @property
    def missing_btc(self) -> Sats | None:
        return ceil(self.demand.btc * self.missing) if self.demand.btc is not None else None

    @property
    def missing_usd(self) -> Cents | None:
        return ceil(self.demand.usd * self.missing) if self.demand.usd is not None else None

    @property
    def urgency(self) -> tuple[bool, datetime, int, datetime]:
        """Sorts the governing call first: the earliest deadline, of equal ones the worse tier."""
        return (self.due is None, self.due or self.notice.at, -self.rank, self.notice.at)


def is_open(notice: Notice, at: datetime) -> bool:
    """Whether the call stands at `at`: noticed, and neither met, withdrawn nor ended by price."""
    ended = [end for end in (notice.met, notice.withdrawn, notice.recovered) if end is not None]
    return notice.at <= at and all(at < end for end in ended)


def deadline(tier: Tier, at: datetime, calendars: Mapping[str, Calendar], zone: ZoneInfo) -> datetime | None:
    """When a notice given at `at` under `tier` is due; None where the terms give no window.

    `window_days` counts open days from day 0: the day of the notice, or the next open day after a late notice or on a
    closed day. Without a calendar every day is open, in the treasury's `zone`, until 17:00.
    """
    if tier.window_hours is not None:
        return at + tier.window_hours
    if tier.window_days is None:
        return None
    calendar = calendars.get(tier.calendar) if tier.calendar else None
    where, close = (calendar.zone, calendar.close) if calendar else (zone, END_OF_DAY)
    day = local_day(at, where)
    late = at.astimezone(where).time() > (tier.notice_cutoff or close)
    if late or not _open_day(calendar, day):
        day = _next_open_day(calendar, day)
    for _ in range(tier.window_days):
        day = _next_open_day(calendar, day)
    return local_instant(day, tier.due_time or close, where)


def _open_day(calendar: Calendar | None, day: date) -> bool:
    return calendar is None or calendar.is_open_day(day)


def _next_open_day(calendar: Calendar | None, day: date) -> date:
    day += ONE_DAY
    while not _open_day(calendar, day):
        day += ONE_DAY
    return day


def called_tier(register: Register, notice: Notice) -> Tier:
    """The tier a notice names, by the terms at its instant."""
    exposure = _as_noticed(register, notice)
    bound = exposure.bound_named(notice.tier)
    if bound is not None:
        return bound.tier
    agreed = next((tier for tier in _agreed(register, notice) if notice.tier in (tier.name, tier.kind)), None)
    if agreed is None:
        raise LookupError(f"call “{notice.ref}” names tier “{notice.tier}”, which {exposure.title} has not")
    return replace(agreed, name=notice.tier)


def names_a_line(treasury: Treasury, notice: Notice) -> bool:
    """Whether there is a tier that a notice can mean, by the terms at its instant: else nothing could be said of it."""
    known = max(notice.at, treasury.opened)
    loans = [treasury.facility_by_id[facility_id] for facility_id in _facilities(treasury, notice)]
    tiers = [tier for loan in loans for at in (notice.at, known) for tier in loan.terms_at(at).tiers]
    names = {tier.name for tier in treasury.group_by_id[notice.group].tiers} if notice.group else set()
    return notice.tier in names.union(*((tier.name, tier.kind.value) for tier in tiers))


def _agreed(register: Register, notice: Notice) -> Iterator[Tier]:
    """The tiers of the loans that a notice is of, also those without a reading: coins pooled, or nothing owed."""
    treasury = register.treasury
    for facility_id in _facilities(treasury, notice):
        yield from treasury.facility_by_id[facility_id].terms_at(notice.at).tiers


def _as_noticed(register: Register, notice: Notice, debts_at: datetime | None = None) -> Exposure:
    """What a notice is of, as it was then; of a notice from before the treasury opened, the opening figures."""
    known = max(notice.at, register.treasury.opened)
    return register.snapshot(known, debts_at).exposure(notice.facility, notice.group)


def notice_due(register: Register, notice: Notice) -> datetime | None:
    """The notice's own deadline, else that of its tier's window."""
    if notice.due is not None:
        return notice.due
    treasury = register.treasury
    return deadline(called_tier(register, notice), notice.at, treasury.calendars, treasury.zone)


def demanded(register: Register, notice: Notice, due: datetime | None) -> Demand:
    """The demand as stated, else top-up or repayment by the terms and price of the notice, on the debt at `due`."""
    if notice.demand_btc is not None or notice.demand_usd is not None:
        return Demand(notice.demand_btc, notice.demand_usd)
    exposure = _as_noticed(register, notice, due)
    bound = exposure.bound_named(notice.tier)
    target = bound.target if bound else None
    if not target:
        return Demand(None, exposure.tested)
    coins = max(Fraction(exposure.tested * SATS_PER_BTC) / (target * notice.price) - exposure.collateral, Fraction(0))
    dollars = max(exposure.tested - target * exposure.collateral * notice.price / SATS_PER_BTC, Fraction(0))
    return Demand(ceil(coins), ceil(dollars))


def open_calls(book: Book) -> list[Call]:
    """Every call open at the Book's instant, the governing one first within each exposure."""
    calls = [_call(book, notice) for notice in book.treasury.notices if is_open(notice, book.at)]
    return sorted(calls, key=lambda call: call.urgency)


def calls_of(exposure: Exposure, calls: list[Call]) -> list[Call]:
    """Those of `calls` that name this exposure, in order."""
    return [call for call in calls if (call.notice.group if exposure.is_group else call.notice.facility) == exposure.id]


def _call(book: Book, notice: Notice) -> Call:
    register, ledger = book.register, book.register.ledger
    tier, due = called_tier(register, notice), notice_due(register, notice)
    demand = demanded(register, notice, due)
    named = _facilities(book.treasury, notice)
    credited = ledger.credited(named, notice.at, book.at)
    transit = [transit for transit in book.balances.transit if transit.facility in named]
    return Call(
        notice=notice,
        tier=tier,
        rank=book.snapshot.exposure(notice.facility, notice.group).rank_of(tier),
        due=due,
        state=_state(notice, due, demand, ledger, named, book.at),
        demand=demand,
        credited=credited,
        sent_btc=sum(item.btc for item in transit),
        sent_usd=sum(item.usd for item in transit),
        missing=demand.missing_part(credited),
    )


def _facilities(treasury: Treasury, notice: Notice) -> frozenset[str]:
    if notice.facility is not None:
        return frozenset({notice.facility})
    return frozenset(facility.id for facility in treasury.members(treasury.group_by_id[notice.group or ""]))


def _state(
    notice: Notice, due: datetime | None, demand: Demand, ledger: Ledger, named: frozenset[str], now: datetime
) -> CallState:
    if due is not None and due <= now and demand.missing_part(ledger.credited(named, notice.at, due)):
        return CallState.MISSED
    if notice.disputed is not None and notice.disputed <= now:
        return CallState.DISPUTED
    return CallState.OPEN
