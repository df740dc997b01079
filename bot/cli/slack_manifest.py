"""The Slack app's manifest: its commands, what it may do, and where its requests go."""

from __future__ import annotations

from typing import Any

COMMANDS = (
    ("alerts", "What is open, in whose hands, and what is silenced", "[silence]"),
    ("digest", "This week: what changed, what comes, what to do", "[last]"),
    ("holdings", "Coins, cash and debt", None),
    ("ltv", "Every loan against its lines", "[facility] [at 55000 | -20%]"),
    ("production", "Coins mined and sold, by month and by site", "[2026-01 | ytd | sites]"),
    ("record", "Movements, statements, notices, new terms, waivers", "[sold | notice | amendment | waiver … | claims]"),
    (
        "sales",
        "What to sell so that no loan is at its call line",
        "[-30% | at 55000 | raise 38m by … | weekend | plans]",
    ),
    ("plimsoll", "Help, who may do what, health; how near the lines are", "[risk [facility] [at 55000 | -20%]]"),
)

SCOPES = (
    "commands",
    "chat:write",
    # who asks, and where: guests and channels shared with other organisations are refused
    "users:read",
    "channels:read",
    "groups:read",
    # who is in the user groups that VIEWERS, OPERATORS and APPROVERS name
    "usergroups:read",
    # a post whose outcome is unknown is looked for before it is sent again
    "channels:history",
    "groups:history",
    # the digest's picture
    "files:write",
)

NEEDS_ANOTHER_SCOPE = ("shared_channel_invite_accepted", "shared_channel_invite_approved")
"""Listened to, and not asked for: only an app that may manage Slack Connect may subscribe to them."""


def slack_manifest(prefix: str = "", url: str | None = None) -> dict[str, Any]:
    """The manifest. With `url` Slack calls the bot there; without one, the bot calls Slack (Socket Mode)."""
    from bot.slack.events import CHANNEL_EVENTS, GROUP_EVENTS, USER_EVENTS
    from bot.slack.web import PATH

    events = [name for name in (*USER_EVENTS, *CHANNEL_EVENTS, *GROUP_EVENTS) if name not in NEEDS_ANOTHER_SCOPE]
    endpoint = f"{url.rstrip('/')}{PATH}" if url else None
    at = {"request_url": endpoint} if endpoint else {}
    return {
        "display_information": {
            "name": "Plimsoll",
            "description": "Watches bitcoin-backed loans against their covenants.",
            "background_color": "#1d3557",
        },
        "features": {
            "bot_user": {"display_name": "Plimsoll", "always_online": True},
            "slash_commands": [
                _command(prefix, name, description, hint, endpoint) for name, description, hint in COMMANDS
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**at, "bot_events": events},
            "interactivity": {"is_enabled": True, **at},
            "org_deploy_enabled": False,
            "socket_mode_enabled": endpoint is None,
            "token_rotation_enabled": False,
        },
    }


def _command(prefix: str, name: str, description: str, hint: str | None, endpoint: str | None) -> dict[str, Any]:
    command: dict[str, Any] = {"command": f"/{prefix}{name}", "description": description, "should_escape": False}
    if hint:
        command["usage_hint"] = hint
    if endpoint:
        command["url"] = endpoint
    return command
