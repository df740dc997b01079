"""`replay`: what would have been said over a price history; with `--policy`, what the policy would have come to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import FailedError, day, load, read_text, store_to_read
from bot.cli.pictures import format_of, save
from bot.cli.reading_in import read_file, read_history
from bot.services.errors import NothingImportedError, UsageError

if TYPE_CHECKING:
    from bot.domain.policy_replay import Comparison
    from bot.domain.replay import ReplayLine
    from bot.domain.treasury import Treasury
    from bot.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(replay)


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
    policy: Annotated[
        bool,
        typer.Option("--policy", help="Carry out each day's recommended sale, and compare it with doing nothing."),
    ] = False,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Also draw the LTVs, as PNG or SVG.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, and nothing else.")] = False,
) -> None:
    """Run the checks over a price history. Writes to no database.

    With --policy it says what was done in place of what was said: coins sold, cost, days at a call line, lenders' sales
    and coins at the end, by the policy and doing nothing. Recorded sales, repayments and pledges after --from are left
    out of both.
    """
    if policy and chart is not None:
        raise UsageError("--chart draws the LTVs as recorded, which --policy leaves; name one of them")
    fmt = format_of(chart) if chart is not None else ""
    settings = load()
    treasury = _whole(file) if file is not None else _recorded(settings)
    zone = treasury.zone
    begin, end = day("--from", since, zone), day("--to", until, zone)
    if begin and end and begin >= end:
        raise UsageError(f"--from {since} is not before --to {until}")
    history = read_history(prices)
    first = max(begin or treasury.opened, treasury.opened)
    used = [(at, price) for at, price in history if at >= first and (end is None or at < end)]
    if not used:
        raise FailedError(_no_prices(treasury, history, begin))
    if policy:
        _compare(settings, treasury, used, begin, end, json=json)
        return
    from bot.domain.replay import replay as replayed

    lines: Iterable[ReplayLine] = replayed(treasury, history, begin, end, settings.alert_policy())
    if chart is not None:
        lines = told = list(lines)
        save(chart, _picture(treasury, used, told, fmt))
    if json:
        for line in lines:
            output.print_json_line(line.document())
        return
    _print(treasury, list(lines), used)


def _compare(
    settings: Settings,
    treasury: Treasury,
    used: list[tuple[datetime, int]],
    begin: datetime | None,
    end: datetime | None,
    *,
    json: bool,
) -> None:
    from bot.domain.policy_replay import NoAccountError, policy_replay

    try:
        found = policy_replay(treasury, used, begin, end, settings.alert_policy())
    except NoAccountError as error:
        raise FailedError(f"{treasury.name}: {error}") from None
    if found is None:
        raise FailedError(_no_prices(treasury, used, begin))
    if json:
        for document in found.documents():
            output.print_json_line(document)
    else:
        _print_comparison(treasury, found, used)


def _print_comparison(treasury: Treasury, found: Comparison, used: list[tuple[datetime, int]]) -> None:
    from bot.domain.policy_replay.words import RUN_TITLES, act_row, explained, total_rows

    out = output.Page()
    out.print(output.bold(_heading(treasury, used)))
    out.print()
    shown = output.table("", *RUN_TITLES.values(), right=tuple(RUN_TITLES.values()))
    for row in total_rows(found):
        shown.add_row(*row)
    out.table(shown)
    for run in found.runs:
        out.print()
        out.print(output.bold(RUN_TITLES[run.name]))
        if not run.acts:
            out.print("Nothing was done, and nothing had to be.")
            continue
        acts = output.table("when", "what", "of", "btc", "usd", "price", right=("btc", "usd", "price"), names=("of",))
        for act in run.acts:
            acts.add_row(*act_row(act, treasury.zone))
        out.table(acts)
    out.print()
    for said in explained(treasury, found):
        out.paragraph(said, indent=0)


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
    return read_file(file.name, read_text(file)).treasury


def _recorded(settings: Settings) -> Treasury:
    with store_to_read(settings) as store, store.reading() as tx:
        treasury = tx.treasury()
    if treasury is None:
        raise NothingImportedError
    return treasury


def _heading(treasury: Treasury, used: list[tuple[datetime, int]]) -> str:
    span = f"{output.local(used[0][0], treasury.zone)} to {output.local(used[-1][0], treasury.zone)}"
    return f"{treasury.name}, {len(used):,} prices, {span}"


def _print(treasury: Treasury, lines: list[ReplayLine], used: list[tuple[datetime, int]]) -> None:
    from bot.domain.words import plain_text

    out = output.Page()
    out.print(output.bold(_heading(treasury, used)))
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
