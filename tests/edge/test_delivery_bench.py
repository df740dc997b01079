"""What the delivery tests say and do: an alert, its messages, a worker and a clock that goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.alerts import AlertPolicy, Finding, Line, decide
from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.services.pacing import Pace

from .test_slack_bench import Bench

KEY = "covenant:antalpha"
SAID = Message(KEY, "critical", "Antalpha is at its margin-call line", "Price $55,000.00.", mention=True)
NO_WAIT = {"pace": Pace(per_second=1000, burst=1000)}


def opened(bot: Bench, key: str = KEY) -> int:
    """An alert, as a check opens one; its id."""
    line = Line("call", 1, Level.CRITICAL, reached=True, cleared=False, tier="margin call")
    transition = decide(None, Finding(key, (line,)), bot.clock.now(), AlertPolicy())
    with bot.store.writing() as tx:
        alert_id = tx.save_transition(transition, channel="C1", text="")
    assert alert_id is not None
    return alert_id


def out(bot: Bench, alert: int | None, kind: str = "post", said: str | Message = SAID, **more: Any) -> int:
    """Puts a message into the outbox; its row."""
    message = said if isinstance(said, Message) else replace(SAID, headline=said)
    values: dict[str, Any] = {"stream": f"alert:{alert}", "channel": "C1", "level": Level.CRITICAL} | more
    with bot.store.writing() as tx:
        return tx.enqueue(alert_id=alert, kind=kind, message=message.document(), at=bot.clock.now(), **values)


def headlines(bot: Bench) -> list[str]:
    return [message.headline for message in bot.slack.channel("C1")]


def deliver(bot: Bench, seconds: float = 120, step: float = 1, **options: Any) -> None:
    """Runs one worker until nothing waits, the clock going on; fails where something still does."""
    worker = bot.deliverer(**(NO_WAIT | options))
    for _ in range(int(seconds / step)):
        worker.run_once()
        if not bot.pending():
            return
        bot.clock.passes(step)
    raise AssertionError(f"still waiting: {bot.pending()}")
