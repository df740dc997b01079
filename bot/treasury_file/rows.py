"""From parsed TOML to rows: each table read by itself, so that one wrong value hides no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import Field, ValidationError, create_model

from bot.domain.words import sentence
from bot.treasury_file import tables as t
from bot.treasury_file.faults import Faults, Layout, Path, numbered
from bot.treasury_file.values import shown

M = TypeVar("M", bound=t.Table)

_ONCE = ("treasury", "policy")
_MANY = ("calendar", "account", "facility", "group", "call", "need", "movement", "cash_cost", "statement")


@dataclass(frozen=True)
class Parsed:
    """A file of whatever form as nested tables, as tomllib gives them, with the faults of its form.

    `lost`: texts that may be refs of movements of which nothing could be read.
    """

    document: Mapping[str, Any]
    layout: Layout
    faults: Faults
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row(Generic[M]):
    """One table. What is in `unsound` (missing, or wrong) has a default in `data`, or None, and must not be used."""

    path: Path
    raw: Mapping[str, Any]
    data: M
    unsound: frozenset[str] = frozenset()

    def has(self, *keys: str) -> bool:
        """Whether all of `keys` are written and sound."""
        return all(key in self.raw and key not in self.unsound for key in keys)

    def sound(self, *keys: str) -> bool:
        """Whether none of `keys` is missing or wrong; what may be left out may be."""
        return self.unsound.isdisjoint(keys)

    @property
    def is_sound(self) -> bool:
        """Whether every value can be used; an unknown key besides does no harm."""
        return not self.unsound

    def written(self, *keys: str) -> list[str]:
        """Those of `keys` that are written, sound or not."""
        return [key for key in keys if key in self.raw]

    @property
    def place(self) -> str:
        """The table by its number alone: “tier[2]”."""
        return numbered(self.path)


@dataclass(frozen=True)
class TermsRows:
    """The tables inside a facility or an amendment that are terms; None where not named."""

    tiers: list[Row[t.TierTable]] | None
    release: Row[t.ReleaseTable] | None


@dataclass(frozen=True)
class AmendmentRows:
    row: Row[t.AmendmentTable]
    terms: TermsRows


@dataclass(frozen=True)
class FacilityRows:
    row: Row[t.FacilityTable]
    terms: TermsRows
    amendments: list[AmendmentRows]
    waivers: list[Row[t.WaiverTable]]
    price_index: list[Row[t.PriceIndexTable]]


@dataclass(frozen=True)
class GroupRows:
    row: Row[t.GroupTable]
    tiers: list[Row[t.TierTable]]


@dataclass(frozen=True)
class FileRows:
    """The whole file; `lost` as in `Parsed`."""

    treasury: Row[t.TreasuryTable] | None = None
    policy: Row[t.PolicyTable] | None = None
    calendars: list[Row[t.CalendarTable]] = field(default_factory=list)
    accounts: list[Row[t.AccountTable]] = field(default_factory=list)
    facilities: list[FacilityRows] = field(default_factory=list)
    groups: list[GroupRows] = field(default_factory=list)
    calls: list[Row[t.CallTable]] = field(default_factory=list)
    needs: list[Row[t.NeedTable]] = field(default_factory=list)
    movements: list[Row[t.MovementTable]] = field(default_factory=list)
    cash_costs: list[Row[t.CashCostTable]] = field(default_factory=list)
    statements: list[Row[t.StatementTable]] = field(default_factory=list)
    lost: frozenset[str] = frozenset()


def read_rows(parsed: Parsed) -> FileRows:
    """Every table of the file, with a fault for each key and value that cannot be read."""
    document, faults = parsed.document, parsed.faults
    for key in document.keys() - {*_ONCE, *_MANY}:
        faults.add((), f"{key}: unknown {_is_a(document[key])}; {_table_meant(key)}", at=(key,))
    root = _Reader(faults)
    return FileRows(
        treasury=root.once(t.TreasuryTable, document, (), "treasury"),
        policy=root.once(t.PolicyTable, document, (), "policy"),
        calendars=root.many(t.CalendarTable, document, (), "calendar"),
        accounts=root.many(t.AccountTable, document, (), "account"),
        facilities=[root.facility(row) for row in root.many(t.FacilityTable, document, (), "facility")],
        groups=[
            GroupRows(row, root.many(t.TierTable, row.raw, row.path, "tier"))
            for row in root.many(t.GroupTable, document, (), "group")
        ],
        calls=root.many(t.CallTable, document, (), "call"),
        needs=root.many(t.NeedTable, document, (), "need"),
        movements=root.many(t.MovementTable, document, (), "movement"),
        cash_costs=root.many(t.CashCostTable, document, (), "cash_cost"),
        statements=root.many(t.StatementTable, document, (), "statement"),
        lost=parsed.lost,
    )


def _is_a(value: object) -> str:
    return "table" if isinstance(value, (dict, list)) else "key outside a table"


def _table_meant(key: str) -> str:
    known = {name: f"[{name}]" for name in _ONCE} | {name: f"[[{name}]]" for name in _MANY}
    near = get_close_matches(key, known, n=1)
    return f"did you mean {known[near[0]]}?" if near else f"the tables are {', '.join(known.values())}."


class _Reader:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def facility(self, row: Row[t.FacilityTable]) -> FacilityRows:
        amendments = self.many(t.AmendmentTable, row.raw, row.path, "amendment")
        return FacilityRows(
            row,
            self._terms(row.raw, row.path),
            [AmendmentRows(amendment, self._terms(amendment.raw, amendment.path)) for amendment in amendments],
            self.many(t.WaiverTable, row.raw, row.path, "waiver"),
            self.many(t.PriceIndexTable, row.raw, row.path, "price_index"),
        )

    def _terms(self, raw: Mapping[str, Any], path: Path) -> TermsRows:
        tiers = self.many(t.TierTable, raw, path, "tier") if "tier" in raw else None
        return TermsRows(tiers, self.once(t.ReleaseTable, raw, path, "release"))

    def once(self, model: type[M], raw: Mapping[str, Any], path: Path, key: str) -> Row[M] | None:
        """The table `key`, which is written once: [key]."""
        table = raw.get(key)
        if table is None:
            return None
        if not isinstance(table, dict):
            self._faults.key(path, key, f"is {_instead(table)}; write [{_dotted(path, key)}] once.")
            return None
        return self._row(model, table, (*path, key))

    def many(self, model: type[M], raw: Mapping[str, Any], path: Path, key: str) -> list[Row[M]]:
        """The tables `key`, which may be written any number of times: [[key]]."""
        found = raw.get(key, [])
        if isinstance(found, dict):
            self._faults.key(path, key, f"is one table; write [[{_dotted(path, key)}]]")
            found = [found]
        elif not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
            self._faults.key(path, key, f"is {_instead(found)}; write [[{_dotted(path, key)}]]")
            found = []
        return [self._row(model, table, (*path, key, index)) for index, table in enumerate(found)]

    def _row(self, model: type[M], raw: Mapping[str, Any], path: Path) -> Row[M]:
        values = {key: value for key, value in raw.items() if key not in model.nested}
        try:
            return Row(path, raw, model.model_validate(values))
        except ValidationError as error:
            problems = error.errors(include_url=False)
        unsound: set[str] = set()
        for problem in problems:
            key = str(problem["loc"][0])
            match problem["type"]:
                case "missing":
                    unsound.add(key)
                    self._faults.missing(path, key, _example(model, key))
                case "extra_forbidden":
                    self._faults.key(path, key, _unknown(model, key))
                case _:
                    unsound.add(key)
                    self._faults.key(path, key, str(problem["ctx"]["error"]))
        return Row(path, raw, _as_far_as_sound(model, values, unsound), frozenset(unsound))


def _as_far_as_sound(model: type[M], values: Mapping[str, Any], unsound: set[str]) -> M:
    """The table with what is sound; what is required and isn't there is None, which `Row.unsound` tells."""
    known = model.known_keys()
    data: M = _lenient(model).model_validate({k: v for k, v in values.items() if k in known and k not in unsound})
    return data


@cache
def _lenient(model: type[M]) -> type[M]:
    """`model` with nothing required."""
    optional: dict[str, Any] = {}
    for name, field_info in model.model_fields.items():
        if field_info.is_required():
            optional[name] = (field_info.rebuild_annotation(), Field(default=None, alias=field_info.alias))
    lenient: type[M] = create_model(f"Some{model.__name__}", __base__=model, **optional)
    return lenient


def _example(model: type[t.Table], key: str) -> str:
    named = next(field for name, field in model.model_fields.items() if key in (name, field.alias))
    return str((named.examples or ["…"])[0])


def _unknown(model: type[t.Table], key: str) -> str:
    known = model.known_keys()
    if model is t.AmendmentTable and key in t.FacilityTable.known_keys():
        terms = tuple(word for word in known if word != "effective")
        return f"is not a term and cannot be amended; an amendment may name {sentence(terms)}."
    near = get_close_matches(key, known, n=1)
    return f"unknown key; did you mean “{near[0]}”?" if near else f"unknown key; here may be {sentence(known)}."


def _instead(found: object) -> str:
    return "a list" if isinstance(found, list) else f"the value {shown(found)}"


def _dotted(path: Path, key: str) -> str:
    return ".".join([step for step in path if isinstance(step, str)] + [key])
