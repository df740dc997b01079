"""The movements of a file, held against the ledger and its rules; each fault at the row it was written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import TypeVar

from bot.domain.ledger import LedgerFault, ledger_faults
from bot.domain.ledger_rules import movement_faults
from bot.domain.periods import FIRST_DAY
from bot.domain.terms import Facility, Group
from bot.domain.treasury import Account, Movement, Treasury
from bot.treasury_file.build import Built, movement_of
from bot.treasury_file.check_calls import group_of
from bot.treasury_file.faults import Faults
from bot.treasury_file.rows import FileRows, Row
from bot.treasury_file.tables import MovementTable

T = TypeVar("T")

_Placed = tuple[Movement, Row[MovementTable] | None]
"""A movement with its row; None for one that was recorded before."""


def add_ledger_faults(built: Built, faults: Faults) -> None:
    """What is wrong with the movements of a whole file, balances included."""
    for fault in ledger_faults(built.treasury):
        _add(fault, built.movement_rows[fault.index], faults)


def add_movement_faults(rows: FileRows, known: Treasury, faults: Faults) -> None:
    """What is wrong with the movements by themselves, in a file that is a part or has other faults.

    No balance can be told then. Accounts and facilities stand in by their ids, beside those recorded, and what rests
    on something that could not be read isn't blamed for it. What was recorded isn't judged again.
    """
    if rows.treasury is None or not rows.treasury.has("opened", "timezone"):
        return
    sound = [row for row in rows.movements if row.is_sound and ("kind" in row.raw) != ("reverses" in row.raw)]
    read = {row.path for row in sound}
    unread = {str(row.raw.get("ref")) for row in rows.movements if row.path not in read} | rows.lost
    placed = sorted(chain(((one, None) for one in known.movements), _new(sound, known)), key=lambda one: one[0].at)
    stand_in = replace(_stand_in(rows, known), movements=tuple(map(itemgetter(0), placed)))
    guessed = {
        "account": not all(row.has("id") and row.sound("holds") for row in rows.accounts),
        "facility": not all(one.row.has("id") for one in rows.facilities),
    }
    guessed["to"] = guessed["account"]
    for fault in movement_faults(stand_in).faults:
        row = placed[fault.index][1]
        if row is None or guessed.get(fault.key):
            continue
        if fault.key not in ("of", "reverses") or row.raw.get(fault.key) not in unread:
            _add(fault, row, faults)


def _new(rows: list[Row[MovementTable]], known: Treasury) -> Iterator[_Placed]:
    """The movements of the file but for those that restate a recorded ref: whether they may is the merge's to say."""
    restated = {movement.ref for movement in known.movements}
    for row in rows:
        if row.data.ref in restated:
            restated.remove(row.data.ref)
        else:
            yield movement_of(row.data), row


def _add(fault: LedgerFault, row: Row[MovementTable], faults: Faults) -> None:
    end = "" if fault.text.endswith((".", "?")) else "."
    faults.key(row.path, fault.key, f"{fault.text}{end}")


def _stand_in(rows: FileRows, known: Treasury) -> Treasury:
    """Enough of a treasury to judge movements by, from the rows that can be read and from what is recorded."""
    treasury = rows.treasury
    if treasury is None:
        raise AssertionError("asked for a stand-in without a treasury")
    zone = treasury.data.timezone
    accounts = {
        row.data.id: Account(row.data.id, holds=row.data.holds)
        for row in rows.accounts
        if row.has("id") and row.sound("holds")
    }
    facilities = {
        row.data.id: Facility(
            id=row.data.id,
            lender="",
            principal=0,
            drawn=row.data.drawn if row.has("drawn") else FIRST_DAY,
            zone=row.data.accrual_timezone or zone,
            versions=(),
            group=group_of(row, known),
        )
        for row in (one.row for one in rows.facilities)
        if row.has("id")
    }
    groups = {
        one.row.data.id: Group(one.row.data.id, one.row.data.test) for one in rows.groups if one.row.has("id", "test")
    }
    return Treasury(
        name="",
        zone=zone,
        production_zone=zone,
        opened=treasury.data.opened,
        accounts=_beside(accounts, known.account_by_id),
        facilities=_beside(facilities, known.facility_by_id),
        groups=_beside(groups, known.group_by_id),
    )


def _beside(written: Mapping[str, T], recorded: Mapping[str, T]) -> tuple[T, ...]:
    """What is recorded, as it is, then what the file adds."""
    return tuple({**written, **recorded}.values())
