"""The model's chance that a price touches a line: the contract's figures, a Monte Carlo oracle, and the far ends."""

from __future__ import annotations

import random
from math import exp, isfinite, log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.risk import touch_probability
from bot.domain.risk_words import model_percent

PRICE, CALL = 68_500_00, 57_142_85


@pytest.mark.parametrize(("days", "printed"), [(3, "0.094"), (7, "3.19"), (30, "31.9")])
def test_it_gives_the_contracts_figures(days: int, printed: str) -> None:
    assert model_percent(touch_probability(PRICE, CALL, days / 365, 0.6)) == printed


def simulated(line: float, years: float, volatility: float, paths: int, steps: int = 12) -> tuple[float, float]:
    """The chance and its standard error, from paths of ln(price) in steps.

    Between two steps that stay above the line, a Brownian bridge touches it with exp(−2·above·above'/variance): with
    that the paths are continuous, however few the steps.
    """
    rng = random.Random(11)  # noqa: S311
    variance, level = volatility**2 * years / steps, log(line)
    touched = []
    for _ in range(paths):
        at, missed = 0.0, 1.0
        for _ in range(steps):
            then = at + rng.gauss(-variance / 2, sqrt(variance))
            missed *= 0.0 if then <= level else 1 - exp(-2 * (at - level) * (then - level) / variance)
            at = then
            if not missed:
                break
        touched.append(1 - missed)
    mean = sum(touched) / paths
    return mean, sqrt(sum((one - mean) ** 2 for one in touched) / (paths - 1) / paths)


@pytest.mark.parametrize(
    ("line", "days", "volatility"),
    [(57_142_85, 7, 0.6), (57_142_85, 30, 0.6), (47_619_04, 90, 0.9), (68_000_00, 1, 0.3)],
)
def test_it_is_what_simulated_prices_do(line: int, days: int, volatility: float) -> None:
    chance = touch_probability(PRICE, line, days / 365, volatility)
    mean, error = simulated(line / PRICE, days / 365, volatility, paths=4_000)
    assert abs(chance - mean) < 3 * error
    assert error < 0.1 * chance


amounts = st.integers(1, 10**12) | st.integers(1, 10**400)
reals = st.floats(0, 1e308, allow_subnormal=True)


@settings(deadline=None)
@given(price=amounts, line=st.integers(0, 10**400), years=reals, volatility=reals)
def test_it_is_a_chance_whatever_it_is_asked(price: int, line: int, years: float, volatility: float) -> None:
    chance = touch_probability(price, line, years, volatility)
    assert isfinite(chance)
    assert 0 <= chance <= 1
    assert chance == 1 or line < price


@settings(deadline=None)
@given(
    line=st.integers(1, PRICE - 2), years=st.floats(1e-6, 50), volatility=st.floats(0.01, 20), more=st.floats(1.01, 10)
)
def test_more_time_more_volatility_and_a_nearer_line_make_it_no_less_likely(
    line: int, years: float, volatility: float, more: float
) -> None:
    chance = touch_probability(PRICE, line, years, volatility)
    slack = 1 + 1e-9
    assert chance <= touch_probability(PRICE, line, years * more, volatility) * slack
    assert chance <= touch_probability(PRICE, line, years, volatility * more) * slack
    assert chance <= touch_probability(PRICE, line + 1, years, volatility) * slack


def test_at_the_ends_it_is_certain_or_out_of_the_question() -> None:
    assert touch_probability(PRICE, PRICE, 1e-12, 1e-12) == 1
    assert touch_probability(PRICE, PRICE + 1, 0, 0) == 1
    for years, volatility in ((0, 0.6), (1, 0), (1e-300, 1e-300), (1e-12, 0.6)):
        assert touch_probability(PRICE, CALL, years, volatility) == 0
    assert touch_probability(PRICE, 0, 1, 0.6) == 0
    assert touch_probability(PRICE, 1, 1e9, 50) == pytest.approx(1)


def test_where_the_factor_would_overflow_the_term_is_what_it_should_be() -> None:
    """e^(2νb/σ²) is price/line: 10^400 here. By the mirror the first term is as large where ν√τ/σ is half the way."""
    chance = touch_probability(10**400, 1, 1, sqrt(2 * 400 * log(10)))
    assert chance == pytest.approx(0.5 + 1 / (2 * sqrt(2 * 3.141592653589793 * 400 * log(10))), rel=1e-2)


@pytest.mark.parametrize(
    ("chance", "printed"),
    [
        (0, "0.000"),
        (0.000_004_9, "0.000"),
        (0.000_94, "0.094"),
        (0.009_999_6, "1.00"),
        (0.099_996, "10.0"),
        (0.999_4, "99.9"),
        (0.999_6, "100"),
        (1, "100"),
    ],
)
def test_it_is_printed_with_three_digits_at_most(chance: float, printed: str) -> None:
    assert model_percent(chance) == printed
