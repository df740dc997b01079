"""Rows of a CSV file are tables of a treasury file, read by the same rules; each fault says its line and column."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from csv_rows import COLUMNS, CONTRACT, GOOD, RECORDED, as_csv, faults_of, importing

from bot.domain.merge import Merge, merge
from bot.domain.treasury import Treasury
from bot.treasury_file import TreasuryFileError, read_file, read_treasury

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


# Every kind of table


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
