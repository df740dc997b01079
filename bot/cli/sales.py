"""`sales`: the recommended sale at a scenario price with its alternatives, or how an amount is raised by a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import output
from bot.cli.common import At, AtPrice, Drop, Json, instant, scenario, sensible
from bot.cli.holdings_ltv import open_book, say_restated
from bot.cli.raising import print_raising
from bot.cli.weekend import print_weekend
from bot.services.errors import UsageError

if TYPE_CHECKING:
    from bot.domain.book import Book
    from bot.domain.sales.plan import Alternative, Answer
    from bot.domain.sales_rows import Row
    from bot.services.books import Scenario


def register(app: typer.Typer) -> None:
    app.command()(sales)


def sales(
    price: AtPrice = None,
    drop: Drop = None,
    amount: Annotated[
        str | None, typer.Option("--raise", metavar="USD", help="How to raise this much, as 38000000 or 38m.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="DATE", help="By this day, as 2026-03-01.")] = None,
    weekend: Annotated[
        bool, typer.Option("--weekend", help="What a fall would ask for while banks are closed, and what to do before.")
    ] = False,
    at: At = None,
    json: Json = False,
) -> None:
    """What to sell at a price, or to raise dollars, by which way.

    What would be at a call line at the scenario price ends at its cure target: which coins to sell or pledge, what to
    repay, what it costs, by when it is credited. Without --price or --drop: at the policy's withstand_drop; with
    --raise: at the last price, as a schedule by day.
    """
    what_if, wanted = scenario(price, drop), _wanted(amount, by)
    if weekend and (what_if is not None or wanted is not None):
        raise UsageError("--weekend has falls of its own; leave --price, --drop, --raise and --by out")
    book = open_book(instant(at), None)
    if weekend:
        print_weekend(book, json=json)
        return
    if wanted is not None:
        _raise(book, *wanted, what_if, json=json)
        return
    from bot.services.selling import recommended

    answer = recommended(book, what_if)
    if json:
        from bot.domain.sales_document import sales_document

        output.print_json(sales_document(book, answer, named=what_if is not None))
    else:
        _print(book, answer)


def _wanted(amount: str | None, by: str | None) -> tuple[int, date] | None:
    """Cents to raise, and by which day."""
    from bot.domain.money import MOST_USD, parse_typed_usd

    if amount is None and by is None:
        return None
    if amount is None or by is None:
        raise UsageError("--raise and --by belong together; write --raise 38m --by 2026-03-01")
    try:
        cents = parse_typed_usd(amount)
    except ValueError:
        cents = 0
    if not 0 < cents <= MOST_USD:
        raise UsageError(f"--raise “{amount}” is not an amount of dollars; write it as 38000000 or 38m")
    try:
        day = date.fromisoformat(by.strip())
    except ValueError:
        raise UsageError(f"--by “{by}” is no date; write it as 2026-03-01") from None
    return cents, sensible("--by", by, day)


def _raise(book: Book, usd: int, by: date, what_if: Scenario | None, *, json: bool) -> None:
    from bot.services.selling import to_raise

    found = to_raise(book, usd, by, what_if)
    if json:
        from bot.domain.raising_document import raising_document

        output.print_json(raising_document(book, found, named=what_if is not None))
    else:
        print_raising(book, found)


def _print(book: Book, answer: Answer) -> None:
    from bot.domain.restated import late_for_loans
    from bot.domain.sales_rows import by_need, rows
    from bot.domain.sales_words import heading, recommendation, steps
    from bot.domain.words import plain_text

    out = output.Page()
    when = output.local(book.at, book.treasury.zone)
    out.print(output.bold(f"{book.treasury.name}, {when}: {plain_text(heading(answer))}"))
    out.print()
    out.paragraph(plain_text(recommendation(book, answer)), indent=0)
    if answer.view.usable is None:
        out.print("Ask with --price, or see what the sources say: plimsoll doctor")
    best = answer.recommended
    if best is not None:
        _print_plan(out, steps(book, best), best)
        found = rows(book, answer)
        out.print()
        out.table(_table(found))
        _print_reasons(out, found)
        if len(answer.needs) > 1 and best.feasible:
            out.print()
            out.table(_needs_table(list(by_need(book, answer, best))))
    say_restated(out, book, late_for_loans(book))


def _print_plan(out: output.Page, todo: list[str], best: Alternative) -> None:
    from bot.domain.words import plain_text

    if todo:
        out.print()
    for number, step in enumerate(todo, 1):
        out.hanging(f"{number:3}. ", plain_text(step))
    if best.notes:
        out.print()
    for note in best.notes:
        out.paragraph(plain_text(note))


_COLUMNS = ("Sell free", "Sell pledged", "Pledge", "Repay", "Cost", "LTV", "Call line", "Coins left", "Credited")


def _table(found: list[Row]) -> output.Table:
    """A row a way; a column that says nothing of any is left out."""
    from bot.domain.words import plain_text

    told = []
    for row in found:
        coins, dollars = (row.sell_free, row.sell_pledged, row.top_up), (row.repay, row.cost)
        told.append([plain_text(one) for one in (*coins, *dollars, row.ltv, row.call, row.left, row.credited)])
    there = [n for n in range(len(_COLUMNS)) if any(cells[n] for cells in told)]
    columns = [_COLUMNS[n] for n in there]
    shown = output.table("", *columns, right=[title for title in columns if title != "Credited"], names=("",))
    for row, cells in zip(found, told, strict=True):
        shown.add_row(row.name, *(cells[n] or output.NOTHING for n in there))
    return shown


def _print_reasons(out: output.Page, found: list[Row]) -> None:
    from bot.domain.words import plain_text

    first = True
    for row in found:
        if row.why:
            if first:
                out.print()
                first = False
            out.paragraph(f"{row.name}: {plain_text(row.why)}", indent=0)


def _needs_table(found: list[tuple[str, ...]]) -> output.Table:
    from bot.domain.words import plain_text

    columns = ("LTV", "Then", "Call line then", "Repaid", "Settled by")
    shown = output.table("By facility", *columns, right=columns[:-1], names=("By facility",))
    for row in found:
        shown.add_row(*map(plain_text, row))
    return shown
