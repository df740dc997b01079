"""The cells of a CSV file: amounts as spreadsheets write them, instants and days; what could be two is refused."""

from __future__ import annotations

import pytest
from csv_rows import COLUMNS, GOOD, RECORDED, faults_of, importing
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import btc_plain, parse_btc
from bot.treasury_file import TreasuryFileError, read_treasury


def mined(btc: str, delimiter: str = ",") -> list[int | None] | str:
    """What a row with that amount adds, in satoshis, or what is said about it."""
    row = delimiter.join(["2026-02-09T00:00:00Z", "mined", "m1", "custody", f'"{btc}"'])
    text = f"{COLUMNS[:23].replace(',', delimiter)}\n{row}\n"
    try:
        return [movement.btc for movement in read_treasury("m.csv", text, RECORDED).movements]
    except TreasuryFileError as error:
        (fault,) = error.faults
        return fault.removeprefix("m.csv: line 2 “m1”: btc: ")


# Amounts


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1391.61", "1391.61"),
        ("1,391.61", "1391.61"),
        ("12,345,678.00000001", "12345678.00000001"),
        ("+7,474.62", "7474.62"),
        (" 0.001 ", "0.001"),
        ("1.391", "1.391"),
    ],
)
def test_thousands_are_grouped_where_nothing_else_can_be_meant(cell: str, amount: str) -> None:
    assert mined(cell) == [parse_btc(amount)]


@pytest.mark.parametrize("cell", ["1391.61", "1,391.61", "0.001", "1391.608", "1.39", "1.3910"])
def test_a_decimal_is_one_whatever_separates_the_cells(cell: str) -> None:
    assert mined(cell) == mined(cell, ";") == mined(cell, "\t") == [parse_btc(cell.replace(",", ""))]


@given(st.integers(1, parse_btc("21000000")), st.sampled_from([",", ";", "\t"]))
def test_any_amount_may_have_its_thousands_grouped(amount: int, delimiter: str) -> None:
    whole, part = btc_plain(amount).split(".")
    assert mined(f"{int(whole):,}.{part}", delimiter) == [amount]


@pytest.mark.parametrize(
    ("delimiter", "cell", "right"),
    [
        (",", "1,391", "“1391” or “1.391”"),
        (";", "1,391", "“1391” or “1.3910”"),
        (";", "1.391", "“1391” or “1.3910”"),
        (";", "+250.000", "“+250000” or “+250.0000”"),
        (",", "0,5", "“0.5”"),
        (",", "1391,61", "“1391.61”"),
        (",", "1.391,61", "“1391.61”"),
        (",", "1,391,610", "“1391610”"),
        (",", "1.391.610", "“1391610”"),
        (",", "1 391,61", "“1391.61”"),
        (",", "1\u202f391.61", "“1391.61”"),
        (",", "1'391.61", "“1391.61”"),
        (",", "13,91,610.5", "“1391610.5”"),
        (",", "1,39.61", "“139.61”"),
    ],
)
def test_a_number_that_could_be_another_is_refused_with_what_would_be_right(
    delimiter: str, cell: str, right: str
) -> None:
    said = mined(cell, delimiter)
    assert isinstance(said, str)
    assert said.startswith(f"“{cell}” ")
    assert said.endswith(f"; write {right}.")


@pytest.mark.parametrize("cell", ["$1,391.61", "1e3", "(5.00)", "٣", "1,", "'", "5 BTC", "=1+1", "#REF!"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    assert mined(cell) == f'“{cell}” is not a decimal number; write it as "474.62"'


def test_dollars_of_a_thousand_are_not_read_as_one() -> None:
    assert (
        read_treasury("costs.csv", "month;usd_per_btc\n2026-02;78000\n", RECORDED).cash_costs[0].usd_per_btc
        == 7_800_000
    )
    text = "month;usd_per_btc\n2026-02;78.000\n2026-03;78.123\n2026-04;78,123\n"
    assert faults_of(text) == [
        "line 2 (2026-02): usd_per_btc: “78.000” can be read in two ways; write “78000” or “78.0000”.",
        "line 3 (2026-03): usd_per_btc: “78.123” is not a plain decimal number; write “78123”.",
        "line 4 (2026-04): usd_per_btc: “78,123” is not a plain decimal number; write “78123”.",
    ]


# Instants and days


@pytest.mark.parametrize(
    "cell",
    ["2026-02-09T00:00:00Z", "2026-02-09 00:00:00Z", "2026-02-09t00:00z", "2026-02-08T18:00:00.000-06:00"],
)
def test_an_instant_has_its_zone(cell: str) -> None:
    assert importing(f"{COLUMNS}\n{GOOD}\n") == importing(f"{COLUMNS}\n{GOOD.replace('2026-02-09T00:00:00Z', cell)}\n")


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2026-02-09 14:15:00", "2026-02-09T14:15:00 has no time zone; write 2026-02-09T14:15:00Z"),
        ("2026-02-09", "2026-02-09 is a date; write an instant with its zone: 2026-02-09T14:15:00Z"),
        ("09/02/2026 14:15", "“09/02/2026 14:15” is not an instant with its zone; write it as 2026-02-07T14:15:00Z"),
        ("2026-02-30T14:15Z", "“2026-02-30T14:15Z” is not an instant with its zone; write it as 2026-02-07T14:15:00Z"),
        ("20260209T141500Z", "“20260209T141500Z” is not an instant with its zone; write it as 2026-02-07T14:15:00Z"),
        ("46062.5", "“46062.5” is not an instant with its zone; write it as 2026-02-07T14:15:00Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z is out of range; write a year from 2009 to 2199."),
    ],
)
def test_an_instant_without_zone_or_sense_is_refused(cell: str, why: str) -> None:
    assert faults_of(f"{COLUMNS}\n{GOOD.replace('2026-02-09T00:00:00Z', cell)}\n") == [f"line 2 “m1”: at: {why}"]


def test_a_need_is_due_on_a_day() -> None:
    text = "due,usd,purpose\n2026-04-01,5,rent\n2026-04-01T00:00:00Z,5,site\n1 April,5,power\n2026-04-01,6,rent\n"
    assert faults_of(text) == [
        "line 3 “site”: due: 2026-04-01T00:00:00Z is an instant; write a date: 2026-04-01",
        "line 4 “power”: due: “1 April” is not a date; write it as 2026-03-01",
        "line 5 “rent”: purpose: “rent” due 2026-04-01 is already in line 2; write one need of both.",
    ]
