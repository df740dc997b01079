"""Questions people ask: each opens one Book in one reading transaction and touches nothing else."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from bot.domain.book import Book
from bot.domain.history import as_known, sampled
from bot.domain.price_history import PriceHistory
from bot.services.books import Books, Scenario
from bot.services.ports import Clock, Reading, ReadsPast


class Questions:
    """Answers from the database alone: no network, no Slack settings."""

    def __init__(self, store: Reading[ReadsPast], books: Books, clock: Clock) -> None:
        self._store = store
        self._books = books
        self._clock = clock

    def history(self, at: datetime | None = None) -> list[Book]:
        """The Book at every midnight of the last weeks, at each day's lowest price and at `at` (default now), each by
        the price as known then."""
        with self._store.reading() as tx:
            last = self._books.open(tx, at or self._clock.now())
            midnights = sampled(last.treasury, last.at)
            lows = [tx.lowest_between(since, until) for since, until in pairwise(midnights)]
            instants = sorted({*midnights, *(low for low in lows if low is not None)})
            views = [as_known(self._books.price_at(tx, instant)) for instant in instants]
        return [Book(last.register, instant, view) for instant, view in zip(instants, views, strict=True)]

    def book(self, scenario: Scenario | None = None, at: datetime | None = None) -> Book:
        """The Book at `at` (default now), by `scenario` where one is asked about.

        Of a given instant it has what was recorded late; of now nothing can have been, and nothing is looked for.
        """
        with self._store.reading() as tx:
            return self._opened(tx, scenario, at)

    def book_and_prices(
        self, scenario: Scenario | None = None, at: datetime | None = None
    ) -> tuple[Book, PriceHistory]:
        """The same, and the price history up to its instant."""
        with self._store.reading() as tx:
            book = self._opened(tx, scenario, at)
            return book, tx.price_history(book.at)

    def _opened(self, tx: ReadsPast, scenario: Scenario | None, at: datetime | None) -> Book:
        if at is None:
            return self._books.open(tx, self._clock.now(), scenario)
        return self._books.open_past(tx, at, scenario)
