"""What the channel is told of an alert: one message a key, its history as replies. Pure text, for any front end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain import wording
from bot.domain.alerts import Alert, Change, Transition
from bot.domain.book import Book
from bot.domain.calls import calls_of, open_calls
from bot.domain.checks import release_now
from bot.domain.covenant import Exposure
from bot.domain.terms import Level
from bot.domain.treasury import Notice
from bot.domain.words import price_phrase, price_sentence, sentence, span


@dataclass(frozen=True, slots=True)
class Message:
    """One message about an alert. `headline` and `body` (a paragraph a line) may hold moments (`words.moment`).

    `level` is a word of `Level`; `mention` asks that people be notified; `closed` says that the alert has ended.
    """

    key: str
    level: str
    headline: str
    body: str = ""
    mention: bool = False
    closed: bool = False

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Message:
        return cls(**document)


def message_of(book: Book, transition: Transition) -> Message:
    """The alert's message as it reads after `transition`."""
    alert = transition.alert
    body = _body(book, transition)
    return Message(
        key=transition.key,
        level=(alert.level if alert else Level.OK).word,
        headline=headline(book, transition.key, alert) if alert else closing_headline(book, transition),
        body=body if alert else closing_body(book),
        mention=transition.posts and alert is not None and alert.level is Level.CRITICAL,
        closed=alert is None,
    )


def _body(book: Book, transition: Transition) -> str:
    if transition.recovered:
        return _body_without_calls(book, transition)
    return transition.finding.text if transition.finding and transition.finding.text else closing_body(book)


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
    """The line of history that goes into the message's thread."""
    told = message_of(book, transition)
    said = " ".join([*_recorded(book, transition), told.headline])
    return Message(transition.key, told.level, f"{_CHANGE_WORDS[transition.change]}: {said}", closed=told.closed)


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
    Change.UPDATED: "Updated",
    Change.KEPT: "Unchanged",
}


def headline(book: Book, key: str, alert: Alert) -> str:
    """The first line of an open alert."""
    family, _, subject = key.partition(":")
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
        return wording.transit_headline(item) if item else f"{subject} is credited"
    return wording.price_headline(book.price)


def closing_headline(book: Book, transition: Transition) -> str:
    """The first line of an alert that has ended."""
    family, _, subject = transition.key.partition(":")
    if family == "covenant":
        reading = book.read(exposure_of(book, transition.key))
        was = _was(book, transition)
        return f"{reading.exposure.title} is clear: {wording.ltv_phrase(reading)}{was}"
    if family == "release":
        title = book.snapshot.facility(book.treasury.facility_by_id[subject]).title
        return f"{title}: nothing to release now"
    if family == "transit":
        return f"{subject} is credited"
    dark = f" after {span(transition.at - transition.before.opened_at)}" if transition.before else ""
    return f"The bitcoin price is back{dark}: {price_phrase(book.price)}"


def _was(book: Book, transition: Transition) -> str:
    """What has ended, and how long it lasted."""
    before = transition.before
    if before is None:
        return ""
    stood = wording.stood_at(book.read(exposure_of(book, transition.key)), before)
    return f"; it was at its {stood}, open for {span(transition.at - before.opened_at)}"


def closing_body(book: Book) -> str:
    return price_sentence(book.price)


def exposure_of(book: Book, key: str) -> Exposure:
    """The exposure whose alert has `key`."""
    return next(exposure for exposure in book.exposures if exposure.key == key)
