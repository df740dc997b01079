"""The line to Slack: what each call meets, who made it, and the blows that fall just as it arrives."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from bot.workspace import faults
from bot.workspace.faults import Fault
from bot.workspace.model import Json

SETTLE_AFTER_S = 4.0
TIME_OUT_S = 3.0
"""What the bot makes of SETTLE_AFTER for its own calls."""
WITHIN_S = SETTLE_AFTER_S - 1.2
"""What arrives or shows late in the first series does so within this, from the request on; a look may lag a little, so
an arrival and a lag share it."""
POSTS, EDITS, LOOKS = "chat.postMessage", "chat.update", ("conversations.history", "conversations.replies")
POLLS = "a poll"
"""Of a price source; the others are methods of Slack's."""


@dataclass(frozen=True)
class Heard:
    """One call as it arrived. `about`: the delivery it posts, or the message it edits."""

    at: float
    method: str
    pid: int | None
    about: str


@dataclass(frozen=True)
class Blow:
    """What is to befall the process that makes the next call: death at once, or after a moment; or a standstill."""

    kill: bool
    after: float = 0.0
    freeze: float = 0.0


@dataclass
class _Armed:
    blow: Blow
    methods: tuple[str, ...]


class Line:
    """`meet` is the workspace's chooser of faults. `beyond`: late arrivals are later than SETTLE_AFTER, too."""

    def __init__(
        self,
        chance: random.Random,
        owner: Callable[[int], int | None],
        strike: Callable[[Heard, Blow], None],
        *,
        beyond: bool,
    ) -> None:
        self._chance = chance
        self._owner = owner
        self._strike = strike
        self._beyond = beyond
        self._guard = threading.Lock()
        self._armed: _Armed | None = None
        self.is_calm = False
        self.met: Counter[str] = Counter()
        self.heard: list[Heard] = []
        self.working: set[int | None] = set()
        """Every process that has got as far as to ask for a price or to call Slack."""

    def arm(self, blow: Blow, *methods: str) -> None:
        """Let `blow` fall on whoever makes the next call of one of these methods."""
        with self._guard:
            self._armed = _Armed(blow, methods)

    def disarm(self) -> Blow | None:
        """The blow that has not fallen yet, if there is one: now it will not."""
        with self._guard:
            was, self._armed = self._armed, None
            return was.blow if was else None

    @property
    def armed(self) -> bool:
        with self._guard:
            return self._armed is not None

    def meet(self, method: str, args: Json) -> list[Fault]:
        """What a call of the Web API meets."""
        pid = self._owner(int(request.environ["REMOTE_PORT"]))
        heard = Heard(time.monotonic(), method, pid, _about(args))
        with self._guard:
            self.heard.append(heard)
            self.working.add(pid)
            met = [] if self.is_calm else self._chosen(method)
            for fault in met:
                self.met[fault.name] += 1
        self._fall(heard)
        return met

    def polled(self, port: int) -> None:
        """A price source was asked."""
        pid = self._owner(port)
        self.working.add(pid)
        self._fall(Heard(time.monotonic(), POLLS, pid, ""))

    def _fall(self, heard: Heard) -> None:
        with self._guard:
            armed = self._armed
            if armed is None or heard.method not in armed.methods or heard.pid is None:
                return
            self._armed = None
        self._strike(heard, armed.blow)

    def _chosen(self, method: str) -> list[Fault]:
        chance = self._chance
        if method == POSTS:
            return _first(chance, self._posting())
        if method == EDITS:
            return _first(chance, self._editing())
        if method in LOOKS:
            return _first(chance, self._looking())
        return _first(chance, [(0.05, [faults.ratelimited(1)]), (0.04, [faults.http_500]), (0.04, [faults.reset])])

    def _posting(self) -> list[tuple[float, list[Fault]]]:
        late = self._chance.uniform(0.2, WITHIN_S / 2)
        lag = faults.lagging_history(self._chance.uniform(0.2, WITHIN_S / 2))
        beyond = faults.late_arrival(self._chance.uniform(SETTLE_AFTER_S + 0.5, SETTLE_AFTER_S + 5))
        return [
            (0.20 if self._beyond else 0.0, [beyond]),
            *_refused(),
            (0.05, [faults.accept_then_500]),
            (0.05, [faults.accept_then_reset]),
            (0.04, [lag, faults.accept_then_reset]),
            (0.02, [faults.hang(TIME_OUT_S + 0.5)]),
            (0.03, [faults.accept_then_hang(TIME_OUT_S + 0.5)]),
            (0.05, [faults.slow(self._chance.uniform(0.1, WITHIN_S - 0.4))]),
            (0.04, [faults.late_arrival(late)]),
            (0.04, [lag, faults.late_arrival(late)]),
            (0.04, [faults.lagging_history(self._chance.uniform(0.2, WITHIN_S))]),
        ]

    def _editing(self) -> list[tuple[float, list[Fault]]]:
        return [
            *_refused(),
            (0.05, [faults.accept_then_500]),
            (0.05, [faults.accept_then_reset]),
            (0.02, [faults.hang(TIME_OUT_S + 0.5)]),
            (0.02, [faults.accept_then_hang(TIME_OUT_S + 0.5)]),
            (0.06, [faults.slow(self._chance.uniform(0.1, WITHIN_S - 0.4))]),
            (0.10, [faults.late_arrival(self._chance.uniform(0.2, WITHIN_S))]),
        ]

    def _looking(self) -> list[tuple[float, list[Fault]]]:
        return [
            *_refused(),
            (0.02, [faults.hang(TIME_OUT_S + 0.5)]),
            (0.05, [faults.slow(self._chance.uniform(0.1, 2.0))]),
            (0.10, [faults.lagging_history(self._chance.uniform(0.2, WITHIN_S / 2))]),
        ]


def _refused() -> list[tuple[float, list[Fault]]]:
    """Slack does not take it, and says so or drops the line."""
    return [
        (0.05, [faults.ratelimited(1)]),
        (0.04, [faults.http_500]),
        (0.05, [faults.reset]),
        (0.03, [faults.error("internal_error")]),
    ]


def _first(chance: random.Random, choices: list[tuple[float, list[Fault]]]) -> list[Fault]:
    roll = chance.random()
    for weight, met in choices:
        roll -= weight
        if roll < 0:
            return met
    return []


def _about(args: Json) -> str:
    metadata = args.get("metadata")
    if metadata:
        return str(metadata)
    return str(args.get("ts") or "")
