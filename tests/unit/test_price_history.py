"""Falls and volatility of a price history, against plain loops over its prices."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import exp, log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.price_history import PriceHistory

BEGINS = datetime(2024, 2, 7, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Prices = Sequence[tuple[datetime, int]]


@st.composite
def prices(draw: st.DrawFn) -> Prices:
    """Some prices in order, minutes, hours or days apart; few different ones, so that equal falls are common."""
    steps = draw(st.lists(st.sampled_from([1, 20, 30, 60, 90, 60 * 47, 60 * 48, 60 * 49, 60 * 50]), max_size=60))
    at, made = BEGINS + timedelta(minutes=draw(st.integers(0, 59))), []
    for step in steps:
        made.append((at, draw(st.integers(1, 12))))
        at += timedelta(minutes=step)
    return made


def plainly(history: Prices, hours: int) -> list[tuple[int, int]]:
    """First and lowest price of every window, by looking at every price of each."""
    by_hour: dict[int, list[int]] = {}
    for at, price in history:
        by_hour.setdefault(int((at - datetime(1970, 1, 1, tzinfo=UTC)) / HOUR), []).append(price)
    made = []
    for begin in by_hour:
        known = sorted(hour for hour in by_hour if hour >= begin)
        there = [hour for hour in known if hour < begin + hours]
        after = [hour for hour in known if hour >= begin + hours][:1]
        span = there + after
        if after and all(b - a <= 48 for a, b in pairwise(span)):
            seen = [price for hour in there for price in by_hour[hour]]
            seen += [by_hour[hour][0] for hour in after if hour == begin + hours]
            made.append((by_hour[begin][0], min(seen)))
    return made


@settings(max_examples=200, deadline=None)
@given(history=prices(), hours=st.integers(1, 200), line=st.integers(1, 12), price=st.integers(1, 12))
def test_it_counts_as_a_loop_over_every_price_of_every_window_does(
    history: Prices, hours: int, line: int, price: int
) -> None:
    headroom = 1 - Fraction(line, price)
    windows = PriceHistory.of(history).windows(hours)
    plain = plainly(history, hours)
    fell = [low <= first * (1 - headroom) for first, low in plain]
    assert (windows.fell(headroom), len(windows)) == (sum(fell), len(plain))


def test_a_fall_of_exactly_the_headroom_counts_and_one_of_a_cent_less_does_not() -> None:
    first, line = 6_850_000, 5_714_285
    history = PriceHistory.of([(BEGINS, first), (BEGINS + HOUR, line)])
    assert history.windows(1).fell(1 - Fraction(line, first)) == 1
    assert history.windows(1).fell(1 - Fraction(line - 1, first)) == 0
    giant = 10**17  # where a float cannot tell a cent from the next
    near = PriceHistory.of([(BEGINS, giant), (BEGINS + HOUR, giant - 2)])
    assert [near.windows(1).fell(Fraction(less, giant)) for less in (1, 2, 3)] == [1, 1, 0]


def test_a_year_of_hours_has_as_many_windows_as_fit_into_it() -> None:
    year = PriceHistory.of([(BEGINS + n * HOUR, 7) for n in range(365 * 24)])
    assert [len(year.windows(hours)) for hours in (24, 168, 720, 8759, 8760)] == [8_736, 8_592, 8_040, 1, 0]


def test_the_weight_of_an_hour_does_not_depend_on_how_often_it_was_polled() -> None:
    once = PriceHistory.of([(BEGINS + n * HOUR, 100 - n) for n in range(30)])
    often = PriceHistory.of(
        [(BEGINS + n * HOUR + k * 30 * HOUR / 3600, 100 - n) for n in range(30) for k in range(120)]
    )
    assert often.points == 120 * once.points
    assert (len(often.windows(24)), often.windows(24).fell(Fraction(1, 4))) == (
        len(once.windows(24)),
        once.windows(24).fell(Fraction(1, 4)),
    )


def test_the_lowest_poll_of_an_hour_counts() -> None:
    dip = [
        (BEGINS, 100),
        (BEGINS + HOUR / 4, 70),
        (BEGINS + HOUR / 2, 100),
        (BEGINS + HOUR, 100),
        (BEGINS + 2 * HOUR, 100),
    ]
    windows = PriceHistory.of(dip).windows(1)
    assert (windows.fell(Fraction(3, 10)), len(windows)) == (1, 2)


def test_nothing_is_nothing() -> None:
    nothing = PriceHistory.of([])
    assert (len(nothing.windows(1)), nothing.windows(1).fell(Fraction(0)), nothing.volatility(BEGINS)) == (0, 0, None)


# Volatility


def alternating(days: int, step: timedelta, up: float) -> list[tuple[datetime, int]]:
    """A price that goes up and down by the same part each `step`, until `BEGINS` + 30 days."""
    count = days * DAY // step
    last = BEGINS + 30 * DAY
    return [(last - n * step, round(10**9 * exp(up * (n % 2)))) for n in range(count, -1, -1)]


@pytest.mark.parametrize(("step", "a_year"), [(HOUR, 8_760), (6 * HOUR, 1_460), (DAY, 365)])
def test_volatility_is_the_step_times_the_root_of_the_steps_a_year(step: timedelta, a_year: int) -> None:
    history = PriceHistory.of(alternating(45, step, 0.01))
    assert history.volatility(BEGINS + 30 * DAY) == pytest.approx(0.01 * sqrt(a_year), rel=1e-6)


def test_only_the_last_thirty_days_count() -> None:
    calm = alternating(30, HOUR, 0.001)
    wild = [(at - 31 * DAY, price * (1 + 9 * (n % 2))) for n, (at, price) in enumerate(calm)]
    both = PriceHistory.of([*wild, *calm])
    assert both.volatility(BEGINS + 30 * DAY) == pytest.approx(0.001 * sqrt(8_760), rel=1e-6)
    assert both.volatility(BEGINS - DAY) == pytest.approx(log(10) * sqrt(8_760), rel=1e-2)


def test_ten_days_must_be_known() -> None:
    at = BEGINS + 30 * DAY
    assert PriceHistory.of(alternating(10, HOUR, 0.01)).volatility(at) is not None
    short = alternating(10, HOUR, 0.01)[1:]
    assert PriceHistory.of(short).volatility(at) is None
    assert PriceHistory.of(alternating(30, HOUR, 0.01)).volatility(at + 20 * DAY) is not None
    assert PriceHistory.of(alternating(30, HOUR, 0.01)).volatility(at + 20 * DAY + HOUR) is None


def test_what_moved_in_a_gap_is_one_long_step_and_a_longer_gap_is_left_out() -> None:
    flat = [(BEGINS + n * HOUR, 100_000) for n in range(241)]
    for gap, volatility in ((48, log(2) * sqrt(8_760 / 288)), (49, 0.0)):
        jump = [*flat, (flat[-1][0] + gap * HOUR, 50_000)]
        assert PriceHistory.of(jump).volatility(jump[-1][0]) == pytest.approx(volatility)


def test_it_finds_the_volatility_that_made_the_prices_however_they_are_spaced() -> None:
    rng = random.Random(7)  # noqa: S311
    at, level, made = BEGINS, log(60_000_00), []
    while at <= BEGINS + 30 * DAY:
        made.append((at, round(exp(level))))
        step = timedelta(minutes=rng.choice([5, 60, 180]))
        level += rng.gauss(0, 0.6 * sqrt(step / (365 * DAY)))
        at += step
    assert PriceHistory.of(made).volatility(at) == pytest.approx(0.6, rel=0.12)
