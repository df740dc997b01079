"""Buttons under an alert, pressed over signed HTTP: what becomes of the alert, of its message, and who is told what."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bot.store.store import Store
from bot.workspace.model import Message

from .clicking import (
    ACKNOWLEDGE,
    NO_NOTICE,
    PLAN,
    SNOOZE,
    alerted,
    at_the_call_line,
    click,
    events,
    newest,
    shown,
    snooze_value,
    status,
    told,
)
from .test_slack_bench import Bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        yield made


@pytest.fixture
def critical(bot: Bench) -> Message:
    return at_the_call_line(bot)


def test_acknowledging_edits_the_message_for_everybody_and_needs_no_note(bot: Bench) -> None:
    message = newest(bot)
    before = len(message.edits)
    click(bot, message)
    edited = newest(bot)
    assert (edited.ts, len(edited.edits)) == (message.ts, before + 1)
    assert "Acknowledged by <@U1> <!date^" in shown(edited.blocks)
    assert edited.action_ids == [SNOOZE, PLAN]
    assert [reply.headline for reply in edited.replies][-1].startswith("Acknowledged by Ada Byron: ")
    assert told(bot) == []
    assert events(bot)[-1] == ("acknowledged", "taken", "U1")
    assert [one.reason.value for one in bot.changes] == ["taken"]


def test_two_people_at_once_make_one_row_and_one_edit_with_the_right_name(bot: Bench) -> None:
    message = newest(bot)
    edits = len(message.edits)
    together = threading.Barrier(2)

    def press(user: str) -> None:
        together.wait()
        assert bot.slack.click(message.ts, ACKNOWLEDGE, user=user).ok

    threads = [threading.Thread(target=press, args=(user,)) for user in ("U1", "U2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bot.delivers()
    taken = [event for event in events(bot) if event[0] == "acknowledged"]
    assert len(taken) == 1
    who = taken[0][2]
    assert len(newest(bot).edits) == edits + 1
    assert f"Acknowledged by <@{who}>" in shown(newest(bot).blocks)
    late = "U2" if who == "U1" else "U1"
    assert who is not None
    assert told(bot, who) == []
    (note,) = told(bot, late)
    assert note.startswith(f"<@{who}> has acknowledged this already, <!date^")


def test_a_retried_click_acts_once_and_says_nothing_twice(bot: Bench) -> None:
    message = newest(bot)
    first = click(bot, message)
    for number in (1, 2):
        assert bot.slack.repeat(first, retry_num=number).body == ""
    bot.requests._answers.clear()  # as in a process that did not see the first try
    assert bot.slack.repeat(first, retry_num=3).body == ""
    bot.delivers()
    assert [event[0] for event in events(bot)].count("acknowledged") == 1
    assert told(bot) == []


def test_clicking_again_says_who_has_it(bot: Bench) -> None:
    message = newest(bot)
    click(bot, message)
    click(bot, message, stale=True)
    click(bot, message, user="U2", stale=True)
    assert told(bot)[0].startswith("You have acknowledged this already, <!date^")
    assert told(bot, "U2")[0].startswith("<@U1> has acknowledged this already, <!date^")
    assert "|Sat 06:00>." in told(bot, "U2")[0]
    assert [event[0] for event in events(bot)].count("acknowledged") == 1
    assert all(response.payload["replace_original"] is False for response in bot.slack.responses)


def test_after_a_mere_repeat_the_older_messages_button_counts(bot: Bench, critical: Message) -> None:
    bot.clock.passes(31 * 60)
    bot.knows("U1")
    bot.checks(56_500)
    assert newest(bot).ts != critical.ts
    click(bot, critical, stale=True)
    assert told(bot) == []
    assert status(bot) == "acknowledged"
    assert "Acknowledged by <@U1>" in shown(newest(bot).blocks)


def test_after_it_got_worse_the_older_messages_button_does_not(bot: Bench) -> None:
    message = newest(bot)
    bot.clock.passes(60)
    bot.checks(56_500)
    click(bot, message, stale=True)
    assert told(bot) == ["This has got worse since that message: look at the newest one, below, and use its buttons."]
    assert status(bot) == "open"
    click(bot, message, SNOOZE, value=snooze_value(message, "1h"), stale=True)
    assert status(bot) == "open"


@pytest.mark.parametrize(("choice", "until"), [("1h", "Sat 07:00"), ("4h", "Sat 10:00"), ("tomorrow", "Sun 09:00")])
def test_a_snooze_ends_when_its_choice_says_in_the_treasurys_zone(bot: Bench, choice: str, until: str) -> None:
    message = newest(bot)
    click(bot, message, SNOOZE, value=snooze_value(message, choice))
    assert "Snoozed by <@U1> until <!date^" in shown(newest(bot).blocks)
    assert f"|{until}>" in shown(newest(bot).blocks)
    assert ACKNOWLEDGE in newest(bot).action_ids
    click(bot, message, SNOOZE, value=snooze_value(message, choice), stale=True)
    (note,) = told(bot)
    assert note.startswith("You have snoozed this until")
    click(bot, message, SNOOZE, user="U2", value=snooze_value(message, choice), stale=True)
    assert "Snoozed by <@U2>" in shown(newest(bot).blocks)


def test_an_old_button_of_a_closed_alert_says_since_when_there_is_nothing_to_do(bot: Bench) -> None:
    message = newest(bot)
    bot.clock.passes(60)
    bot.checks(80_000)
    bot.clock.passes(11 * 60)
    bot.checks(80_000)
    assert status(bot) == "closed"
    for action, words in ((ACKNOWLEDGE, "acknowledge"), (SNOOZE, "snooze")):
        value = snooze_value(message, "1h") if action == SNOOZE else None
        click(bot, message, action, value=value, stale=True)
        assert told(bot)[-1].startswith("Closed <!date^")
        assert told(bot)[-1].endswith(f"nothing to {words}.")


def test_it_closes_what_a_click_finds_over_and_says_so(bot: Bench) -> None:
    message = newest(bot)
    bot.clock.passes(60)
    bot.checks(80_000)
    bot.clock.passes(11 * 60)
    bot.price(80_000)
    click(bot, message)
    assert status(bot) == "closed"
    assert told(bot)[0].startswith("Closed <!date^")
    assert "is clear" in newest(bot).headline


def test_no_notice_eases_it_once_it_is_back_under_the_line(bot: Bench, critical: Message) -> None:
    assert NO_NOTICE not in critical.action_ids
    bot.clock.passes(60)
    bot.checks(62_000)
    assert NO_NOTICE in newest(bot).action_ids
    click(bot, newest(bot), NO_NOTICE)
    assert events(bot)[-1] == ("eased", "no_notice", "U1")
    assert "early warning" in newest(bot).headline
    assert told(bot) == []


def test_no_notice_is_refused_where_it_is_at_the_line_again(bot: Bench, critical: Message) -> None:
    bot.clock.passes(60)
    bot.checks(62_000)
    message = newest(bot)
    bot.clock.passes(60)
    bot.price(56_500)
    click(bot, message, NO_NOTICE)
    assert told(bot) == ["It is at its call line again: it can be closed by hand once it is back under it."]
    assert status(bot) == "open"


def test_no_notice_is_refused_without_a_price(bot: Bench, critical: Message) -> None:
    bot.clock.passes(60)
    bot.checks(62_000)
    message = newest(bot)
    bot.clock.passes(12 * 60)
    click(bot, message, NO_NOTICE)
    assert told(bot) == ["There is no price now to tell that by: try again once there is one."]


def test_the_plan_is_for_who_asks_alone_and_is_about_that_loan(bot: Bench, critical: Message) -> None:
    click(bot, critical, PLAN)
    (plan,) = told(bot)
    assert plan.startswith("*What would cure Antalpha now*\n*Antalpha: LTV ")
    assert "Cure to 65.00 %: pledge " in plan
    assert "antalpha-all" not in plan
    assert status(bot) == "open"
    assert newest(bot).ts == critical.ts


def test_nobody_takes_it_it_is_said_elsewhere_and_who_takes_it_is_said_there_too(bot: Bench, critical: Message) -> None:
    bot.clock.passes(16 * 60)
    bot.checks(56_500)
    (escalation,) = [m for m in bot.slack.channel("C2") if "Antalpha is" in m.headline]
    assert escalation.headline.startswith("Nobody has acknowledged this for 16 min: Antalpha is at its margin-call")
    assert escalation.blocks[0]["text"]["text"].startswith("<!subteam^S1> *")
    click(bot, critical)
    assert escalation.headline.startswith("Acknowledged by Ada Byron: Antalpha is at its margin-call")
    assert "<!subteam" not in shown(escalation.blocks)


def test_a_click_in_the_escalation_channel_counts(bot: Bench, critical: Message) -> None:
    bot.access.look_up("U2", "", "C2")
    bot.clock.passes(16 * 60)
    bot.checks(56_500)
    (escalation,) = [m for m in bot.slack.channel("C2") if "Antalpha is" in m.headline]
    bot.slack.click(escalation.ts, ACKNOWLEDGE, user="U2", channel="C2")
    bot.delivers()
    assert "Acknowledged by <@U2>" in shown(newest(bot).blocks)
