"""What the balances are made of: the movements, and in place of a claim what is certain about it."""

from __future__ import annotations

from bot.domain.treasury import Claim, Movement, MovementKind, Treasury

_FROM_AN_ACCOUNT = (MovementKind.PLEDGED, MovementKind.REPAID, MovementKind.INTEREST_PAID)


def booked(treasury: Treasury) -> tuple[Movement, ...]:
    """The movements, then those that stand in for open claims: what left an account is on its way."""
    stands = (stand_in(claim) for claim in treasury.claims)
    return (*treasury.movements, *(movement for movement in stands if movement is not None))


def stand_in(claim: Claim) -> Movement | None:
    """A claim as the `sent` that it is until it is confirmed; None where it takes nothing out of an account."""
    said = claim.thing
    if not isinstance(said, Movement) or said.kind not in _FROM_AN_ACCOUNT or said.of is not None:
        return None
    return Movement(
        at=said.at,
        kind=MovementKind.SENT,
        ref=said.ref,
        account=said.account,
        facility=said.facility,
        btc=said.btc,
        usd=said.usd,
    )
