"""The checks, as the scheduler wakes them: poll the price, then hold every finding against every open alert.

The network is not in a transaction: the poll is asked first and written then; what a check has to say goes into the
outbox together with the change it tells of, both or neither.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.alerts import Change, Transition, decide
from bot.domain.book import Book
from bot.domain.checks import all_findings
from bot.domain.messages import Message, exposure_of, message_of, reply_of
from bot.domain.quotes import PricePolicy, Tick, aggregate
from bot.domain.terms import Level
from bot.domain.words import plain_text
from bot.services.books import Books
from bot.services.ports import Clock, Feed, KeepsAlerts, KeepsTicks, Reading, Writing


class _Ticks(Reading[KeepsTicks], Writing[KeepsTicks], Protocol):
    """A store of price ticks."""


def poll_price(store: _Ticks, feed: Feed, policy: PricePolicy, clock: Clock, every: timedelta) -> Tick | None:
    """Asks every source once, judges the answers, and keeps the tick with its quotes.

    None where another worker has polled within this turn: what counts polls (a jump to confirm, a frozen source,
    blindness) means `every` apart, however many workers there are.
    """
    fresh = every * 3 / 4
    with store.reading() as tx:
        if _near(tx.last_tick(), clock.now(), fresh):
            return None
    poll = feed.poll()
    with store.writing() as tx:
        before = tx.last_tick()
        if _near(before, poll.at, fresh):
            return None
        tick = aggregate(before, poll, policy)
        tx.add_tick(tick)
    return tick


def _near(tick: Tick | None, instant: datetime, within: timedelta) -> bool:
    return tick is not None and abs(tick.at - instant) < within


def run_checks(store: Writing[KeepsAlerts], books: Books, clock: Clock, channel: str) -> list[Transition]:
    """Holds every finding of this instant against every open alert; returns what people see something of.

    What changed and what must be said are recorded together. Before an import, or before the treasury opens, there is
    nothing to check.
    """
    with store.writing() as tx:
        treasury, now = tx.treasury(), clock.now()
        if treasury is None or now < treasury.opened:
            return []
        book = books.open(tx, now)
        findings, alerts = all_findings(book), tx.open_alerts()
        said = []
        for key in sorted(findings.keys() | alerts.keys()):  # what is no longer found must be able to close
            before = alerts[key].alert if key in alerts else None
            transition = decide(before, findings.get(key), now, books.alerts)
            _record(tx, book, transition, channel)
            if transition.speaks:
                said.append(transition)
    return said


def _record(tx: KeepsAlerts, book: Book, transition: Transition, channel: str) -> None:
    for ref in transition.recovered:
        tx.record_recovered(ref, transition.at)
    if transition.alert is None and transition.before is None:
        return
    message = message_of(book, transition)
    covenant = transition.key.startswith("covenant:")
    calls = transition.finding.calls if transition.finding else ()
    alert_id = tx.save_transition(
        transition,
        channel=channel,
        text=plain_text(f"{message.headline}\n{message.body}".strip()),
        due=calls[0].due if calls else None,
        price=book.price.usable,
        ltv=book.read(exposure_of(book, transition.key)).lenders if covenant else None,
    )
    for kind, told in _outgoing(book, transition, message):
        known = transition.alert or transition.before
        tx.enqueue(
            alert_id=alert_id,
            stream=f"alert:{alert_id}",
            kind=kind,
            channel=channel,
            message=told.document(),
            level=known.level if known else Level.OK,
            at=transition.at,
        )


def _outgoing(book: Book, transition: Transition, message: Message) -> list[tuple[str, Message]]:
    """What goes out: a fresh post where people must look now, else an edit; what happened goes into the thread."""
    if not transition.speaks:
        return []
    if transition.posts:
        return [("post", message)]
    if transition.change is Change.UPDATED:
        return [("edit", message)]
    return [("edit", message), ("reply", reply_of(book, transition))]
