"""The workspace in memory: who and what exists, what was said, and one lock around all of it."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.workspace.model import (
    Call,
    Channel,
    Due,
    File,
    Identity,
    Json,
    Message,
    Messages,
    Response,
    User,
    Version,
    View,
    ts_key,
)

Clock = Callable[[], datetime]


class State:
    """Everything a workspace remembers. Every method takes the lock itself; `version` rises with each change."""

    def __init__(self, clock: Clock, bot: Identity) -> None:
        self.clock = clock
        self.bot = bot
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, list[str]] = {}
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.calls: list[Call] = []
        self.responses: list[Response] = []
        self._posts: dict[str, list[Message]] = {}
        self._by_ts: dict[tuple[str, str], Message] = {}
        self._last_ts = (0, 0)
        self._ids = itertools.count(1)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, and tell every waiting page afterwards that something is different."""
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()

    def now(self) -> datetime:
        """The workspace's clock. Raises ValueError if it gives a naive datetime."""
        now = self.clock()
        if now.tzinfo is None:
            raise ValueError("the workspace's clock must return aware datetimes")
        return now

    def new_id(self, prefix: str) -> str:
        """An id that looks like Slack's, never given twice."""
        return f"{prefix}{next(self._ids):08d}"

    def new_ts(self) -> str:
        """The next message `ts`: the clock in microseconds, or just above the last where that stands or goes back."""
        with self.lock:
            now = self.now()
            wanted = (int(now.timestamp()), now.microsecond)
            after_last = divmod(self._last_ts[0] * 1_000_000 + self._last_ts[1] + 100, 1_000_000)
            self._last_ts = wanted if wanted > self._last_ts else after_last
            return f"{self._last_ts[0]}.{self._last_ts[1]:06d}"

    @property
    def file_ids(self) -> list[str]:
        """Files that are there in full, and so may be shown in a block."""
        with self.lock:
            return [file.id for file in self.files.values() if file.done]

    # People and channels

    def find_channel(self, name: str) -> Channel | None:
        """A channel by id, name or "#name"."""
        with self.lock:
            if name in self.channels:
                return self.channels[name]
            bare = name.removeprefix("#")
            return next((c for c in self.channels.values() if c.name == bare and c.im_user is None), None)

    def direct_channel(self, user_id: str) -> Channel:
        """The direct messages between the bot and a user, made on first use."""
        with self.change():
            channel_id = f"D{user_id}"
            return self.channels.setdefault(
                channel_id, Channel(channel_id, self.users[user_id].name, is_private=True, im_user=user_id)
            )

    def members(self, channel: Channel) -> list[str]:
        """Ids of who is in a channel: everyone (the bot only where it was invited), or the two of a direct one."""
        with self.lock:
            if channel.im_user:
                return [channel.im_user, self.bot.user_id]
            return [u for u in self.users if u != self.bot.user_id or channel.bot_is_member]

    # Messages

    def add_message(self, message: Message) -> Message:
        """Put a message where it belongs: a channel, a thread, or one person's eyes."""
        with self.change():
            message.posted = self.due_in(0)
            self._posts.setdefault(message.channel, []).append(message)
            self._by_ts[message.channel, message.ts] = message
            parent = self._by_ts.get((message.channel, message.thread_ts or ""))
            if parent is not None and message.ephemeral_to is None:
                parent.replies = [*parent.replies, message]
            return message

    def message(self, channel_id: str, ts: str) -> Message | None:
        """A message by its `ts`, replies and ephemeral ones included, deleted ones not."""
        with self.lock:
            found = self._by_ts.get((channel_id, ts))
            return found if found and not found.deleted else None

    def edit_message(self, message: Message, text: str, blocks: list[Json], metadata: Json | None) -> None:
        """Replace what a message says; the earlier version is kept in `edits`."""
        with self.change():
            message.edits = [*message.edits, Version(message.text, message.blocks, message.metadata, self.now())]
            message.text, message.blocks, message.metadata = text, blocks, metadata
            message.edited_ts = self.new_ts()

    def delete_message(self, message: Message) -> None:
        """Take a message away: from its thread too."""
        with self.change():
            message.deleted = True
            parent = self._by_ts.get((message.channel, message.thread_ts or ""))
            if parent is not None:
                parent.replies = [reply for reply in parent.replies if reply is not message]

    def posts(self, channel_id: str) -> list[Message]:
        """Every message ever put in a channel, in order of arrival."""
        with self.lock:
            return list(self._posts.get(channel_id, []))

    def top_level(self, channel_id: str, viewer: str | None = None) -> Messages:
        """What is seen in a channel: no replies, no deleted messages, nothing that only others than `viewer` see."""
        posts = self.posts(channel_id)
        seen = [m for m in posts if (not m.is_reply or m.broadcast) and is_seen(m, viewer)]
        return Messages(sorted(seen, key=lambda m: ts_key(m.ts)), posts)

    def history(self, channel_id: str, lag: float = 0) -> list[Message]:
        """What `conversations.history` knows, newest first: top level only, without what still lags behind."""
        return [m for m in reversed(self.top_level(channel_id)) if self.has_appeared(m, lag)]

    def has_appeared(self, message: Message, lag: float = 0) -> bool:
        """Whether history shows a message already, given its own lag and that of the whole method."""
        now = self.now()
        if message.shown is not None and not message.shown.reached(now):
            return False
        return lag <= 0 or message.posted is None or message.posted.plus(lag).reached(now)

    # Modals and App Home

    def add_view(self, view: View) -> View:
        """Show a modal, or a user's App Home."""
        with self.change():
            self.views[view.id] = view
            return view

    def replace_view(self, view: View, body: Json) -> None:
        """Show something else in the same modal."""
        with self.change():
            view.body, view.hash, view.errors = body, f"{time.time_ns()}.{secrets.token_hex(4)}", {}

    def open_modal(self, user_id: str) -> View | None:
        """The modal on top of a user's stack."""
        with self.lock:
            return next((v for v in reversed(self.modals(user_id)) if v.status == "open"), None)

    def modals(self, user_id: str) -> list[View]:
        """Every modal a user was ever shown, oldest first."""
        with self.lock:
            return [v for v in self.views.values() if v.kind == "modal" and v.user == user_id]

    def home(self, user_id: str) -> View | None:
        """A user's App Home as last published."""
        with self.lock:
            return next((v for v in self.views.values() if v.kind == "home" and v.user == user_id), None)

    # The record

    def note_call(self, method: str, args: Json, outcome: str, *, taken: bool) -> None:
        """Remember a request to the Web API."""
        with self.lock:
            self.calls.append(Call(method, args, self.now(), time.monotonic(), outcome, taken))

    def note_response(self, user: str, channel: str, payload: Json, outcome: str) -> None:
        """Remember what came to a response_url."""
        with self.lock:
            self.responses.append(Response(user, channel, payload, self.now(), outcome))

    def due_in(self, seconds: float) -> Due:
        """The instant `seconds` from now."""
        return Due.after(seconds, self.now())


def is_seen(message: Message, viewer: str | None) -> bool:
    """Whether a message is there for `viewer` (None: for everyone)."""
    return not message.deleted and message.ephemeral_to in {None, viewer}


def view_json(state: State, view: View) -> Json:
    """A view as Slack returns it and puts it in payloads."""
    home: dict[str, Any] = {"title": {"type": "plain_text", "text": "View Title"}, "close": None, "submit": None}
    return {
        **(home if view.kind == "home" else {"close": None, "submit": None}),
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        **view.body,
        "id": view.id,
        "team_id": state.bot.team_id,
        "type": view.kind,
        "state": {"values": {}},
        "hash": view.hash,
        "previous_view_id": view.previous,
        "root_view_id": view.root or view.id,
        "app_id": state.bot.app_id,
        "app_installed_team_id": state.bot.team_id,
        "bot_id": state.bot.bot_id,
    }


def message_json(state: State, message: Message, *, metadata: bool = True, thread: bool = True) -> Json:
    """A message as the Web API and payloads show it. Only posts of the bot carry a bot_id."""
    body: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    body["team"] = state.bot.team_id
    if message.user == state.bot.user_id:
        body |= {"bot_id": state.bot.bot_id, "app_id": state.bot.app_id}
        body["bot_profile"] = {"id": state.bot.bot_id, "app_id": state.bot.app_id, "name": state.bot.bot_name}
    if message.blocks:
        body["blocks"] = message.blocks
    if message.edited_ts:
        body["edited"] = {"user": message.user, "ts": message.edited_ts}
    if metadata and message.metadata:
        body["metadata"] = message.metadata
    if thread and message.thread_ts:
        body |= {"thread_ts": message.thread_ts, "parent_user_id": state.bot.user_id}
        body |= {"subtype": "thread_broadcast"} if message.broadcast else {}
    elif thread and (replies := [m for m in message.replies if state.has_appeared(m)]):
        body |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len({m.user for m in replies}),
            "reply_users": sorted({m.user for m in replies}),
            "latest_reply": replies[-1].ts,
        }
    return body
