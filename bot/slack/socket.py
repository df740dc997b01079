"""Socket Mode: the same app over a WebSocket that we open, for networks that Slack cannot call into.

A half-dead socket can look connected. slack_sdk's built-in client pings every `PING_EVERY_S` and reconnects after
four times that without an answer, but not where the first answer never came; so how long Slack has been silent is
exposed, and whoever owns this stops and starts it after a minute of that.
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
    """One connection, up from `start` to `stop`."""

    def __init__(self, app: App, app_token: str, client: WebClient, *, ping_every_s: float = PING_EVERY_S) -> None:
        self._app = app
        self._app_token = app_token
        self._client = client
        self._ping_every_s = ping_every_s
        self._handler: SocketModeHandler | None = None
        self._heard = 0.0

    def start(self) -> None:
        """Connects and returns; requests are answered in threads of the client's own.

        SlackApiError where Slack refuses the token, one of `outcomes.UNREACHABLE` where it cannot be reached; then it
        is stopped, and may be started again.
        """
        logger = logging.getLogger("bot.slack.socket")
        logger.setLevel(logging.WARNING)
        self._handler = SocketModeHandler(
            self._app,
            self._app_token,
            logger=logger,
            web_client=self._client,
            ping_interval=self._ping_every_s,
        )
        self._heard = time.time()
        try:
            self._handler.client.connect()
        except BaseException:  # whatever it is, its threads are stopped before it goes on
            self.stop()
            raise

    def stop(self) -> None:
        """Answers what is being answered, then hangs up. May be called without `start`."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.client.close()

    @property
    def connected(self) -> bool:
        return self._handler is not None and bool(self._handler.client.is_connected())

    def silent_for(self) -> timedelta | None:
        """How long ago Slack last answered a ping, or the connection was made (None: not started)."""
        handler = self._handler
        if handler is None:
            return None
        session = handler.client.current_session
        answered = session.last_ping_pong_time if session is not None else None
        self._heard = max(self._heard, answered or 0.0)
        return timedelta(seconds=max(time.time() - self._heard, 0.0))
