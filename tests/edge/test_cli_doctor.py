"""`plimsoll doctor`: each thing that can be wrong has its line and its next step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.workspace import Workspace
from edge.bot_process import SECRET, TOKEN, Source
from edge.cli_process import Plimsoll


@pytest.fixture
def settings() -> Iterator[dict[str, str]]:
    """Settings with which all is well."""
    source = Source("68500.00")
    workspace = Workspace(SECRET, TOKEN)
    workspace.add_channel("C1", name="treasury")
    workspace.add_channel("C2", name="lenders", is_ext_shared=True)
    workspace.add_channel("C3", name="elsewhere", bot_is_member=False)
    workspace.add_channel("C4", name="old", is_archived=True)
    workspace.add_channel("C5", name="inviting", is_pending_ext_shared=True)
    workspace.add_user("U1", name="Ada")
    workspace.add_user("U2", name="Guest", is_restricted=True)
    workspace.add_usergroup("S1", ["U1", "U3"])
    with workspace:
        yield {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": workspace.api_url,
            "ALERT_CHANNEL": "C1",
            "PRICE_SOURCES": source.setting,
            "PRICE_QUORUM": "1",
        }
    source.stop()


def test_all_is_well(imported: Plimsoll, settings: dict[str, str]) -> None:
    done = imported("doctor", **settings)
    assert (done.code, done.err) == (0, "")
    assert all(line.startswith(("ok ", "      ")) for line in done.out.splitlines())
    assert "SLACK_BOT_TOKEN set, SLACK_SIGNING_SECRET set, SLACK_APP_TOKEN not set" in done.out
    assert TOKEN not in done.out
    assert SECRET not in done.out


def test_whom_the_settings_name_is_counted(imported: Plimsoll, settings: dict[str, str]) -> None:
    done = imported("doctor", "--json", **settings, VIEWERS="S1,U1", APPROVERS="U1", ESCALATION_CHANNEL="C1")
    said = {check["name"]: check["said"] for check in done.json["checks"]}
    assert done.code == 0
    assert said["viewers"] == "1 user and 1 user group: 2 people"
    assert said["approvers"] == "1 user and 0 user groups: 1 person"
    assert said["escalation channel"] == "#treasury (C1)"
    assert "operators" not in said


def test_fallback_addresses_are_named_by_scheme_alone(imported: Plimsoll, settings: dict[str, str]) -> None:
    urls = "mailto://me:hunter2@example.com,json://127.0.0.1/hunter2"
    done = imported("doctor", **settings, FALLBACK_URLS=urls)
    assert done.code == 0
    assert "2 addresses in FALLBACK_URLS: mailto, json" in done.out
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize(
    ("changed", "name", "said"),
    [
        (
            {"DATABASE_URL": "sqlite:///other.db"},
            "database",
            "other.db is not there yet: plimsoll import FILE",
        ),
        ({"SLACK_BOT_TOKEN": "xoxb-other"}, "slack token", "Slack says invalid_auth; install the app anew"),
        ({"ALERT_CHANNEL": "C2"}, "alert channel", "#lenders (C2) is shared with another organisation"),
        ({"ALERT_CHANNEL": "C3"}, "alert channel", "the bot is not in #elsewhere (C3); in that channel: /invite"),
        ({"ALERT_CHANNEL": "C5"}, "alert channel", "#inviting (C5) is shared with another organisation"),
        ({"ESCALATION_CHANNEL": "C4"}, "escalation channel", "#old (C4) is archived; choose another in ESCALATION_CH"),
        (
            {"OPERATORS": "S404,S1"},
            "operators",
            "S404: Slack says no_such_subteam; correct OPERATORS; to read user groups the app needs the scope "
            "usergroups:read (plimsoll manifest)",
        ),
        (
            {"APPROVERS": "U2,U404"},
            "approvers",
            "U2 is no full member of this workspace, and is refused, U404: Slack says user_not_found; correct APPROV",
        ),
        ({"VIEWERS": "ada"}, "settings", "VIEWERS: “ada” is no user's or user group's id"),
        ({"ALERT_CHANNEL": "C9"}, "alert channel", "C9: Slack says channel_not_found; set ALERT_CHANNEL"),
        ({"DIGEST_CHANNEL": "C2"}, "digest channel", "#lenders (C2) is shared with another organisation"),
        ({"DIGEST_CHANNEL": "C9"}, "digest channel", "C9: Slack says channel_not_found; set DIGEST_CHANNEL"),
        ({"PRICE_SOURCES": "kraken=http://127.0.0.1:1"}, "price kraken", "no quote (connection) after"),
        ({"ALERT_CHANNEL": ""}, "slack settings", "ALERT_CHANNEL is not set: plimsoll run needs"),
        (
            {"FALLBACK_URLS": "json://127.0.0.1/, mailtoo://me:hunter2@example.com"},
            "fallback",
            "FALLBACK_URLS: an address that begins with “mailtoo://” is not one",
        ),
        ({"PORT": "http"}, "settings", "PORT: “http” is not a whole number from 0 to 65535"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(
    changed: dict[str, str], name: str, said: str, imported: Plimsoll, settings: dict[str, str]
) -> None:
    done = imported("doctor", "--json", **{**settings, **changed})
    assert done.code == 1
    assert not done.json["ok"]
    wrong = {check["name"]: check["said"] for check in done.json["checks"] if check["ok"] is False}
    assert wrong[name].startswith(said)


@pytest.mark.parametrize(
    "url", ["sqlite:///treasury.toml", "postgresql+psycopg://me:hunter2@127.0.0.1:1/name", "sqlite:///var"]
)
def test_a_database_fault_does_not_send_to_itself(
    url: str, imported: Plimsoll, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "treasury.toml").write_text("not a database, not by a long way\n" * 200)
    done = imported("doctor", "--json", **{**settings, "DATABASE_URL": url})
    assert done.code == 1
    (said,) = [check["said"] for check in done.json["checks"] if check["name"] == "database"]
    assert said.endswith(". Check DATABASE_URL")
