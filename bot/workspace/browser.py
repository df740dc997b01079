"""The page's side of the server: its files, what it shows, news of changes, and what its user does.

Only a browser on this machine may use it: requests must name a loopback host (so that no other site can reach it
through a name of its own) and acts must be JSON (so that none can send them as a plain form).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from bot.workspace.api import answer_json
from bot.workspace.model import Channel, Json, Message, View
from bot.workspace.signing import Answer
from bot.workspace.state import is_seen
from bot.workspace.values import missing, report

if TYPE_CHECKING:
    from bot.workspace.server import Workspace

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
MESSAGES_SHOWN = 200
HEARTBEAT_S = 15.0
# News within this time is told together: a busy bot must not make the page draw a hundred times a second.
SETTLE_S = 0.05
ASSETS = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "dom.js": "text/javascript; charset=utf-8",
    "mrkdwn.js": "text/javascript; charset=utf-8",
    "emoji.js": "text/javascript; charset=utf-8",
    "blocks.js": "text/javascript; charset=utf-8",
    "compose.js": "text/javascript; charset=utf-8",
    "modal.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


class Pages:
    """What a page is told about the workspace."""

    def __init__(self, workspace: Workspace, stopping: threading.Event) -> None:
        self._workspace, self._state = workspace, workspace.state
        self._stopping = stopping

    def snapshot(self, user: str, channel_id: str, thread_ts: str) -> Json:
        """Everything one user sees with one channel (and perhaps a thread) open."""
        state = self._state
        with state.lock:
            channels = [c for c in state.channels.values() if c.im_user in {None, user}]
            home, modal = state.home(user), state.open_modal(user)
            return {
                "version": state.version,
                "now": state.now().timestamp(),
                "note": self._workspace.note,
                "team": self._workspace.team_name,
                "bot": {"id": state.bot.user_id, "name": state.bot.bot_name},
                "commands": self._workspace.commands,
                "users": [{"id": u.id, "name": u.name, "is_bot": u.is_bot} for u in state.users.values()],
                "usergroups": list(state.usergroups),
                "channels": [self._channel(c, user) for c in channels],
                "messages": self._messages(channel_id, user),
                "thread": self._thread(channel_id, thread_ts, user),
                "home": self._view(home) if home else None,
                "modal": self._view(modal) if modal else None,
            }

    def _channel(self, channel: Channel, user: str) -> Json:
        posts = self._state.top_level(channel.id, user)
        return {
            "id": channel.id,
            "name": channel.name,
            "private": channel.is_private,
            "shared": channel.is_ext_shared,
            "archived": channel.is_archived,
            "direct": channel.im_user is not None,
            "latest": posts[-1].ts if posts else "",
        }

    def _messages(self, channel_id: str, user: str) -> list[Json]:
        return [self._message(m) for m in self._state.top_level(channel_id, user)[-MESSAGES_SHOWN:]]

    def _thread(self, channel_id: str, ts: str, user: str) -> Json | None:
        root = self._state.message(channel_id, ts)
        if root is None or not is_seen(root, user):
            return None
        return {"root": self._message(root), "replies": [self._message(m) for m in root.replies]}

    def _message(self, message: Message) -> Json:
        return {
            "ts": message.ts,
            "user": message.user,
            "text": message.text,
            "blocks": message.blocks,
            "edited": message.edited_ts is not None,
            "ephemeral": message.ephemeral_to is not None,
            "command": message.command,
            "notice": message.notice,
            "replies": len(message.replies),
            "latest_reply": message.replies[-1].ts if message.replies else None,
            "in_thread": message.is_reply,
        }

    def _view(self, view: View) -> Json:
        return {"id": view.id, "hash": view.hash, "body": view.body, "errors": view.errors}

    def news(self) -> Iterator[str]:
        """A server-sent event after each change, and a heartbeat while there is none."""
        seen = -1
        while not self._stopping.is_set():
            with self._state.changed:
                if self._state.version == seen:
                    self._state.changed.wait(HEARTBEAT_S)
                changed, seen = self._state.version != seen, self._state.version
            yield f"retry: 1000\ndata: {seen}\n\n" if changed else ": still here\n\n"
            time.sleep(SETTLE_S)

    # What the user of a page does

    def act(self, kind: str, told: Json) -> Json:
        """Do what the page asks; {"error": …} tells it what went wrong, in Slack's words."""
        acts: dict[str, Callable[[Json], Json]] = {
            "command": self._command,
            "click": self._click,
            "submit": self._submit,
            "close": self._close,
            "home": self._home,
        }
        if kind not in acts:
            return {"error": "unknown act"}
        try:
            return acts[kind](told)
        except (LookupError, RuntimeError) as impossible:
            return {"error": str(impossible)}

    def _command(self, told: Json) -> Json:
        return _outcome(self._workspace.command(str(told["text"]), str(told["user"]), str(told["channel"])))

    def _click(self, told: Json) -> Json:
        answer = self._workspace.click(
            str(told["ts"]),
            str(told["action_id"]),
            str(told["user"]),
            str(told["channel"]),
            value=told.get("value"),
            block_id=told.get("block_id"),
            state_values=told.get("values"),
        )
        return _outcome(answer)

    def _submit(self, told: Json) -> Json:
        view = self._state.views[str(told["view"])]
        values = told.get("values") or {}
        if wrong := missing(view.blocks, report(view.blocks, values)):
            return {"errors": wrong}
        return _outcome(self._workspace.submit_view(view.id, values, str(told["user"])))

    def _close(self, told: Json) -> Json:
        self._workspace.close_view(str(told["view"]))
        return {}

    def _home(self, told: Json) -> Json:
        return _outcome(self._workspace.open_home(str(told["user"])))


def _outcome(answer: Answer) -> Json:
    return {"error": answer.error} if answer.error else {}


def asset(name: str) -> Response:
    """One of the page's own files, from the package."""
    content = (files("bot.workspace") / name).read_bytes()
    return Response(content, content_type=ASSETS[name], headers=HEADERS)


def local_only() -> Response | None:
    """Refuse what does not come from a page of ours on this machine."""
    if request.host.rsplit(":", 1)[0] not in LOOPBACK:
        return Response("this page is for this machine only", 403)
    if request.method == "POST" and request.mimetype != "application/json":
        return Response("JSON, please", 415)
    return None


def blueprint(workspace: Workspace, stopping: threading.Event) -> Blueprint:
    """The page's routes."""
    page = Blueprint("page", __name__)
    pages = Pages(workspace, stopping)

    page.before_request(local_only)

    @page.get("/")
    @page.get("/archives/<channel>/<message>")
    def show(channel: str = "", message: str = "") -> Response:  # noqa: ARG001  (the page reads its own address)
        return asset("page.html")

    @page.get("/assets/<name>")
    def serve(name: str) -> Response:
        return asset(name) if name in ASSETS else Response("not found", 404)

    @page.get("/page/state")
    def state() -> Response:
        told = request.args
        snapshot = pages.snapshot(told.get("user", ""), told.get("channel", ""), told.get("thread", ""))
        return answer_json(200, snapshot, {"Cache-Control": "no-store"})

    @page.get("/page/news")
    def news() -> Response:
        return Response(pages.news(), content_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @page.post("/page/<kind>")
    def act(kind: str) -> Response:
        told: Any = request.get_json(silent=True)
        return answer_json(200, pages.act(kind, told if isinstance(told, dict) else {}))

    @page.get("/files/<file_id>")
    def file(file_id: str) -> Response:
        found = workspace.state.files.get(file_id)
        kind = PICTURES.get(found.name.rsplit(".", 1)[-1].lower()) if found else None
        if found is None or not found.done or kind is None:
            return Response("not found", 404)
        return Response(found.content, content_type=kind, headers=HEADERS)

    return page
