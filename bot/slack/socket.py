"""Socket Mode: the same app over a WebSocket that we open, for networks that Slack cannot call into.

A half-dead socket can look connected, so the age of its last sign of life is exposed. slack_sdk's built-in client
pings every `PING_EVERY_S`, reconnects after four times that without an answer, and says when it was last answered.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient

PING_EVERY_S = 5


class SocketMode:
    """One connection, up until it is stopped. `start` raises SlackApiError where Slack refuses the token."""

    def __init__(self, app: App, app_token: str, client: WebClient, *, ping_every_s: float = PING_EVERY_S) -> None:
        self._app = app
        self._app_token = app_token
        self._client = client
        self._ping_every_s = ping_every_s
        self._handler: SocketModeHandler | None = None
        self._started: float | None = None

    def start(self) -> None:
        """Connects and returns; requests are answered in threads of the client's own."""
        logger = logging.getLogger("bot.slack.socket")
        logger.setLevel(logging.WARNING)
        self._handler = SocketModeHandler(
            self._app,
            self._app_token,
            logger=logger,
            web_client=self._client,
            ping_interval=self._ping_every_s,
        )
        self._started = time.time()
        self._handler.client.connect()

    def stop(self) -> None:
        """Answers what is being answered, then hangs up. May be called without `start`."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.client.close()

    @property
    def connected(self) -> bool:
        return self._handler is not None and bool(self._handler.client.is_connected())

    def silent_for(self) -> timedelta | None:
        """How long ago Slack last answered a ping (None: not started). A minute is a dead connection."""
        handler = self._handler
        if handler is None or self._started is None:
            return None
        session = handler.client.current_session
        last = session.last_ping_pong_time if session is not None else None
        return timedelta(seconds=max(time.time() - max(last or 0.0, self._started if last is None else 0.0), 0.0))
