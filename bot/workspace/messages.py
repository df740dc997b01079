"""Web API: chat.* and response_url, which post, change and remove messages."""

from __future__ import annotations

import json
from typing import Any

from bot.workspace.args import Args, RefusedError
from bot.workspace.blocks import BLOCKS_TEXT_LENGTH, TEXT_LENGTH, check_blocks, text_length, with_ids
from bot.workspace.model import Channel, Json, Message
from bot.workspace.state import State, message_json

METADATA_BYTES = 8_000


def content(state: State, text: str, blocks: Any) -> tuple[str, list[Json]]:
    """What a message is to say, checked and as stored. Raises RefusedError."""
    if blocks is not None:
        if not isinstance(blocks, list):
            raise RefusedError("invalid_blocks_format")
        if problems := check_blocks(blocks, "message", state.file_ids):
            raise RefusedError("invalid_blocks", *problems, errors=[p.removeprefix("[ERROR] ") for p in problems])
        if text_length(blocks) > BLOCKS_TEXT_LENGTH:
            raise RefusedError("msg_blocks_too_long")
    if len(text) > TEXT_LENGTH:
        raise RefusedError("msg_too_long")
    if not text.strip() and not blocks:
        raise RefusedError("no_text")
    return text, with_ids(blocks or [])


def reachable(state: State, name: str, *, by_name: bool = False) -> Channel:
    """A channel the bot can see. Raises RefusedError `channel_not_found`, for private ones it is not in as well."""
    channel = state.find_channel(name) if by_name else state.channels.get(name)
    if channel is None or (channel.is_private and not channel.bot_is_member):
        raise RefusedError("channel_not_found")
    return channel


def writable(state: State, name: str, *, by_name: bool = False) -> Channel:
    """A channel the bot may post to. Raises RefusedError."""
    if name in state.users:  # posting to a person opens the direct messages
        return state.direct_channel(name)
    channel = reachable(state, name, by_name=by_name)
    if channel.is_archived:
        raise RefusedError("is_archived")
    if not channel.bot_is_member:
        raise RefusedError("not_in_channel")
    return channel


def _metadata(args: Args) -> Json | None:
    """The message's metadata; {} says to remove it, None that there is none. Raises RefusedError."""
    metadata = args.json("metadata", "invalid_metadata_format")
    if metadata in (None, {}):
        return metadata  # type: ignore[no-any-return]
    sound = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str) and metadata["event_type"]
    if not sound or not isinstance(metadata.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise RefusedError("metadata_too_large")
    return metadata  # type: ignore[no-any-return]


def _parent(state: State, channel: Channel, args: Args) -> str | None:
    """`thread_ts`, which must be a message at the top level of the same channel."""
    thread_ts = args.text("thread_ts")
    if not thread_ts:
        return None
    parent = state.message(channel.id, thread_ts)
    if parent is None or parent.is_reply or parent.ephemeral_to:
        raise RefusedError("cannot_reply_to_message")
    return thread_ts


def post_message(state: State, args: Args, *, lag: float = 0) -> Json:
    """`chat.postMessage`. `lag`: seconds until history shows it."""
    channel = writable(state, args.required("channel"), by_name=True)
    text, blocks = content(state, args.text("text"), args.json("blocks", "invalid_blocks_format"))
    message = Message(
        ts=state.new_ts(),
        channel=channel.id,
        user=state.bot.user_id,
        text=text,
        blocks=blocks,
        metadata=_metadata(args) or None,
        thread_ts=_parent(state, channel, args),
        broadcast=args.flag("reply_broadcast"),
        shown=state.due_in(lag) if lag else None,
    )
    state.add_message(message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(state, message)}


def post_ephemeral(state: State, args: Args) -> Json:
    """`chat.postEphemeral`."""
    channel = writable(state, args.required("channel"), by_name=True)
    user = args.required("user")
    if user not in state.members(channel):
        raise RefusedError("user_not_in_channel")
    text, blocks = content(state, args.text("text"), args.json("blocks", "invalid_blocks_format"))
    message = Message(
        ts=state.new_ts(),
        channel=channel.id,
        user=state.bot.user_id,
        text=text,
        blocks=blocks,
        thread_ts=_parent(state, channel, args),
        ephemeral_to=user,
    )
    state.add_message(message)
    return {"message_ts": message.ts}


def _own(state: State, args: Args, refusal: str) -> Message:
    """The bot's own message named by `channel` and `ts`. Raises RefusedError."""
    channel = reachable(state, args.required("channel"))
    message = state.message(channel.id, args.required("ts"))
    if message is None or message.ephemeral_to:
        raise RefusedError("message_not_found")
    if message.user != state.bot.user_id:
        raise RefusedError(refusal)
    if channel.is_archived:
        raise RefusedError("is_archived")
    return message


def update(state: State, args: Args) -> Json:
    """`chat.update`: what is not named stays; [] and {} remove blocks and metadata."""
    message = _own(state, args, "cant_update_message")
    if "text" not in args and "blocks" not in args:
        raise RefusedError("no_text")
    given = args.json("blocks", "invalid_blocks_format")
    text, blocks = content(state, args.text("text", message.text), message.blocks if given is None else given)
    metadata = _metadata(args)
    state.edit_message(message, text, blocks, message.metadata if metadata is None else metadata or None)
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": message_json(state, message)}


def delete(state: State, args: Args) -> Json:
    """`chat.delete`."""
    message = _own(state, args, "cant_delete_message")
    state.delete_message(message)
    return {"channel": message.channel, "ts": message.ts}


def permalink(state: State, args: Args, base: str) -> Json:
    """`chat.getPermalink`, under the page's address so that the link works there."""
    channel = reachable(state, args.required("channel"))
    message = state.message(channel.id, args.required("message_ts"))
    if message is None or message.ephemeral_to:
        raise RefusedError("message_not_found")
    link = f"{base}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def respond(state: State, user: str, channel: str, payload: Json, original: Message | None) -> None:
    """Act on what came to a response_url: a new message, or a change of the `original` one. Raises RefusedError."""
    if payload.get("delete_original") and original:
        state.delete_message(original)
        return
    text, blocks = content(state, str(payload.get("text") or ""), payload.get("blocks"))
    if payload.get("replace_original") and original and not original.deleted:
        state.edit_message(original, text, blocks, original.metadata)
        return
    for_all = payload.get("response_type") == "in_channel"
    state.add_message(
        Message(
            ts=state.new_ts(),
            channel=channel,
            user=state.bot.user_id,
            text=text,
            blocks=blocks,
            ephemeral_to=None if for_all else user,
        )
    )
