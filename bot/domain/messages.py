"""What the channel is told of an alert: one message a key, its history as replies. Pure text, for any front end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain import production_words, transit_words, wording
from bot.domain.alert import Alert, Silence, family
from bot.domain.book import Book
from bot.domain.calls import calls_of, open_calls
from bot.domain.checks import release_now
from bot.domain.covenant import Exposure
from bot.domain.production_checks import is_reached, named
from bot.domain.production_words import MonthCheck
from bot.domain.report import Report, month_report
from bot.domain.terms import Level
from bot.domain.transitions import Change, Reason, Transition
from bot.domain.treasury import Notice
from bot.domain.words import moment, plain_people, price_phrase, price_sentence, sentence, someone, somewhere, span


@dataclass(frozen=True, slots=True)
class Message:
    """One message about an alert. `headline` and `body` (a paragraph a line) may hold moments (`words.moment`).

    `level` is a word of `Level`; `mention` asks that people be notified, those of the user group `group` where one is
    given; `closed` says that the alert has ended. `state` says in whose hands it is. `buttons` are what may be done to
    the alert whose id is `alert`, and `seen` how bad it is as shown here (level and rank: "3.1").
    """

    key: str
    level: str
    headline: str
    body: str = ""
    mention: bool = False
    closed: bool = False
    group: str = ""
    state: str = ""
    buttons: tuple[str, ...] = ()
    alert: int = 0
    seen: str = ""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Message:
        return cls(**{**document, "buttons": tuple(document.get("buttons", ()))})


ACKNOWLEDGE, SNOOZE, PLAN, NO_NOTICE = "acknowledge", "snooze", "plan", "no_notice"
"""What may be done to an alert, in the order of its buttons."""


def message_of(book: Book, transition: Transition) -> Message:
    """The alert's message as it reads after `transition`."""
    alert = transition.alert
    if alert is None:
        return Message(
            transition.key,
            Level.OK.word,
            closing_headline(book, transition),
            closing_body(book, transition),
            closed=True,
        )
    return Message(
        key=transition.key,
        level=alert.level.word,
        headline=headline(book, transition.key, alert),
        body="\n".join([_body(book, transition), *_flapping(book, alert)]),
        mention=transition.posts and alert.level is Level.CRITICAL,
        state=state_of(book, alert),
        buttons=tuple(_buttons(alert)),
        seen=f"{int(alert.level)}.{alert.rank}",
    )


def _buttons(alert: Alert) -> Iterator[str]:
    if alert.hold is None or alert.hold.until is not None:
        yield ACKNOWLEDGE
    yield SNOOZE
    if family(alert.key) == "covenant":
        yield PLAN
    if alert.has_recovered:
        yield NO_NOTICE


def state_of(book: Book, alert: Alert) -> str:
    """In whose hands an open alert is, and until when; "" where it is nobody's."""
    return "; ".join([*_held(book, alert), *_silenced(book, alert)])


def _held(book: Book, alert: Alert) -> Iterator[str]:
    zone, hold = book.treasury.zone, alert.hold
    if hold is not None and hold.until is not None:
        yield f"Snoozed by {someone(hold.by)} until {moment(hold.until, zone, book.at)}"
    elif hold is not None:
        again = alert.held_until(book.register.alerts)
        until = f", asked for again {moment(again, zone, book.at)}" if again else ""
        yield f"Acknowledged by {someone(hold.by)} {moment(hold.at, zone, book.at)}{until}"


def _silenced(book: Book, alert: Alert) -> Iterator[str]:
    if alert.silence is not None:
        yield f"Silenced {silence_phrase(book, alert.silence)}"


def silence_phrase(book: Book, silence: Silence) -> str:
    """Who, until when and why."""
    until = moment(silence.until, book.treasury.zone, book.at)
    return f"by {someone(silence.by)} until {until} ({silence.reason})"


def _flapping(book: Book, alert: Alert) -> Iterator[str]:
    """That it goes up and down too often to say so each time."""
    if alert.flapping:
        times = len(alert.lately_up(book.at))
        yield f"Up and down {times} times within an hour: until it has been calm for one, only what is worse is posted."


def escalation_of(book: Book, transition: Transition, told: Message, *, channel: str, group: str) -> Message:
    """What the escalation channel is told: that nobody has taken it, or what has become of that.

    `told` is the alert's own message, `channel` where that is.
    """
    alert = transition.alert
    where = f"Acknowledge it in {somewhere(channel)}."
    if transition.escalates:
        waited = book.at - (alert.unowned_since or book.at) if alert else None
        said = f"Nobody has acknowledged this for {span(waited)}: " if waited else "Needs somebody now: "
        return replace(told, headline=said + told.headline, body=f"{where}\n{told.body}", mention=True, group=group)
    words = "" if told.closed else f"{_what_happened(book, transition)}: "
    return replace(told, headline=words + told.headline, body=told.body, mention=False)


def _body(book: Book, transition: Transition) -> str:
    if transition.recovered:
        return _body_without_calls(book, transition)
    finding = transition.finding
    return finding.text if finding and finding.text else price_sentence(book.price)


def _body_without_calls(book: Book, transition: Transition) -> str:
    """The body once price alone has ended calls: the finding saw them still open."""
    ended = set(transition.recovered)
    notices = (replace(n, recovered=transition.at) if n.ref in ended else n for n in book.treasury.notices)
    after = replace(book, register=book.register.with_notices(tuple(notices)))
    exposure = exposure_of(after, transition.key)
    calls = calls_of(exposure, open_calls(after))
    named = sentence([f"“{ref}”" for ref in transition.recovered], last="and")
    said = f"The call of notice {named} has ended: the price has recovered, which is enough by the terms."
    return f"{said}\n{wording.covenant_body(after, after.read(exposure), calls)}"


def reply_of(book: Book, transition: Transition) -> Message:
    """The line of history that goes into the message's thread. It names people and wakes none of them."""
    told = message_of(book, transition)
    said = " ".join([*_recorded(book, transition), told.headline])
    happened = plain_people(_what_happened(book, transition))
    return Message(transition.key, told.level, f"{happened}: {said}", closed=told.closed)


def _what_happened(book: Book, transition: Transition) -> str:
    """The change in a word or two, with who did it."""
    alert, act = transition.alert, transition.act
    if transition.change is Change.SNOOZED and alert and alert.hold and alert.hold.until:
        until = moment(alert.hold.until, book.treasury.zone, book.at)
        return f"Snoozed by {someone(alert.hold.by)} until {until}"
    if transition.change is Change.ACKNOWLEDGED and act:
        return f"Acknowledged by {someone(act.by)}"
    if transition.reason is Reason.NO_NOTICE and act:
        return f"{_CHANGE_WORDS[transition.change]} by {someone(act.by)}, no notice received"
    if transition.reason is Reason.SILENCED and alert and alert.silence:
        return f"Silenced {silence_phrase(book, alert.silence)}"
    if transition.reason is Reason.SILENCE_OVER:
        return "No longer silenced"
    return _CHANGE_WORDS[transition.change]


def _recorded(book: Book, transition: Transition) -> Iterator[str]:
    """What became of which notice since the last check, a sentence each."""
    before = transition.before.call_states if transition.before else {}
    after = transition.alert.call_states if transition.alert else {}
    notices = {notice.ref: notice for notice in book.treasury.notices}
    for ref in sorted(before.keys() | after.keys()):
        if ref not in before:
            yield f"notice “{ref}” received."
        elif ref not in after and ref in notices:
            yield f"notice “{ref}” {_end(notices[ref], transition)}."
        elif ref in after and before[ref] != after[ref]:
            yield f"notice “{ref}” {after[ref]}."


def _end(notice: Notice, transition: Transition) -> str:
    if notice.ref in transition.recovered or notice.recovered is not None:
        return "ended by the price, as its terms allow"
    return "met" if notice.met is not None else "withdrawn"


_CHANGE_WORDS = {
    Change.OPENED: "Opened",
    Change.WORSE: "Worse",
    Change.EASED: "Eased",
    Change.REMINDER: "Reminder",
    Change.CLOSED: "Closed",
    Change.NOTED: "Recorded",
    Change.REPEATED: "Still open",
    Change.ESCALATED: "Escalated, as nobody has acknowledged it",
    Change.ACKNOWLEDGED: "Acknowledged",
    Change.SNOOZED: "Snoozed",
    Change.UPDATED: "Updated",
    Change.KEPT: "Unchanged",
}


def headline(book: Book, key: str, alert: Alert) -> str:
    """The first line of an open alert."""
    family, _, subject = key.partition(":")
    if family == "production":
        return production_words.headline(book, *_of_month(book, key))
    if family == "covenant":
        exposure = exposure_of(book, key)
        calls = [call for call in calls_of(exposure, open_calls(book)) if call.notice.ref in alert.call_states]
        said = wording.covenant_headline(book, book.read(exposure), alert, calls)
        return f"{said} (waived)" if book.waiver(exposure) else said
    if family == "release":
        facility = book.treasury.facility_by_id[subject]
        exposure = book.snapshot.facility(facility)
        known = book.price.usable is not None
        return wording.release_headline(exposure.title, release_now(book, facility, exposure) if known else None)
    if family == "transit":
        item = next((item for item in book.balances.transit if item.ref == subject), None)
        return transit_words.transit_headline(item) if item else transit_words.transit_over(book, subject)
    return wording.price_headline(book.price)


def closing_headline(book: Book, transition: Transition) -> str:
    """The first line of an alert that has ended."""
    family, _, subject = transition.key.partition(":")
    if family == "production":
        return production_words.closing_headline(book, *_of_month(book, transition.key))
    if family == "covenant":
        reading = book.read(exposure_of(book, transition.key))
        was = _was(book, transition)
        return f"{reading.exposure.title} is clear: {wording.ltv_phrase(reading)}{was}"
    if family == "release":
        title = book.snapshot.facility(book.treasury.facility_by_id[subject]).title
        return f"{title}: nothing to release now"
    if family == "transit":
        return transit_words.transit_over(book, subject)
    dark = f" after {span(transition.at - transition.before.opened_at)}" if transition.before else ""
    return f"The bitcoin price is back{dark}: {price_phrase(book.price)}"


def _of_month(book: Book, key: str) -> tuple[Report, MonthCheck, bool | None]:
    """The month and the check that `key` names, and whether it finds something now."""
    month, check = named(key)
    about = month_report(book, month)
    return about, check, is_reached(book, about, check)


def _was(book: Book, transition: Transition) -> str:
    """What has ended, and how long it lasted."""
    before = transition.before
    if before is None:
        return ""
    stood = wording.stood_at(book.read(exposure_of(book, transition.key)), before)
    return f"; it was at its {stood}, open for {span(transition.at - before.opened_at)}"


def closing_body(book: Book, transition: Transition) -> str:
    """The price it ended at; of what somebody has closed by hand, who."""
    if transition.reason is Reason.NO_NOTICE and transition.act:
        said = f"Closed by {someone(transition.act.by)}: back under its line, and no notice was received."
        return f"{said}\n{price_sentence(book.price)}"
    if family(transition.key) == "production":
        about, check, _ = _of_month(book, transition.key)
        return production_words.body(book, about, check)
    return price_sentence(book.price)


def exposure_of(book: Book, key: str) -> Exposure:
    """The exposure whose alert has `key`."""
    return next(exposure for exposure in book.exposures if exposure.key == key)
