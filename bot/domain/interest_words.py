"""Interest that is due in cash, in words: for answers, the digest and reminders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.domain.book import Book
from bot.domain.covenant import Exposure
from bot.domain.interest_due import InterestDue, Payment, interest_due
from bot.domain.money import show_usd
from bot.domain.periods import ONE_DAY, local_day
from bot.domain.words import counted


def due_of(book: Book, exposure: Exposure) -> InterestDue | None:
    """What is due of a facility; None of a group, whose facilities each owe their own."""
    if exposure.is_group:
        return None
    return interest_due(book.register.ledger, book.treasury.facility_by_id[exposure.id], book.at)


def interest_lines(book: Book, exposure: Exposure) -> Iterator[str]:
    """What is overdue, then what comes: "Interest: $1,750,000.00 due 1 Mar."; nothing where none is due in cash."""
    owed = due_of(book, exposure)
    if owed is None:
        return
    if owed.overdue:
        yield f"{overdue_phrase(owed, show_usd(owed.overdue_usd))}."
    if owed.next is not None:
        yield f"Interest: {show_usd(owed.next.usd)} {due_phrase(book, owed.next)}."


def overdue_phrase(owed: InterestDue, shown: str) -> str:
    """`shown` is the sum as it is printed: "$1,750,000.00 of interest overdue since 1 Mar (3 days)"."""
    oldest = ", the oldest of it" if len(owed.overdue) > 1 else ""
    since = f" since {day_said(owed.overdue_since, owed.today)}" if owed.overdue_since else ""
    return f"{shown} of interest overdue{oldest}{since} ({counted(owed.days_late, 'day')})"


def due_phrase(book: Book, one: Payment) -> str:
    """ "due 1 Mar", and "due today, 1 Mar" or "due tomorrow, 1 Mar" where it is so for the treasury."""
    today = local_day(book.at, book.treasury.zone)
    near = {today: "today, ", today + ONE_DAY: "tomorrow, "}.get(one.due, "")
    return f"due {near}{day_said(one.due, today)}"


def day_said(day: date, today: date) -> str:
    """A day as people say it: "1 Mar", with its year where that is another than today's."""
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b} {day.year}"
