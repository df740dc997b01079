"""What the tests of `/record` share: a bot with an audit channel, two operators, and how one fills in a form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.domain.book import Book
from bot.domain.roles import Roles
from bot.domain.treasury import Movement, Treasury
from bot.store.store import Store
from bot.workspace.model import View
from bot.workspace.signing import Answer

from .clicking import dialog, shown
from .test_slack_bench import TREASURY, Bench, bench

AUDIT = "C7"
ROLES = Roles(operators=("U1", "U2"), approvers=("U3",))
CALLED = TREASURY[: TREASURY.index("[[movement]]")]
"""The example with its notice of 7 February 14:15Z and nothing done about it yet."""
CALM = TREASURY[: TREASURY.index("[[call]]")]


@contextmanager
def recording(store: Store, text: str = CALM) -> Iterator[Bench]:
    """A bot whose U1 and U2 are operators, U3 is an approver and U4 a viewer; bitcoin at $61,000."""
    with bench(store, roles=ROLES, audit=AUDIT) as made:
        made.slack.add_user("U1", name="Ada Byron")
        made.slack.add_user("U2", name="Sam Hill")
        made.slack.add_user("U3", name="Grace Hopper")
        made.slack.add_user("U4", name="Vi Ewer")
        made.slack.add_channel(AUDIT, name="treasury-audit")
        made.imports(text)
        made.knows("U1", "U2", "U3", "U4", channels=("C1", AUDIT))
        made.access.place(AUDIT)
        made.access.place("C2")
        made.checks(61_000)
        made.slack.clear_calls()
        yield made


def fills(bot: Bench, kind: str, user: str = "U1", **fields: Any) -> tuple[View, Answer]:
    """Opens a form and sends it; what comes of it. An instant may be given for a time."""
    view = dialog(bot, f"/record {kind}", user)
    return view, sends(bot, view, **fields)


def sends(bot: Bench, view: View, **fields: Any) -> Answer:
    values = {f"record_{name}": _given(value) for name, value in fields.items()}
    answer = bot.slack.submit_view(view.id, values)
    assert answer.ok, (answer.error, answer.problems)
    return answer


def _given(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def errors(answer: Answer) -> dict[str, str]:
    """What is wrong, by field."""
    assert isinstance(answer.json, dict), answer.body
    assert answer.json["response_action"] == "errors", answer.json
    return {block.removeprefix("record_"): text for block, text in answer.json["errors"].items()}


def preview(bot: Bench, user: str = "U1") -> View:
    """The preview that lies over the form."""
    view = bot.slack.state.open_modal(user)
    assert view is not None
    assert view.callback_id == "record_check", view.callback_id
    return view


def records(bot: Bench, kind: str, user: str = "U1", **fields: Any) -> str:
    """Fills in a form, looks at the preview and records it; what the preview said."""
    fills(bot, kind, user, **fields)
    view = preview(bot, user)
    said = shown(view.blocks)
    answer = bot.slack.submit_view(view.id)
    assert answer.ok, (answer.error, answer.problems)
    assert answer.json == {"response_action": "clear"}, answer.body
    bot.delivers()
    return said


def treasury(bot: Bench) -> Treasury:
    with bot.store.reading() as tx:
        found = tx.treasury()
    assert found is not None
    return found


def recorded(bot: Bench) -> dict[str, Movement]:
    return {movement.ref: movement for movement in treasury(bot).movements}


def book(bot: Bench) -> Book:
    return bot.questions.book()


def audit_channel(bot: Bench) -> list[str]:
    """Every message of the audit channel as it reads now."""
    return [shown(message.blocks) for message in bot.slack.channel(AUDIT)]


def entries(bot: Bench) -> list[tuple[str, str, str]]:
    """The audit log: who, what, about what."""
    bot.audit.flush()
    with bot.store.reading() as tx:
        return [(row.actor, row.what, row.about) for row in tx.audit_rows()]
