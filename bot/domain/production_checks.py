"""Checks of the monthly totals: one alert a month and check, off unless the policy sets its limit.

A month's sales and plan are watched until the month after it is over: what can no longer be changed must not stand for
ever. Its statement is asked for one month longer; months that were never stated must not all be asked for at once. Only
a gap is watched for every month, as it can be mended at any time, and the cash cost only while coins are mined at it.
Coins are compared exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

from bot.domain import production_words
from bot.domain.alert import Finding, Line
from bot.domain.book import Book
from bot.domain.periods import midnight
from bot.domain.production import month_ends, month_key
from bot.domain.production_words import MonthCheck
from bot.domain.report import Report, month_report, months_until, statement_due, this_month
from bot.domain.terms import Level

PLAN_FROM_DAY = 7
"""The day of the month from which it may be behind plan: before, one day's coins are too much of it."""


def production_findings(book: Book) -> Iterator[Finding]:
    """What there is to say of every month that is watched for something."""
    now = this_month(book)
    for month in months_until(book, now) if _is_any_set(book) else []:
        checks = [check for check in MonthCheck if _is_watched(book, month, check)]
        if checks:
            yield from _found(book, month_report(book, month), checks)


def cash_cost_findings(book: Book) -> Iterator[Finding]:
    """The price held against what this month's coins cost: all that the price decides about production."""
    yield from _found(book, month_report(book, this_month(book)), [MonthCheck.CASH_COST])


def found_in(book: Book, report: Report) -> Iterator[tuple[Finding, str]]:
    """What there is to say of one month, whether it is still watched for that or not, each with its headline."""
    for finding in _found(book, report, list(MonthCheck)):
        _, check = named(finding.key)
        yield finding, production_words.headline(book, report, check, reached=None if finding.unknown else True)


def found_lines(book: Book, report: Report) -> Iterator[tuple[str, str]]:
    """The same as levels and sentences."""
    for finding, headline in found_in(book, report):
        yield finding.level_word, f"{finding.level_word.capitalize()}: {headline}."


def is_reached(book: Book, report: Report, check: MonthCheck) -> bool | None:
    """Whether `check` finds something in a single month; None where there is no price to tell by."""
    return report.month.is_whole and _REACHED[check](book, report)


def named(key: str) -> tuple[str, MonthCheck]:
    """The month and the check of an alert's key: "production:2026-01:roll-forward"."""
    _, month, check = key.split(":")
    return month, MonthCheck(check)


def _found(book: Book, report: Report, checks: list[MonthCheck]) -> Iterator[Finding]:
    for check in checks:
        key = f"production:{report.month.month}:{check}"
        reached = is_reached(book, report, check)
        say = partial(production_words.body, book, report, check)
        if reached is None:
            yield Finding(key, unknown=True, say=say)
        elif reached:
            by_price = check is MonthCheck.CASH_COST
            yield Finding(key, (Line(check, 0, Level.WARNING, reached=True, cleared=False, held=by_price),), say=say)


def _is_any_set(book: Book) -> bool:
    policy = book.treasury.policy
    limits = (policy.sold_over_mined_limit, policy.plan_btc_per_month, policy.rollforward_tolerance_btc)
    return bool(book.treasury.cash_costs) or any(x is not None for x in (*limits, policy.statement_due_day))


def _is_watched(book: Book, month: str, check: MonthCheck) -> bool:
    now = this_month(book)
    match check:
        case MonthCheck.ROLL_FORWARD:
            return True
        case MonthCheck.CASH_COST:
            return month == now
        case MonthCheck.STATEMENT_MISSING:
            return now in (_next(book, month), _next(book, _next(book, month)))
        case _:
            return now in (month, _next(book, month))


def _next(book: Book, month: str) -> str:
    """The month after `month`."""
    zone = book.treasury.production_zone
    return month_key(month_ends(month, zone), zone)


def _is_sold_over_mined(book: Book, report: Report) -> bool:
    """Where more is reversed than mined, nothing is allowed; but who sells nothing sells none too many."""
    limit = book.treasury.policy.sold_over_mined_limit
    return limit is not None and report.sold > limit * max(report.mined, 0)


def _is_behind_plan(book: Book, report: Report) -> bool:
    tolerance = book.treasury.policy.plan_tolerance
    if report.plan is None or not (report.has_ended or report.days >= PLAN_FROM_DAY - 1):
        return False
    return report.mined_of_plan < report.plan * (1 - tolerance)


def _has_gap(book: Book, report: Report) -> bool:
    """Only of a month that is over: in its course more is mined and sold than a statement can know."""
    tolerance, gap = book.treasury.policy.rollforward_tolerance_btc, report.month.gap
    return report.has_ended and tolerance is not None and gap is not None and abs(gap) > tolerance


def _lacks_statement(book: Book, report: Report) -> bool:
    due = statement_due(book, report.month.month)
    if due is None or report.month.statement is not None:
        return False
    return book.at >= midnight(due + timedelta(days=1), book.treasury.production_zone)


def _is_under_cash_cost(book: Book, report: Report) -> bool | None:
    if report.cash_cost is None or report.has_ended:
        return False
    return None if book.price.usable is None else book.price.usable < report.cash_cost


_REACHED: Mapping[MonthCheck, Callable[[Book, Report], bool | None]] = {
    MonthCheck.SOLD_OVER_MINED: _is_sold_over_mined,
    MonthCheck.BEHIND_PLAN: _is_behind_plan,
    MonthCheck.ROLL_FORWARD: _has_gap,
    MonthCheck.STATEMENT_MISSING: _lacks_statement,
    MonthCheck.CASH_COST: _is_under_cash_cost,
}
