"""A channel of ours that is shared, archived or out of sight: said elsewhere, once, and once more when that is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.services.access import Access
from bot.slack.directory import SlackDirectory
from bot.store.store import Store
from bot.workspace import Workspace

from .clicking import newest
from .test_delivery_bench import opened, out
from .test_fallback import Target, fallback, target  # noqa: F401  (a fixture)
from .test_slack_bench import Bench, bench

Change = Callable[[Workspace], object]
SHARED = "is shared with another organisation"
CLOSED: dict[str, tuple[Change, str, str]] = {
    "shared": (lambda one: one.add_channel("C1", "treasury", is_ext_shared=True), "channel_shared", SHARED),
    "invited to": (lambda one: one.add_channel("C1", "treasury", is_pending_ext_shared=True), "channel_rename", SHARED),
    "archived": (lambda one: one.add_channel("C1", "treasury", is_archived=True), "channel_archive", "is archived"),
    "left": (
        lambda one: one.add_channel("C1", "treasury", bot_is_member=False),
        "channel_left",
        "is out of the bot's sight",
    ),
    "deleted": (lambda one: one.state.channels.pop("C1"), "channel_deleted", "is out of the bot's sight"),
}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        made.knows("U1", channels=("C1", "C2"))
        yield made


def shares(bot: Bench, channel: str = "C1", *, outside: bool = True) -> None:
    """It becomes shared, or is so no longer, and Slack says so."""
    bot.slack.add_channel(channel, bot.slack.state.channels[channel].name, is_ext_shared=outside)
    bot.slack.send_event({"type": "channel_shared" if outside else "channel_unshared", "channel": channel})
    bot.delivers()


def read(bot: Bench, channel: str) -> list[str]:
    return [message.headline for message in bot.slack.channel(channel)]


@pytest.mark.parametrize("how", CLOSED)
def test_it_is_said_in_the_other_channel_at_once_and_once_and_again_when_it_is_over(bot: Bench, how: str) -> None:
    change, event, words = CLOSED[how]
    change(bot.slack)
    bot.slack.send_event({"type": event, "channel": "C1"})
    bot.delivers()
    for _ in range(3):
        bot.slack.send_event({"type": event, "channel": "C1"})
        bot.clock.passes(600)
        bot.access.refresh()
        bot.delivers()
    name = "C1" if how == "deleted" else "#treasury"
    assert read(bot, "C2") == [f"Alerts are not posted: {name} {words}"]
    (told,) = bot.slack.channel("C2")
    assert told.blocks[0]["text"]["text"] == f"<!subteam^S1> *Alerts are not posted: <#C1> {words}*"
    assert "set ALERT_CHANNEL to" in told.blocks[1]["text"]["text"]
    assert "are said here, and can be taken here." in told.blocks[1]["text"]["text"]
    bot.slack.add_channel("C1", "treasury")
    bot.slack.send_event({"type": "channel_unarchive", "channel": "C1"})
    bot.access.refresh()
    bot.delivers()
    over = bot.slack.channel("C2")[1]
    assert over.headline == "#treasury is open to Plimsoll again"
    was = words.replace("is ", "was ", 1)
    assert (
        over.blocks[1]["text"]["text"] == f"It {was} for 30 min. What waited for less than a day is posted there now."
    )
    assert "<!" not in over.blocks[0]["text"]["text"]
    assert len(bot.slack.channel("C2")) == 2


def test_the_escalation_channel_is_told_of_in_the_alert_channel(bot: Bench) -> None:
    shares(bot, "C2")
    assert read(bot, "C1") == [f"ESCALATION_CHANNEL gets nothing: #escalation {SHARED}"]
    assert bot.slack.channel("C1")[0].blocks[0]["text"]["text"].startswith("<!channel> ")
    shares(bot, "C2", outside=False)
    assert read(bot, "C1")[1:] == ["#escalation is open to Plimsoll again"]
    assert read(bot, "C2") == []


def test_nothing_at_all_is_said_where_it_is_shared_and_what_waited_comes_afterwards(bot: Bench) -> None:
    bot.checks(61_000)
    before = read(bot, "C1")
    shares(bot)
    bot.clock.passes(120)
    bot.checks(56_500)
    assert read(bot, "C1") == before
    shares(bot, outside=False)
    bot.clock.passes(61)
    bot.delivers()
    assert newest(bot).headline.startswith("Antalpha is at its margin-call line")


def test_a_lost_event_is_made_up_for_by_the_next_look(bot: Bench) -> None:
    bot.slack.add_channel("C1", "treasury", is_ext_shared=True)
    bot.access.refresh()
    bot.delivers()
    assert read(bot, "C2") == [f"Alerts are not posted: #treasury {SHARED}"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [({"is_archived": True}, "is archived"), ({"bot_is_member": False}, "is out of the bot's sight")],
)
def test_a_lost_event_is_made_up_for_by_a_post_that_slack_refuses(
    bot: Bench, facts: dict[str, bool], words: str
) -> None:
    bot.slack.add_channel("C1", "treasury", **facts)
    out(bot, opened(bot))
    bot.delivers()
    bot.delivers()
    assert read(bot, "C2") == [f"Alerts are not posted: #treasury {words}"]


def test_it_is_said_anew_where_it_is_closed_for_another_reason(bot: Bench) -> None:
    shares(bot)
    bot.slack.add_channel("C1", "treasury", is_archived=True)
    bot.slack.send_event({"type": "channel_archive", "channel": "C1"})
    bot.delivers()
    assert read(bot, "C2")[1:] == ["Alerts are not posted: #treasury is archived"]


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_processes_that_find_it_together_say_it_once(bot: Bench) -> None:
    bot.slack.add_channel("C1", "treasury", is_ext_shared=True)
    each = [Access(bot.store, SlackDirectory(bot.client), bot.clock, channels=bot.channels) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: one.channel_changed("C1"), each))
    bot.delivers()
    assert len(read(bot, "C2")) == 1


def test_an_answer_that_was_under_way_for_long_undoes_none_that_was_asked_for_after_it(bot: Bench) -> None:
    class Slow(SlackDirectory):
        """Whose answer is there only once the channel has become shared, and Slack has said so."""

        def channel(self, channel_id: str) -> dict[str, object]:
            told = dict(super().channel(channel_id))
            bot.clock.passes(1)
            shares(bot)
            return told

    Access(bot.store, Slow(bot.client), bot.clock, channels=bot.channels).refresh()
    bot.delivers()
    assert read(bot, "C2") == [f"Alerts are not posted: #treasury {SHARED}"]
    assert bot.slack.command("/ltv").text.startswith("This channel is shared")


def test_where_no_other_channel_is_open_it_goes_to_the_fallback(bot: Bench, target: Target) -> None:  # noqa: F811
    other = fallback(bot, target)
    shares(bot, "C2")
    bot.slack.clear_calls()
    shares(bot, "C1")
    assert other.run_once() == 1
    (said,) = target.taken
    assert said["title"] == f"CRITICAL: Alerts are not posted: #treasury {SHARED}"
    assert bot.slack.calls["chat.postMessage"] == 0
    assert other.run_once() == 0
    shares(bot, "C1", outside=False)
    bot.clock.passes(61)
    bot.delivers()
    assert read(bot, "C1")[-2:] == [f"Alerts are not posted: #treasury {SHARED}", "#treasury is open to Plimsoll again"]
