"""Web API: files.*: the two-step upload that slack_sdk's `files_upload_v2` performs."""

from __future__ import annotations

from bot.workspace.args import Args, RefusedError
from bot.workspace.messages import writable
from bot.workspace.model import File, Json, Message
from bot.workspace.state import State


def get_upload_url(state: State, args: Args, base: str) -> Json:
    """`files.getUploadURLExternal`: where to put `length` bytes."""
    name, length = args.required("filename"), args.number("length", 0, 1_000_000_000)
    file = File(state.new_id("F"), name, length)
    with state.change():
        state.files[file.id] = file
    return {"file_id": file.id, "upload_url": f"{base}/upload/{file.id}"}


def receive(state: State, file_id: str, content: bytes) -> str:
    """Bytes for an upload address. Raises RefusedError where it is unknown or the length is not what was announced."""
    file = state.files.get(file_id)
    if file is None or file.done:
        raise RefusedError("invalid_upload_url")
    if len(content) != file.length:
        raise RefusedError("length_mismatch")
    file.content = content
    return f"OK - {len(content)}"


def complete_upload(state: State, args: Args, base: str) -> Json:
    """`files.completeUploadExternal`: the file exists now. With `channel_id` it is posted, without metadata."""
    named = args.json("files", "invalid_arguments")
    if not isinstance(named, list) or not named:
        raise RefusedError("invalid_arguments", "[ERROR] missing required field: files")
    done = []
    for item in named:
        file = state.files.get(str(item.get("id"))) if isinstance(item, dict) else None
        if file is None or len(file.content) != file.length:
            raise RefusedError("file_not_found")
        file.done, file.title = True, str(item.get("title") or file.name)
        done.append(file)
    if args.text("channel_id"):
        channel = writable(state, args.text("channel_id"))
        blocks = [_image_block(file) for file in done]
        text = args.text("initial_comment")
        state.add_message(Message(state.new_ts(), channel.id, state.bot.user_id, text, blocks))
    return {"files": [file_json(file, base) for file in done]}


def file_json(file: File, base: str) -> Json:
    """A file as the Web API shows one."""
    link = f"{base}/files/{file.id}"
    kind = file.name.rsplit(".", 1)[-1].lower() if "." in file.name else ""
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "filetype": kind,
        "size": file.length,
        "url_private": link,
        "permalink": link,
    }


def file_info(state: State, args: Args, base: str) -> Json:
    """`files.info`."""
    file = state.files.get(args.required("file"))
    if file is None or not file.done:
        raise RefusedError("file_not_found")
    return {"file": file_json(file, base)}


def _image_block(file: File) -> Json:
    return {"type": "image", "block_id": file.id, "slack_file": {"id": file.id}, "alt_text": file.title or file.name}
