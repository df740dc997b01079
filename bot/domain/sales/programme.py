"""A linear programme solved exactly: integers all the way, several objectives in order of importance.

The tableau's rows are integers, each on a scale of its own, divided by their common divisor after every pivot; what is
zero is not stored, since most of a plan's rows are about one loan. Each objective ends when no column helps it any
more: that is the proof that nothing better exists. What harms it stays 0 from then on, so that the next one, which
begins where it ended, can't undo it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

Terms: TypeAlias = Mapping[Any, Fraction | int]
"""Coefficients by the name of their variable; a variable that was never named before comes to be."""

Row: TypeAlias = dict[int, int]


class Programme:
    """Minimise `objectives[0]`, then among what is left `objectives[1]`, and so on; every variable is 0 or more."""

    def __init__(self) -> None:
        self._columns: dict[Hashable, int] = {}
        self._rows: list[tuple[dict[int, Fraction | int], Fraction, bool]] = []
        self._objectives: list[dict[int, Fraction | int]] = []

    def at_most(self, terms: Terms, bound: Fraction | int) -> None:
        """Σ terms ≤ bound."""
        self._add(terms, Fraction(bound), 1)

    def at_least(self, terms: Terms, bound: Fraction | int) -> None:
        """Σ terms ≥ bound."""
        self._add(terms, Fraction(bound), -1)

    def minimise(self, terms: Terms) -> None:
        """One more objective, less important than those before."""
        self._objectives.append({self._column(name): value for name, value in terms.items() if value})

    def _column(self, name: Hashable) -> int:
        return self._columns.setdefault(name, len(self._columns))

    def _add(self, terms: Terms, bound: Fraction, sign: int) -> None:
        coefficients = {self._column(name): sign * value for name, value in terms.items() if value}
        bound *= sign
        short = bound < 0  # then nothing at all does not satisfy it, and it is turned round
        turn = -1 if short else 1
        self._rows.append(({column: turn * value for column, value in coefficients.items()}, turn * bound, short))

    def solve(self) -> dict[Any, Fraction] | None:
        """The best values, those not named are 0; None where no values satisfy every row.

        ArithmeticError: there is no end to how far an objective can fall.
        """
        table = _Table(self._rows, len(self._columns))
        table.minimise(table.shortfall())
        if not table.satisfied:
            return None
        for terms in self._objectives:
            table.minimise(table.priced(terms))
        found = table.values()
        return {name: found.get(column, Fraction(0)) for name, column in self._columns.items()}


_BOUND = -1
"""Where a row keeps its bound, and an objective its negative value, among its columns."""


class _Table:
    """Rows as integers by column, without their zeros, and the column that each is solved for.

    A row that nothing at all does not satisfy is solved for a shortfall (None), which isn't a column: once out it never
    comes back.
    """

    def __init__(self, rows: Iterable[tuple[Mapping[int, Fraction | int], Fraction, bool]], known: int) -> None:
        self._rows: list[Row] = []
        self._basis: list[int | None] = []
        self._fixed: set[int] = set()
        for slack, (terms, bound, short) in enumerate(rows, known):
            self._rows.append(_whole({**terms, slack: -1 if short else 1, _BOUND: bound}))
            self._basis.append(None if short else slack)

    def shortfall(self) -> Row:
        """How far every row that is not satisfied is from it, as an objective."""
        total: Row = {}
        for row, column in zip(self._rows, self._basis, strict=True):
            if column is None:
                for name, value in row.items():
                    total[name] = total.get(name, 0) - value
        return {name: value for name, value in total.items() if value}

    def priced(self, terms: Mapping[int, Fraction | int]) -> Row:
        """An objective, in what the rows are not solved for."""
        priced = _whole(terms)
        for row, column in zip(self._rows, self._basis, strict=True):
            if column in priced:
                _take_out(priced, column, row)
        return {column: value for column, value in priced.items() if column not in self._fixed}

    def minimise(self, objective: Row) -> None:
        """Pivots until no column helps `objective`, and keeps at 0 those that harm it."""
        idle = 0
        while (column := _entering(objective, first=idle > _PATIENCE)) is not None:
            number = self._leaving(column)
            idle = 0 if self._rows[number].get(_BOUND) else idle + 1
            self._pivot(number, column)
            _take_out(objective, column, self._rows[number])
        harm = [column for column in objective if column != _BOUND]
        for row in self._rows:
            for column in harm:
                row.pop(column, None)
        self._fixed.update(harm)

    def values(self) -> dict[int, Fraction]:
        solved = zip(self._rows, self._basis, strict=True)
        return {column: Fraction(row.get(_BOUND, 0), row[column]) for row, column in solved if column is not None}

    @property
    def satisfied(self) -> bool:
        solved = zip(self._rows, self._basis, strict=True)
        return not any(column is None and row.get(_BOUND) for row, column in solved)

    def _leaving(self, column: int) -> int:
        """The row that binds first as the column grows; of equals one of a shortfall, else of the first column."""
        best: int | None = None
        bound = by = 0
        for number, row in enumerate(self._rows):
            value = row.get(column, 0)
            if value <= 0:
                continue
            here, there = row.get(_BOUND, 0) * by, bound * value
            if best is None or here < there or (here == there and self._order(number) < self._order(best)):
                best, bound, by = number, row.get(_BOUND, 0), value
        if best is None:
            raise ArithmeticError("the programme has no end")
        return best

    def _order(self, number: int) -> int:
        column = self._basis[number]
        return -1 if column is None else column

    def _pivot(self, number: int, column: int) -> None:
        """Solves a row for a column, and takes that out of all others."""
        pivot = self._rows[number]
        for row in self._rows:
            if column in row and row is not pivot:
                _take_out(row, column, pivot)
        self._basis[number] = column


_PATIENCE = 20
"""Pivots in a row that change nothing, before Bland's rule is kept to: it can't go round in circles."""


def _whole(terms: Mapping[int, Fraction | int]) -> Row:
    scale = lcm(*(value.denominator for value in terms.values()))
    return {column: int(value * scale) for column, value in terms.items() if value}


def _entering(objective: Row, *, first: bool) -> int | None:
    """The column that helps most for what it is counted in, or the `first` that helps."""
    helps = [column for column, value in objective.items() if value < 0 and column != _BOUND]
    if not helps:
        return None
    return min(helps) if first else min(helps, key=lambda column: (objective[column], column))


def _take_out(row: Row, column: int, pivot: Row) -> None:
    """Takes a multiple of `pivot` off `row`, so that `column` is no longer in it."""
    by, factor = pivot[column], row[column]
    shared = gcd(by, factor)
    keep, take = by // shared, factor // shared
    if keep != 1:
        for name in row:
            row[name] *= keep
    for name, value in pivot.items():
        left = row.get(name, 0) - take * value
        if left:
            row[name] = left
        else:
            row.pop(name, None)
    if (divisor := gcd(*row.values())) > 1:
        for name in row:
            row[name] //= divisor
