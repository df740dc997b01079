"""What a `[[call]]` must be: of one facility or group, at a tier in force then, with instants that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.periods import local_day
from bot.domain.terms import Facility, GroupTest, Tier, TierKind
from bot.domain.treasury import ANSWERS, Treasury
from bot.treasury_file.check_terms import tier_name
from bot.treasury_file.faults import Faults
from bot.treasury_file.rows import FacilityRows, FileRows, Row
from bot.treasury_file.tables import CallTable, FacilityTable, TierTable
from bot.treasury_file.values import shown


class Line(NamedTuple):
    """A tier by what a call names it by; None where the file is too unsound to tell."""

    name: str | None
    kind: TierKind | None


def check_call(call: Row[CallTable], rows: FileRows, known: Treasury, faults: Faults) -> None:
    named = call.written("facility", "group")
    if len(named) > 1:
        faults.key(call.path, "group", "a call is of one facility or one group, and facility is given too; keep one.")
    elif not named:
        faults.missing(call.path, "facility", '"antalpha"', instead="group")
    later: Mapping[str, datetime | None] = {key: getattr(call.data, key) for key in ("due", *ANSWERS)}
    for key, instant in later.items():
        if call.has("at", key) and instant is not None and instant < call.data.at:
            faults.key(call.path, key, f"{shown(call.raw[key])} is before the notice, at {shown(call.raw['at'])}.")
    if len(named) != 1 or not call.has("tier", "at", named[0]):
        return
    name = str(call.raw[named[0]])
    if named == ["facility"]:
        _check_name(call, name, _lines_of_facility(name, call.data.at, rows, known), faults)
    elif _is_by_kind(name, rows, known):
        _check_kind(call, name, rows, known, faults)
    else:
        _check_name(call, name, _lines_of_group(name, rows, known), faults)


def _check_name(call: Row[CallTable], of: str, lines: Sequence[Line] | None, faults: Faults) -> None:
    if lines is None or any(line.name is None for line in lines):
        return
    names = tuple(line.name or "" for line in lines)
    if call.data.tier not in names:
        near = get_close_matches(call.data.tier, names, n=1)
        listed = f"its tiers then were {', '.join(f'“{one}”' for one in names)}." if names else "it had none then."
        right = f"did you mean “{near[0]}”?" if near else listed
        faults.key(call.path, "tier", f"“{call.data.tier}” is no tier of {of}; {right}")


def _is_by_kind(group: str, rows: FileRows, known: Treasury) -> bool:
    """Whether `group` is a requirements group, whose lines go by kind."""
    row = next((one.row for one in rows.groups if one.row.has("id", "test") and one.row.data.id == group), None)
    recorded = known.group_by_id.get(group)
    test = row.data.test if row is not None else recorded.test if recorded is not None else None
    return test is GroupTest.REQUIREMENTS


def _check_kind(call: Row[CallTable], group: str, rows: FileRows, known: Treasury, faults: Faults) -> None:
    """A requirements group names its lines by kind; those its facilities have can be called."""
    lines = [line for lines in _lines_of_members(group, call.data.at, rows, known) for line in lines or []]
    found = {line.kind for line in lines if line.kind is not None}
    if any(line.kind is None for line in lines):
        return
    kinds = [str(kind) for kind in TierKind if kind in found]
    if call.data.tier not in kinds:
        there = f"its lines are {', '.join(kinds)}." if kinds else "its facilities had none then."
        faults.key(call.path, "tier", f"“{call.data.tier}” is no line of {group}, which go by kind; {there}")


def _lines_of_members(group: str, at: datetime, rows: FileRows, known: Treasury) -> Iterator[Sequence[Line] | None]:
    written = {one.row.data.id for one in rows.facilities if one.row.has("id")}
    for facility in rows.facilities:
        if group_of(facility.row, known) == group:
            yield _lines_at(facility, at, rows, known)
    for recorded in known.facilities:
        if recorded.group == group and recorded.id not in written:
            yield _recorded_lines(recorded.terms_at(at).tiers)


def group_of(facility: Row[FacilityTable], known: Treasury) -> str | None:
    """The group that a facility names, or had recorded where it leaves that out."""
    if facility.has("group"):
        return facility.data.group
    recorded = recorded_facility(facility, known)
    return recorded.group if recorded is not None and "group" not in facility.raw else None


def recorded_facility(facility: Row[FacilityTable], known: Treasury) -> Facility | None:
    return known.facility_by_id.get(facility.data.id) if facility.has("id") else None


def _lines_of_facility(name: str, at: datetime, rows: FileRows, known: Treasury) -> Sequence[Line] | None:
    for facility in rows.facilities:
        if facility.row.has("id") and facility.row.data.id == name:
            return _lines_at(facility, at, rows, known)
    recorded = known.facility_by_id.get(name)
    return _recorded_lines(recorded.terms_at(at).tiers) if recorded is not None else None


def _lines_of_group(name: str, rows: FileRows, known: Treasury) -> Sequence[Line] | None:
    recorded = known.group_by_id.get(name)
    for group in rows.groups:
        if group.row.has("id", "test") and group.row.data.id == name and (group.tiers or recorded is None):
            return _written_lines(group.tiers)
    return _recorded_lines(recorded.tiers) if recorded is not None else None


def _lines_at(facility: FacilityRows, at: datetime, rows: FileRows, known: Treasury) -> Sequence[Line] | None:
    """The tiers in force at `at`, with the amendments recorded before; None where the file is too unsound to tell."""
    zone = accrual_zone(facility.row, rows, known)
    if zone is None or not all(one.row.has("effective") for one in facility.amendments):
        return None
    since: dict[date, Sequence[Line]] = {date.min: []}
    if recorded := recorded_facility(facility.row, known):
        before: tuple[Tier, ...] | None = None
        for version in recorded.versions:
            if version.terms.tiers != before:
                since[version.effective or date.min] = _recorded_lines(version.terms.tiers)
            before = version.terms.tiers
    if facility.terms.tiers is not None:
        since[date.min] = _written_lines(facility.terms.tiers)
    for amendment in facility.amendments:
        if amendment.terms.tiers is not None:
            since[amendment.row.data.effective] = _written_lines(amendment.terms.tiers)
    today = local_day(at, zone)
    return since[max(day for day in since if day <= today)]


def accrual_zone(facility: Row[FacilityTable], rows: FileRows, known: Treasury) -> ZoneInfo | None:
    """Where a facility's days begin; None where the file is too unsound to tell."""
    if facility.has("accrual_timezone"):
        return facility.data.accrual_timezone
    if "accrual_timezone" in facility.raw or rows.treasury is None or not rows.treasury.has("timezone"):
        return None
    recorded = recorded_facility(facility, known)
    return recorded.zone if recorded is not None else rows.treasury.data.timezone


def _written_lines(tiers: Iterable[Row[TierTable]]) -> list[Line]:
    return [Line(tier_name(tier), tier.data.kind if tier.has("kind") else None) for tier in tiers]


def _recorded_lines(tiers: Iterable[Tier]) -> list[Line]:
    return [Line(tier.name, tier.kind) for tier in tiers]
