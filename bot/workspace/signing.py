"""Sends a request to the bot as Slack does: signed over its exact bytes, with a 3 s patience, and optionally forged."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit

from bot.workspace.model import Json

PATIENCE_S = 3.0


class Sending(TypedDict, total=False):
    """How to send. `retry_num` repeats the same request as Slack would; the others forge one that must be refused."""

    retry_num: int
    retry_reason: str
    timestamp: int
    secret: str
    unsigned: bool


@dataclass(frozen=True)
class Answer:
    """What the bot answered within Slack's patience.

    `status` is the HTTP status, 0 when there was none; `error` is what Slack would tell the user: "" when all is well,
    "operation_timeout", "dispatch_failed", or "invalid_command_response" with the reasons in `problems`. `text` and
    `blocks` are those of the acknowledgement, empty where Slack would not show them.
    """

    status: int
    body: str
    elapsed_s: float
    error: str = ""
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    request: tuple[bytes, str] = (b"", "")

    @property
    def ok(self) -> bool:
        """Whether Slack would be content."""
        return not self.error

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is empty or none."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature of a request body."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def headers(secret: str, body: bytes, content_type: str, sending: Sending) -> dict[str, str]:
    """The headers of a request to the bot. The time stamp is real time: the bot's library holds it against that."""
    stamp = str(sending.get("timestamp", int(time.time())))
    made: dict[str, str] = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
    if not sending.get("unsigned"):
        made["X-Slack-Request-Timestamp"] = stamp
        made["X-Slack-Signature"] = signature(sending.get("secret", secret), stamp, body)
    if "retry_num" in sending:
        made["X-Slack-Retry-Num"] = str(sending["retry_num"])
        made["X-Slack-Retry-Reason"] = sending.get("retry_reason", "http_timeout")
    return made


def send(target: str, secret: str, request: tuple[bytes, str], sending: Sending) -> Answer:
    """POST `request` (body, content type) to the bot and wait at most 3 s, as Slack does."""
    body, content_type = request
    parts = urlsplit(target)
    started = time.monotonic()
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        line.request("POST", parts.path or "/", body, headers(secret, body, content_type, sending))
        response = line.getresponse()
        text = response.read().decode("utf-8", "replace")
        status = response.status
    except TimeoutError:
        return Answer(0, "", time.monotonic() - started, "operation_timeout", request=request)
    except (OSError, http.client.HTTPException):
        return Answer(0, "", time.monotonic() - started, "dispatch_failed", request=request)
    finally:
        line.close()
    elapsed = time.monotonic() - started
    late = "operation_timeout" if elapsed > PATIENCE_S else ""
    return Answer(status, text, elapsed, late or ("" if status == 200 else "dispatch_failed"), request=request)
