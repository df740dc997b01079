"""Runs cases in batches, each on a bot of its own, and counts."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, quote_plus

from bot.workspace.model import Call

from .cases import RESPONSE, TRIGGER, Case, Cases
from .oracle import (
    found_in_acknowledgement,
    found_in_answer,
    found_in_calls,
    found_in_logs,
    found_in_records,
)
from .surface import Specimen, specimens
from .world import CHANNEL, TREASURER, Served, World, world

BATCH = 1_000
"""Cases that one bot gets, one after another."""
BEAT = 100
"""After so many cases the bot polls, checks and posts; its clock has gone on by then."""
STEP_S = 0.5
TALKATIVE = 10
"""In the first of so many batches each line for debugging is looked at, too."""


@dataclass(frozen=True)
class Failure:
    """What was found wrong with case `number`, or with what the batch from `first` on had come to by then."""

    number: int
    first: int
    kind: str
    found: tuple[str, ...]
    sent: str


@dataclass
class Result:
    """Counts of many cases: requests by kind and status; the slowest answer of each kind in seconds."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    unsigned: int = 0

    def __iadd__(self, other: Result) -> Result:
        self.cases += other.cases
        self.statuses += other.statuses
        self.said += other.said
        self.failures += other.failures
        self.unsigned += other.unsigned
        for kind, seconds in other.slowest.items():
            self.slowest[kind] = max(seconds, self.slowest.get(kind, 0.0))
        return self


def known_specimens() -> list[Specimen]:
    """What a person can send, tried out on a bot that is thrown away."""
    with world() as tried:
        return specimens(tried.surface, tried)


def run(seed: str, numbers: Sequence[int], known: Sequence[Specimen], database_url: str = "") -> Result:
    """The cases of `numbers`, one after another, on one new bot."""
    cases, result = Cases(known, seed), Result()
    with world(database_url, logs_everything=numbers[0] // BATCH % TALKATIVE == 0) as bot:
        _look(bot, result, None, numbers[0], numbers[0], [])
        for count, number in enumerate(numbers, 1):
            case = cases[number]
            _put(bot, case, result, number, numbers[0])
            if count % BEAT == 0 or count == len(numbers):
                bot.beats()
                _look(bot, result, None, number, numbers[0], [])
        found = tuple(found_in_records(bot))
        if found:
            result.failures.append(Failure(numbers[-1], numbers[0], "records", found, ""))
    return result


def run_all(seed: str, numbers: Sequence[range], at_once: int, tell: Callable[[int, Result], None]) -> Result:
    """Every batch, `at_once` of them at a time; `tell` hears of each how many cases are done by then."""
    result, known = Result(), known_specimens()
    spawning = multiprocessing.get_context("spawn")  # a fork would take along locks that a thread of ours holds
    with ProcessPoolExecutor(min(at_once, len(numbers)), mp_context=spawning) as processes:
        done = 0
        for cases, one in zip(numbers, processes.map(partial(_batch, seed, known), numbers), strict=True):
            result += one
            done += len(cases)
            tell(done, one)
    return result


def _batch(seed: str, known: Sequence[Specimen], numbers: range) -> Result:
    return run(seed, numbers, known)


def _put(bot: World, case: Case, result: Result, number: int, first: int) -> None:
    """Sends one case, as often as it says, and looks at all that came of it."""
    result.cases[case.kind] += 1
    body = _issued(bot, case)
    found: list[str] = []
    for again in range(case.times):
        served = bot.serve(body, _headers(case, body, again), target=f"/slack/events{case.target}")
        bot.quiet()
        calls = bot.taken_calls()
        found += found_in_answer(case, served)
        found += found_in_acknowledgement(bot, case, served, calls) if not again else ()
        found += found_in_calls(calls)
        _count(result, case, served, calls)
    bot.forgets_dialogs()
    bot.clock.passes(STEP_S)
    _look(bot, result, case, number, first, found)


def _look(bot: World, result: Result, case: Case | None, number: int, first: int, found: list[str]) -> None:
    """Notes what was `found`, with what the logs say and what was said to Slack by itself."""
    calls = bot.taken_calls()
    found = [*found, *found_in_calls(calls), *found_in_logs(case, *bot.logs.take())]
    result.said.update(call.method for call in calls)
    if found:
        sent = repr(case)[:1_500] if case else ""
        kept = tuple(dict.fromkeys(found))
        result.failures.append(Failure(number, first, case.kind if case else "beat", kept, sent))


def _count(result: Result, case: Case, served: Served, calls: Sequence[Call]) -> None:
    result.statuses[case.kind, served.status] += 1
    result.unsigned += not case.signing.sound
    result.slowest[case.kind] = max(served.seconds, result.slowest.get(case.kind, 0.0))
    result.said.update(call.method for call in calls)


def _issued(bot: World, case: Case) -> bytes:
    """The body with a trigger id and an address to answer at, as Slack gives each request its own."""
    trigger = bot.slack._tickets.trigger(TREASURER)
    response = bot.slack._payloads._response_url(bot.slack._tickets.reply(TREASURER, CHANNEL))
    body = case.body.replace(TRIGGER.encode(), trigger.encode())
    for here, there in _spellings(RESPONSE, response):
        body = body.replace(here.encode(), there.encode())
    return body


def _spellings(one: str, other: str) -> Iterator[tuple[str, str]]:
    """As it stands in JSON, in a form, and in JSON in a form."""
    yield one, other
    yield quote(one), quote(other)
    yield quote_plus(one), quote_plus(other)


def _headers(case: Case, body: bytes, again: int) -> dict[str, str]:
    made = {"Content-Type": case.content_type, **case.headers, **case.signing.headers(body)}
    if again:
        made |= {"X-Slack-Retry-Num": str(again), "X-Slack-Retry-Reason": "http_timeout"}
    return made


def batches(count: int) -> Iterator[range]:
    """The numbers of `count` cases, by batch."""
    for first in range(0, count, BATCH):
        yield range(first, min(first + BATCH, count))
