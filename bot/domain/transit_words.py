"""What is said of what is on its way to a lender for longer than it should take."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.book import Book
from bot.domain.fact_words import unconfirmed
from bot.domain.ledger import Transit
from bot.domain.money import show_btc, show_usd
from bot.domain.treasury import Claim, Movement
from bot.domain.words import moment, span


def transit_headline(transit: Transit) -> str:
    what = f"{show_btc(transit.btc)} BTC" if transit.btc else show_usd(transit.usd)
    return f"{what} sent and not credited: {transit.ref}"


def transit_over(book: Book, ref: str) -> str:
    """What has become of something that was on its way: not all that is there no more has been credited."""
    if all(movement.ref != ref for movement in book.treasury.movements):
        return f"{ref} was only claimed, and is withdrawn"
    undone = any(movement.reverses == ref for movement in book.treasury.movements)
    return f"{ref} is undone" if undone else f"{ref} is credited"


def transit_body(book: Book, transit: Transit, allowed: timedelta) -> str:
    """Who has not credited what, since when; or who says that it is credited, and nobody has confirmed it."""
    facility = book.treasury.facility_by_id[transit.facility]
    sent = moment(transit.sent_at, book.treasury.zone, book.at)
    claimed = [claim for claim in book.treasury.claims if transit.ref in (claim.ref, _drawn_on(claim))]
    step = f"Ask {facility.lender}, then record what was credited."
    if claimed:
        step = f"{unconfirmed(claimed, book)}."
    return (
        f"Sent to {facility.lender} {sent}, {span(book.at - transit.sent_at)} ago; "
        f"it should take {span(allowed)}.\nUntil it is credited it is neither collateral nor repayment. {step}"
    )


def _drawn_on(claim: Claim) -> str | None:
    """The `sent` that a claim says is credited."""
    return claim.thing.of if isinstance(claim.thing, Movement) else None
