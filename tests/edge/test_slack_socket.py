"""Socket Mode over a loopback WebSocket: the same answers, and a silence that shows."""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import socket as socketlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, jsonify
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from bot.slack.socket import SocketMode
from bot.store.store import Store

from .test_slack_bench import Bench, bench, served


class Loopback:
    """Slack's end of Socket Mode: opens connections, sends envelopes, keeps the answers by envelope id."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.opened = 0
        self.server: Server = serve(self._talk, "127.0.0.1", 0)
        self.port = self.server.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def _talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        try:
            for message in connection:
                self.heard.put(json.loads(message))
        except ConnectionClosed:
            return

    def web_api(self) -> Flask:
        flask = Flask("slack")

        @flask.post("/api/apps.connections.open")
        def open_connection() -> Any:
            self.opened += 1
            return jsonify(ok=True, url=f"ws://127.0.0.1:{self.port}/link")

        return flask

    def send(self, envelope_id: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One slash command in an envelope; the answer to it."""
        envelope = {"type": "slash_commands", "envelope_id": envelope_id, "payload": payload} | more
        self.connections[-1].send(json.dumps({"accepts_response_payload": True} | envelope))
        while True:
            answer = self.heard.get(timeout=6)
            if answer["envelope_id"] == envelope_id:
                return answer

    def ask(self, trigger: str) -> dict[str, Any]:
        """As `send`, again on the newest connection where the one before went away, as Slack does.

        slack_sdk's client reads a new connection up to 3 s after the one before it: the receive time-out of that.
        """
        for attempt in range(6):
            try:
                return self.send(f"{trigger}-{attempt}", command(trigger))
            except (ConnectionClosed, queue.Empty):
                time.sleep(0.5)
        raise AssertionError("nobody answers")

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        yield made


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.stop()


def command(trigger: str, text: str = "") -> dict[str, Any]:
    return {
        "command": "/ltv",
        "text": text,
        "user_id": "U1",
        "team_id": "T0LOCAL",
        "channel_id": "C1",
        "trigger_id": trigger,
        "response_url": "http://127.0.0.1:9/nowhere",
    }


def test_it_answers_over_the_socket_once_and_says_when_it_was_last_heard(bot: Bench, loopback: Loopback) -> None:
    with served(loopback.web_api()) as port:
        client = WebClient("xoxb-test", base_url=f"http://127.0.0.1:{port}/api/", timeout=5)
        socket = SocketMode(bot.app, "xapp-test", client, ping_every_s=0.1)
        assert socket.silent_for() is None
        assert not socket.connected
        socket.start()
        try:
            wait_for(lambda: loopback.connections and socket.connected)
            first = loopback.send("e1", command("t1"))
            assert first["payload"]["text"].startswith("LTV at $68,500.00")
            assert first["payload"]["response_type"] == "ephemeral"
            bot.quiet()
            bot.price(50_000, age=1)
            again = loopback.send("e2", command("t1"), retry_attempt=1, retry_reason="timeout")
            assert again["payload"] == first["payload"]
            assert "“banana” is not a price" in loopback.send("e3", command("t2", "at banana"))["payload"]["text"]
            time.sleep(0.5)
            silent = socket.silent_for()
            assert silent is not None
            assert silent.total_seconds() < 2
        finally:
            socket.stop()
        assert not socket.connected
        assert socket.silent_for() is None
        socket.stop()


def test_it_comes_back_when_slack_asks_it_to_reconnect_or_hangs_up(bot: Bench, loopback: Loopback) -> None:
    with served(loopback.web_api()) as port:
        client = WebClient("xoxb-test", base_url=f"http://127.0.0.1:{port}/api/", timeout=5)
        socket = SocketMode(bot.app, "xapp-test", client, ping_every_s=1)
        socket.start()
        try:
            wait_for(lambda: loopback.connections)
            loopback.connections[-1].send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
            wait_for(lambda: len(loopback.connections) >= 2 and socket.connected)
            assert loopback.ask("t1")["payload"]["text"].startswith("LTV at")
            before = len(loopback.connections)
            loopback.connections[-1].close()
            wait_for(lambda: len(loopback.connections) > before and socket.connected)
            assert loopback.ask("t2")["payload"]["text"].startswith("LTV at")
        finally:
            socket.stop()


class Mute:
    """Takes a WebSocket's handshake and never says a word again."""

    def __init__(self) -> None:
        self.listening = socketlib.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.taken: list[socketlib.socket] = []
        self.thread = threading.Thread(target=self._take)
        self.thread.start()

    def _take(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            key = connection.recv(4096).split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
            made = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324  (RFC 6455)
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            connection.sendall(head + b"Sec-WebSocket-Accept: " + base64.b64encode(made) + b"\r\n\r\n")
            self.taken.append(connection)

    def stop(self) -> None:
        self.listening.shutdown(socketlib.SHUT_RDWR)
        self.listening.close()
        self.thread.join()
        for connection in self.taken:
            connection.close()


def test_a_connection_that_looks_alive_and_says_nothing_shows_its_silence(bot: Bench, loopback: Loopback) -> None:
    mute, right = Mute(), loopback.port
    loopback.port = mute.port
    with served(loopback.web_api()) as port:
        client = WebClient("xoxb-test", base_url=f"http://127.0.0.1:{port}/api/", timeout=5)
        socket = SocketMode(bot.app, "xapp-test", client, ping_every_s=60)
        socket.start()
        try:
            assert socket.connected
            assert len(mute.taken) == 1
            time.sleep(0.6)
            silent = socket.silent_for()
            assert silent is not None
            assert timedelta(seconds=0.5) < silent < timedelta(seconds=30)
            loopback.port = right
            socket.stop()
            socket.start()
            wait_for(lambda: loopback.connections)
            assert loopback.ask("t1")["payload"]["text"].startswith("LTV at")
        finally:
            socket.stop()
            mute.stop()


def test_a_start_while_slack_cannot_be_reached_says_so_and_may_be_tried_again(bot: Bench, loopback: Loopback) -> None:
    client = WebClient("xoxb-test", base_url="http://127.0.0.1:9/api/", timeout=1)
    socket = SocketMode(bot.app, "xapp-test", client)
    with pytest.raises(OSError, match="refused"):
        socket.start()
    assert socket.silent_for() is None
    with served(loopback.web_api()) as port:
        client.base_url = f"http://127.0.0.1:{port}/api/"
        socket.start()
        try:
            wait_for(lambda: loopback.connections)
            assert loopback.ask("t1")["payload"]["text"].startswith("LTV at")
        finally:
            socket.stop()


def test_a_token_that_slack_refuses_ends_the_start(bot: Bench) -> None:
    flask = Flask("slack")
    flask.add_url_rule(
        "/api/apps.connections.open", "open", lambda: jsonify(ok=False, error="invalid_auth"), methods=["POST"]
    )
    with served(flask) as port:
        client = WebClient("xoxb-test", base_url=f"http://127.0.0.1:{port}/api/", timeout=1)
        socket = SocketMode(bot.app, "xapp-wrong", client)
        with pytest.raises(SlackApiError, match="invalid_auth"):
            socket.start()
        assert socket.silent_for() is None


def wait_for(so: Any, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until
        time.sleep(0.05)
