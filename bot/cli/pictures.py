"""`chart`: the pictures, as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import At, FailedError, instant, load, store_to_read
from bot.services.errors import UsageError


class Chart(StrEnum):
    """What there is a picture of."""

    LTV = "ltv"
    PRODUCTION = "production"


def register(app: typer.Typer) -> None:
    app.command()(chart)


def chart(
    name: Annotated[Chart, typer.Argument(metavar="NAME", help="ltv or production.", show_default=False)],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to, as ltv.png or ltv.svg.", show_default=False)],
    at: At = None,
) -> None:
    """Draw LTVs over 12 weeks or coins by month, as PNG or SVG.

    What it shows is also said in words.
    """
    when = instant(at)
    fmt = format_of(file)
    settings = load()
    from bot.services.books import Books
    from bot.services.ports import SystemClock
    from bot.services.questions import Questions

    with store_to_read(settings) as store:
        books = Books(settings.alert_policy(), settings.price_policy())
        questions = Questions(store, books, SystemClock())
        if name is Chart.LTV:
            from bot.charts import ltv_picture
            from bot.domain.history import ltv_histories

            seen = questions.history(when)
            histories = ltv_histories(seen)
            drawn, said = ltv_picture(histories, seen[-1].treasury.zone, fmt), [one.words() for one in histories]
        else:
            from bot.charts import months_picture
            from bot.domain.history import month_coins

            months = month_coins(questions.book(at=when))
            drawn, said = months_picture(months, fmt), [one.words() for one in months]
    save(file, drawn)
    for line in said or ["No loan has a line to hold an LTV against."]:
        typer.echo(line)


def format_of(file: Path) -> str:
    """The kind of picture that a file's name asks for. UsageError, in one line, where it is none."""
    from bot.charts import FORMATS

    fmt = file.suffix.lower()
    if fmt not in FORMATS:
        raise UsageError(f"{file}: a picture is a file that ends in {' or '.join(FORMATS)}")
    if file.is_dir() or not file.parent.is_dir():
        raise UsageError(f"{file}: {'is a directory' if file.is_dir() else f'there is no directory {file.parent}'}")
    return fmt


def save(file: Path, drawn: bytes) -> None:
    """The whole picture or none of it."""
    from bot.charts import write_picture

    try:
        write_picture(file, drawn)
    except OSError as error:
        raise FailedError(f"{file}: cannot be written: {error.strerror or error}") from None
