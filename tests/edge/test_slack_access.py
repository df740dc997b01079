"""Who is answered, and where: by what is known, and by what Slack says when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.services.places import shared_outside
from bot.store.store import Store
from bot.workspace import faults

from .test_slack_bench import Bench, bench

PEOPLE: dict[str, dict[str, Any]] = {
    "a guest": {"is_restricted": True},
    "a single-channel guest": {"is_ultra_restricted": True},
    "a stranger": {"is_stranger": True},
    "somebody of another team": {"team_id": "T0ELSE"},
    "a bot": {"is_bot": True},
}


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        made.slack.clear_calls()
        yield made


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def answered(bot: Bench, line: str = "/ltv", user: str = "U1", channel: str = "C1") -> str:
    """What the asker reads in the end, in the acknowledgement or later; empty if nothing."""
    before = len(bot.slack.ephemerals(user))
    answer = bot.slack.command(line, user=user, channel=channel)
    assert answer.ok
    bot.quiet()
    shown = bot.slack.ephemerals(user)[before:]
    assert len(shown) <= 1
    return shown[0].text if shown else ""


def test_a_member_that_is_known_is_answered_without_asking_slack(bot: Bench) -> None:
    assert answered(bot).startswith("LTV at $68,500.00")
    assert not bot.slack.calls


def test_somebody_unknown_is_acknowledged_looked_up_and_answered_later(bot: Bench) -> None:
    bot.slack.add_user("U3", name="New")
    answer = bot.slack.command("/ltv", user="U3")
    assert (answer.status, answer.body) == (200, "")
    bot.quiet()
    (response,) = bot.slack.responses
    assert response.text.startswith("LTV at $68,500.00")
    assert response.payload["response_type"] == "ephemeral"
    assert bot.slack.ephemerals("U3")[0].text == response.text
    assert bot.slack.command("/ltv", user="U3").text.startswith("LTV at")  # known from now on


def test_an_unknown_channel_is_looked_up_too(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="other")
    assert bot.slack.command("/ltv", channel="C2").body == ""
    bot.quiet()
    assert bot.slack.responses[0].text.startswith("LTV at")


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
@pytest.mark.parametrize("line", ["/ltv", "/holdings", "/plimsoll", "/ltv at banana"])
def test_it_refuses_who_is_no_full_member(bot: Bench, who: str, known: bool, line: str) -> None:
    bot.slack.add_user("U9", name="Other", **PEOPLE[who])
    if known:
        bot.knows("U9")
    text = answered(bot, line, user="U9")
    assert "Plimsoll answers" in text
    assert "LTV at" not in text
    assert "BTC" not in text


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
@pytest.mark.parametrize("line", ["/ltv", "/holdings", "/plimsoll"])
def test_it_refuses_everything_in_a_channel_shared_with_another_organisation(
    bot: Bench, known: bool, line: str
) -> None:
    bot.slack.add_channel("C3", name="with-lender", is_ext_shared=True)
    if known:
        bot.knows("U1", channels=("C3",))
    text = answered(bot, line, channel="C3")
    assert "This channel is shared with another organisation" in text


def test_a_direct_message_is_as_good_as_a_channel(bot: Bench) -> None:
    bot.client.conversations_open(users="U1")
    bot.slack.clear_calls()
    assert answered(bot, channel="DU1").startswith("LTV at")
    assert not bot.slack.calls


def test_a_private_channel_it_is_not_in_gets_the_next_step(bot: Bench) -> None:
    bot.slack.add_channel("C4", name="secret", is_private=True, bot_is_member=False)
    text = answered(bot, channel="C4")
    assert "Invite it with /invite @Plimsoll, or ask in a direct message." in text


@pytest.mark.parametrize("method", ["users.info", "conversations.info"])
@pytest.mark.parametrize("fault", [faults.http_500, faults.reset, faults.ratelimited(30)], ids=lambda f: f.name)
def test_a_failed_look_up_refuses(bot: Bench, method: str, fault: faults.Fault) -> None:
    bot.slack.add_user("U3", name="New")
    bot.slack.add_channel("C2", name="other")
    bot.slack.on(method, fault)
    text = answered(bot, user="U3", channel="C2")
    assert "could not check" in text
    assert "Try again in a minute." in text
    bot.slack.clear_faults()
    assert answered(bot, user="U3", channel="C2").startswith("LTV at")


def test_what_is_known_is_relied_on_for_an_hour(bot: Bench) -> None:
    bot.clock.passes(3600)
    assert answered(bot)
    assert not bot.slack.calls
    bot.clock.passes(1)
    bot.slack.add_user("U1", name="Ada", is_restricted=True)
    assert "you are a guest here" in answered(bot)
    assert bot.slack.calls["users.info"] == 1


def test_refreshing_keeps_people_from_waiting(bot: Bench) -> None:
    bot.clock.passes(3000)
    assert bot.access.refresh() == 3  # U1, C1 and, as one of our own channels, C2
    bot.clock.passes(3000)
    bot.slack.clear_calls()
    assert answered(bot)
    assert not bot.slack.calls
    bot.slack.on("*", faults.http_500)
    with pytest.raises(Exception, match="http_5xx"):
        bot.access.ask_home()


def test_somebody_who_becomes_a_guest_is_refused_from_then_on(bot: Bench) -> None:
    changed = bot.slack.add_user("U1", name="Ada", is_restricted=True)
    bot.slack.send_event({"type": "user_change", "user": {"id": changed.id}})
    bot.quiet()
    bot.slack.clear_calls()
    assert "you are a guest here" in answered(bot)
    assert not bot.slack.calls


@pytest.mark.parametrize("fails", [False, True], ids=["look-up works", "look-up fails"])
def test_a_channel_that_becomes_shared_is_refused_from_then_on(bot: Bench, fails: bool) -> None:
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    if fails:
        bot.slack.on("conversations.info", faults.http_500)
    bot.slack.send_event({"type": "channel_shared", "channel": "C1", "connected_team_id": "T0OTHER"})
    bot.quiet()
    assert ("could not check this channel" if fails else "shared with another organisation") in answered(bot)
    bot.slack.clear_faults()
    bot.slack.add_channel("C1", name="treasury")
    bot.slack.send_event({"type": "channel_unshared", "channel": "C1", "previously_connected_team_id": "T0OTHER"})
    bot.quiet()
    assert answered(bot).startswith("LTV at")


def test_a_retry_of_a_question_that_is_being_looked_up_is_answered_once(bot: Bench) -> None:
    bot.slack.add_user("U3", name="New")
    bot.slack.on("users.info", faults.slow(0.3))
    first = bot.slack.command("/ltv", user="U3")
    again = bot.slack.repeat(first, retry_num=1)
    assert (again.status, again.body) == (200, "")
    bot.quiet()
    assert len(bot.slack.responses) == 1


def test_an_answer_that_slack_drops_is_sent_again_and_no_more_than_three_times(bot: Bench) -> None:
    bot.slack.add_user("U3", name="New")
    bot.slack.on("response_url", faults.http_500, times=2)
    assert answered(bot, user="U3").startswith("LTV at")
    bot.slack.add_user("U4", name="Newer")
    bot.slack.on("response_url", faults.reset)
    assert answered(bot, user="U4") == ""
    assert bot.slack.calls["response_url"] == 3 + 3


@pytest.mark.parametrize(
    ("facts", "outside"),
    [
        ({}, False),
        ({"is_shared": False, "is_ext_shared": False}, False),
        ({"is_ext_shared": True, "is_shared": True}, True),
        ({"is_pending_ext_shared": True}, True),
        ({"is_shared": True}, True),
        ({"is_shared": True, "is_org_shared": True}, False),
        ({"is_shared": True, "is_org_shared": True, "is_ext_shared": True}, True),
        ({"is_inviting": True}, True),
    ],
)
def test_shared_means_with_another_organisation(facts: dict[str, Any], outside: bool) -> None:
    assert shared_outside(facts) is outside


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("user_not_found", "Slack does not show Plimsoll your account (user_not_found)"),
        ("missing_scope", "Slack does not let Plimsoll check who you are (missing_scope)"),
        ("token_revoked", "Tell whoever runs Plimsoll: plimsoll doctor says the next step."),
    ],
)
def test_it_sends_nobody_to_try_again_where_that_will_not_help(bot: Bench, code: str, what: str) -> None:
    bot.slack.add_user("U3", name="New")
    bot.slack.on("users.info", faults.error(code))
    text = answered(bot, user="U3")
    assert what in text
    assert "Try again" not in text
