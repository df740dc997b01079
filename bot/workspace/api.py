"""The Web API over HTTP: reads the request, lets faults have their way, checks token and rate, and calls the method."""

from __future__ import annotations

import hmac
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from bot.workspace import files, lookups, messages, surfaces
from bot.workspace.args import Args, RefusedError
from bot.workspace.faults import Fault, Faults, LateArrivals, Limiter
from bot.workspace.model import Json
from bot.workspace.state import State
from bot.workspace.surfaces import Tickets

SCOPES = (
    "chat:write,commands,channels:history,channels:read,groups:history,groups:read,im:history,im:read,im:write,"
    "users:read,usergroups:read,files:write,files:read"
)
JSON_TYPE = "application/json; charset=utf-8"
Act = Callable[[float], tuple[int, Json]]


class LineCutError(ConnectionResetError):
    """The connection is to be dropped without an answer."""


@dataclass
class Gate:
    """Everything between the wire and the methods."""

    state: State
    tickets: Tickets
    faults: Faults
    late: LateArrivals
    posts: Limiter
    updates: Limiter
    token: str
    base: str = ""

    def pass_through(self, method: str, args: Json, act: Act) -> tuple[int, Json, dict[str, str]]:
        """Let a request meet its faults and, if they allow it, be taken. Raises LineCutError."""
        self.late.run_due()
        met = self.faults.meet(method, args)
        lag = sum(fault.lag for fault in met)
        final = next((fault for fault in met if not fault.only_delays), None)
        if final is not None and not final.takes:
            self.state.note_call(method, args, final.name, taken=False)
        time.sleep(sum(fault.before for fault in met))
        if final is not None and not final.takes:
            return self._end(final, {})
        if final is not None and final.late is not None:
            self.state.note_call(method, args, final.name, taken=False)
            self.late.add(final.late, lambda: act(lag))
            raise LineCutError(final.name)
        status, body = act(lag)
        outcome = final.name if final else "ok" if body.get("ok") else str(body.get("error"))
        self.state.note_call(method, args, outcome, taken=bool(body.get("ok")))
        if final is None:
            return status, body, _retry_header(body)
        time.sleep(final.after)
        return self._end(final, body)

    def _end(self, fault: Fault, body: Json) -> tuple[int, Json, dict[str, str]]:
        if fault.ending == "reset":
            raise LineCutError(fault.name)
        if fault.ending == "http_500":
            return 500, {"ok": False, "error": "internal_error"}, {}
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        return fault.status, fault.body or body, headers

    def call(self, method: str, args: Args, token: str, lag: float) -> tuple[int, Json]:
        """One Web API call: (HTTP status, answer)."""
        try:
            if method == "api.test":
                return 200, {"ok": True, "args": args.raw}
            if method not in METHODS:
                raise RefusedError("unknown_method", req_method=method)
            if not token:
                raise RefusedError("not_authed")
            if not hmac.compare_digest(token.encode(), self.token.encode()):
                raise RefusedError("invalid_auth")
            self._limit(method, args)
            return 200, {"ok": True, **METHODS[method](self, args, lag)}
        except RefusedError as refused:
            return 429 if refused.code == "ratelimited" else 200, refused.body

    def _limit(self, method: str, args: Args) -> None:
        """About one post a second per channel; `chat.update` by its own, wider measure. Raises RefusedError."""
        wait = 0.0
        if method in {"chat.postMessage", "chat.postEphemeral"}:
            channel = self.state.find_channel(args.text("channel"))
            wait = self.posts.wait_for(channel.id if channel else args.text("channel"))
        elif method == "chat.update":
            wait = self.updates.wait_for(method)
        if wait:
            raise RefusedError("ratelimited", retry_after=max(1, math.ceil(wait)))


def _retry_header(body: Json) -> dict[str, str]:
    wait = body.pop("retry_after", None)
    return {} if wait is None else {"Retry-After": str(wait)}


def _auth_test(gate: Gate, _args: Args, _lag: float) -> Json:
    bot = gate.state.bot
    return {
        "url": f"{gate.base}/",
        "team": bot.team_domain,
        "user": bot.bot_name.lower(),
        "team_id": bot.team_id,
        "user_id": bot.user_id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


METHODS: dict[str, Callable[[Gate, Args, float], Json]] = {
    "auth.test": _auth_test,
    "chat.postMessage": lambda g, a, lag: messages.post_message(g.state, a, lag=lag),
    "chat.postEphemeral": lambda g, a, _: messages.post_ephemeral(g.state, a),
    "chat.update": lambda g, a, _: messages.update(g.state, a),
    "chat.delete": lambda g, a, _: messages.delete(g.state, a),
    "chat.getPermalink": lambda g, a, _: messages.permalink(g.state, a, g.base),
    "conversations.history": lambda g, a, lag: lookups.history(g.state, a, lag=lag),
    "conversations.replies": lambda g, a, lag: lookups.replies(g.state, a, lag=lag),
    "conversations.info": lambda g, a, _: lookups.channel_info(g.state, a),
    "conversations.list": lambda g, a, _: lookups.channel_list(g.state, a),
    "conversations.members": lambda g, a, _: lookups.channel_members(g.state, a),
    "conversations.open": lambda g, a, _: lookups.open_direct(g.state, a),
    "users.info": lambda g, a, _: lookups.user_info(g.state, a),
    "users.list": lambda g, a, _: lookups.user_list(g.state, a),
    "usergroups.users.list": lambda g, a, _: lookups.usergroup_users(g.state, a),
    "views.open": lambda g, a, _: surfaces.open_view(g.state, a, g.tickets),
    "views.push": lambda g, a, _: surfaces.push_view(g.state, a, g.tickets),
    "views.update": lambda g, a, _: surfaces.update_view(g.state, a),
    "views.publish": lambda g, a, _: surfaces.publish_view(g.state, a),
    "files.getUploadURLExternal": lambda g, a, _: files.get_upload_url(g.state, a, g.base),
    "files.completeUploadExternal": lambda g, a, _: files.complete_upload(g.state, a, g.base),
    "files.info": lambda g, a, _: files.file_info(g.state, a, g.base),
}


def read_args() -> tuple[Json, str]:
    """The arguments and the token of the current request. Raises RefusedError for a body that is not what it says."""
    raw: Json = dict(request.args)
    body = request.get_data(cache=True)
    if request.mimetype == "application/json" and body:
        try:
            given = json.loads(body)
        except ValueError as broken:
            raise RefusedError("invalid_json") from broken
        if not isinstance(given, dict):
            raise RefusedError("json_not_object")
        raw |= given
    else:
        raw |= dict(request.form)
    in_body = str(raw.pop("token", "") or "")
    header = request.headers.get("Authorization", "")
    return raw, header.removeprefix("Bearer ").strip() or in_body


def answer_json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with the headers Slack adds."""
    response = Response(json.dumps(body), status, content_type=JSON_TYPE)
    response.headers.update({"X-OAuth-Scopes": SCOPES, **(headers or {})})
    return response


def blueprint(gate: Gate) -> Blueprint:
    """The routes that a bot uses: /api/METHOD, /response/TOKEN and /upload/FILE."""
    api = Blueprint("api", __name__)

    @api.route("/api/<method>", methods=["GET", "POST"])
    def call(method: str) -> Response:
        try:
            raw, token = read_args()
        except RefusedError as refused:
            return answer_json(200, refused.body)
        return answer_json(*gate.pass_through(method, raw, lambda lag: gate.call(method, Args(raw), token, lag)))

    @api.post("/response/<token>")
    def respond(token: str) -> Response:
        payload = request.get_json(silent=True)
        payload = payload if isinstance(payload, dict) else {}
        status, body, headers = gate.pass_through("response_url", payload, lambda _: _respond(gate, token, payload))
        if status != 200 or body.get("ok"):
            return Response("ok" if body.get("ok") else str(body.get("error")), status, headers=headers)
        return answer_json(404 if body["error"] in {"expired_url", "used_url"} else 400, body)

    @api.post("/upload/<file_id>")
    def upload(file_id: str) -> Response:
        data = request.get_data(cache=True)  # first: slack_sdk calls raw bytes a form, and parsing would eat them
        if request.mimetype == "multipart/form-data":
            data = next(iter(request.files.values())).read()

        def act(_lag: float) -> tuple[int, Json]:
            try:
                return 200, {"ok": True, "text": files.receive(gate.state, file_id, data)}
            except RefusedError as refused:
                return 400, refused.body

        status, body, _ = gate.pass_through("upload", {"file": file_id, "bytes": len(data)}, act)
        return Response(str(body.get("text") or body.get("error")), status)

    return api


def _respond(gate: Gate, token: str, payload: Json) -> tuple[int, Json]:
    reply = gate.tickets.peek(token)
    user, channel = (reply.user, reply.channel) if reply else ("", "")
    body: Json = {"ok": True}
    try:
        used = gate.tickets.use_reply(token)
        messages.respond(gate.state, used.user, used.channel, payload, used.original)
    except RefusedError as refused:
        body = refused.body
    gate.state.note_response(user, channel, payload, str(body.get("error", "ok")))
    return 200, body
