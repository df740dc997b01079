"""The workspace as one object: a Slack that lives on 127.0.0.1, for the demo and for tests."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from bot.workspace import api, browser
from bot.workspace.client import SlackClient
from bot.workspace.faults import Chooser, Fault, Faults, LateArrivals, Limiter
from bot.workspace.model import Calls, Channel, Identity, Message, Messages, Response, User, View, ts_key
from bot.workspace.state import State
from bot.workspace.surfaces import Tickets

HOST = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Handler(WSGIRequestHandler):
    """Answers one connection, quietly; a LineCutError becomes a real TCP reset."""

    protocol_version = "HTTP/1.1"

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:  # noqa: ARG002
        self.close_connection = True
        if isinstance(error, api.LineCutError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: every call is in `Workspace.calls`."""


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that stopping really ends them."""

    def __init__(self, port: int, app: Flask) -> None:
        # werkzeug exits the process when a port is taken; binding ourselves gives the caller the OSError.
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((HOST, port))
            listening.listen(128)
            super().__init__(HOST, port, app, _Handler, fd=listening.fileno())
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(RESET_ON_CLOSE))
        if linger == RESET_ON_CLOSE:
            request.close()  # without the polite shutdown first: the peer sees a reset, as from a dead proxy
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away in the middle of a request is nobody's error here."""

    def hang_up(self) -> None:
        """End every open connection."""
        with self._guard:
            for request in self._open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it went first


class Workspace(SlackClient):
    """A strict Slack for one bot. See the package's docstring for what it does and how to use it.

    `clock` gives aware datetimes and may jump forward; message times follow it. Rate limits, trigger ids and
    response_urls run on the real clock: they are about real traffic and real people.
    `posts_per_second` and `burst` apply per channel, `updates_per_minute` to chat.update; None: no limit.
    """

    def __init__(  # noqa: PLR0913  (every part of it may be set, by name)
        self,
        signing_secret: str,
        bot_token: str,
        clock: Callable[[], datetime] | None = None,
        note: str = "",
        *,
        posts_per_second: float | None = 1.0,
        burst: int = 5,
        updates_per_minute: float | None = 50,
        trigger_seconds: float = 3.0,
        response_url_seconds: float = 1800.0,
        bot_name: str = "Plimsoll",
        team_name: str = "Plimsoll demo",
    ) -> None:
        self.bot = Identity(bot_name=bot_name)
        self.note, self.team_name = note, team_name
        self.commands: dict[str, str] = {}
        super().__init__(
            State(clock or (lambda: datetime.now(UTC)), self.bot),
            Tickets(trigger_seconds, response_url_seconds),
            signing_secret,
        )
        self.faults = Faults()
        self._late = LateArrivals(self.state)
        posts = Limiter(posts_per_second, burst)
        updates = Limiter(None if updates_per_minute is None else updates_per_minute / 60, int(updates_per_minute or 1))
        self._gate = api.Gate(self.state, self._tickets, self.faults, self._late, posts, updates, bot_token)
        self._server: _Server | None = None
        self._stopping = threading.Event()
        self.add_user(self.bot.user_id, name=bot_name, is_bot=True)

    # Who and what there is

    def add_user(
        self,
        user_id: str,
        name: str,
        *,
        is_restricted: bool = False,
        is_ultra_restricted: bool = False,
        is_stranger: bool = False,
        team_id: str | None = None,
        is_bot: bool = False,
        deleted: bool = False,
    ) -> User:
        """Someone in the workspace. A stranger belongs to another organisation, by default "T0OTHER"; whoever is
        `deleted` has a deactivated account."""
        team = team_id or ("T0OTHER" if is_stranger else self.bot.team_id)
        user = User(user_id, name, team, is_restricted, is_ultra_restricted, is_stranger, is_bot, deleted)
        with self.state.change():
            self.state.users[user_id] = user
        return user

    def add_channel(
        self,
        channel_id: str,
        name: str,
        *,
        is_ext_shared: bool = False,
        is_archived: bool = False,
        bot_is_member: bool = True,
        is_private: bool = False,
        is_pending_ext_shared: bool = False,
    ) -> Channel:
        """A channel with everyone in it. Adding one again changes it."""
        channel = Channel(channel_id, name, is_ext_shared, is_archived, bot_is_member, is_private)
        channel.is_pending_ext_shared = is_pending_ext_shared
        with self.state.change():
            self.state.channels[channel_id] = channel
        return channel

    def add_usergroup(self, group_id: str, users: list[str]) -> None:
        """A user group."""
        with self.state.change():
            self.state.usergroups[group_id] = list(users)

    def post_as(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Something a person writes."""
        place = self._channel(channel)
        return self.state.add_message(Message(self.state.new_ts(), place.id, user, text, [], thread_ts=thread_ts))

    # Running

    def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 picks a free one. Raises OSError if the port is taken."""
        if self._server is not None:
            raise RuntimeError("the workspace is running already")
        self._stopping.clear()
        app = Flask("bot.workspace", static_folder=None)
        app.config["PROPAGATE_EXCEPTIONS"] = True  # a LineCutError must reach the server
        app.register_blueprint(api.blueprint(self._gate))
        app.register_blueprint(browser.blueprint(self, self._stopping))
        self._server = _Server(port, app)
        self._gate.base = self._payloads.base = self.url
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="workspace", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and cut every connection. What was said stays readable; `start` may be called again."""
        if self._server is None:
            return
        server, self._server = self._server, None
        self._stopping.set()
        with self.state.change():
            pass  # wakes the pages that wait for news
        self._late.cancel()
        server.shutdown()
        server.hang_up()

    def __enter__(self) -> Workspace:
        if self._server is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("start() the workspace first")
        return self._server.port

    @property
    def url(self) -> str:
        """Address of the page, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """`base_url` for a WebClient."""
        return f"{self.url}/api/"

    # Faults

    def on(self, method: str, *faults: Fault, times: int | None = None) -> None:
        """Let the next `times` calls of a method ("*": any; "response_url") meet these faults; None: until cleared.

        Faults other than delays and lags that are armed on one method are met one after another, in order.
        """
        for fault in faults:
            self.faults.arm(method, fault, times)

    def clear_faults(self, method: str | None = None) -> None:
        """Let one method, or everything, work again. Does not end `offline`."""
        self.faults.clear(method)

    def choose_faults(self, chooser: Chooser | None) -> None:
        """Ask `chooser` at every call what else it meets; None: no longer."""
        self.faults.chooser = chooser

    def offline(self) -> None:
        """Refuse every API call at connection level."""
        self.faults.is_offline = True

    def online(self) -> None:
        """End `offline`."""
        self.faults.is_offline = False

    # What happened

    def channel(self, name: str, user: str | None = None) -> Messages:
        """What all see at the top level of a channel (id or name), oldest first; with `user`, what that one sees.

        `.all_posts` has everything in order of arrival: replies, ephemeral and deleted messages too.
        """
        self._late.run_due()
        return self.state.top_level(self._channel(name).id, user)

    def direct(self, user: str) -> Messages:
        """The direct messages between the bot and a user."""
        self._late.run_due()
        return self.state.top_level(f"D{user}", user)

    @property
    def all_posts(self) -> list[Message]:
        """Every message of every channel, by `ts`."""
        self._late.run_due()
        posts = [m for channel in list(self.state.channels) for m in self.state.posts(channel)]
        return sorted(posts, key=lambda m: ts_key(m.ts))

    def message(self, ts: str, channel: str = "C1") -> Message:
        """One message, as it is now. Raises LookupError."""
        found = self.state.message(self._channel(channel).id, ts)
        if found is None:
            raise LookupError(f"no message {ts} in {channel}")
        return found

    def ephemerals(self, user: str, channel: str | None = None) -> list[Message]:
        """What only one user was shown, oldest first, answers to commands included."""
        place = self._channel(channel).id if channel else None
        return [m for m in self.all_posts if m.ephemeral_to == user and not m.deleted and place in {None, m.channel}]

    @property
    def views(self) -> list[View]:
        """Every modal ever opened, oldest first; `status` says which still is."""
        with self.state.lock:
            return [view for view in self.state.views.values() if view.kind == "modal"]

    def home(self, user: str = "U1") -> View | None:
        """A user's App Home as last published."""
        return self.state.home(user)

    @property
    def calls(self) -> Calls:
        """Requests to the Web API so far: `calls["chat.postMessage"]` counts, `calls.of(…)` lists."""
        with self.state.lock:
            return Calls(self.state.calls)

    def clear_calls(self) -> None:
        """Start the record of calls and responses afresh."""
        with self.state.lock:
            self.state.calls.clear()
            self.state.responses.clear()

    @property
    def responses(self) -> list[Response]:
        """What came to response_urls so far."""
        with self.state.lock:
            return list(self.state.responses)
