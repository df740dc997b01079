"""From sound rows to the domain's objects. Amendments become versions: what one doesn't name stays."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group, Release, Terms, TermsVersion, Tier, Waiver
from bot.domain.treasury import (
    Account,
    CashCost,
    Movement,
    MovementKind,
    Need,
    Notice,
    Policy,
    Statement,
    Treasury,
)
from bot.treasury_file import tables as t
from bot.treasury_file.rows import FacilityRows, FileRows, GroupRows, Row, TermsRows

_TERMS_KEYS = tuple(field.name for field in fields(Terms) if field.name not in ("tiers", "release"))


@dataclass(frozen=True)
class Built:
    """A treasury, and for each of its movements the row it was written in."""

    treasury: Treasury
    movement_rows: tuple[Row[t.MovementTable], ...]


def build(rows: FileRows, treasury: t.TreasuryTable) -> Built:
    """The treasury of a file in which every row is sound; movements in order of (at, place in the file)."""
    in_order = sorted(rows.movements, key=lambda row: row.data.at)
    return Built(
        Treasury(
            name=treasury.name,
            zone=treasury.timezone,
            production_zone=treasury.production_timezone,
            opened=treasury.opened,
            policy=Policy(**_values(rows.policy.data)) if rows.policy else Policy(),
            calendars={row.data.id: _calendar(row.data) for row in rows.calendars},
            accounts=tuple(Account(**_values(row.data)) for row in rows.accounts),
            facilities=tuple(_facility(facility, treasury.timezone) for facility in rows.facilities),
            groups=tuple(_group(group) for group in rows.groups),
            notices=tuple(Notice(**_values(row.data)) for row in rows.calls),
            needs=tuple(Need(**_values(row.data)) for row in rows.needs),
            movements=tuple(movement_of(row.data) for row in in_order),
            cash_costs=tuple(CashCost(**_values(row.data)) for row in rows.cash_costs),
            statements=tuple(Statement(**_values(row.data)) for row in rows.statements),
        ),
        tuple(in_order),
    )


def movement_of(data: t.MovementTable) -> Movement:
    return Movement(**{**_values(data), "kind": data.kind or MovementKind.REVERSAL})


def _values(data: t.Table) -> dict[str, Any]:
    return {name: getattr(data, name) for name in type(data).model_fields}


def _calendar(data: t.CalendarTable) -> Calendar:
    return Calendar(data.id, data.timezone, data.open, data.close, data.closed)


def _facility(facility: FacilityRows, zone: ZoneInfo) -> Facility:
    data = facility.row.data
    return Facility(
        id=data.id,
        lender=data.lender,
        principal=data.principal,
        drawn=data.drawn,
        zone=data.accrual_timezone or zone,
        versions=_versions(facility),
        accrued=data.accrued_usd,
        collateral=data.collateral_btc,
        group=data.group,
        waivers=tuple(Waiver(row.data.since, row.data.until, row.data.reason) for row in facility.waivers),
    )


def _versions(facility: FacilityRows) -> tuple[TermsVersion, ...]:
    first = {key: getattr(facility.row.data, key) for key in _TERMS_KEYS}
    terms = Terms(**first, **_lists(facility.terms))
    versions = [TermsVersion(None, terms)]
    for amendment in sorted(facility.amendments, key=lambda one: one.row.data.effective):
        data = amendment.row.data
        named = {key: getattr(data, key) for key in _TERMS_KEYS if key in data.model_fields_set}
        terms = replace(terms, **named, **_lists(amendment.terms))
        versions.append(TermsVersion(data.effective, terms))
    return tuple(versions)


def _lists(terms: TermsRows) -> dict[str, Any]:
    """Tiers and release, where they are named."""
    named: dict[str, Any] = {}
    if terms.tiers is not None:
        named["tiers"] = tuple(_tier(row.data) for row in terms.tiers)
    if terms.release is not None:
        named["release"] = _release(terms.release.data)
    return named


def _tier(data: t.TierTable) -> Tier:
    return Tier(
        kind=data.kind,
        name=data.name or str(data.kind),
        line=data.ltv if data.ltv is not None else data.coverage,
        price=data.price,
        cure_to=data.cure_to if data.cure_to is not None else data.cure_to_coverage,
        window_hours=data.window_hours,
        window_days=data.window_days,
        due_time=data.due_time,
        notice_cutoff=data.notice_cutoff,
        calendar=data.calendar,
        own_level=data.level,
        liquidate_to=data.liquidate_to,
        liquidation_fee_bps=data.liquidation_fee_bps,
    )


def _release(data: t.ReleaseTable) -> Release:
    line = data.ltv if data.ltv is not None else data.coverage
    to = data.to if data.to is not None else data.to_coverage
    if line is None or to is None:
        raise AssertionError("a release without its line or target was not refused")
    return Release(line, to, data.days)


def _group(group: GroupRows) -> Group:
    data = group.row.data
    return Group(
        id=data.id,
        test=data.test,
        tiers=tuple(_tier(row.data) for row in group.tiers),
        pool=data.collateral_btc,
        cushion=data.cushion,
        reference=data.reference,
        on_recovery=data.on_recovery,
        min_call_usd=data.min_call_usd,
        consent=data.consent,
        desk_calendar=data.desk_calendar,
    )
