"""Any movements, in any spreadsheet's hand: the same register as from TOML, and an answer to whatever is written."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from csv_rows import COLUMNS, RECORDED, as_csv, written
from hypothesis import event, given, settings
from hypothesis import strategies as st
from test_ledger_properties import EMPTY, histories, whenever

from bot.domain.ledger import Ledger
from bot.domain.merge import Merge, merge
from bot.domain.money import btc_plain, usd_plain
from bot.domain.treasury import Movement, MovementKind, Treasury
from bot.treasury_file import TreasuryFileError, read_treasury

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
