"""Socket Mode: the same app over a WebSocket that we open, for networks that Slack cannot call into.

A half-dead socket can look connected. slack_sdk's built-in client pings every `PING_EVERY_S` and reconnects after
four times that without an answer, but not where the first answer never came, and not where it could not connect at
all: `keep_alive`, called every few seconds, does. How long Slack has been silent is exposed.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.outcomes import PASSING, UNREACHABLE, error_code

PING_EVERY_S = 5
SILENT_TOO_LONG = timedelta(seconds=60)

_log = structlog.get_logger(__name__)


class SocketMode:
    """One connection, up from `start` to `stop`."""

    def __init__(
        self,
        app: App,
        app_token: str,
        client: WebClient,
        *,
        ping_every_s: float = PING_EVERY_S,
        silent_too_long: timedelta = SILENT_TOO_LONG,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._client = client
        self._ping_every_s = ping_every_s
        self._silent_too_long = silent_too_long
        self._handler: SocketModeHandler | None = None
        self._heard = 0.0

    def start(self) -> None:
        """Connects and returns; requests are answered in threads of the client's own.

        SlackApiError where Slack refuses the token; where it cannot be reached, `keep_alive` goes on trying.
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
        except SlackApiError as refused:
            if error_code(refused) not in PASSING:
                self.stop()
                raise
            _log.warning("socket_not_connected", error=error_code(refused))
        except UNREACHABLE as error:
            _log.warning("socket_not_connected", error=type(error).__name__)

    def keep_alive(self) -> bool:
        """Connects anew where the connection is down or has been silent too long; whether it is up now."""
        handler, silent = self._handler, self.silent_for()
        if handler is None or silent is None:
            return False
        if self.connected and silent <= self._silent_too_long:
            return True
        _log.warning("socket_reconnects", connected=self.connected, silent_s=int(silent.total_seconds()))
        try:
            handler.client.connect_to_new_endpoint(force=True)
        except (SlackApiError, *UNREACHABLE) as error:
            _log.warning("socket_not_connected", error=type(error).__name__)
            return False
        self._heard = time.time()
        return self.connected

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
