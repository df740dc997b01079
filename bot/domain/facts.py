"""One fact that somebody records by hand: held against what is recorded, as the same fact of a file would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.domain.agreed import Agreed, Amendment, Indexed, Waived, amended_on, in_force
from bot.domain.book import Register
from bot.domain.calls import called_tier
from bot.domain.merge import Merge, merge
from bot.domain.periods import iso
from bot.domain.production import is_month, month_begins
from bot.domain.treasury import ANSWERS, CallEnd, Ending, Movement, Notice, Statement, Treasury

Fact: TypeAlias = Movement | Statement | Notice | Agreed
"""A call's end is its notice with the end in it."""
Fault: TypeAlias = tuple[str, str]
"""The field that is wrong, and what would be right."""

CLOCKS_DIFFER = timedelta(minutes=2)
"""A person's clock may be ahead of ours by so much."""


def merged(current: Treasury, fact: Fact) -> Merge:
    """What is recorded with `fact`, or why that is refused."""
    return merge(current, _saying(current, fact))


def _saying(current: Treasury, fact: Fact) -> Treasury:
    """A register that says `fact` and nothing else."""
    bare = Treasury(current.name, current.zone, current.production_zone, current.opened, current.policy)
    match fact:
        case Movement():
            return replace(bare, movements=(fact,))
        case Statement():
            return replace(bare, statements=(fact,))
        case Notice():
            return replace(bare, notices=(fact,))
        case Amendment() | Waived() | Indexed():
            return replace(bare, facilities=(fact.facility,))


def faults(register: Register, fact: Fact, now: datetime) -> Iterator[Fault]:
    """What is wrong with `fact` besides what the merge finds: what has not happened yet, a line that was not there."""
    if isinstance(fact, Statement):
        yield from _statement_faults(register.treasury, fact, now)
        return
    if isinstance(fact, Agreed):
        yield from _agreed_faults(register.treasury, fact)
        return
    if fact.at > now + CLOCKS_DIFFER:
        yield "at", "That is ahead; record what has happened."
    elif isinstance(fact, Notice):
        yield from _notice_faults(register, fact, now)


def _statement_faults(treasury: Treasury, fact: Statement, now: datetime) -> Iterator[Fault]:
    if not is_month(fact.month):
        yield "month", f"“{fact.month}” is not a month; write it as 2026-01."
    elif month_begins(fact.month, treasury.production_zone) > now:
        yield "month", f"{fact.month} has not begun; state a month that is over."
    for name in ("mined", "sold", "held"):
        if getattr(fact, name) < 0:
            yield name, "That is negative; write 0 or more."


def _agreed_faults(treasury: Treasury, fact: Agreed) -> Iterator[Fault]:
    """What a file's own rules have not said of it already: that it was made on top of what is recorded no more."""
    if not isinstance(fact, Amendment):
        return
    known = treasury.facility_by_id[fact.facility.id]
    if amended_on(known, fact.effective) is None and in_force(known, fact.effective) != fact.before:
        yield "effective", TERMS_CHANGED


TERMS_CHANGED = "The terms of that day have changed since this was opened; open it anew."


def _notice_faults(register: Register, fact: Notice, now: datetime) -> Iterator[Fault]:
    known = register.treasury.notice_by_ref.get(fact.ref)
    if known is None:
        try:
            called_tier(register, fact)
        except LookupError:
            yield "tier", f"It had no line “{fact.tier}” at {iso(fact.at)}; choose one that it had then."
        for name in ("price", "demand_btc", "demand_usd"):
            amount: int | None = getattr(fact, name)
            if amount is not None and amount <= 0:
                yield name, f"That is {'negative' if amount < 0 else 'nothing'}; write more than 0."
    if fact.due is not None and fact.due < fact.at:
        yield "due", "That is before the notice; a deadline comes after it."
    for name in ANSWERS:
        instant: datetime | None = getattr(fact, name)
        if instant is None or known is None or getattr(known, name) is not None:
            continue
        if instant < fact.at:
            yield "at", f"That is before the notice, of {iso(fact.at)}."
        elif instant > now + CLOCKS_DIFFER:
            yield "at", "That is ahead; record what has happened."


def claimable(current: Treasury, fact: Fact) -> Movement | CallEnd | None:
    """What of `fact` may be claimed until somebody confirms it: a movement, or the end that a call gains."""
    if isinstance(fact, Movement):
        return fact
    if isinstance(fact, Notice):
        known = current.notice_by_ref.get(fact.ref)
        for how in Ending:
            ended: datetime | None = getattr(fact, how)
            if ended is not None and known is not None and getattr(known, how) is None:
                return CallEnd(fact.ref, how, ended)
    return None


def claimed_fact(current: Treasury, thing: Movement | CallEnd) -> Fact:
    """The fact that a claim is of. KeyError: its call is not recorded."""
    if isinstance(thing, Movement):
        return thing
    notice = current.notice_by_ref[thing.ref]
    return replace(notice, met=thing.at) if thing.how is Ending.MET else replace(notice, withdrawn=thing.at)
