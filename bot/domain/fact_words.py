"""A fact or a claim in a few words, with when it was."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.agreed import Amendment, Indexed, Waived
from bot.domain.agreed_words import agreed_phrase
from bot.domain.alert import Person
from bot.domain.book import Book
from bot.domain.facts import Fact
from bot.domain.merge_lines import asked_for, described
from bot.domain.production_words import month_name
from bot.domain.treasury import ANSWERS, CallEnd, Claim, Movement, Notice, Statement, Treasury
from bot.domain.words import dated, moment, plain_people, sentence, someone


def fact_phrase(fact: Fact | CallEnd, treasury: Treasury) -> str:
    """What is recorded, with when it was: “pledged 474.62 BTC to antalpha (“top-up 1”), Sat 7 Feb 15:00”."""
    zone = treasury.zone
    match fact:
        case Movement():
            return f"{described(fact)}{_undone(fact, treasury)} (“{fact.ref}”), {dated(fact.at, zone)}"
        case Statement():
            return f"statement of {month_name(fact.month)}: {described(fact)}"
        case Amendment() | Waived() | Indexed():
            return agreed_phrase(fact, treasury)
        case CallEnd():
            return f"call “{fact.ref}” {fact.how}, {dated(fact.at, zone)}"
        case Notice():
            return _notice_phrase(fact, treasury)


def _undone(fact: Movement, treasury: Treasury) -> str:
    """Of a reversal, what it undoes and why: who is to confirm it must not look that up."""
    undone = next((movement for movement in treasury.movements if movement.ref == fact.reverses), None)
    if undone is None:
        return ""
    return f", {described(undone)}" + (f": {fact.note}" if fact.note else "")


def _notice_phrase(fact: Notice, treasury: Treasury) -> str:
    known = treasury.notice_by_ref.get(fact.ref)
    for how in ANSWERS:
        if getattr(fact, how) is not None and (known is None or getattr(known, how) is None):
            return f"call “{fact.ref}” {how}, {dated(getattr(fact, how), treasury.zone)}"
    due = f", due {dated(fact.due, treasury.zone)}" if fact.due else ""
    return (
        f"notice “{fact.ref}”: {fact.facility or fact.group} called at “{fact.tier}”, "
        f"{dated(fact.at, treasury.zone)}, {asked_for(fact)}{due}"
    )


def claim_phrase(claim: Claim, book: Book) -> str:
    """What is claimed, by whom, when it was recorded."""
    by, at = someone(Person(claim.by, claim.name)), moment(claim.at, book.treasury.zone, book.at)
    return plain_people(f"{fact_phrase(claim.thing, book.treasury)}, claimed by {by} {at}")


def unconfirmed(claims: Sequence[Claim], book: Book) -> str:
    """What is only claimed, and what to do of it; without its full stop."""
    them = "it" if len(claims) == 1 else "them"
    said = sentence([claim_phrase(claim, book) for claim in claims], last="and")
    return f"Not confirmed: {said}. Have a second operator confirm {them}, or withdraw {them}"
