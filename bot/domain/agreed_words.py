"""What is agreed anew, in words: what it is, what it changes, what to look at twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from bot.domain.agreed import Agreed, Amendment, Indexed, Waived
from bot.domain.book import Book
from bot.domain.covenant import Bound, basis, bind
from bot.domain.money import show_usd
from bot.domain.periods import midnight
from bot.domain.term_words import term_changes
from bot.domain.terms import Facility, Terms
from bot.domain.treasury import Treasury
from bot.domain.words import dated, sentence, span


def agreed_phrase(fact: Agreed, treasury: Treasury) -> str:
    """What is recorded, with when it counts: “new terms of antalpha from 1 Mar 2026 00:00 Chicago”."""
    named, zone = fact.facility.id, treasury.zone
    match fact:
        case Amendment():
            return f"new terms of {named} from {from_when(fact.effective, fact.facility.zone)}"
        case Waived():
            waiver = fact.waiver
            return f"waiver of {named}, {dated(waiver.since, zone)} until {dated(waiver.until, zone)} ({waiver.reason})"
        case Indexed():
            return f"price index of {named} since {dated(fact.index.since, zone)}: {fact.index.note}"


def from_when(day: date, zone: ZoneInfo) -> str:
    """When a day begins where interest accrues: “1 Mar 2026 00:00 Chicago”."""
    return f"{day.day} {day:%b %Y} 00:00 {zone.key.rpartition('/')[2].replace('_', ' ')}"


def agreed_changes(before: Book, after: Book, fact: Agreed) -> Iterator[str]:
    """What is other than it was, a line each; what that does to debts and LTVs is said besides."""
    title = before.snapshot.title(before.treasury.facility_by_id[fact.facility.id])
    match fact:
        case Amendment():
            yield from term_changes(fact.before, fact.version.terms)
            yield from _prices(before, after, fact)
            yield from _carried(before, after, fact)
            if midnight(fact.effective, fact.facility.zone) > before.at:
                yield "Until then nothing changes."
        case Waived():
            yield f"Alerts of {title} are headed as waived meanwhile; none is silenced."
        case Indexed():
            yield "It is a note: no number changes."


def _prices(before: Book, after: Book, fact: Amendment) -> Iterator[str]:
    """At which price each line is reached, at today's debt: by what was in force, and by the new terms."""
    known = before.treasury.facility_by_id[fact.facility.id]
    if before.treasury.pool_of(known) is not None:
        return
    pairs = list(zip(_bounds(before, known, fact.before), _bounds(after, known, fact.version.terms), strict=True))
    if all(was.price == now.price for was, now in pairs):
        return
    for was, now in pairs:
        moved = f"{_price(was)} → {_price(now)}" if was.price != now.price else f"stays at {_price(now)}"
        yield f"Price of “{now.tier.name}” at today's debt: {moved}"


def _bounds(book: Book, facility: Facility, terms: Terms) -> tuple[Bound, ...]:
    debt = book.balances.debts[facility.id]
    tested = basis(terms.ltv_on, debt.principal, debt.total)
    coins = book.balances.collateral.get(facility.id, 0)
    return bind(terms.tiers, tested, coins, terms.cushion, book.register.margin)


def _price(bound: Bound) -> str:
    return show_usd(bound.price) if bound.price is not None else "none"


def _carried(before: Book, after: Book, fact: Amendment) -> Iterator[str]:
    """Later amendments are of what was in force before them: what they do not name, they get from this one."""
    was = {version.effective: version.terms for version in before.treasury.facility_by_id[fact.facility.id].versions}
    for version in after.treasury.facility_by_id[fact.facility.id].versions:
        if version.effective is None or version.effective <= fact.effective:
            continue
        when = from_when(version.effective, fact.facility.zone)
        if was[version.effective] != version.terms:
            yield f"From {when} the amendment of that day counts besides, with this carried into it."
        else:
            yield f"From {when} the amendment of that day counts instead."


def agreed_remarks(before: Book, fact: Agreed) -> Iterator[str]:
    """What to look at twice: that it reaches into what was told already, that it ended, that there is one already."""
    at = before.at
    match fact:
        case Amendment():
            since = midnight(fact.effective, fact.facility.zone)
            if since <= at:
                yield f"In force for {span(at - since)} already: what was true since then is told anew from now on."
        case Waived():
            if fact.waiver.until <= at:
                yield f"It ended {span(at - fact.waiver.until)} ago: it relabels nothing now."
            known = before.treasury.facility_by_id[fact.facility.id].waivers
            meanwhile = [one for one in known if one.since < fact.waiver.until and fact.waiver.since < one.until]
            if meanwhile and fact.waiver not in known:
                reasons = sentence([one.reason for one in meanwhile], last="and")
                yield f"It is waived in that time already ({reasons}); the one recorded first is shown."
        case Indexed():
            return
