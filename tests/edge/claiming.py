"""What the tests of claims share: a facility that is called, what would ease that, and how one confirms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from bot.domain.calls import Call, open_calls
from bot.store.store import Store
from bot.workspace.model import Message

from .clicking import click, told
from .recording import (
    AUDIT,
    CALLED,
    book,
    recording,
)
from .test_slack_bench import Bench

AT = datetime(2026, 2, 7, 15, 0, tzinfo=UTC)
CONFIRM, WITHDRAW = "record_confirm_claim", "record_withdraw_claim"
TOP_UP: dict[str, Any] = {"facility": "antalpha", "account": "custody", "btc": "474.62", "at": AT, "ref": "top-up 1"}
REPAID: dict[str, Any] = {"facility": "antalpha", "account": "custody", "usd": "10m", "at": AT, "ref": "wire 1"}


@contextmanager
def called(store: Store) -> Iterator[Bench]:
    """Three quarters of an hour after the example's notice, at a price at which the call line is reached."""
    with recording(store, CALLED) as made:
        made.clock.set(AT)
        made.knows("U1", "U2", "U3", "U4", channels=("C1", AUDIT))
        made.checks(56_000)
        yield made


def message(bot: Bench) -> Message:
    """The message of the audit channel about the last record."""
    return bot.slack.channel(AUDIT)[-1]


def presses(bot: Bench, action: str = CONFIRM, user: str = "U2") -> str:
    """Presses a button of the last claim; what they alone read of it."""
    before = len(told(bot, user))
    click(bot, message(bot), action, user=user, channel=AUDIT)
    answers = told(bot, user)[before:]
    return answers[-1] if answers else ""


def call(bot: Bench) -> Call:
    (one,) = open_calls(book(bot))
    return one


def ltv(bot: Bench) -> Fraction | None:
    at = book(bot)
    return at.read(at.exposures[0]).lenders


def buttons(one: Message) -> list[str]:
    return [
        element["text"]["text"] for block in one.blocks for element in block.get("elements", []) if "value" in element
    ]
