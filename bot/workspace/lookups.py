"""Web API: conversations.*, users.* and usergroups.*, which only read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeVar

from bot.workspace.args import Args, RefusedError
from bot.workspace.messages import reachable
from bot.workspace.model import Channel, Json, Message, User, ts_key
from bot.workspace.state import State, message_json

T = TypeVar("T")


def _page(found: list[T], args: Args, most: int = 1000) -> tuple[list[T], str]:
    """One page of `found` by `cursor` and `limit`, and the next cursor ("" at the end)."""
    try:
        start = int(base64.b64decode(args.text("cursor"), validate=True).removeprefix(b"from:") or 0)
    except ValueError as broken:
        raise RefusedError("invalid_cursor") from broken
    end = start + args.number("limit", 100, most)
    return found[start:end], base64.b64encode(f"from:{end}".encode()).decode() if end < len(found) else ""


def _readable(state: State, args: Args) -> Channel:
    channel = reachable(state, args.required("channel"))
    if not channel.bot_is_member:
        raise RefusedError("not_in_channel")
    return channel


def _within(args: Args) -> Callable[[Message], bool]:
    """Whether a message lies between `oldest` and `latest`; the ends count only when `inclusive`."""
    oldest = args.instant("oldest", "invalid_ts_oldest")
    latest = args.instant("latest", "invalid_ts_latest")
    inclusive = args.flag("inclusive")

    def check(message: Message) -> bool:
        ts = ts_key(message.ts)
        after = oldest is None or ts > oldest or (inclusive and ts == oldest)
        before = latest is None or ts < latest or (inclusive and ts == latest)
        return after and before

    return check


def _messages(state: State, found: list[Message], args: Args) -> Json:
    """A page of messages; metadata only for those who ask for it."""
    shown, cursor = _page(found, args, 999)
    metadata = args.flag("include_all_metadata")
    body: Json = {"messages": [message_json(state, m, metadata=metadata) for m in shown], "has_more": bool(cursor)}
    return body | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def history(state: State, args: Args, *, lag: float = 0) -> Json:
    """`conversations.history`: newest first, without replies. `lag`: how many seconds behind it is."""
    channel = _readable(state, args)
    within = _within(args)
    return _messages(state, [m for m in state.history(channel.id, lag) if within(m)], args) | {"pin_count": 0}


def replies(state: State, args: Args, *, lag: float = 0) -> Json:
    """`conversations.replies`: the parent first, then its replies, oldest first."""
    channel = _readable(state, args)
    root = state.message(channel.id, args.required("ts"))
    if root is not None and root.thread_ts:
        root = state.message(channel.id, root.thread_ts)
    if root is None or root.ephemeral_to or not state.has_appeared(root, lag):
        raise RefusedError("thread_not_found")
    within = _within(args)
    thread = [m for m in root.replies if within(m) and state.has_appeared(m, lag)]
    return _messages(state, [root, *thread], args)


def _channel_json(state: State, channel: Channel) -> Json:
    direct = channel.im_user is not None
    return {
        "id": channel.id,
        **({"user": channel.im_user} if direct else {"name": channel.name, "name_normalized": channel.name}),
        "is_channel": not direct and not channel.is_private,
        "is_group": not direct and channel.is_private,
        "is_im": direct,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.name == "general",
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": channel.is_pending_ext_shared,
        "is_member": channel.bot_is_member,
        "context_team_id": state.bot.team_id,
    }


def channel_info(state: State, args: Args) -> Json:
    """`conversations.info`."""
    channel = reachable(state, args.required("channel"))
    body = _channel_json(state, channel)
    if args.flag("include_num_members"):
        body["num_members"] = len(state.members(channel))
    return {"channel": body}


def channel_list(state: State, args: Args) -> Json:
    """`conversations.list`: `types` as in Slack, public channels by default."""
    types = set(args.text("types", "public_channel").split(","))
    kinds = {"public_channel", "private_channel", "im", "mpim"}
    if not types <= kinds:
        raise RefusedError("invalid_types")

    def listed(channel: Channel) -> bool:
        kind = "im" if channel.im_user else "private_channel" if channel.is_private else "public_channel"
        hidden = channel.is_archived and args.flag("exclude_archived")
        return kind in types and not hidden and (channel.bot_is_member or not channel.is_private)

    shown, cursor = _page([c for c in state.channels.values() if listed(c)], args)
    return {"channels": [_channel_json(state, c) for c in shown], "response_metadata": {"next_cursor": cursor}}


def channel_members(state: State, args: Args) -> Json:
    """`conversations.members`."""
    shown, cursor = _page(state.members(reachable(state, args.required("channel"))), args)
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def open_direct(state: State, args: Args) -> Json:
    """`conversations.open` with one user."""
    user = args.required("users")
    if user not in state.users:
        raise RefusedError("user_not_found")
    return {"channel": {"id": state.direct_channel(user).id}}


def user_json(state: State, user: User) -> Json:
    """A user as `users.info` shows one. Only strangers carry `is_stranger`."""
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name.lower().replace(" ", "."),
        "real_name": user.name,
        "deleted": user.deleted,
        "tz": "America/Chicago",
        "tz_label": "Central Standard Time",
        "tz_offset": -21600,
        "profile": {"real_name": user.name, "display_name": user.name, "team": user.team_id},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": int(state.now().timestamp()),
        **({"is_stranger": True} if user.is_stranger else {}),
    }


def user_info(state: State, args: Args) -> Json:
    """`users.info`."""
    user = state.users.get(args.required("user"))
    if user is None:
        raise RefusedError("user_not_found")
    return {"user": user_json(state, user)}


def user_list(state: State, args: Args) -> Json:
    """`users.list`."""
    shown, cursor = _page(list(state.users.values()), args)
    return {
        "members": [user_json(state, u) for u in shown],
        "cache_ts": int(state.now().timestamp()),
        "response_metadata": {"next_cursor": cursor},
    }


def usergroup_users(state: State, args: Args) -> Json:
    """`usergroups.users.list`."""
    group = args.required("usergroup")
    if group not in state.usergroups:
        raise RefusedError("no_such_subteam")
    return {"users": list(state.usergroups[group])}
