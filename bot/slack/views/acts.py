"""What somebody is told whose click changed nothing; of what changed something, the message itself says so."""

from __future__ import annotations

from bot.domain.alert import Alert, Hold
from bot.domain.book import Book
from bot.domain.transitions import Act, ActKind, Reason, Transition
from bot.domain.words import moment, someone
from bot.services.acting import Acted
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views.notes import note

VERBS = {ActKind.ACKNOWLEDGE: "acknowledge", ActKind.SNOOZE: "snooze", ActKind.NO_NOTICE: "close"}


def answer(acted: Acted, act: Act, slash: Slash) -> Payload | None:
    """The note that goes with a click; None where everybody sees what it did."""
    book, row, transition = acted.book, acted.row, acted.transition
    if row is None:
        return note(f"There is no such alert. `{slash('alerts')}` shows those there are.")
    if row.closed_at is not None and (transition is None or not transition.speaks):
        closed = moment(row.closed_at, book.treasury.zone, book.at)
        return note(f"Closed {closed}: nothing to {VERBS[act.kind]}.")
    if transition is None or not transition.speaks:
        return note(_refusal(book, transition, row.alert, act))
    if row.alert.posted_at is None:
        done = moment(transition.at, book.treasury.zone, book.at)
        return note(f"Done {done}. It has no message in the channel: `{slash('alerts')}` shows it.")
    return None


def _refusal(book: Book, transition: Transition | None, alert: Alert, act: Act) -> str:
    reason = transition.reason if transition else Reason.NOT_OPEN
    if reason is Reason.SEEN_LESS:
        return "This has got worse since that message: look at the newest one, below, and use its buttons."
    if reason is Reason.ALREADY_TAKEN and alert.hold is not None:
        return _taken(book, alert.hold, act)
    if reason is Reason.NOT_RECOVERED:
        return _not_recovered(book, alert)
    return f"It is not open now: nothing to {VERBS[act.kind]}."


def _taken(book: Book, hold: Hold, act: Act) -> str:
    zone = book.treasury.zone
    who = "You have" if hold.by.id == act.by.id else f"{someone(hold.by)} has"
    if hold.until is not None:
        return f"{who} snoozed this until {moment(hold.until, zone, book.at)} already."
    return f"{who} acknowledged this already, {moment(hold.at, zone, book.at)}."


def _not_recovered(book: Book, alert: Alert) -> str:
    if any(line.call for line in alert.active):
        return "The lender's notice is open: the alert closes once that is recorded as met or withdrawn."
    if book.price.usable is None:
        return "There is no price now to tell that by: try again once there is one."
    return "It is at its call line again: it can be closed by hand once it is back under it."
