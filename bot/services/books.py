"""Opening the Book: the register and the price at one instant, as one question or check needs them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from bot.domain.alerts import AlertPolicy
from bot.domain.book import Book, Register, marks_needed
from bot.domain.money import Price
from bot.domain.periods import iso
from bot.domain.price import PriceState, PriceView
from bot.domain.quotes import PricePolicy, view
from bot.domain.treasury import Treasury
from bot.services.errors import NothingImportedError, UsageError
from bot.services.ports import Reads, ReadsPast


@dataclass(frozen=True)
class Scenario:
    """A what-if: a price (cents per BTC), or a fall (0.20 is 20 %) off the last accepted price. At most one."""

    price: Price | None = None
    drop: Fraction | None = None


class NoPriceLeftError(UsageError):
    """A fall of nearly everything: what it leaves rounds down to nothing."""


class Books:
    """Opens Books, and keeps the newest register's ledger: building it is most of the work."""

    def __init__(self, alerts: AlertPolicy, prices: PricePolicy) -> None:
        self.alerts = alerts
        self.prices = prices
        self._last: Register | None = None

    def register(self, treasury: Treasury) -> Register:
        """The register with its ledger; kept while the store hands out the same treasury."""
        last = self._last
        if last is None or last.treasury is not treasury:
            self._last = last = Register.of(treasury, self.alerts)
        return last

    def open(self, tx: Reads, at: datetime, scenario: Scenario | None = None) -> Book:
        """Everything true at `at`. NothingImportedError before any import; UsageError before the treasury opened,
        NoPriceLeftError where a scenario's fall leaves none."""
        treasury = tx.treasury()
        if treasury is None:
            raise NothingImportedError
        if at < treasury.opened:
            raise UsageError(f"{iso(at)} is before the treasury opened; ask from {iso(treasury.opened)} on")
        price = _priced(self.price_at(tx, at), scenario)
        midnights = {} if price.state is PriceState.NONE else self._midnights(tx, treasury, at)
        return Book(self.register(treasury), at, price, midnights)

    def open_past(self, tx: ReadsPast, at: datetime, scenario: Scenario | None = None) -> Book:
        """As `open`, of an instant that is over: with what is dated before it and was recorded only after it."""
        return replace(self.open(tx, at, scenario), late=tx.recorded_after(at))

    def price_at(self, tx: Reads, at: datetime) -> PriceView:
        """The price as it was known at `at`, its age and state judged then."""
        return view(tx.last_tick(at), at, self.prices)

    def _midnights(self, tx: Reads, treasury: Treasury, at: datetime) -> dict[datetime, PriceView]:
        return {instant: self.price_at(tx, instant) for instant in marks_needed(treasury, at)}


def _priced(known: PriceView, scenario: Scenario | None) -> PriceView:
    if scenario is None:
        return known
    if scenario.price is not None:
        return PriceView.scenario(scenario.price)
    fallen = known if scenario.drop is None else known.fall(scenario.drop)
    if fallen.last == 0:  # every drop is under 100 %, and half a cent is still no price
        raise NoPriceLeftError("That fall leaves less than a cent, which is no price: ask about a smaller one.")
    return fallen
