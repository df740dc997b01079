"""Rows of a CSV file are tables of a treasury file, read by the same rules; each fault says its line and column."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from test_ledger_properties import EMPTY, histories, whenever

from bot.domain.ledger import Ledger
from bot.domain.merge import Merge, merge
from bot.domain.money import btc_plain, parse_btc, usd_plain
from bot.domain.treasury import Movement, MovementKind, Treasury
from bot.treasury_file import TreasuryFileError, read_file, read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
RECORDED = read_treasury("contract.toml", CONTRACT)
COLUMNS = "at,kind,ref,account,btc,usd,note"
GOOD = "2026-02-09T00:00:00Z,mined,m1,custody,117.86,,"


def importing(text: str, recorded: Treasury = RECORDED) -> Merge:
    return merge(recorded, read_treasury("movements.csv", text, recorded))


def faults_of(text: str) -> list[str]:
    with pytest.raises(TreasuryFileError) as refused:
        read_treasury("movements.csv", text, RECORDED)
    assert all(fault.startswith("movements.csv: ") for fault in refused.value.faults)
    return [fault.removeprefix("movements.csv: ") for fault in refused.value.faults]


def mined(btc: str, delimiter: str = ",") -> list[int | None] | str:
    """What a row with that amount adds, in satoshis, or what is said about it."""
    row = delimiter.join(["2026-02-09T00:00:00Z", "mined", "m1", "custody", f'"{btc}"'])
    text = f"{COLUMNS[:23].replace(',', delimiter)}\n{row}\n"
    try:
        return [movement.btc for movement in read_treasury("m.csv", text, RECORDED).movements]
    except TreasuryFileError as error:
        (fault,) = error.faults
        return fault.removeprefix("m.csv: line 2 “m1”: btc: ")


# Header and delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_it_reads_what_spreadsheets_write(delimiter: str, end: str, mark: str) -> None:
    text = mark + f"{COLUMNS}\n{GOOD}\n,,,,,,\n\n".replace(",", delimiter).replace("\n", end)
    added = importing(text)
    assert added.lines == ("+ movement “m1”: mined 117.86 BTC into custody",)
    assert {type(added.treasury.movements[-1].ref), type(added.treasury.movements[-1].account)} == {str}


def test_columns_come_in_any_order_and_case_with_blanks_around() -> None:
    text = "Account ; REF;btc; At;\n custody; m1 ;117.86 ; 2026-02-09 01:00:00+01:00;\n".replace("At;", "At;Kind")
    assert importing(text.replace("01:00;", "01:00;mined")).lines == ("+ movement “m1”: mined 117.86 BTC into custody",)


def test_a_header_alone_says_nothing() -> None:
    assert importing(COLUMNS) == Merge(RECORDED)


def test_a_row_without_a_kind_is_a_reversal() -> None:
    text = "at,ref,kind,reverses\n2026-02-10T00:00:00Z,undo,,repayment 1\n"
    assert importing(text).lines == ("+ movement “undo”: reverses “repayment 1”",)


HEADERS = (
    "There are movements (at, ref; and any of kind, account, to, facility, btc, usd, of, reverses, gross_usd, fee_usd, "
    "fee_btc, venue, order, purpose, site, region, reason, note), statements (month, mined, sold, held), cash costs "
    "(month, usd_per_btc), needs (due, usd, purpose) and lender's notices (tier, at, price, ref; and any of facility, "
    "group, demand_btc, demand_usd, due, met, withdrawn, disputed)."
)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("month,mined_btc,sold,held", "unknown “mined_btc” (did you mean “mined”?)"),
        ("month,sold,Source,x,y,z,v,w", "unknown “source”, “x”, “y”, “z”, “v” and 1 more"),
        ("month,mined,sold", "statements need held too"),
        ("at,kind,btc", "movements need ref too"),
        ("month,mined,sold,held,usd_per_btc", "statements have no usd_per_btc"),
        ("at,ref,kind,account,tier,price", "movements have no tier or price"),
        ("month", "statements need mined, sold and held too"),
        ("qwerty", "unknown “qwerty”"),
        ("x" * 99, f"unknown “{'x' * 59}…”"),
    ],
)
def test_a_header_of_no_table_is_told_which_there_are(header: str, why: str) -> None:
    assert faults_of(f"{header}\n1,2\n") == [f"line 1: the header is that of no one table: {why}. {HEADERS}"]


def test_a_file_of_nothing_is_told_what_a_header_is() -> None:
    for text in ("", "\ufeff", "\n\r\n", ";;;\n", " \xa0\n\t\n", '"",""'):
        (fault,) = faults_of(text)
        assert fault.startswith("the file is empty; its first line is a header: movements (at, ref; and any of")


def test_a_name_twice_in_the_header_is_one_fault() -> None:
    assert faults_of(f"\n{COLUMNS},btc,BTC\n{GOOD},,\n") == [
        "line 2: “btc” is in the header 3 times; keep one column of that name."
    ]


def test_it_adds_to_a_treasury_and_is_none() -> None:
    with pytest.raises(TreasuryFileError) as refused:
        read_file("movements.csv", f"{COLUMNS}\n{GOOD}")
    assert refused.value.faults == [
        "Nothing imported yet: plimsoll import FILE, a treasury file (TOML); movements.csv only adds to one"
    ]


# Rows


def test_every_fault_is_told_with_its_line_and_column_in_the_order_of_the_file() -> None:
    text = f"""{COLUMNS}
2026-02-09T00:00:00,mined,m1,custody,117.86,,
2026-02-09T00:00:00Z,mind,m2,custodi,1e5,,

2026-02-09T00:00:00Z,mined,m3,Custody,,,
2026-02-09T00:00:00Z,mined,m4,custodi,1,5,
,,m5,custody,1,,
2026-02-09T00:00:00Z,mined,m6,custody,1
2026-02-09T00:00:00Z,mined,m7,custody,1,391.61,,
2026-02-09T00:00:00Z,mined,m8,custody,1,,"open
2026-02-09T00:00:00Z,mined,m9,custody,1,,"shut"s
2026-02-09T00:00:00Z,mined,m10,custody,1,,"two
lines"
2026-02-09T00:00:00Z,mined,m11,custody,1,,no\0thing
2026-02-09T00:00:00Z,mined,m12,custody,1,,{"x" * 50_000}
2026-02-09T00:00:00Z,mined,m13,custody,1,,{"x" * 501}
2026-02-10T00:00:00Z,mined,sale 1,custody,0,,
2026-02-10T00:00:00Z,cost,m15,custody,,99999999999999,
2026-02-10T00:00:00Z,mined,m13,custody,1,,
2026-02-10T00:00:00Z,mined,m17,custody,1,,
2026-02-10T00:00:00Z,mined,m17,custody,2,,
"""
    quotes = 'has a quote that is not closed, or goes on after one; write a quote in a quoted cell twice, as "".'
    assert faults_of(text) == [
        "line 2 “m1”: at: 2026-02-09T00:00:00 has no time zone; write 2026-02-09T00:00:00Z",
        "line 3 “m2”: kind: “mind” is unknown; did you mean “mined”?",
        'line 3 “m2”: btc: “1e5” is not a decimal number; write it as "474.62"',
        "line 5 “m3”: account: “Custody” is no id; write small letters, digits and hyphens, as “custody”.",
        "line 6 “m4”: account: there is no account “custodi”; accounts: custody.",
        "line 6 “m4”: usd: mined has no usd; it takes account, btc, and may have site, region.",
        "line 7 “m5”: at: is empty; write for example 2026-02-08T18:00:00Z",
        "line 7 “m5”: kind: is empty; write for example sold",
        "line 8: has 5 cells, and the header has 7; an empty cell needs its “,” too.",
        "line 9: has 8 cells, and the header has 7; put a cell that contains “,” in quotes.",
        f"line 10: {quotes}",
        f"line 11: {quotes}",
        "line 12 “m10”: note: “two lines” has a line break or another control character; write it on one line.",
        "line 14: has a NUL byte; save the file anew as UTF-8 text.",
        "line 15: has 50,043 characters; write at most 50,000, one row a line.",
        "line 16 “m13”: note: has 501 characters; write at most 500.",
        "line 18 “m15”: usd: “99999999999999” is more than $1,000,000,000,000.00; write dollars, not cents.",
        "line 21 “m17”: ref: ref “m17” is already that of the mined movement of 2026-02-10T00:00:00Z; "
        "every movement needs a ref of its own.",
    ]


def test_an_open_quote_swallows_no_other_row() -> None:
    opened = '2026-02-09T00:00:00Z,mined,m1,custody,"1,,'
    text = f'{COLUMNS}\n{opened}\n2026-02-09T00:00:00Z,mined,m2,custodi,1,,6"\n{opened}\n'
    assert [fault[:27] for fault in faults_of(text)] == [
        "line 2: has a quote that is",
        "line 3 “m2”: account: there",
        "line 4: has a quote that is",
    ]


def test_nobody_is_blamed_for_a_row_that_could_not_be_read() -> None:
    text = """at,kind,ref,account,facility,btc,of,reverses
2026-02-09T00:00:00Z,sent,on its way,custody,antalpha,1
2026-02-09T00:00:00Z,mined,"new" coins,custody,,1,,
2026-02-10T00:00:00Z,pledged,p1,,antalpha,1,on its way,
2026-02-10T00:00:00Z,,undo,,,,,new coins
2026-02-10T00:00:00Z,,undo 2,,,,,nowhere
"""
    assert [fault.partition(":")[0] for fault in faults_of(text)] == [
        "line 2",
        "line 3",
        "line 5 “undo”",
        "line 6 “undo 2”",
    ]


def test_a_cell_in_a_column_without_a_name_is_not_lost_silently() -> None:
    assert importing(f"{COLUMNS},,\n{GOOD},,\n").lines == ("+ movement “m1”: mined 117.86 BTC into custody",)
    assert faults_of(f"{COLUMNS},,\n{GOOD},,5\n") == [
        "line 2: “5” is in a column without a name; name it in the header."
    ]


def test_what_the_register_refuses_is_named_by_its_line() -> None:
    spent = "2026-02-09T00:00:00Z,cost,site,custody,,20000000,"
    text = f"{COLUMNS}\n{GOOD}\n{spent}\n2026-02-08T18:00:00Z,sold,sale 1,custody,1,1,\n"
    for rows, wrong in ((text[: text.rindex("2026")], 1), (text, 3)):
        file = read_file("movements.csv", rows, RECORDED)
        lines = file.refused(merge(RECORDED, file.treasury).refusals)
        assert len(lines) == wrong
        named = (
            "line 4 “sale 1”: btc: 1.00 BTC, but 3,650.00"
            if wrong == 3
            else "line 3 “site”: usd: account “custody” has"
        )
        assert lines[0].startswith(f"movements.csv: {named}")


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


# Every kind of table


def written(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def as_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str], delimiter: str = ",", **more: Any) -> str:
    out = StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, **more)
    writer.writerow(columns)
    writer.writerows([written(row.get(column, "")) for column in columns] for row in rows)
    return out.getvalue()


@pytest.mark.parametrize("table", ["movement", "statement", "cash_cost", "need", "call"])
def test_every_kind_of_table_says_what_it_says_as_toml(table: str) -> None:
    rows = tomllib.loads(CONTRACT)[table]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    bare = read_treasury("contract.toml", "".join(p for p in CONTRACT.partition(f"[[{table}]]")[:1]))
    assert importing(as_csv(rows, columns)) == Merge(RECORDED)
    assert importing(as_csv(rows, columns), bare).lines == merge(bare, whole_of(table)).lines


def whole_of(table: str) -> Treasury:
    """The contract's file up to its last table of that kind."""
    begin = CONTRACT.rindex(f"[[{table}]]")
    end = CONTRACT.find("\n[[", begin)
    return read_treasury("contract.toml", CONTRACT[: end if end >= 0 else len(CONTRACT)])


def test_the_example_of_the_docs_is_taken() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "treasury-file.md").read_text(encoding="utf-8")
    example = docs.split("```csv\n")[1].split("```")[0]
    assert importing(example).lines == ("+ movement “undo 1”: reverses “repayment 1”",)


def test_a_notice_names_its_facility_or_group() -> None:
    head = "facility,group,tier,at,price,ref,due"
    row = "margin call,2026-02-11T14:15:00Z,57100.00,n2,2026-02-11T14:14:00Z"
    assert faults_of(f"{head}\n,,{row}\nantalfa,,{row.replace('n2', 'n3').replace('14:14', '14:16')}\n") == [
        "line 2 “n2”: facility: is empty; write for example antalpha, or group",
        "line 2 “n2”: due: “2026-02-11T14:14:00Z” is before the notice, at “2026-02-11T14:15:00Z”.",
        "line 3 “n3”: facility: there is no facility “antalfa”; did you mean “antalpha”?",
    ]
    assert faults_of("at,tier,price,ref\n2026-02-11T14:15:00Z,margin call,57100,n2\n") == [
        "line 2 “n2”: facility: has no column; write for example antalpha, or group"
    ]


# Any movements, in any spreadsheet's hand

HEAD = f'[treasury]\nname = "{EMPTY.name}"\ntimezone = "UTC"\nopened = {EMPTY.opened.isoformat()}\n'
ALL_COLUMNS = tuple(Movement.__dataclass_fields__)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12).map(str.strip)
SAYINGS = st.sampled_from(["=1+1", "+5", "-5", "@SUM(A1)", "=cmd|' /C calc'!A0", 'a "word"', "a,b;c", "", "''"]) | WORDS
FREE_TEXT: dict[MovementKind, Sequence[str]] = {
    MovementKind.MINED: ("site", "region", "note"),
    MovementKind.SOLD: ("venue", "order", "purpose", "note"),
}


def said(movement: Movement) -> dict[str, Any]:
    """What a movement says, as it could be typed: amounts as decimals, a reversal without kind."""
    row = {column: getattr(movement, column) for column in ALL_COLUMNS}
    if movement.kind is MovementKind.REVERSAL:
        row["kind"] = None
    plain = {"btc": btc_plain, "usd": usd_plain}
    return {
        column: plain[column[-3:]](value) if column[-3:] in plain else value
        for column, value in row.items()
        if value is not None
    }


def as_toml(rows: Sequence[dict[str, Any]]) -> str:
    def value(key: str, one: Any) -> str:
        return written(one) if key == "at" else '"' + str(one).replace("\\", "\\\\").replace('"', '\\"') + '"'

    tables = ("".join(f"{key} = {value(key, row[key])}\n" for key in row) for row in rows)
    return HEAD + "".join(f"[[movement]]\n{table}" for table in tables)


@st.composite
def movements(draw: st.DrawFn) -> tuple[Movement, ...]:
    """What a ledger takes, each movement with words of any kind where it may have some."""
    found = []
    for movement in draw(histories()).movements:
        words = {name: draw(SAYINGS) for name in FREE_TEXT.get(movement.kind, ("note",)) if draw(st.booleans())}
        found.append(Movement(**{**fields_of(movement), **{name: word for name, word in words.items() if word}}))
    return tuple(found)


def fields_of(movement: Movement) -> dict[str, Any]:
    return {column: getattr(movement, column) for column in ALL_COLUMNS}


@st.composite
def hands(draw: st.DrawFn, rows: Sequence[dict[str, Any]]) -> str:
    """The rows as some spreadsheet would write them."""
    used = {column for row in rows for column in row} | {"at", "ref", "kind"}
    columns = draw(st.permutations(sorted(used | set(draw(st.sets(st.sampled_from(ALL_COLUMNS)))))))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + as_csv(rows, columns, delimiter, quoting=quoting, lineterminator=end)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_same_movements_make_the_same_register_in_either_form(data: st.DataObject) -> None:
    wanted = data.draw(movements())
    rows = [said(movement) for movement in wanted]
    typed = data.draw(hands(rows))
    read = read_treasury("m.csv", typed, EMPTY)
    assert read == read_treasury("m.toml", as_toml(rows), EMPTY)
    once = merge(EMPTY, read)
    assert once.refusals == ()
    assert once.treasury.movements == tuple(sorted(wanted, key=lambda movement: movement.at))
    assert merge(once.treasury, read_treasury("m.csv", typed, once.treasury)) == Merge(once.treasury)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_files_make_the_same_books_in_any_order_in_which_they_are_taken(data: st.DataObject) -> None:
    """What is refused now for lack of another file is tried again after it."""
    wanted = data.draw(movements())
    where = [data.draw(st.integers(0, 2)) for _ in wanted]
    files = [
        data.draw(hands([said(movement) for movement, file in zip(wanted, where, strict=True) if file == number]))
        for number in range(3)
    ]
    treasury = EMPTY
    waiting = data.draw(st.permutations(files))
    while waiting:
        left = []
        for text in waiting:
            merged = tried(text, treasury)
            if merged is None:
                left.append(text)
            else:
                treasury = merged
        if len(left) == len(waiting):
            event("two files need each other")
            return
        waiting = left
    event("all were taken")
    assert set(treasury.movements) == set(wanted)
    assert list(books(treasury)) == list(
        books(merge(EMPTY, read_treasury("m.toml", as_toml([said(m) for m in wanted]), EMPTY)).treasury)
    )


def tried(text: str, treasury: Treasury) -> Treasury | None:
    try:
        merged = merge(treasury, read_treasury("m.csv", text, treasury))
    except TreasuryFileError:
        return None
    return None if merged.refusals else merged.treasury


def books(treasury: Treasury) -> Iterator[Any]:
    ledger = Ledger(treasury)
    for instant in whenever(ledger):
        there = ledger.at(instant)
        yield there.accounts, there.debts, there.collateral, there.pools, sorted(map(repr, there.transit))


CELLS = st.sampled_from(
    [
        "",
        "x",
        '"',
        '""',
        '"a',
        "\0",
        "1,391",
        "2026-02-09T00:00:00Z",
        "2026-02-09",
        "mined",
        "custody",
        "-1",
        "=1",
        "é",
        " ",
    ]
) | st.text(max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([COLUMNS, COLUMNS.replace(",", ";"), "month,mined,sold,held", "due\tusd\tpurpose", "x"]) | CELLS,
    st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=6),
    st.sampled_from([",", ";", "\t"]),
)
def test_whatever_is_written_it_answers_in_lines(header: str, rows: list[list[str]], delimiter: str) -> None:
    text = "\n".join([header, *(delimiter.join(row) for row in rows)])
    try:
        read_treasury("m.csv", text, RECORDED)
    except TreasuryFileError as error:
        faults = error.faults
    else:
        return
    assert faults
    for fault in faults:
        assert fault.startswith(("m.csv: line ", "m.csv: the file is empty"))
        assert len(fault.splitlines()) == 1
