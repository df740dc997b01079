"""One treasury file, read: a `Treasury`, or every fault of it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.ledger import LedgerFault, ledger_faults
from bot.domain.ledger_rules import movement_faults
from bot.domain.terms import Facility, Group
from bot.domain.treasury import Account, Treasury
from bot.treasury_file.build import build, movement_of
from bot.treasury_file.check_links import check_file
from bot.treasury_file.faults import Faults, TreasuryFileError
from bot.treasury_file.rows import FileRows, Row, read_rows
from bot.treasury_file.tables import MovementTable
from bot.treasury_file.values import FIRST_DAY, Float

_BEGINS = "a treasury file begins with [treasury] and its name, timezone and opened."


def read_treasury(path_name: str, text: str, *, alone: bool = True) -> Treasury:
    """The treasury that `text` says; `path_name` is how faults call the file.

    With `alone` False the movements are not held against the ledger: they are part of a larger one, and the merge
    with what is recorded does that. TreasuryFileError: every fault, one line each, in file order.
    """
    text = text.removeprefix("\ufeff")
    document = _parse(path_name, text)
    faults = Faults(path_name, text, document)
    rows = read_rows(document, faults)
    check_file(rows, faults)
    if rows.treasury is None and "treasury" not in document:
        faults.add((), f"[treasury] is missing; {_BEGINS}")
    if faults or rows.treasury is None:
        if alone:
            _add_movement_faults(rows, faults)
        raise TreasuryFileError(faults.in_order())
    built = build(rows, rows.treasury.data)
    if alone:
        for fault in ledger_faults(built.treasury):
            _add(fault, built.movement_rows, faults)
    if faults:
        raise TreasuryFileError(faults.in_order())
    return built.treasury


def _parse(path_name: str, text: str) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(text, parse_float=Float)
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of thousands of digits
        raise TreasuryFileError([f"{path_name}: {_syntax(error, text)}"]) from error
    if not document:
        raise TreasuryFileError([f"{path_name}: the file is empty; {_BEGINS}"])
    return document


def _syntax(error: Exception, text: str) -> str:
    """tomllib's own words, with the place first: “line 3, column 8: …”."""
    if isinstance(error, RecursionError):
        return "is nested too deeply to be read; a treasury file has tables two deep."
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "has a number too long to be read; write amounts in quotes."
    what, _, place = str(error).partition(" (at ")
    place = place.rstrip(")")
    if not place or place == "end of document":
        last = max(len(text.splitlines()), 1)
        place = f"line {last}, column {len((text.splitlines() or [''])[-1]) + 1}"
    return f"{place}: not valid TOML: {what[:1].lower()}{what[1:]}."


def _add(fault: LedgerFault, rows: Sequence[Row[MovementTable]], faults: Faults) -> None:
    end = "" if fault.text.endswith((".", "?")) else "."
    faults.key(rows[fault.index].path, fault.key, f"{fault.text}{end}")


def _add_movement_faults(rows: FileRows, faults: Faults) -> None:
    """What is wrong with the movements by themselves, in a file that has other faults.

    No balance can be told then. Accounts and facilities stand in by their ids, and what rests on something that
    could not be read isn't blamed for it.
    """
    if rows.treasury is None or not rows.treasury.has("opened", "timezone"):
        return
    sound = [row for row in rows.movements if row.is_sound and ("kind" in row.raw) != ("reverses" in row.raw)]
    read = {row.path for row in sound}
    unread = {str(row.raw.get("ref")) for row in rows.movements if row.path not in read}
    in_order = sorted(sound, key=lambda row: row.data.at)
    stand_in = _stand_in(rows, in_order)
    guessed = {
        "account": len(stand_in.accounts) < len(rows.accounts),
        "facility": len(stand_in.facilities) < len(rows.facilities),
    }
    guessed["to"] = guessed["account"]
    for fault in movement_faults(stand_in).faults:
        raw = in_order[fault.index].raw
        if not guessed.get(fault.key) and (fault.key not in ("of", "reverses") or raw.get(fault.key) not in unread):
            _add(fault, in_order, faults)


def _stand_in(rows: FileRows, movements: Sequence[Row[MovementTable]]) -> Treasury:
    treasury = rows.treasury
    if treasury is None:
        raise AssertionError("asked for a stand-in without a treasury")
    opened, zone = treasury.data.opened, treasury.data.timezone
    facilities = [one.row for one in rows.facilities if one.row.has("id")]
    return Treasury(
        name="",
        zone=zone,
        production_zone=zone,
        opened=opened,
        accounts=tuple(
            Account(row.data.id, holds=row.data.holds) for row in rows.accounts if row.has("id") and row.sound("holds")
        ),
        facilities=tuple(
            Facility(
                id=row.data.id,
                lender="",
                principal=0,
                drawn=row.data.drawn if row.has("drawn") else FIRST_DAY,
                zone=row.data.accrual_timezone or zone,
                versions=(),
                group=row.data.group,
            )
            for row in facilities
        ),
        groups=tuple(Group(one.row.data.id, one.row.data.test) for one in rows.groups if one.row.has("id", "test")),
        movements=tuple(movement_of(row.data) for row in movements),
    )
