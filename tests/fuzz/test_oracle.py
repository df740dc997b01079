"""What looks at the answers finds what it is there to find."""

from __future__ import annotations

import json

import pytest

from .bodies import FORM
from .cases import Case
from .oracle import found_in_answer, found_in_calls, found_in_logs, found_in_message, found_in_text, found_in_view
from .signing import Signing
from .texts import MARK
from .world import BOT_TOKEN, HEARTBEAT_KEY, START, Served


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "a > b",
        "a & b",
        "&#60;",
        "<!here>",
        "<@U1>",
        f"“{MARK}<!channel>{MARK}”",
        f"{MARK}<@U0OFFICER>",
        f"<#C0TREASURY>{MARK.upper()}",
        f"<!date^1^{{date_short_pretty}} {{time}}|{MARK}>",
        "<http://127.0.0.1:9/phish|your bank>",
        "@here",
    ],
)
def test_what_slack_would_take_for_more_than_letters_is_found(text: str) -> None:
    assert list(found_in_text(text))


@pytest.mark.parametrize(
    "text",
    [
        f"“{MARK}&lt;!channel&gt;{MARK}” is not a facility. There is a &amp; b.",
        "<!channel> *Antalpha is at its call line*",
        "due <!date^1770560100^{date_short_pretty} {time}|Sun 08:15>, <@U0OFFICER> knows",
        f"<!date^1770560100^{{date_short_pretty}} {{time}}|Sun 08:15> ({MARK})",
    ],
)
def test_what_the_bot_says_by_itself_is_none(text: str) -> None:
    assert not list(found_in_text(text))


def test_a_block_that_slack_would_refuse_or_make_links_in_is_found() -> None:
    def message(**text: object) -> dict[str, object]:
        return {"text": "a", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "a", **text}}]}

    assert not list(found_in_message(message(verbatim=True)))
    assert "not verbatim" in next(found_in_message(message()))
    assert list(found_in_message(message(verbatim=True, text="a" * 3_001)))
    assert list(found_in_message(message(verbatim=True, text="<!here>")))
    assert list(found_in_message({"text": ""}))
    assert list(found_in_view({"type": "modal", "title": {"type": "plain_text", "text": "<"}, "blocks": []}))


def test_an_answer_that_fails_is_late_or_lets_in_whoever_asks_is_found() -> None:
    def faults(status: int, way: str = "sound", seconds: float = 0.1, body: bytes = b"", errors: str = "") -> list[str]:
        case = Case("text", b"", FORM, Signing(way), must_answer=way == "sound")
        return list(found_in_answer(case, Served(status, {}, body, seconds, errors)))

    assert not faults(200)
    assert not faults(401, "stale")
    assert not faults(413, "unsigned")
    assert faults(500)
    assert faults(200, "secret")
    assert faults(400, "unsigned")
    assert faults(404)
    assert faults(200, seconds=3.1)
    assert faults(200, body=b"Traceback (most recent call last)")
    assert faults(200, errors="Traceback (most recent call last)")


def test_a_line_of_the_log_with_a_secret_a_traceback_or_a_bug_is_found() -> None:
    def faults(event: str, level: str = "info", **more: str) -> list[str]:
        return list(found_in_logs(None, event, json.dumps({"event": event, "level": level, **more})))

    assert not faults("command_refused")
    assert not list(found_in_logs(None, "", '{"event": "a\u2028b", "level": "info"}\n'))
    assert faults("command_failed")
    assert faults("later_failed")
    assert faults("payload_refused")
    assert faults("anything", "error")
    assert faults("anything", exception="Traceback (most recent call last)")
    assert faults(f"with {BOT_TOKEN}")
    assert faults(f"with {HEARTBEAT_KEY.upper()}")
    assert list(found_in_logs(None, "", "no JSON"))


def test_what_slack_refuses_of_a_call_is_found() -> None:
    from bot.workspace.model import Call

    def faults(method: str, outcome: str, **args: object) -> list[str]:
        return list(found_in_calls([Call(method, args, START, 0.0, outcome, outcome == "ok")]))

    assert not faults("chat.postMessage", "ok", text="hello")
    assert faults("chat.postMessage", "invalid_blocks", text="hello")
    assert faults("chat.update", "ok", text="<!here>")
    assert faults("response_url", "ok", text="a & b")
    assert not faults("response_url", "used_url", text="hello")
    assert faults("views.open", "ok", view=json.dumps({"type": "modal", "blocks": []}), trigger_id="1")
    assert not faults("users.info", "user_not_found", user="U1")
