"""What an import comes to: each addition, change and refusal, with the line that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeAlias

from bot.domain.merge_lines import shown
from bot.domain.periods import Calendar
from bot.domain.terms import Facility, Group, PriceIndex, TermsVersion, Waiver
from bot.domain.treasury import Account, CashCost, Movement, Need, Notice, Policy, Statement, Treasury


class What(StrEnum):
    """What a change is of; the word that its line begins with."""

    TREASURY = "treasury"
    POLICY = "policy"
    CALENDAR = "calendar"
    ACCOUNT = "account"
    FACILITY = "facility"
    AMENDMENT = "amendment"
    WAIVER = "waiver"
    PRICE_INDEX = "price_index"
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
    | PriceIndex
    | Group
    | Notice
    | Need
    | Movement
    | CashCost
    | Statement
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to write. `id` is its id, ref or month; of what belongs to a facility, `facility` says whose.

    `thing` is what is true from now on: of a call, with what it gained; of a policy, the whole of it; of a facility,
    with its amendments, waivers and notes, which have no changes of their own when it is new.
    """

    what: What
    id: str
    thing: Thing
    line: str
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not be written. `key` is the field that is wrong; the rest names the thing as in `Change`.

    A movement may be one that is recorded, or `claimed`: a new one can leave too little for it. Who knows where the new
    things were written names the place; `str` names the thing alone.
    """

    what: What
    id: str
    key: str
    text: str
    facility: str | None = None
    claimed: bool = False

    def __str__(self) -> str:
        return f"{self.named}: {self.key}: {self.text}"

    @property
    def named(self) -> str:
        return thing_named(self.what, self.id, self.facility)


@dataclass(frozen=True)
class Merge:
    """What an import comes to. With `refusals`, nothing of it may be written."""

    treasury: Treasury
    additions: tuple[Change, ...] = ()
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What `--dry-run` prints: additions with +, changes with ~."""
        return tuple(change.line for change in (*self.additions, *self.changes))


@dataclass
class Found:
    """What has been found so far."""

    additions: list[Change] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, what: What, id_: str, thing: Thing, text: str = "", facility: str | None = None) -> None:
        head = thing_named(what, id_, facility)
        self.additions.append(Change(what, id_, thing, f"+ {head}{text and f': {text}'}", facility))

    def change(self, what: What, id_: str, thing: Thing, text: str, facility: str | None = None) -> None:
        self.changes.append(Change(what, id_, thing, f"~ {thing_named(what, id_, facility)} {text}", facility))

    def refuse_changes(
        self, what: What, id_: str, old: object, new: object, right: str, facility: str | None = None
    ) -> None:
        """One refusal for each field in which `new` is not what is recorded."""
        self.refuse_values(what, id_, differing(old, new), right, facility)

    def refuse_values(
        self, what: What, id_: str, values: Mapping[str, tuple[Any, Any]], right: str, facility: str | None = None
    ) -> None:
        """One refusal for each field of `values`: what is recorded, and what was said instead."""
        for name, (old, new) in values.items():
            text = f"{shown(name, new)}, but {shown(name, old)} is recorded; {right}"
            self.refusals.append(Refusal(what, id_, name, text, facility))


def differing(old: object, new: object) -> dict[str, tuple[Any, Any]]:
    """The fields in which two things of one kind differ, with both values."""
    names = (item.name for item in fields(old))  # type: ignore[arg-type]
    both = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: (was, said) for name, (was, said) in both.items() if was != said}


def without(values: Mapping[str, tuple[Any, Any]], *names: str) -> dict[str, tuple[Any, Any]]:
    return {name: both for name, both in values.items() if name not in names}


_BY_NAME = (What.NOTICE, What.MOVEMENT, What.NEED, What.TREASURY)


def thing_named(what: What, id_: str, facility: str | None = None) -> str:
    """What a line calls a thing: "movement “sale 3”", "amendment antalpha 2026-03-01"."""
    named = f"“{id_}”" if what in _BY_NAME else id_
    return " ".join(word for word in (str(what), facility, named) if word)
