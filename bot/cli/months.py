"""`production`: what was mined and sold, and how a month rolls forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import At, Json, instant
from bot.cli.holdings_ltv import heading, open_book, say_restated
from bot.services.errors import UsageError

if TYPE_CHECKING:
    from bot.domain.book import Book
    from bot.domain.report import Report, Sale


def register(app: typer.Typer) -> None:
    app.command()(production)


def production(
    month: Annotated[
        str, typer.Argument(metavar="MONTH", help="As 2026-01, or ytd for the year to date; default this month.")
    ] = "",
    at: At = None,
    json: Json = False,
) -> None:
    """Coins mined and sold by month, against plan and statement.

    By site, by sale and by day; how the month rolls forward, and what there is to say of it.
    """
    book = open_book(instant(at), None)
    from bot.domain.report import months_asked

    try:
        months = months_asked(book, month.strip().lower())
    except ValueError as error:
        raise UsageError(str(error)) from None
    if json:
        from bot.domain.answers import production_document

        output.print_json(production_document(book, months))
    else:
        _print_production(book, months)


def _print_production(book: Book, months: list[str]) -> None:
    from bot.domain.production_checks import found_lines
    from bot.domain.production_words import lines, summary
    from bot.domain.report import month_report, report
    from bot.domain.restated import late_for_months

    total = report(book, months)
    out = output.Page()
    out.print(output.bold(heading(book)))
    out.print()
    out.print(output.bold(f"{summary(total)} (days of {book.treasury.production_zone.key})"))
    for month in months:
        for level, line in found_lines(book, month_report(book, month)):
            out.hanging("  ", line, output.style(level))
    for line in lines(book, total):
        out.paragraph(line)
    if len(months) > 1:
        _print_months(out, [month_report(book, month) for month in months])
    _print_places(out, total)
    _print_sales(out, total.sales)
    say_restated(out, book, late_for_months(book, months))


def _print_months(out: output.Page, reports: list[Report]) -> None:
    from bot.domain.money import show_btc
    from bot.domain.production_words import signed_btc

    columns = ("Month", "Opening", "Mined", "Sold", "Other", "Closing", "Gap")
    shown = output.table(*columns, right=columns[1:])
    for one in reports:
        gap = one.month.gap
        moved = (one.opening, one.mined, one.sold, one.other, one.closing)
        last = output.NOTHING if gap is None else signed_btc(gap) if gap else show_btc(0)
        shown.add_row(one.month.month, *(show_btc(amount) for amount in moved), last)
    out.print()
    out.table(shown)


def _print_places(out: output.Page, total: Report) -> None:
    from bot.domain.money import percent_plain, show_btc, show_percent
    from bot.domain.report import share

    if not total.names_places:
        return
    shown = output.table("Mined at", "BTC", "Share", right=("BTC", "Share"), names=("Mined at",))
    for one in total.mined_at:
        part = share(one, total)
        shown.add_row(
            one.place, show_btc(one.btc), show_percent(percent_plain(part)) if part is not None else output.NOTHING
        )
    out.print()
    out.table(shown)


def _print_sales(out: output.Page, sales: tuple[Sale, ...]) -> None:
    from bot.domain.money import show_btc, show_usd

    if not sales:
        return
    right = ("BTC", "Received", "Price", "After fees")
    shown = output.table("Sale", "Venue", *right, right=right, names=("Sale", "Venue"))
    for sale in sales:
        price = show_usd(sale.price) if sale.price is not None else output.NOTHING
        net = show_usd(sale.net_price) if sale.net_price is not None else output.NOTHING
        shown.add_row(sale.name, sale.venue or output.NOTHING, show_btc(sale.btc), show_usd(sale.usd), price, net)
    out.print()
    out.table(shown)
