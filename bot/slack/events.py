"""Events that make what is known of people, channels and user groups out of date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_bolt import App

from bot.services.access import Access
from bot.services.directory import LookUpFailedError
from bot.slack.requests import Later

USER_EVENTS = ("user_change", "team_join", "user_profile_changed")
CHANNEL_EVENTS = (
    "channel_shared",
    "channel_unshared",
    "channel_rename",
    "channel_archive",
    "channel_unarchive",
    "channel_deleted",
    "channel_left",
    "group_left",
    "group_rename",
    "group_archive",
    "group_unarchive",
    "group_deleted",
    "shared_channel_invite_accepted",
    "shared_channel_invite_approved",
)
GROUP_EVENTS = ("subteam_members_changed", "subteam_updated")
"""The second comes where a group is disabled or enabled, too."""

_log = structlog.get_logger(__name__)


def register(app: App, access: Access, run_later: Later) -> None:
    """What was known is forgotten and asked again, after the acknowledgement."""

    def changed(event: Mapping[str, Any]) -> None:
        kind, channel, user = str(event.get("type")), _id(event.get("channel")), _id(event.get("user"))
        if kind in GROUP_EVENTS:
            group = _id(event.get("subteam_id") or event.get("subteam"))
            run_later(lambda: _tried(access.group_changed, group, kind))
        elif kind in USER_EVENTS and user:
            run_later(lambda: _tried(access.user_changed, user, kind))
        elif channel:
            run_later(lambda: _tried(access.channel_changed, channel, kind))

    for name in (*USER_EVENTS, *CHANNEL_EVENTS, *GROUP_EVENTS):
        app.event(name)(changed)


def _id(thing: Any) -> str:
    """An event names a user or channel by id, or gives the whole of it."""
    return str(thing.get("id") or "") if isinstance(thing, Mapping) else str(thing or "")


def _tried(ask: Callable[[str], None], one: str, kind: str) -> None:
    try:
        ask(one)
    except LookUpFailedError as failed:  # it stays unknown, and whoever asks next is looked up then
        _log.warning("refresh_failed", event_type=kind, id=one, code=failed.code)
