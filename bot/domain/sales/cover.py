"""Cover: the recommended sale and its alternatives side by side (contract §7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from bot.domain.book import Book
from bot.domain.money import show_usd
from bot.domain.price import PriceView
from bot.domain.sales import reasons
from bot.domain.sales.booking import booked
from bot.domain.sales.nothing import liquidations, sold_off
from bot.domain.sales.plan import EVERY_WAY, Alternative, Answer, Missing, Name, Need, Scenario, Way
from bot.domain.sales.settling import Found, Known, Search
from bot.domain.sales.situation import needs_of, patient_of
from bot.domain.sales.sources import sources_of
from bot.domain.sales.verifying import judge
from bot.domain.words import price_sentence

_WAYS = {
    Name.TOP_UP: frozenset({Way.TOP_UP}),
    Name.CASH: frozenset({Way.CASH}),
    Name.FREE: frozenset({Way.SELL_FREE}),
    Name.PLEDGED: frozenset({Way.SELL_PLEDGED}),
}


def plan_cover(book: Book, scenario: Scenario | None = None) -> Answer:
    """What brings everything that would be at a call line back to its target, and what each way comes to.

    `scenario` is the price to plan at; without one the policy's `withstand_drop`, else the last price. Every plan in
    the answer has been carried out through the ledger and held against every limit; one that fails is not feasible.
    """
    view = (scenario or Scenario()).view(book.price, book.treasury.policy.withstand_drop)
    if view.usable is None:
        return Answer(book.at, view, why=f"{price_sentence(view)} Without a price nothing can be recommended.")
    needs = tuple(needs_of(book, view))
    if not needs:
        return Answer(book.at, view, why=f"Nothing would be at a call line at {show_usd(view.usable)}.")
    known: Known = {}
    recommended = alternative(book, view, needs, Name.RECOMMENDED, known=known)
    others = [alternative(book, view, needs, name, ways, known=known) for name, ways in _WAYS.items()]
    if not recommended.feasible:
        others += _with_reserves_broken(book, view, needs, known)
    others.append(_nothing(book, view, needs))
    return Answer(book.at, view, needs, recommended, (recommended, *others))


def cover_now(book: Book, key: str | None = None) -> tuple[tuple[Need, ...], Alternative | None]:
    """What needs a cure at the Book's own price, and the recommended plan for it; None where nothing does.

    With `key` that of one facility or group alone, with what is cured together with it.
    """
    if book.price.usable is None:
        return (), None
    every = tuple(needs_of(book, book.price))
    named = {patient_of(book, need) for need in every if key in (None, need.key)}
    needs = tuple(need for need in every if patient_of(book, need) in named)
    if not needs:
        return (), None
    aside = tuple(need for need in every if need not in needs)
    return needs, alternative(book, book.price, needs, Name.RECOMMENDED, aside=aside)


def alternative(
    book: Book,
    view: PriceView,
    needs: tuple[Need, ...],
    name: Name,
    ways: frozenset[Way] = EVERY_WAY,
    *,
    keep_reserves: bool = True,
    aside: tuple[Need, ...] = (),
    known: Known | None = None,
) -> Alternative:
    """The best plan that uses only `ways`; one that is not feasible says what is missing.

    `aside` is what needs a cure too, and is not planned for; `known` keeps what alternatives of the same needs have
    read off the Book already.
    """
    sources = sources_of(book, view, [*needs, *aside], keep_reserves=keep_reserves)
    search = Search(book, view, needs, sources, ways, known={} if known is None else known)
    return best_of(search, name, keep_reserves=keep_reserves, aside=aside)


def best_of(
    search: Search, name: Name = Name.RECOMMENDED, *, keep_reserves: bool = True, aside: tuple[Need, ...] = ()
) -> Alternative:
    """The best plan of `search`, carried out and judged; one that is not feasible says what is missing."""
    book, view, found = search.book, search.view, search.best()
    if found is None or found.draft is None:
        missing = _missing(search, found)
        why = reasons.why_not(search, missing)
        return Alternative(name, feasible=False, why=why, missing=missing, breaks_reserves=not keep_reserves)
    plan = booked(book, found)
    left = [need.key for need in aside]
    judged = judge(book, view, plan.movements, plan.legs, keep_reserves=keep_reserves, aside=left)
    if judged.complaints:
        why = f"The plan does not hold: {'; '.join(judged.complaints)}."
        return Alternative(name, feasible=False, why=why, breaks_reserves=not keep_reserves)
    made = Alternative(
        name=name,
        feasible=True,
        legs=plan.legs,
        repayments=plan.repayments,
        movements=plan.movements,
        after=judged.after,
        balances=judged.balances,
        proven=found.proven,
        breaks_reserves=not keep_reserves,
    )
    return replace(made, notes=tuple(reasons.notes(search, made)))


def _missing(search: Search, found: Found | None) -> Missing:
    """Dollars and time always; coins where the alternative would use free ones. What fills up the reserves is in it."""
    sources = search.sources
    coins = search.missing_coins() if search.ways & {Way.TOP_UP, Way.SELL_FREE} else None
    return Missing(
        usd=ceil(found.solution.short) + sources.under_usd if found is not None and found.solution.short else None,
        btc=ceil(coins) + sources.under_btc if coins else None,
        later=search.missing_time(),
    )


def _with_reserves_broken(book: Book, view: PriceView, needs: tuple[Need, ...], known: Known) -> Iterator[Alternative]:
    """The mix that goes into the reserves, where there are any and that helps."""
    policy = book.treasury.policy
    if policy.reserve_btc or policy.min_cash_usd:
        broken = alternative(book, view, needs, Name.BROKEN, keep_reserves=False, known=known)
        if broken.feasible:
            yield broken


def _nothing(book: Book, view: PriceView, needs: tuple[Need, ...]) -> Alternative:
    """What becomes of it without a plan: what lenders may sell, and how things stand once they have."""
    sold = liquidations(book, view, needs)
    judged = judge(book, view, sold_off(book, sold), ())
    return Alternative(
        name=Name.NOTHING,
        feasible=False,
        why=reasons.if_nothing(book, view, needs, sold),
        liquidations=sold,
        after=judged.after,
        balances=judged.balances,
    )
