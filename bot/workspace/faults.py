"""Ways in which Slack, or the line to it, lets a caller down. Used as `workspace.on(method, fault, times=1)`.

A fault says what happens to one request: whether Slack takes it, and what the caller hears. The two are independent,
and the cases where they differ (`accept_then_reset`, `late_arrival`) are the ones that post twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.workspace.model import Due, Json
from bot.workspace.state import State

Ending = Literal["answer", "reset", "http_500"]


@dataclass(frozen=True)
class Fault:
    """What befalls a request. `before` and `after` are seconds of silence around taking it; `ending` is what is heard.

    `takes` False: Slack never acts on it. `late` (seconds): Slack acts on it after the line was cut.
    `lag` (seconds): what is posted, or what history shows, is that far behind. `body`: answered instead of acting.
    """

    name: str
    takes: bool = True
    before: float = 0
    after: float = 0
    ending: Ending = "answer"
    late: float | None = None
    lag: float = 0
    body: Json | None = None
    status: int = 200
    retry_after: int | None = None

    @property
    def only_delays(self) -> bool:
        """Whether the request still gets its proper answer, so that another fault may act on it too."""
        return self.takes and self.ending == "answer" and self.late is None and self.body is None


http_500 = Fault("http_500", takes=False, ending="http_500")
accept_then_500 = Fault("accept_then_500", ending="http_500")
reset = Fault("reset", takes=False, ending="reset")
accept_then_reset = Fault("accept_then_reset", ending="reset")


def error(code: str) -> Fault:
    """Slack refuses: {"ok": false, "error": code}."""
    return Fault(code, takes=False, body={"ok": False, "error": code})


def ratelimited(retry_after: int = 1) -> Fault:
    """429 with Retry-After in seconds."""
    body = {"ok": False, "error": "ratelimited"}
    return Fault("ratelimited", takes=False, body=body, status=429, retry_after=retry_after)


def accept_then_hang(seconds: float) -> Fault:
    """Slack takes it, says nothing for `seconds`, then the connection is cut."""
    return Fault("accept_then_hang", after=seconds, ending="reset")


def hang(seconds: float) -> Fault:
    """Silence for `seconds`, then the connection is cut; Slack never took it."""
    return Fault("hang", takes=False, before=seconds, ending="reset")


def slow(seconds: float) -> Fault:
    """The proper answer, `seconds` late."""
    return Fault("slow", before=seconds)


def lagging_history(seconds: float) -> Fault:
    """What is posted appears in history only `seconds` later (on a post), or history is that far behind (on a read)."""
    return Fault("lagging_history", lag=seconds)


def late_arrival(seconds: float) -> Fault:
    """The connection is cut at once; Slack takes the request `seconds` later, by its own clock or the real one."""
    return Fault("late_arrival", ending="reset", late=seconds)


OFFLINE = replace(reset, name="offline")


Chooser = Callable[[str, Json], Sequence[Fault]]
"""What a call of a method with these arguments meets, besides what is armed. Called in the request's own thread."""


@dataclass
class _Armed:
    fault: Fault
    left: int | None


class Faults:
    """The faults that are armed, by method. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: dict[str, list[_Armed]] = {}
        self.is_offline = False
        self.chooser: Chooser | None = None

    def arm(self, method: str, fault: Fault, times: int | None) -> None:
        """Let the next `times` calls of a method meet a fault (None: all, until cleared); "*" is every method."""
        with self._lock:
            self._armed.setdefault(method, []).append(_Armed(fault, times))

    def clear(self, method: str | None = None) -> None:
        """Disarm one method's faults, or all."""
        with self._lock:
            if method is None:
                self._armed.clear()
            else:
                self._armed.pop(method, None)

    def meet(self, method: str, args: Json) -> list[Fault]:
        """What this call meets: all delays and lags, and the first fault of another kind, armed ones before chosen."""
        met = self._meet_armed(method)
        for fault in self.chooser(method, args) if self.chooser else ():
            if fault.only_delays or all(f.only_delays for f in met):
                met.append(fault)
        return met

    def _meet_armed(self, method: str) -> list[Fault]:
        with self._lock:
            if self.is_offline:
                return [OFFLINE]
            met: list[Fault] = []
            for armed in [*self._armed.get(method, []), *self._armed.get("*", [])]:
                if armed.left == 0 or not (armed.fault.only_delays or all(f.only_delays for f in met)):
                    continue
                armed.left = None if armed.left is None else armed.left - 1
                met.append(armed.fault)
            return met


class LateArrivals:
    """Requests that were cut off and reach Slack later: by a timer, or once the workspace's clock has got there."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._waiting: list[tuple[Due, Callable[[], Any], threading.Timer]] = []

    def add(self, seconds: float, take: Callable[[], Any]) -> None:
        """Have `take` run `seconds` from now, once."""
        timer = threading.Timer(seconds, self.run_due)
        timer.daemon = True
        with self._lock:
            self._waiting.append((self._state.due_in(seconds), take, timer))
        timer.start()

    def run_due(self) -> None:
        """Take what has arrived by now."""
        now = self._state.now()
        with self._lock:
            arrived = [item for item in self._waiting if item[0].reached(now)]
            self._waiting = [item for item in self._waiting if item not in arrived]
        for _, take, timer in arrived:
            timer.cancel()
            take()

    def cancel(self) -> None:
        """Forget them: the workspace is closing."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, _, timer in waiting:
            timer.cancel()


class Limiter:
    """Token buckets by key, on the monotonic clock: a workspace's clock that jumps must not refill them."""

    def __init__(self, per_second: float | None, burst: int) -> None:
        self.per_second, self.burst = per_second, burst
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_for(self, key: str) -> float:
        """Take one token. Returns 0 when there was one, else the seconds until there will be (none is taken)."""
        if self.per_second is None:
            return 0
        with self._lock:
            now = time.monotonic()
            tokens, since = self._buckets.get(key, (float(self.burst), now))
            tokens = min(float(self.burst), tokens + (now - since) * self.per_second)
            self._buckets[key] = (max(tokens - 1, 0) if tokens >= 1 else tokens, now)
            return 0 if tokens >= 1 else (1 - tokens) / self.per_second
