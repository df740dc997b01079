"""Where every command passes: the retry that gets its first answer, the look at who asks and where, the reference id.

The answer goes into the acknowledgement. Nothing before it touches the network; what must (somebody unknown is looked
up) is handed to our own executor and answered through the response_url.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol

import structlog
from slack_bolt import Ack
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.services.access import Judgement, Ruling
from bot.services.errors import NothingImportedError, PlimsollError, UsageError
from bot.slack.limits import Payload, outgoing, plain
from bot.slack.requests import Later, Requests, StillAnsweringError
from bot.slack.slash import Slash
from bot.slack.views import notes

RESPONSE_TIME_OUT_S = 10
RESPONSE_TRIES = 3

_log = structlog.get_logger(__name__)


class Doorkeeper(Protocol):
    """Judges who may be answered where; see `bot.services.access.Access`."""

    def judge(self, user_id: str, team_id: str, channel_id: str) -> Judgement: ...

    def look_up(self, user_id: str, team_id: str, channel_id: str) -> Judgement: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One command as it came: `text` is everything after the word."""

    command: str
    text: str
    user_id: str
    team_id: str
    channel_id: str
    response_url: str
    trigger_id: str

    @classmethod
    def of(cls, command: Mapping[str, Any]) -> Asked:
        names = ("command", "text", "user_id", "team_id", "channel_id", "response_url", "trigger_id")
        return cls(**{name: str(command.get(name) or "") for name in names})


Handler = Callable[[Asked], Payload]


class Desk:
    """What a command needs besides its own question. `unavailable` are the store's ways to say "not now"."""

    def __init__(
        self,
        *,
        access: Doorkeeper,
        requests: Requests,
        run_later: Later,
        slash: Slash,
        unavailable: tuple[type[Exception], ...] = (),
        strict: bool = False,
    ) -> None:
        self.slash = slash
        self._access = access
        self._requests = requests
        self._run_later = run_later
        self._busy: tuple[type[Exception], ...] = (*unavailable, StillAnsweringError)
        self._strict = strict

    def answering(self, handler: Handler, examples: tuple[str, ...]) -> Callable[[Ack, Mapping[str, Any]], None]:
        """The Bolt listener that answers with `handler`; `examples` go with a usage line."""

        def listener(ack: Ack, command: Mapping[str, Any]) -> None:
            asked = Asked.of(command)
            ack(**self._answer(asked, handler, examples))

        return listener

    def _answer(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload:
        def fresh() -> Payload:
            judged = self._access.judge(asked.user_id, asked.team_id, asked.channel_id)
            if judged.ruling is Ruling.UNKNOWN:
                self._run_later(lambda: self._answer_later(asked, handler, examples))
                return {}
            return self._judged(judged, asked, handler, examples)

        return self._guarded(asked, lambda: self._requests.answered(asked.trigger_id, fresh, self._run_later))

    def _answer_later(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> None:
        def looked_up() -> Payload:
            judged = self._access.look_up(asked.user_id, asked.team_id, asked.channel_id)
            return self._judged(judged, asked, handler, examples)

        respond(asked.response_url, self._guarded(asked, looked_up))

    def _judged(self, judged: Judgement, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload:
        if not judged.allowed:
            _log.info("command_refused", command=asked.command, user=asked.user_id, reason=judged.reason)
            return self._ephemeral(notes.refusal(judged.reason))
        return self._ephemeral(self._handled(asked, handler, examples))

    def _handled(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload:
        """The handler's answer, or what was wrong with the question."""
        try:
            return handler(asked)
        except UsageError as wrong:
            return notes.usage(str(wrong), tuple(self.slash(example) for example in examples))
        except NothingImportedError as empty:
            return notes.note(str(empty))
        except PlimsollError as refused:
            return notes.refusal(str(refused))

    def _guarded(self, asked: Asked, work: Callable[[], Payload]) -> Payload:
        """`work()`; a busy database is said so, and a bug gets a reference id that the log has too."""
        try:
            return work()
        except self._busy as busy:
            _log.warning("command_busy", command=asked.command, user=asked.user_id, error=str(busy))
            return self._ephemeral(notes.busy(asked.command))
        except Exception:  # noqa: BLE001 -- the last resort of the edge: somebody waits for an answer
            reference = secrets.token_hex(4)
            _log.exception("command_failed", command=asked.command, user=asked.user_id, reference=reference)
            return self._ephemeral(notes.failure(asked.command, reference))

    def _ephemeral(self, payload: Payload) -> Payload:
        return {"response_type": "ephemeral", **outgoing(payload, strict=self._strict)}


def respond(url: str, payload: Payload) -> None:
    """Answers through a response_url. Slack allows five uses; a failure is logged, there is nobody else to tell."""
    if not url or not payload:
        return
    client = WebhookClient(url, timeout=RESPONSE_TIME_OUT_S, retry_handlers=[])
    why = ""
    for body in [payload] * RESPONSE_TRIES:
        try:
            answer = client.send_dict(body)
        except (OSError, HTTPException, SlackClientError) as error:
            why = type(error).__name__
            continue
        if answer.status_code == 200:
            return
        why = f"HTTP {answer.status_code} {answer.body[:100]}"
        if 400 <= answer.status_code < 500:
            break
    _log.error("response_not_delivered", why=why, text=str(plain(payload)["text"])[:200])
