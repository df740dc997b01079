"""Buttons under an alert, pressed over signed HTTP: what becomes of the alert, of its message, and who is told what."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alerts import AlertPolicy
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store
from bot.workspace import faults
from bot.workspace.model import Message
from bot.workspace.signing import Answer

from .test_slack_bench import Bench, bench

ACKNOWLEDGE, SNOOZE, PLAN, NO_NOTICE = "alert_acknowledge", "alert_snooze", "alert_plan", "alert_no_notice"
ALONE = AlertPolicy(escalate_after=timedelta(minutes=15))


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
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


@pytest.fixture
def critical(bot: Bench) -> Message:
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
    assert bot.woken == 1


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


def snooze_value(message: Message, choice: str) -> str:
    for blocks in (message.blocks, *(version.blocks for version in reversed(message.edits))):
        for block in blocks:
            for element in block.get("elements", []):
                if element.get("action_id") == SNOOZE:
                    return next(o["value"] for o in element["options"] if o["value"].endswith(choice))
    raise AssertionError(message)


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


PEOPLE: dict[str, dict[str, Any]] = {
    "a guest": {"is_restricted": True},
    "a stranger": {"is_stranger": True},
    "a bot": {"is_bot": True},
}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
@pytest.mark.parametrize("action", [ACKNOWLEDGE, SNOOZE, PLAN])
def test_a_click_of_who_is_no_full_member_is_refused(bot: Bench, who: str, known: bool, action: str) -> None:
    bot.slack.add_user("U9", name="Other", **PEOPLE[who])
    if known:
        bot.knows("U9")
    message = newest(bot)
    click(bot, message, action, user="U9", value=snooze_value(message, "1h") if action == SNOOZE else None)
    (note,) = told(bot, "U9")
    assert "Plimsoll answers" in note
    assert "LTV" not in note
    assert status(bot) == "open"


def test_a_click_in_a_channel_that_has_become_shared_is_refused(bot: Bench) -> None:
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    bot.access.channel_changed("C1")
    click(bot, newest(bot))
    assert "This channel is shared with another organisation" in told(bot)[0]
    assert status(bot) == "open"


def test_somebody_unknown_is_acknowledged_looked_up_and_then_acts_by_their_name(bot: Bench) -> None:
    bot.slack.add_user("U3", name="Grace Hopper")
    bot.slack.on("users.info", faults.slow(0.4))
    message = newest(bot)
    answer = bot.slack.click(message.ts, ACKNOWLEDGE, user="U3")
    assert answer.elapsed_s < 0.4
    bot.delivers()
    assert "Acknowledged by <@U3>" in shown(newest(bot).blocks)
    assert newest(bot).replies[-1].headline.startswith("Acknowledged by Grace Hopper")
    assert told(bot, "U3") == []


def test_nothing_of_a_click_waits_for_slack(bot: Bench) -> None:
    bot.slack.on("*", faults.slow(1.5))
    answer = bot.slack.click(newest(bot).ts, ACKNOWLEDGE)
    assert answer.elapsed_s < 1
    assert status(bot) == "acknowledged"
    bot.slack.clear_faults()


def test_a_busy_database_is_said_so_in_time(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise DatabaseUnavailableError("locked")

    message = newest(bot)
    with monkeypatch.context() as patched:
        patched.setattr(bot.store, "writing", busy)
        answer = bot.slack.click(message.ts, ACKNOWLEDGE)
        assert answer.elapsed_s < 3
        time.sleep(0.1)
    bot.jobs.clear()  # one of them could not keep the answer
    bot.executor.submit(lambda: None).result()
    assert told(bot) == [
        "Acknowledge: the database is busy or cannot be reached. Nothing was changed; ask again in a moment."
    ]
    assert status(bot) == "open"


def test_a_writer_that_holds_the_database_too_long_is_said_so_in_time(bot: Bench) -> None:
    inside, over = threading.Event(), threading.Event()

    def write() -> None:
        with bot.store.writing():
            inside.set()
            over.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(5)
    try:
        answer = bot.slack.click(newest(bot).ts, ACKNOWLEDGE)
        assert answer.ok
        assert answer.elapsed_s < 2.9
    finally:
        over.set()
        writer.join()
    bot.quiet()
    assert told(bot)[0].startswith("Acknowledge: the database is busy")
    assert status(bot) == "open"


def test_a_bug_gets_a_reference(
    bot: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("nobody should read this")

    monkeypatch.setattr(bot.acting, "act", broken)
    click(bot, newest(bot))
    (note,) = told(bot)
    reference = note.split("reference ")[1].rstrip(".")
    assert "nobody" not in note
    logged = capsys.readouterr()
    assert reference in logged.out + logged.err


@pytest.mark.parametrize("value", ["", "1", "x 1.1", "1 1", "1 1.1 1h x", "9" * 30 + " 1.1", "1 -1.1"])
def test_a_button_that_is_none_of_ours_is_refused(bot: Bench, value: str) -> None:
    click(bot, newest(bot), ACKNOWLEDGE, value=value)
    assert told(bot) == ["This button is not understood any more: use those of the newest message."]
    assert status(bot) == "open"


def test_a_snooze_for_as_long_as_nobody_offers_is_refused(bot: Bench) -> None:
    message = newest(bot)
    offered = snooze_value(message, "1h").removesuffix("1h")
    for choice in ("3d", "", "9h"):
        option = {"text": {"type": "plain_text", "text": "x"}, "value": f"{offered}{choice}".strip()}
        click(bot, message, SNOOZE, value={"selected_option": option})
        assert told(bot)[-1] == "This button is not understood any more: use those of the newest message."
    assert status(bot) == "open"


def test_a_button_of_an_alert_that_is_not_kept_is_refused(bot: Bench) -> None:
    click(bot, newest(bot), ACKNOWLEDGE, value="4711 3.1")
    assert told(bot) == ["There is no such alert. `/alerts` shows those there are."]


def test_a_name_cannot_end_the_mark_that_it_stands_in(bot: Bench) -> None:
    bot.slack.add_user("U4", name="Eve\x03\x02@U1|Ada")
    bot.knows("U4")
    click(bot, newest(bot), user="U4")
    assert newest(bot).replies[-1].headline.startswith("Acknowledged by Eve@U1|Ada: ")
    assert "<@U1>" not in shown(newest(bot).blocks)
