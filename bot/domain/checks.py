"""Checks: a Book in, findings out. They know nothing of alerts, Slack or time. A new check is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bot.domain import production_words, transit_words, wording
from bot.domain.alert import family
from bot.domain.alerts import CallClock, Finding, Line
from bot.domain.book import Book
from bot.domain.calls import Call, CallState, calls_of, open_calls
from bot.domain.covenant import Exposure, Reading, read, releasable
from bot.domain.price import PriceView
from bot.domain.production_checks import named, production_findings
from bot.domain.report import month_report
from bot.domain.terms import Facility, Level, OnRecovery, TierKind
from bot.domain.words import price_sentence

BLIND_POLLS = 2


def all_findings(book: Book) -> dict[str, Finding]:
    """Everything that is found in `book`, by key."""
    return {finding.key: finding for check in CHECKS for finding in check(book)}


def finding_of(book: Book, findings: Mapping[str, Finding], key: str) -> Finding:
    """What `findings` have of `key`; where they have nothing, how that stands in `book`: its alert may be open."""
    return findings.get(key) or Finding(key, say=partial(_calm, book, key))


def _calm(book: Book, key: str) -> str:
    """What is said of an alert whose check finds nothing any more, until it has cleared."""
    if family(key) == "production":
        month, check = named(key)
        return production_words.body(book, month_report(book, month), check)
    exposure = next((exposure for exposure in book.exposures if exposure.key == key), None)
    return wording.covenant_body(book, book.read(exposure), []) if exposure else price_sentence(book.price)


def covenant_findings(book: Book) -> Iterator[Finding]:
    """One finding per exposure that is at or near a line, has an open call, or whose LTV cannot be known."""
    calls = open_calls(book)
    for exposure in book.exposures:
        finding = covenant_finding(book, exposure, calls_of(exposure, calls))
        if finding is not None:
            yield finding


def covenant_finding(book: Book, exposure: Exposure, calls: list[Call]) -> Finding | None:
    """What there is to say of one exposure, on which `calls` are open; None where it is clear of every line."""
    reading = book.read(exposure)
    lines = tuple(_tier_lines(reading)) + tuple(_call_line(reading, call) for call in calls)
    if reading.known and not calls and all(line.cleared for line in lines):
        return None
    return Finding(
        key=exposure.key,
        lines=lines,
        calls=tuple(CallClock(c.notice.ref, c.notice.at, c.due, c.state.value) for c in calls),
        unknown=not reading.known,
        say=lambda: wording.covenant_body(book, reading, calls),
    )


def _tier_lines(reading: Reading) -> Iterator[Line]:
    """Each tier as a line; none where there is no price to know them by."""
    for tier in reading.tiers if reading.known else ():
        yield Line(
            name=tier.name,
            rank=tier.rank,
            level=tier.level,
            reached=bool(tier.reached),
            cleared=tier.cleared,
            tier=tier.name,
            urgent=tier.tier.kind.is_urgent,
            demands=tier.tier.kind.is_call,
        )


def _call_line(reading: Reading, call: Call) -> Line:
    """An open call as a line: only the lender ends it, unless the terms let the price do so."""
    over = reading.known and recovered(reading, call)
    return Line(
        name=f"call:{call.notice.ref}",
        rank=call.rank,
        level=Level.CRITICAL,
        reached=not over,
        cleared=over,
        tier=call.tier.name,
        call=True,
        urgent=call.tier.kind.is_urgent,
    )


def recovered(reading: Reading, call: Call) -> bool:
    """Whether price alone would end `call` by its terms (`on_recovery`), once it has held for `clear_after`."""
    exposure, bound = reading.exposure, reading.exposure.bound_named(call.tier.name)
    if call.state is CallState.MISSED or bound is None or reading.lenders is None:
        return False
    if exposure.on_recovery is OnRecovery.BELOW_CALL:
        return not reading.tiers[exposure.rank_of(bound.tier)].reached
    if exposure.on_recovery is OnRecovery.AT_CURE:
        return bound.target is not None and reading.lenders <= bound.target
    return False


def release_findings(book: Book) -> Iterator[Finding]:
    """A notice per facility whose lender lets coins go: at or under its line now and at each of its daily marks."""
    for facility, exposure in zip(book.treasury.facilities, book.snapshot.facilities, strict=True):
        finding = release_finding(book, facility, exposure)
        if finding is not None:
            yield finding


def release_finding(book: Book, facility: Facility, exposure: Exposure) -> Finding | None:
    """What one lender lets go; None where that is nothing."""
    key = f"release:{facility.id}"
    if book.price.usable is None and exposure.bounds and book.snapshot.terms(facility).release is not None:
        return Finding(key, unknown=True, say=lambda: "Without a price the LTV is unknown.")
    coins = release_now(book, facility, exposure)
    if not coins:
        return None
    line = Line("release", 0, Level.NOTICE, reached=True, cleared=False)
    return Finding(key, (line,), say=lambda: wording.release_body(book, exposure, facility, coins))


def release_now(book: Book, facility: Facility, exposure: Exposure) -> int:
    """Satoshis that may be asked back from `facility` now; 0 where its release line or its days are not met."""
    release, price = book.snapshot.terms(facility).release, book.price.usable
    if release is None or price is None:
        return 0
    lenders = book.read(exposure).lenders
    if lenders is None or lenders > release.line:
        return 0
    marks = list(book.marks(facility))
    in_a_row = len(marks) == release.days and all(mark is not None and mark <= release.line for mark in marks)
    return releasable(exposure, price, release.to) if in_a_row else 0


def price_findings(book: Book) -> Iterator[Finding]:
    """Blindness: a warning after two polls without a price, critical in time or where the lowest quote is at a call."""
    view = book.price
    if not view.state.is_blind or view.blind_polls < BLIND_POLLS:
        return
    blind_for = book.at - view.blind_since if view.blind_since else timedelta(0)
    grave = blind_for >= book.register.alerts.price_critical_after or lowest_reaches_call(book)
    level = Level.CRITICAL if grave else Level.WARNING
    line = Line("price", 0, level, reached=True, cleared=False, held=False)
    yield Finding("price", (line,), say=lambda: wording.price_body(book))


def lowest_reaches_call(book: Book) -> bool:
    """Whether at the lowest fresh quote, though it is no price, somebody would be at a call line or worse."""
    if book.price.lowest_fresh is None:
        return False
    what_if = PriceView.scenario(book.price.lowest_fresh)
    readings = (read(exposure, what_if) for exposure in book.exposures)
    return any(
        tier.tier.kind.severity >= TierKind.CALL.severity
        for reading in readings
        for tier in reading.reached
        if not reading.exposure.uncovered
    )


def transit_findings(book: Book) -> Iterator[Finding]:
    """A warning per `sent` that its lender should have credited by now."""
    for item in book.balances.transit:
        facility = book.treasury.facility_by_id[item.facility]
        allowed = book.snapshot.terms(facility).credit_hours
        if allowed is not None and book.at - item.sent_at >= allowed:
            line = Line("transit", 0, Level.WARNING, reached=True, cleared=False, held=False)
            say = partial(transit_words.transit_body, book, item, allowed)
            yield Finding(f"transit:{item.ref}", (line,), say=say)


Check = Callable[[Book], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    covenant_findings,
    release_findings,
    price_findings,
    transit_findings,
    production_findings,
)


@dataclass(frozen=True)
class Verdict:
    """What an answer says of one exposure: its reading, the open calls (governing first) and the plain level and tier.

    The level is that of the reading, and critical while a call is open; None is *unknown*.
    """

    reading: Reading
    calls: list[Call]

    @property
    def level(self) -> Level | None:
        if self.calls:
            return Level.CRITICAL
        return self.reading.level if self.reading.known else None
