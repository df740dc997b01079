"""Buttons under an alert that may not be pressed, not now, or not so: who is told what, and that nothing changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store
from bot.workspace import faults

from .clicking import ACKNOWLEDGE, PLAN, SNOOZE, alerted, click, newest, shown, snooze_value, status, told
from .test_slack_bench import Bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        yield made


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
