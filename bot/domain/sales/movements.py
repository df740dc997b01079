"""What the steps of a plan are in the ledger. Movements come without a ref: whoever books them names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from bot.domain.money import Cents
from bot.domain.sales.plan import Leg, Way
from bot.domain.treasury import Movement, MovementKind

Source = TypeVar("Source")


def coins_moved(leg: Leg, at: datetime, released_at: datetime) -> Iterator[Movement]:
    """What a step does to coins, and a sale to the account that takes its dollars."""
    if leg.released_from is not None:
        yield Movement(released_at, MovementKind.RELEASED, "", leg.account, facility=leg.released_from, btc=leg.btc)
    if leg.way is Way.TOP_UP:
        yield Movement(at, MovementKind.PLEDGED, "", leg.account, facility=leg.facility, btc=leg.btc)
    elif leg.way is Way.SELL_PLEDGED:
        yield Movement(at, MovementKind.SOLD, "", leg.through, facility=leg.facility, btc=leg.btc, usd=leg.usd)
    elif leg.way is Way.SELL_FREE:
        if leg.through != leg.account:
            yield Movement(at, MovementKind.TRANSFER, "", leg.account, to=leg.through, btc=leg.btc)
        purpose = f"repay {leg.facility}"
        yield Movement(at, MovementKind.SOLD, "", leg.through, btc=leg.btc, usd=leg.usd, purpose=purpose)


def repaid(facility: str, account: str | None, usd: Cents, at: datetime, principal: Cents) -> Iterator[Movement]:
    """Principal first, of which there is so much; what is more pays the interest."""
    first = min(usd, principal)
    for kind, part in ((MovementKind.REPAID, first), (MovementKind.INTEREST_PAID, usd - first)):
        if part:
            yield Movement(at, kind, "", account, facility=facility, usd=part)


def matched(streams: Iterable[tuple[Source, Cents]], due: Mapping[str, Cents]) -> Iterator[tuple[Source, str, Cents]]:
    """Who is paid from where: each stream of dollars in order until it is used up."""
    left = dict(due)
    for source, usd in streams:
        there = usd
        for facility in due:
            here = min(there, left[facility])
            if here:
                yield source, facility, here
                there -= here
                left[facility] -= here
