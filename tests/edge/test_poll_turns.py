"""However many workers there are, a slot is polled once: a jump that must be confirmed is so a whole slot later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from bot.domain.quotes import PricePolicy, Tick
from bot.domain.slots import Claim, Slot
from bot.prices.feed import PriceFeed
from bot.prices.registry import DEFAULT_SOURCES, parse_sources
from bot.prices.simulated import SimulatedVenues
from bot.services.checking import poll_price
from bot.services.turns import AFTER_FAILURE, LEASE, PutOffError, Turn, Turns
from bot.store import tables
from bot.store.columns import table_of
from bot.store.engine import open_engine
from bot.store.store import Store

EVERY = timedelta(seconds=30)
WHEN = datetime(2026, 2, 5, 12, tzinfo=UTC)


class Market:
    """Time and price, for all workers and the database; `asked` counts the requests."""

    def __init__(self) -> None:
        self.at = WHEN
        self.price = 6_850_000
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.at


class Worker:
    """One process's share: its own turns and feed, over the same database."""

    def __init__(self, store: Store, market: Market, name: str) -> None:
        self.store, self.market = store, market
        self.heard: list[tuple[str, str]] = []
        self.late: list[float] = []
        self.turns = Turns(
            store,
            market,
            name,
            tell=lambda job, turn: self.heard.append((job, turn.value)),
            tell_late=lambda _, seconds: self.late.append(seconds),
        )
        venues = SimulatedVenues(lambda _: market.price, market)

        def answer(request: httpx.Request) -> httpx.Response:
            market.asked += 1
            if "coinbase" in request.url.host:
                market.meanwhile()
            return venues.handle_request(request)

        client = httpx.Client(transport=httpx.MockTransport(answer))
        self.feed = PriceFeed(parse_sources(DEFAULT_SOURCES), client, market)

    def turn(self) -> Turn:
        return self.turns.take("poll_and_check", EVERY, self.poll)

    def poll(self, claim: Claim) -> None:
        poll_price(self.store, self.feed, PricePolicy(), self.market, claim)


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def store(database_url: str, market: Market) -> Iterator[Store]:
    """A store whose database's time is the market's."""
    opened = Store(open_engine(database_url), market.now)
    yield opened
    opened.close()


@pytest.fixture
def workers(store: Store, market: Market) -> Iterator[list[Worker]]:
    made = [Worker(store, market, name) for name in ("first", "second")]
    yield made
    for one in made:
        one.feed.close()


def ticks(store: Store) -> list[Tick]:
    with store.reading() as tx:
        documents = tx._connection.scalars(select(table_of(tables.PriceTick).c.document).order_by("at"))
        return [Tick.from_json(document) for document in documents]


def test_a_second_worker_does_not_confirm_a_wick_a_moment_later(
    store: Store, market: Market, workers: list[Worker]
) -> None:
    assert [one.turn() for one in workers] == [Turn.DONE, Turn.ALREADY]
    market.at += EVERY
    market.price = 5_480_000
    assert workers[1].turn() is Turn.DONE
    market.at += timedelta(milliseconds=117)
    assert workers[0].turn() is Turn.ALREADY
    assert [(tick.price, tick.pending) for tick in ticks(store)[1:]] == [(6_850_000, 5_480_000)]
    market.at += EVERY
    market.price = 6_850_000
    assert workers[0].turn() is Turn.DONE
    assert [(tick.price, tick.pending) for tick in ticks(store)[2:]] == [(6_850_000, None)]


def test_while_one_is_at_it_the_other_leaves_it_alone(store: Store, market: Market, workers: list[Worker]) -> None:
    seen: list[Turn] = []
    market.meanwhile = lambda: seen.append(workers[1].turn())
    assert workers[0].turn() is Turn.DONE
    assert seen == [Turn.BUSY]
    assert len(ticks(store)) == 1


def test_the_late_poll_of_a_frozen_worker_is_dropped(store: Store, market: Market, workers: list[Worker]) -> None:
    def freeze() -> None:
        market.meanwhile = lambda: None
        market.at += LEASE - timedelta(seconds=1)
        market.price = 7_000_000
        market.at += timedelta(seconds=1)
        assert workers[1].turn() is Turn.DONE

    market.meanwhile = freeze
    assert workers[0].turn() is Turn.LOST
    assert [tick.price for tick in ticks(store)] == [7_000_000]
    assert workers[0].heard == [("poll_and_check", "lost")]


def test_who_slept_past_the_next_slot_does_not_bring_its_older_price_after_the_newer_one(
    store: Store, market: Market, workers: list[Worker]
) -> None:
    def freeze() -> None:
        market.meanwhile = lambda: None
        market.at += timedelta(seconds=6)  # the lease goes on, but the slot after is due
        market.price = 7_000_000
        assert workers[1].turn() is Turn.DONE

    market.at += timedelta(seconds=25)
    market.meanwhile = freeze
    assert workers[0].turn() is Turn.LOST
    assert [tick.price for tick in ticks(store)] == [7_000_000]
    market.at += EVERY
    assert workers[0].turn() is Turn.DONE


def test_a_clock_that_was_ahead_keeps_nobody_from_polling(store: Store, market: Market, workers: list[Worker]) -> None:
    market.at += timedelta(hours=1)
    assert workers[1].turn() is Turn.DONE
    market.at -= timedelta(hours=1)
    assert workers[0].turn() is Turn.DONE
    assert len(ticks(store)) == 2


def test_a_poll_whose_lease_is_over_is_dropped_even_where_nobody_took_over(
    store: Store, market: Market, workers: list[Worker]
) -> None:
    def freeze() -> None:
        market.at += LEASE

    market.meanwhile = freeze
    assert workers[0].turn() is Turn.LOST
    assert ticks(store) == []


def test_a_slot_whose_worker_died_after_the_poll_is_finished_without_another(
    store: Store, market: Market, workers: list[Worker]
) -> None:
    every = timedelta(minutes=10)
    with store.sharing() as tx:
        claim = tx.claim_slot(Slot("poll_and_check", WHEN), "the dead", LEASE)
    assert claim is not None
    workers[0].poll(claim)
    asked, market.at = market.asked, market.at + LEASE - timedelta(seconds=1)
    assert workers[1].turns.take("poll_and_check", every, workers[1].poll) is Turn.BUSY
    market.at += timedelta(seconds=1)
    assert workers[1].turns.take("poll_and_check", every, workers[1].poll) is Turn.DONE
    assert (len(ticks(store)), market.asked) == (1, asked)


def test_a_slot_that_failed_is_tried_again_after_a_moment(market: Market, workers: list[Worker]) -> None:
    def fail(_: Claim) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workers[0].turns.take("poll_and_check", EVERY, fail)
    assert [one.turn() for one in workers] == [Turn.BUSY, Turn.BUSY]
    market.at += AFTER_FAILURE
    assert [one.turn() for one in workers] == [Turn.DONE, Turn.ALREADY]
    assert workers[0].heard == [("poll_and_check", "failed"), ("poll_and_check", "done")]
    assert workers[0].late == [0, AFTER_FAILURE.total_seconds()]


def test_what_is_put_off_is_no_failure_and_comes_again(market: Market, workers: list[Worker]) -> None:
    def not_now(_: Claim) -> None:
        raise PutOffError("not now")

    assert workers[0].turns.take("ping", EVERY, not_now) is Turn.PUT_OFF
    market.at += AFTER_FAILURE
    assert workers[1].turns.take("ping", EVERY, lambda _: None) is Turn.DONE


def test_of_the_slots_missed_while_nothing_ran_the_latest_runs(
    store: Store, market: Market, workers: list[Worker]
) -> None:
    days: list[str] = []
    day = timedelta(days=1)

    def work(claim: Claim) -> None:
        days.append(claim.slot.name)

    assert workers[0].turns.take("thin", day, work) is Turn.DONE
    market.at += 90 * day
    assert [one.turns.take("thin", day, work) for one in workers] == [Turn.DONE, Turn.ALREADY]
    assert days == ["2026-02-05T00:00:00Z", "2026-05-06T00:00:00Z"]
    assert workers[0].late[1] == 12 * 3600


def test_what_is_cut_short_by_a_stop_can_be_taken_at_once(store: Store, workers: list[Worker]) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def work(claim: Claim) -> None:
        begun.set()
        assert goes_on.wait(30)
        workers[0].poll(claim)

    became: list[Turn] = []
    thread = threading.Thread(target=lambda: became.append(workers[0].turns.take("poll_and_check", EVERY, work)))
    thread.start()
    try:
        assert begun.wait(30)
        assert workers[1].turn() is Turn.BUSY
        workers[0].turns.stop()
        workers[0].turns.let_go()
        assert workers[1].turn() is Turn.DONE
    finally:
        goes_on.set()
        thread.join(30)
    assert became == [Turn.LOST]
    assert len(ticks(store)) == 1
    assert workers[0].turns.take("thin", EVERY, lambda _: None) is Turn.BUSY
