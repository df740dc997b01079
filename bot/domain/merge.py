"""A treasury file held against what is recorded: what it adds, what it changes, and what must be refused.

Pure. An import adds and never deletes, so what a file leaves out stays as it is, and the same file twice changes
nothing. What happened and what was agreed can't be rewritten: a mistake is reversed, terms are amended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

from bot.domain.ledger import ledger_faults
from bot.domain.merge_lines import described, listed, shown
from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group, Terms, TermsVersion, Waiver
from bot.domain.treasury import Account, CashCost, Movement, Need, Notice, Policy, Statement, Treasury

T = TypeVar("T")


class What(StrEnum):
    """What a change is of; the word that its line begins with."""

    TREASURY = "treasury"
    POLICY = "policy"
    CALENDAR = "calendar"
    ACCOUNT = "account"
    FACILITY = "facility"
    AMENDMENT = "amendment"
    WAIVER = "waiver"
    GROUP = "group"
    NOTICE = "call"
    NEED = "need"
    MOVEMENT = "movement"
    CASH_COST = "cash_cost"
    STATEMENT = "statement"


Thing: TypeAlias = (
    Treasury
    | Policy
    | Calendar
    | Account
    | Facility
    | TermsVersion
    | Waiver
    | Group
    | Notice
    | Need
    | Movement
    | CashCost
    | Statement
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to write. `id` is its id, ref or month; of an amendment or waiver, `facility` says whose it is.

    `thing` is what is true from now on: of a call, with what it gained; of a policy, the whole of it; of a facility,
    with its amendments and waivers, which have no changes of their own when it is new.
    """

    what: What
    id: str
    thing: Thing
    line: str
    facility: str | None = None


@dataclass(frozen=True)
class Merge:
    """What an import comes to. With `refusals`, nothing of it may be written."""

    treasury: Treasury
    additions: tuple[Change, ...] = ()
    changes: tuple[Change, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What `--dry-run` prints: additions with +, changes with ~."""
        return tuple(change.line for change in (*self.additions, *self.changes))


@dataclass
class _Found:
    """What has been found so far."""

    additions: list[Change] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def add(self, what: What, id_: str, thing: Thing, text: str = "", facility: str | None = None) -> None:
        self.additions.append(
            Change(what, id_, thing, f"+ {_head(what, id_, facility)}{text and f': {text}'}", facility)
        )

    def change(self, what: What, id_: str, thing: Thing, text: str, facility: str | None = None) -> None:
        self.changes.append(Change(what, id_, thing, f"~ {_head(what, id_, facility)} {text}", facility))

    def refuse(self, what: What, id_: str, text: str, facility: str | None = None) -> None:
        self.refusals.append(f"{_head(what, id_, facility)}: {text}")

    def refuse_changes(
        self, what: What, id_: str, old: object, new: object, right: str, ids: tuple[str, ...] = ()
    ) -> None:
        """One refusal for each field in which `new` is not what is recorded."""
        for name in _differing(old, new):
            if name not in ids:
                was, said = shown(name, getattr(old, name)), shown(name, getattr(new, name))
                self.refuse(what, id_, f"{name} is recorded as {was} and the file says {said}; {right}")


_BY_NAME = (What.NOTICE, What.MOVEMENT, What.NEED, What.TREASURY)


def _head(what: What, id_: str, facility: str | None = None) -> str:
    named = f"“{id_}”" if what in _BY_NAME else id_
    return " ".join(word for word in (str(what), facility, named) if word)


def merge(current: Treasury | None, new: Treasury) -> Merge:
    """`new`, a file's treasury, on top of `current`, what is recorded; None where nothing is yet.

    `new` may have movements that only stand on recorded ones: the union is held against the ledger, as a whole.
    """
    found = _Found()
    if current is None:
        current = Treasury(new.name, new.zone, new.production_zone, new.opened)
        found.add(What.TREASURY, new.name, new)
        if new.policy != current.policy:
            found.add(What.POLICY, "", new.policy, described(new.policy))
            current = replace(current, policy=new.policy)
    for name in ("name", "zone", "production_zone", "opened"):
        was, said = getattr(current, name), getattr(new, name)
        if was != said:
            right = "import into a database of its own, or correct the file."
            key = {"zone": "timezone", "production_zone": "production_timezone"}.get(name, name)
            found.refuse(
                What.TREASURY,
                current.name,
                f"{key} is {shown(name, was)} and the file says {shown(name, said)}; {right}",
            )
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
        movements=_movements(current.movements, new.movements, found),
        cash_costs=_restated(What.CASH_COST, current.cash_costs, new.cash_costs, found),
        statements=_restated(What.STATEMENT, current.statements, new.statements, found),
    )
    if not found.refusals:
        for fault in ledger_faults(union):
            found.refuse(What.MOVEMENT, fault.ref, f"{fault.text}{'' if fault.text.endswith('.') else '.'}")
    return Merge(union, tuple(found.additions), tuple(found.changes), tuple(found.refusals))


def _differing(old: object, new: object) -> list[str]:
    names = (item.name for item in fields(old))  # type: ignore[arg-type]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _policy(old: Policy, new: Policy, found: _Found) -> Policy:
    """The file's values, whatever was recorded; a value it leaves out is the default again."""
    for name in _differing(old, new):
        was, said = shown(name, getattr(old, name)), shown(name, getattr(new, name))
        found.change(What.POLICY, name, new, f"{was} → {said}")
    return new


def _union(
    old: Iterable[T], new: Iterable[T], key: Callable[[T], Any], add: Callable[[T], None], meet: Callable[[T, T], T]
) -> tuple[T, ...]:
    """What is recorded, each as `meet` leaves it with the file's, then what the file adds."""
    kept = {key(thing): thing for thing in old}
    for thing in new:
        known = kept.get(key(thing))
        if known is None:
            add(thing)
            kept[key(thing)] = thing
        elif known != thing:
            kept[key(thing)] = meet(known, thing)
    return tuple(kept.values())


def _calendars(old: Mapping[str, Calendar], new: Mapping[str, Calendar], found: _Found) -> Mapping[str, Calendar]:
    def meet(known: Calendar, said: Calendar) -> Calendar:
        right = "a calendar's zone and hours stay; write another calendar."
        found.refuse_changes(What.CALENDAR, known.id, known, said, right, ids=("closed",))
        more = said.closed - known.closed
        if more:
            known = replace(known, closed=known.closed | more)
            found.change(
                What.CALENDAR, known.id, known, f"also closed on {', '.join(d.isoformat() for d in sorted(more))}"
            )
        return known

    def add(calendar: Calendar) -> None:
        found.add(What.CALENDAR, calendar.id, calendar, described(calendar))

    united = _union(old.values(), new.values(), attrgetter("id"), add, meet)
    return {calendar.id: calendar for calendar in united}


def _accounts(old: Iterable[Account], new: Iterable[Account], found: _Found) -> tuple[Account, ...]:
    settings = ("calendar", "ready_hours")

    def meet(known: Account, said: Account) -> Account:
        right = "opening figures stay; record a movement."
        found.refuse_changes(What.ACCOUNT, known.id, known, said, right, ids=settings)
        changed = [name for name in _differing(known, said) if name in settings]
        known = replace(known, calendar=said.calendar, ready_hours=said.ready_hours)
        for name in changed:
            found.change(What.ACCOUNT, known.id, known, f"{name} → {shown(name, getattr(said, name))}")
        return known

    def add(account: Account) -> None:
        found.add(What.ACCOUNT, account.id, account, described(account))

    return _union(old, new, attrgetter("id"), add, meet)


def _groups(old: Iterable[Group], new: Iterable[Group], found: _Found) -> tuple[Group, ...]:
    def meet(known: Group, said: Group) -> Group:
        found.refuse_changes(What.GROUP, known.id, known, said, "a master agreement stays; write another group.")
        return known

    return _union(
        old, new, attrgetter("id"), lambda group: found.add(What.GROUP, group.id, group, described(group)), meet
    )


def _facilities(old: Iterable[Facility], new: Iterable[Facility], found: _Found) -> tuple[Facility, ...]:
    def meet(known: Facility, said: Facility) -> Facility:
        right = "opening figures stay; record a movement."
        found.refuse_changes(What.FACILITY, known.id, known, said, right, ids=("versions", "waivers"))
        right = "terms change by an amendment with its effective day."
        found.refuse_changes(What.FACILITY, known.id, known.versions[0].terms, said.versions[0].terms, right)
        waivers = tuple(waiver for waiver in said.waivers if waiver not in known.waivers)
        merged = replace(known, versions=_versions(known, said, found), waivers=known.waivers + waivers)
        for waiver in waivers:
            found.add(What.WAIVER, waiver.since.date().isoformat(), waiver, described(waiver), facility=known.id)
        return merged

    def add(facility: Facility) -> None:
        found.add(What.FACILITY, facility.id, facility, described(facility))

    return _union(old, new, attrgetter("id"), add, meet)


_Deltas: TypeAlias = Mapping[date, Mapping[str, Any]]


def _versions(known: Facility, said: Facility, found: _Found) -> tuple[TermsVersion, ...]:
    """The amendments of both, each changing what it named in the terms before it.

    Versions are whole terms, so an amendment is what differs from the version before: one that comes between two
    recorded ones is carried into the later, and a file that leaves one out doesn't take it back.
    """
    recorded, written = _deltas(known), _deltas(said)
    terms = known.versions[0].terms
    versions = [known.versions[0]]
    before = {version.effective: version.terms for version in known.versions}
    for day in sorted(recorded.keys() | written.keys()):
        named = recorded.get(day, written.get(day, {}))
        after = replace(terms, **named)
        if day in recorded and day in written:
            right = "an amendment stays; write another with its own effective day."
            other = replace(terms, **written[day])
            for name in _differing(after, other):
                was, says = shown(name, getattr(after, name)), shown(name, getattr(other, name))
                found.refuse(
                    What.AMENDMENT,
                    day.isoformat(),
                    f"{name} is recorded as {was} and the file says {says}; {right}",
                    known.id,
                )
        version = TermsVersion(day, after)
        if day not in recorded:
            found.add(What.AMENDMENT, day.isoformat(), version, listed(named), facility=known.id)
        elif before[day] != after:
            found.change(
                What.AMENDMENT, day.isoformat(), version, "follows an earlier one that is new", facility=known.id
            )
        versions.append(version)
        terms = after
    return tuple(versions)


def _deltas(facility: Facility) -> _Deltas:
    """What each amendment changes."""
    pairs = zip(facility.versions, facility.versions[1:], strict=False)
    return {after.effective: _delta(before.terms, after.terms) for before, after in pairs if after.effective}


def _delta(before: Terms, after: Terms) -> Mapping[str, Any]:
    return {name: getattr(after, name) for name in _differing(before, after)}


_ENDS = ("met", "withdrawn", "disputed")
_MAY_BE_LEFT_OUT = ("demand_btc", "demand_usd", "due", *_ENDS, "recovered")


def _notices(old: Iterable[Notice], new: Iterable[Notice], found: _Found) -> tuple[Notice, ...]:
    """A call may gain what became of it; what a file doesn't say of it stays."""

    def meet(known: Notice, said: Notice) -> Notice:
        kept = {name: getattr(known, name) for name in _MAY_BE_LEFT_OUT if getattr(said, name) is None}
        said = replace(said, **kept)
        gained = {name: getattr(said, name) for name in _ENDS if getattr(known, name) is None and getattr(said, name)}
        merged = replace(known, **gained)
        right = "a notice stays as it was given; record a new one."
        found.refuse_changes(What.NOTICE, known.ref, merged, said, right)
        for name, instant in gained.items():
            found.change(What.NOTICE, known.ref, merged, f"{name} {shown(name, instant)}")
        return merged

    return _union(
        old, new, attrgetter("ref"), lambda call: found.add(What.NOTICE, call.ref, call, described(call)), meet
    )


def _needs(old: Iterable[Need], new: Iterable[Need], found: _Found) -> tuple[Need, ...]:
    def meet(known: Need, said: Need) -> Need:
        was, says = shown("usd", known.usd), shown("usd", said.usd)
        found.change(What.NEED, said.purpose, said, f"of {said.due.isoformat()}: {was} → {says}")
        return said

    def add(need: Need) -> None:
        found.add(What.NEED, need.purpose, need, described(need))

    return _union(old, new, attrgetter("due", "purpose"), add, meet)


def _movements(old: Iterable[Movement], new: Iterable[Movement], found: _Found) -> tuple[Movement, ...]:
    def meet(known: Movement, said: Movement) -> Movement:
        right = "a movement stays; reverse it and record it anew."
        found.refuse_changes(What.MOVEMENT, known.ref, known, said, right)
        return known

    def add(movement: Movement) -> None:
        found.add(What.MOVEMENT, movement.ref, movement, described(movement))

    return tuple(sorted(_union(old, new, attrgetter("ref"), add, meet), key=attrgetter("at")))


_Monthly = TypeVar("_Monthly", Statement, CashCost)


def _restated(what: What, old: Iterable[_Monthly], new: Iterable[_Monthly], found: _Found) -> tuple[_Monthly, ...]:
    """All that is recorded, then what the file adds or states anew; the last of a month counts."""
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
