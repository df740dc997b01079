"""`risk`: how often the price has fallen as far as the next lines are, and what a model says of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import At, AtPrice, Drop, Json, Named, instant, scenario
from bot.cli.holdings_ltv import heading, known, open_book, open_book_and_prices
from bot.cli.reading_in import read_history

if TYPE_CHECKING:
    from bot.domain.price_history import PriceHistory
    from bot.domain.risk import ExposureRisk, Risk


def register(app: typer.Typer) -> None:
    app.command()(risk)


def risk(
    facility: Named = None,
    price: AtPrice = None,
    drop: Drop = None,
    prices: Annotated[
        Path | None,
        typer.Option(
            "--prices", metavar="CSV", help="Count in this price history (CSV or CSV.gz), not the stored one."
        ),
    ] = None,
    at: At = None,
    json: Json = False,
) -> None:
    """How often the price has fallen as far as each line ahead is.

    Within a day, the time for a cure, a week and a month; beside it the chance that a model gives it.
    """
    from bot.domain.answers import asked_about
    from bot.domain.risk import risk as judged

    asked, what_if = instant(at), scenario(price, drop)
    if prices is None:
        book, history = open_book_and_prices(asked, what_if)
    else:
        book = open_book(asked, what_if)
        history = _until(prices, book.at)
    known(book, facility)
    found = judged(book, history, asked_about(book, facility))
    if json:
        from bot.domain.risk_document import risk_document

        output.print_json(risk_document(found))
    else:
        _print(found)


def _until(file: Path, at: datetime) -> PriceHistory:
    """The prices of `file` that were known at `at`."""
    from bot.domain.price_history import PriceHistory

    return PriceHistory.of([(instant, price) for instant, price in read_history(file) if instant <= at])


def _print(found: Risk) -> None:
    from bot.domain.risk_words import explained, no_line

    out = output.Page()
    out.print(output.bold(heading(found.book)))
    for one in found.exposures:
        out.print()
        exposure = one.reading.exposure
        out.print(output.bold(f"{exposure.id} (group)" if exposure.is_group else exposure.id))
        if one.lines:
            out.table(_table(one))
        else:
            out.paragraph(f"{no_line(found, one).capitalize()}.")
    if not found.exposures:
        out.print()
        out.print("No facility is recorded.")
        return
    out.print()
    for said in explained(found):
        out.paragraph(said, indent=0)
    if found.book.price.usable is None:
        out.print()
        out.print(
            "Without a price headrooms are unknown. Ask with --price, or see what the sources say: plimsoll doctor"
        )


def _table(one: ExposureRisk) -> output.Table:
    """A row a window, the line beside its first."""
    from bot.domain.risk_words import counted, modelled, window_name
    from bot.domain.wording import line_place

    shown = output.table("Line ahead", *_COLUMNS, right=_COLUMNS[1:], names=("Line ahead",))
    for line in one.lines:
        place = line_place(line.tier)
        for window in line.windows:
            if window.hours is not None:
                shown.add_row(place, window_name(window), counted(window), modelled(window))
                place = ""
    return shown


_COLUMNS = ("Within", "Fell that far", "Model")
