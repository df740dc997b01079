"""The month-end report: a month's production, ready to be checked and stated, on the first working day after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain.audit import Head
from bot.domain.book import Book
from bot.domain.digest_words import Part, Told, late_note, noted
from bot.domain.periods import ONE_DAY, SATURDAY, local_day, local_instant
from bot.domain.production import month_ends, month_key
from bot.domain.production_checks import found_in
from bot.domain.production_words import gap_phrase, lines, month_name, places, sale_line, summary
from bot.domain.report import Report, month_report, statement_due
from bot.domain.restated import late_for_months, restated_note
from bot.domain.treasury import Treasury

_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """A month that is over, and when its report is due."""

    month: str
    due_at: datetime


def last_month_end(treasury: Treasury, at: time, now: datetime) -> MonthEnd:
    """The last month whose report is due by `now`: at the local time `at` of the first working day after its end.

    Months end where the mines' days do; a working day is a weekday of the treasury's zone that no calendar closes.
    """
    zone = treasury.production_zone
    month = month_key(now, zone)
    while True:
        month = month_key(datetime.combine(date.fromisoformat(f"{month}-01"), time.min, zone) - _TICK, zone)
        found = MonthEnd(month, _due(treasury, at, month_ends(month, zone)))
        if found.due_at <= now:
            return found


def _due(treasury: Treasury, at: time, ends: datetime) -> datetime:
    day = local_day(ends, treasury.zone)
    while not _is_working_day(treasury, day) or local_instant(day, at, treasury.zone) < ends:
        day += ONE_DAY
    return local_instant(day, at, treasury.zone)


def _is_working_day(treasury: Treasury, day: date) -> bool:
    return day.weekday() < SATURDAY and all(calendar.is_open_day(day) for calendar in treasury.calendars.values())


def report_told(book: Book, month: str, said_at: datetime, sealed: Head | None = None) -> Told:
    """The report as of `book`, as it is posted at `said_at`."""
    about = month_report(book, month)
    found = tuple(f"{headline}." for finding, headline in found_in(book, about) if not finding.unknown)
    parts = [
        Part("Production", tuple(lines(book, about))),
        Part("To be looked at", found),
        Part("Mined at", tuple(places(about)) if about.names_places else ()),
        Part("Sold", tuple(sale_line(one) for one in about.sales)),
    ]
    return Told(
        headline=summary(about),
        advice=_advice(book, about),
        parts=tuple(part for part in parts if part.lines),
        note=noted(
            late_note(book.at, said_at, book.treasury.zone), restated_note(book, late_for_months(book, [month]))
        ),
        seal=f"Audit log: {sealed.phrase}" if sealed is not None else "",
    )


def _advice(book: Book, about: Report) -> str:
    """What is to be done with it."""
    month = about.month
    if month.statement is not None:
        return f"It is stated: {gap_phrase(month)}."
    due = statement_due(book, month.month)
    by = f", by {due.day} {due:%b}" if due is not None else ""
    which = month_name(month.month)
    return f"Check it and record the statement of {which}{by}: what it holds is compared with the movements."
