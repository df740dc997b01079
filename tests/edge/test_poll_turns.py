"""However many workers poll, a turn has one tick: a jump that must be confirmed is confirmed a whole turn later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from bot.domain.quotes import PricePolicy
from bot.prices.feed import PriceFeed
from bot.prices.registry import DEFAULT_SOURCES, parse_sources
from bot.prices.simulated import SimulatedVenues
from bot.services.checking import poll_price
from bot.store.store import Store

TURN = timedelta(seconds=30)


class Hand:
    def __init__(self) -> None:
        self.at = datetime(2026, 2, 5, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_a_second_worker_does_not_confirm_a_wick_a_moment_later(store: Store) -> None:
    clock, price = Hand(), [6_850_000]
    feeds = [
        PriceFeed(
            parse_sources(DEFAULT_SOURCES), httpx.Client(transport=SimulatedVenues(lambda _: price[0], clock)), clock
        )
        for _ in range(2)
    ]

    def polled(feed: PriceFeed) -> bool:
        return poll_price(store, feed, PricePolicy(), clock, TURN) is not None

    try:
        assert [polled(feed) for feed in feeds] == [True, False]
        clock.at += TURN
        price[0] = 5_480_000
        assert polled(feeds[1])
        clock.at += timedelta(milliseconds=117)
        assert not polled(feeds[0])
        with store.reading() as tx:
            tick = tx.last_tick()
        assert tick is not None
        assert (tick.price, tick.pending) == (6_850_000, 5_480_000)
        clock.at += TURN
        price[0] = 6_850_000
        assert polled(feeds[0])
        with store.reading() as tx:
            after = tx.last_tick()
        assert after is not None
        assert (after.price, after.pending) == (6_850_000, None)
    finally:
        for feed in feeds:
            feed.close()
