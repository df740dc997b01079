"""What the next four weeks bring: deadlines, payments, terms that change, waivers and silences that end, statements.

Interest that is overdue is among them, on the day on which it was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from bot.domain.alert import Silence
from bot.domain.book import Book
from bot.domain.calls import CallState, open_calls
from bot.domain.interest import begun_day
from bot.domain.interest_due import interest_due, payments
from bot.domain.interest_words import overdue_phrase
from bot.domain.maturity import maturities
from bot.domain.money import percent_plain, show_percent, show_usd_short
from bot.domain.periods import ONE_DAY, midnight
from bot.domain.production import latest_statement, month_begins, month_key
from bot.domain.production_words import month_name
from bot.domain.report import statement_due
from bot.domain.silencing import about
from bot.domain.terms import Facility, Terms
from bot.domain.wording import amounts
from bot.domain.words import sentence

AHEAD = timedelta(weeks=4)
_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Ahead:
    """Something that falls due. `day`: it is a whole local day, which begins at `at`; else it is that very instant."""

    at: datetime
    kind: str
    text: str
    day: date | None = None


def dates_ahead(book: Book, silences: tuple[Silence, ...]) -> list[Ahead]:
    """What is overdue, and what comes in the four weeks after the Book, in order. A day counts while it lasts."""
    until = book.at + AHEAD
    found = [*_calls(book), *_needs(book), *_statements(book)]
    for facility in book.treasury.facilities:
        found += [*_interest(book, facility, until), *_maturity(book, facility, until)]
        found += [*_amendments(book, facility), *_waivers(book, facility)]
    found += [Ahead(one.until, "silence", f"silence of {about(one)} ends ({one.reason})") for one in silences]
    coming = [one for one in found if one.at <= until and _ends(one) > book.at]
    late = [one for facility in book.treasury.facilities for one in _overdue(book, facility)]
    return sorted([*late, *coming], key=lambda one: one.at)


def _ends(one: Ahead) -> datetime:
    return one.at if one.day is None else one.at + ONE_DAY


def _calls(book: Book) -> Iterator[Ahead]:
    for call in open_calls(book):
        if call.due is not None and call.state is not CallState.MISSED:
            title = book.snapshot.exposure(call.notice.facility, call.notice.group).title
            missing = f"missing {amounts(call.missing_btc, call.missing_usd)}"
            yield Ahead(call.due, "call", f"deadline of {title}'s call “{call.notice.ref}”, {missing}")


def _needs(book: Book) -> Iterator[Ahead]:
    for need in book.treasury.needs:
        at = midnight(need.due, book.treasury.zone)
        yield Ahead(at, "need", f"{show_usd_short(need.usd)} needed for {need.purpose}", need.due)


def _interest(book: Book, facility: Facility, until: datetime) -> Iterator[Ahead]:
    """What a facility that pays its interest owes on the first of a month, if nothing is paid until then."""
    today = begun_day(book.at, facility.zone)
    for one in payments(book.register.ledger, facility, book.at):
        at = midnight(one.due, facility.zone)
        if at > until:
            return
        if one.due >= today:
            text = f"{book.snapshot.title(facility)}: {show_usd_short(one.usd)} of interest due"
            yield Ahead(at, "interest", text, one.due)


def _overdue(book: Book, facility: Facility) -> Iterator[Ahead]:
    """Interest that was due and is not paid, all of it, on the day of the oldest."""
    owed = interest_due(book.register.ledger, facility, book.at)
    if owed.overdue_since is not None:
        said = overdue_phrase(owed, show_usd_short(owed.overdue_usd))
        at = midnight(owed.overdue_since, facility.zone)
        yield Ahead(at, "overdue", f"{book.snapshot.title(facility)}: {said}", owed.overdue_since)


def _maturity(book: Book, facility: Facility, until: datetime) -> Iterator[Ahead]:
    for one in maturities(book.register.ledger, facility, book.at):
        if one.at > until:
            return
        text = f"{book.snapshot.title(facility)} matures: {show_usd_short(one.usd)} to be repaid"
        yield Ahead(one.at, "maturity", text, one.day)


def _amendments(book: Book, facility: Facility) -> Iterator[Ahead]:
    for before, after in zip(facility.versions, facility.versions[1:], strict=False):
        at = facility.effective_at(after)
        if at is not None and at > book.at:
            changes = sentence(list(_changes(before.terms, after.terms)), last="and")
            text = f"{book.snapshot.title(facility)}: amended terms take effect ({changes or 'nothing changes'})"
            yield Ahead(at, "amendment", text, after.effective)


def _changes(before: Terms, after: Terms) -> Iterator[str]:
    """What an amendment changes: the rate in numbers, anything else by its name."""
    if before.rate != after.rate:
        yield f"rate {_rate(before)} to {_rate(after)}"
    for one in fields(Terms):
        if one.name != "rate" and getattr(before, one.name) != getattr(after, one.name):
            yield _CALLED.get(one.name, one.name.replace("_", " "))


_CALLED = {"tiers": "lines", "interest": "how interest is paid", "matures": "maturity", "reference": "price venue"}


def _rate(terms: Terms) -> str:
    return show_percent(percent_plain(terms.rate))


def _waivers(book: Book, facility: Facility) -> Iterator[Ahead]:
    for waiver in facility.waivers:
        yield Ahead(waiver.until, "waiver", f"{book.snapshot.title(facility)}'s waiver ends ({waiver.reason})")


def _statements(book: Book) -> Iterator[Ahead]:
    """The months whose totals are to be stated and are not, by the policy's day of the month after."""
    treasury, zone = book.treasury, book.treasury.production_zone
    now = month_key(book.at, zone)
    for month in (month_key(month_begins(now, zone) - _TICK, zone), now):
        due = statement_due(book, month)
        if due is None or month_begins(month, zone) < treasury.opened or latest_statement(treasury, month) is not None:
            continue
        yield Ahead(midnight(due, zone), "statement", f"statement of {month_name(month)} due", due)
