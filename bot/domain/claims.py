"""What counts only once somebody else has confirmed it: whatever would ease a lender's call that is open.

A pledge or repayment that one person types in counts in no line, and takes nothing off a demand, until a second person
confirms it or an import (the lender's own statement) has it too; the same goes for the lender's word that a call is met
or withdrawn: nobody types a call away. Meanwhile what has left an account is *in transit*, as anything sent and not
credited is: still ours, and not to be spent again (`bot.domain.booked`).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from bot.domain.book import Book
from bot.domain.calls import Call, open_calls
from bot.domain.covenant import Exposure
from bot.domain.treasury import CallEnd, Claim, Treasury


class ClaimEnd(StrEnum):
    """What has become of a claim: recorded as what it says, or taken back; or its call has ended otherwise."""

    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


def is_recorded(treasury: Treasury, claim: Claim) -> bool:
    """Whether what was claimed is recorded, just so."""
    said = claim.thing
    if not isinstance(said, CallEnd):
        return said in treasury.movements
    call = treasury.notice_by_ref.get(said.ref)
    return call is not None and getattr(call, said.how) == said.at


PAST_A_FIRST = timedelta(days=32)
"""Whatever the day, a first of a month comes before this is over."""


def eased(before: Book, after: Book) -> list[Call]:
    """The open calls that are over, demand less or stand at a lower LTV in `after`: the same instant, a record more.

    That instant must be one at which the record counts. It eases a call as well where it lowers the LTV only once the
    next first of a month is over: interest that is paid does not join the principal that a lender tests.
    """
    left = {call.notice.ref: call for call in open_calls(after)}
    return [call for call in open_calls(before) if _is_eased(call, left.get(call.notice.ref), before, after)]


def _is_eased(call: Call, still: Call | None, before: Book, after: Book) -> bool:
    if still is None or still.missing < call.missing:
        return True
    notice = call.notice
    for ahead in (timedelta(0), PAST_A_FIRST):
        snapshots = (book.register.snapshot(book.at, book.at + ahead) for book in (before, after))
        was, would_be = (snapshot.exposure(notice.facility, notice.group) for snapshot in snapshots)
        if _is_lower(was, would_be):
            return True
    return False


def _is_lower(was: Exposure, would_be: Exposure) -> bool:
    """Whether the LTV that the lender tests falls, at any price: debt over coins, without dividing by none."""
    if not was.collateral and not would_be.collateral:
        return would_be.tested < was.tested
    return would_be.tested * was.collateral < was.tested * would_be.collateral


def claims_on(book: Book, exposure: Exposure) -> list[Claim]:
    """The open claims about one facility or group, the end of a call on it included, in the order of recording.

    Of an instant that is past, those that were recorded by then or are of what had happened by then.
    """
    treasury = book.treasury
    named = {exposure.id}
    if exposure.is_group:
        named = {facility.id for facility in treasury.members(treasury.group_by_id[exposure.id])}
    known = (claim for claim in treasury.claims if min(claim.at, claim.thing.at) <= book.at)
    return [claim for claim in known if _is_about(claim, treasury, exposure, named)]


def _is_about(claim: Claim, treasury: Treasury, exposure: Exposure, facilities: set[str]) -> bool:
    said = claim.thing
    if isinstance(said, CallEnd):
        notice = treasury.notice_by_ref[said.ref]
        return notice.facility in facilities or (exposure.is_group and notice.group == exposure.id)
    undone = next((movement for movement in treasury.movements if movement.ref == said.reverses), said)
    return undone.facility in facilities
