"""The exact linear programme against HiGHS: what can be satisfied, the best value, the next objective."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from bot.domain.sales.programme import Programme

FEASIBLE = 1e-6
"""HiGHS calls 1e-7 of a row nothing: what it is held to must leave more than that."""
coefficients = st.just(0) | st.integers(-5, 9)


@st.composite
def programmes(draw: st.DrawFn):
    width, height = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    rows = draw(st.lists(st.lists(coefficients, min_size=width, max_size=width), min_size=height, max_size=height))
    bounds = draw(st.lists(st.integers(-20, 60), min_size=height, max_size=height))
    aims = draw(st.lists(st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=3, max_size=3))
    return rows, bounds, aims


@settings(max_examples=300, deadline=None)
@given(programmes())
def test_it_finds_what_highs_finds(programme):
    rows, bounds, aims = programme
    exact = Programme()
    for row, bound in zip(rows, bounds, strict=True):
        exact.at_most(dict(enumerate(row)), bound)
    for aim in aims:
        exact.minimise(dict(enumerate(aim)))
    found, best = exact.solve(), linprog(aims[0], A_ub=rows, b_ub=bounds)
    assert (found is None) == (best.status == 2)
    if found is None:
        return
    values = [found.get(n, Fraction(0)) for n in range(len(rows[0]))]
    assert all(value >= 0 for value in values)
    for row, bound in zip(rows, bounds, strict=True):
        assert sum(a * x for a, x in zip(row, values, strict=True)) <= bound
    first, second, third = (sum(a * x for a, x in zip(aim, values, strict=True)) for aim in aims)
    assert float(first) == pytest.approx(best.fun, abs=1e-7)
    again = linprog(aims[1], A_ub=[*rows, aims[0]], b_ub=[*bounds, best.fun + FEASIBLE])
    assert float(second) == pytest.approx(again.fun, abs=1e-4)
    last = linprog(aims[2], A_ub=[*rows, *aims[:2]], b_ub=[*bounds, best.fun + FEASIBLE, again.fun + FEASIBLE])
    assert float(third) == pytest.approx(last.fun, abs=1e-4)


def test_what_has_no_end_is_an_error():
    endless = Programme()
    endless.at_most({"x": 1, "y": -1}, 1)
    endless.minimise({"y": -1})
    with pytest.raises(ArithmeticError):
        endless.solve()


def test_it_does_not_go_round_in_circles():
    """Beale's example: the column that helps most, time after time, comes back to where it began."""
    beale = Programme()
    beale.at_most({"a": Fraction(1, 4), "b": -60, "c": -Fraction(1, 25), "d": 9}, 0)
    beale.at_most({"a": Fraction(1, 2), "b": -90, "c": -Fraction(1, 50), "d": 3}, 0)
    beale.at_most({"c": 1}, 1)
    beale.minimise({"a": -Fraction(3, 4), "b": 150, "c": -Fraction(1, 50), "d": 6})
    assert beale.solve() == {"a": Fraction(1, 25), "b": 0, "c": 1, "d": 0}
