"""Where every request passes: the retry that gets its first answer, the look at who asks and where, the reference id.

A command's answer goes into the acknowledgement. A click is acted on within the request and acknowledged without a
word; what there is to say goes to its response_url. Nothing before the acknowledgement touches the network; what must
(somebody unknown is looked up) is handed to our own executor and answered through the response_url as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any, Protocol

import structlog
from slack_bolt import Ack
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.domain.alert import Person
from bot.domain.audit import What
from bot.domain.roles import Role, Roles, Standing
from bot.domain.words import plain_text
from bot.services.access import Judgement, Ruling
from bot.services.errors import NothingImportedError, PlimsollError, UsageError
from bot.slack.asked import Asked
from bot.slack.limits import Payload, outgoing, plain
from bot.slack.requests import Later, Requests, StillAnsweringError
from bot.slack.slash import Slash
from bot.slack.text import unescape
from bot.slack.views import notes

RESPONSE_TIME_OUT_S = 10
RESPONSE_TRIES = 3
ASK_AGAIN = "Plimsoll had to look you up in Slack first; ask for the dialog again."

_log = structlog.get_logger(__name__)


class Doorkeeper(Protocol):
    """Judges who may be answered where; see `bot.services.access.Access`."""

    def judge(self, user_id: str, team_id: str, channel_id: str | None, needs: Role) -> Judgement: ...

    def look_up(self, user_id: str, team_id: str, channel_id: str | None, needs: Role) -> Judgement: ...

    def standing(self, user_id: str) -> Standing: ...

    @property
    def roles(self) -> Roles: ...

    def name(self, user_id: str) -> str: ...


class Recorder(Protocol):
    """Has it recorded in the audit log, after the answer; see `bot.services.auditing.Auditing`."""

    def note(self, actor: str, what: What, about: str, detail: Mapping[str, Any]) -> None: ...


Needs = Role | Callable[[Asked], Role]
"""The role that something takes; where that depends on what is asked for, what tells it."""
Handler = Callable[[Asked], Payload | None]
"""Answers; None: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Step:
    """What comes after a dialog: `push` lays `view` over it, `update` puts it in its place, `clear` closes all."""

    action: str
    view: Payload | None = None


Submitting = Callable[[Asked], dict[str, str] | Step]
"""Does what a dialog asks for; what is wrong, by the block it is wrong in, and {} where nothing is; or what comes next.
"""
Blame = str | Callable[[str], Step]
"""Where a dialog says what no field is to blame for: a block of it, or what comes next."""


class Desk:
    """What a request needs besides its own question. `unavailable` are the store's ways to say "not now"."""

    def __init__(
        self,
        *,
        access: Doorkeeper,
        requests: Requests,
        audit: Recorder,
        run_later: Later,
        slash: Slash,
        unavailable: tuple[type[Exception], ...] = (),
        strict: bool = False,
    ) -> None:
        self.slash = slash
        self.strict = strict
        self.run_later = run_later
        self._access = access
        self._requests = requests
        self._audit = audit
        self._busy: tuple[type[Exception], ...] = (*unavailable, StillAnsweringError)

    def answering(
        self, handler: Handler, examples: tuple[str, ...], needs: Needs = Role.VIEWER
    ) -> Callable[[Ack, Mapping[str, Any]], None]:
        """The Bolt listener that answers with `handler` whoever has the role it `needs`; `examples` go with a usage
        line."""

        def listener(ack: Ack, command: Mapping[str, Any]) -> None:
            asked = _needing(Asked.typed(command), needs)
            ack(**self._answer(asked, self._noted(handler), examples))

        return listener

    def pressing(
        self, label: str, handler: Handler, needs: Role = Role.VIEWER, *, records: bool = False
    ) -> Callable[[Ack, Mapping[str, Any]], None]:
        """The Bolt listener that lets `handler` act on a click; what it answers is seen by who clicked alone.

        `records`: what it does is in the audit log by then. Where it fails that is noted here.
        """
        handler = handler if records else self._noted(handler)

        def listener(ack: Ack, body: Mapping[str, Any]) -> None:
            asked = replace(Asked.pressed(body, label), needs=needs)
            if problem := self._guarded(asked, lambda: self._press(asked, handler)):
                self.tell(asked, problem)
            ack()

        return listener

    def submitting(
        self, label: str, handler: Submitting, at_fault: Blame, needs: Needs = Role.VIEWER
    ) -> Callable[[Ack, Mapping[str, Any]], None]:
        """The Bolt listener that lets `handler` take a dialog; `at_fault` says what no field is to blame for.

        The dialog closes where nothing is wrong; then what it changed is in the audit log by the same transaction.
        """

        def listener(ack: Ack, body: Mapping[str, Any]) -> None:
            asked = _needing(Asked.submitted(body, label), needs)
            ack(**self._submit(asked, handler, at_fault))

        return listener

    def person(self, asked: Asked) -> Person:
        """Who asks, by the name that Slack has for them."""
        return Person(asked.user_id, self._access.name(asked.user_id) or asked.user_name)

    def note(self, asked: Asked, what: What | None = None, about: str = "", **detail: Any) -> None:
        """Has it recorded after the answer: who asked what, and `detail` of what came of it."""
        detail |= {} if asked.channel_id is None else {"channel": asked.channel_id}
        self._audit.note(asked.user_id or "unknown", what or asked.how, about or asked.as_said, detail)

    @property
    def roles(self) -> Roles:
        """Whom the settings name."""
        return self._access.roles

    def standing(self, asked: Asked) -> Standing:
        """What who asks may do."""
        return self._access.standing(asked.user_id)

    def name(self, user_id: str) -> str:
        """What somebody goes by, as far as that is known."""
        return self._access.name(user_id)

    def tell(self, asked: Asked, payload: Payload) -> None:
        """Says something to who asked, through the response_url, after the acknowledgement."""
        if asked.response_url:
            self.run_later(lambda: respond(asked.response_url, payload))

    def in_a_moment(self, asked: Asked, handler: Handler, words: str) -> Payload:
        """Says `words` at once; what `handler` answers follows through the response_url: it may take longer than Slack
        waits."""

        def later() -> None:
            respond(asked.response_url, self._guarded(asked, lambda: self.ephemeral(self._handled(asked, handler, ()))))

        self.run_later(later)
        return notes.note(words)

    def ephemeral(self, payload: Payload | None) -> Payload:
        """The payload for one person's eyes."""
        if payload is None:
            return {}
        return {"response_type": "ephemeral", **outgoing(payload, strict=self.strict)}

    # Commands

    def _answer(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload:
        def fresh() -> Payload:
            judged = self._judge(asked)
            if judged.ruling is Ruling.UNKNOWN:
                self.run_later(lambda: self._answer_later(asked, handler, examples))
                return {}
            return self._judged(judged, asked, handler, examples)

        return self._guarded(asked, lambda: self._requests.answered(asked.trigger_id, fresh, self.run_later))

    def _answer_later(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> None:
        def looked_up() -> Payload:
            return self._judged(self._look_up(asked), asked, handler, examples)

        respond(asked.response_url, self._guarded(asked, looked_up))

    # Clicks

    def _press(self, asked: Asked, handler: Handler) -> Payload:
        """Acts once, however often Slack sends the click; answers are sent, and nothing is returned."""

        def fresh() -> Payload:
            judged = self._judge(asked)
            if judged.ruling is Ruling.UNKNOWN:
                self.run_later(lambda: self._answer_later(asked, handler, ()))
                return {}
            if told := self._guarded(asked, lambda: self._judged(judged, asked, handler, ())):
                self.tell(asked, told)
            return {}

        try:
            return self._requests.answered(asked.trigger_id, fresh, self.run_later)
        except StillAnsweringError:  # the first try says what there is to say
            return {}

    # Dialogs

    def _submit(self, asked: Asked, handler: Submitting, at_fault: Blame) -> Payload:
        """The acknowledgement."""

        def fresh() -> Payload:
            judged = self._judge(asked)
            if judged.ruling is Ruling.UNKNOWN:
                self.run_later(lambda: self._submit_later(asked, handler))
                return {}
            return self._next(self._taken(judged, asked, handler), at_fault)

        told = self._guarded(asked, lambda: self._requests.answered(asked.trigger_id, fresh, self.run_later))
        return told if "response_type" not in told else self._next(_words(told), at_fault)

    def _next(self, taken: str | dict[str, str] | Step, at_fault: Blame) -> Payload:
        """What Slack is to do with the dialog: `taken` is what is wrong with it, by field or in one line, or a step."""
        if isinstance(taken, str):
            taken = {at_fault: plain_text(taken)} if isinstance(at_fault, str) else at_fault(taken)
        if isinstance(taken, Step):
            view = outgoing(taken.view, strict=self.strict, surface="modal") if taken.view is not None else None
            return {"response_action": taken.action} | ({} if view is None else {"view": view})
        return {"response_action": "errors", "errors": taken} if taken else {}

    def _submit_later(self, asked: Asked, handler: Submitting) -> None:
        """Somebody unknown: the dialog is closed by then, so what is wrong is said where it was opened."""

        def looked_up() -> Payload:
            taken = self._taken(self._look_up(asked), asked, handler)
            if isinstance(taken, Step):
                return self.ephemeral(notes.not_taken(asked.command, [ASK_AGAIN])) if taken.view is not None else {}
            wrong = [taken] if isinstance(taken, str) else list(taken.values())
            return self.ephemeral(notes.not_taken(asked.command, wrong)) if wrong else {}

        respond(asked.response_url, self._guarded(asked, looked_up))

    def _taken(self, judged: Judgement, asked: Asked, handler: Submitting) -> str | dict[str, str] | Step:
        if not judged.allowed:
            self._log_refused(asked, judged)
            return plain_text(judged.reason)
        try:
            taken = handler(asked)
        except PlimsollError as refused:
            self.note(asked, wrong=str(refused))
            return str(refused)
        if taken and not isinstance(taken, Step):
            self.note(asked, wrong=taken)
        return taken

    # All of them

    def _noted(self, handler: Handler) -> Handler:
        """`handler`, whose answers are noted."""

        def noted(asked: Asked) -> Payload | None:
            answer = handler(asked)
            self.note(asked)
            return answer

        return noted

    def _judge(self, asked: Asked) -> Judgement:
        return self._access.judge(asked.user_id, asked.team_id, asked.channel_id, asked.needs)

    def _look_up(self, asked: Asked) -> Judgement:
        return self._access.look_up(asked.user_id, asked.team_id, asked.channel_id, asked.needs)

    def _judged(self, judged: Judgement, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload:
        if not judged.allowed:
            self._log_refused(asked, judged)
            return self.ephemeral(notes.refusal(judged.reason))
        return self.ephemeral(self._handled(asked, handler, examples))

    def _handled(self, asked: Asked, handler: Handler, examples: tuple[str, ...]) -> Payload | None:
        """The handler's answer, or what was wrong with the question."""
        try:
            return handler(asked)
        except UsageError as wrong:
            self.note(asked, wrong=str(wrong))
            return notes.usage(str(wrong), tuple(self.slash(example) for example in examples))
        except NothingImportedError as empty:
            self.note(asked, wrong=str(empty))
            return notes.note(str(empty))
        except PlimsollError as refused:
            self.note(asked, wrong=str(refused))
            return notes.refusal(str(refused))

    def _guarded(self, asked: Asked, work: Callable[[], Payload]) -> Payload:
        """`work()`; a busy database is said so, and a bug gets a reference id that the log has too."""
        try:
            return work()
        except self._busy as busy:
            _log.warning("command_busy", command=asked.command, user=asked.user_id, error=str(busy))
            if not isinstance(busy, StillAnsweringError):  # the first try notes what comes of it
                self.note(asked, failed="busy")
            return self.ephemeral(notes.busy(asked.command))
        except Exception:  # noqa: BLE001 -- the last resort of the edge: somebody waits for an answer
            reference = secrets.token_hex(4)
            _log.exception("command_failed", command=asked.command, user=asked.user_id, reference=reference)
            self.note(asked, failed=reference)
            return self.ephemeral(notes.failure(asked.command, reference))

    def _log_refused(self, asked: Asked, judged: Judgement) -> None:
        reason = plain_text(judged.reason)
        _log.info("command_refused", command=asked.command, user=asked.user_id, reason=reason)
        self.note(asked, What.REFUSED, reason=reason)


def _needing(asked: Asked, needs: Needs) -> Asked:
    return replace(asked, needs=needs if isinstance(needs, Role) else needs(asked))


def _words(payload: Payload) -> str:
    """What a note says, for a place that shows text as it is."""
    return unescape(str(payload["text"]))


def respond(url: str, payload: Payload) -> None:
    """Answers through a response_url. Slack allows five uses; a failure is logged, there is nobody else to tell.

    A message that was clicked stays as it is, unless `payload` says that it takes its place.
    """
    if not url or not payload:
        return
    payload = {"replace_original": False, **payload}
    client = WebhookClient(url, timeout=RESPONSE_TIME_OUT_S, retry_handlers=[])
    why = ""
    for body in [payload] * RESPONSE_TRIES:
        try:
            answer = client.send_dict(body)
        except (OSError, HTTPException, SlackClientError) as error:
            why = type(error).__name__
            continue
        except ValueError as error:  # urllib's, of an address that is none
            why = type(error).__name__
            break
        if answer.status_code == 200:
            return
        why = f"HTTP {answer.status_code} {answer.body[:100]}"
        if 400 <= answer.status_code < 500:
            break
    _log.error("response_not_delivered", why=why, text=str(plain(payload)["text"])[:200])
