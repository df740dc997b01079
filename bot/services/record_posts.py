"""What the audit channel is told of the register's changes, in the transaction that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.alert import Person
from bot.domain.claims import is_recorded
from bot.domain.fact_words import fact_phrase
from bot.domain.record_told import RecordTold
from bot.domain.terms import Level
from bot.domain.treasury import Claim, Treasury
from bot.domain.words import counted, moment, someone
from bot.services.ports import Enqueues

MOST_LINES = 20
"""Lines of a file that are told one by one."""


def post(tx: Enqueues, channel: str | None, stream: str, told: RecordTold, at: datetime, kind: str = "post") -> None:
    """Puts it into the outbox, where there is a channel to tell."""
    if channel is not None:
        tx.enqueue(
            alert_id=None,
            stream=stream,
            kind=kind,
            channel=channel,
            message=told.document(),
            level=Level.NOTICE,
            at=at,
        )


def claim_stream(claim_id: int) -> str:
    """The stream of a claim's one message, which is edited when it ends."""
    return f"claim:{claim_id}"


def claim_headline(claim: Claim, phrase: str) -> str:
    """How a claim's message begins, before and after it has ended."""
    return f"Claimed by {someone(Person(claim.by, claim.name))}: {phrase}"


@dataclass(frozen=True)
class Imported:
    """A file that changed something: its name, who imported it when, what it changed, the claims it has ended."""

    name: str
    by: str
    at: datetime
    lines: tuple[str, ...]
    ended: tuple[Claim, ...]


def post_import(tx: Enqueues, channel: str | None, treasury: Treasury, revision: int, file: Imported) -> None:
    """That a file was imported, with its first lines; under each claim that it has ended, whether it says the same."""
    more = [f"… and {len(file.lines) - MOST_LINES:,} more"] if len(file.lines) > MOST_LINES else []
    told = RecordTold(
        f"Imported by {file.by} from {file.name}: {counted(len(file.lines), 'change')}",
        (*file.lines[:MOST_LINES], *more),
    )
    post(tx, channel, f"record:{revision}", told, file.at)
    for claim in file.ended:
        same = is_recorded(treasury, claim)
        state = f"{'Confirmed' if same else 'Overtaken'} by {file.name}, imported by {file.by} "
        state += moment(file.at, treasury.zone, file.at) + ("" if same else ", which says something else of that call")
        ended = RecordTold(claim_headline(claim, fact_phrase(claim.thing, treasury))).ended(state)
        post(tx, channel, claim_stream(claim.id), ended, file.at, "edit")
