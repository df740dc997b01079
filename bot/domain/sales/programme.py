"""A linear programme solved exactly: integers all the way, several objectives in order of importance.

The tableau's rows are integers, each on a scale of its own, divided by their common divisor after every pivot. Bland's
rule (the first column that helps, the first row that binds) can't go round in circles. Where `solve` ends, no column
helps the objectives in their order: that is the proof that nothing better exists.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

Terms: TypeAlias = Mapping[Any, Fraction | int]
"""Coefficients by the name of their variable; a variable that was never named before comes to be."""


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
        table, basis = self._table()
        while (column := _entering(table[len(basis) :], self._width)) is not None:
            row = _leaving(table[: len(basis)], basis, column)
            _pivot(table, row, column)
            basis[row] = column
        if any(basis[row] < 0 and table[row][-1] for row in range(len(basis))):
            return None
        found = {
            column: Fraction(table[row][-1], table[row][column]) for row, column in enumerate(basis) if column >= 0
        }
        return {name: found.get(column, Fraction(0)) for name, column in self._columns.items()}

    @property
    def _width(self) -> int:
        return len(self._columns) + len(self._rows)

    def _table(self) -> tuple[list[list[int]], list[int]]:
        """Rows and then objectives, as integers with the bound last; and what each row is solved for.

        A row that nothing satisfies is solved for a shortfall (−1), which isn't a column: once out it never comes
        back. To be rid of all shortfalls is the first objective.
        """
        table: list[list[int]] = []
        basis: list[int] = []
        known = len(self._columns)
        shortfall = [0] * (self._width + 1)
        for number, (terms, bound, short) in enumerate(self._rows):
            row = _whole(terms, bound, self._width)
            row[known + number] = -1 if short else 1
            table.append(row)
            basis.append(-1 if short else known + number)
            if short:
                shortfall = [above - here for above, here in zip(shortfall, row, strict=True)]
        objectives = [_whole(terms, Fraction(0), self._width) for terms in self._objectives]
        return [*table, shortfall, *objectives], basis


def _whole(terms: Mapping[int, Fraction | int], bound: Fraction, width: int) -> list[int]:
    scale = lcm(bound.denominator, *(Fraction(value).denominator for value in terms.values()))
    row = [0] * (width + 1)
    for column, value in terms.items():
        row[column] = int(value * scale)
    row[-1] = int(bound * scale)
    return row


def _entering(objectives: Sequence[list[int]], width: int) -> int | None:
    """The first column that helps an objective and harms none before it."""
    for column in range(width):
        for objective in objectives:
            if objective[column]:
                if objective[column] < 0:
                    return column
                break
    return None


def _leaving(rows: Sequence[list[int]], basis: Sequence[int], column: int) -> int:
    """The row that binds first as the column grows; of equals the one solved for the first column."""
    best: int | None = None
    for number, row in enumerate(rows):
        if row[column] <= 0:
            continue
        if best is None:
            best = number
            continue
        here, there = row[-1] * rows[best][column], rows[best][-1] * row[column]
        if here < there or (here == there and basis[number] < basis[best]):
            best = number
    if best is None:
        raise ArithmeticError("the programme has no end")
    return best


def _pivot(table: list[list[int]], row: int, column: int) -> None:
    pivot = table[row]
    by = pivot[column]
    for number, other in enumerate(table):
        factor = other[column]
        if not factor or number == row:
            continue
        shared = gcd(by, factor)
        keep, take = by // shared, factor // shared
        changed = [a * keep - b * take if b else a * keep for a, b in zip(other, pivot, strict=True)]
        divisor = gcd(*changed)
        table[number] = [value // divisor for value in changed] if divisor > 1 else changed
