"""Writes down what was decided and, in the same transaction, every message that must go out because of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bot.domain.alert import family
from bot.domain.audit import PLIMSOLL, Entry, What
from bot.domain.book import Book
from bot.domain.messages import Message, escalation_of, exposure_of, message_of, reply_of
from bot.domain.money import Price, percent_plain, usd_plain
from bot.domain.periods import iso
from bot.domain.terms import Level
from bot.domain.transitions import Change, Reason, Transition
from bot.domain.words import plain_text
from bot.services.ports import KeepsAlerts


@dataclass(frozen=True, slots=True)
class Channels:
    """Where alerts are said, and where that nobody takes them; `group` is the user group mentioned there. `digest` is
    where the week's digest is posted, `audit` where what people record is told, `approval` where plans are
    approved.
    """

    alerts: str
    escalation: str | None = None
    group: str | None = None
    digest: str | None = None
    audit: str | None = None
    approval: str | None = None

    def by_setting(self) -> dict[str, str]:
        """Every channel there is, by the setting that names it."""
        named = {
            "ALERT_CHANNEL": self.alerts,
            "ESCALATION_CHANNEL": self.escalation,
            "DIGEST_CHANNEL": self.digest,
            "AUDIT_CHANNEL": self.audit,
            "APPROVAL_CHANNEL": self.approval,
        }
        return {setting: channel for setting, channel in named.items() if channel}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to go out. `stream` is the order it keeps; `own`: it is the alert's own message, or hangs on it."""

    kind: str
    channel: str
    stream: str
    message: Message
    own: bool = True
    elsewhere: bool = False


def record(tx: KeepsAlerts, book: Book, transition: Transition, channels: Channels) -> None:
    """The alert as it is now, its history, and what people must be told: all of it in `tx`."""
    for ref in transition.recovered:
        if tx.record_recovered(ref, transition.at):
            tx.add_audit(Entry(transition.at, PLIMSOLL, What.RECOVERED, f"call {ref}", {"alert": transition.key}))
    if transition.alert is None and transition.before is None:
        return
    message = message_of(book, transition)
    ltv = book.read(exposure_of(book, transition.key)).lenders if family(transition.key) == "covenant" else None
    calls = transition.finding.calls if transition.finding else ()
    alert_id = tx.save_transition(
        transition,
        channel=channels.alerts,
        text=plain_text(f"{message.headline}\n{message.body}".strip()),
        due=calls[0].due if calls else None,
        price=book.price.usable,
        ltv=ltv,
    )
    if alert_id is None or not transition.speaks:
        return
    if transition.change is not Change.UPDATED:  # new numbers alone, up to one a minute: the alert's history has them
        tx.add_audit(_entry(transition, book.price.usable, ltv, plain_text(message.headline)))
    known = transition.alert or transition.before
    waits = tx.post_waits(f"alert:{alert_id}") if transition.reason is Reason.UNANSWERED else False
    for out in _outgoing(book, transition, replace(message, alert=alert_id), alert_id, channels, waits=waits):
        tx.enqueue(
            alert_id=alert_id if out.own else None,
            stream=out.stream,
            kind=out.kind,
            channel=out.channel,
            message=out.message.document(),
            level=known.level if known else Level.OK,
            at=transition.at,
            elsewhere=out.elsewhere,
        )


def _entry(transition: Transition, price: Price | None, ltv: Fraction | None, headline: str) -> Entry:
    """What the audit log keeps of a change of an alert: who made it, and what it was then."""
    act, known = transition.act, transition.alert or transition.before
    detail: dict[str, Any] = {
        "reason": transition.reason.value,
        "act": act.kind.value if act else None,
        "level": known.level.word if known else None,
        "tier": known.tier if known else None,
        "price_usd": usd_plain(price) if price is not None else None,
        "ltv_pct": percent_plain(ltv) if ltv is not None else None,
        "until": iso(known.hold.until) if act and known and known.hold and known.hold.until else None,
        "mark": transition.mark,
        "said": headline,
        "quiet": transition.quiet or None,
    }
    given = {name: value for name, value in detail.items() if value is not None}
    return Entry(transition.at, act.by.id if act else PLIMSOLL, What(transition.change.value), transition.key, given)


def _outgoing(
    book: Book, transition: Transition, message: Message, alert_id: int, channels: Channels, *, waits: bool
) -> Iterator[Outgoing]:
    """A fresh post where people must look now, else an edit; what happened goes into the thread.

    `waits`: what it last had to say is not in Slack yet. To repeat that would say it twice once Slack is back.
    """
    stream = f"alert:{alert_id}"
    if transition.posts and not waits:
        urgent = message.level == Level.CRITICAL.word and transition.reason is not Reason.UNANSWERED
        yield Outgoing("post", channels.alerts, stream, message, elsewhere=urgent)
    elif _is_posted(transition):
        if transition.change is not Change.ESCALATED:
            yield Outgoing("edit", channels.alerts, stream, replace(message, mention=False))
        if transition.change not in (Change.UPDATED, Change.REPEATED):
            yield Outgoing("reply", channels.alerts, stream, reply_of(book, transition))
    yield from _escalation(book, transition, message, alert_id, channels)


def _is_posted(transition: Transition) -> bool:
    """Whether anything of the alert is in the channel: an alert that opened silenced has nothing to edit there."""
    return transition.before is not None and transition.before.posted_at is not None


UNFOLLOWED = frozenset({Change.KEPT, Change.UPDATED, Change.ESCALATED})
"""What says nothing new of in whose hands it is, or is said by the escalation itself."""


def _escalation(
    book: Book, transition: Transition, message: Message, alert_id: int, channels: Channels
) -> Iterator[Outgoing]:
    """That nobody has taken it, in the escalation channel; what has become of that edits it there."""
    before = transition.before
    followed = transition.change not in UNFOLLOWED and before is not None and before.escalated_at is not None
    if channels.escalation is None or not (transition.escalates or followed):
        return
    kind = "post" if transition.escalates else "edit"
    told = escalation_of(book, transition, message, channel=channels.alerts, group=channels.group or "")
    stream = f"escalation:{alert_id}"
    yield Outgoing(kind, channels.escalation, stream, told, own=False)
