"""The bitcoin price as the rest of the domain sees it: a number with a state, or the honest absence of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import floor

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
    Of a scenario, `fallen` is the fall asked about (0.20 is 20 %) and `fallen_from` the price that it is taken off.
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
    fallen: Fraction | None = None
    fallen_from: Price | None = None

    @property
    def usable(self) -> Price | None:
        """The price to judge by, in cents per BTC, or None where there is none."""
        return None if self.state.is_blind else self.last

    @classmethod
    def scenario(cls, price: Price) -> PriceView:
        """A price somebody named."""
        return cls(PriceState.SCENARIO, price)

    def fall(self, fallen: Fraction) -> PriceView:
        """What if this price fell by `fallen`, rounded down to the cent; its own age stays. Itself if there is none."""
        if self.last is None:
            return self
        price = floor(self.last * (1 - fallen))
        return PriceView(PriceState.SCENARIO, price, self.as_of, self.age, fallen=fallen, fallen_from=self.last)
