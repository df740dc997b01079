"""`aggregate` against a second, naive reading of the product's rules: loops, integers, no code shared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.quotes import Failure, Poll, PricePolicy, Quote, Verdict, aggregate

START = datetime(2026, 2, 7, tzinfo=UTC)
NAMES = ("a", "b", "c", "d", "e")


@dataclass
class Remembered:
    price: int | None = None
    as_of: datetime | None = None
    pending: int | None = None
    disputed: bool = False


def middle_of(quotes: list[Quote]) -> int:
    prices = sorted(quote.price for quote in quotes)
    return prices[len(prices) // 2] if len(prices) % 2 else prices[len(prices) // 2 - 1]


def sift(poll: Poll, counts: dict[str, int]) -> tuple[list[Quote], list[Quote]]:
    """The fresh quotes, and those of them that are near their lower median."""
    fresh = []
    for quote in poll.quotes:
        if quote.at is None:
            if counts[quote.source] < 10:
                fresh.append(quote)
        elif abs((poll.at - quote.at).total_seconds()) <= 180:
            fresh.append(quote)
    median = middle_of(fresh) if fresh else 0
    return fresh, [quote for quote in fresh if abs(quote.price - median) * 1000 <= 15 * median]


def oracle(memory: Remembered, poll: Poll, counts: dict[str, int], quorum: int) -> str:
    """The state after `poll`, by the product's text; `memory` is brought up to date."""
    fresh, kept = sift(poll, counts)
    dropped = len(fresh) - len(kept)
    pending, memory.pending = memory.pending, None
    good = "fresh" if len(kept) == len(poll.configured) else "degraded"

    if len(kept) >= quorum and len(kept) > dropped:
        price = middle_of(kept)
        jump = memory.price is not None and abs(price - memory.price) * 100 > 15 * memory.price
        if not jump or (pending is not None and abs(price - pending) * 1000 <= 15 * pending):
            times = [quote.fetched_at if quote.at is None else quote.at for quote in kept]
            memory.price, memory.as_of, memory.disputed = price, min([*times, poll.at]), False
            return good
        memory.pending = price
    elif len(fresh) >= quorum and len(kept) <= dropped:
        memory.disputed = True
        return "disputed"
    if memory.price is None or memory.as_of is None:
        return "none"
    if (poll.at - memory.as_of).total_seconds() > 180:
        return "stale"
    return "disputed" if memory.disputed else good


answers = st.one_of(
    st.none(),
    st.tuples(
        st.one_of(
            st.sampled_from([10_000, 10_150, 10_151, 9_850, 8_500, 8_499, 11_500, 5_000]), st.integers(1, 20_000)
        ),
        st.sampled_from([None, None, -200, -180, -5, 0, 1, 30, 179, 180, 181, 500]),
        st.sampled_from(["1", "2"]),
    ),
)
alike = st.builds(
    lambda base, offs: [(base + off, 1, str(off)) for off in offs],
    st.sampled_from([10_000, 8_600, 8_400, 8_350, 6_000]),
    st.lists(st.integers(-30, 30), min_size=5, max_size=5),
)
rounds = st.lists(
    st.tuples(st.integers(1, 200), st.one_of(st.lists(answers, min_size=5, max_size=5), alike)), min_size=1, max_size=25
)


@settings(max_examples=400, deadline=None)
@given(rounds=rounds, size=st.integers(2, 5), quorum=st.integers(1, 3))
def test_it_agrees_with_the_rules_read_naively(rounds, size, quorum):
    policy, memory, tick = PricePolicy(quorum=quorum), Remembered(), None
    names, now = NAMES[:size], START
    last: dict[str, tuple[int, str]] = {}
    counts: dict[str, int] = dict.fromkeys(names, 0)
    blind = 0
    for seconds, answered in rounds:
        now += timedelta(seconds=seconds)
        quotes, failures = [], []
        for name, answer in zip(names, answered, strict=False):
            if answer is None:
                failures.append(Failure(name, "timeout"))
                continue
            price, age, volume = answer
            quotes.append(Quote(name, price, None if age is None else now - timedelta(seconds=age), now, volume))
            counts[name] = counts[name] + 1 if last.get(name) == (price, volume) else 0
            last[name] = (price, volume)
        poll = Poll(now, names, tuple(quotes), tuple(failures))
        tick = aggregate(tick, poll, policy)
        state = oracle(memory, poll, counts, quorum)
        blind = blind + 1 if state in ("disputed", "stale", "none") else 0
        assert (tick.state.value, tick.price, tick.as_of, tick.pending, tick.blind_polls) == (
            state,
            memory.price,
            memory.as_of,
            memory.pending,
            blind,
        )
        assert [quote.source for quote in tick.quotes] == list(names)
        assert tick.accepted == any(quote.verdict is Verdict.USED for quote in tick.quotes)
        if tick.accepted:
            assert tick.price in {quote.price for quote in quotes}, "a price is one that somebody quoted"


@given(
    prices=st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_answers_does_not_matter(prices, order):
    quotes = [Quote(name, price, None, START) for name, price in zip(NAMES, prices, strict=False)]
    shuffled = list(quotes)
    order.shuffle(shuffled)
    one, other = (aggregate(None, Poll(START, NAMES, tuple(some)), PricePolicy()) for some in (quotes, shuffled))
    assert one == other


@given(
    honest=st.lists(st.integers(9_990, 10_010), min_size=3, max_size=3),
    liars=st.lists(st.integers(1, 10**9), max_size=2),
)
def test_a_lying_minority_never_sets_the_price(honest, liars):
    """With three honest sources of at most five, the price is within what the honest say and the allowed deviation."""
    quotes = tuple(Quote(name, price, None, START) for name, price in zip(NAMES, honest + liars, strict=False))
    tick = aggregate(None, Poll(START, NAMES, quotes), PricePolicy())
    if tick.price is not None:
        assert min(honest) * 985 <= tick.price * 1_000 <= max(honest) * 1_015
