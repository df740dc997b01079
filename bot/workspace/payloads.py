"""The bodies of what Slack sends to an app: slash commands, clicks, submissions and events."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

from bot.workspace.model import Channel, Json, Message, View
from bot.workspace.state import State, message_json, view_json
from bot.workspace.surfaces import Tickets

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# Slack still sends the old verification token; nothing may rely on it.
LEGACY_TOKEN = "legacy-verification-token"  # noqa: S105


class Payloads:
    """Builds request bodies as (bytes, content type), each with fresh trigger ids and response_urls."""

    def __init__(self, state: State, tickets: Tickets) -> None:
        self._state, self._tickets = state, tickets
        self.base = ""

    def command(self, command: str, text: str, user: str, channel: Channel) -> tuple[bytes, str]:
        """A slash command."""
        direct, private = channel.im_user is not None, channel.is_private
        form = {
            "token": LEGACY_TOKEN,
            "team_id": self._team(user),
            "team_domain": self._state.bot.team_domain,
            "channel_id": channel.id,
            "channel_name": "directmessage" if direct else "privategroup" if private else channel.name,
            "user_id": user,
            "user_name": self._name(user),
            "command": command,
            "text": text,
            "api_app_id": self._state.bot.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(self._tickets.reply(user, channel.id)),
            "trigger_id": self._tickets.trigger(user),
        }
        return urlencode(form).encode(), FORM

    def message_action(self, message: Message, action: Json, values: Json, user: str) -> tuple[bytes, str]:
        """A click in a message. Of an ephemeral message Slack sends the container only."""
        state = self._state
        channel = state.channels[message.channel]
        container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container["is_ephemeral"] = message.ephemeral_to is not None
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        body = self._interaction("block_actions", user) | {
            "container": container,
            "trigger_id": self._tickets.trigger(user),
            "channel": {"id": channel.id, "name": "directmessage" if channel.im_user else channel.name},
            "state": {"values": values},
            "response_url": self._response_url(self._tickets.reply(user, channel.id, message)),
            "actions": [action],
        }
        if message.ephemeral_to is None:
            body["message"] = message_json(state, message)
        return _form(body)

    def view_action(self, view: View, action: Json, values: Json, user: str) -> tuple[bytes, str]:
        """A click in a modal or the App Home."""
        shown = view_json(self._state, view) | {"state": {"values": values}}
        return _form(
            self._interaction("block_actions", user)
            | {
                "container": {"type": "view", "view_id": view.id},
                "trigger_id": self._tickets.trigger(user, view.id),
                "view": shown,
                "actions": [action],
            }
        )

    def submission(self, view: View, values: Json, user: str) -> tuple[bytes, str]:
        """A modal submitted."""
        shown = view_json(self._state, view) | {"state": {"values": values}}
        trigger = self._tickets.trigger(user, view.id)
        body = {"trigger_id": trigger, "view": shown, "response_urls": []}
        return _form(self._interaction("view_submission", user) | body)

    def closed(self, view: View, user: str, *, cleared: bool) -> tuple[bytes, str]:
        """A modal closed by its user."""
        body = {"view": view_json(self._state, view), "is_cleared": cleared}
        return _form(self._interaction("view_closed", user) | body)

    def event(self, event: Json, event_id: str) -> tuple[bytes, str]:
        """An Events API envelope around `event`."""
        bot = self._state.bot
        now = self._state.now()
        body = {
            "token": LEGACY_TOKEN,
            "team_id": bot.team_id,
            "context_team_id": bot.team_id,
            "api_app_id": bot.app_id,
            "event": {"event_ts": f"{now.timestamp():.6f}", **event},
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(now.timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": bot.team_id,
                    "user_id": bot.user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        return json.dumps(body).encode(), JSON

    def action(self, block: Json, element: Json, chosen: Json) -> Json:
        """The entry in `actions` for one click; `chosen` is what was picked or {}."""
        told: Json = {key: element[key] for key in ("type", "action_id", "text", "value", "style") if key in element}
        stamp = f"{time.time():.6f}"
        return {**told, **chosen, "block_id": block["block_id"], "action_ts": stamp}

    def _interaction(self, kind: str, user: str) -> Json:
        bot = self._state.bot
        name = self._name(user)
        return {
            "type": kind,
            "user": {"id": user, "username": name, "name": name, "team_id": self._team(user)},
            "api_app_id": bot.app_id,
            "token": LEGACY_TOKEN,
            "team": {"id": bot.team_id, "domain": bot.team_domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _response_url(self, token: str) -> str:
        return f"{self.base}/response/{token}"

    def _team(self, user: str) -> str:
        known = self._state.users.get(user)
        return known.team_id if known else self._state.bot.team_id

    def _name(self, user: str) -> str:
        known = self._state.users.get(user)
        return known.name.lower().replace(" ", ".") if known else user.lower()


def _form(body: Json) -> tuple[bytes, str]:
    """An interaction: JSON inside a form field, as Slack has it."""
    return urlencode({"payload": json.dumps(body)}).encode(), FORM
