"""What is posted once and belongs to no alert: the row of its stream in the outbox is the proof that it was.

It is looked for and written in one transaction that no other writer shares. So a process killed at any instant, two
workers, or somebody who posts it by hand at the same time cannot lose or double it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.audit import Entry, Head, What
from bot.domain.digest_words import Told
from bot.domain.terms import Level
from bot.services.ports import Enqueues


class Posting(StrEnum):
    """What became of posting something."""

    QUEUED = "queued"
    """It waits in the outbox now."""
    WAITING = "waiting"
    """It was in the outbox before, and is not known to be in Slack yet."""
    POSTED = "posted"
    """It was posted before."""


class PostsOnce(Enqueues, Protocol):
    """What posting writes."""

    def post_status(self, stream: str) -> str | None: ...

    def add_audit(self, entry: Entry) -> Head: ...


def post_once(
    tx: PostsOnce,
    *,
    stream: str,
    channel: str,
    by: str,
    at: datetime,
    say: Callable[[Head], Told],
    again: bool = False,
) -> Posting:
    """Puts what `say` says into the outbox unless something of `stream` is there; it may carry the audit log's head.

    `again`: what Slack has refused for good is put there anew.
    """
    before = tx.post_status(stream)
    if before is not None and not (again and before == "failed"):
        return Posting.WAITING if before == "pending" else Posting.POSTED
    sealed = tx.add_audit(Entry(at, by, What.POSTED, stream, {"channel": channel}))
    message = say(sealed).document()
    tx.enqueue(alert_id=None, stream=stream, kind="post", channel=channel, message=message, level=Level.NOTICE, at=at)
    return Posting.QUEUED
