"""The feed against a venue on the loopback: real HTTP, real time-outs, real shapes; only the clock is ours."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.price import PriceState
from bot.domain.quotes import Poll, PricePolicy, Tick, aggregate
from bot.prices.feed import LARGEST_BODY, LONGEST_RETRY_AFTER, FeedPolicy, PriceFeed, retry_after
from bot.prices.registry import parse_sources
from bot.prices.simulated import SimulatedVenues

FOUR = ("coinbase", "kraken", "bitstamp", "gemini")
EVERY = timedelta(seconds=30)
NOW = datetime(2026, 2, 7, 14, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0
    drip: bool = False
    hang_up: bool = False


def body_of(name: str, usd: str, now: datetime, volume: str) -> bytes:
    shapes: dict[str, object] = {
        "coinbase": {"price": usd, "volume": volume, "time": f"{now:%Y-%m-%dT%H:%M:%S.%f}123Z"},
        "kraken": {"error": [], "result": {"XXBTZUSD": {"c": [f"{usd}000", "0.1"], "v": [volume, volume]}}},
        "bitstamp": {"timestamp": str(int(now.timestamp())), "last": usd, "volume": volume},
        "gemini": {"last": usd, "volume": {"BTC": volume, "timestamp": 1594982700000}},
    }
    return json.dumps(shapes[name]).encode()


class Venues:
    """All sources on one loopback server: `say` and `answer` set what each gives, `asked` is what came in."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, str, str]] = []
        self.dollars: dict[str, str] = {}
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.frozen: set[str] = set()
        self.released = threading.Event()
        venues = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.split("/")[1]
                venues.asked.append((name, self.path.removeprefix(f"/{name}"), self.headers["User-Agent"]))
                venues.give(self, venues.answer_of(name))

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer_of(self, name: str) -> Answer:
        given_answer = self.answers.get(name)
        if given_answer is not None:
            return given_answer if isinstance(given_answer, Answer) else given_answer()
        volume = "7" if name in self.frozen else str(len(self.asked))
        return Answer(body=body_of(name, self.dollars[name], self.clock.now(), volume))

    def give(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.hang_up:
            return
        self.released.wait(answer.wait)
        try:
            handler.send_response(answer.status)
            for key, value in answer.headers.items():
                handler.send_header(key, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            for byte in answer.body if answer.drip else ():
                handler.wfile.write(bytes([byte]))
                if self.released.wait(0.1):
                    return
            handler.wfile.write(b"" if answer.drip else answer.body)
        except OSError:
            pass  # the feed gave up on this answer, as it should

    def say(self, usd: str, **others: str) -> None:
        self.dollars = dict.fromkeys(FOUR, usd) | others

    def count(self, name: str) -> int:
        return sum(asked[0] == name for asked in self.asked)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def venues(clock) -> Iterator[Venues]:
    venues = Venues(clock)
    venues.say("68500.00")
    yield venues
    venues.released.set()
    venues.server.shutdown()
    venues.server.server_close()


class Watch:
    """What the bot does each `PRICE_EVERY`: poll, aggregate, keep the tick."""

    def __init__(self, feed: PriceFeed, clock: FakeClock) -> None:
        self.feed, self.clock = feed, clock
        self.policy = PricePolicy()
        self.tick: Tick | None = None
        self.last: Poll | None = None

    def poll(self, times: int = 1) -> Tick:
        for _ in range(times):
            self.clock.advance(EVERY)
            self.last = self.feed.poll()
            self.tick = aggregate(self.tick, self.last, self.policy)
        assert self.tick is not None
        return self.tick

    def reasons(self) -> dict[str, str]:
        assert self.last is not None
        return {failure.source: failure.why for failure in self.last.failures}


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


KRAKEN = body_of("kraken", "68500.00", NOW, "1")
QUICK = FeedPolicy(every=EVERY, connect_seconds=1, read_seconds=1, total_seconds=1.5)


@pytest.fixture
def watch(venues, http, clock) -> Iterator[Watch]:
    port = venues.server.server_port
    sources = parse_sources(",".join(f"{name}=http://127.0.0.1:{port}/{name}" for name in FOUR))
    feed = PriceFeed(sources, http, clock, QUICK)
    yield Watch(feed, clock)
    feed.close()


def test_it_asks_every_source_as_documented_and_says_who_asks(venues, watch):
    tick = watch.poll()
    assert (tick.state, tick.price, tick.sources) == (PriceState.FRESH, 6_850_000, FOUR)
    assert sorted(venues.asked) == [
        ("bitstamp", "/api/v2/ticker/btcusd/", "plimsoll"),
        ("coinbase", "/products/BTC-USD/ticker", "plimsoll"),
        ("gemini", "/v1/pubticker/btcusd", "plimsoll"),
        ("kraken", "/0/public/Ticker?pair=XBTUSD", "plimsoll"),
    ]


def test_it_asks_them_together(venues, watch):
    everybody = threading.Barrier(len(FOUR), timeout=1)

    def together(name: str) -> Answer:
        everybody.wait()
        return Answer(body=body_of(name, "68500.00", NOW, "1"))

    venues.answers = {name: partial(together, name) for name in FOUR}
    assert watch.poll().state is PriceState.FRESH, "none is answered before all four are asked"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404, b'{"message":"NotFound"}'), "http_4xx"),
        (Answer(403, b"<html>blocked"), "http_4xx"),
        (Answer(429, b'{"message":"Public rate limit exceeded"}'), "rate_limited"),
        (Answer(500), "http_5xx"),
        (Answer(520, b"cloudflare"), "http_5xx"),
        (Answer(302, headers={"Location": "/coinbase/products/BTC-USD/ticker"}), "http_3xx"),
        (Answer(206, b"{}"), "bad_body"),
        (Answer(200, b"<html>maintenance"), "bad_body"),
        (Answer(200, KRAKEN + b" " * LARGEST_BODY), "bad_body"),
        (Answer(200, b"not gzip", {"Content-Encoding": "gzip"}), "bad_body"),
        (Answer(200, b'{"error":["EService:Unavailable"]}'), "venue_error"),
        (Answer(200, b'{"error":["EGeneral:Too many requests"]}'), "rate_limited"),
        (Answer(wait=5), "timeout"),
        (Answer(200, b"{" * 100, drip=True), "timeout"),
        (Answer(hang_up=True), "connection"),
    ],
)
def test_one_source_in_trouble_leaves_a_degraded_price(venues, watch, answer, reason):
    venues.answers["kraken"] = answer
    began = time.monotonic()
    tick = watch.poll()
    assert time.monotonic() - began < 4
    assert (tick.state, tick.price) == (PriceState.DEGRADED, 6_850_000)
    assert watch.reasons() == {"kraken": reason}
    assert venues.count("kraken") == 1, "no retry and no redirect followed"


def test_an_answer_that_drips_is_given_up_so_that_the_source_can_be_asked_again(venues, watch):
    venues.answers["kraken"] = Answer(200, b"{" * 100, drip=True)
    watch.poll()
    time.sleep(0.5)
    watch.poll()
    assert venues.count("kraken") == 2, "each byte within the read time-out, 10 s in all"


def test_polls_that_start_a_little_early_miss_no_more_for_it(venues, watch, clock):
    venues.answers["kraken"] = Answer(503)
    asked = []
    for _ in range(8):
        clock.advance(-timedelta(seconds=0.4))
        watch.poll()
        asked.append(venues.count("kraken"))
    assert asked == [1, 2, 2, 3, 3, 3, 3, 4]


def test_nobody_listening_is_a_failed_connection(http, clock):
    feed = PriceFeed([("kraken", "http://127.0.0.1:1")], http, clock, QUICK)
    assert [failure.reason for failure in feed.poll().failures] == ["connection"]
    feed.close()


def test_a_failing_source_is_asked_ever_more_rarely_and_comes_back(venues, watch):
    venues.answers["gemini"] = Answer(503)
    asked = []
    for n in range(40):
        before = venues.count("gemini")
        watch.poll()
        if venues.count("gemini") > before:
            asked.append(n)
    assert asked == [0, 1, 3, 7, 15, 25, 35], "after 1, 2, 4, 8 polls, then every five minutes"
    assert watch.reasons() == {"gemini": "benched after http_5xx"}
    assert watch.tick.state is PriceState.DEGRADED
    del venues.answers["gemini"]
    watch.poll(6)
    assert watch.tick.state is PriceState.FRESH
    venues.answers["gemini"] = Answer(503)
    watch.poll()
    before = venues.count("gemini")
    watch.poll()
    assert venues.count("gemini") == before + 1, "an answer forgives everything"


@pytest.mark.parametrize(
    ("header", "polls"),
    [
        ("100", 4),
        ("Sat, 07 Feb 2026 14:02:10 GMT", 4),
        ("0", 2),
        ("soon", 2),
        (None, 2),
        ("999999999999", 120),
        ("Fri, 07 Feb 2031 14:00:00 GMT", 120),
    ],
)
def test_retry_after_is_honoured(venues, watch, header, polls):
    """Retry-After of the answer at 14:00:30; without a usable one a rate limit still skips a poll."""
    venues.answers["coinbase"] = Answer(429, headers={"Retry-After": header} if header else {})
    watch.poll()
    del venues.answers["coinbase"]
    skipped = 0
    while venues.count("coinbase") == 1:
        watch.poll()
        skipped += 1
    assert skipped == polls
    assert watch.tick.state is PriceState.FRESH


def test_retry_after_counts_with_a_rate_limit_in_the_body_and_with_a_503(venues, watch):
    limited = b'{"result":"error","reason":"RateLimit","message":"Requests were made too frequently"}'
    venues.answers["gemini"] = Answer(200, limited, {"Retry-After": "200"})
    venues.answers["kraken"] = Answer(503, headers={"Retry-After": "200"})
    watch.poll(7)
    assert (venues.count("gemini"), venues.count("kraken")) == (1, 1)
    watch.poll()
    assert (venues.count("gemini"), venues.count("kraken")) == (2, 2)


@given(
    header=st.one_of(st.none(), st.text(max_size=40), st.from_regex(r"[A-Z][a-z]{2}, \d+ Feb \d+ \d+:\d+:\d+ [A-Z+]+"))
)
def test_any_retry_after_is_nothing_or_at_most_an_hour(header):
    asked = retry_after(header, NOW)
    assert asked is None or timedelta() <= asked <= LONGEST_RETRY_AFTER


def test_a_source_that_hangs_is_not_asked_twice_and_holds_nobody_up(clock):
    """Where no time-out reaches, as in the resolver: here a transport that never answers."""
    release, asked = threading.Event(), []
    simulated = SimulatedVenues(lambda _: 6_850_000, clock)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.kraken.com":
            asked.append(request)
            release.wait(20)
        return simulated.handle_request(request)

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        feed = PriceFeed(parse_sources(), http, clock, QUICK)
        watch = Watch(feed, clock)
        for _ in range(8):
            assert watch.poll().price == 6_850_000
        assert len(asked) == 1
        assert watch.last is not None
        assert len(watch.last.quotes) == 3
        release.set()
        time.sleep(0.05)
        watch.poll(20)
        assert watch.tick is not None
        assert watch.tick.state is PriceState.FRESH
        feed.close()


def test_a_feed_without_sources_is_refused(http, clock):
    with pytest.raises(ValueError, match="at least one source"):
        PriceFeed([], http, clock)
