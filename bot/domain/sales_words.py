"""What is said of a recommended sale: one sentence first, then each thing to do. One text for Slack and the CLI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.covenant import Exposure, Reading, TierReading, read
from bot.domain.money import half_up, plain, show_btc, show_btc_up, show_percent, show_usd
from bot.domain.plans import Made
from bot.domain.price import PriceState, PriceView
from bot.domain.sales.plan import After, Alternative, Answer, Leg, Name, Need, Repayment, Way
from bot.domain.terms import TierKind
from bot.domain.wording import line_name
from bot.domain.words import capital, dated, price_phrase, sentence, span

MOST_NAMED = 3
"""Of many lenders a sentence names so many, and counts the rest."""
NO_PLAN = "No plan cures everything"
NO_SALE = "nothing to sell or pay for the cure target, but the lender's call is open"
"""Of a plan that does nothing: only an open call asks for one where nothing is over its target."""


def planned_at(view: PriceView) -> str:
    """The price that a plan trades at, and what it is: "$47,950.00 (30 % below the last price, $68,500.00)"."""
    if view.last is None:
        return "no price yet"
    if view.fallen is not None and view.fallen_from is not None:
        aged = f", {span(view.age)} old" if view.age is not None else ""
        return f"{show_usd(view.last)} ({fall(view.fallen)} below the last price, {show_usd(view.fallen_from)}{aged})"
    return price_phrase(view)


def fall(ratio: Fraction) -> str:
    """A fall as it was typed: "30 %", "12.5 %"."""
    return plain(half_up(ratio * 10**8), 6).rstrip("0").rstrip(".") + " %"


def heading(answer: Answer) -> str:
    """What is answered, at which price."""
    if answer.view.usable is None:
        return "No price, and so no recommended sale"
    what_if = answer.view.state is PriceState.SCENARIO and answer.view.fallen is None
    market = ": a scenario, not the market" if what_if else ""
    if answer.recommended is None:
        return f"Nothing to sell at {show_usd(answer.view.usable)}{market}"
    price = show_usd(answer.view.usable) if what_if else planned_at(answer.view)
    return f"Recommended sale at {price}{market}"


def recommendation(book: Book, answer: Answer) -> str:
    """The answer in a sentence or two: what to do and what it comes to; that nothing is; or what stands in the way."""
    if answer.recommended is None:
        return _nothing_to_do(book, answer)
    if answer.recommended.feasible:
        return plan_sentence(book, answer.view, answer.needs, answer.recommended)
    said = f"{NO_PLAN} at {show_usd(answer.view.usable or 0)}. {answer.recommended.why}"
    broken = next((one for one in answer.alternatives if one.name is Name.BROKEN), None)
    if broken is None:
        return said
    return f"{said} With the reserves broken: {lowered(plan_sentence(book, answer.view, answer.needs, broken))}"


def plan_sentence(book: Book, view: PriceView, needs: Sequence[Need], plan: Alternative) -> str:
    """A feasible plan: "Sell 909.10 free BTC, repay Antalpha $49,750,000.00: LTV 77.92 % → 65.00 %, call line …"."""
    done = ", ".join(_doing(book, plan)) or NO_SALE
    came = [_comes_to(book, view, need, plan, alone=len(needs) == 1) for need in needs[:MOST_NAMED]]
    if len(needs) > MOST_NAMED:
        came.append(f"and {len(needs) - MOST_NAMED} more")
    return f"{capital(done)}: {'; '.join(came)}."


def _doing(book: Book, plan: Alternative) -> Iterator[str]:
    """Coins rounded up to 0.01 BTC, dollars to the cent."""
    if plan.sell_free:
        released = sum(leg.btc for leg in plan.legs if leg.way is Way.SELL_FREE and leg.released_from)
        yield f"sell {show_btc_up(plan.sell_free)} free BTC{_released(released)}"
    if plan.sell_pledged:
        where = _by_holder(book, plan.legs, Way.SELL_PLEDGED)
        yield f"sell {_listed([f'{show_btc_up(btc)} BTC pledged to {name}' for name, btc in where.items()])}"
    if plan.top_up:
        where = _by_holder(book, plan.legs, Way.TOP_UP)
        yield f"pledge {_listed([f'{show_btc_up(btc)} BTC to {name}' for name, btc in where.items()])}"
    if plan.repayments:
        cash = sum(leg.usd for leg in plan.legs if leg.way is Way.CASH)
        to = [f"{title(book, one.facility)} {show_usd(one.principal + one.interest)}" for one in plan.repayments]
        yield f"repay {_listed(to)}{_from_cash(cash, plan.repaid or 0)}"


def _released(btc: int) -> str:
    return f" ({show_btc_up(btc)} of them once released)" if btc else ""


def _from_cash(cash: int, repaid: int) -> str:
    if not cash:
        return ""
    return " from cash" if cash == repaid else f" ({show_usd(cash)} of it from cash)"


def _by_holder(book: Book, legs: Sequence[Leg], way: Way) -> dict[str, int]:
    found: dict[str, int] = {}
    for leg in legs:
        if leg.way is way:
            name = holder(book, leg.facility)
            found[name] = found.get(name, 0) + leg.btc
    return found


def _listed(parts: Sequence[str]) -> str:
    if len(parts) <= MOST_NAMED:
        return sentence(list(parts), "and")
    return f"{', '.join(parts[:MOST_NAMED])} and {len(parts) - MOST_NAMED} more"


def _comes_to(book: Book, view: PriceView, need: Need, plan: Alternative, *, alone: bool) -> str:
    name = "" if alone else f"{need.title} "
    now, then = reading_now(book, view, need), after_of(plan, need)
    if then is None or not then.reading.exposure.tested:
        return f"{name}nothing owed then"
    line = f", call line then {show_usd(then.call_price)}" if then.call_price else ""
    return f"{name}LTV {ltv(now)} → {ltv(then.reading)}{line}"


def reading_now(book: Book, view: PriceView, need: Need) -> Reading:
    """What needs a cure as it is now, at the price of the plan."""
    return read(_exposure(book, need), view)


def after_of(plan: Alternative, need: Need) -> After | None:
    """The same once `plan` is carried out; None where nothing is owed then, or there is no plan."""
    return next((one for one in plan.after if one.id == need.id and one.is_group == need.is_group), None)


def _exposure(book: Book, need: Need) -> Exposure:
    return next(one for one in book.exposures if one.key == need.key)


def ltv(reading: Reading) -> str:
    """The LTV that lines are tested on; without one, why."""
    shown = reading.show(reading.lenders)
    if shown is not None:
        return show_percent(shown)
    return "without coins" if reading.exposure.uncovered else "unknown"


def title(book: Book, facility: str) -> str:
    """A facility as people call it; by its id where it is no longer recorded, as of an old plan it may be."""
    known = book.treasury.facility_by_id.get(facility)
    return book.snapshot.title(known) if known is not None else facility


def holder(book: Book, facility: str) -> str:
    """Who holds a facility's coins: its lender, or its group's pool."""
    known = book.treasury.facility_by_id.get(facility)
    pool = book.treasury.pool_of(known) if known is not None else None
    return f"the pool of {pool.id}" if pool is not None else title(book, facility)


def lowered(text: str) -> str:
    """A sentence as the second half of another."""
    return text[:1].lower() + text[1:]


def _nothing_to_do(book: Book, answer: Answer) -> str:
    if answer.view.usable is None or answer.needs:
        return answer.why
    said = f"Nothing would be at a call line at {planned_at(answer.view)}."
    nearest = _nearest(book, answer.view)
    if nearest is None:
        return f"{said} Nothing that is owed has one."
    reading, line = nearest
    far = plain(half_up((line.headroom or Fraction(0)) * 10_000), 2)
    name = f"{reading.exposure.title}'s {line_name(line.tier)}"
    return f"{said} The nearest is {name} at {show_usd(line.price or 0)}, another {far} % below."


def _nearest(book: Book, view: PriceView) -> tuple[Reading, TierReading] | None:
    """The call line, or worse, that the price would meet first."""
    ahead = [
        (tier.headroom, index, reading, tier)
        for index, reading in enumerate(read(exposure, view) for exposure in book.exposures)
        for tier in reading.tiers
        if tier.headroom is not None and tier.price and reading.exposure.tested and not tier.reached
        if tier.tier.kind.severity >= TierKind.CALL.severity
    ]
    if not ahead:
        return None
    _, _, reading, tier = min(ahead, key=lambda one: one[:2])
    return reading, tier


def steps(book: Book, plan: Alternative | Made, order: str = "") -> list[str]:
    """What to do, one thing a line: exact amounts, from where, when it can leave and is credited, who must agree.

    `order` is what sales are to be recorded with.
    """
    return [*(_step(book, leg, order) for leg in plan.legs), *(_pay(book, plan, one) for one in plan.repayments)]


def _step(book: Book, leg: Leg, order: str) -> str:
    coins, name = f"{show_btc(leg.btc)} BTC", title(book, leg.facility)
    first = f"once {title(book, leg.released_from)} has released them, " if leg.released_from else ""
    times = f"{first}from {_when(book, leg.starts)}, credited {_when(book, leg.credited_at)}"
    if leg.way is Way.CASH:
        return f"Send {show_usd(leg.usd)} of {leg.account} to {name}: {times}."
    if leg.way is Way.TOP_UP:
        return f"Pledge {coins} of {leg.account} to {holder(book, leg.facility)}: {times}."
    brings = f"{show_usd(leg.usd)} after costs into {leg.through}" + (f", order “{order}”" if order else "")
    if leg.way is Way.SELL_FREE:
        return f"Sell {coins} of {leg.account}, {brings}: dollars leave {times}."
    agrees = f"; {name} must agree first" if leg.asks else ""
    return f"Have {holder(book, leg.facility)} sell {coins} of its collateral, {brings}: {times}{agrees}."


def _pay(book: Book, plan: Alternative | Made, one: Repayment) -> str:
    parts = [f"{show_usd(one.principal)} of principal"] if one.principal else []
    parts += [f"{show_usd(one.interest)} of interest"] if one.interest else []
    settles = max((m.at for m in plan.movements if m.facility == one.facility), default=book.at)
    return f"Repay {title(book, one.facility)} {sentence(parts, 'and')}, credited by {_when(book, settles)}."


def _when(book: Book, instant: datetime) -> str:
    return dated(instant, book.treasury.zone)
