"""`sales --weekend`: what a fall would ask for while no wire leaves, and what to do before the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli import output

if TYPE_CHECKING:
    from bot.domain.book import Book


def print_weekend(book: Book, *, json: bool) -> None:
    """The next closed period of each bank calendar, as of the Book."""
    if json:
        from bot.domain.weekend_document import weekend_document

        output.print_json(weekend_document(book))
        return
    from bot.domain.weekend_words import weekend_told

    output.Page().told(weekend_told(book))
