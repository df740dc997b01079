"""From what several sources say to one price, or to the honest statement that there is none.

`aggregate` is the only place where a price is accepted, and it is pure: everything it must remember between polls
(the last price, an unconfirmed jump, how long a source has repeated itself) is in the Tick of the poll before, so a
restart or another process goes on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from bot.domain.money import Price, percent_plain
from bot.domain.periods import iso
from bot.domain.price import PriceState, PriceView


@dataclass(frozen=True, slots=True)
class PricePolicy:
    """When a quote, a price and a jump are believed. Defaults are the product's."""

    max_age: timedelta = timedelta(seconds=180)
    max_deviation: Fraction = Fraction(15, 1000)
    quorum: int = 2
    max_jump: Fraction = Fraction(15, 100)
    max_unchanged_polls: int = 10


@dataclass(frozen=True, slots=True)
class Quote:
    """What one source said: `price` in cents per BTC, `at` its own time (None: it gives none), `volume` as printed."""

    source: str
    price: Price
    at: datetime | None
    fetched_at: datetime
    volume: str | None = None

    @property
    def observed_at(self) -> datetime:
        """The instant this quote is from: its own time where it gives one, never later than it was fetched."""
        return min(self.at or self.fetched_at, self.fetched_at)


@dataclass(frozen=True, slots=True)
class Failure:
    """A source without a quote. `reason` is one of a bounded set; "benched" was not asked, `after` says since what."""

    source: str
    reason: str
    after: str | None = None

    @property
    def why(self) -> str:
        return f"{self.reason} after {self.after}" if self.after else self.reason


@dataclass(frozen=True, slots=True)
class Poll:
    """One round of questions: ended `at`; each of the `configured` sources is in `quotes`, or in `failures`.

    ValueError where one source speaks twice: it would have two votes.
    """

    at: datetime
    configured: tuple[str, ...]
    quotes: tuple[Quote, ...] = ()
    failures: tuple[Failure, ...] = ()

    def __post_init__(self) -> None:
        names = [quote.source for quote in self.quotes]
        if len(set(names)) < len(names) or not set(names) <= set(self.configured):
            raise ValueError(f"a poll of {', '.join(self.configured)} has quotes of {', '.join(names)}")


class Verdict(StrEnum):
    """What became of a source's answer."""

    USED = "used"
    """The price of this tick is made of it."""
    UNUSED = "unused"
    """Fresh and near the median, yet no price came of it: no majority, no quorum, or a jump to be confirmed."""
    OUTLIER = "outlier"
    """Fresh, but too far from the median."""
    STALE = "stale"
    FAILED = "failed"

    @property
    def is_fresh(self) -> bool:
        return self not in (Verdict.STALE, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class JudgedQuote:
    """A configured source in one poll: its quote, the verdict and `why` (empty where it was used).

    A `failed` one repeats the source's last quote (None: never had one), so that its next can be held against it.
    `unchanged_polls` counts the polls in a row that repeated price and volume.
    """

    source: str
    verdict: Verdict
    why: str = ""
    price: Price | None = None
    at: datetime | None = None
    fetched_at: datetime | None = None
    volume: str | None = None
    unchanged_polls: int = 0

    @property
    def observed_at(self) -> datetime | None:
        """The instant its quote is from; None where there never was one."""
        return None if self.fetched_at is None else min(self.at or self.fetched_at, self.fetched_at)

    def is_fresh(self, now: datetime, max_age: timedelta) -> bool:
        """Whether it was fresh when polled and is not too old at `now`."""
        observed = self.observed_at
        return self.verdict.is_fresh and observed is not None and now - observed <= max_age


@dataclass(frozen=True, slots=True)
class Tick:
    """What is known after the poll that ended `at`.

    `price` (cents per BTC) is the last accepted one: this poll's, or an earlier one that stands; `as_of` the oldest
    quote it is made of and `sources` theirs. It is a price only where `state` says so. `pending` is a jump that the
    next poll must confirm. `lowest_fresh` is the lowest fresh quote of this poll, outliers included. `blind_polls`
    counts the polls in a row, this one included, that left no price; `blind_since` is the first of them.
    """

    at: datetime
    state: PriceState
    price: Price | None = None
    as_of: datetime | None = None
    sources: tuple[str, ...] = ()
    pending: Price | None = None
    lowest_fresh: Price | None = None
    blind_polls: int = 0
    blind_since: datetime | None = None
    quotes: tuple[JudgedQuote, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether this very poll gave the price."""
        return any(quote.verdict is Verdict.USED for quote in self.quotes)

    def to_json(self) -> dict[str, Any]:
        """Plain strings, integers, lists and None; instants as ISO 8601 in UTC. `from_json` reads it back."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tick:
        """The tick that `to_json` wrote. KeyError, TypeError or ValueError where it did not."""
        instant = datetime.fromisoformat
        read = _read(data, at=instant, state=PriceState, as_of=instant, sources=tuple, blind_since=instant)
        quotes = (_read(quote, verdict=Verdict, at=instant, fetched_at=instant) for quote in data["quotes"])
        return cls(**{**read, "quotes": tuple(JudgedQuote(**quote) for quote in quotes)})


def _read(data: Mapping[str, Any], **readers: Callable[[Any], Any]) -> dict[str, Any]:
    """`data` with what is no plain JSON read back; None stays None."""
    return {**data, **{key: None if data[key] is None else reader(data[key]) for key, reader in readers.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def lower_median(prices: Iterable[Price]) -> Price:
    """The middle price; of two middle ones, the lower: nearer to a covenant, and one that somebody really quoted."""
    ordered = sorted(prices)
    return ordered[(len(ordered) - 1) // 2]


def apart(price: Price, base: Price, ratio: Fraction) -> bool:
    """Whether `price` is more than `ratio` of `base` away from `base`; exactly `ratio` is not."""
    return abs(price - base) > ratio * base


def aggregate(previous: Tick | None, poll: Poll, policy: PricePolicy) -> Tick:
    """What is known after `poll`, given the tick before it.

    Stale quotes are dropped, then those apart from the lower median. A price is the lower median of what is left,
    if that is a strict majority of the fresh quotes and a quorum; a jump against the last price waits for the next
    poll. Otherwise the last price stands until it is too old, except in a dispute: that ends the price at once, and
    only a new one ends the dispute, since a price withdrawn does not come back because sources fell silent.
    """
    before = previous or Tick(poll.at, PriceState.NONE)
    unchanged = _unchanged_polls(before, poll)
    stale = {
        quote.source: why
        for quote in poll.quotes
        if (why := _why_stale(quote, unchanged[quote.source], poll.at, policy))
    }
    fresh = [quote for quote in poll.quotes if quote.source not in stale]
    middle = lower_median(quote.price for quote in fresh) if fresh else None
    near = [q for q in fresh if middle is not None and not apart(q.price, middle, policy.max_deviation)]
    majority = 2 * len(near) > len(fresh)
    candidate = lower_median(quote.price for quote in near) if majority and len(near) >= policy.quorum else None
    agreed = tuple(name for name in poll.configured if name in {quote.source for quote in near})
    whole = agreed == poll.configured

    if candidate is not None and _believed(candidate, before, policy):
        why_unused = None
        state = PriceState.FRESH if whole else PriceState.DEGRADED
        price: Price | None = candidate
        as_of: datetime | None = min(quote.observed_at for quote in near)
        sources, pending = agreed, None
    else:
        disputed = len(fresh) >= policy.quorum and not majority
        why_unused = (
            "a jump that the next poll must confirm" if candidate else "no majority" if disputed else "no quorum"
        )
        state = PriceState.DISPUTED if disputed else _standing(before, poll.at, policy, whole=whole)
        price, as_of, sources, pending = before.price, before.as_of, before.sources, candidate

    blind = state.is_blind
    return Tick(
        at=poll.at,
        state=state,
        price=price,
        as_of=as_of,
        sources=sources,
        pending=pending,
        lowest_fresh=min((quote.price for quote in fresh), default=None),
        blind_polls=before.blind_polls + 1 if blind else 0,
        blind_since=(before.blind_since or poll.at) if blind else None,
        quotes=_judged(before, poll, unchanged, stale, middle, agreed, why_unused),
    )


def _believed(candidate: Price, before: Tick, policy: PricePolicy) -> bool:
    """Whether the sources' common price counts at once: the first, no jump, or the last poll's jump again."""
    if before.price is None or not apart(candidate, before.price, policy.max_jump):
        return True
    return before.pending is not None and not apart(candidate, before.pending, policy.max_deviation)


def _standing(before: Tick, at: datetime, policy: PricePolicy, *, whole: bool) -> PriceState:
    """The state in which a poll without a price leaves the last one."""
    if before.price is None or before.as_of is None:
        return PriceState.NONE
    if at - before.as_of > policy.max_age:
        return PriceState.STALE
    if before.state is PriceState.DISPUTED:
        return PriceState.DISPUTED
    return PriceState.FRESH if whole else PriceState.DEGRADED


def _unchanged_polls(before: Tick, poll: Poll) -> dict[str, int]:
    """By source, how many polls in a row have repeated its price and volume; polls that failed do not count."""
    seen = {quote.source: quote for quote in before.quotes}
    return {
        quote.source: last.unchanged_polls + 1
        if (last := seen.get(quote.source)) and (last.price, last.volume) == (quote.price, quote.volume)
        else 0
        for quote in poll.quotes
    }


def _why_stale(quote: Quote, unchanged: int, now: datetime, policy: PricePolicy) -> str | None:
    """Why a quote is too old to count, or None where it is fresh.

    A time further ahead than `max_age` is no time: a source with such a clock would never be found stale.
    """
    if quote.at is None:
        return f"unchanged for {unchanged} polls" if unchanged >= policy.max_unchanged_polls else None
    age = now - quote.at
    if age > policy.max_age:
        return f"its own time is {age.total_seconds():.0f} s old"
    if -age > policy.max_age:
        return f"its own time is {-age.total_seconds():.0f} s ahead"
    return None


def _judged(
    before: Tick,
    poll: Poll,
    unchanged: Mapping[str, int],
    stale: Mapping[str, str],
    middle: Price | None,
    near: tuple[str, ...],
    why_unused: str | None,
) -> tuple[JudgedQuote, ...]:
    """One verdict per configured source, in their order."""
    quotes = {quote.source: quote for quote in poll.quotes}
    failures = {failure.source: failure.why for failure in poll.failures}
    seen = {quote.source: quote for quote in before.quotes}

    def judged(source: str) -> JudgedQuote:
        quote = quotes.get(source)
        if quote is None:
            why, last = failures.get(source, "not asked"), seen.get(source)
            if last is None:
                return JudgedQuote(source, Verdict.FAILED, why)
            known = (last.price, last.at, last.fetched_at, last.volume, last.unchanged_polls)
            return JudgedQuote(source, Verdict.FAILED, why, *known)
        if source in stale:
            verdict, why = Verdict.STALE, stale[source]
        elif source not in near and middle is not None:
            off = percent_plain(Fraction(abs(quote.price - middle), middle))
            verdict, why = Verdict.OUTLIER, f"{off} % from the median"
        else:
            verdict, why = (Verdict.UNUSED, why_unused) if why_unused else (Verdict.USED, "")
        return JudgedQuote(
            source, verdict, why, quote.price, quote.at, quote.fetched_at, quote.volume, unchanged[source]
        )

    return tuple(judged(source) for source in poll.configured)


def view(tick: Tick | None, now: datetime, policy: PricePolicy) -> PriceView:
    """The price as it is known at `now`, from the last tick at or before it (None: there is none)."""
    if tick is None:
        return PriceView(PriceState.NONE)
    age = max(now - tick.as_of, timedelta()) if tick.as_of else None
    outlived = age is not None and age > policy.max_age and not tick.state.is_blind
    fresh = {
        quote.source: quote.price
        for quote in tick.quotes
        if quote.price is not None and quote.is_fresh(now, policy.max_age)
    }
    return PriceView(
        state=PriceState.STALE if outlived else tick.state,
        last=tick.price,
        as_of=tick.as_of,
        age=age,
        sources=tick.sources,
        references=fresh,
        lowest_fresh=min(fresh.values(), default=None),
        blind_polls=tick.blind_polls,
        blind_since=tick.blind_since,
    )
