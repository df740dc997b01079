"""`/sales` with what can be done about it: propose, adjust, let go; plans and weekends by its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.slack.commands import sales
from bot.slack.views.plans import ADJUST, DROP, PROPOSE
from bot.store.store import Store
from bot.workspace.model import Message

from .clicking import shown, told
from .planning import approves, newest_plan, planning
from .test_slack_bench import Bench, said

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with planning(store) as made:
        yield made


def answered(bot: Bench, line: str = "/sales at 55000", user: str = "U1") -> Message:
    """The answer, as it stands in the channel for them alone."""
    answer = bot.slack.command(line, user=user)
    assert answer.ok, (answer.error, answer.problems)
    return bot.slack.ephemerals(user)[-1]


def labels(blocks: list[Any]) -> list[str]:
    elements = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    return [one["text"]["text"] for one in elements]


def presses(bot: Bench, message: Message, action: str, user: str = "U1") -> None:
    assert bot.slack.click(message.ts, action, user=user, channel=message.channel).ok
    bot.delivers()


def test_what_it_recommends_is_proposed_by_its_button_and_approved(bot: Bench) -> None:
    message = answered(bot)
    assert labels(message.blocks) == ["Propose", "Adjust…", "Dismiss"]
    presses(bot, message, PROPOSE)
    assert told(bot)[-1].startswith("Proposed as plan 1 in <#C8>: ")
    assert newest_plan(bot).headline.startswith("Plan 1, proposed by Ada Byron: ")
    assert approves(bot).startswith("Approved: plan 1.")
    assert shown(bot.slack.command("/sales plans").blocks).startswith("Plan 1")


def test_the_next_answer_says_what_has_changed_since_the_last_plan(bot: Bench) -> None:
    presses(bot, answered(bot), PROPOSE)
    again = shown(answered(bot).blocks)
    assert "Since plan 1 (proposed, made <!date^" in again
    assert "no number has changed." in again
    assert "Since plan 1" not in shown(answered(bot, "/sales at 54000").blocks)
    bot.clock.passes(24 * 3600)
    bot.knows("U1")
    later = shown(answered(bot).blocks)
    assert "Since plan 1 (proposed, made <!date^" in later
    assert " → " in later.partition("Since plan 1")[2]
    assert "no number has changed." not in later


def test_what_nothing_cures_is_not_proposed(bot: Bench) -> None:
    message = answered(bot, "/sales at 1")
    assert "not possible" in shown(message.blocks)
    assert labels(message.blocks) == ["Adjust…", "Dismiss"]


def test_where_nothing_is_to_be_done_there_is_nothing_to_press(bot: Bench) -> None:
    assert labels(answered(bot, "/sales at 90000").blocks) == []


def test_a_viewer_may_look_and_adjust_and_not_propose(bot: Bench) -> None:
    message = answered(bot, user="U4")
    presses(bot, message, PROPOSE, "U4")
    assert told(bot, "U4")[-1].startswith("This takes an operator, and you are a viewer.")
    presses(bot, message, ADJUST, "U4")
    view = bot.slack.state.open_modal("U4")
    assert view is not None
    assert view.title == "Adjust the plan"


def test_dismissed_it_is_gone_and_nothing_was_proposed(bot: Bench) -> None:
    presses(bot, answered(bot), DROP)
    assert told(bot)[-1] == "Dismissed: nothing was proposed."
    assert shown(bot.slack.command("/sales plans").blocks).startswith("No plan is open and none has been.")


def test_a_weekend_is_asked_about_by_its_word(bot: Bench) -> None:
    assert said(bot, "/sales weekend").startswith("*No rail ever closes: ")
    assert said(bot, "/sales Weekend") == said(bot, "/sales weekend")


def test_a_plan_for_many_facilities_follows_the_acknowledgement(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "AT_ONCE", 0)
    assert said(bot, "/sales at 55000") == "Planning for 1 facilities takes a moment; the answer follows."
    bot.quiet()
    assert any(one.startswith("*Recommended sale at $55,000.00") for one in told(bot))  # either may come first
    assert said(bot, "/sales banana").startswith("“banana” is nothing to ask sales about.")
