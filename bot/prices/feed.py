"""Asks every configured source at once, within a bounded time, and leaves the failing ones alone for a while.

Nothing here judges a price: a poll is what was said, and who said nothing and why. What must outlive the process is
in the ticks (`bot.domain.quotes`); benches are not: after a restart everybody is asked once.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import structlog

from bot.domain.quotes import Failure, Poll, Quote
from bot.prices.registry import SOURCES
from bot.prices.source import Clock, Reason, Source, SourceError, bad_body

LARGEST_BODY = 64 * 1024
LONGEST_RETRY_AFTER = timedelta(hours=1)

_HEADERS = {"User-Agent": "plimsoll", "Accept": "application/json", "Accept-Encoding": "identity"}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FeedPolicy:
    """How long to wait for an answer, and how long to leave a failing source alone.

    `every` is the time between polls: a source that failed once is asked by the next one, after its second failure in
    a row it misses one poll, then three, seven, … up to `longest_bench`.
    """

    every: timedelta = timedelta(seconds=30)
    connect_seconds: float = 2.0
    read_seconds: float = 3.0
    total_seconds: float = 4.0
    longest_bench: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Bench:
    failures: int
    reason: Reason
    until: datetime


class PriceFeed:
    """The configured sources behind one client. `poll` is called by one thread at a time; `close` ends it."""

    def __init__(
        self,
        sources: Iterable[tuple[str, str]],
        http: httpx.Client,
        clock: Clock,
        policy: FeedPolicy | None = None,
    ) -> None:
        """`sources` as `parse_sources` gives them. ValueError where there is none; KeyError for an unknown name."""
        self._sources = {name: replace(SOURCES[name], base_url=base_url) for name, base_url in sources}
        if not self._sources:
            raise ValueError("a price feed needs at least one source")
        self._http = http
        self._clock = clock
        self._policy = policy or FeedPolicy()
        self._benches: dict[str, _Bench] = {}
        self._asked: dict[str, Future[Quote]] = {}
        self._threads = ThreadPoolExecutor(len(self._sources), thread_name_prefix="price")

    @property
    def configured(self) -> tuple[str, ...]:
        """The names of the sources, in the order given."""
        return tuple(self._sources)

    def poll(self) -> Poll:
        """One quote or one failure per configured source, after `total_seconds` of real time at the latest."""
        started = self._clock.now()
        deadline = time.monotonic() + self._policy.total_seconds
        benched = {name: bench for name, bench in self._benches.items() if started < bench.until}
        # A source that hangs where no time-out reaches (in the resolver, say) keeps its one thread and is not asked
        # twice, so it can neither use up the others' threads nor pile up requests.
        hanging = {name for name, future in self._asked.items() if not future.done()}
        self._asked = {name: future for name, future in self._asked.items() if name in hanging} | {
            name: self._threads.submit(self._ask, source, deadline)
            for name, source in self._sources.items()
            if name not in benched and name not in hanging
        }
        wait(
            [future for name, future in self._asked.items() if name not in hanging],
            timeout=max(0.0, deadline - time.monotonic()),
        )

        quotes, failures = [], []
        for name in self._sources:
            bench = benched.get(name)
            answer = Failure(name, Reason.BENCHED, bench.reason) if bench else self._answer(name, hanging, started)
            if isinstance(answer, Quote):
                quotes.append(answer)
            else:
                failures.append(answer)
        return Poll(self._clock.now(), self.configured, tuple(quotes), tuple(failures))

    def close(self) -> None:
        """Take no more polls. A request under way ends by its own time-out; the client is the caller's to close."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, name: str, hanging: set[str], started: datetime) -> Quote | Failure:
        """What came of asking, with the source put on its bench or taken off it."""
        future = self._asked[name]
        if name in hanging or not future.done():
            return self._bench(name, SourceError(Reason.TIMEOUT), started)
        error = future.exception()
        if error is None:
            self._benches.pop(name, None)
            return future.result()
        if isinstance(error, SourceError):
            return self._bench(name, error, started)
        # One source's bug must not take the price away that the others agree on; it is logged as what it is, without
        # the traceback, whose messages and variables may hold the body.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("price_source_bug", source=name, error=type(error).__name__, at=f"{frame.filename}:{frame.lineno}")
        return self._bench(name, SourceError(Reason.BUG), started)

    def _bench(self, name: str, error: SourceError, started: datetime) -> Failure:
        before = self._benches.get(name)
        failures = before.failures + 1 if before else 1
        # Being told to slow down counts as a second failure: it misses a poll even where no Retry-After says so.
        steps = max(failures, 2) if error.reason is Reason.RATE_LIMITED else failures
        back_off = min(self._policy.every * 2 ** min(steps - 1, 16), self._policy.longest_bench)
        # A quarter less, because polls start some milliseconds early or late and must not miss one more for it.
        until = started + back_off - self._policy.every / 4
        if error.retry_after is not None:
            until = max(until, self._clock.now() + error.retry_after)
        self._benches[name] = _Bench(failures, error.reason, until)
        return Failure(name, error.reason)

    def _ask(self, source: Source, deadline: float) -> Quote:
        """One GET, in a thread of its own. SourceError where no quote comes of it."""
        timeout = httpx.Timeout(self._policy.read_seconds, connect=self._policy.connect_seconds)
        url = source.base_url + source.path
        try:
            with self._http.stream("GET", url, headers=_HEADERS, timeout=timeout, follow_redirects=False) as response:
                self._check_status(response)
                body = _bounded_body(response, deadline)
        except httpx.TimeoutException:
            raise SourceError(Reason.TIMEOUT) from None
        except httpx.TransportError:
            raise SourceError(Reason.CONNECTION) from None
        except httpx.DecodingError:
            raise SourceError(Reason.BAD_BODY) from None
        try:
            return source.parse(body, self._clock.now())
        except SourceError as error:
            raise SourceError(error.reason, self._retry_after(response)) from None

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        if status == httpx.codes.TOO_MANY_REQUESTS:
            reason = Reason.RATE_LIMITED
        else:
            reason = {3: Reason.HTTP_3XX, 4: Reason.HTTP_4XX, 5: Reason.HTTP_5XX}.get(status // 100, Reason.BAD_BODY)
        raise SourceError(reason, self._retry_after(response))

    def _retry_after(self, response: httpx.Response) -> timedelta | None:
        return retry_after(response.headers.get("Retry-After"), self._clock.now())


def _bounded_body(response: httpx.Response, deadline: float) -> bytes:
    """The body; given up when it is too large, or drips so slowly that only the sum of its waits is too long."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_BODY:
            bad_body()
        if time.monotonic() > deadline:
            raise SourceError(Reason.TIMEOUT)
    return bytes(body)


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """How long a `Retry-After` asks to wait from `now`: seconds or an HTTP date, at most an hour; None: no answer."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        asked = timedelta(seconds=int(text)) if len(text) < 9 else LONGEST_RETRY_AFTER
    else:
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            return None
        asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(asked, timedelta()), LONGEST_RETRY_AFTER)
