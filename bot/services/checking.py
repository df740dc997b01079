"""The checks, as the scheduler wakes them: poll the price, then hold every finding against every open alert.

The network is not in a transaction: the poll is asked first and written then; what a check has to say goes into the
outbox together with the change it tells of, both or neither.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.alert import FLAP_WINDOW
from bot.domain.alerts import decide
from bot.domain.checks import all_findings, finding_of
from bot.domain.quotes import PricePolicy, Tick, aggregate
from bot.domain.slots import Claim
from bot.domain.transitions import Transition
from bot.services.books import Books
from bot.services.plan_keeping import look_at_plans
from bot.services.ports import Clock, Feed, KeepsAlerts, KeepsTicks, Reading, Writing
from bot.services.recording import Channels, record
from bot.services.turns import LEASE, LostClaimError


class _KeepsTicks(KeepsTicks, Protocol):
    def renew_claim(self, claim: Claim, lease: timedelta) -> bool: ...


class _Ticks(Reading[KeepsTicks], Writing[_KeepsTicks], Protocol):
    """A store of price ticks."""


def poll_price(store: _Ticks, feed: Feed, policy: PricePolicy, clock: Clock, claim: Claim | None = None) -> Tick | None:
    """Asks every source once, judges the answers, and keeps the tick with its quotes.

    What counts polls (a jump to confirm, a frozen source, blindness) means one a slot. So None where the slot that was
    claimed has its tick: whoever had it before died after the poll. LostClaimError where the claim is gone by the time
    the answers are there, or others have newer ones, as after a freeze: they are dropped.
    """
    if claim is not None and _has_tick(store, claim, clock.now()):
        return None
    asked_at = clock.now()
    poll = feed.poll()
    with store.writing() as tx:
        if claim is not None and not tx.renew_claim(claim, LEASE):
            raise LostClaimError
        last = tx.last_tick()
        if claim is not None and last is not None and asked_at < last.at <= clock.now():
            raise LostClaimError  # asleep past the next slot: a price that was must not come after the one that is
        tick = aggregate(last, poll, policy)
        tx.add_tick(tick)
    return tick


def _has_tick(store: _Ticks, claim: Claim, now: datetime) -> bool:
    with store.reading() as tx:
        last = tx.last_tick()
    return last is not None and claim.slot.due_at <= last.at <= now


def run_checks(store: Writing[KeepsAlerts], books: Books, clock: Clock, channels: Channels) -> list[Transition]:
    """Holds every finding of this instant against every open alert; returns what people see something of.

    What changed and what must be said are recorded together. Before an import, or before the treasury opens, there is
    nothing to check.
    """
    with store.writing() as tx:
        return checks_in(tx, books, clock.now(), channels)


def checks_in(tx: KeepsAlerts, books: Books, now: datetime, channels: Channels) -> list[Transition]:
    """The same, as a part of what `tx` does; and approved plans are held against what is recorded by now."""
    treasury = tx.treasury()
    if treasury is None or now < treasury.opened:
        return []
    book = books.open(tx, now)
    findings, alerts = all_findings(book), {key: row.alert for key, row in tx.open_alerts().items()}
    known = {**tx.lately_closed(now - FLAP_WINDOW), **alerts}
    policy = replace(books.alerts, silences=tx.silences(now))
    said = []
    for key in sorted(findings.keys() | alerts.keys()):  # what is no longer found must be able to close
        transition = decide(known.get(key), finding_of(book, findings, key), now, policy)
        record(tx, book, transition, channels)
        if transition.speaks:
            said.append(transition)
    look_at_plans(tx, book, channels)
    return said
