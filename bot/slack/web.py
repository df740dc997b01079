"""Slack over HTTP: the one route that it calls.

Anybody on the internet can call it too, and Bolt reads a body before it looks at the signature. So the signature is
held against the raw body first; and what Slack would never send, though it is signed, is refused before Bolt, which
takes the shape of a request for granted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import structlog
from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # has no types
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.flask.handler import to_bolt_request, to_flask_response
from slack_bolt.request.payload_utils import to_action, to_event, to_message, to_options, to_shortcut, to_step, to_view
from slack_sdk.signature import SignatureVerifier
from werkzeug.datastructures import Headers

PATH = "/slack/events"
LARGEST_BODY = 1_000_000
"""Bytes. Slack's largest, a modal with all that was typed into it, has a quarter of that."""
_LONGEST_STAMP = 12
_WRONG_SHAPE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
"""What Python and Bolt raise at a body of another shape than they expect."""
_log = structlog.get_logger(__name__)


def slack_blueprint(app: App, signing_secret: str) -> Blueprint:
    """The route for a Flask app: 401 for what Slack did not sign within five minutes, 413 for what is too large, 400
    for what is no request of Slack's all the same."""
    verifier = SignatureVerifier(signing_secret)
    blueprint = Blueprint("slack", __name__)

    @blueprint.post(PATH)
    def slack_events() -> Response:
        request.max_content_length = LARGEST_BODY  # 413, by Flask
        try:
            body = request.get_data()
        except (OSError, ParseException):  # gunicorn's: chunks that are none, or fewer bytes than were announced
            return _refused(400, "the body cannot be read")
        try:
            if not _signed(verifier, body, request.headers):
                return _refused(401, "not signed by Slack")
            asked = to_bolt_request(request)
            fault = next(_faults(asked), None)
        except _WRONG_SHAPE as error:
            fault = type(error).__name__
        if fault:
            return _refused(400, f"not a request of Slack's: {fault}")
        return to_flask_response(app.dispatch(asked))

    return blueprint


def _signed(verifier: SignatureVerifier, body: bytes, headers: Headers) -> bool:
    """Whether Slack signed `body` lately. It signs no body that is no UTF-8."""
    stamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP and signature.isascii()):
        return False
    try:
        return verifier.is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False


def _faults(asked: BoltRequest) -> Iterator[str]:
    """What Bolt would trip over in a signed request; it may raise one of `_WRONG_SHAPE` as well."""
    body: Any = asked.body
    if not isinstance(body, dict):
        yield "no object"
        return
    for name in ("event", "view"):
        if not isinstance(body.get(name, {}), dict):
            yield f"{name} is no object"
    for read in (to_event, to_message, to_action, to_options, to_shortcut, to_view, to_step):
        read(body)
    action = to_action(body) or {}
    if body.get("type") == "block_actions" and not isinstance(action.get("action_id"), str):
        yield "an action without action_id"
    for part in (body, body.get("event", {}), body.get("view", {}), action):
        for name in ("type", "command", "callback_id", "action_id"):
            if not isinstance(part.get(name, ""), str):
                yield f"{name} is no text"
    json.dumps(body, ensure_ascii=False).encode()  # half an emoji is no text either


def _refused(status: int, why: str) -> Response:
    _log.info("slack_request_refused", status=status, why=why)
    return Response(why, status, mimetype="text/plain")
