"""How the bot is, as `/plimsoll` tells it. The composition root gathers it; nothing here asks the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.price import PriceView


@dataclass(frozen=True)
class Health:
    """What is known at `at`. `database` is None where it answers, else what is wrong with it.

    `sources` are the configured price sources; `last_check` is when all checks last ran; `undelivered` counts messages
    not known to be in Slack yet, the oldest since `undelivered_since`; `failed` those given up lately, with `failures`
    saying why. `socket_silent_for` is the age of the last sign of life in Socket Mode (None: not in that mode).
    """

    at: datetime
    price: PriceView
    sources: tuple[str, ...] = ()
    last_check: datetime | None = None
    undelivered: int = 0
    undelivered_since: datetime | None = None
    failed: int = 0
    failures: tuple[str, ...] = field(default=())
    database: str | None = None
    socket_silent_for: timedelta | None = None
    version: str = ""
