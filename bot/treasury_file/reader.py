"""One treasury file, read: a `Treasury`, or every fault of it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.treasury import Treasury
from bot.treasury_file.build import build
from bot.treasury_file.check_links import check_file
from bot.treasury_file.check_movements import add_ledger_faults, add_movement_faults
from bot.treasury_file.check_terms import check_releases
from bot.treasury_file.faults import Faults, TreasuryFileError
from bot.treasury_file.places import TreasuryFile
from bot.treasury_file.rows import read_rows
from bot.treasury_file.values import Float

UTC = ZoneInfo("UTC")
_BEGINS = "a treasury file begins with [treasury] and its name, timezone and opened."


_NOTHING = Treasury("", UTC, UTC, datetime.min.replace(tzinfo=UTC))


def read_treasury(path_name: str, text: str, known: Treasury | None = None) -> Treasury:
    """The treasury that `text` says; `path_name` is how faults call the file.

    With `known`, what was recorded before, the file may be a part: what it names may be recorded, and what its tables
    leave out is as recorded. Its balances are then for the merge with `known` to judge; without, it is judged whole.
    TreasuryFileError: every fault, one line each, in file order.
    """
    return read_file(path_name, text, known).treasury


def read_file(path_name: str, text: str, known: Treasury | None = None) -> TreasuryFile:
    """As `read_treasury`, with the place of everything, to name what the register refuses."""
    text = text.removeprefix("\ufeff")
    document = _parse(path_name, text)
    faults = Faults(path_name, text, document)
    rows = read_rows(document, faults)
    recorded = known or _NOTHING
    check_file(rows, recorded, faults)
    if rows.treasury is None and "treasury" not in document:
        faults.add((), f"[treasury] is missing; {_BEGINS}")
    if faults or rows.treasury is None:
        add_movement_faults(rows, recorded, faults)
        raise TreasuryFileError(faults.in_order())
    built = build(rows, rows.treasury.data, recorded)
    if known is None:
        add_ledger_faults(built, faults)
    else:
        check_releases(rows, built.treasury, known, faults)
        add_movement_faults(rows, known, faults)
    if faults:
        raise TreasuryFileError(faults.in_order())
    return TreasuryFile(path_name, text, document, rows, built.treasury)


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
    return f"{place}: not valid TOML: {_twice(what, place, text) or f'{what[:1].lower()}{what[1:]}.'}"


_WRITTEN = re.compile(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")
_DECLARED = re.compile(r"Cannot declare \((.*?),?\) twice")


def _twice(what: str, place: str, text: str) -> str | None:
    """What is written twice, by its name; None where something else is wrong."""
    if table := _DECLARED.match(what):
        name = ".".join(part.strip().strip("'") for part in table[1].split(","))
        return f"[{name}] is written twice; keep one of them."
    if what == "Cannot overwrite a value":
        line = int(place.removeprefix("line ").partition(",")[0])
        keys: list[str] = []
        for one in text.splitlines()[:line]:
            if one.lstrip().startswith("["):
                keys = []
            elif key := _WRITTEN.match(one):
                keys.append(re.sub(r"[\"'\s]", "", key[1]))
        twice = [key for key in keys if keys.count(key) > 1] or keys
        return f"“{twice[-1]}” is written twice in one table; keep one of them." if twice else None
    return None
