"""Amounts: what text is read as, how integers are printed, and which way each rounds."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import (
    btc_plain,
    half_up,
    parse_amount,
    parse_btc,
    parse_ratio,
    parse_usd,
    percent_plain,
    plain,
    show_btc,
    show_btc_down,
    show_btc_up,
    show_usd,
    show_usd_short,
    show_usd_short_up,
    usd_plain,
)

amounts = st.integers(-(10**17), 10**17)
ratios = st.fractions(-1000, 1000, max_denominator=10**6)


@pytest.mark.parametrize(
    ("text", "cents"),
    [("0", 0), ("1", 100), ("1.5", 150), ("-0.05", -5), ("+7.10", 710), ("0012.30", 1230), ("9.99000", 999), ("-0", 0)],
)
def test_dollars_are_read_to_the_cent(text, cents):
    assert parse_usd(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1.",
        ".5",
        "1,000",
        "1e3",
        "0x10",
        "NaN",
        "inf",
        "1.001",
        "--1",
        "1\n",
        "١٢",
        "１",
        "1_000",
        "$5",
        "+",
        "-",
    ],
)
def test_what_is_no_plain_decimal_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a decimal number|more than 2 decimal places"):
        parse_usd(text)


def test_coins_go_to_the_satoshi_and_no_finer():
    assert parse_btc("0.00000001") == 1
    with pytest.raises(ValueError, match="more than 8 decimal places"):
        parse_btc("0.000000001")


@given(amounts, st.integers(0, 12))
def test_what_is_printed_is_read_back(amount, places):
    assert parse_amount(plain(amount, places) if places else str(amount), places) == amount


@given(amounts)
def test_plain_amounts_are_the_exact_decimal(amount):
    assert btc_plain(amount) == f"{Decimal(amount).scaleb(-8):.8f}"
    assert usd_plain(amount) == f"{Decimal(amount).scaleb(-2):.2f}"


@given(ratios)
def test_percentages_round_half_away_from_zero(ratio):
    exact = Decimal(ratio.numerator * 100) / Decimal(ratio.denominator)
    shown = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert percent_plain(ratio) == f"{abs(shown) if shown == 0 else shown:.2f}"


@pytest.mark.parametrize(
    ("value", "nearest"), [("1/2", 1), ("-1/2", -1), ("5/2", 3), ("-5/2", -3), ("49/100", 0), ("-49/100", 0), ("7", 7)]
)
def test_halves_go_away_from_zero(value, nearest):
    assert half_up(Fraction(value)) == nearest


@pytest.mark.parametrize(
    ("text", "ratio"), [("0.75", "3/4"), ("4/3", "4/3"), ("1.35", "27/20"), ("2", "2"), ("0/5", "0")]
)
def test_ratios_are_exact(text, ratio):
    assert parse_ratio(text) == Fraction(ratio)


@pytest.mark.parametrize("text", ["4/0", "4/-3", "4 / 3", "1/2/3", "75%", "", "a/b", "1e1", "٤/٣"])
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a ratio|divides by zero"):
        parse_ratio(text)


@given(amounts)
def test_coins_that_cure_round_up_and_coins_that_leave_round_down(amount):
    exact = Decimal(amount).scaleb(-8)
    for shown, way in ((show_btc_up(amount), ROUND_CEILING), (show_btc_down(amount), ROUND_FLOOR)):
        assert Decimal(shown.replace(",", "")) == exact.quantize(Decimal("0.01"), way)


@given(amounts)
def test_coins_for_people_lose_nothing(amount):
    assert Decimal(show_btc(amount).replace(",", "")) == Decimal(amount).scaleb(-8)


@given(amounts)
def test_dollars_that_cure_are_never_shown_too_small(amount):
    shown = show_usd_short_up(amount)
    text = shown.replace("$", "").replace(",", "")
    value = Decimal(text.removesuffix("M")) * (10**6 if shown.endswith("M") else 1)
    assert 0 <= value - Decimal(amount).scaleb(-2) < (10_000 if shown.endswith("M") else Decimal("0.01"))
    assert shown.endswith("M") is (abs(amount) >= 100_000_000)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (show_btc_up(Fraction(90_909_090_909)), "909.10"),
        (show_btc_up(262_187_087_275), "2,621.88"),
        (show_btc_up(1), "0.01"),
        (show_btc_down(152_554_744_525), "1,525.54"),
        (show_btc(445_100_000_000), "4,451.00"),
        (show_btc(1), "0.00000001"),
        (show_btc(-5), "-0.00000005"),
        (show_usd(5_500_000), "$55,000.00"),
        (show_usd(-123_456), "-$1,234.56"),
        (show_usd_short(4_975_000_000), "$49.75M"),
        (show_usd_short(99_999_999), "$999,999.99"),
        (show_usd_short(-100_000_000), "-$1.00M"),
        (show_usd_short(30_000_000_000), "$300.00M"),
        (show_usd_short_up(4_975_000_001), "$49.76M"),
        (show_usd_short_up(123_456), "$1,234.56"),
    ],
)
def test_amounts_for_people_carry_their_unit_and_their_thousands(shown, text):
    assert shown == text
