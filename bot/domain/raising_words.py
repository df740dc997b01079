"""What is said of raising an amount by a day: whether it can be done, what to sell when, the runway, what is short."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.domain.book import Book
from bot.domain.fund import DaySale, Shortfall
from bot.domain.money import (
    Sats,
    half_up,
    show_btc,
    show_btc_up,
    show_percent,
    show_usd,
    show_usd_short,
    show_usd_short_up,
)
from bot.domain.raising import Raising, Runway
from bot.domain.sales_words import fall, planned_at
from bot.domain.words import price_sentence, sentence

MOST_PURPOSES = 3


def raising_heading(found: Raising) -> str:
    """What is asked, and at which price coins are sold."""
    asked = f"Raise {show_usd(found.asked.usd)} by {day_name(found.asked.due)}"
    return f"{asked}, selling at {planned_at(found.view)}" if found.view.usable else f"{asked}: no price to sell at"


def raising_sentence(book: Book, found: Raising) -> str:
    """The answer first: how many coins, or on which day it fails and what would do."""
    if found.plan is None:
        return f"{price_sentence(found.view)} Without a price nothing can be planned."
    short = found.shortfall
    if not found.feasible and short is not None:
        return f"It cannot be raised in time: {_unmet(short)}. {_would_do(book, found, short)}"
    sales = [sale for sale in found.plan.sales if sale.day <= found.asked.due]
    if not sales:
        said = "Nothing is to be sold for it: cash above what stays is enough."
    else:
        mined, free = sum(sale.mined for sale in sales), sum(sale.free for sale in sales)
        parts = [f"{show_btc_up(mined)} newly mined"] if mined else []
        parts += [f"{show_btc_up(free)} free"] if free else []
        said = (
            f"Sell {show_btc_up(mined + free)} BTC by then ({', '.join(parts)}), {show_usd(sum(s.usd for s in sales))} "
            f"after costs: that meets it and all that is due before{_and_later(found, mined)}."
        )
    if short is not None:
        said += f" Later, {_unmet(short)}. {_would_do(book, found, short)}"
    return said


def _and_later(found: Raising, mined: Sats) -> str:
    """Newly mined coins are not kept for later: they may cover the next needs already."""
    later = found.plan is not None and any(need.due > found.asked.due for need in found.plan.needs)
    return ", and helps with what comes later, as newly mined coins are sold as they come" if mined and later else ""


def _unmet(short: Shortfall) -> str:
    return f"on {day_name(short.day)} {_purposes(short)} cannot be paid"


def _purposes(short: Shortfall) -> str:
    named = list(dict.fromkeys(short.purposes))
    if len(named) > MOST_PURPOSES:
        named = [*named[:MOST_PURPOSES], f"{len(named) - MOST_PURPOSES} more"]
    return sentence(named, "and")


def _would_do(book: Book, found: Raising, short: Shortfall) -> str:
    """What would do: dollars, or coins where they are what lacks."""
    if found.more_btc is not None:
        return f"Short by {show_usd_short_up(short.missing)}, or {show_btc_up(found.more_btc)} BTC more free."
    limit = book.treasury.policy.max_daily_btc
    stands = f": at most {show_btc(limit)} BTC a day may be sold (max_daily_btc)" if limit is not None else ""
    return f"Short by {show_usd_short_up(short.missing)}; more coins would not do{stands}."


def runway_lines(found: Raising) -> list[str]:
    """How long it lasts, at each price."""
    return [_runway(found, one) for one in found.runways]


def _runway(found: Raising, one: Runway) -> str:
    fallen = f" ({fall(one.drop)} below the last price)" if one.drop is not None else ""
    at = f"Runway at {show_usd(one.price)}{fallen}"
    short, weeks = one.plan.shortfall, one.plan.runway_weeks
    if short is None or weeks is None:
        return f"{at}: everything due until {day_name(found.until)} is met."
    lasts = f"{weeks} week{'' if weeks == 1 else 's'}, until {day_name(short.day)}"
    return f"{at}: {lasts}; then {_purposes(short)} would lack {show_usd_short_up(short.missing)}."


def expected_line(book: Book, found: Raising) -> str:
    """What is expected to be mined, and how much of it may be sold."""
    if not found.expected.a_month:
        return "No newly mined coins are expected: there is neither a plan nor a whole month to go by."
    months = found.expected.months
    by = f"the mean of {sentence(list(months), 'and')}" if months else "the plan"
    most = book.treasury.policy.sell_of_mined
    part = f", {show_percent(f'{half_up(most * 100)}')} of them to be sold at most" if most != 1 else ""
    return f"Newly mined: {show_btc(half_up(found.expected.a_month))} BTC a month by {by}{part}."


def recorded_note(found: Raising) -> str:
    """That the very amount is recorded for that day already, and that it comes on top; "" where it is not."""
    needs = found.plan.needs if found.plan is not None else ()
    alike = next(
        (n for n in needs if n is not found.asked and (n.due, n.usd) == (found.asked.due, found.asked.usd)), None
    )
    if alike is None:
        return ""
    return f"{show_usd_short(alike.usd)} for {alike.purpose} is recorded for that day already; this is besides it."


def need_lines(found: Raising) -> list[str]:
    """What is to be paid, in order of days."""
    needs = found.plan.needs if found.plan is not None else (found.asked,)
    return [f"{day_name(need.due)}: {show_usd_short(need.usd)} for {need.purpose}" for need in needs]


def sale_runs(found: Raising) -> Iterator[tuple[DaySale, DaySale]]:
    """The first and the last of each run of days on which, to 0.01 BTC, the same coins are sold."""
    first = last = None
    for sale in found.plan.sales if found.plan is not None else ():
        if first is not None and last is not None and _alike(first, sale) and (sale.day - last.day).days == 1:
            last = sale
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = sale
    if first is not None and last is not None:
        yield first, last


def _alike(one: DaySale, other: DaySale) -> bool:
    return (show_btc_up(one.mined), show_btc_up(one.free)) == (show_btc_up(other.mined), show_btc_up(other.free))


def run_line(first: DaySale, last: DaySale) -> str:
    """A run of days in a line: "2-28 Feb: 19.65 BTC a day, newly mined"."""
    days = day_name(first.day) if first is last else f"{day_name(first.day)} to {day_name(last.day)}, each day"
    parts = [f"{show_btc_up(first.mined)} BTC newly mined"] if first.mined else []
    parts += [f"{show_btc_up(first.free)} free BTC"] if first.free else []
    return f"{days}: {sentence(parts, 'and')}"


def day_name(day: date) -> str:
    """A day for people: "Sun 1 Mar 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"
