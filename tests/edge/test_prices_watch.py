"""Poll after poll, as the bot watches: the real feed and parsers over four venues that misbehave together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.domain.price import PriceState
from bot.domain.quotes import PricePolicy, Tick, aggregate, view
from bot.prices.feed import PriceFeed
from bot.prices.registry import parse_sources
from bot.prices.simulated import SimulatedVenues

FOUR = ("coinbase", "kraken", "bitstamp", "gemini")
HOSTS = dict(
    zip(("api.exchange.coinbase.com", "api.kraken.com", "www.bitstamp.net", "api.gemini.com"), FOUR, strict=True)
)
EVERY = timedelta(seconds=30)
NOW = datetime(2026, 2, 7, 14, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


def body_of(name: str, usd: str, now: datetime, volume: str) -> bytes:
    shapes: dict[str, object] = {
        "coinbase": {"price": usd, "volume": volume, "time": f"{now:%Y-%m-%dT%H:%M:%S.%f}123Z"},
        "kraken": {"error": [], "result": {"XXBTZUSD": {"c": [f"{usd}000", "0.1"], "v": [volume, volume]}}},
        "bitstamp": {"timestamp": str(int(now.timestamp())), "last": usd, "volume": volume},
        "gemini": {"last": usd, "volume": {"BTC": volume, "timestamp": 1594982700000}},
    }
    return json.dumps(shapes[name]).encode()


class Venues:
    """What each venue says: `say` sets prices, `answers` puts something else in a venue's mouth."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.dollars: dict[str, str] = {}
        self.answers: dict[str, Callable[[], httpx.Response]] = {}
        self.frozen: set[str] = set()

    def say(self, usd: str, **others: str) -> None:
        self.dollars = dict.fromkeys(FOUR, usd) | others

    def handle(self, request: httpx.Request) -> httpx.Response:
        name = HOSTS[request.url.host]
        if name in self.answers:
            return self.answers[name]()
        now = self.clock.now()
        volume = "7" if name in self.frozen else str(now.timestamp())
        return httpx.Response(200, content=body_of(name, self.dollars[name], now, volume))


class Watch:
    """What the bot does each `PRICE_EVERY`: poll, aggregate, keep the tick."""

    def __init__(self, feed: PriceFeed, clock: FakeClock) -> None:
        self.feed, self.clock, self.policy = feed, clock, PricePolicy()
        self.tick = Tick(NOW, PriceState.NONE)

    def poll(self, times: int = 1) -> Tick:
        for _ in range(times):
            self.clock.advance(EVERY)
            self.tick = aggregate(self.tick, self.feed.poll(), self.policy)
        return self.tick


def drop_the_line() -> httpx.Response:
    raise httpx.ConnectError("gone")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def venues(clock) -> Venues:
    venues = Venues(clock)
    venues.say("68500.00")
    return venues


@pytest.fixture
def watch(venues, clock) -> Iterator[Watch]:
    with httpx.Client(transport=httpx.MockTransport(venues.handle)) as http:
        feed = PriceFeed(parse_sources(), http, clock)
        yield Watch(feed, clock)
        feed.close()


def test_a_decimal_slip_and_a_wick_do_not_move_the_price(venues, watch):
    venues.say("68500.00", kraken="685000.0")
    assert (watch.poll().price, watch.tick.state) == (6_850_000, PriceState.DEGRADED)
    venues.say("68500.00", bitstamp="54800.00")
    assert (watch.poll().price, watch.tick.state) == (6_850_000, PriceState.DEGRADED)
    assert watch.tick.lowest_fresh == 5_480_000


def test_sources_two_times_apart_are_disputed(venues, watch):
    watch.poll()
    venues.say("68500.00", kraken="34250.00", gemini="34250.00")
    assert watch.poll().state is PriceState.DISPUTED
    assert view(watch.tick, watch.clock.now(), watch.policy).usable is None
    assert (watch.tick.price, watch.tick.lowest_fresh) == (6_850_000, 3_425_000)


def test_a_source_that_freezes_is_dropped_after_ten_polls(venues, watch):
    venues.frozen.add("gemini")
    assert watch.poll(10).state is PriceState.FRESH
    assert watch.poll().state is PriceState.DEGRADED
    assert watch.tick.sources == ("coinbase", "kraken", "bitstamp")
    assert watch.tick.quotes[3].why == "unchanged for 10 polls"
    venues.frozen.clear()
    assert watch.poll().state is PriceState.FRESH


def test_a_source_whose_own_clock_stops_is_dropped_after_three_minutes(venues, watch):
    stopped = body_of("coinbase", "68500.00", NOW + EVERY, "1")
    venues.answers["coinbase"] = lambda: httpx.Response(200, content=stopped)
    assert watch.poll(7).state is PriceState.FRESH
    assert watch.poll().state is PriceState.DEGRADED
    assert watch.tick.quotes[0].why == "its own time is 210 s old"


def test_an_outage_of_all_is_stale_after_180_s_and_recovers(venues, watch):
    watch.poll()
    for name in FOUR:
        venues.answers[name] = drop_the_line
    assert watch.poll(6).state is PriceState.DEGRADED
    assert watch.poll().state is PriceState.STALE
    venues.answers.clear()
    venues.say("67000.00")
    states = [watch.poll().state for _ in range(10)]
    assert states[-1] is PriceState.FRESH
    assert watch.tick.price == 6_700_000


def test_an_outage_from_the_start_is_no_price(venues, watch):
    for name in FOUR:
        venues.answers[name] = lambda: httpx.Response(502)
    tick = watch.poll(3)
    assert (tick.state, tick.price, tick.blind_polls) == (PriceState.NONE, None, 3)


def test_a_crash_is_believed_when_the_next_poll_says_so_too(venues, watch):
    watch.poll()
    venues.say("55000.00")
    assert watch.poll().price == 6_850_000
    assert watch.poll().price == 5_500_000


def test_a_crash_for_one_poll_is_not(venues, watch):
    watch.poll()
    venues.say("55000.00")
    watch.poll()
    venues.say("68400.00")
    assert (watch.poll().price, watch.tick.pending) == (6_840_000, None)


def test_the_simulated_venues_speak_the_real_shapes(clock):
    prices = iter(range(6_850_000, 1, -700))
    now_at: dict[datetime, int] = {}
    with httpx.Client(
        transport=SimulatedVenues(lambda now: now_at.setdefault(now, next(prices)), clock),
    ) as http:
        feed = PriceFeed(parse_sources(), http, clock)
        watch = Watch(feed, clock)
        for _ in range(30):
            tick = watch.poll()
            assert (tick.state, tick.price) == (PriceState.FRESH, now_at[clock.now()])
            assert len({quote.price for quote in tick.quotes}) == 4
            assert all(quote.unchanged_polls == 0 for quote in tick.quotes)
        assert http.get("https://mempool.space/api/v1/prices").status_code == 404
        feed.close()


def test_simulated_venues_at_a_constant_price_do_not_look_frozen(clock):
    with httpx.Client(transport=SimulatedVenues(lambda _: 6_850_000, clock)) as http:
        feed = PriceFeed(parse_sources(), http, clock)
        assert Watch(feed, clock).poll(15).state is PriceState.FRESH
        feed.close()


def test_a_bug_in_one_source_costs_that_source_alone(clock, capsys):
    simulated = SimulatedVenues(lambda _: 6_850_000, clock)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.gemini.com":
            raise ZeroDivisionError
        return simulated.handle_request(request)

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        feed = PriceFeed(parse_sources(), http, clock)
        poll = feed.poll()
        feed.close()
    assert [(failure.source, failure.reason) for failure in poll.failures] == [("gemini", "bug")]
    assert len(poll.quotes) == 3
    said = capsys.readouterr()
    assert "price_source_bug" in said.out + said.err
