"""One price from several sources: what is accepted, what stands, and when there is honestly none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from bot.domain.price import PriceState
from bot.domain.quotes import Failure, Poll, PricePolicy, Quote, Tick, Verdict, aggregate, view

FOUR = ("coinbase", "kraken", "bitstamp", "gemini")
START = datetime(2026, 2, 7, 14, 0, tzinfo=UTC)
POLICY = PricePolicy()
UNTIMED = ("kraken", "gemini")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def poll(seconds: float, dollars: dict[str, float | None], configured=FOUR, age: float = 1, volume=None) -> Poll:
    """`dollars` by source; None failed. Coinbase and Bitstamp say `age` seconds, the others nothing."""
    now = at(seconds)
    quotes = [
        Quote(
            name,
            round(usd * 100),
            None if name in UNTIMED else now - timedelta(seconds=age),
            now,
            volume or str(seconds),
        )
        for name, usd in dollars.items()
        if usd is not None
    ]
    failures = [Failure(name, "timeout") for name in configured if dollars.get(name) is None]
    return Poll(now, configured, tuple(quotes), tuple(failures))


def all_at(usd: float) -> dict[str, float | None]:
    return dict.fromkeys(FOUR, usd)


def run(*polls: Poll, policy: PricePolicy = POLICY, start: Tick | None = None) -> Tick:
    tick = start
    for one in polls:
        tick = aggregate(tick, one, policy)
    assert tick is not None
    return tick


def verdicts(tick: Tick) -> dict[str, str]:
    return {quote.source: quote.verdict.value for quote in tick.quotes}


def test_it_takes_the_lower_median_as_old_as_the_oldest_quote_used():
    tick = run(poll(0, {"coinbase": 68_500, "kraken": 68_510, "bitstamp": 68_490, "gemini": 68_520}, age=12))
    assert (tick.state, tick.price, tick.as_of) == (PriceState.FRESH, 6_850_000, at(-12))
    assert tick.sources == FOUR
    assert tick.accepted
    assert (tick.lowest_fresh, tick.pending, tick.blind_polls, tick.blind_since) == (6_849_000, None, 0, None)


def test_a_price_without_one_of_the_sources_is_degraded():
    tick = run(poll(0, all_at(68_500) | {"gemini": None}))
    assert (tick.state, tick.price) == (PriceState.DEGRADED, 6_850_000)
    assert tick.sources == ("coinbase", "kraken", "bitstamp")
    assert tick.quotes[3].why == "timeout"


def test_a_decimal_slip_is_dropped():
    tick = run(poll(0, all_at(68_500) | {"kraken": 685_000}))
    assert (tick.state, tick.price) == (PriceState.DEGRADED, 6_850_000)
    assert verdicts(tick)["kraken"] == "outlier"
    assert tick.quotes[1].why == "900.00 % from the median"


def test_a_wick_in_one_source_is_no_price_but_is_its_quote():
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(68_500) | {"bitstamp": 54_800}))
    assert (tick.state, tick.price, tick.lowest_fresh) == (PriceState.DEGRADED, 6_850_000, 5_480_000)
    seen = view(tick, at(30), POLICY)
    assert seen.references["bitstamp"] == 5_480_000, "a lender that tests on Bitstamp sees the wick"
    assert seen.usable == 6_850_000


@pytest.mark.parametrize(("kraken", "verdict"), [(101.5, "used"), (101.51, "outlier"), (98.5, "used")])
def test_exactly_the_allowed_deviation_is_allowed(kraken, verdict):
    tick = run(poll(0, {"coinbase": 100, "bitstamp": 100, "gemini": 100, "kraken": kraken}))
    assert verdicts(tick)["kraken"] == verdict


def test_two_sources_two_times_apart_are_disputed_at_once():
    two = ("coinbase", "kraken")
    before = run(poll(0, {"coinbase": 68_500, "kraken": 68_500}, two))
    tick = run(poll(30, {"coinbase": 68_500, "kraken": 34_250}, two), start=before)
    assert tick.state is PriceState.DISPUTED
    assert (tick.price, tick.as_of) == (6_850_000, at(-1)), "the last price is kept, to be shown with its age"
    assert (tick.lowest_fresh, tick.blind_polls, tick.blind_since) == (3_425_000, 1, at(30))
    assert verdicts(tick) == {"coinbase": "outlier", "kraken": "unused"}
    seen = view(tick, at(31), POLICY)
    assert (seen.state, seen.usable, seen.last) == (PriceState.DISPUTED, None, 6_850_000)


def test_two_camps_of_two_have_no_majority():
    tick = run(poll(0, {"coinbase": 60_000, "kraken": 60_100, "bitstamp": 66_000, "gemini": 66_100}))
    assert (tick.state, tick.price) == (PriceState.DISPUTED, None)


def test_a_dispute_is_not_ended_by_silence():
    tick = run(poll(0, all_at(68_500)), poll(30, {"coinbase": 68_500, "kraken": 34_250}))
    assert tick.state is PriceState.DISPUTED
    tick = run(poll(60, {"coinbase": 68_500}), start=tick)
    assert (tick.state, tick.blind_polls, tick.blind_since) == (PriceState.DISPUTED, 2, at(30))
    tick = run(poll(90, all_at(68_400)), start=tick)
    assert (tick.state, tick.price, tick.blind_polls, tick.blind_since) == (PriceState.FRESH, 6_840_000, 0, None)


def test_a_quorum_of_three_is_not_reached_by_two():
    strict = PricePolicy(quorum=3)
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(68_000) | {"kraken": None, "gemini": None}), policy=strict)
    assert (tick.state, tick.price, tick.as_of) == (PriceState.DEGRADED, 6_850_000, at(-1))
    assert verdicts(tick)["coinbase"] == "unused"
    assert tick.quotes[0].why == "no quorum"


def test_an_outage_leaves_the_last_price_standing_until_it_is_stale_and_recovers():
    nobody = dict.fromkeys(FOUR)
    tick = run(poll(0, all_at(68_500)))
    states = []
    for seconds in range(30, 271, 30):
        tick = run(poll(seconds, nobody), start=tick)
        states.append(tick.state.value)
    assert states == ["degraded"] * 5 + ["stale"] * 4, "180 s after the oldest quote used, not after the poll"
    assert (tick.price, tick.lowest_fresh, tick.blind_polls, tick.blind_since) == (6_850_000, None, 4, at(180))
    assert view(tick, at(270), POLICY).usable is None
    tick = run(poll(300, all_at(68_000)), start=tick)
    assert (tick.state, tick.price, tick.blind_polls) == (PriceState.FRESH, 6_800_000, 0)


def test_without_ever_a_price_there_is_none():
    tick = run(poll(0, dict.fromkeys(FOUR)), poll(30, {"coinbase": 68_500}), poll(600, dict.fromkeys(FOUR)))
    assert (tick.state, tick.price, tick.as_of, tick.blind_polls) == (PriceState.NONE, None, None, 3)
    assert view(tick, at(600), POLICY).state is PriceState.NONE
    assert view(None, at(600), POLICY).state is PriceState.NONE


@pytest.mark.parametrize(("age", "verdict"), [(180, "used"), (181, "stale"), (-180, "used"), (-181, "stale")])
def test_a_quote_is_stale_by_its_own_time(age, verdict):
    tick = run(poll(0, all_at(68_500), age=age))
    assert verdicts(tick)["coinbase"] == verdict
    assert verdicts(tick)["kraken"] == "used"
    assert tick.as_of == (at(-180) if age == 180 else at(0)), "a time ahead of ours makes nothing younger"


def test_a_source_without_a_time_is_stale_after_ten_unchanged_polls():
    tick = run(poll(0, all_at(68_500)))
    frozen = tick.quotes[1]
    states = []
    for n in range(1, 13):
        moving = poll(30 * n, all_at(68_500 - n) | {"kraken": None})
        same = Quote("kraken", 6_850_000, None, at(30 * n), frozen.volume)
        tick = run(Poll(moving.at, FOUR, (*moving.quotes, same)), start=tick)
        states.append((verdicts(tick)["kraken"], tick.state.value))
    assert states == [("used", "fresh")] * 9 + [("stale", "degraded")] * 3
    assert tick.quotes[1].why == "unchanged for 12 polls"
    thawed = run(poll(400, all_at(68_400)), start=tick)
    assert (verdicts(thawed)["kraken"], thawed.quotes[1].unchanged_polls) == ("used", 0)


def test_a_change_of_volume_alone_keeps_a_source_alive():
    tick = run(*(poll(30 * n, all_at(68_500)) for n in range(15)))
    assert tick.state is PriceState.FRESH


def test_polls_that_fail_neither_count_nor_forget():
    tick = run(*(poll(30 * n, all_at(68_500), volume="7") for n in range(9)))
    assert tick.quotes[1].unchanged_polls == 8
    tick = run(*(poll(300 + 30 * n, all_at(68_500) | {"kraken": None}, volume="7") for n in range(3)), start=tick)
    assert (tick.quotes[1].verdict, tick.quotes[1].unchanged_polls) == (Verdict.FAILED, 8)
    tick = run(poll(600, all_at(68_500), volume="7"), poll(630, all_at(68_500), volume="7"), start=tick)
    assert (tick.quotes[1].verdict, tick.quotes[1].unchanged_polls) == (Verdict.STALE, 10)


def test_a_restart_goes_on_counting():
    ticks = [run(*(poll(30 * n, all_at(68_500), volume="7") for n in range(8)))]
    ticks.append(Tick.from_json(json.loads(json.dumps(ticks[0].to_json()))))
    assert ticks[0] == ticks[1]
    more = [poll(300 + 30 * n, all_at(68_500), volume="7") for n in range(5)]
    assert run(*more, start=ticks[0]) == run(*more, start=ticks[1])


def test_a_jump_waits_for_the_next_poll_and_is_then_accepted():
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(56_000)))
    assert (tick.price, tick.as_of, tick.pending) == (6_850_000, at(-1), 5_600_000)
    assert (tick.state, tick.accepted) == (PriceState.FRESH, False)
    assert view(tick, at(30), POLICY).age == timedelta(seconds=31)
    assert tick.quotes[0].why == "a jump that the next poll must confirm"
    tick = run(poll(60, all_at(55_900)), start=tick)
    assert (tick.price, tick.as_of, tick.pending, tick.accepted) == (5_590_000, at(59), None, True)


def test_a_jump_that_does_not_last_never_was():
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(56_000)), poll(60, all_at(68_400)))
    assert (tick.state, tick.price, tick.pending) == (PriceState.FRESH, 6_840_000, None)
    tick = run(poll(90, all_at(56_000)), start=tick)
    assert (tick.price, tick.pending) == (6_840_000, 5_600_000), "it has to be confirmed anew"


def test_a_further_jump_replaces_the_candidate():
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(56_000)), poll(60, all_at(50_000)))
    assert (tick.price, tick.pending) == (6_850_000, 5_000_000)
    tick = run(poll(90, all_at(50_750)), start=tick)
    assert tick.price == 5_075_000, "1.5 % of the candidate away"


def test_only_the_very_next_poll_confirms():
    tick = run(poll(0, all_at(68_500)), poll(30, all_at(56_000)), poll(60, dict.fromkeys(FOUR)))
    assert tick.pending is None
    tick = run(poll(90, all_at(56_000)), start=tick)
    assert (tick.price, tick.pending) == (6_850_000, 5_600_000)


def test_exactly_the_jump_limit_is_no_jump():
    assert run(poll(0, all_at(100)), poll(30, all_at(85))).price == 8_500
    assert run(poll(0, all_at(100)), poll(30, all_at(84.99))).price == 10_000
    assert run(poll(0, all_at(100)), poll(30, all_at(115))).price == 11_500


def test_after_a_long_outage_a_jump_waits_for_one_poll_and_the_price_stays_stale():
    tick = run(poll(0, all_at(68_500)), poll(7_200, dict.fromkeys(FOUR)), poll(7_230, all_at(50_000)))
    assert (tick.state, tick.price, tick.pending, tick.blind_polls) == (PriceState.STALE, 6_850_000, 5_000_000, 2)
    tick = run(poll(7_260, all_at(50_100)), start=tick)
    assert (tick.state, tick.price, tick.blind_polls) == (PriceState.FRESH, 5_010_000, 0)


def test_jumps_that_are_never_confirmed_leave_the_price_to_grow_stale():
    tick = run(poll(0, all_at(68_500)))
    for n in range(1, 8):
        tick = run(poll(30 * n, all_at(50_000 if n % 2 else 34_000)), start=tick)
    assert (tick.state, tick.price) == (PriceState.STALE, 6_850_000)


def test_the_first_price_needs_no_confirmation():
    assert run(poll(0, all_at(3))).price == 300


def test_a_view_judges_age_at_its_own_instant():
    tick = run(poll(0, all_at(68_500), age=10))
    assert view(tick, at(170), POLICY).state is PriceState.FRESH
    late = view(tick, at(171), POLICY)
    assert (late.state, late.usable, late.last, late.age) == (PriceState.STALE, None, 6_850_000, timedelta(seconds=181))
    assert dict(late.references) == {"kraken": 6_850_000, "gemini": 6_850_000}
    assert dict(view(tick, at(181), POLICY).references) == {}
    assert view(tick, at(181), POLICY).lowest_fresh is None


def test_a_dispute_stays_a_dispute_however_late_one_looks():
    tick = run(poll(0, all_at(68_500)), poll(30, {"coinbase": 68_500, "kraken": 34_250}))
    assert view(tick, at(9_999), POLICY).state is PriceState.DISPUTED


def test_a_tick_survives_json():
    tick = run(poll(0.25, all_at(68_500)), poll(30, {"coinbase": 68_500, "kraken": 34_250, "gemini": None}))
    written = json.dumps(tick.to_json())
    assert Tick.from_json(json.loads(written)) == tick
    assert '"state": "disputed"' in written
    empty = Tick(START, PriceState.NONE)
    assert Tick.from_json(json.loads(json.dumps(empty.to_json()))) == empty


def test_one_source_has_one_vote():
    twice = Quote("coinbase", 1, None, START)
    with pytest.raises(ValueError, match="coinbase, coinbase"):
        Poll(START, FOUR, (twice, twice))
    with pytest.raises(ValueError, match="okx"):
        Poll(START, FOUR, (Quote("okx", 1, None, START),))


def test_the_policy_is_the_products():
    assert PricePolicy() == PricePolicy(timedelta(seconds=180), Fraction("0.015"), 2, Fraction("0.15"), 10)
