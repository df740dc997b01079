"""About one message a second a channel, bursts tolerated: Slack's own measure, kept before it has to say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Addressed(Protocol):
    @property
    def channel(self) -> str: ...

    @property
    def kind(self) -> str: ...


R = TypeVar("R", bound=Addressed)


class Pace:
    """Token buckets by channel, on the monotonic clock: it is about real traffic. Edits are not counted."""

    def __init__(
        self, per_second: float = 1.0, burst: int = 3, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def next_of(self, rows: Sequence[R]) -> tuple[R, float]:
        """The first of `rows` whose channel has room (0 s to wait), else the one that has to wait least, and how long.

        Taking one with room uses it up.
        """
        waits = [(self._wait(row), index) for index, row in enumerate(rows)]
        wait, index = min(waits, key=lambda pair: (pair[0], pair[1]))
        row = rows[index]
        if not wait:
            self._use(row)
        return row, wait

    def _wait(self, row: Addressed) -> float:
        if row.kind not in ("post", "reply"):
            return 0.0
        tokens = self._tokens(row.channel)
        return 0.0 if tokens >= 1 else (1 - tokens) / self._per_second

    def _use(self, row: Addressed) -> None:
        if row.kind in ("post", "reply"):
            self._buckets[row.channel] = (self._tokens(row.channel) - 1, self._monotonic())

    def _tokens(self, channel: str) -> float:
        tokens, since = self._buckets.get(channel, (float(self._burst), self._monotonic()))
        return min(float(self._burst), tokens + (self._monotonic() - since) * self._per_second)
