"""What the tests of plans share: a bot with an approvers' channel, a loan at its call line, and clicks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.money import parse_btc, parse_usd
from bot.domain.plans import Plan, Wanted
from bot.domain.roles import Roles
from bot.domain.sales import Scenario, Way
from bot.domain.treasury import Movement, MovementKind
from bot.slack.views.parts import rendered
from bot.slack.views.plans import APPROVE, DISMISS, PROPOSE, plan_buttons
from bot.store.store import Store
from bot.workspace.model import Message

from .clicking import shown, told
from .test_slack_bench import TREASURY, Bench, bench

APPROVAL = "C8"
ROLES = Roles(operators=("U1", "U2"), approvers=("U3", "U5"))
RICH = (
    TREASURY[: TREASURY.index("[[call]]")]
    .replace('usd = "10000000.00"', 'usd = "60000000.00"')
    .replace('btc = "474.62"', 'btc = "3000.00"')
    .replace('calendar = "new-york"\nready_hours = 4', "ready_hours = 4")
)
"""The example without its notice and movements; with coins and cash to sell and to pay with, on any day."""
CALLED = RICH + TREASURY[TREASURY.index("[[call]]") : TREASURY.index("[[movement]]")]
"""The same with the lender's notice of 7 February 14:15Z."""
AT_55 = Wanted(Scenario(price=5_500_000))
SELLS = Wanted(Scenario(price=5_500_000), frozenset({Way.SELL_FREE}))
"""What sells free coins alone, at $55,000."""


@contextmanager
def planning(store: Store, text: str = RICH, **more: Any) -> Iterator[Bench]:
    """A bot whose U1 and U2 are operators, U3 and U5 approvers, U4 a viewer, U6 a guest; bitcoin at $56,500, where the
    loan is at its call line."""
    with bench(store, roles=ROLES, approval=APPROVAL, **more) as made:
        people = {"U1": "Ada Byron", "U2": "Sam Hill", "U3": "Grace Hopper", "U4": "Vi Ewer", "U5": "Ed Dy"}
        for user, name in people.items():
            made.slack.add_user(user, name=name)
        made.slack.add_user("U6", name="A guest", is_restricted=True)
        made.slack.add_channel(APPROVAL, name="approvals")
        made.imports(text)
        meets(made)
        for place in ("C1", "C2", APPROVAL):
            made.access.place(place)
        made.checks(56_500)
        made.slack.clear_calls()
        yield made


def meets(bot: Bench) -> None:
    """Everybody has just been looked up."""
    bot.knows("U1", "U2", "U3", "U4", "U5", "U6", channels=("C1", APPROVAL))


def answer(bot: Bench, wanted: Wanted = SELLS, channel: str = "C1") -> str:
    """A message with the buttons of a recommendation; where it is."""
    blocks = rendered([plan_buttons(wanted)])
    return str(bot.client.chat_postMessage(channel=channel, text="A recommendation", blocks=blocks)["ts"])


def presses(bot: Bench, ts: str, action: str, user: str, channel: str = APPROVAL, **more: Any) -> str:
    """Presses a button; what they alone read of it."""
    before = len(told(bot, user))
    came = bot.slack.click(ts, action, user=user, channel=channel, **more)
    assert (came.status, came.body) == (200, ""), (came.error, came.body)
    bot.delivers()
    return "\n".join(told(bot, user)[before:])


def proposes(bot: Bench, wanted: Wanted = SELLS, user: str = "U1") -> str:
    """Proposes what `wanted` comes to; what the proposer reads."""
    return presses(bot, answer(bot, wanted), PROPOSE, user, "C1")


def approves(bot: Bench, user: str = "U3", message: Message | None = None, **more: Any) -> str:
    return presses(bot, (message or newest_plan(bot)).ts, APPROVE, user, **more)


def dismisses(bot: Bench, reason: str = "sold elsewhere", user: str = "U3") -> str:
    """Opens the dialog of the newest plan's message and sends it; what they read of it."""
    said = presses(bot, newest_plan(bot).ts, DISMISS, user)
    view = bot.slack.state.open_modal(user)
    if view is None:
        return said
    before = len(told(bot, user))
    assert bot.slack.submit_view(view.id, {"plan_reason": reason}, user=user).ok
    bot.delivers()
    return "\n".join(told(bot, user)[before:])


def posts(bot: Bench) -> list[Message]:
    """The messages of the approvers' channel, without threads."""
    return [message for message in bot.slack.channel(APPROVAL) if message.thread_ts is None]


def newest_plan(bot: Bench) -> Message:
    return posts(bot)[-1]


def reads(message: Message) -> str:
    return shown(message.blocks)


def buttons(message: Message) -> list[str]:
    return [e["text"]["text"] for block in message.blocks for e in block.get("elements", []) if e["type"] == "button"]


def plan(bot: Bench, plan_id: int = 1) -> Plan:
    with bot.store.reading() as tx:
        found = tx.plan(plan_id)
    assert found is not None
    return found


def fills(bot: Bench, kind: str, ref: str, at: datetime | None = None, **fields: str | None) -> None:
    """Somebody has recorded a movement by a file; then everything is checked."""
    given = {name: value for name, value in ({"account": "custody"} | fields).items() if value is not None}
    exact = {name: {"btc": parse_btc, "usd": parse_usd}.get(name, str)(value) for name, value in given.items()}
    movement = Movement(at or bot.clock.now(), MovementKind(kind), ref, **exact)  # type: ignore[arg-type]
    with bot.store.writing() as tx:
        treasury = tx.treasury()
        assert treasury is not None
        movements = (*treasury.movements, movement)
        tx.apply(replace(treasury, movements=movements), at=bot.clock.now(), by="test", source="fills.toml")
    bot.checks()
