"""How an amount is raised by a day, printed: the answer, the sales day by day, the runway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli import output
from bot.cli.holdings_ltv import say_restated

if TYPE_CHECKING:
    from bot.domain.book import Book
    from bot.domain.fund import Funding
    from bot.domain.raising import Raising


def print_raising(book: Book, found: Raising) -> None:
    """The whole answer, on stdout."""
    from bot.domain.raising_words import (
        expected_line,
        need_lines,
        raising_heading,
        raising_sentence,
        recorded_note,
        runway_lines,
    )
    from bot.domain.restated import late_for_loans

    out = output.Page()
    when = output.local(book.at, book.treasury.zone)
    out.print(output.bold(f"{book.treasury.name}, {when}: {raising_heading(found)}"))
    out.print()
    out.paragraph(raising_sentence(book, found), indent=0)
    if found.plan is None:
        out.print("Ask with --price, or see what the sources say: plimsoll doctor")
    for said in [recorded_note(found), *runway_lines(found)]:
        out.paragraph(said, indent=0)
    out.print()
    out.print(output.bold("To be paid"))
    for said in need_lines(found):
        out.paragraph(said)
    if found.plan is not None and found.plan.sales:
        out.print()
        out.table(_table(found.plan))
    out.print()
    out.paragraph(expected_line(book, found), indent=0)
    say_restated(out, book, late_for_loans(book))


_COLUMNS = ("Newly mined", "Free", "BTC", "After costs")


def _table(plan: Funding) -> output.Table:
    from bot.domain.money import show_btc, show_usd
    from bot.domain.raising_words import day_name

    shown = output.table("Sell on", *_COLUMNS, right=_COLUMNS, names=("Sell on",))
    for sale in plan.sales:
        coins = (show_btc(btc) if btc else output.NOTHING for btc in (sale.mined, sale.free, sale.btc))
        shown.add_row(day_name(sale.day), *coins, show_usd(sale.usd))
    shown.add_row("In all", *(show_btc(b) for b in (plan.mined, plan.free, plan.mined + plan.free)), show_usd(plan.usd))
    return shown
