"""What is said of a month's production: headlines and bodies of its alerts, and the lines of `/production`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.money import half_up, percent_plain, show_btc, show_percent, show_usd
from bot.domain.periods import iso
from bot.domain.production import MonthProduction
from bot.domain.report import Report, Sale, share, statement_due
from bot.domain.words import price_sentence

_CENT = 10**6
"""A hundredth of a coin, in satoshis."""


class MonthCheck(StrEnum):
    """What is checked of a month, as alert keys name it."""

    SOLD_OVER_MINED = "sold-over-mined"
    BEHIND_PLAN = "behind-plan"
    ROLL_FORWARD = "roll-forward"
    STATEMENT_MISSING = "statement-missing"
    CASH_COST = "cash-cost"


def month_name(month: str) -> str:
    """ "January 2026" of "2026-01"."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def called(month: str, check: MonthCheck) -> str:
    """An alert by what it is about: "January 2026, sold over its limit"."""
    return f"{month_name(month)}, {_CALLED[check]}"


def headline(book: Book, report: Report, check: MonthCheck, reached: bool | None) -> str:
    """The first line of an alert; where the check finds nothing any more, how it stands."""
    name = month_name(report.month.month)
    match check:
        case MonthCheck.SOLD_OVER_MINED:
            return f"{name}: sold {sold_of_mined(report)}{_limit(book, reached)}"
        case MonthCheck.BEHIND_PLAN:
            stands = "is behind plan" if reached else "is not behind plan"
            return f"{name} {stands}: {against_plan(report) or 'nothing is planned'}"
        case MonthCheck.ROLL_FORWARD:
            within = " within what is tolerated" if report.month.gap else ""
            stands = "does not roll forward" if reached else f"rolls forward{within}"
            return f"{name} {stands}: {gap_phrase(report.month)}"
        case MonthCheck.STATEMENT_MISSING:
            return f"{name} has no statement" if report.month.statement is None else f"{name} has its statement"
        case MonthCheck.CASH_COST:
            side = {True: "is under", False: "is over", None: "may be under"}[reached]
            cost = show_usd(report.cash_cost) if report.cash_cost is not None else "not stated"
            if report.has_ended:  # whatever the price is
                return f"{name} is over: its cash cost, {cost} a coin, is no longer watched"
            return f"Bitcoin {side} the cash cost of {name}: {cost} a coin"


def closing_headline(book: Book, report: Report, check: MonthCheck, reached: bool | None) -> str:
    """The first line of an alert that has ended: it was put right, or its month is no longer watched."""
    if not reached:
        return headline(book, report, check, reached)
    return f"{month_name(report.month.month)} is no longer watched for this. {headline(book, report, check, reached)}"


def body(book: Book, report: Report, check: MonthCheck) -> str:
    """Everything under the headline, a paragraph a line: the numbers it rests on, and the next step."""
    return "\n".join(_BODIES[check](book, report))


def title(report: Report) -> str:
    """What a report is of: "January 2026", "February 2026 so far (6 days over)", "November 2025 to January 2026"."""
    first, last = month_name(report.months[0].month), month_name(report.month.month)
    named = last if len(report.months) == 1 else f"{first} to {last}"
    return named if report.has_ended else f"{named} so far ({report.days} day{'' if report.days == 1 else 's'} over)"


def summary(report: Report) -> str:
    """A report in one line."""
    moved = f"mined {show_btc(report.mined)} BTC, sold {show_btc(report.sold)} BTC"
    return f"{title(report)}: {moved}, {show_btc(report.closing)} BTC held"


def lines(book: Book, report: Report) -> Iterator[str]:
    """Everything under the summary, a sentence or two a line: how it rolls forward, against plan, sales, statement."""
    if not report.months[0].is_whole:
        opened = iso(book.treasury.opened)
        yield f"The treasury opened in its course ({opened}): what was mined and sold before is not in it."
    yield f"Opening {roll_forward(report)}."
    if parts := parts_of_other(report):
        yield f"Other: {parts}."
    if mined := "; ".join(_mined(report)):
        yield f"{mined}."
    if report.sold:
        yield f"Sold {sold_of_mined(report)}."
    if sale := report.sale:
        gross = f"{show_usd(sale.price)} a coin before fees, " if sale.price is not None else ""
        after = "after" if gross else "a coin after fees"
        net = f": {gross}{show_usd(sale.net_price)} {after}" if sale.net_price is not None else ""
        yield f"Received {show_usd(sale.usd)}{net}."
    if cost := cost_sentence(book, report):
        yield cost
    yield from _statements(report)


def places(report: Report) -> Iterator[str]:
    """Where it was mined, the most first: "Oman, Salalah: 120.50 BTC, 24.28 %"."""
    for one in report.mined_at:
        part = share(one, report)
        said = f", {show_percent(percent_plain(part))}" if part is not None else ""
        yield f"{one.place}: {show_btc(one.btc)} BTC{said}"


def sale_line(sale: Sale) -> str:
    """One order: "A at OTC: 10.00 BTC for $700,000.00, $70,000.00 a coin after fees"."""
    venue = f" at {sale.venue}" if sale.venue else ""
    price = f", {show_usd(sale.net_price)} a coin after fees" if sale.net_price is not None else ""
    return f"{sale.name}{venue}: {show_btc(sale.btc)} BTC for {show_usd(sale.usd)}{price}"


def cost_sentence(book: Book, report: Report) -> str:
    """The cash cost of a coin and what is left over it: of the coins sold, else at the price now; "" if not stated."""
    cost, sale, now = report.cash_cost, report.sale, book.price.usable
    if cost is None:
        return ""
    said = f"Cash cost {show_usd(cost)} a coin"
    price = sale.net_price if sale else None
    if price is not None:
        return f"{said}; margin of the coins sold {show_usd(price - cost)} a coin after fees."
    if now is not None and not report.has_ended:
        return f"{said}; margin {show_usd(now - cost)} a coin at the price now."
    return f"{said}."


def _mined(report: Report) -> Iterator[str]:
    if report.per_day:
        yield f"Mined {_about(report.per_day)} BTC a day"
    if planned := against_plan(report):
        yield planned


def _statements(report: Report) -> Iterator[str]:
    """Each month's statement held against its movements."""
    for month in report.months:
        name = "" if len(report.months) == 1 else f" of {month_name(month.month)}"
        if (stated := month.statement) is not None:
            is_over = report.has_ended or month is not report.month  # before, more is mined than it can know
            gap = f"; gap {signed_btc(month.gap) if month.gap else '0.00'} BTC" if month.gap is not None else ""
            said = f"mined {show_btc(stated.mined)}, sold {show_btc(stated.sold)}, held {show_btc(stated.held)} BTC"
            yield f"Statement{name}: {said}{gap if is_over else ''}."
        elif month.is_whole and (report.has_ended or month is not report.month):
            yield f"Statement{name}: none."


def roll_forward(report: Report) -> str:
    """Opening and what changed it: "7,528.30 + mined 496.35 − sold 550.03 + other 0.00 = 7,474.62 BTC"."""
    other = f"{'−' if report.other < 0 else '+'} other {show_btc(abs(report.other))}"
    moved = f"{show_btc(report.opening)} + mined {show_btc(report.mined)} − sold {show_btc(report.sold)}"
    return f"{moved} {other} = {show_btc(report.closing)} BTC"


def parts_of_other(report: Report) -> str:
    """What `other` is made of: "adjustments −0.25, fees −0.03"; "" where it is nothing."""
    parts = {
        "adjustments": sum(month.adjustments for month in report.months),
        "costs": sum(month.costs for month in report.months),
        "fees": sum(month.fees for month in report.months),
        "repaid in kind": sum(month.in_kind for month in report.months),
    }
    return ", ".join(f"{name} {signed_btc(amount)}" for name, amount in parts.items() if amount)


def signed_btc(amount: int) -> str:
    return f"{'−' if amount < 0 else '+'}{show_btc(abs(amount))}"


def sold_of_mined(report: Report) -> str:
    """ "550.03 BTC, 110.81 % of the 496.35 BTC mined"."""
    if report.mined <= 0:
        undone = f": {show_btc(-report.mined)} BTC more reversed than mined" if report.mined else ""
        return f"{show_btc(report.sold)} BTC, none mined{'' if report.has_ended else ' yet'}{undone}"
    part = show_percent(percent_plain(Fraction(report.sold, report.mined)))
    return f"{show_btc(report.sold)} BTC, {part} of the {show_btc(report.mined)} BTC mined"


def against_plan(report: Report) -> str:
    """ "496.35 of 550.00 BTC planned, 9.76 % short"; of a month under way, what was planned for the days that are
    over. "" without a plan, or before the first day is over."""
    if not report.plan:
        return ""
    days = "" if report.has_ended else f" for {report.plan_days} day{'s' if report.plan_days > 1 else ''}"
    off = Fraction(report.mined_of_plan - report.plan, report.plan)
    part = percent_plain(abs(off))
    by = f"{show_percent(part)} {'short' if off < 0 else 'over'}" if part != "0.00" else "as planned"
    return f"{show_btc(report.mined_of_plan)} of {_about(report.plan)} BTC planned{days}, {by}"


def gap_phrase(month: MonthProduction) -> str:
    """How the statement differs from the movements, in coins held."""
    if month.gap is None:
        return "there is no statement to hold it against" if month.statement is None else "it began before the opening"
    if not month.gap:
        return f"the statement and the movements both hold {show_btc(month.closing)} BTC"
    more = "more" if month.gap > 0 else "less"
    return f"the statement holds {show_btc(abs(month.gap))} BTC {more} than the movements"


def _about(coins: int) -> str:
    """Coins that were worked out and not counted: two places, half-up."""
    return show_btc(half_up(Fraction(coins, _CENT)) * _CENT)


def _limit(book: Book, reached: bool | None) -> str:
    limit = book.treasury.policy.sold_over_mined_limit
    if limit is None:
        return ""
    return f"; the limit is {show_percent(percent_plain(limit))}" if reached else ", within the limit again"


def _sold_over_mined(book: Book, report: Report) -> Iterator[str]:
    limit = book.treasury.policy.sold_over_mined_limit
    allowed = int((limit if limit is not None else 1) * max(report.mined, 0))
    if report.sold > allowed:
        yield f"{show_btc(report.sold - allowed)} BTC more than {_months_limit(report)} allows."
    yield f"Opening {roll_forward(report)}."
    if sale := report.sale:
        yield sales_phrase(sale.usd, sale.net_price, len(report.sales))


def _months_limit(report: Report) -> str:
    return "the limit" if report.has_ended else "the limit so far"


def sales_phrase(usd: int, price: int | None, orders: int) -> str:
    """What all sales brought in."""
    average = f", {show_usd(price)} a coin after fees" if price is not None else ""
    return f"Received {show_usd(usd)}{average}, in {orders} sale{'s' if orders > 1 else ''}."


def _behind_plan(book: Book, report: Report) -> Iterator[str]:
    a_month = book.treasury.policy.plan_btc_per_month or 0
    tolerance = show_percent(percent_plain(book.treasury.policy.plan_tolerance))
    if report.per_day is not None and not report.has_ended:
        pace = f"{_about(report.per_day)} BTC a day so far"
        yield f"{pace}; the plan is {show_btc(a_month)} BTC for the month, {tolerance} short is tolerated."
    else:
        yield f"The plan is {show_btc(a_month)} BTC a month, {tolerance} short is tolerated."


def _rolled(_book: Book, report: Report) -> Iterator[str]:
    yield f"By the movements: {roll_forward(report)}."
    if parts := parts_of_other(report):
        yield f"Other: {parts}."
    stated = report.month.statement
    if stated is not None:
        said = f"mined {show_btc(stated.mined)}, sold {show_btc(stated.sold)}, held {show_btc(stated.held)} BTC"
        yield f"By the statement: {said}."
    yield "Record the movement that is missing, or a restated statement."


def _unstated(book: Book, report: Report) -> Iterator[str]:
    due = statement_due(book, report.month.month)
    when = f"It was due by {due.day} {due:%B}. " if due is not None else ""
    yield f"{when}By the movements: {roll_forward(report)}."
    yield f"Record it: plimsoll import a file with the [[statement]] of {report.month.month}."


def _cash_cost(book: Book, report: Report) -> Iterator[str]:
    price, cost = book.price.usable, report.cash_cost
    yield price_sentence(book.price)
    if price is not None and cost is not None and price < cost and not report.has_ended:
        yield f"Each coin mined costs {show_usd(cost - price)} more than it is worth."


_CALLED = {
    MonthCheck.SOLD_OVER_MINED: "sold over its limit",
    MonthCheck.BEHIND_PLAN: "behind plan",
    MonthCheck.ROLL_FORWARD: "a gap in the roll-forward",
    MonthCheck.STATEMENT_MISSING: "no statement",
    MonthCheck.CASH_COST: "price under the cash cost",
}
_BODIES = {
    MonthCheck.SOLD_OVER_MINED: _sold_over_mined,
    MonthCheck.BEHIND_PLAN: _behind_plan,
    MonthCheck.ROLL_FORWARD: _rolled,
    MonthCheck.STATEMENT_MISSING: _unstated,
    MonthCheck.CASH_COST: _cash_cost,
}
