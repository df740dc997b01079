"""Reminders of interest that is due in cash: the morning before its day, and while it is late.

They are no alerts: nobody takes them, they have no level, and a replay has none of them. The first that it is late
comes on the morning after its day, and one a week from then on; where a further payment is overdue, from its day on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain.book import Book
from bot.domain.digest_words import Told
from bot.domain.fact_words import unconfirmed
from bot.domain.interest_due import InterestDue, interest_due
from bot.domain.interest_words import due_phrase, overdue_phrase
from bot.domain.money import Cents, show_usd, show_usd_short
from bot.domain.periods import ONE_DAY, local_day, local_instant, midnight
from bot.domain.terms import Facility
from bot.domain.treasury import Claim, Movement, MovementKind

ONE_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of what is due of `facility` on `due`, which is to be there from `since` on.

    `late` is 0 for the one before that day; else it is the `late`th since that day is over. `owed` is of the Book's
    instant.
    """

    facility: Facility
    due: date
    late: int
    since: datetime
    owed: InterestDue

    @property
    def name(self) -> str:
        """What no other is called: "antalpha:2026-03-01:before", "antalpha:2026-03-01:late2"."""
        return f"{self.facility.id}:{self.due}:{f'late{self.late}' if self.late else 'before'}"


def reminders(book: Book, at: time) -> Iterator[Reminder]:
    """Every reminder that is to be there by the Book's instant, at most two of a facility.

    `at` is the local time of the treasury's mornings; weekends have one too. One before the day is not to be there any
    more once that day is over; of those that it is late only the last is.
    """
    for facility in book.treasury.facilities:
        owed = interest_due(book.register.ledger, facility, book.at)
        if owed.overdue and (late := _late(book, facility, owed, at)) is not None:
            yield late
        if owed.next is not None:
            since = _morning_before(book, facility, owed.next.due, at)
            if since <= book.at:
                yield Reminder(facility, owed.next.due, 0, since, owed)


def _morning_before(book: Book, facility: Facility, due: date, at: time) -> datetime:
    """The treasury's last morning before the day begins where the interest accrues."""
    zone, begins = book.treasury.zone, midnight(due, facility.zone)
    day = local_day(begins, zone)
    while local_instant(day, at, zone) >= begins:
        day -= ONE_DAY
    return local_instant(day, at, zone)


def _late(book: Book, facility: Facility, owed: InterestDue, at: time) -> Reminder | None:
    """The last that is to be there of the payment overdue since last; None: its first morning has not come."""
    zone, due = book.treasury.zone, owed.overdue[-1].due
    over = midnight(due + ONE_DAY, facility.zone)
    first = local_day(over, zone)
    while local_instant(first, at, zone) < over:
        first += ONE_DAY
    last = first + (local_day(book.at, zone) - first) // ONE_WEEK * ONE_WEEK
    if local_instant(last, at, zone) > book.at:
        last -= ONE_WEEK
    if last < first:
        return None
    return Reminder(facility, due, (last - first) // ONE_WEEK + 1, local_instant(last, at, zone), owed)


def reminder_told(book: Book, about: Reminder) -> Told:
    """The reminder as it is posted: what is due and when, the cash there is, and what to do."""
    owed, coming = about.owed, about.owed.next
    title, overdue = book.snapshot.title(about.facility), overdue_phrase(owed, show_usd(owed.overdue_usd))
    if about.late or coming is None:
        advice = f"{_step(book, about.facility, owed.overdue_usd)}, and this comes once a week."
        return Told(f"{title}: {overdue}", advice, parts=())
    besides = f"Also {overdue}. " if owed.overdue else ""
    headline = f"{title}: {show_usd(coming.usd)} of interest {due_phrase(book, coming)}"
    return Told(headline, f"{besides}{_step(book, about.facility, coming.usd + owed.overdue_usd)}.", parts=())


def _step(book: Book, facility: Facility, need: Cents) -> str:
    """What to do, with the cash there is; of what is recorded as paid and only claimed, that it is to be confirmed."""
    debt = show_usd_short(book.balances.debts[facility.id].total)
    stays = f"until then it stays in the debt of {debt}"
    if claimed := [claim for claim in book.treasury.claims if _pays(claim, facility)]:
        return f"{unconfirmed(claimed, book)}: {stays}"
    return f"{_cash(book, need)}. Record it as interest_paid once it is paid: {stays}"


def _pays(claim: Claim, facility: Facility) -> bool:
    """Whether a claim is of interest paid to `facility`."""
    said = claim.thing
    return isinstance(said, Movement) and said.kind is MovementKind.INTEREST_PAID and said.facility == facility.id


def _cash(book: Book, need: Cents) -> str:
    """The cash there is, and by how much it is too little."""
    short = f", {show_usd(need - book.cash)} too little" if book.cash < need else ""
    return f"Cash {show_usd_short(book.cash)}{short}"
