"""Price polls: the newest one as of an instant, and what is kept for ever."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from making import NOON
from sqlalchemy import select

from bot.domain.price import PriceState
from bot.domain.price_history import PriceHistory
from bot.domain.quotes import JudgedQuote, Tick, Verdict
from bot.store import tables
from bot.store.columns import table_of
from bot.store.store import Store

SECOND = timedelta(seconds=1)


def tick(at: datetime, state: PriceState = PriceState.FRESH, price: int | None = 6_850_000) -> Tick:
    return Tick(
        at=at,
        state=state,
        price=price,
        as_of=at - SECOND,
        sources=("kraken",),
        lowest_fresh=6_840_000,
        blind_polls=1,
        blind_since=at,
        quotes=(JudgedQuote("kraken", Verdict.USED, price=price, at=at, fetched_at=at, volume="1.50"),),
    )


def put(store: Store, *ticks: Tick) -> None:
    with store.writing() as tx:
        for one in ticks:
            tx.add_tick(one)


def kept(store: Store) -> list[datetime]:
    with store.reading() as tx:
        return list(tx._connection.scalars(select(table_of(tables.PriceTick).c.at).order_by("at")))


def test_the_newest_at_or_before_an_instant(store: Store) -> None:
    first, second = tick(NOON), tick(NOON + 30 * SECOND)
    put(store, second, first)
    with store.reading() as tx:
        assert tx.last_tick() == second
        assert tx.last_tick(NOON + 29 * SECOND) == first
        assert tx.last_tick(NOON) == first
        assert tx.last_tick(NOON - SECOND) is None


def test_of_two_polls_of_one_instant_the_first_stands(store: Store) -> None:
    with store.writing() as tx:
        assert tx.add_tick(tick(NOON))
        assert not tx.add_tick(tick(NOON, price=1))
        assert tx.last_tick() == tick(NOON)


def test_ninety_days_are_kept_whole_then_one_an_hour_and_the_last_of_each_day(store: Store) -> None:
    begins = datetime(2026, 2, 7, 22, 0, 10, tzinfo=UTC)
    polls = [begins + number * timedelta(minutes=20) for number in range(9)]  # 22:00:10 … 00:40:10
    put(store, *(tick(at) for at in polls))
    with store.writing() as tx:
        assert tx.thin_ticks(begins + timedelta(days=90)) == 0
        assert tx.thin_ticks(begins + timedelta(days=91)) == 4
        assert tx.thin_ticks(begins + timedelta(days=91)) == 0
    assert kept(store) == [polls[number] for number in (0, 3, 5, 6, 8)]


def test_a_price_is_kept_rather_than_the_lack_of_one(store: Store) -> None:
    blind, seen, later = tick(NOON, PriceState.DISPUTED), tick(NOON + SECOND), tick(NOON + timedelta(hours=1))
    put(store, blind, seen, later)
    with store.writing() as tx:
        tx.thin_ticks(NOON + timedelta(days=100))
    assert kept(store) == [seen.at, later.at]


def test_the_newest_of_the_recent_is_never_thinned(store: Store) -> None:
    now = NOON + timedelta(days=200)
    polls = [now - number * SECOND for number in range(5)]
    put(store, *(tick(at) for at in polls))
    with store.writing() as tx:
        assert tx.thin_ticks(now) == 0


def test_the_history_of_prices_is_that_of_its_accepted_polls_by_the_hour(store: Store) -> None:
    rng = random.Random(3)  # noqa: S311
    states = [*PriceState][:5]
    polls = [
        tick(NOON + timedelta(minutes=minute), rng.choice(states), rng.randrange(10**6, 10**7))
        for minute in sorted(rng.sample(range(60 * 40), 200))
    ]
    put(store, *polls)
    accepted = [(one.at, one.price) for one in polls if one.state in (PriceState.FRESH, PriceState.DEGRADED)]
    with store.reading() as tx:
        for until in (polls[-1].at, polls[99].at, polls[99].at - SECOND, NOON - SECOND):
            prices = [(at, price) for at, price in accepted if price is not None and at <= until]
            assert tx.price_history(until) == PriceHistory.of(prices)


def test_thinning_leaves_every_hour_its_first_price(store: Store) -> None:
    polls = [tick(NOON + number * timedelta(minutes=7), price=10**6 + number) for number in range(100)]
    put(store, tick(NOON - SECOND, PriceState.DISPUTED), *polls)
    with store.writing() as tx:
        before = tx.price_history(polls[-1].at)
        assert tx.thin_ticks(NOON + timedelta(days=100))
        after = tx.price_history(polls[-1].at)
    assert [(hour.number, hour.first) for hour in after.hours] == [(hour.number, hour.first) for hour in before.hours]
    assert after.points < before.points
