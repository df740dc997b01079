"""What was recorded after an instant and counts from before it, by the instants that each row of the register keeps.

What has no date of its own (policy, calendars, how long an account needs) or is dated ahead (needs) is not among it.
What came with its facility or its call is one record with that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select

from bot.domain.booked import stand_in
from bot.domain.late import LateRecord
from bot.domain.merge_found import What
from bot.domain.periods import midnight
from bot.domain.production import month_begins
from bot.store import tables
from bot.store.columns import table_of
from bot.store.register_load import open_claims

_treasury = table_of(tables.Treasury)
_accounts = table_of(tables.Account)
_groups = table_of(tables.FacilityGroup)
_facilities = table_of(tables.Facility)
_terms = table_of(tables.FacilityTerms)
_notices = table_of(tables.Notice)
_outcomes = table_of(tables.NoticeOutcome)
_movements = table_of(tables.Movement)


def late_records(connection: Connection, at: datetime) -> tuple[LateRecord, ...]:
    """In the order of recording; of what was recorded in one go, what was agreed comes before what moved."""
    found = [
        *_opening(connection, at),
        *_amendments(connection, at),
        *_noted(connection, at),
        *_calls(connection, at),
        *_monthly(connection, at),
        *_moved(connection, at),
        *_claimed(connection, at),
    ]
    return tuple(sorted((one for one in found if one.at <= at), key=attrgetter("recorded_at")))


def _opening(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    """Accounts that began with something, groups, and loans: they count from the treasury's `opened`, a loan that was
    drawn later from then."""
    opened: datetime = connection.execute(select(_treasury.c.opened)).scalar_one()
    a = _accounts.c
    accounts = select(a.id, a.recorded_at).where(a.recorded_at > at, or_(a.btc > 0, a.usd > 0)).order_by(a.position)
    for id_, recorded_at in connection.execute(accounts):
        yield LateRecord(What.ACCOUNT, id_, opened, recorded_at)
    g = _groups.c
    groups = select(g.id, g.recorded_at).where(g.recorded_at > at).order_by(g.position)
    for id_, recorded_at in connection.execute(groups):
        yield LateRecord(What.GROUP, id_, opened, recorded_at)
    f = _facilities.c
    loans = select(f.id, f.drawn, f.timezone, f.recorded_at).where(f.recorded_at > at).order_by(f.position)
    for id_, drawn, zone, recorded_at in connection.execute(loans):
        yield LateRecord(What.FACILITY, id_, max(opened, midnight(drawn, ZoneInfo(zone))), recorded_at)


def _amendments(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    """From 00:00 of their day; of those of one day the last."""
    t, f = _terms.c, _facilities.c
    query = (
        select(t.facility, t.effective, f.timezone, t.recorded_at)
        .join_from(_terms, _facilities)
        .where(t.recorded_at > at, t.recorded_at > f.recorded_at, t.effective.is_not(None))
        .order_by(t.id)
    )
    last = {}
    for facility, effective, zone, recorded_at in connection.execute(query):
        ref = f"{facility} {effective.isoformat()}"
        last[ref] = LateRecord(What.AMENDMENT, ref, midnight(effective, ZoneInfo(zone)), recorded_at)
    yield from last.values()


def _noted(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    """Waivers, and notes of the index that a lender prices by."""
    f = _facilities.c
    for what, model in ((What.WAIVER, tables.Waiver), (What.PRICE_INDEX, tables.PriceIndex)):
        n = table_of(model).c
        query = (
            select(n.facility, n.since, n.recorded_at)
            .join_from(table_of(model), _facilities)
            .where(n.recorded_at > at, n.recorded_at > f.recorded_at)
            .order_by(n.since, n.id)
        )
        for facility, since, recorded_at in connection.execute(query):
            yield LateRecord(what, f"{facility} {since.date().isoformat()}", since, recorded_at)


def _calls(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    n, o = _notices.c, _outcomes.c
    calls = select(n.ref, n.at, n.recorded_at).where(n.recorded_at > at).order_by(n.at, n.seq)
    for ref, noticed, recorded_at in connection.execute(calls):
        yield LateRecord(What.NOTICE, ref, noticed, recorded_at)
    outcomes = (
        select(o.notice, o.became, o.at, o.recorded_at)
        .join_from(_outcomes, _notices)
        .where(o.recorded_at > at, o.recorded_at > n.recorded_at)
        .order_by(o.at, o.notice)
    )
    for ref, became, when, recorded_at in connection.execute(outcomes):
        yield LateRecord(What.NOTICE, ref, when, recorded_at, became)


def _monthly(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    """Statements and costs count in all of their month; of those of one month the last."""
    zone = ZoneInfo(connection.execute(select(_treasury.c.production_timezone)).scalar_one())
    for what, model in ((What.CASH_COST, tables.CashCost), (What.STATEMENT, tables.Statement)):
        m = table_of(model).c
        query = select(m.month, m.recorded_at).where(m.recorded_at > at).order_by(m.id)
        last = {row.month: row.recorded_at for row in connection.execute(query)}
        for month, recorded_at in sorted(last.items()):
            yield LateRecord(what, month, month_begins(month, zone), recorded_at)


def _moved(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    m = _movements.c
    query = select(m.ref, m.at, m.recorded_at).where(m.at <= at, m.recorded_at > at).order_by(m.at, m.seq)
    for ref, when, recorded_at in connection.execute(query):
        yield LateRecord(What.MOVEMENT, ref, when, recorded_at)


def _claimed(connection: Connection, at: datetime) -> Iterator[LateRecord]:
    """What is only claimed counts in no line, but what it takes out of an account is in transit since its own time."""
    for claim in open_claims(connection):
        moved = stand_in(claim)
        if moved is not None and claim.at > at:
            yield LateRecord(What.MOVEMENT, claim.ref, moved.at, claim.at, "claimed")
