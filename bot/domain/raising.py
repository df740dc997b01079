"""How an amount is raised by a day, besides what is to be paid anyway: *Fund* (contract §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.fund import Funding, Shortfall, more_coins
from bot.domain.money import Cents, Price, Sats
from bot.domain.outlook import Expected, expected, funding, horizon, means
from bot.domain.price import PriceView
from bot.domain.sales.plan import Scenario
from bot.domain.treasury import Need

ASKED = "the amount asked for"
"""What a need is for that is in no file."""


@dataclass(frozen=True, slots=True)
class Runway:
    """How long needs are met when selling at `price` (cents per BTC), `drop` under the last one where it is a fall."""

    price: Price
    drop: Fraction | None
    plan: Funding


@dataclass(frozen=True)
class Raising:
    """The schedule at the price of `view` that raises `asked` and meets what falls due until `until`.

    `plan` None: there is no price. `more_btc` are the fewest free coins more (satoshis) with which the first day that
    cannot be met could be; None where every day can, or coins alone would not do. `runways` are at the price of `view`
    and, where the policy names a fall to withstand, at that.
    """

    asked: Need
    until: date
    view: PriceView
    expected: Expected
    plan: Funding | None = None
    more_btc: Sats | None = None
    runways: tuple[Runway, ...] = ()

    @property
    def shortfall(self) -> Shortfall | None:
        return self.plan.shortfall if self.plan is not None else None

    @property
    def feasible(self) -> bool:
        """Whether what was asked for is there on its day, and everything due before it."""
        return self.plan is not None and (self.shortfall is None or self.shortfall.day > self.asked.due)


def raising(book: Book, usd: Cents, by: date, scenario: Scenario | None = None) -> Raising:
    """How `usd` is raised by `by`, selling at the price of `scenario`, else the last one.

    `by` is no day before the Book's.
    """
    asked = Need(by, usd, ASKED)
    view = scenario.view(book.price, None) if scenario is not None else book.price
    found = Raising(asked, horizon(book, [asked]), view, expected(book))
    if not view.usable:
        return found
    plan = funding(book, view.usable, found.until, [asked])
    runways = [Runway(view.usable, view.fallen, plan)]
    withstand = book.treasury.policy.withstand_drop
    if withstand is not None and withstand != view.fallen and (low := book.price.fall(withstand)).usable:
        runways.append(Runway(low.usable or 0, withstand, funding(book, low.usable or 0, found.until, [asked])))
    more = more_coins(means(book), plan, book.treasury.policy, view.usable)
    return Raising(asked, found.until, view, found.expected, plan, more, tuple(runways))
