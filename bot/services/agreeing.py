"""What is agreed anew with a lender, judged by the very rules of a treasury file before it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from bot.domain.agreed import Agreed, Amendment, Indexed, Waived, amendment_table, document_of, in_force
from bot.domain.terms import Facility, Terms
from bot.domain.treasury import Treasury
from bot.services.errors import FactRefusedError

ReadPart: TypeAlias = Callable[[Mapping[str, Any], Treasury], Treasury | tuple[tuple[tuple[str | int, ...], str], ...]]
"""Reads a part of a treasury file, as TOML gives it, on top of what is recorded; or what is wrong with it, each with
the path of its key."""


class Agreements:
    """Makes facts of what was filled in. FactRefusedError: by the keys of the file, a table's own after its number."""

    def __init__(self, read: ReadPart) -> None:
        self._read = read

    def amendment(self, treasury: Treasury, facility: Facility, effective: date, after: Terms) -> Amendment:
        """That `after` is in force from `effective` on, in which something must differ."""
        before = in_force(facility, effective)
        try:
            table = amendment_table(effective, before, after)
        except ValueError as error:
            raise FactRefusedError([("", f"{error}; give another.")]) from error
        return Amendment(self._said(treasury, facility, "amendment", table), effective, before)

    def waived(self, treasury: Treasury, facility: Facility, table: Mapping[str, Any]) -> Agreed:
        """A waiver with the `table` that a file has of it."""
        return Waived(self._said(treasury, facility, "waiver", table))

    def indexed(self, treasury: Treasury, facility: Facility, table: Mapping[str, Any]) -> Agreed:
        """A note of the lender's index with the `table` that a file has of it."""
        return Indexed(self._said(treasury, facility, "price_index", table))

    def _said(self, treasury: Treasury, facility: Facility, key: str, table: Mapping[str, Any]) -> Facility:
        document = document_of(treasury, facility, key, table)
        read = self._read(document, treasury)
        if isinstance(read, Treasury):
            return read.facilities[0]
        raise FactRefusedError([(_within(path), text) for path, text in read])


def _within(path: tuple[str | int, ...]) -> str:
    """The path of a key inside the one table that is new: “tier.1.cure_to”."""
    return ".".join(str(step) for step in path[4:])
