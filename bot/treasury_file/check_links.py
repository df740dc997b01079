"""What the tables of a file must be to each other: ids of their own, references that lead somewhere, sound dates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from bot.domain.periods import midnight
from bot.domain.terms import GroupTest
from bot.domain.treasury import Treasury
from bot.treasury_file.build import policy_of
from bot.treasury_file.check_calls import accrual_zone, check_call, group_of
from bot.treasury_file.check_terms import check_facility_terms, check_tiers
from bot.treasury_file.faults import Faults
from bot.treasury_file.rows import FileRows, GroupRows, Row
from bot.treasury_file.tables import TierTable
from bot.treasury_file.values import shown


def check_file(rows: FileRows, known: Treasury, faults: Faults) -> None:
    """Everything that a table alone cannot tell. Movements among themselves are the ledger's.

    What a table names may be in the file or in `known`, what was recorded before.
    """
    _check_alone(rows, faults)
    _check_policy(rows, known, faults)
    _check_repeats(rows, faults)
    for facility in rows.facilities:
        check_facility_terms(facility, faults)
    for group in rows.groups:
        check_tiers(group.tiers, faults)
        _check_group(group, known, faults)
    _check_references(rows, known, faults)
    _check_pools(rows, known, faults)
    _check_later_draws(rows, known, faults)
    for call in rows.calls:
        check_call(call, rows, known, faults)
    for movement in rows.movements:
        if "kind" not in movement.raw and "reverses" not in movement.raw:
            faults.missing(movement.path, "kind", '"sold"')
        elif "kind" in movement.raw and "reverses" in movement.raw:
            faults.key(movement.path, "kind", "a reversal has only at, ref, reverses and note; leave kind out.")


def _check_alone(rows: FileRows, faults: Faults) -> None:
    for calendar in rows.calendars:
        if calendar.has("open", "close") and calendar.data.close <= calendar.data.open:
            opens, closes = calendar.data.open, calendar.data.close
            faults.key(
                calendar.path, "close", f"{closes:%H:%M} is not after open {opens:%H:%M}; it closes the same day."
            )
    for facility in (one.row for one in rows.facilities):
        if facility.has("drawn", "matures") and facility.data.matures and facility.data.matures <= facility.data.drawn:
            drawn, matures = facility.data.drawn, facility.data.matures
            faults.key(facility.path, "matures", f"{matures} is not after drawn {drawn}; a loan ends after it begins.")


def _check_policy(rows: FileRows, known: Treasury, faults: Faults) -> None:
    policy = rows.policy
    if policy is None or not policy.sound("fee_bps", "slippage_bps", "slippage"):
        return
    if policy.has("slippage_bps", "slippage"):
        faults.key(policy.path, "slippage", "stands beside slippage_bps; write one of the two.")
        return
    fee = policy.data.fee_bps if policy.has("fee_bps") else known.policy.fee_bps
    said = policy_of(policy, known.policy)
    key = "slippage" if said.slippage else "slippage_bps"
    cost = fee + said.curve[-1].bps
    if cost >= 10_000:
        key, other = (key, "fee_bps") if policy.has(key) else ("fee_bps", key)
        faults.key(policy.path, key, f"with {other} it is {cost}; a sale must bring something: under 10000.")


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
            value, place = shown(row.raw[keys[0]]), faults.place(same.path)
            faults.key(row.path, keys[0], f"{value}{also} is already {place}; {right}")


def _check_group(group: GroupRows, known: Treasury, faults: Faults) -> None:
    if not group.row.has("test"):
        return
    is_new = group.row.data.id not in known.group_by_id
    if group.row.data.test is GroupTest.RATIO and not group.tiers and is_new:
        faults.add(group.row.path, "tier is missing; a ratio group has tiers of its own, write [[group.tier]]")
    if group.row.data.test is GroupTest.REQUIREMENTS and group.tiers:
        faults.key(
            group.row.path, "tier", "a requirements group has the lines of its facilities; leave [[group.tier]] out."
        )


def _check_references(rows: FileRows, known: Treasury, faults: Faults) -> None:
    facilities, groups = [one.row for one in rows.facilities], [one.row for one in rows.groups]
    named = {
        "calendar": _ids(rows.calendars, known.calendars),
        "facility": _ids(facilities, known.facility_by_id),
        "group": _ids(groups, known.group_by_id),
    }

    def check(row: Row[Any], key: str, kind: str) -> None:
        ids = named[kind]
        if ids is not None and row.has(key) and (name := str(row.raw[key])) not in ids:
            faults.key(row.path, key, f"there is no {kind} “{name}”; {_instead(name, ids, f'[[{kind}]]')}")

    for account in rows.accounts:
        check(account, "calendar", "calendar")
    for facility in facilities:
        check(facility, "group", "group")
    amendments = [amendment.row for one in rows.facilities for amendment in one.amendments]
    desks: list[Row[Any]] = [*facilities, *amendments]
    for desk in desks:
        check(desk, "desk_calendar", "calendar")
    for tier in _all_tiers(rows):
        check(tier, "calendar", "calendar")
    for call in rows.calls:
        check(call, "facility", "facility")
        check(call, "group", "group")


def _ids(rows: Sequence[Row[Any]], recorded: Iterable[str]) -> tuple[str, ...] | None:
    """What may be named: the ids of the file and those recorded. None where one of the file cannot be read."""
    if not all(row.has("id") for row in rows):
        return None
    return tuple(dict.fromkeys([*(row.data.id for row in rows), *recorded]))


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


def _check_pools(rows: FileRows, known: Treasury, faults: Faults) -> None:
    pools = {one.row.data.id for one in rows.groups if one.row.has("id", "collateral_btc")}
    pools |= {group.id for group in known.groups if group.pool is not None}
    for facility in (one.row for one in rows.facilities):
        group = group_of(facility, known)
        if group in pools and facility.has("collateral_btc") and facility.data.collateral_btc:
            faults.key(
                facility.path,
                "collateral_btc",
                f"its group {group} holds the coins of its facilities; put them in its collateral_btc.",
            )


def _check_later_draws(rows: FileRows, known: Treasury, faults: Faults) -> None:
    """A facility drawn after `opened` begins with its principal and nothing else."""
    if rows.treasury is None or not rows.treasury.has("opened"):
        return
    opened = rows.treasury.data.opened
    for facility in (one.row for one in rows.facilities):
        zone = accrual_zone(facility, rows, known)
        if zone is None or not facility.has("drawn") or midnight(facility.data.drawn, zone) <= opened:
            continue
        when = f"it is drawn on {facility.data.drawn}, after opened"
        if facility.has("collateral_btc") and facility.data.collateral_btc:
            faults.key(facility.path, "collateral_btc", f"{when}; record its coins by a pledged movement.")
        if facility.has("accrued_usd") and facility.data.accrued_usd:
            faults.key(facility.path, "accrued_usd", f"{when}, so nothing has accrued yet; leave it out.")
