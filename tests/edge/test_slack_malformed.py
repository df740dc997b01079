"""Requests that are none of Slack's, or that Slack would never send: refused, and nothing breaks."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from bot.store.store import Store
from bot.workspace.signing import signature

from .test_slack_bench import SECRET, Bench, bench

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
RANDOM_BODIES = 1_000
RANDOM_TEXTS = 500


@pytest.fixture
def database_kind() -> str:
    """One is enough: nothing here reaches it."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        yield made


@pytest.fixture
def quiet(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Afterwards nothing was logged that looks like a failure of ours."""
    yield
    told = capsys.readouterr()
    said = told.out + told.err + caplog.text
    assert "Traceback" not in said, said[-3000:]
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def posted(bot: Bench, body: bytes, kind: str = JSON, *, path: str = "", **headers: str) -> int:
    """The status of `body` sent as it is."""
    parts = urlsplit(bot.slack._target)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        line.request("POST", parts.path + path, body, {"Content-Type": kind, **headers})
        answer = line.getresponse()
        answer.read()
        return answer.status
    finally:
        line.close()


def stamped(stamp: str, signed: str) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}


def posted_signed(bot: Bench, body: bytes, kind: str = JSON, path: str = "") -> int:
    stamp = str(int(time.time()))
    return posted(bot, body, kind, path=path, **stamped(stamp, signature(SECRET, stamp, body)))


def form(**fields: Any) -> bytes:
    """As Slack sends a click: the JSON in `payload`."""
    return urlencode({"payload": json.dumps(fields)}).encode()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"null", JSON),
        (b"[]", JSON),
        (b'["a"]', JSON),
        (b"[" * 100_000, JSON),
        (b'{"a":' * 50_000, JSON),
        (b"payload=null", FORM),
        (b"payload=" + b"[" * 100_000, FORM),
        (b"1" * 5_000, JSON),
        (b"\xff\xfe", JSON),
        (b"", JSON),
        (b"ssl_check=1", FORM),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_not_signed_is_refused_unread(bot: Bench, body: bytes, kind: str) -> None:
    assert posted(bot, body, kind) == 401
    now = str(int(time.time()))
    assert posted(bot, body, kind, **stamped(now, "v0=wrong")) == 401
    assert bot.slack.command("/ltv").ok


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "stamp",
    ["abc", "1" * 5_000, "", "-1", "+1", "1.5", " ", "٣", "²", "1_0", "9" * 12, "9" * 13, "0", "\xe9"],
    ids=lambda value: repr(value[:12]),
)
def test_a_time_that_is_none_is_refused(bot: Bench, stamp: str) -> None:
    body = b"{}"
    headers = stamped(stamp, signature(SECRET, stamp, body))
    encoded: Any = {name: value.encode() for name, value in headers.items()}
    assert posted(bot, body, **encoded) == 401


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("signed", ["v0=\xe9", "\xe9", "", "v0=", "v1=abc", "0" * 9_000], ids=lambda value: value[:6])
def test_a_signature_that_is_none_is_refused(bot: Bench, signed: str) -> None:
    assert posted(bot, b"{}", **stamped(str(int(time.time())), signed)) == 401


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"a"',
        b"1",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"type": "event_callback", "event": null}',
        b'{"type": "event_callback", "event": [1]}',
        b'{"type": "event_callback", "event": "type"}',
        b'{"type": "event_callback", "event": {"type": 1}}',
        b'{"type": "event_callback", "event": {"type": ["a"]}}',
        b'{"type": "view_submission", "view": null}',
        b'{"type": "view_submission", "view": "callback_id"}',
        b'{"type": "view_submission", "view": {"callback_id": "a"}}',
        b'{"type": "view_submission", "view": {"callback_id": 1, "type": "modal"}}',
        b'{"type": "block_actions", "actions": []}',
        b'{"type": "block_actions", "actions": null}',
        b'{"type": "block_actions", "actions": [1]}',
        b'{"type": "block_actions", "actions": [{"action_id": 1}]}',
        b'{"type": "block_actions", "actions": [{}]}',
        b'{"type": "interactive_message", "callback_id": "a"}',
        b'{"type": "shortcut", "callback_id": 1}',
        b'{"type": "block_suggestion", "action_id": {}}',
        b'{"type": "event_callback", "authorizations": 1, "event": {"type": "a"}}',
        b'{"type": "event_callback", "authorizations": [null], "event": {"type": "a"}}',
        b'{"team": 1}',
        b'{"user": ["id"]}',
        b'{"response_urls": 1}',
        b'{"command": 1}',
        b'{"command": "/ltv", "user_id": "U1", "text": "\\ud800"}',
    ],
    ids=lambda value: repr(value[:70]),
)
def test_what_slack_would_never_sign_is_refused(bot: Bench, body: bytes) -> None:
    assert posted_signed(bot, body) == 400
    assert posted_signed(bot, b"payload=" + quote(body).encode(), FORM) == 400


@pytest.mark.usefixtures("quiet")
def test_a_body_larger_than_any_of_slacks_is_refused(bot: Bench) -> None:
    big = b"{" + b" " * 1_500_000 + b"}"
    assert posted_signed(bot, big) == 413
    assert posted(bot, big) == 413


@pytest.mark.usefixtures("quiet")
def test_an_address_that_is_no_text_is_refused(bot: Bench) -> None:
    assert posted_signed(bot, b"{}", path="?a=%ff") in (200, 404)
    assert posted_signed(bot, form(type="block_actions", actions=[{"action_id": "a"}]), FORM) == 200


@pytest.mark.usefixtures("quiet")
def test_no_body_whatever_breaks_it(bot: Bench) -> None:
    chance = random.Random(20260207)  # noqa: S311
    for number in range(RANDOM_BODIES):
        body, kind = _random_body(chance)
        status = posted_signed(bot, body, kind) if number % 3 else posted(bot, body, kind)
        signed = number % 3 and _is_text(body)
        assert status in ((200, 400, 404) if signed else (401,)), (status, body)
    bot.quiet()
    assert bot.slack.command("/ltv").ok


@pytest.mark.usefixtures("quiet")
def test_no_text_whatever_breaks_a_command(bot: Bench) -> None:
    chance = random.Random(20260208)  # noqa: S311
    for number in range(RANDOM_TEXTS):
        fields = {
            "command": chance.choice(("/ltv", "/holdings", "/alerts", "/plimsoll")),
            "text": _random_text(chance),
            "user_id": "U1",
            "channel_id": "C1",
            "team_id": bot.slack.bot.team_id,
            "trigger_id": f"random.{number}",
            "response_url": "",
        }
        assert posted_signed(bot, urlencode(fields).encode(), FORM) == 200, fields
    bot.quiet()


@pytest.mark.usefixtures("quiet")
def test_no_click_and_no_dialog_whatever_breaks_it(bot: Bench) -> None:
    chance = random.Random(20260209)  # noqa: S311
    for number in range(RANDOM_TEXTS):
        action = {"action_id": chance.choice(_ACTIONS), **_some(chance, _ACTION)}
        view = {"callback_id": "silence", "type": "modal", **_some(chance, _VIEW)}
        known = {"user": {"id": "U1", "team_id": bot.slack.bot.team_id}, "channel": {"id": "C1"}}
        about = {"trigger_id": f"random.{number}", "container": _random_value(chance, 2)}
        kind: dict[str, Any] = {"type": "view_submission", "view": view}
        if number % 2:
            kind = {"type": "block_actions", "actions": [action]}
        body = {**(known if chance.random() < 0.8 else {}), **about, **kind}
        assert posted_signed(bot, form(**body), FORM) in (200, 400), body
    bot.quiet()


def _some(chance: random.Random, fields: dict[str, Any]) -> dict[str, Any]:
    """Some of `fields`, each as it should be or as anything else."""
    chosen = chance.sample(list(fields), chance.randrange(len(fields) + 1))
    return {name: fields[name] if chance.random() < 0.6 else _random_value(chance, 3) for name in chosen}


_ACTIONS = (
    "alert_acknowledge",
    "alert_snooze",
    "alert_plan",
    "alert_no_notice",
    "silence_ask",
    "silence_end",
)
_ACTION: dict[str, Any] = {"value": "1 3.1", "selected_option": {"value": "1 3.1 1h"}, "type": "button"}
_VIEW: dict[str, Any] = {
    "id": "V1",
    "private_metadata": "{}",
    "state": {
        "values": {
            "silence_checks": {"checks": {"selected_options": [{"value": "covenant"}, 1]}},
            "silence_exact": {"exact": {"selected_date_time": 10**30}},
            "silence_reason": {"reason": {"value": 7}},
        }
    },
}
_NAMES = (
    "type",
    "command",
    "text",
    "event",
    "view",
    "actions",
    "action_id",
    "callback_id",
    "user",
    "team",
    "channel",
    "enterprise",
    "authorizations",
    "message",
    "payload",
    "trigger_id",
    "user_id",
    "channel_id",
    "item",
    "response_url",
    "response_urls",
    "is_ext_shared_channel",
    "thread_ts",
    "state",
    "challenge",
    "ssl_check",
    "token",
    "assistant_thread",
    "function",
    "function_execution_id",
    "inputs",
    "bot_access_token",
    "id",
    "workflow_step",
)
_WORDS = (
    "event_callback",
    "block_actions",
    "view_submission",
    "view_closed",
    "interactive_message",
    "message_action",
    "shortcut",
    "block_suggestion",
    "dialog_suggestion",
    "dialog_submission",
    "dialog_cancellation",
    "workflow_step_edit",
    "url_verification",
    "message",
    "function_executed",
    "user_change",
    "channel_rename",
    "workflow_step_execute",
    "workflow_step",
    "modal",
    "im",
    "/ltv",
    "/nothing",
    "U1",
)
_TYPED = (
    *"-+%.,@$ \n\t\0\x02\x03\x1b|<>&*_~`“”é٣½²∞😀",
    "at",
    "ltv",
    "antalpha",
    "1e9",
    "nan",
    "55000",
    "-20%",
    "&lt;",
)


def _is_text(body: bytes) -> bool:
    """Slack signs nothing else."""
    return body.decode("utf-8", "replace").encode() == body


def _random_body(chance: random.Random) -> tuple[bytes, str]:
    kind = chance.choice((JSON, FORM, "application/json; charset=utf-8", "text/plain", "multipart/form-data", ""))
    shape = chance.random()
    if shape < 0.15:
        return chance.randbytes(chance.randrange(60)), kind
    value = _random_value(chance, 4)
    if shape < 0.7 and not isinstance(value, dict):
        value = {name: _random_value(chance, 3) for name in chance.sample(_NAMES, 6)}
    if isinstance(value, dict) and chance.random() < 0.8:
        value["type"] = chance.choice(_WORDS)
    body = json.dumps(value).encode()
    if shape < 0.25:
        body = body[: chance.randrange(len(body))]
    if chance.random() < 0.4:
        return b"payload=" + quote(body).encode(), FORM
    return body, kind


def _random_value(chance: random.Random, deep: int) -> Any:
    if deep and chance.random() < 0.6:
        if chance.random() < 0.3:
            return [_random_value(chance, deep - 1) for _ in range(chance.randrange(3))]
        return {chance.choice(_NAMES): _random_value(chance, deep - 1) for _ in range(chance.randrange(5))}
    return chance.choice((None, True, False, 0, -1, 1.5, 10**30, "", "a", "\ud800", "\0", *_WORDS))


def _random_text(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return chance.choice(_TYPED) * chance.randrange(3_000)
    return "".join(chance.choice(_TYPED) for _ in range(chance.randrange(12)))
