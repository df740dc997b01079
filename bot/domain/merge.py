"""What is said held against what is recorded: what it adds, what it changes, and what must be refused.

Pure. An import adds and never deletes, so what is left out stays as it is, and the same thing twice changes
nothing. What happened and what was agreed can't be rewritten: a mistake is reversed, terms are amended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from bot.domain.calls import names_a_line
from bot.domain.ledger import ledger_faults
from bot.domain.merge_found import Change, Found, Merge, Refusal, Thing, What, differing, without
from bot.domain.merge_lines import described, shown
from bot.domain.merge_terms import merge_versions
from bot.domain.periods import Calendar, iso
from bot.domain.terms import Facility, Group
from bot.domain.treasury import ANSWERS, Account, CashCost, Claim, Movement, Need, Notice, Policy, Statement, Treasury

__all__ = ["Change", "Merge", "Refusal", "Thing", "What", "merge"]

T = TypeVar("T")


def merge(current: Treasury | None, new: Treasury, *, judged: bool = False) -> Merge:
    """`new` on top of `current`, what is recorded; None where nothing is yet.

    `new` may have only some of the tables, and movements that only stand on recorded ones: the union is held against
    the ledger, as a whole; not once more where `new` is all there is and was `judged`. Of what it has, every field
    counts: who reads a partial file fills in what is recorded.
    """
    found = Found()
    if current is None:
        current = Treasury(new.name, new.zone, new.production_zone, new.opened)
        found.add(What.TREASURY, new.name, new)
        if new.policy != current.policy:
            found.add(What.POLICY, "", new.policy, described(new.policy))
            current = replace(current, policy=new.policy)
    own = {name: (getattr(current, name), getattr(new, name)) for name in _IDENTITY}
    other = {name: (was, said) for name, (was, said) in own.items() if was != said}
    right = "another treasury needs a database of its own."
    found.refuse_values(What.TREASURY, current.name, other, right)
    if found.refusals:
        return Merge(current, refusals=tuple(found.refusals))
    union = replace(
        current,
        policy=_policy(current.policy, new.policy, found),
        calendars=_calendars(current.calendars, new.calendars, found),
        accounts=_accounts(current.accounts, new.accounts, found),
        groups=_groups(current.groups, new.groups, found),
        facilities=_facilities(current.facilities, new.facilities, found),
        notices=_notices(current.notices, new.notices, found),
        needs=_needs(current.needs, new.needs, found),
        movements=_movements(current.movements, new.movements, current.claims, found),
        cash_costs=_restated(What.CASH_COST, current.cash_costs, new.cash_costs, found),
        statements=_restated(What.STATEMENT, current.statements, new.statements, found),
    )
    union = replace(union, claims=_still_open(union))
    _keep_called_lines(current, union, found)
    if not found.refusals and not judged:
        found.refusals += _ledger_refusals(union)
    return Merge(union, tuple(found.additions), tuple(found.changes), tuple(found.refusals))


def _ledger_refusals(union: Treasury) -> Iterator[Refusal]:
    """What the ledger as a whole does not allow, of movements and of what is only claimed."""
    claims = {claim.ref for claim in union.claims}
    for fault in ledger_faults(union):
        claimed = fault.ref in claims
        text = fault.text if fault.text.endswith((".", "?")) else f"{fault.text}."
        if claimed:
            text += " It is not confirmed yet; confirm or withdraw that claim first."
        yield Refusal(What.MOVEMENT, fault.ref, fault.key, text, claimed=claimed)


_IDENTITY = ("name", "zone", "production_zone", "opened")


def _policy(old: Policy, new: Policy, found: Found) -> Policy:
    """What is said counts, whatever was recorded."""
    for name, (was, said) in differing(old, new).items():
        found.change(What.POLICY, name, new, f"{shown(name, was)} → {shown(name, said)}")
    return new


def _union(
    old: Iterable[T], new: Iterable[T], key: Callable[[T], Any], add: Callable[[T], None], meet: Callable[[T, T], T]
) -> tuple[T, ...]:
    """What is recorded, each as `meet` leaves it with what is said, then what is new."""
    kept = {key(thing): thing for thing in old}
    for thing in new:
        known = kept.get(key(thing))
        if known is None:
            add(thing)
            kept[key(thing)] = thing
        elif known != thing:
            kept[key(thing)] = meet(known, thing)
    return tuple(kept.values())


def _calendars(old: Mapping[str, Calendar], new: Mapping[str, Calendar], found: Found) -> Mapping[str, Calendar]:
    def meet(known: Calendar, said: Calendar) -> Calendar:
        right = "a calendar's zone and hours stay; write another calendar."
        found.refuse_values(What.CALENDAR, known.id, without(differing(known, said), "closed"), right)
        more = said.closed - known.closed
        if more:
            known = replace(known, closed=known.closed | more)
            days = ", ".join(day.isoformat() for day in sorted(more))
            found.change(What.CALENDAR, known.id, known, f"also closed on {days}")
        return known

    def add(calendar: Calendar) -> None:
        found.add(What.CALENDAR, calendar.id, calendar, described(calendar))

    united = _union(old.values(), new.values(), attrgetter("id"), add, meet)
    return {calendar.id: calendar for calendar in united}


def _accounts(old: Iterable[Account], new: Iterable[Account], found: Found) -> tuple[Account, ...]:
    settings = ("calendar", "ready_hours")

    def meet(known: Account, said: Account) -> Account:
        right = "opening figures stay; record a movement."
        changed = differing(known, said)
        found.refuse_values(What.ACCOUNT, known.id, without(changed, *settings), right)
        known = replace(known, calendar=said.calendar, ready_hours=said.ready_hours)
        for name in settings:
            if name in changed:
                found.change(What.ACCOUNT, known.id, known, f"{name} → {shown(name, getattr(said, name))}")
        return known

    def add(account: Account) -> None:
        found.add(What.ACCOUNT, account.id, account, described(account))

    return _union(old, new, attrgetter("id"), add, meet)


def _groups(old: Iterable[Group], new: Iterable[Group], found: Found) -> tuple[Group, ...]:
    def meet(known: Group, said: Group) -> Group:
        found.refuse_changes(What.GROUP, known.id, known, said, "a master agreement stays; write another group.")
        return known

    return _union(
        old, new, attrgetter("id"), lambda group: found.add(What.GROUP, group.id, group, described(group)), meet
    )


def _facilities(old: Iterable[Facility], new: Iterable[Facility], found: Found) -> tuple[Facility, ...]:
    def meet(known: Facility, said: Facility) -> Facility:
        right = "opening figures stay; record a movement."
        found.refuse_values(What.FACILITY, known.id, without(differing(known, said), *_GROWING), right)
        right = "terms change by an amendment with its effective day."
        found.refuse_changes(What.FACILITY, known.id, known.versions[0].terms, said.versions[0].terms, right)
        waivers = tuple(waiver for waiver in said.waivers if waiver not in known.waivers)
        noted = tuple(index for index in said.price_index if index not in known.price_index)
        versions = merge_versions(known, said, found)
        for waiver in waivers:
            found.add(What.WAIVER, waiver.since.date().isoformat(), waiver, described(waiver), facility=known.id)
        for index in noted:
            found.add(What.PRICE_INDEX, index.since.date().isoformat(), index, described(index), facility=known.id)
        return replace(known, versions=versions, waivers=known.waivers + waivers, price_index=known.price_index + noted)

    def add(facility: Facility) -> None:
        found.add(What.FACILITY, facility.id, facility, described(facility))

    return _union(old, new, attrgetter("id"), add, meet)


_GROWING = ("versions", "waivers", "price_index")
"""What a facility gains and never loses."""

_MAY_BE_LEFT_OUT = ("demand_btc", "demand_usd", "due", *ANSWERS, "recovered")


def _notices(old: Iterable[Notice], new: Iterable[Notice], found: Found) -> tuple[Notice, ...]:
    """A call may gain what became of it; what isn't said of it stays."""

    def meet(known: Notice, said: Notice) -> Notice:
        kept = {name: getattr(known, name) for name in _MAY_BE_LEFT_OUT if getattr(said, name) is None}
        said = replace(said, **kept)
        gained = {name: getattr(said, name) for name in ANSWERS if getattr(known, name) is None and getattr(said, name)}
        merged = replace(known, **gained)
        right = "a notice stays as it was given; record a new one."
        found.refuse_changes(What.NOTICE, known.ref, merged, said, right)
        for name, instant in gained.items():
            found.change(What.NOTICE, known.ref, merged, f"{name} {shown(name, instant)}")
        return merged

    return _union(
        old, new, attrgetter("ref"), lambda call: found.add(What.NOTICE, call.ref, call, described(call)), meet
    )


def _keep_called_lines(current: Treasury, union: Treasury, found: Found) -> None:
    """Terms that are amended from a day in the past must have the lines that were called since."""
    for notice in current.notices:
        if not names_a_line(union, notice):
            text = f"the new terms have no line “{notice.tier}” at {iso(notice.at)}, when it was called; "
            right = "keep its name, or amend from a later day."
            found.refusals.append(Refusal(What.NOTICE, notice.ref, "tier", text + right))


def _needs(old: Iterable[Need], new: Iterable[Need], found: Found) -> tuple[Need, ...]:
    def meet(known: Need, said: Need) -> Need:
        was, says = shown("usd", known.usd), shown("usd", said.usd)
        found.change(What.NEED, said.purpose, said, f"of {said.due.isoformat()}: {was} → {says}")
        return said

    def add(need: Need) -> None:
        found.add(What.NEED, need.purpose, need, described(need))

    return _union(old, new, attrgetter("due", "purpose"), add, meet)


def _movements(
    old: Iterable[Movement], new: Iterable[Movement], claims: Iterable[Claim], found: Found
) -> tuple[Movement, ...]:
    """What is said of a movement that is claimed confirms it, where it is the same."""
    claimed = {claim.ref: claim.thing for claim in claims if isinstance(claim.thing, Movement)}

    def meet(known: Movement, said: Movement) -> Movement:
        right = "a movement stays; reverse it and record it anew."
        found.refuse_changes(What.MOVEMENT, known.ref, known, said, right)
        return known

    def add(movement: Movement) -> None:
        found.add(What.MOVEMENT, movement.ref, movement, described(movement))
        right = "it is claimed and not confirmed yet; withdraw that claim, or give this another ref."
        found.refuse_changes(What.MOVEMENT, movement.ref, claimed.get(movement.ref, movement), movement, right)
        for key, named in (("of", movement.of), ("reverses", movement.reverses)):
            if named in claimed:
                text = f"“{named}” is claimed and not confirmed yet; confirm or withdraw that claim first."
                found.refusals.append(Refusal(What.MOVEMENT, movement.ref, key, text))

    return tuple(sorted(_union(old, new, attrgetter("ref"), add, meet), key=attrgetter("at")))


def _still_open(union: Treasury) -> tuple[Claim, ...]:
    """The claims that nothing has confirmed: their movement is not recorded, their call has not ended."""
    recorded = {movement.ref for movement in union.movements}
    ended = {notice.ref for notice in union.notices if notice.met or notice.withdrawn}
    return tuple(
        claim for claim in union.claims if claim.ref not in (recorded if isinstance(claim.thing, Movement) else ended)
    )


_Monthly = TypeVar("_Monthly", Statement, CashCost)


def _restated(what: What, old: Iterable[_Monthly], new: Iterable[_Monthly], found: Found) -> tuple[_Monthly, ...]:
    """All that is recorded, then what is new or stated anew; the last of a month counts."""
    kept = list(old)
    newest = {thing.month: thing for thing in kept}
    for thing in {thing.month: thing for thing in new}.values():
        if thing.month not in newest:
            found.add(what, thing.month, thing, described(thing))
        elif newest[thing.month] != thing:
            found.change(what, thing.month, thing, f"restated: {described(thing)}")
        else:
            continue
        kept.append(thing)
        newest[thing.month] = thing
    return tuple(kept)
