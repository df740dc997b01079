"""What people record by hand: previewed, then recorded once, told in the audit channel, and checked at once.

Each is one transaction: the fact, its line in the audit log, the message that tells of it, and whatever it changes of
the alerts are there together, or none of them is. A fact that would ease an open call is kept as a claim
(`bot.domain.claims`) until somebody else confirms it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.agreed import Amendment, Indexed, Waived
from bot.domain.alert import Person
from bot.domain.audit import Entry, What
from bot.domain.book import Book, Register
from bot.domain.claims import ClaimEnd, eased
from bot.domain.fact_words import fact_phrase
from bot.domain.facts import Fact, claimable, claimed_fact, faults, merged
from bot.domain.record_told import RecordTold
from bot.domain.record_words import changes, claim_words, remarks
from bot.domain.transitions import Transition
from bot.domain.treasury import CallEnd, Claim, Movement, Statement, Treasury
from bot.domain.words import moment, someone
from bot.services.acting import ANSWER_WITHIN
from bot.services.agreeing import Agreements
from bot.services.books import Books
from bot.services.checking import checks_in
from bot.services.errors import FactRefusedError, PlimsollError
from bot.services.ports import Clock, KeepsAlerts, Reads
from bot.services.record_posts import claim_headline, claim_stream, post
from bot.services.recording import Channels

SOURCE = "slack"
"""Where it comes from, in the register's history."""

_SLACK_USER = re.compile(r"[UW][A-Z0-9]+\Z")
"""Others confirm by a file, on the machine."""


class KeepsRecords(KeepsAlerts, Protocol):
    """What recording writes."""

    def apply(self, new: Treasury, *, at: datetime, by: str, source: str, lines: tuple[str, ...] = ()) -> bool: ...

    def add_claim(
        self, thing: Movement | CallEnd, *, by: str, name: str, at: datetime, source: str, line: str
    ) -> int: ...

    def withdraw_claim(self, claim_id: int, *, by: str, at: datetime, source: str, reason: str, line: str) -> bool: ...

    def claim_end(self, claim_id: int) -> tuple[ClaimEnd, str, datetime] | None: ...


class RecordsStore(Protocol):
    """The store, as far as recording needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsRecords]: ...

    def reading(self) -> AbstractContextManager[Reads]: ...


class Became(StrEnum):
    """What has become of what somebody wanted recorded."""

    RECORDED = "recorded"
    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    """It was claimed by somebody else, and says the same."""
    ALREADY = "already"
    """It is recorded, or claimed by the same person, already."""


@dataclass(frozen=True)
class Preview:
    """What recording `fact` comes to: `adds` as an import would say it, `lines` what changes, `remarks` what to look at
    twice.

    `claimed` says why it is only claimed: then `lines` come true when it is confirmed.
    """

    fact: Fact
    phrase: str
    adds: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    claimed: str = ""

    @property
    def nothing(self) -> bool:
        """Whether it is recorded, or claimed, already: nothing would change."""
        return not self.adds

    @property
    def outcome(self) -> tuple[str, ...]:
        """`lines`, and of a claim that they are not true yet."""
        return ("Once it is confirmed:", *self.lines) if self.claimed and self.lines else self.lines


@dataclass(frozen=True)
class Recorded:
    """What became of it; `claim` is its id where it is a claim now."""

    became: Became
    preview: Preview
    claim: int = 0


class Records:
    """May be shared between threads. NothingImportedError before an import.

    `agreements` makes facts of what is agreed anew. `tell` hears what the checks said of the change, once it is
    recorded; there may be a message to deliver even where they said nothing.
    """

    def __init__(
        self,
        store: RecordsStore,
        books: Books,
        clock: Clock,
        channels: Channels,
        tell: Callable[[Sequence[Transition]], None],
        agreements: Agreements,
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._channels = channels
        self._tell = tell
        self.agreements = agreements

    def look(self) -> Book:
        """The Book of now, for the choices of a form."""
        with self._store.reading() as tx:
            return self._books.open(tx, self._clock.now())

    def preview(self, fact: Fact) -> Preview:
        """What recording it would come to. FactRefusedError says which field is wrong."""
        return previewed(self.look(), fact)[0]

    def record(self, fact: Fact, by: Person) -> Recorded:
        """Records it, or keeps it as a claim; once, however often it is said. FactRefusedError as for `preview`."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            book = self._books.open(tx, now)
            done, said = self._record(tx, book, fact, by), []
            if done.became is not Became.ALREADY:
                said = checks_in(tx, self._books, now, self._channels)
        self._tell(said)
        return done

    def confirm(self, claim_id: int, by: Person) -> str:
        """Makes a claim of somebody else's count; what to say of it. PlimsollError: why it may not be."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            book = self._books.open(tx, now)
            claim = _claim(tx, book, claim_id)
            if claim.by == by.id:
                raise PlimsollError("You recorded this yourself; a second operator confirms it.")
            try:
                preview = self._confirm(tx, book, claim, by)
            except FactRefusedError as refused:
                why = f"It cannot be recorded any more: {refused} Withdraw it, or mend what it clashes with."
                raise PlimsollError(why) from refused
            said = checks_in(tx, self._books, now, self._channels)
        self._tell(said)
        return f"Confirmed, and it counts now: {preview.phrase}."

    def withdraw(self, claim_id: int, by: Person, reason: str) -> str:
        """Takes a claim back; what to say of it. PlimsollError: why it may not be."""
        with self._store.writing(ANSWER_WITHIN) as tx:
            now = self._clock.now()
            book = self._books.open(tx, now)
            claim = _claim(tx, book, claim_id)
            phrase = fact_phrase(claim.thing, book.treasury)
            line = f"- claim {claim.ref}: withdrawn, {reason}"
            tx.withdraw_claim(claim.id, by=by.id, at=now, source=SOURCE, reason=reason, line=line)
            detail = {"claim": claim.id, "claimed_by": claim.by, "reason": reason, "was": phrase}
            tx.add_audit(Entry(now, by.id, What.CLAIM_WITHDRAWN, claim.ref, detail))
            state = f"Withdrawn by {someone(by)} {moment(now, book.treasury.zone, now)} ({reason})"
            told = RecordTold(claim_headline(claim, phrase)).ended(state)
            post(tx, self._channels.audit, claim_stream(claim.id), told, now, "edit")
            said = checks_in(tx, self._books, now, self._channels)
        self._tell(said)
        return f"Withdrawn: {phrase}. It never counted."

    # Within a transaction

    def _record(self, tx: KeepsRecords, book: Book, fact: Fact, by: Person) -> Recorded:
        claim = _claim_of(book.treasury, fact)
        if claim is not None and (claim.by == by.id or claim.thing != claimable(book.treasury, fact)):
            return self._claimed_already(book, claim, fact, by)
        if claim is not None:
            return Recorded(Became.CONFIRMED, self._confirm(tx, book, claim, by))
        preview, after = previewed(book, fact)
        if preview.nothing:
            return Recorded(Became.ALREADY, preview)
        told = RecordTold(f"{'Claimed' if preview.claimed else 'Recorded'} by {someone(by)}: {preview.phrase}")
        told = replace(told, lines=(*preview.outcome, *preview.remarks))
        detail = {"changes": list(preview.lines), "said": preview.phrase}
        thing = claimable(book.treasury, fact) if preview.claimed else None
        if thing is None:
            tx.apply(after.treasury, at=book.at, by=by.id, source=SOURCE, lines=preview.adds)
            tx.add_audit(Entry(book.at, by.id, _word(fact), _about(fact), detail))
            post(tx, self._channels.audit, f"record:{tx.revision()}", told, book.at)
            return Recorded(Became.RECORDED, preview)
        line = f"+ claim {thing.ref}: {preview.phrase}"
        made = tx.add_claim(thing, by=by.id, name=by.name, at=book.at, source=SOURCE, line=line)
        tx.add_audit(Entry(book.at, by.id, What.CLAIMED, thing.ref, {**detail, "claim": made}))
        told = replace(told, state=preview.claimed, claim=made)
        post(tx, self._channels.audit, claim_stream(made), told, book.at)
        return Recorded(Became.CLAIMED, preview, made)

    def _claimed_already(self, book: Book, claim: Claim, fact: Fact, by: Person) -> Recorded:
        """The same person says it again, or somebody says another thing of the same."""
        if claim.thing == claimable(book.treasury, fact):
            phrase = fact_phrase(claim.thing, book.treasury)
            return Recorded(Became.ALREADY, Preview(fact, phrase), claim.id)
        whose = "you" if claim.by == by.id else claim.name or claim.by
        text = f"“{claim.ref}” is claimed by {whose} and not confirmed, and says something else; confirm or withdraw it"
        raise FactRefusedError([("ref", f"{text} first.")])

    def _confirm(self, tx: KeepsRecords, book: Book, claim: Claim, by: Person) -> Preview:
        treasury = replace(book.treasury, claims=tuple(one for one in book.treasury.claims if one.id != claim.id))
        fact = claimed_fact(treasury, claim.thing)
        register = Register.of(treasury, self._books.alerts)
        preview, after = previewed(replace(book, register=register, known=None), fact)
        preview = replace(preview, lines=tuple(changes(counting(book, fact), after, fact)))
        confirmed = replace(after.treasury, claims=treasury.claims)
        tx.apply(confirmed, at=book.at, by=by.id, source=SOURCE, lines=(f"+ confirmed {claim.ref}: {preview.phrase}",))
        detail = {"claim": claim.id, "claimed_by": claim.by, "said": preview.phrase, "changes": list(preview.lines)}
        tx.add_audit(Entry(book.at, by.id, What.CONFIRMED, claim.ref, detail))
        told = RecordTold(claim_headline(claim, preview.phrase), preview.lines)
        state = f"Confirmed by {someone(by)} {moment(book.at, book.treasury.zone, book.at)}"
        post(tx, self._channels.audit, claim_stream(claim.id), told.ended(state), book.at, "edit")
        return preview


def counting(book: Book, fact: Fact) -> Book:
    """`book` as of when `fact` counts. A person's clock may be ahead of ours, and a form knows whole minutes: what is
    of a minute that has only begun there changes nothing yet here, and must be judged all the same.
    """
    thing = claimable(book.treasury, fact)
    return book if thing is None or thing.at <= book.at else replace(book, at=thing.at, known=None)


def previewed(book: Book, fact: Fact) -> tuple[Preview, Book]:
    """What recording `fact` comes to, and the Book with it, as of when it counts. FactRefusedError."""
    found = list(faults(book.register, fact, book.at))
    came_to = merged(book.treasury, fact)
    found += [(refusal.key, refusal.text) for refusal in came_to.refusals]
    if found:
        raise FactRefusedError(found)
    phrase = fact_phrase(fact, book.treasury)
    if not came_to.lines:
        return Preview(fact, phrase), book
    before = counting(book, fact)
    after = replace(before, register=Register.of(came_to.treasury, book.register.alerts), known=None)
    calls = eased(before, after) if claimable(book.treasury, fact) is not None else []
    preview = Preview(
        fact,
        phrase,
        came_to.lines,
        tuple(changes(before, after, fact)),
        tuple(remarks(book, fact)),
        claim_words(book, calls) if calls else "",
    )
    return preview, after


def _about(fact: Fact) -> str:
    """What the audit log files it under."""
    return f"statement {fact.month}" if isinstance(fact, Statement) else fact.ref


def _word(fact: Fact) -> What:
    """What the audit log calls recording it."""
    match fact:
        case Amendment():
            return What.AMENDED
        case Waived():
            return What.WAIVED
        case Indexed():
            return What.INDEX_NOTED
        case _:
            return What.RECORDED


def _claim_of(treasury: Treasury, fact: Fact) -> Claim | None:
    """The open claim of the same movement or call."""
    thing = claimable(treasury, fact)
    if thing is None:
        return None
    return next((one for one in treasury.claims if type(one.thing) is type(thing) and one.ref == thing.ref), None)


def _claim(tx: KeepsRecords, book: Book, claim_id: int) -> Claim:
    claim = next((one for one in book.treasury.claims if one.id == claim_id), None)
    if claim is not None:
        return claim
    ended = tx.claim_end(claim_id)
    if ended is None:
        raise PlimsollError("There is no such claim.")
    how, by, at = ended
    who = someone(Person(by)) if _SLACK_USER.match(by) else by
    raise PlimsollError(f"That was {how} by {who} {moment(at, book.treasury.zone, book.at)} already.")
