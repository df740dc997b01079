"""`import` and `replay`: a treasury file in, and what it would have meant over a price history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import FailedError, day, is_new, load, read_text, store_to_read, store_to_write, who
from bot.cli.pictures import format_of, save
from bot.services.errors import NothingImportedError, RefusedError, UsageError

if TYPE_CHECKING:
    from bot.domain.merge import Merge
    from bot.domain.replay import ReplayLine
    from bot.domain.treasury import Treasury
    from bot.settings import Settings
    from bot.treasury_file import TreasuryFile

MOST_LINES = 50
_FILE = "A treasury file (TOML), or rows to add to one (.csv)."


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(replay)


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
            lines = import_file(store, _read, file.name, text, clock=SystemClock(), by=who(), tried=tried, audit=audit)
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
    return try_file(before, _read, name, text)


def _read(name: str, text: str, known: Treasury | None = None) -> TreasuryFile:
    """A treasury file, on top of what is recorded; RefusedError with every fault of it."""
    from bot.treasury_file import TreasuryFileError, read_file

    try:
        return read_file(name, text, known)
    except TreasuryFileError as error:
        raise RefusedError(list(error.faults)) from None


def replay(
    prices: Annotated[
        Path, typer.Option("--prices", metavar="CSV", help="A price history (CSV or CSV.gz).", show_default=False)
    ],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A treasury file, not the database.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="From this day on, 00:00.")] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="DATE", help="Until this day, 00:00; the last price stands until then, a year at most."
        ),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Also draw the LTVs, as PNG or SVG.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, and nothing else.")] = False,
) -> None:
    """Run the checks over a price history. Writes to no database."""
    from bot.domain.replay import replay as replayed

    fmt = format_of(chart) if chart is not None else ""
    settings = load()
    treasury = _whole(file) if file is not None else _recorded(settings)
    zone = treasury.zone
    begin, end = day("--from", since, zone), day("--to", until, zone)
    if begin and end and begin >= end:
        raise UsageError(f"--from {since} is not before --to {until}")
    history = read_history(prices)
    first = max(begin or treasury.opened, treasury.opened)
    used = [at for at, _ in history if at >= first and (end is None or at < end)]
    if not used:
        raise FailedError(_no_prices(treasury, history, begin))
    lines: Iterable[ReplayLine] = replayed(treasury, history, begin, end, settings.alert_policy())
    if chart is not None:
        lines = told = list(lines)
        standing = [(at, price) for at, price in history if at >= first and (end is None or at < end)]
        save(chart, _picture(treasury, standing, told, fmt))
    if json:
        for line in lines:
            output.print_json_line(line.document())
        return
    _print(treasury, list(lines), used)


def _picture(treasury: Treasury, prices: list[tuple[datetime, int]], lines: list[ReplayLine], fmt: str) -> bytes:
    """LTVs over the prices replayed, with the instants at which an alert opened or got worse."""
    from bot.charts import ltv_picture
    from bot.domain.book import Register
    from bot.domain.history import at_prices, ltv_histories, thinned

    books = at_prices(Register.of(treasury), thinned(prices))
    loud = [line for line in lines if line.transition in ("opened", "worse") and line.key.startswith("covenant:")]
    marks = [(line.at, line.tier or line.level) for line in loud]
    return ltv_picture(ltv_histories(books), treasury.zone, fmt, marks)


def _whole(file: Path) -> Treasury:
    """The treasury of a file that says all of it."""
    from bot.treasury_file import is_csv

    if is_csv(file.name):
        raise UsageError(f"{file}: a CSV file only adds to a treasury; name a treasury file (TOML)")
    return _read(file.name, read_text(file)).treasury


def _recorded(settings: Settings) -> Treasury:
    with store_to_read(settings) as store, store.reading() as tx:
        treasury = tx.treasury()
    if treasury is None:
        raise NothingImportedError
    return treasury


def read_history(path: Path) -> list[tuple[datetime, int]]:
    """A file of prices: instants and cents per BTC, in order. UsageError, in one line, where it is none."""
    from bot.prices.files import read_prices

    if path.is_dir():
        raise UsageError(f"{path}: is a directory; name a file in it")
    try:
        return read_prices(path)
    except ValueError as error:
        raise UsageError(" ".join(str(error).split())) from None


def _print(treasury: Treasury, lines: list[ReplayLine], used: list[datetime]) -> None:
    from bot.domain.words import plain_text

    out = output.Page()
    span = f"{output.local(used[0], treasury.zone)} to {output.local(used[-1], treasury.zone)}"
    out.print(output.bold(f"{treasury.name}, {len(used):,} prices, {span}"))
    out.print()
    if not lines:
        out.print("No alert would have come.")
        return
    shown = output.table("when", "key", "change", "level", "line", "price", "ltv", **_SIDES, headed=False)
    for line in lines:
        shown.add_row(*_row(treasury, line), style=output.style(line.level))
    for line, row in zip(lines, shown.rows_within(out.width), strict=True):
        out.lines(row)
        out.paragraph(plain_text(line.message.headline), indent=4)


_SIDES = {"right": ("price", "ltv"), "names": ("key", "line")}


def _row(treasury: Treasury, line: ReplayLine) -> tuple[str, ...]:
    from bot.domain.money import show_percent, show_usd

    when = line.at.astimezone(treasury.zone)
    return (
        f"{when:%Y-%m-%d %H:%M:%S}",
        line.key,
        line.transition,
        line.level,
        line.tier or output.NOTHING,
        show_usd(line.price),
        show_percent(line.ltv) if line.ltv is not None else output.NOTHING,
    )


def _no_prices(treasury: Treasury, history: list[tuple[datetime, int]], begin: datetime | None) -> str:
    if not history:
        return "The price history is empty"
    last = history[-1][0]
    if begin is None and last < treasury.opened:
        opened = output.local(treasury.opened, treasury.zone)
        return f"The price history ends before the treasury opened ({opened}): there is nothing to replay"
    return "The price history has no price in that time: there is nothing to replay"
