"""How the bot is, as `/plimsoll` tells it. The composition root gathers it; nothing here asks the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.price import PriceView


@dataclass(frozen=True)
class Health:
    """What is known at `at`. `database` is None where it answers, else what is wrong with it.

    `sources` are the configured price sources; of the last poll, `dropped` are those whose quotes were left out and
    `missing` those that gave none, each with the reason. `last_check` is when all checks last ran; `undelivered` counts
    messages not known to be in Slack yet, the oldest since `undelivered_since`. Longer than `check_within` and
    `deliver_within` ago is too long. `failed` are messages given up lately, with `failures` saying why. `facility` is
    the id of one, for an example ("": there is none). `socket_silent_for` is the age of the last sign of life in
    Socket Mode (None: not in that mode). `closed` says in which of our own channels nothing can be posted, and why.
    """

    at: datetime
    price: PriceView
    sources: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    last_check: datetime | None = None
    check_within: timedelta = timedelta(seconds=90)
    undelivered: int = 0
    undelivered_since: datetime | None = None
    deliver_within: timedelta = timedelta(minutes=2)
    failed: int = 0
    failures: tuple[str, ...] = field(default=())
    database: str | None = None
    socket_silent_for: timedelta | None = None
    closed: tuple[str, ...] = ()
    facility: str = ""
    version: str = ""
