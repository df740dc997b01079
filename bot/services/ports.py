"""What services ask of the world. The store, the clock and the messenger satisfy these; tests may pass their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bot.domain.quotes import Tick
from bot.domain.treasury import Treasury

Clock = Callable[[], datetime]
"""Gives the present instant, aware, in UTC."""


class Reads(Protocol):
    """What a question reads, within one transaction."""

    def treasury(self) -> Treasury | None:
        """The whole register, or None before any import. The same object while nothing was recorded."""
        ...

    def last_tick(self, at: datetime | None = None) -> Tick | None:
        """The newest price poll at or before `at`."""
        ...
