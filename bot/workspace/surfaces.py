"""Web API: views.* (modals and App Home) and the tickets that allow them: trigger ids and response_urls."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from bot.workspace.args import Args, RefusedError
from bot.workspace.blocks import check_view, with_ids
from bot.workspace.model import Json, Message, View
from bot.workspace.state import State, view_json

VIEWS_IN_STACK = 3


@dataclass
class _Trigger:
    user: str
    issued: float
    view: str | None
    used: bool = False


@dataclass
class Reply:
    """A response_url: whom and what it answers, and how often it was used."""

    user: str
    channel: str
    original: Message | None
    issued: float
    uses: int = 0


class Tickets:
    """Short-lived permissions, timed by the monotonic clock: they are about real people waiting, not about the scene.

    A trigger_id opens one modal within `trigger_seconds`; a response_url works `uses` times in `reply_seconds`.
    """

    uses = 5

    def __init__(self, trigger_seconds: float, reply_seconds: float) -> None:
        self._lock = threading.Lock()
        self._triggers: dict[str, _Trigger] = {}
        self._replies: dict[str, Reply] = {}
        self._trigger_seconds, self._reply_seconds = trigger_seconds, reply_seconds

    def trigger(self, user: str, view: str | None = None) -> str:
        """A new trigger_id for what `user` just did, in `view` where it was a modal."""
        with self._lock:
            trigger_id = f"{time.time_ns() // 1000}.{len(self._triggers)}.{secrets.token_hex(16)}"
            self._triggers[trigger_id] = _Trigger(user, time.monotonic(), view)
            return trigger_id

    def exchange(self, trigger_id: str) -> tuple[str, str | None]:
        """Use a trigger_id: (user, view it came from). Raises RefusedError."""
        with self._lock:
            trigger = self._triggers.get(trigger_id)
            if trigger is None:
                raise RefusedError("invalid_trigger_id")
            if trigger.used:
                raise RefusedError("exchanged_trigger_id")
            if time.monotonic() - trigger.issued > self._trigger_seconds:
                raise RefusedError("expired_trigger_id")
            trigger.used = True
            return trigger.user, trigger.view

    def reply(self, user: str, channel: str, original: Message | None = None) -> str:
        """The token of a new response_url."""
        with self._lock:
            token = secrets.token_urlsafe(18)
            self._replies[token] = Reply(user, channel, original, time.monotonic())
            return token

    def peek(self, token: str) -> Reply | None:
        """Whom a response_url answers, without using it."""
        with self._lock:
            return self._replies.get(token)

    def use_reply(self, token: str) -> Reply:
        """Use a response_url once. Raises RefusedError `expired_url` or `used_url`."""
        with self._lock:
            reply = self._replies.get(token)
            if reply is None or time.monotonic() - reply.issued > self._reply_seconds:
                raise RefusedError("expired_url")
            if reply.uses >= self.uses:
                raise RefusedError("used_url")
            reply.uses += 1
            return reply


def checked_view(state: State, view: Any, kind: str) -> Json:
    """A view as stored. Raises RefusedError `invalid_arguments` with what is wrong."""
    if not isinstance(view, dict):
        raise RefusedError("invalid_arguments", "[ERROR] must provide an object [json-pointer:/view]")
    problems = check_view(view, state.file_ids)
    if not problems and view["type"] != kind:
        problems = [f"[ERROR] must be of type {kind} [json-pointer:/view/type]"]
    if problems:
        raise RefusedError("invalid_arguments", *problems)
    return {**view, "blocks": with_ids(view["blocks"])}


def _view_arg(state: State, args: Args, kind: str) -> Json:
    return checked_view(state, args.json("view", "invalid_arguments"), kind)


def show_modal(state: State, user: str, body: Json, below: View | None = None) -> View:
    """Put a modal before a user, on top of `below` or alone. Raises RefusedError."""
    external = body.get("external_id")
    if external and any(v.body.get("external_id") == external and v.status == "open" for v in state.views.values()):
        raise RefusedError("duplicate_external_id")
    stack = [v for v in state.modals(user) if v.status == "open"]
    if below is not None and len(stack) >= VIEWS_IN_STACK:
        raise RefusedError("push_limit_reached")
    if below is None:
        for other in stack:
            other.status = "closed"
    view_id = state.new_id("V")
    view = View(view_id, "modal", user, body, f"{time.time_ns()}.{secrets.token_hex(4)}")
    view.root, view.previous = (below.root, below.id) if below else (view_id, None)
    return state.add_view(view)


def open_view(state: State, args: Args, tickets: Tickets) -> Json:
    """`views.open`: needs a trigger_id that is at most 3 s old and unused."""
    trigger_id = args.required("trigger_id")
    body = _view_arg(state, args, "modal")
    user, _ = tickets.exchange(trigger_id)
    return {"view": view_json(state, show_modal(state, user, body))}


def push_view(state: State, args: Args, tickets: Tickets) -> Json:
    """`views.push`: needs a trigger_id that came from the modal below."""
    trigger_id = args.required("trigger_id")
    body = _view_arg(state, args, "modal")
    user, view_id = tickets.exchange(trigger_id)
    below = state.views.get(view_id or "")
    if below is None or below.status != "open":
        raise RefusedError("not_found")
    return {"view": view_json(state, show_modal(state, user, body, below))}


def update_view(state: State, args: Args) -> Json:
    """`views.update`, by `view_id` or `external_id`; with `hash`, only if nothing changed since."""
    wanted = args.text("external_id")
    by_name = next((v for v in state.views.values() if wanted and v.body.get("external_id") == wanted), None)
    view = state.views.get(args.text("view_id")) or by_name
    if view is None or view.status != "open":
        raise RefusedError("not_found")
    if args.text("hash") and args.text("hash") != view.hash:
        raise RefusedError("hash_conflict")
    state.replace_view(view, _view_arg(state, args, view.kind))
    return {"view": view_json(state, view)}


def publish_view(state: State, args: Args) -> Json:
    """`views.publish`: a user's App Home tab."""
    user = args.required("user_id")
    if user not in state.users:
        raise RefusedError("user_not_found")
    body = _view_arg(state, args, "home")
    view = state.home(user)
    if view is not None and args.text("hash") and args.text("hash") != view.hash:
        raise RefusedError("hash_conflict")
    if view is None:
        view = state.add_view(View(state.new_id("V"), "home", user, body, ""))
    state.replace_view(view, body)
    return {"view": view_json(state, view)}
