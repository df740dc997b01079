"""Opens dialogs: after the acknowledgement, within the 3 s that Slack waits for one."""

from __future__ import annotations

from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.asked import Asked
from bot.slack.desk import Desk, respond
from bot.slack.limits import outgoing
from bot.slack.outcomes import UNREACHABLE, error_code
from bot.slack.views import notes

_log = structlog.get_logger(__name__)


class Dialogs:
    """Opens them for `desk`, through `client`."""

    def __init__(self, client: WebClient, desk: Desk) -> None:
        self._client = client
        self._desk = desk

    def open(self, asked: Asked, view: dict[str, Any]) -> None:
        """Opens `view` for who asked; where Slack does not, they are told so."""
        checked = outgoing(view, strict=self._desk.strict, surface="modal")
        self._desk.run_later(lambda: self._open(asked, checked))

    def _open(self, asked: Asked, view: dict[str, Any]) -> None:
        try:
            self._client.views_open(trigger_id=asked.trigger_id, view=view)
        except SlackApiError as error:
            code = error_code(error)
        except UNREACHABLE:
            code = "Slack cannot be reached"
        else:
            return
        _log.warning("dialog_not_opened", command=asked.command, user=asked.user_id, code=code)
        respond(asked.response_url, self._desk.ephemeral(notes.not_opened(asked.command, code)))
