"""`/production`: what was mined and sold, how it rolls forward, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.book import Book
from bot.domain.production_checks import found_lines
from bot.domain.production_words import lines, places, sale_line, summary
from bot.domain.report import Report, Sale, month_report, report
from bot.slack.limits import Payload
from bot.slack.text import flat, rich
from bot.slack.views.ltv import price_line
from bot.slack.views.parts import context, payload, section, sections, shortened

MOST_LISTED = 25
LONGEST_LINE, ROOM = 250, 7_500
"""Characters of a line, and of all lines together as Slack counts them; a message may have about 9,000."""


def production(book: Book, months: Sequence[str]) -> Payload:
    """Some months in a row, with their sales and findings."""
    total = report(book, months)
    found = [line for month in months for _, line in found_lines(book, month_report(book, month))]
    said = [*found, *lines(book, total), *_months(book, months), *_sales(total.sales), *_places(total, 5)]
    return _answer(book, summary(total), said)


def sites(book: Book, months: Sequence[str]) -> Payload:
    """Where it was mined, all of it."""
    total = report(book, months)
    listed = _listed(total, MOST_LISTED * 4)
    return _answer(book, summary(total), ["Mined at:", *listed] if listed else ["Nothing was mined."])


def _answer(book: Book, first: str, said: list[str]) -> Payload:
    zone = f"Months and days of {book.treasury.production_zone.key}."
    said = list(_fitting(said))
    blocks = [section(f"*{rich(first)}*"), *sections("\n".join(said))]
    blocks += [context(f"{rich(zone)} {rich(price_line(book))}")]
    return payload(flat("\n".join([first, *said])), blocks)


def _fitting(said: Sequence[str]) -> Iterator[str]:
    """The lines that there is room for, from the first; those that there is none for are counted."""
    left = ROOM
    for number, line in enumerate(said):
        shown = line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
        left -= len(rich(shown)) + 1
        if left < 0:
            yield f"and {len(said) - number} more: plimsoll production lists them all"
            return
        yield shown


def _months(book: Book, months: Sequence[str]) -> list[str]:
    """Each month in a line, where there are several."""
    return [summary(month_report(book, month)) for month in months] if len(months) > 1 else []


def _sales(sales: Sequence[Sale]) -> list[str]:
    """Each order in a line, where there are several."""
    if len(sales) < 2:
        return []
    said = [f"• {sale_line(sale)}" for sale in sales]
    return shortened(said, MOST_LISTED, "plimsoll production lists them all")


def _places(total: Report, most: int) -> list[str]:
    """The first few, where any movement says its place."""
    if not total.names_places:
        return []
    return ["Mined at:", *_listed(total, most, "ask with “sites”")]


def _listed(total: Report, most: int, more: str = "") -> list[str]:
    return shortened([f"• {line}" for line in places(total)], most, more)
