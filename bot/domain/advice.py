"""One recommendation in one sentence: the cure of what is worst, or that nothing is to be done and what is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.calls import Call, CallState
from bot.domain.checks import Verdict
from bot.domain.covenant import Cures, Reading
from bot.domain.money import half_up, plain, show_usd
from bot.domain.periods import END_OF_TIME
from bot.domain.sales import cover_now
from bot.domain.sales.reasons import least
from bot.domain.sales_words import lowered, plan_sentence
from bot.domain.wording import aimed_cures, amounts, cure_sentence, line_name
from bot.domain.words import moment


def advice(book: Book, verdicts: Sequence[Verdict]) -> str:
    """What to do first, given every facility and group; where that cannot be known, so it says."""
    standing = [one for one in verdicts if one.calls or one.reading.reached]
    if standing:
        return _cure(book, max(standing, key=_urgency))
    if any(not one.reading.known for one in verdicts):
        return "Without a price LTVs are unknown and nothing can be recommended: find out why the sources give none."
    return _nearest(verdicts)


def _urgency(verdict: Verdict) -> tuple[bool, int, int, timedelta, Fraction]:
    """What lacks something, the worst level, the worst line reached or called, the earliest deadline, the highest LTV.

    A call of which nothing is missing waits for the lender's word alone.
    """
    lacks = bool(verdict.reading.reached) or any(call.missing for call in verdict.calls)
    worst = verdict.reading.worst
    kinds = [call.tier.kind for call in verdict.calls] + ([worst.tier.kind] if worst else [])
    dues = [call.due for call in verdict.calls if call.due is not None]
    lenders = verdict.reading.lenders
    severity = max((kind.severity for kind in kinds), default=-1)
    return (
        lacks,
        int(verdict.level or 0),
        severity,
        END_OF_TIME - min(dues, default=END_OF_TIME),
        lenders or Fraction(0),
    )


def _cure(book: Book, verdict: Verdict) -> str:
    reading, calls = verdict.reading, verdict.calls
    waiver = book.waiver(reading.exposure)
    waived = f" (waived until {moment(waiver.until, book.treasury.zone, book.at)})" if waiver else ""
    first = f"{reading.exposure.title} first{waived}, {_where(book, verdict)}"
    if calls and not calls[0].missing and not reading.reached:
        return f"{first}; nothing of it is missing: get the lender's word that it is met, and record that."
    aim = aimed_cures(book, reading, calls) if reading.known else None
    if calls and (aim is None or not aim.repay):
        return f"{first}."
    if aim is None:
        return f"{first}; its terms name no LTV to bring it to."
    return f"{first}; {_how(book, reading, aim)}"


def _how(book: Book, reading: Reading, aim: Cures) -> str:
    """The recommended sale for it alone; where there is none, each way by itself, and what a plan lacks."""
    needs, plan = cover_now(book, reading.exposure.key)
    if plan is not None and plan.feasible and plan.legs:
        return lowered(plan_sentence(book, book.price, needs, plan))
    said = lowered(cure_sentence(book, reading, aim))
    lacks = plan.missing if plan is not None else None
    return f"{said} Within all limits no plan does it. {least(lacks)}" if lacks is not None else said


def _where(book: Book, verdict: Verdict) -> str:
    """The call with its clock, or the line that is reached."""
    if verdict.calls:
        return _called(book, verdict.calls[0])
    worst = verdict.reading.worst
    return f"at its {line_name(worst.tier)}" if worst else "at its line"


def _called(book: Book, call: Call) -> str:
    """An open call: its clock, and what of it is missing."""
    missing = f", missing {amounts(call.missing_btc, call.missing_usd)}" if call.missing else ""
    if call.due is None:
        return f"called without a deadline{missing}"
    due = moment(call.due, book.treasury.zone, book.at)
    if call.state is CallState.MISSED:
        return f"called, deadline MISSED (it was due {due}){missing}"
    return f"called, due {due}{missing}"


def _nearest(verdicts: Sequence[Verdict]) -> str:
    """That nothing is to be done, and which line the price would meet first."""
    lines = [
        (tier.headroom, one.reading.exposure.title, tier)
        for one in verdicts
        for tier in one.reading.tiers
        if tier.headroom is not None and tier.price and one.reading.exposure.tested
    ]
    if not lines:
        return "Nothing is to be done: nothing that is owed has a line."
    headroom, title, tier = min(lines, key=lambda line: line[0])
    far, where = plain(half_up(abs(headroom) * 10_000), 2), "below" if headroom >= 0 else "above"
    return (
        f"Nothing is to be done: the nearest line is {title}'s {line_name(tier.tier)} "
        f"at {show_usd(tier.price or 0)}, {far} % {where} the price."
    )
