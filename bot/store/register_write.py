"""Writes what is new in a register, and refuses to lose what is there: movements and terms are never overwritten.

It compares two registers rather than trusting a list of changes, so that what is loaded afterwards is what was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, insert, update

from bot.domain.documents import calendar_document, group_document, policy_document, terms_document
from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group, PriceIndex, TermsVersion, Waiver
from bot.domain.treasury import Treasury
from bot.store import tables
from bot.store.columns import Base, table_of
from bot.store.register_load import (
    ACCOUNT,
    CASH_COST,
    FACILITY,
    MOVEMENT,
    NEED,
    NOTICE,
    OUTCOMES,
    PRICE_INDEX,
    STATEMENT,
    WAIVER,
)

T = TypeVar("T")
Values = dict[str, Any]


@dataclass(frozen=True)
class _Family(Generic[T]):
    """How one kind of fact is kept: by which columns it is known, its row, and what of it may never change.

    `fixed` columns keep the first value they get; None: the whole row does. A change of a family that is `amended`
    is a row of its own, and the old one stays. One with a `position` is listed in the order of the treasury file.
    """

    model: type[Base]
    keys: tuple[str, ...]
    key: Callable[[T], Any]
    values: Callable[[T], Values]
    fixed: tuple[str, ...] | None = ()
    position: bool = False
    amended: bool = False


def _plainly(names: Sequence[str]) -> Callable[[Any], Values]:
    get = attrgetter(*names)
    return lambda item: dict(zip(names, get(item), strict=True))


def _calendar(calendar: Calendar) -> Values:
    return {"id": calendar.id, "document": calendar_document(calendar)}


def _group(group: Group) -> Values:
    return {"id": group.id, "document": group_document(group)}


def _facility(facility: Facility) -> Values:
    return _plainly(FACILITY)(facility) | {"timezone": facility.zone.key}


def _terms(item: tuple[str, TermsVersion]) -> Values:
    facility, version = item
    return {"facility": facility, "effective": version.effective, "document": terms_document(version.terms)}


def _waiver(item: tuple[str, Waiver]) -> Values:
    return {"facility": item[0]} | _plainly(WAIVER)(item[1])


def _outcome(item: tuple[str, str, datetime]) -> Values:
    return dict(zip(("notice", "became", "at"), item, strict=True))


def _price_index(item: tuple[str, PriceIndex]) -> Values:
    return {"facility": item[0]} | _plainly(PRICE_INDEX)(item[1])


_ID = attrgetter("id")
_REF = attrgetter("ref")
_OPENING_FIGURES = ("principal", "accrued", "collateral", "drawn")

_CALENDARS = _Family(tables.Calendar, ("id",), _ID, _calendar, position=True)
_GROUPS = _Family(tables.FacilityGroup, ("id",), _ID, _group, position=True)
_ACCOUNTS = _Family(tables.Account, ("id",), _ID, _plainly(ACCOUNT), fixed=("btc", "usd"), position=True)
_FACILITIES = _Family(tables.Facility, ("id",), _ID, _facility, fixed=_OPENING_FIGURES, position=True)
_TERMS = _Family(
    tables.FacilityTerms, ("facility", "effective"), lambda item: (item[0], item[1].effective), _terms, amended=True
)
_WAIVERS = _Family(tables.Waiver, ("facility", *WAIVER), lambda item: item, _waiver, fixed=None)
_PRICE_INDEX = _Family(tables.PriceIndex, ("facility", *PRICE_INDEX), lambda item: item, _price_index, fixed=None)
_NOTICES = _Family(tables.Notice, ("ref",), _REF, _plainly(NOTICE), fixed=("recovered",))
_OUTCOMES = _Family(tables.NoticeOutcome, ("notice", "became"), lambda item: item[:2], _outcome, fixed=None)
_NEEDS = _Family(tables.Need, ("due", "purpose"), attrgetter("due", "purpose"), _plainly(NEED))
_MOVEMENTS = _Family(tables.Movement, ("ref",), _REF, _plainly(MOVEMENT), fixed=None)


class Writer:
    """Brings the tables from one register to the next. `provenance` goes with every row that is added."""

    def __init__(self, connection: Connection, provenance: Mapping[str, Any]) -> None:
        self._connection = connection
        self._provenance = dict(provenance)
        self._wrote = False

    def write(self, before: Treasury | None, new: Treasury) -> bool:
        """Whether anything was different. ValueError where `new` lacks or contradicts what may only be added to."""
        self._treasury(before, new)
        self._keep(_CALENDARS, before.calendars.values() if before else (), new.calendars.values())
        self._keep(_GROUPS, before.groups if before else (), new.groups)
        self._keep(_ACCOUNTS, before.accounts if before else (), new.accounts)
        self._keep(_FACILITIES, before.facilities if before else (), new.facilities)
        self._keep(_TERMS, _versions(before), _versions(new))
        self._keep(_WAIVERS, _waivers(before), _waivers(new))
        self._keep(_PRICE_INDEX, _noted(before), _noted(new))
        self._keep(_NOTICES, before.notices if before else (), new.notices)
        self._keep(_OUTCOMES, _outcomes(before), _outcomes(new))
        self._keep(_NEEDS, before.needs if before else (), new.needs)
        self._keep(_MOVEMENTS, before.movements if before else (), new.movements)
        self._append(tables.Statement, STATEMENT, before.statements if before else (), new.statements)
        self._append(tables.CashCost, CASH_COST, before.cash_costs if before else (), new.cash_costs)
        return self._wrote

    def _treasury(self, before: Treasury | None, new: Treasury) -> None:
        table = table_of(tables.Treasury)
        values = _treasury(new)
        if before is None:
            values |= {"id": 1, "revision": 0, "changed_at": self._provenance["recorded_at"]}
            self._connection.execute(insert(table).values(values))
            self._wrote = True
        elif _treasury(before) != values:
            if before.opened != new.opened:
                raise ValueError(f"the treasury opened at {before.opened.isoformat()}; that is never changed")
            self._connection.execute(update(table).values(values))
            self._wrote = True

    def _keep(self, family: _Family[T], before: Iterable[T], after: Iterable[T]) -> None:
        known = {family.key(item): item for item in before}
        listed = {family.key(item): (position, item) for position, item in enumerate(after)}
        if lost := [key for key in known if key not in listed]:
            raise ValueError(f"{family.model.__tablename__} {lost[0]} would be lost; the register only grows")
        added = []
        for key, (position, item) in listed.items():
            if key not in known or (family.amended and known[key] != item):
                added.append(family.values(item) | ({"position": position} if family.position else {}))
            elif known[key] != item:
                self._amend(family, family.values(known[key]), family.values(item))
        self._add(family.model, added)

    def _amend(self, family: _Family[T], old: Values, new: Values) -> None:
        changed = {name for name in new if new[name] != old[name]}
        fixed = new.keys() if family.fixed is None else family.fixed
        if refused := sorted(name for name in changed if name in fixed and old[name] is not None):
            which = " ".join(str(old[name]) for name in family.keys)
            raise ValueError(f"{family.model.__tablename__} {which}: {', '.join(refused)} is recorded and stays")
        if changed:
            table = table_of(family.model)
            here = [table.c[name] == old[name] for name in family.keys]
            self._connection.execute(update(table).where(*here).values({name: new[name] for name in changed}))
            self._wrote = True

    def _append(self, model: type[Base], names: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> None:
        """Adds what was stated since; what it supersedes stays, before it."""
        if tuple(after[: len(before)]) != tuple(before):
            raise ValueError(f"{model.__tablename__}: what was stated stays; what is stated anew comes after it")
        self._add(model, [_plainly(names)(item) for item in after[len(before) :]])

    def _add(self, model: type[Base], rows: list[Values]) -> None:
        if rows:
            self._connection.execute(insert(table_of(model)), [row | self._provenance for row in rows])
            self._wrote = True


def _treasury(treasury: Treasury) -> Values:
    return {
        "name": treasury.name,
        "timezone": treasury.zone.key,
        "production_timezone": treasury.production_zone.key,
        "opened": treasury.opened,
        "policy": policy_document(treasury.policy),
    }


def _versions(treasury: Treasury | None) -> list[tuple[str, TermsVersion]]:
    return [(f.id, version) for f in treasury.facilities for version in f.versions] if treasury else []


def _outcomes(treasury: Treasury | None) -> list[tuple[str, str, datetime]]:
    known = [(notice, name) for notice in treasury.notices for name in OUTCOMES] if treasury else []
    return [(one.ref, name, getattr(one, name)) for one, name in known if getattr(one, name) is not None]


def _waivers(treasury: Treasury | None) -> list[tuple[str, Waiver]]:
    return [(f.id, waiver) for f in treasury.facilities for waiver in f.waivers] if treasury else []


def _noted(treasury: Treasury | None) -> list[tuple[str, PriceIndex]]:
    return [(f.id, index) for f in treasury.facilities for index in f.price_index] if treasury else []
