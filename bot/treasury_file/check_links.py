"""What the tables of a file must be to each other: ids of their own, references that lead somewhere, sound dates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.periods import local_day, midnight
from bot.domain.terms import GroupTest
from bot.treasury_file.check_terms import check_facility_terms, check_tiers, tier_name
from bot.treasury_file.faults import Faults
from bot.treasury_file.rows import FacilityRows, FileRows, GroupRows, Row
from bot.treasury_file.tables import CallTable, Table, TierTable
from bot.treasury_file.values import shown

M = TypeVar("M", bound=Table)


def check_file(rows: FileRows, faults: Faults) -> None:
    """Everything that a table alone cannot tell. Movements among themselves are the ledger's."""
    _check_alone(rows, faults)
    _check_repeats(rows, faults)
    for facility in rows.facilities:
        check_facility_terms(facility, faults)
    for group in rows.groups:
        check_tiers(group.tiers, faults)
        _check_group(group, faults)
    _check_references(rows, faults)
    _check_pools(rows, faults)
    _check_later_draws(rows, faults)
    for call in rows.calls:
        _check_call(call, rows, faults)
    for movement in rows.movements:
        if "kind" not in movement.raw and "reverses" not in movement.raw:
            faults.add(movement.path, 'kind is missing; write for example kind = "sold"')
        elif "kind" in movement.raw and "reverses" in movement.raw:
            faults.key(movement.path, "kind", "a reversal has only at, ref, reverses and note; leave kind out.")


def _check_alone(rows: FileRows, faults: Faults) -> None:
    for calendar in rows.calendars:
        if calendar.has("open", "close") and calendar.data.close <= calendar.data.open:
            opens, closes = calendar.data.open, calendar.data.close
            faults.key(
                calendar.path, "close", f"{closes:%H:%M} is not after open {opens:%H:%M}; it closes the same day."
            )
    policy = rows.policy
    if policy is not None and policy.sound("fee_bps", "slippage_bps"):
        cost = policy.data.fee_bps + policy.data.slippage_bps
        if cost >= 10_000:
            faults.key(
                policy.path, "slippage_bps", f"with fee_bps it is {cost}; a sale must bring something: under 10000."
            )
    for facility in (one.row for one in rows.facilities):
        if facility.has("drawn", "matures") and facility.data.matures and facility.data.matures <= facility.data.drawn:
            drawn, matures = facility.data.drawn, facility.data.matures
            faults.key(facility.path, "matures", f"{matures} is not after drawn {drawn}; a loan ends after it begins.")


def _check_repeats(rows: FileRows, faults: Faults) -> None:
    facilities, groups = [one.row for one in rows.facilities], [one.row for one in rows.groups]
    own = "give each an id of its own."
    for tables in (rows.calendars, rows.accounts, facilities, groups):
        _each_once(tables, ("id",), lambda data: data.id, own, faults)
    _each_once(rows.calls, ("ref",), lambda data: data.ref, "give each notice a ref of its own.", faults)
    newest = "keep the one that counts; an import keeps what was recorded before."
    _each_once(rows.cash_costs, ("month",), lambda data: data.month, newest, faults)
    _each_once(rows.statements, ("month",), lambda data: data.month, newest, faults)
    _each_once(rows.needs, ("purpose", "due"), lambda data: (data.due, data.purpose), "write one need of both.", faults)


def _each_once(
    rows: Sequence[Row[Any]], keys: tuple[str, ...], key: Callable[[Any], Hashable], right: str, faults: Faults
) -> None:
    first: dict[Hashable, Row[Any]] = {}
    for row in rows:
        if row.has(*keys) and (same := first.setdefault(key(row.data), row)) is not row:
            also = f" due {row.raw['due']}" if "due" in keys else ""
            faults.key(row.path, keys[0], f"{shown(row.raw[keys[0]])}{also} is already {same.place}; {right}")


def _check_group(group: GroupRows, faults: Faults) -> None:
    if not group.row.has("test"):
        return
    if group.row.data.test is GroupTest.RATIO and not group.tiers:
        faults.add(group.row.path, "tier is missing; a ratio group has tiers of its own, write [[group.tier]]")
    if group.row.data.test is GroupTest.REQUIREMENTS and group.tiers:
        faults.key(
            group.row.path, "tier", "a requirements group has the lines of its facilities; leave [[group.tier]] out."
        )


def _check_references(rows: FileRows, faults: Faults) -> None:
    def check(row: Row[Any], key: str, kind: str, known: Sequence[Row[Any]]) -> None:
        ids = tuple(one.data.id for one in known if one.has("id"))
        if row.has(key) and len(ids) == len(known) and (name := str(row.raw[key])) not in ids:
            faults.key(row.path, key, f"there is no {kind} “{name}”; {_instead(name, ids, f'[[{kind}]]')}")

    facilities, groups = [one.row for one in rows.facilities], [one.row for one in rows.groups]
    for account in rows.accounts:
        check(account, "calendar", "calendar", rows.calendars)
    for facility in rows.facilities:
        check(facility.row, "group", "group", groups)
    amendments = [amendment.row for one in rows.facilities for amendment in one.amendments]
    desks: list[Row[Any]] = [*facilities, *amendments, *groups]
    for desk in desks:
        check(desk, "desk_calendar", "calendar", rows.calendars)
    for tier in _all_tiers(rows):
        check(tier, "calendar", "calendar", rows.calendars)
    for call in rows.calls:
        check(call, "facility", "facility", facilities)
        check(call, "group", "group", groups)


def _all_tiers(rows: FileRows) -> Iterable[Row[TierTable]]:
    for facility in rows.facilities:
        yield from facility.terms.tiers or []
        for amendment in facility.amendments:
            yield from amendment.terms.tiers or []
    for group in rows.groups:
        yield from group.tiers


def _instead(name: str, known: tuple[str, ...], table: str) -> str:
    if near := get_close_matches(name, known, n=1):
        return f"did you mean “{near[0]}”?"
    return f"there is {', '.join(known)}." if known else f"add it as {table}, or leave the key out."


def _check_pools(rows: FileRows, faults: Faults) -> None:
    pools = {one.row.data.id for one in rows.groups if one.row.has("id", "collateral_btc")}
    for facility in (one.row for one in rows.facilities):
        if facility.has("group", "collateral_btc") and facility.data.group in pools and facility.data.collateral_btc:
            faults.key(
                facility.path,
                "collateral_btc",
                f"its group {facility.data.group} holds the coins of its facilities; put them in its collateral_btc.",
            )


def _check_later_draws(rows: FileRows, faults: Faults) -> None:
    """A facility drawn after `opened` begins with its principal and nothing else."""
    if rows.treasury is None or not rows.treasury.has("opened"):
        return
    opened = rows.treasury.data.opened
    for facility in (one.row for one in rows.facilities):
        zone = _accrual_zone(facility, rows)
        if zone is None or not facility.has("drawn") or midnight(facility.data.drawn, zone) <= opened:
            continue
        when = f"it is drawn on {facility.data.drawn}, after opened"
        if facility.has("collateral_btc") and facility.data.collateral_btc:
            faults.key(facility.path, "collateral_btc", f"{when}; record its coins by a pledged movement.")
        if facility.has("accrued_usd") and facility.data.accrued_usd:
            faults.key(facility.path, "accrued_usd", f"{when}, so nothing has accrued yet; leave it out.")


def _accrual_zone(facility: Row[Any], rows: FileRows) -> ZoneInfo | None:
    if facility.has("accrual_timezone"):
        zone: ZoneInfo | None = facility.data.accrual_timezone
        return zone
    if "accrual_timezone" in facility.raw or rows.treasury is None or not rows.treasury.has("timezone"):
        return None
    return rows.treasury.data.timezone


def _check_call(call: Row[CallTable], rows: FileRows, faults: Faults) -> None:
    named = call.written("facility", "group")
    if len(named) > 1:
        faults.key(call.path, "group", "a call is of one facility or one group, and facility is given too; keep one.")
    elif not named:
        faults.add(call.path, 'facility is missing; write for example facility = "antalpha", or group')
    later: Mapping[str, datetime | None] = {
        key: getattr(call.data, key) for key in ("due", "met", "withdrawn", "disputed")
    }
    for key, instant in later.items():
        if call.has("at", key) and instant is not None and instant < call.data.at:
            faults.key(call.path, key, f"{shown(call.raw[key])} is before the notice, at {shown(call.raw['at'])}.")
    if len(named) == 1 and call.has("tier", "at", named[0]):
        _check_called_tier(call, named[0], rows, faults)


def _check_called_tier(call: Row[CallTable], key: str, rows: FileRows, faults: Faults) -> None:
    name = str(call.raw[key])
    tiers: list[Row[TierTable]] | None = None
    if key == "facility":
        if facility := next((one for one in rows.facilities if one.row.has("id") and one.row.data.id == name), None):
            tiers = _tiers_at(facility, call.data.at, rows)
    elif group := next((one for one in rows.groups if one.row.has("id", "test") and one.row.data.id == name), None):
        if group.row.data.test is GroupTest.REQUIREMENTS:
            _check_called_kind(call, name, rows, faults)
            return
        tiers = group.tiers
    if tiers is None or any(tier_name(tier) is None for tier in tiers):
        return
    names = tuple(tier_name(tier) or "" for tier in tiers)
    if call.data.tier not in names:
        near = get_close_matches(call.data.tier, names, n=1)
        listed = f"its tiers then were {', '.join(f'“{one}”' for one in names)}." if names else "it had none then."
        right = f"did you mean “{near[0]}”?" if near else listed
        faults.key(call.path, "tier", f"“{call.data.tier}” is no tier of {name}; {right}")


def _check_called_kind(call: Row[CallTable], name: str, rows: FileRows, faults: Faults) -> None:
    """A requirements group names its lines by kind; those its facilities have can be called."""
    members = [one for one in rows.facilities if one.row.has("group") and one.row.data.group == name]
    tiers = [tier for member in members for tier in _tiers_at(member, call.data.at, rows) or []]
    if not all(tier.has("kind") for tier in tiers):
        return
    kinds = tuple(dict.fromkeys(str(kind) for kind in sorted((t.data.kind for t in tiers), key=lambda k: k.severity)))
    if call.data.tier not in kinds:
        there = f"its lines are {', '.join(kinds)}." if kinds else "its facilities had none then."
        faults.key(call.path, "tier", f"“{call.data.tier}” is no line of {name}, which go by kind; {there}")


def _tiers_at(facility: FacilityRows, at: datetime, rows: FileRows) -> list[Row[TierTable]] | None:
    """The tiers in force at `at`; None where the file is too unsound to tell."""
    zone = _accrual_zone(facility.row, rows)
    if zone is None or not all(one.row.has("effective") for one in facility.amendments):
        return None
    today, tiers = local_day(at, zone), facility.terms.tiers or []
    for amendment in sorted(facility.amendments, key=lambda one: one.row.data.effective):
        if amendment.row.data.effective <= today and amendment.terms.tiers is not None:
            tiers = amendment.terms.tiers
    return tiers
