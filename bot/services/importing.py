"""Importing a treasury file: all of it or nothing, and the same file twice changes nothing."""

from __future__ import annotations

from datetime import datetime

from bot.domain.merge import merge
from bot.domain.treasury import Treasury
from bot.services.errors import RefusedError
from bot.services.ports import KeepsRegister, Writing


def import_treasury(
    store: Writing[KeepsRegister],
    treasury: Treasury,
    *,
    at: datetime,
    by: str,
    source: str,
    dry_run: bool = False,
) -> tuple[str, ...]:
    """Adds what `treasury`, read from `source`, says; returns a line for each thing that it adds or changes.

    RefusedError, a line for each reason, where something recorded would be overwritten or a balance turn negative;
    nothing is written then. With `dry_run` nothing is written either way.
    """
    with store.writing() as tx:
        merged = merge(tx.treasury(), treasury)
        if merged.refusals:
            raise RefusedError([f"{source}: {line}" for line in merged.refusals])
        if merged.lines and not dry_run:
            tx.apply(merged.treasury, at=at, by=by, source=source, lines=merged.lines)
    return merged.lines
