"""What people ask of recommended sales: a price or a fall as typed, refused where it leaves no price."""

from __future__ import annotations

from bot.domain.book import Book
from bot.domain.sales import Answer, plan_cover
from bot.domain.sales import Scenario as PlanScenario
from bot.services.books import NoPriceLeftError, Scenario


def recommended(book: Book, scenario: Scenario | None = None) -> Answer:
    """The recommended sale at `scenario`, else at the policy's withstand_drop off the Book's own price.

    NoPriceLeftError where a fall leaves none.
    """
    asked = PlanScenario(scenario.price, scenario.drop) if scenario is not None else PlanScenario()
    if asked.view(book.price, book.treasury.policy.withstand_drop).usable == 0:
        raise NoPriceLeftError("That fall leaves less than a cent, which is no price: ask about a smaller one.")
    return plan_cover(book, asked)
