"""What the pictures show: each loan's LTV at each instant beside its own arithmetic, and the coins of each month."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support import THREE, UTC_ZONE, book, btc, fresh, loan, move, tier, treasury, usd

from bot.charts import ltv_picture, months_picture, write_picture
from bot.domain.book import Book, Register
from bot.domain.history import (
    LtvHistory,
    as_known,
    at_prices,
    ltv_histories,
    month_coins,
    sampled,
    thinned,
)
from bot.domain.price import PriceState, PriceView
from bot.domain.treasury import Treasury

START = datetime(2026, 2, 1, tzinfo=UTC)


def histories(register: Treasury, *prices: str) -> list[LtvHistory]:
    rows = [(START + timedelta(days=n), usd(price)) for n, price in enumerate(prices)]
    return ltv_histories(at_prices(Register.of(register), rows))


def test_it_is_the_debt_over_the_coins_at_each_price() -> None:
    (one,) = histories(treasury(loan(debt="70", coins="1")), "100", "140", "80")
    assert one.ltvs == (Fraction(70, 100), Fraction(1, 2), Fraction(70, 80))
    assert one.lines == {tier.name: (tier.line,) * 3 for tier in THREE}
    assert one.words() == (
        "Antalpha: LTV from 70.00 % to 87.50 %, 87.50 % at most; "
        "lines: early warning 68.00 %, margin call 75.00 %, liquidation 90.00 %."
    )


def test_a_line_that_is_not_reached_is_not_printed_as_if_it_were() -> None:
    (one,) = histories(treasury(loan(debt="74999.90", coins="1")), "100000")
    assert one.words().startswith("Antalpha: LTV from 74.99 % to 74.99 %, 74.99 % at most; lines: ")
    assert one.printed == ("74.99",)


def test_dollars_in_a_name_are_no_formula() -> None:
    lines = (tier("call", "0.75", "a $\\nope{$ line", cure_to="0.65"),)
    (one,) = histories(treasury(loan(debt="70", coins="1", tiers=lines)), "100")
    drawn = [ltv_picture([replace(one, title=title)], UTC_ZONE) for title in ("A $\\nope{$ B", "A $\\pine{$ B")]
    assert drawn[0] != drawn[1]


def test_the_nearest_to_its_first_line_comes_first_and_what_has_no_line_not_at_all() -> None:
    near = loan("near", debt="60", coins="1")
    far = loan("far", debt="30", coins="1")
    bare = loan("bare", debt="30", coins="0", tiers=())
    assert [one.title for one in histories(treasury(far, near, bare), "100")] == ["Near", "Far"]


def test_without_a_price_it_is_unknown_and_leaves_a_gap() -> None:
    known = Register.of(treasury(loan(debt="70", coins="1")))
    views = [fresh("100"), PriceView(PriceState.NONE), fresh("140")]
    (one,) = ltv_histories([Book(known, START + timedelta(days=n), view) for n, view in enumerate(views)])
    assert one.ltvs == (Fraction(7, 10), None, Fraction(1, 2))
    (dark,) = ltv_histories([Book(known, START, views[1])])
    assert dark.words() == "Antalpha: LTV unknown."


def test_an_old_price_stands_for_two_hours() -> None:
    for minutes, usable in ((120, usd("100")), (121, None)):
        view = PriceView(PriceState.STALE, usd("100"), START, timedelta(minutes=minutes))
        assert as_known(view).usable == usable
    assert as_known(PriceView(PriceState.NONE)).usable is None


def test_it_looks_at_the_midnights_of_twelve_weeks_since_the_opening() -> None:
    register = treasury(opened=START)
    at = START + timedelta(days=3, hours=7)
    assert sampled(register, at) == [START, *(START + timedelta(days=n) for n in (1, 2, 3)), at]
    much_later = sampled(register, START + timedelta(days=365))
    assert len(much_later) == 12 * 7 + 1
    assert much_later[-1] - much_later[0] == timedelta(weeks=12)


def test_thinning_keeps_the_lows_and_the_last() -> None:
    prices = [(START + timedelta(minutes=n), 1000 - (n % 100)) for n in range(1001)]
    kept = thinned(prices, 10)
    assert [price for _, price in kept] == [901] * 10 + [1000]
    assert kept[-1] == prices[-1]
    assert thinned(prices[:3], 10) == prices[:3]
    assert thinned([], 10) == []


def test_the_coins_of_each_month_up_to_the_one_under_way() -> None:
    register = treasury(
        opened=datetime(2025, 11, 1, tzinfo=UTC),
        movements=(
            move("mined", datetime(2025, 11, 5, tzinfo=UTC), btc="3"),
            move("sold", datetime(2026, 1, 5, tzinfo=UTC), btc="2", usd="100"),
        ),
    )
    told = month_coins(book(register, None, datetime(2026, 1, 10, tzinfo=UTC)))
    assert [(one.month, one.mined, one.sold, one.is_over) for one in told] == [
        ("2025-11", btc("3"), 0, True),
        ("2025-12", 0, 0, True),
        ("2026-01", 0, btc("2"), False),
    ]
    assert told[-1].words() == "January 2026 so far: mined 0.00, sold 2.00 BTC."
    assert month_coins(book(register, None, datetime(2027, 1, 10, tzinfo=UTC)))[0].month == "2026-02"


def test_the_pictures_are_pictures_of_a_size_that_a_phone_shows(tmp_path: Path) -> None:
    loans = [loan(f"lender-{n}", debt=f"{40 + n}", coins="1") for n in range(8)]
    many = histories(treasury(*loans), "100", "90")
    marks = [(START + timedelta(hours=1), "margin call")]
    for drawn, rows in ((ltv_picture(many, treasury().zone, marks=marks), 6), (ltv_picture([], treasury().zone), 1)):
        assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", drawn[16:24])
        assert (width, height) == (800, round((2.6 * rows + 0.2) * 160))
    again = ltv_picture(many, treasury().zone, ".svg", marks)
    assert again == ltv_picture(many, treasury().zone, ".svg", marks)
    assert ElementTree.fromstring(again).tag.endswith("svg")  # noqa: S314  (our own)
    months = month_coins(book(treasury(), None, START + timedelta(days=40)))
    assert months_picture(months)[:4] == b"\x89PNG"
    write_picture(tmp_path / "a.png", b"whole")
    assert (tmp_path / "a.png").read_bytes() == b"whole"
    with pytest.raises(OSError, match="directory"):
        write_picture(tmp_path / "none" / "a.png", b"x")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_picture(tmp_path / "taken.png", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "taken.png"]


def test_a_line_that_an_amendment_moved_is_drawn_as_it_was() -> None:
    assert tier("call", "0.75").line == Fraction(3, 4)
    lines = {"call": (Fraction(3, 4), Fraction(4, 5))}
    one = LtvHistory(
        "A", (START, START + timedelta(days=1)), (Fraction(1, 2), Fraction(1, 2)), ("50.00", "50.00"), lines
    )
    assert one.lines_now() == [("call", Fraction(4, 5))]
