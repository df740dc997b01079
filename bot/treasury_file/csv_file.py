"""A CSV file, row by row, as the tables of a treasury file: movements, statements, cash costs, needs or notices.

It is a part of what is recorded: the `[treasury]` of its document is the recorded one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from bot.domain.treasury import Treasury
from bot.domain.words import sentence
from bot.treasury_file import tables as t
from bot.treasury_file.csv_lines import Line, delimiter_of, rows_of, split_lines
from bot.treasury_file.faults import Faults, Path, TreasuryFileError, called
from bot.treasury_file.rows import Parsed
from bot.treasury_file.values import Cell, SemicolonCell, shown


class _Kind(NamedTuple):
    """One kind of table that a CSV file may have rows of, and how people call these."""

    key: str
    called: str
    model: type[t.Table]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.model.known_keys()

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name for name, field in self.model.model_fields.items() if field.is_required())

    def fits(self, header: Collection[str]) -> bool:
        return self.required <= set(header) <= set(self.columns)


_KINDS = (
    _Kind("movement", "movements", t.MovementTable),
    _Kind("statement", "statements", t.StatementTable),
    _Kind("cash_cost", "cash costs", t.CashCostTable),
    _Kind("need", "needs", t.NeedTable),
    _Kind("call", "lender's notices", t.CallTable),
)
_COLUMNS = tuple(dict.fromkeys(column for kind in _KINDS for column in kind.columns))


class CsvLayout:
    """Tables go by the line on which their row begins, faults by line and column. ("line", 3) is a line by itself."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = {column: number for number, column in enumerate(columns)}
        self.rows: list[dict[str, Any]] = []
        self.lines: list[int] = []

    def order(self, path: Path) -> tuple[int, ...]:
        column = self._columns.get(str(path[2]), len(self._columns)) if len(path) > 2 else -1
        return self._line(path), column

    def name(self, path: Path) -> str:
        return f"line {self._line(path)}{'' if path[0] == 'line' else called(self.rows[int(path[1])])}"

    def place(self, path: Path) -> str:
        return f"in line {self._line(path)}"

    def missing(self, key: str, example: str) -> str:
        plain = example.strip('"')
        return f"{key}: {'is empty' if key in self._columns else 'has no column'}; write for example {plain}"

    def _line(self, path: Path) -> int:
        return int(path[1]) if path[0] == "line" else self.lines[int(path[1])]


def is_csv(path_name: str) -> bool:
    return path_name.lower().endswith(".csv")


def parse_csv(path_name: str, text: str, known: Treasury) -> Parsed:
    """The rows of the file as tables of one kind, each cell that is not empty as it is written.

    TreasuryFileError where the header is that of no kind of table; what is wrong with the form of a row is a fault.
    """
    lines = split_lines(text)
    first = next(filter(_SAYS_SOMETHING.search, lines), None)
    if first is None:
        raise TreasuryFileError([f"{path_name}: the file is empty; its first line is a header: {_HEADERS}"])
    delimiter = delimiter_of(first, _COLUMNS)
    rows = rows_of(lines, delimiter)
    header = next(rows)
    columns = [cell.lower() for cell in header.cells]
    kind = _kind_of(path_name, header, columns)
    layout = CsvLayout(columns)
    faults = Faults(path_name, layout)
    cell_type = SemicolonCell if delimiter == ";" else Cell
    lost: set[str] = set()
    for row in rows:
        if row.fault:
            lost.update(row.cells)
            faults.add(("line", row.number), row.fault)
            continue
        cells = [(column, cell_type(cell)) for column, cell in zip(columns, row.cells, strict=True) if cell]
        for _, cell in (one for one in cells if not one[0]):
            faults.add(("line", row.number), f"{shown(cell)} is in a column without a name; name it in the header.")
        layout.lines.append(row.number)
        layout.rows.append({column: cell for column, cell in cells if column})
    return Parsed({"treasury": _recorded(known), kind.key: layout.rows}, layout, faults, frozenset(lost))


_SAYS_SOMETHING = re.compile(r'[^\s,;"]')


def _recorded(known: Treasury) -> dict[str, Any]:
    zones = {"timezone": known.zone.key, "production_timezone": known.production_zone.key}
    return {"name": known.name, "opened": known.opened, **zones}


def _kind_of(path_name: str, header: Line, columns: Sequence[str]) -> _Kind:
    """The kind of table whose rows the file has. TreasuryFileError, a line for each thing wrong with the header."""
    named = Counter(filter(None, columns))
    fitting = [kind for kind in _KINDS if kind.fits(named)]
    wrong = [header.fault] if header.fault else []
    if not wrong:
        wrong += (
            f"{shown(column)} is in the header {times} times; keep one column of that name."
            for column, times in named.items()
            if times > 1
        )
        if len(fitting) != 1:
            wrong.append(f"the header is that of no one table: {_misfit(named)}. There are {_HEADERS}")
    if wrong:
        raise TreasuryFileError([f"{path_name}: line {header.number}: {fault}" for fault in wrong])
    return fitting[0]


def _misfit(named: Collection[str]) -> str:
    """Why a header fits no kind of table."""
    unknown = [column for column in named if column not in _COLUMNS]
    if unknown:
        listed = ", ".join(map(_unknown, unknown[:_MOST_NAMED]))
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        return f"unknown {listed}{more}"
    near = max(_KINDS, key=lambda kind: len(set(named) & set(kind.columns)))
    if foreign := [column for column in named if column not in near.columns]:
        return f"{near.called} have no {sentence(foreign)}"
    lacking = [column for column in near.columns if column in near.required - set(named)]
    return f"{near.called} need {sentence(lacking, 'and')} too"


_MOST_NAMED = 5


def _unknown(column: str) -> str:
    near = get_close_matches(column, _COLUMNS, n=1)
    return f"{shown(column)} (did you mean “{near[0]}”?)" if near else shown(column)


def _header_of(kind: _Kind) -> str:
    needed = [column for column in kind.columns if column in kind.required]
    may = [column for column in kind.columns if column not in kind.required]
    return f"{kind.called} ({', '.join(needed)}{'; and any of ' if may else ''}{', '.join(may)})"


_HEADERS = f"{sentence([*map(_header_of, _KINDS)], 'and')}."
