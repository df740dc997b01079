"""One treasury file, read: a `Treasury`, or every fault of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.treasury import Treasury
from bot.treasury_file.build import build
from bot.treasury_file.check_links import check_file
from bot.treasury_file.check_movements import add_ledger_faults, add_movement_faults
from bot.treasury_file.check_terms import check_releases
from bot.treasury_file.csv_file import is_csv, parse_csv
from bot.treasury_file.faults import Fault, Faults, TreasuryFileError
from bot.treasury_file.places import TreasuryFile
from bot.treasury_file.rows import Parsed, read_rows
from bot.treasury_file.toml_file import BEGINS, TomlLayout, parse_toml

UTC = ZoneInfo("UTC")
_FIRST_A_TREASURY = "Nothing imported yet: plimsoll import FILE, a treasury file (TOML); {} only adds to one"
_NOTHING = Treasury("", UTC, UTC, datetime.min.replace(tzinfo=UTC))


def read_treasury(path_name: str, text: str, known: Treasury | None = None) -> Treasury:
    """The treasury that `text` says; `path_name` is how faults call the file.

    With `known`, what was recorded before, the file may be a part: what it names may be recorded, and what its tables
    leave out is as recorded. Its balances are then for the merge with `known` to judge; without, it is judged whole.
    TreasuryFileError: every fault, one line each, in file order.
    """
    return read_file(path_name, text, known).treasury


def read_file(path_name: str, text: str, known: Treasury | None = None) -> TreasuryFile:
    """As `read_treasury`, with the place of everything, to name what the register refuses.

    TOML, or CSV where `path_name` ends so: rows of one kind of table, always a part.
    """
    text = text.removeprefix("\ufeff")
    if not is_csv(path_name):
        return _read(path_name, parse_toml(path_name, text), known)
    if known is None:
        raise TreasuryFileError([_FIRST_A_TREASURY.format(path_name)])
    return _read(path_name, parse_csv(path_name, text, known), known)


def read_part(document: Mapping[str, Any], known: Treasury) -> Treasury | tuple[Fault, ...]:
    """What a part that nobody wrote as text says on top of what is `known`, or what is wrong with it and where.

    `document` is as tomllib gives one.
    """
    layout = TomlLayout("", document)
    try:
        return _read("", Parsed(document, layout, Faults("", layout)), known).treasury
    except TreasuryFileError as error:
        return error.found


def _read(path_name: str, parsed: Parsed, known: Treasury | None) -> TreasuryFile:
    """What is the same for every form of file: its tables, held against each other and against what is recorded."""
    faults = parsed.faults
    rows = read_rows(parsed)
    recorded = known or _NOTHING
    check_file(rows, recorded, faults)
    if rows.treasury is None and "treasury" not in parsed.document:
        faults.add((), f"[treasury] is missing; {BEGINS}")
    if faults or rows.treasury is None:
        add_movement_faults(rows, recorded, faults)
        raise TreasuryFileError(faults.in_order(), faults.placed)
    built = build(rows, rows.treasury.data, recorded)
    if known is None:
        add_ledger_faults(built, faults)
    else:
        check_releases(rows, built.treasury, known, faults)
        add_movement_faults(rows, known, faults)
    if faults:
        raise TreasuryFileError(faults.in_order(), faults.placed)
    return TreasuryFile(path_name, parsed.layout, rows, built.treasury)
