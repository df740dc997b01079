"""`audit verify` and `audit export`: whether the audit log is whole, and all of it for a spreadsheet."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import output
from bot.cli.common import FailedError, Json, day, load, store_to_read
from bot.services.errors import UsageError

if TYPE_CHECKING:
    from bot.domain.audit import Verdict

COLUMNS = ("number", "at", "actor", "what", "about", "detail", "before", "hash")
_FORMULA = frozenset("=+-@＝＋－＠")
_APOSTROPHE = "'"

audit = typer.Typer(help="Hold the audit log against its own hashes, or print it.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(audit, name="audit")


@audit.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", help="An entry's hash, as noted elsewhere, that must be in it."),
    ] = None,
    json: Json = False,
) -> None:
    """Say whether every entry is there as it was written, or which is the first that is not."""
    settings = load()
    from bot.domain.audit import verify as verified

    noted = _hash(head)
    with store_to_read(settings) as store, store.reading() as tx:
        verdict = verified(tx.audit_rows(), noted)
    if json:
        output.print_json(_document(verdict))
        raise typer.Exit(1 if verdict.fault else 0)
    if verdict.fault:
        raise FailedError(f"{verdict.fault.text}{_before(verdict)}")
    typer.echo(_unbroken(verdict))


@audit.command()
def export(
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="From this day on, 00:00.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Until this day, 00:00.")] = None,
) -> None:
    """Print the audit log as CSV, the oldest entry first.

    Days are the treasury's. A cell that a spreadsheet might take for a formula begins with an apostrophe.
    """
    settings = load()
    from zoneinfo import ZoneInfo

    with store_to_read(settings) as store, store.reading() as tx:
        treasury = tx.treasury()
        zone = treasury.zone if treasury else ZoneInfo("UTC")
        begin, end = day("--from", since, zone), day("--to", until, zone)
        if begin and end and begin >= end:
            raise UsageError(f"--from {since} is not before --to {until}")
        rows = csv.writer(sys.stdout)
        rows.writerow(COLUMNS)
        for row in tx.audit_rows(begin, end):
            rows.writerow([cell(str(getattr(row, name))) for name in COLUMNS])


def cell(text: str) -> str:
    """`text` as no spreadsheet evaluates it: with an apostrophe first, where it could be a formula or has one first.

    So nothing is lost: whoever drops one apostrophe from the cells that begin with one has the log to the letter.
    """
    first = text.lstrip()[:1]
    return f"{_APOSTROPHE}{text}" if first in _FORMULA or text.startswith(_APOSTROPHE) else text


def _hash(text: str | None) -> str | None:
    """What `--head` gives, in lower case. UsageError where it is no hash, or too little of one."""
    if text is None:
        return None
    from bot.domain.audit import SHORTEST_HEAD

    digits = text.strip().lower()
    if not SHORTEST_HEAD <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise UsageError(
            f"--head “{text}” is no hash of an entry; write its 64 hexadecimal digits, or the first {SHORTEST_HEAD} or "
            "more of them, as plimsoll audit verify prints them"
        )
    return digits


def _unbroken(verdict: Verdict) -> str:
    if verdict.head is None:
        return "No entries yet"
    entries = "1 entry" if verdict.entries == 1 else f"{verdict.entries:,} entries"
    named = f"; --head is entry {verdict.named:,}" if verdict.named else ""
    return f"{entries}, unbroken; head {verdict.head.hash} (number {verdict.head.number:,}){named}"


def _before(verdict: Verdict) -> str:
    """What can be relied on all the same."""
    if verdict.head is None:
        return ""
    last = verdict.head.number
    return f" Entries 1 to {last:,} are unbroken." if last > 1 else " Entry 1 is unbroken."


def _document(verdict: Verdict) -> dict[str, Any]:
    head, fault = verdict.head, verdict.fault
    return {
        "unbroken": fault is None,
        "entries": verdict.entries,
        "head": {"number": head.number, "hash": head.hash} if head else None,
        "named": verdict.named,
        "fault": {"number": fault.number, "how": fault.how.value, "text": fault.text} if fault else None,
    }
