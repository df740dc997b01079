"""What the tests of what is agreed anew share: its forms filled in by an approver, looked at and recorded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from bot.domain.answers import ltv_document
from bot.domain.terms import Terms
from bot.workspace.model import View
from bot.workspace.signing import Answer

from .clicking import dialog, shown
from .recording import CALM, sends
from .test_slack_bench import Bench

PLAIN = CALM[: CALM.index("  [[facility.amendment]]")] + CALM[CALM.index("[[group]]") :]
"""The example with neither an amendment nor a waiver."""
JUNE = date(2026, 6, 1)


def opens(bot: Bench, day: date, user: str = "U3") -> View:
    """The form of the terms in force on a day."""
    view = dialog(bot, "/record amendment", user)
    answer = sends(bot, view, facility="antalpha", effective=day.isoformat())
    assert answer.json["response_action"] == "update", answer.json
    assert (view.callback_id, view.title) == ("record_terms", "New terms")
    return view


def types(bot: Bench, view: View, **fields: str | None) -> Answer:
    answer = bot.slack.submit_view(view.id, {f"term_{name}": value for name, value in fields.items()})
    assert answer.ok, (answer.error, answer.problems)
    return answer


def wrong(answer: Answer) -> dict[str, str]:
    assert answer.json["response_action"] == "errors", answer.json
    return {block.removeprefix("term_"): said for block, said in answer.json["errors"].items()}


def checked(bot: Bench, user: str = "U3") -> View:
    view = bot.slack.state.open_modal(user)
    assert view is not None
    assert view.callback_id == "record_approve", (view.callback_id, shown(view.blocks))
    return view


def amends(bot: Bench, day: date, **fields: str | None) -> str:
    """Fills in new terms, looks at the preview and records them; what the preview said."""
    answer = types(bot, opens(bot, day), **fields)
    assert answer.json["response_action"] == "push", answer.json
    return approves(bot)


def approves(bot: Bench) -> str:
    view = checked(bot)
    told = shown(view.blocks)
    assert bot.slack.submit_view(view.id).json == {"response_action": "clear"}
    bot.delivers()
    return told


def clicks_twice(bot: Bench) -> None:
    """As from a second window in which the preview is open still."""
    check = checked(bot)
    for force in (False, True):
        answer = bot.slack.submit_view(check.id, force=force)
        assert answer.json == {"response_action": "clear"}
    bot.delivers()


def fills(bot: Bench, kind: str, user: str = "U3", **fields: Any) -> Answer:
    return sends(bot, dialog(bot, f"/record {kind}", user), facility="antalpha", **fields)


def terms(bot: Bench, at: datetime) -> Terms:
    """The terms that the Book of an instant goes by."""
    asked = bot.questions.book(at=at)
    return asked.snapshot.terms(asked.treasury.facilities[0])


def ltv_at(bot: Bench, at: datetime) -> dict[str, Any]:
    found: dict[str, Any] = ltv_document(bot.questions.book(at=at), "antalpha")["facilities"][0]
    return found
