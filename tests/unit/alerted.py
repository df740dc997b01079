"""Alerts in Slack, for the golden files: what is posted of each, the list of them, and what a click is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from example_books import at, book

from bot.domain.alerts import Act, ActKind, Alert, AlertPolicy, Hold, Person, Silence, Transition, decide
from bot.domain.book import Book
from bot.domain.checks import all_findings
from bot.domain.messages import Message, escalation_of, message_of, reply_of
from bot.domain.price import PriceState
from bot.domain.transitions import Change
from bot.domain.words import plain_text
from bot.services.acting import Acted, Listing
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views import alerts, notes
from bot.slack.views.acts import answer
from bot.slack.views.listing import listing
from bot.store.alert_rows import AlertRow

KEY = "covenant:antalpha"


def step(before: Alert | None, now: Book, key: str = KEY) -> Transition:
    return decide(before, all_findings(now).get(key), now.at, AlertPolicy())


def reached() -> Message:
    now = book("02-07 12:00", 55_000)
    return message_of(now, step(None, now))


def early() -> Message:
    now = book("02-07 12:00", 61_000)
    return message_of(now, step(None, now))


def called() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 14:20", 56_000)
    return now, step(opened.alert, now)


def closed() -> tuple[Book, Transition]:
    alert = step(None, book("02-05 12:00", 61_000)).alert
    clear = step(alert, book("02-05 12:30", 70_000)).alert
    now = book("02-05 12:41", 70_000)
    return now, step(clear, now)


def blind() -> Message:
    now = book("02-07 12:00", 60_000, PriceState.STALE)
    return message_of(now, step(None, now, "price"))


def behind() -> Message:
    now = book("02-07 12:00", 68_500)
    return message_of(now, step(None, now, "production:2026-02:behind-plan"))


def continued() -> Payload:
    older = alerts.alert(reached())
    return alerts.continued(older["blocks"], older["text"], "https://example.slack.com/archives/C1/p1770465600000100")


ADA, SAM = Person("U1", "Ada Byron"), Person("U2", "Sam Hill")
ESCALATING = AlertPolicy(escalate_after=timedelta(minutes=15))
STANDSTILL = Silence(
    1, frozenset({"covenant"}), frozenset({"antalpha"}), "standstill & co", ADA, at("02-07 12:01"), at("02-07 16:01")
)


def acted(kind: ActKind, until: datetime | None = None, usd: int = 55_000) -> tuple[Book, Transition]:
    """The facility at its call line, five minutes later at `usd`, and what Ada makes of it."""
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", usd)
    before = step(opened.alert, now).after
    return now, decide(before, all_findings(now).get(KEY), now.at, AlertPolicy(), Act(kind, ADA, until))


def recovered() -> Message:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", 62_000)
    return replace(message_of(now, step(opened.alert, now)), mention=False)


def silenced() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:05", 55_000)
    policy = AlertPolicy(silences=(STANDSTILL,))
    return now, decide(opened.alert, all_findings(now).get(KEY), now.at, policy)


def escalated() -> tuple[Book, Transition]:
    opened = step(None, book("02-07 12:00", 55_000))
    now = book("02-07 12:16", 55_000)
    return now, decide(opened.alert, all_findings(now).get(KEY), now.at, ESCALATING)


def elsewhere(now: Book, transition: Transition) -> Message:
    return escalation_of(now, transition, message_of(now, transition), channel="C1", group="S1")


def taken_after_escalation() -> Message:
    _, before = escalated()
    now = book("02-07 12:20", 55_000)
    act = Act(ActKind.ACKNOWLEDGE, ADA)
    return elsewhere(now, decide(before.after, all_findings(now).get(KEY), now.at, ESCALATING, act))


def row(number: int, now: Book, transition: Transition, hold: Hold | None = None) -> AlertRow:
    """An alert as it is kept after `transition`."""
    alert = transition.after or transition.before
    assert alert is not None
    text = plain_text(message_of(now, transition).headline)
    over = transition.change is Change.CLOSED
    return AlertRow(
        id=number,
        key=transition.key,
        status="closed" if over else "open",
        level=alert.level,
        tier=alert.tier,
        opened_at=alert.opened_at,
        closed_at=transition.at if over else None,
        due=at("02-08 14:15") if alert.call_states else None,
        text=text,
        alert=replace(alert, hold=hold) if hold else alert,
        channel="C1",
        newest_ts="1770465600.000100",
    )


def listed() -> Listing:
    """One of each kind."""
    now = book("02-07 14:30", 56_000)
    held = Hold(SAM, at("02-07 14:25"))
    snoozed = Hold(ADA, at("02-07 14:25"), at("02-07 15:25"))
    dark = book("02-07 14:20", 60_000, PriceState.STALE)
    rows = (
        row(4, *called()),
        row(3, *called(), hold=held),
        row(2, dark, step(None, dark, "price"), hold=snoozed),
        row(1, *silenced()),
        row(5, *closed()),
    )
    return Listing(now, rows, (STANDSTILL, replace(STANDSTILL, id=2, subjects=frozenset(), reason="night <shift>")))


def nothing_listed() -> Listing:
    return Listing(book("02-07 12:00", 68_500), (), ())


def refused(reason: str) -> Payload:
    """The note for a click that changes nothing."""
    act = Act(ActKind.ACKNOWLEDGE, SAM)
    now, taken = acted(ActKind.ACKNOWLEDGE)
    kept = row(1, now, taken)
    again = decide(taken.after, taken.finding, now.at, AlertPolicy(), act)
    acts = {
        "taken": Acted(now, kept, again),
        "seen_less": Acted(
            now, kept, decide(taken.after, taken.finding, now.at, AlertPolicy(), replace(act, seen=(1, 0)))
        ),
        "closed": Acted(now, row(1, *closed()), None),
        "none": Acted(now, None, None),
    }
    told = answer(acts[reason], act, Slash())
    assert told is not None
    return told


ALERTS: dict[str, Callable[[], Payload]] = {
    "alert_at_call_line": lambda: alerts.alert(reached()),
    "alert_early_warning": lambda: alerts.alert(early()),
    "alert_called": lambda: alerts.alert(message_of(*called())),
    "alert_closed": lambda: alerts.alert(message_of(*closed())),
    "alert_no_price": lambda: alerts.alert(blind()),
    "alert_acknowledged": lambda: alerts.alert(message_of(*acted(ActKind.ACKNOWLEDGE))),
    "alert_snoozed": lambda: alerts.alert(message_of(*acted(ActKind.SNOOZE, at("02-07 16:05")))),
    "alert_silenced": lambda: alerts.alert(message_of(*silenced())),
    "alert_recovered": lambda: alerts.alert(recovered()),
    "escalation": lambda: alerts.alert(elsewhere(*escalated())),
    "escalation_taken": lambda: alerts.alert(taken_after_escalation()),
    "reply_acknowledged": lambda: alerts.reply(reply_of(*acted(ActKind.ACKNOWLEDGE))),
    "reply_silenced": lambda: alerts.reply(reply_of(*silenced())),
    "alerts": lambda: listing(listed(), Slash("tr-")),
    "alerts_empty": lambda: listing(nothing_listed(), Slash()),
    "note_taken": lambda: refused("taken"),
    "note_seen_less": lambda: refused("seen_less"),
    "note_closed": lambda: refused("closed"),
    "note_no_such_alert": lambda: refused("none"),
    "note_not_opened": lambda: notes.not_opened("/alerts", "expired_trigger_id"),
    "reply_called": lambda: alerts.reply(reply_of(*called())),
    "reply_closed": lambda: alerts.reply(reply_of(*closed())),
    "continued": continued,
    "alert_behind_plan": lambda: alerts.alert(behind()),
}
