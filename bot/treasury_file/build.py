"""From sound rows to the domain's objects: what a table leaves out is as recorded, or else has its default.

Amendments become versions: what one doesn't name stays, and those recorded before are among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.merge_terms import amended, deltas
from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group, PriceIndex, Release, Terms, TermsVersion, Tier, Waiver
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


def build(rows: FileRows, treasury: t.TreasuryTable, known: Treasury) -> Built:
    """The treasury of a file in which every row is sound; movements in order of (at, place in the file)."""
    in_order = sorted(rows.movements, key=lambda row: row.data.at)
    own = _said(treasury, known, {"timezone": "zone", "production_timezone": "production_zone"})
    accounts = [Account(**_said(row.data, known.account_by_id.get(row.data.id))) for row in rows.accounts]
    return Built(
        Treasury(
            **own,
            policy=policy_of(rows.policy, known.policy) if rows.policy else known.policy,
            calendars={row.data.id: _calendar(row.data, known) for row in rows.calendars},
            accounts=tuple(accounts),
            facilities=tuple(_facility(facility, treasury.timezone, known) for facility in rows.facilities),
            groups=tuple(_group(group, known) for group in rows.groups),
            notices=tuple(Notice(**_values(row.data)) for row in rows.calls),
            needs=tuple(Need(**_values(row.data)) for row in rows.needs),
            movements=tuple(movement_of(row.data) for row in in_order),
            cash_costs=tuple(CashCost(**_values(row.data)) for row in rows.cash_costs),
            statements=tuple(Statement(**_values(row.data)) for row in rows.statements),
        ),
        tuple(in_order),
    )


def policy_of(row: Row[t.PolicyTable], recorded: Policy) -> Policy:
    """What is recorded, with what the file says; a curve takes the place of `slippage_bps`, and that of a curve."""
    said = {key: getattr(row.data, key) for key in row.data.model_fields_set}
    if "slippage_bps" in said:
        said.setdefault("slippage", ())
    elif said.get("slippage"):
        said["slippage_bps"] = 0
    return replace(recorded, **said)


def movement_of(data: t.MovementTable) -> Movement:
    return Movement(**{**_values(data), "kind": data.kind or MovementKind.REVERSAL})


def _values(data: t.Table) -> dict[str, Any]:
    return {name: getattr(data, name) for name in type(data).model_fields}


def _said(
    data: t.Table,
    recorded: object | None,
    names: Mapping[str, str] | None = None,
    keys: Iterable[str] | None = None,
) -> dict[str, Any]:
    """What `data` writes, by the domain's `names`, and as `recorded` what it leaves out; of `keys`, or of all."""
    said: dict[str, Any] = {}
    for key in keys or type(data).model_fields:
        name = (names or {}).get(key, key)
        left_out = recorded is not None and key not in data.model_fields_set
        said[name] = getattr(recorded, name) if left_out else getattr(data, key)
    return said


def _calendar(data: t.CalendarTable, known: Treasury) -> Calendar:
    return Calendar(**_said(data, known.calendars.get(data.id), {"timezone": "zone"}))


_OF_FACILITY = ("id", "lender", "principal", "drawn", "accrued_usd", "collateral_btc", "accrual_timezone", "group")
_FACILITY_NAMES = {"accrued_usd": "accrued", "collateral_btc": "collateral", "accrual_timezone": "zone"}


def _facility(facility: FacilityRows, zone: ZoneInfo, known: Treasury) -> Facility:
    data = facility.row.data
    recorded = known.facility_by_id.get(data.id)
    said = _said(data, recorded, _FACILITY_NAMES, _OF_FACILITY)
    waivers = tuple(Waiver(row.data.since, row.data.until, row.data.reason) for row in facility.waivers)
    noted = tuple(PriceIndex(row.data.since, row.data.note) for row in facility.price_index)
    said["zone"] = said["zone"] or zone
    return Facility(**said, versions=_versions(facility, recorded), waivers=waivers, price_index=noted)


def _versions(facility: FacilityRows, recorded: Facility | None) -> tuple[TermsVersion, ...]:
    before = recorded.versions[0].terms if recorded is not None else None
    first = _said(facility.row.data, before, keys=_TERMS_KEYS)
    lists = {"tiers": before.tiers, "release": before.release} if before is not None else {}
    amendments = dict(deltas(recorded)) if recorded is not None else {}
    for amendment in facility.amendments:
        data = amendment.row.data
        named = {key: getattr(data, key) for key in _TERMS_KEYS if key in data.model_fields_set}
        amendments[data.effective] = {**amendments.get(data.effective, {}), **named, **_lists(amendment.terms)}
    return amended(Terms(**{**first, **lists, **_lists(facility.terms)}), amendments)


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


def _group(group: GroupRows, known: Treasury) -> Group:
    data = group.row.data
    recorded = known.group_by_id.get(data.id)
    tiers = tuple(_tier(row.data) for row in group.tiers)
    if recorded is not None and not tiers:
        tiers = recorded.tiers
    return Group(**_said(data, recorded, {"collateral_btc": "pool"}), tiers=tiers)
