"""The answer of `/sales weekend`: how ready the treasury is for the next closed period of each bank calendar."""

from __future__ import annotations

from bot.domain.book import Book
from bot.domain.weekend_words import weekend_told
from bot.slack.limits import Payload
from bot.slack.views.digest import digest as view

WORD = "weekend"
"""What is typed after `/sales` for it."""


def weekend_answer(book: Book) -> Payload:
    """As of the Book; it wakes nobody."""
    return view(weekend_told(book))
