"""What tests of clicks, lists and dialogs share: a bot whose channel has one alert, and how one presses and reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from bot.domain.alerts import AlertPolicy
from bot.store.store import Store
from bot.workspace.model import Message, View
from bot.workspace.signing import Answer

from .test_slack_bench import Bench, bench

ACKNOWLEDGE, SNOOZE, PLAN, NO_NOTICE = "alert_acknowledge", "alert_snooze", "alert_plan", "alert_no_notice"
ALONE = AlertPolicy(escalate_after=timedelta(minutes=15))


@contextmanager
def alerted(store: Store) -> Iterator[Bench]:
    """A bot whose channel has one alert: the facility at its early warning."""
    with bench(store, policy=ALONE) as made:
        made.slack.add_user("U1", name="Ada Byron")
        made.slack.add_user("U2", name="Sam Hill")
        made.imports()
        made.knows("U1", "U2")
        made.access.place("C2")
        made.checks(61_000)
        made.slack.clear_calls()
        yield made


def at_the_call_line(bot: Bench) -> Message:
    """The post that says that the facility is at its call line; the group stays where it is."""
    bot.clock.passes(60)
    bot.checks(56_500)
    return newest(bot)


def newest(bot: Bench) -> Message:
    return next(m for m in reversed(bot.slack.channel("C1")) if m.headline.startswith(("Antalpha ", "Still")))


def posts(bot: Bench) -> list[str]:
    return [message.headline for message in bot.slack.channel("C1")]


def click(bot: Bench, message: Message, action: str = ACKNOWLEDGE, user: str = "U1", **more: Any) -> Answer:
    """A click, and all that follows from it: notes, deliveries."""
    answer = bot.slack.click(message.ts, action, user=user, **more)
    assert (answer.status, answer.body) == (200, ""), (answer.error, answer.body)
    bot.delivers()
    return answer


def told(bot: Bench, user: str = "U1") -> list[str]:
    """What only they read, all blocks of it."""
    return [shown(message.blocks) for message in bot.slack.ephemerals(user)]


def shown(blocks: list[Any]) -> str:
    found = []
    for block in blocks:
        parts = [block["text"]] if "text" in block else block.get("elements", [])
        found += [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "\n".join(found)


def events(bot: Bench, key: str = "covenant:antalpha") -> list[tuple[str, str, str | None]]:
    with bot.store.reading() as tx:
        row = next(row for row in tx.alerts() if row.key == key)
        return [(event.change, event.reason, event.by) for event in tx.alert_events(row.id)]


def status(bot: Bench, key: str = "covenant:antalpha") -> str:
    with bot.store.reading() as tx:
        return next(row for row in tx.alerts() if row.key == key).alert.status


def snooze_value(message: Message, choice: str) -> str:
    for blocks in (message.blocks, *(version.blocks for version in reversed(message.edits))):
        for block in blocks:
            for element in block.get("elements", []):
                if element.get("action_id") == SNOOZE:
                    return next(o["value"] for o in element["options"] if o["value"].endswith(choice))
    raise AssertionError(message)


def dialog(bot: Bench, line: str = "/alerts silence", user: str = "U1") -> View:
    answer = bot.slack.command(line, user=user)
    assert (answer.status, answer.body) == (200, ""), answer.body
    bot.quiet()
    view = bot.slack.state.open_modal(user)
    assert view is not None
    return view
