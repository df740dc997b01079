"""What people ask of the bot in Slack: a command typed, a button pressed, a dialog submitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.audit import What
from bot.domain.roles import Role
from bot.slack.text import unescape

Json = Mapping[str, Any]

LONGEST_NAME = 500
"""Characters of an id, an address or a name: Slack's own are far shorter, and a dialog carries some of them along."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came. `command` is what an answer calls it, `text` what was said with it.

    That is everything after a command's word, or what a button or choice carries. A dialog's `channel_id` is where it
    was opened, None where that is not known; `view_id` and `values` are its. `in_list`: it comes from an answer that
    may be replaced by a newer one. `carried` is what its dialog was given to bring back. `how` is what the audit log
    calls it: asked (a command), clicked, submitted. `needs` is the role that it takes.
    """

    command: str
    text: str
    user_id: str
    team_id: str
    channel_id: str | None
    response_url: str
    trigger_id: str
    user_name: str = ""
    view_id: str = ""
    in_list: bool = False
    values: Json = field(default_factory=dict)
    carried: Json = field(default_factory=dict)
    how: What = What.ASKED
    needs: Role = Role.VIEWER

    @classmethod
    def typed(cls, command: Json) -> Asked:
        """A slash command."""
        names = ("user_id", "team_id", "channel_id", "response_url", "trigger_id")
        said: list[Any] = [_name(command, name) for name in names]
        made = cls(_name(command, "command"), _text(command, "text"), *said)
        return replace(made, user_name=_name(command, "user_name"))

    @classmethod
    def pressed(cls, body: Json, label: str) -> Asked:
        """A button or a menu in a message: the first action is what was pressed, as Slack sends one at a time."""
        actions = body.get("actions")
        action = _part({"action": actions[0]}, "action") if isinstance(actions, list) and actions else {}
        chosen = _part(action, "selected_option") or action
        channel = _name(_part(body, "channel"), "id") or _name(_part(body, "container"), "channel_id")
        told = (*_who(body), channel, _name(body, "response_url"), *_rest(body))
        in_list = _part(body, "container").get("is_ephemeral") is True
        return cls(label, _text(chosen, "value"), *told, in_list=in_list, how=What.CLICKED)

    @classmethod
    def submitted(cls, body: Json, label: str) -> Asked:
        """A dialog. Slack gives it neither channel nor response_url: both are those of where it was opened; see
        `origin`."""
        view = _part(body, "view")
        origin = _read(_text(view, "private_metadata"))
        return cls(
            label,
            "",
            *_who(body),
            _name(origin, "channel") or None,
            _name(origin, "response_url"),
            *_rest(body),
            view_id=_name(view, "id"),
            in_list=origin.get("in_list") is True,
            values=_part(_part(view, "state"), "values"),
            carried=_part(origin, "carried"),
            how=What.SUBMITTED,
        )

    @property
    def as_said(self) -> str:
        """A command with its text, as typed; the label of a button or a dialog."""
        return f"{self.command} {unescape(self.text)}".strip() if self.how is What.ASKED else self.command

    @property
    def origin(self) -> str:
        """What a dialog that is opened for this carries as its `private_metadata`."""
        return self.carrying()

    def carrying(self, **what: Any) -> str:
        """The same, with `what` to bring back (strings, numbers, and mappings of them)."""
        told = {"response_url": self.response_url, "channel": self.channel_id, "in_list": self.in_list}
        return json.dumps(told | ({"carried": what} if what else {}), ensure_ascii=False)

    def value(self, block_id: str) -> Json:
        """What the one field of an input block holds, as Slack reports it."""
        return next((one for one in _part(self.values, block_id).values() if isinstance(one, Mapping)), {})


def _who(body: Json) -> tuple[str, str]:
    """Who, and of which workspace: of somebody from elsewhere Slack says so with the user."""
    user = _part(body, "user")
    return _name(user, "id"), _name(user, "team_id") or _name(_part(body, "team"), "id")


def _rest(body: Json) -> tuple[str, str]:
    user = _part(body, "user")
    return _name(body, "trigger_id"), _name(user, "name") or _name(user, "username")


def _part(of: Json, name: str) -> Json:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(of: Json, name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


def _name(of: Json, name: str) -> str:
    """A text that is short; a longer one is nobody's and nothing's."""
    found = _text(of, name)
    return found if len(found) <= LONGEST_NAME else ""


def _read(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
