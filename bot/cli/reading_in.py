"""`import`: a treasury file in. And how other commands read files: a treasury, a price history."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import is_new, load, read_text, store_to_read, store_to_write, who
from bot.services.errors import NothingImportedError, RefusedError, UsageError

if TYPE_CHECKING:
    from bot.domain.merge import Merge
    from bot.domain.treasury import Treasury
    from bot.settings import Settings
    from bot.treasury_file import TreasuryFile

MOST_LINES = 50
_FILE = "A treasury file (TOML), or rows to add to one (.csv)."


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_FILE, show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change and write nothing.")] = False,
) -> None:
    """Add what a treasury file says, all of it or nothing.

    The same file twice adds nothing. A CSV file has a header and one kind of row: movements, statements, cash costs,
    needs or lender's notices.
    """
    from bot.services.importing import import_file
    from bot.services.ports import SystemClock

    settings = load()
    text = read_text(file)
    tried = None
    if dry_run or is_new(settings):  # a file that is refused makes no database either
        tried = _try_import(settings, file.name, text)
    if dry_run and tried:
        lines = tried.lines
    else:
        with store_to_write(settings) as store:
            audit = settings.audit_channel
            lines = import_file(
                store, read_file, file.name, text, clock=SystemClock(), by=who(), tried=tried, audit=audit
            )
    for line in lines[:MOST_LINES] or ("Nothing new",):
        typer.echo(line)
    if len(lines) > MOST_LINES:
        typer.echo(f"… and {len(lines) - MOST_LINES:,} more")
    if dry_run and lines:
        typer.echo("Dry run: nothing was written")


def _try_import(settings: Settings, name: str, text: str) -> Merge:
    """What an import would say, read from the database as it is: not even an empty one is made."""
    from bot.services.importing import try_file

    try:
        with store_to_read(settings) as store, store.reading() as tx:
            before = tx.treasury()
    except NothingImportedError:
        before = None
    return try_file(before, read_file, name, text)


def read_file(name: str, text: str, known: Treasury | None = None) -> TreasuryFile:
    """A treasury file, on top of what is recorded; RefusedError with every fault of it."""
    from bot.treasury_file import TreasuryFileError
    from bot.treasury_file import read_file as read

    try:
        return read(name, text, known)
    except TreasuryFileError as error:
        raise RefusedError(list(error.faults)) from None


def read_history(path: Path) -> list[tuple[datetime, int]]:
    """A file of prices: instants and cents per BTC, in order. UsageError, in one line, where it is none."""
    from bot.prices.files import read_prices

    if path.is_dir():
        raise UsageError(f"{path}: is a directory; name a file in it")
    try:
        return read_prices(path)
    except ValueError as error:
        raise UsageError(" ".join(str(error).split())) from None
