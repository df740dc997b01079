"""Slots: the round instants at which work that many processes share is due, and who has taken one on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.periods import iso

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Slots are whole multiples from here: a daily one begins at midnight UTC."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One turn of one job, due at `due_at`. Whoever computes it from the same instant computes the same.

    `label` is what it is kept as where its instant is not its name, as a week's ("2026-W06") is not.
    """

    job: str
    due_at: datetime
    label: str = ""

    @property
    def name(self) -> str:
        """As it is kept: its instant, "2026-02-07T12:00:30Z", or its label."""
        return self.label or iso(self.due_at)


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that `by` has taken on. `attempt` counts its takers, so that none is mistaken for a later one."""

    slot: Slot
    by: str
    attempt: int


def last_due(every: timedelta, now: datetime) -> datetime:
    """The latest multiple of `every` at or before `now`."""
    return EPOCH + (now - EPOCH) // every * every


def next_due(every: timedelta, now: datetime) -> datetime:
    """The first multiple of `every` after `now`."""
    return last_due(every, now) + every
