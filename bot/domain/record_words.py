"""What recording something changes, a line each: what was, and what would be. For the preview and the audit channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from bot.domain.agreed import Agreed
from bot.domain.agreed_words import agreed_changes, agreed_remarks
from bot.domain.book import Book, Coins
from bot.domain.calls import Call, CallState, calls_of, open_calls
from bot.domain.covenant import Exposure
from bot.domain.facts import Fact
from bot.domain.merge_lines import described
from bot.domain.money import Sats, show_btc, show_usd
from bot.domain.production import MonthProduction, month_begins, month_ends, month_key, month_production
from bot.domain.production_words import month_name
from bot.domain.treasury import Movement, MovementKind, Notice, Statement
from bot.domain.wording import amounts, line_name, ltv_phrase
from bot.domain.words import dated, sentence, span

LATE = timedelta(hours=1)
"""What is recorded later than this is said to change what was told before."""
ALIKE_WITHIN = timedelta(days=3)


def changes(before: Book, after: Book, fact: Fact) -> list[str]:
    """What differs between two Books of one instant, with the months that `fact` is of: a line each."""
    parts = (
        _coins(before, after),
        _dollars(before, after),
        _exposures(before, after),
        _deadlines(before, after),
        _month(before, after, fact),
    )
    agreed = agreed_changes(before, after, fact) if isinstance(fact, Agreed) else ()
    return [*agreed, *(line for part in parts for line in part)]


def _coins(before: Book, after: Book) -> Iterator[str]:
    for name, part in _COINS:
        was, is_now = part(before.coins), part(after.coins)
        if was != is_now:
            yield f"{name}: {show_btc(was)} → {show_btc(is_now)} BTC"


_COINS: tuple[tuple[str, Callable[[Coins], Sats]], ...] = (
    ("Free coins", lambda coins: coins.free),
    ("Pledged", lambda coins: coins.pledged),
    ("Coins in transit", lambda coins: coins.in_transit),
    ("Owed by pools", lambda coins: coins.pool),
    ("All coins", lambda coins: coins.total),
)


def _dollars(before: Book, after: Book) -> Iterator[str]:
    parts: tuple[tuple[str, Callable[[Book], int]], ...] = (
        ("Cash", lambda book: book.cash),
        ("Cash in transit", lambda book: book.cash_in_transit),
        ("Debt", lambda book: book.debt),
    )
    for name, part in parts:
        if part(before) != part(after):
            yield f"{name}: {show_usd(part(before))} → {show_usd(part(after))}"


def _exposures(before: Book, after: Book) -> Iterator[str]:
    """Each facility and group whose LTV, lines or calls would be others."""
    calls_before, calls_after = open_calls(before), open_calls(after)
    for was, would_be in zip(before.exposures, after.exposures, strict=True):
        old = _state(before, was, calls_of(was, calls_before))
        new = _state(after, would_be, calls_of(would_be, calls_after))
        if old != new:
            yield f"{would_be.title}: {old} → {new}"


def _deadlines(before: Book, after: Book) -> Iterator[str]:
    """Each open call whose clock would be another: what is agreed from a day before its notice may move it."""
    left = {call.notice.ref: call for call in open_calls(after)}
    for call in open_calls(before):
        still = left.get(call.notice.ref, call)
        if still.due != call.due:
            yield f"Call “{call.notice.ref}”: {_due(before, call)} → {_due(after, still)}"


def _due(book: Book, call: Call) -> str:
    if call.due is None:
        return "no deadline"
    missed = " (missed)" if call.state is CallState.MISSED else ""
    return f"due {dated(call.due, book.treasury.zone, book.at)}{missed}"


def _state(book: Book, exposure: Exposure, calls: list[Call]) -> str:
    """How an exposure stands, in a few words: its LTV, its worst line, what its calls miss."""
    reading = book.read(exposure)
    if not exposure.bounds and not exposure.tested:
        return "nothing owed"
    words = [ltv_phrase(reading) if exposure.bounds else f"{show_usd(exposure.debt)} owed"]
    if reading.worst is not None:
        words.append(f"at its {line_name(reading.worst.tier)}")
    words += [f"call “{call.notice.ref}” missing {amounts(call.missing_btc, call.missing_usd)}" for call in calls]
    return ", ".join(words)


def _month(before: Book, after: Book, fact: Fact) -> Iterator[str]:
    """The month that production would be counted in, where it changes."""
    if not isinstance(fact, (Movement, Statement)):
        return
    treasury = after.treasury
    month = fact.month if isinstance(fact, Statement) else month_key(fact.at, treasury.production_zone)
    zone = treasury.production_zone
    if month_ends(month, zone) <= treasury.opened or month_begins(month, zone) > after.at:
        return
    was, would_be = (month_production(book.treasury, book.register.ledger, month, book.at) for book in (before, after))
    parts = [
        f"{name} {show_btc(part(was))} → {show_btc(part(would_be))}"
        for name, part in _MONTHLY
        if part(was) != part(would_be)
    ]
    if was.gap != would_be.gap:
        parts.append(f"gap {_gap(was)} → {_gap(would_be)}")
    if parts:
        yield f"{month_name(month)}: {', '.join(parts)} BTC"


_MONTHLY: tuple[tuple[str, Callable[[MonthProduction], Sats]], ...] = (
    ("mined", lambda month: month.mined),
    ("sold", lambda month: month.sold),
    ("other", lambda month: month.other),
)


def _gap(month: MonthProduction) -> str:
    return show_btc(month.gap) if month.gap is not None else "unknown"


def remarks(before: Book, fact: Fact) -> list[str]:
    """What whoever records `fact` should look at twice: that it is late, that something alike is recorded, or, of a
    notice, what counts towards it already."""
    if isinstance(fact, Agreed):
        return list(agreed_remarks(before, fact))
    return [*_late(before, fact), *_alike(before, fact), *_counts_already(before, fact)]


_CREDITS = (MovementKind.PLEDGED, MovementKind.REPAID, MovementKind.REPAID_IN_KIND)


def _counts_already(book: Book, fact: Fact) -> Iterator[str]:
    """What was recorded before its notice and is dated after it: nobody had to confirm that."""
    if not isinstance(fact, Notice) or fact.ref in book.treasury.notice_by_ref:
        return
    members = [one.id for one in book.treasury.facilities if fact.group is not None and one.group == fact.group]
    named = (fact.facility, *members)
    since = book.register.ledger.movements_between(fact.at, book.at)
    counted = [
        f"“{effect.movement.ref}” ({described(effect.movement)})"
        for effect in since
        if effect.sign > 0 and effect.movement.kind in _CREDITS and effect.movement.facility in named
    ]
    if counted:
        more = [f"{len(counted) - 3} more"] if len(counted) > 3 else []
        count, them = ("counts", "that") if len(counted) == 1 else ("count", "them")
        said = sentence([*counted[:3], *more], last="and")
        yield f"{said} {count} towards it already: see that the lender has credited {them}."


def _late(book: Book, fact: Fact) -> Iterator[str]:
    if not isinstance(fact, Movement) or book.at - fact.at < LATE:
        return
    yield f"It is dated {span(book.at - fact.at)} back: what was true since then is told anew from now on."
    month = month_key(fact.at, book.treasury.production_zone)
    if month != month_key(book.at, book.treasury.production_zone):
        yield f"It counts in {month_name(month)}, which is over."


def _alike(book: Book, fact: Fact) -> Iterator[str]:
    """What moved the same within a few days: somebody else may have recorded it."""
    if not isinstance(fact, Movement):
        return
    moved = (fact.kind, fact.account, fact.facility, fact.btc, fact.usd, fact.reverses)
    known = [*book.treasury.movements, *(c.thing for c in book.treasury.claims if isinstance(c.thing, Movement))]
    alike = [
        f"“{one.ref}” of {dated(one.at, book.treasury.zone)}"
        for one in known
        if (one.kind, one.account, one.facility, one.btc, one.usd, one.reverses) == moved
        and abs(one.at - fact.at) <= ALIKE_WITHIN
        and one.ref != fact.ref
    ]
    if alike:
        named = sentence(alike[-3:], last="and")
        yield f"{named} moved the same. Record this only if it happened besides."


def claim_words(book: Book, calls: Sequence[Call]) -> str:
    """Why something counts in no line yet, and what makes it count: the open `calls` that it would ease."""
    titles = dict.fromkeys(book.snapshot.exposure(c.notice.facility, c.notice.group).title for c in calls)
    who = f"{sentence(list(titles), last='and')} {'has' if len(titles) == 1 else 'have'}"
    return (
        f"Claimed: {who} called, so it counts in no line and takes nothing off the demand until "
        "a second operator confirms it, or an import has the same."
    )
