"""What Slack says of people and places, over its Web API. Never called before an acknowledgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.services.directory import LookUpFailedError
from bot.slack.outcomes import PASSING, UNREACHABLE, error_code, retry_after


class SlackDirectory:
    """Implements `bot.services.directory.Directory`."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def home(self) -> str:
        return str(_asked(self._client.auth_test)["team_id"])

    def user(self, user_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _asked(lambda: self._client.users_info(user=user_id))["user"]
        return found

    def channel(self, channel_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _asked(lambda: self._client.conversations_info(channel=channel_id))["channel"]
        return found

    def group(self, group_id: str) -> list[str]:
        answer = _asked(lambda: self._client.usergroups_users_list(usergroup=group_id))
        return [str(one) for one in answer["users"]]


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except SlackApiError as error:
        code = error_code(error)
        raise LookUpFailedError(code, passing=code in PASSING, retry_after=retry_after(error)) from error
    except UNREACHABLE as error:
        raise LookUpFailedError("Slack cannot be reached") from error
