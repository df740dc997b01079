"""Roles by user group: known, looked up, changed, grown old; and what people read of roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.roles import Roles
from bot.services.groups import SERVES_FOR
from bot.store.store import Store
from bot.workspace import faults

from .clicking import dialog, told
from .test_slack_access import answered
from .test_slack_bench import Bench, bench, said

ROLES = Roles(("U3", "S2"), ("S3",), ("U2",))


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store, roles=ROLES) as made:
        made.slack.add_user("U1", name="Ada Byron")
        made.slack.add_user("U2", name="Sam Hill")
        made.slack.add_usergroup("S2", ["U1"])
        made.slack.add_usergroup("S3", [])
        made.imports()
        made.price(68_500)
        made.knows("U2")
        made.slack.clear_calls()
        yield made


def test_somebody_in_a_group_that_was_never_looked_up_is_looked_up_and_answered_later(bot: Bench) -> None:
    answer = bot.slack.command("/ltv", user="U1")
    assert (answer.status, answer.body) == (200, "")
    bot.quiet()
    (response,) = bot.slack.responses
    assert response.text.startswith("LTV at")
    bot.slack.clear_calls()
    assert bot.slack.command("/ltv", user="U1").text.startswith("LTV at")
    assert not bot.slack.calls


def test_no_group_is_asked_about_where_it_makes_no_difference(bot: Bench) -> None:
    assert bot.slack.command("/ltv", user="U2").text.startswith("LTV at")
    assert not bot.slack.calls


@pytest.mark.parametrize("fault", [faults.http_500, faults.reset, faults.ratelimited(30)], ids=lambda f: f.name)
def test_a_failed_look_up_refuses_and_another_try_may_help(bot: Bench, fault: faults.Fault) -> None:
    bot.slack.on("usergroups.users.list", fault)
    text = answered(bot)
    assert "could not check who is in its user groups with Slack just now" in text
    assert "Try again in a minute." in text
    bot.slack.clear_faults()
    assert answered(bot).startswith("LTV at")


@pytest.mark.parametrize("code", ["no_such_subteam", "missing_scope", "plan_upgrade_required"])
def test_a_group_that_slack_refuses_to_tell_of_gives_nobody_a_role(bot: Bench, code: str) -> None:
    bot.slack.on("usergroups.users.list", faults.error(code))
    assert f"Slack does not let Plimsoll check who is in its user groups ({code})" in answered(bot)
    assert answered(bot, user="U2").startswith("LTV at")


def test_a_group_that_cannot_be_had_is_no_matter_where_another_gives_the_role(bot: Bench) -> None:
    del bot.slack.state.usergroups["S2"]
    bot.slack.add_usergroup("S3", ["U1"])
    assert answered(bot).startswith("LTV at")


def test_who_joins_and_who_leaves_a_group_is_known_at_once(bot: Bench) -> None:
    bot.access.refresh()
    assert answered(bot).startswith("LTV at")
    bot.slack.change_usergroup("S2", ["U9"])
    bot.quiet()
    bot.slack.clear_calls()
    assert "This takes a viewer" in answered(bot)
    assert not bot.slack.calls
    bot.slack.change_usergroup("S2", ["U9", "U1"])
    bot.quiet()
    assert answered(bot).startswith("LTV at")


def test_a_group_that_is_disabled_is_asked_about_at_once(bot: Bench) -> None:
    assert answered(bot).startswith("LTV at")
    bot.slack.add_usergroup("S2", [])
    bot.slack.send_event({"type": "subteam_updated", "subteam": {"id": "S2", "date_delete": 1_770_000_000}})
    bot.quiet()
    assert "This takes a viewer" in answered(bot)


def test_an_event_whose_look_up_fails_leaves_the_group_unknown(bot: Bench) -> None:
    assert answered(bot).startswith("LTV at")
    bot.slack.on("usergroups.users.list", faults.http_500)
    bot.slack.change_usergroup("S2", [])
    bot.quiet()
    assert "could not check who is in its user groups" in answered(bot)


def test_a_group_that_no_setting_names_is_not_asked_about(bot: Bench) -> None:
    bot.slack.change_usergroup("S1", ["U1"])
    bot.quiet()
    assert bot.slack.calls["usergroups.users.list"] == 0


def test_where_slack_is_away_groups_serve_for_six_hours_and_no_longer(bot: Bench) -> None:
    assert answered(bot).startswith("LTV at")
    bot.slack.on("usergroups.users.list", faults.http_500)
    bot.clock.passes(SERVES_FOR.total_seconds())
    bot.access.refresh()  # people and channels are known again, groups are not
    bot.price(68_500)
    assert answered(bot).startswith("LTV at")
    bot.clock.passes(1)
    assert "could not check who is in its user groups" in answered(bot)
    assert timedelta(hours=6) == SERVES_FOR


def test_a_group_that_slack_refuses_to_tell_of_counts_at_once_no_more(bot: Bench) -> None:
    assert answered(bot).startswith("LTV at")
    bot.clock.passes(2_500)
    bot.slack.on("usergroups.users.list", faults.error("missing_scope"))
    bot.access.refresh()
    assert "(missing_scope)" in answered(bot)


def test_refreshing_asks_about_groups_for_the_first_time_and_when_they_grow_old(bot: Bench) -> None:
    bot.access.refresh()
    assert bot.slack.calls["usergroups.users.list"] == 2
    bot.access.refresh()
    assert bot.slack.calls["usergroups.users.list"] == 2
    bot.clock.passes(2_401)
    bot.slack.add_usergroup("S2", [])
    bot.access.refresh()
    assert bot.slack.calls["usergroups.users.list"] == 4
    bot.knows("U1")
    bot.slack.clear_calls()
    assert "This takes a viewer" in answered(bot)
    assert not bot.slack.calls


def test_a_full_member_without_the_role_reads_which_it_takes_and_whom_to_ask(bot: Bench) -> None:
    bot.slack.add_user("U9", name="New")
    bot.slack.add_user("U3", name="Grace Hopper")
    (shown,) = [message for message in [answered(bot, user="U9")] if message]
    assert shown == (
        "This takes a viewer, and you are none of those whom Plimsoll answers. "
        "Ask U3, S2, S3 or Sam Hill, or whoever runs Plimsoll to add you to VIEWERS."
    )
    (note,) = told(bot, "U9")
    assert "Ask <@U3>, <!subteam^S2>, <!subteam^S3> or <@U2>, or" in note


def test_a_guest_reads_of_nobody(bot: Bench) -> None:
    bot.slack.add_user("U9", name="Guest", is_restricted=True)
    text = answered(bot, user="U9")
    assert not any(name in text for name in ("U2", "U3", "S2", "S3", "Sam", "VIEWERS", "viewer"))


def test_a_dialog_of_somebody_who_has_lost_the_role_says_so_in_plain_words(bot: Bench) -> None:
    bot.access.refresh()
    bot.knows("U1")
    view = dialog(bot)
    bot.slack.change_usergroup("S2", [])
    bot.quiet()
    fields = {"silence_checks": ["covenant"], "silence_until": "4h", "silence_reason": "standstill signed"}
    answer = bot.slack.submit_view(view.id, fields)
    (error,) = answer.json["errors"].values()
    assert error.startswith("This takes a viewer, and you are none")
    assert "\x02" not in error
    assert "Sam Hill" in error


def test_plimsoll_says_the_asker_what_they_are_and_who_may_do_what(bot: Bench) -> None:
    bot.access.refresh()
    bot.knows("U1")
    text = said(bot, "/plimsoll")
    assert "You are a viewer." in text
    assert "Operators record as well: <!subteam^S3> and <@U2>." in text
    assert "Approvers amend terms, record waivers and price indices, and approve plans as well: <@U2>." in text
    assert "You are an approver." in bot.slack.command("/plimsoll", user="U2").text


def test_plimsoll_says_where_more_may_come_of_a_group_that_is_not_known(bot: Bench) -> None:
    bot.slack.on("usergroups.users.list", faults.http_500)
    bot.slack.add_user("U3", name="Grace Hopper")
    bot.knows("U3")
    text = bot.slack.command("/plimsoll", user="U3").text
    assert "You are a viewer, perhaps an operator: Slack has not said yet who is in a user group." in text
