"""Bodies that are no payload of Slack's: bytes, broken forms, JSON of any shape, far too much of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from .mutating import junk
from .texts import text

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LARGEST = 1_000_000

_KINDS = (
    JSON,
    JSON,
    FORM,
    FORM,
    "application/json; charset=utf-16",
    "application/json;charset=\xe9",
    "application/x-www-form-urlencoded; charset=nonsense",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/xml",
    "",
    ";",
    "a" * 5_000,
)
_NAMES = (
    *("type", "command", "text", "event", "view", "actions", "action_id", "callback_id", "user", "team", "channel"),
    *("enterprise", "authorizations", "message", "payload", "trigger_id", "user_id", "channel_id", "response_url"),
    *("response_urls", "is_ext_shared_channel", "thread_ts", "state", "challenge", "ssl_check", "assistant_thread"),
    *(
        "function",
        "function_data",
        "function_execution_id",
        "inputs",
        "bot_access_token",
        "id",
        "workflow_step",
        "item",
    ),
)
_TYPES = (
    *("event_callback", "block_actions", "view_submission", "view_closed", "interactive_message", "message_action"),
    *("shortcut", "block_suggestion", "dialog_suggestion", "dialog_submission", "dialog_cancellation"),
    *("workflow_step_edit", "url_verification", "message", "function_executed", "app_rate_limited", "modal", "im"),
)
_WHOLE = (
    b"",
    b"null",
    b"[]",
    b"1",
    b"NaN",
    b"-Infinity",
    b'"a"',
    b"{",
    b"{}" * 50,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a": ' + b"1" * 5_000 + b"}",
    b'{"a": 1e999999}',
    b'{"type": "block_actions", "type": null, "type": "view_submission"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"payload",
    b"payload=",
    b"payload=null",
    b"payload=%",
    b"payload=%zz",
    b"payload=%ff%fe",
    b"payload={}&payload=[]",
    b"&&&===;;;",
    b"command=%2Fltv&command=%2Fltv&text=%00",
    b"ssl_check=1",
    b"ssl_check=1&token=x",
    b"a" * 20_000,
    b"a=1&" * 5_000,
    b"--x\r\nContent-Disposition: form-data; name=payload\r\n\r\n{}\r\n--x--",
)
_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason", "X-Slack-No-Retry", "User-Agent", "X-Forwarded-For", "Cookie")
_TARGETS = ("?a=%ff", "?payload={}", "?" + "a" * 5_000, "?type=view_submission&command=/ltv")


def raw(chance: random.Random) -> tuple[bytes, str, dict[str, str], str]:
    """Body, content type, headers and what follows the path."""
    make = chance.choices(_WAYS, weights=(4, 4, 3, 6, 3, 1))[0]
    body = make(chance)
    headers = {chance.choice(_HEADERS): _header(chance)} if chance.random() < 0.2 else {}
    target = chance.choice(_TARGETS) if chance.random() < 0.05 else ""
    return body, chance.choice(_KINDS), headers, target


def _header(chance: random.Random) -> str:
    said = chance.choice(("1", "-1", "x", "9" * 500, text(chance)[:200]))
    return said.encode("utf-8", "replace").decode("latin-1").replace("\r", " ").replace("\n", " ")


def _whole(chance: random.Random) -> bytes:
    return chance.choice(_WHOLE)


def _bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(300))


def _form(chance: random.Random) -> bytes:
    pairs = []
    for _ in range(chance.randrange(1, 8)):
        value = chance.choice((text(chance), json.dumps(tree(chance, 2)))).encode("utf-8", "surrogatepass")
        pairs.append(
            chance.choice(_NAMES).encode() + b"=" + (quote(value).encode() if chance.random() < 0.8 else value)
        )
    return b"&".join(pairs)


def _json(chance: random.Random) -> bytes:
    value = tree(chance, 4)
    if not isinstance(value, dict) and chance.random() < 0.8:
        value = {name: tree(chance, 3) for name in chance.sample(_NAMES, 6)}
    if isinstance(value, dict) and chance.random() < 0.8:
        value["type"] = chance.choice(_TYPES)
    written = json.dumps(value).encode()
    return b"payload=" + quote(written).encode() if chance.random() < 0.4 else written


def _cut(chance: random.Random) -> bytes:
    body = _json(chance)
    return body[: chance.randrange(len(body) + 1)]


def _large(chance: random.Random) -> bytes:
    return b'{"type": "' + b"a" * (LARGEST + chance.randrange(-100, 100)) + b'"}'


_WAYS: tuple[Callable[[random.Random], bytes], ...] = (_whole, _bytes, _form, _json, _cut, _large)


def tree(chance: random.Random, deep: int) -> Any:
    """A JSON value of any shape."""
    if deep and chance.random() < 0.6:
        if chance.random() < 0.3:
            return [tree(chance, deep - 1) for _ in range(chance.randrange(3))]
        return {chance.choice(_NAMES): tree(chance, deep - 1) for _ in range(chance.randrange(5))}
    return chance.choice(_TYPES) if chance.random() < 0.3 else junk(chance)
