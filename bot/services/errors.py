"""Errors by the reaction they need. Anything else is a bug and is not caught."""

from __future__ import annotations

from collections.abc import Sequence


class PlimsollError(Exception):
    """One clear line for a person: what is wrong and what would be right."""


class UsageError(PlimsollError):
    """Asked wrongly: exit 2, or an ephemeral usage line."""


class NothingImportedError(PlimsollError):
    """There is no treasury yet: exit 1."""

    def __init__(self) -> None:
        super().__init__("Nothing imported yet: plimsoll import FILE")


class RefusedError(PlimsollError):
    """A change that may not be made; `lines` say why, one a fault. Nothing was written: exit 2."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class FactRefusedError(PlimsollError):
    """A fact that may not be recorded: which field is wrong, and what would be right."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        super().__init__(" ".join(text for _, text in found))
        self.faults = tuple(found)
