"""The bitcoin price as the rest of the domain sees it: a number with a state, or the honest absence of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.money import Price


class PriceState(StrEnum):
    FRESH = "fresh"
    DEGRADED = "degraded"
    DISPUTED = "disputed"
    STALE = "stale"
    NONE = "none"
    SCENARIO = "scenario"

    @property
    def is_blind(self) -> bool:
        """Whether there is no price to judge by: LTV is unknown, never fine."""
        return self in (PriceState.DISPUTED, PriceState.STALE, PriceState.NONE)


@dataclass(frozen=True)
class PriceView:
    """What is known of the price at one instant.

    `last` (cents per BTC) is the price asked about, or the last accepted one; `as_of` its own instant (None for a
    price somebody named) and `age` how old it is now. It counts as a price only where `usable` gives it.
    `references` are fresh quotes by source name, for lenders that test on one venue. `lowest_fresh` is the lowest
    fresh quote of the last poll, `blind_polls` how many polls in a row left no price and `blind_since` the first.
    """

    state: PriceState
    last: Price | None = None
    as_of: datetime | None = None
    age: timedelta | None = None
    sources: tuple[str, ...] = ()
    references: Mapping[str, Price] = field(default_factory=dict)
    lowest_fresh: Price | None = None
    blind_polls: int = 0
    blind_since: datetime | None = None

    @property
    def usable(self) -> Price | None:
        """The price to judge by, in cents per BTC, or None where there is none."""
        return None if self.state.is_blind else self.last

    @classmethod
    def scenario(cls, price: Price, as_of: datetime | None = None, age: timedelta | None = None) -> PriceView:
        """A price somebody asked about; `as_of` and `age` are those of the price it was derived from, if any."""
        return cls(PriceState.SCENARIO, price, as_of, age)
