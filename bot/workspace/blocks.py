"""Judges blocks, messages and views as Slack would: which are refused, and with which words."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from typing import Any

from bot.workspace.elements import (
    ANY_STRING,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    RICH_TEXT_PARTS,
    image,
)
from bot.workspace.model import Json, interactive
from bot.workspace.shapes import ID_LENGTH, Check, Report, boolean, items, keys, one_of, plain, string, text, typed

TEXT_LENGTH = 40_000
BLOCKS_TEXT_LENGTH = 9_000
BLOCKS_IN_MESSAGE, BLOCKS_IN_VIEW = 50, 100

_BASE: dict[str, Check] = {"type": ANY_STRING, "block_id": string(ID_LENGTH)}


def _block(known: dict[str, Check], *required: str) -> Check:
    return keys({**_BASE, **known}, required)


_SECTION = _block({"text": text(3000), "fields": items(text(2000), 1, 10), "accessory": IN_SECTION, "expand": boolean})


def _section(report: Report, value: Any, path: str) -> None:
    _SECTION(report, value, path)
    if "text" not in value and "fields" not in value:
        report.add(path, "must have text or fields")


def _cell(report: Report, value: Any, path: str) -> None:
    """A table cell: raw or rich text, never empty."""
    raw = keys({"type": ANY_STRING, "text": string(BLOCKS_TEXT_LENGTH)}, ["text"])
    rich = _block({"elements": items(RICH_TEXT_PARTS, 1, 100)}, "elements")
    typed({"raw_text": raw, "rich_text": rich}, "a table cell")(report, value, path)
    if isinstance(value, dict) and not _has_content(value):
        report.add(path, "table cell must not be empty")


def _has_content(value: Json) -> bool:
    """Whether a cell shows anything: text that is not blank, or a mention, date or emoji."""
    if any(string_.strip() for string_ in strings(value)):
        return True
    shown = {"user", "usergroup", "channel", "emoji", "broadcast", "color", "date", "link"}
    return any(node.get("type") in shown for node in _nodes(value))


_COLUMN = keys({"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column(report: Report, value: Any, path: str) -> None:
    if value is not None:  # null leaves a column as it is
        _COLUMN(report, value, path)


_MODAL_AND_MESSAGE: dict[str, Check] = {
    "section": _section,
    "header": _block({"text": plain(150)}, "text"),
    "divider": _block({}),
    "context": _block({"elements": items(IN_CONTEXT, 1, 10)}, "elements"),
    "actions": _block({"elements": items(IN_ACTIONS, 1, 25)}, "elements"),
    "image": image({"block_id": string(ID_LENGTH), "title": plain(2000)}),
    "rich_text": _block({"elements": items(RICH_TEXT_PARTS, 1, 1000)}, "elements"),
}
_INPUT = _block(
    {"label": plain(2000), "element": IN_INPUT, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    "label",
    "element",
)
_TABLE = _block({"rows": items(items(_cell, 1, 20), 1, 100), "column_settings": items(_column, 1, 20)}, "rows")

SURFACES: dict[str, Check] = {
    "message": typed({**_MODAL_AND_MESSAGE, "table": _TABLE}, "a message"),
    "modal": typed({**_MODAL_AND_MESSAGE, "input": _INPUT}, "a modal"),
    "home": typed(_MODAL_AND_MESSAGE, "the App Home"),
}


def check_blocks(blocks: Any, surface: str = "message", files: Collection[str] = ()) -> list[str]:
    """What Slack would refuse in `blocks` on a surface ("message", "modal", "home"); empty if nothing."""
    report = Report(files)
    most = BLOCKS_IN_MESSAGE if surface == "message" else BLOCKS_IN_VIEW
    items(SURFACES[surface], 0, most)(report, blocks, "/blocks")
    if not report.problems:  # the rules on the whole may rely on each block being sound
        _check_ids(report, blocks)
        _check_tables(report, blocks)
    return report.problems


def _check_ids(report: Report, blocks: list[Json]) -> None:
    """No two blocks share a block_id, no two elements of a block an action_id; one element at most takes the focus."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if block.get("block_id") in seen:
            report.add(f"/blocks/{index}/block_id", f"block_id already exists: {block['block_id']}")
        seen.add(block.get("block_id", f" {index}"))
        actions = [element["action_id"] for _, element in interactive([block]) if "action_id" in element]
        if len(set(actions)) < len(actions):
            report.add(f"/blocks/{index}", "action_id already exists in this block")
    if sum(bool(element.get("focus_on_load")) for _, element in interactive(blocks)) > 1:
        report.add("/blocks", "only one element may have focus_on_load")


def _check_tables(report: Report, blocks: list[Json]) -> None:
    """One table a message, and every row as wide as the first."""
    tables = [(index, block) for index, block in enumerate(blocks) if block["type"] == "table"]
    if len(tables) > 1:
        report.add(f"/blocks/{tables[1][0]}", "only_one_table_allowed")
    for index, table in tables:
        if len({len(row) for row in table["rows"]}) > 1:
            report.add(f"/blocks/{index}/rows", "every row must have the same number of cells")


def check_view(view: Any, files: Collection[str] = ()) -> list[str]:
    """What Slack would refuse in a modal or App Home; empty if nothing."""
    report = Report(files)
    kind = view.get("type") if isinstance(view, dict) else None
    if kind not in {"modal", "home"}:
        report.add("/view/type", "must be one of: modal, home")
        return report.problems
    known: dict[str, Check] = {
        "type": ANY_STRING,
        "blocks": items(keys_of_anything, 1, BLOCKS_IN_VIEW),
        "private_metadata": string(3000, shortest=0),
        "callback_id": string(255, shortest=0),
        "external_id": string(255, shortest=0),
    }
    modal: dict[str, Check] = {
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
        **dict.fromkeys(("clear_on_close", "notify_on_close", "submit_disabled"), boolean),
    }
    required = ["title", "blocks"] if kind == "modal" else ["blocks"]
    keys(known | modal if kind == "modal" else known, required)(report, view, "/view")
    blocks = view.get("blocks", [])
    if isinstance(blocks, list):
        report.problems += check_blocks(blocks, kind, files)
        if "submit" not in view and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks):
            report.add("/view/submit", "missing required field: submit (the view has input blocks)")
    return report.problems


def keys_of_anything(report: Report, value: Any, path: str) -> None:
    """An object; its inside is judged elsewhere."""
    if not isinstance(value, dict):
        report.add(path, "must be an object")


def _nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _nodes(child)


def strings(value: Any) -> Iterator[str]:
    """Every piece of text that a reader would see in a block or anything inside one."""
    for node in _nodes(value):
        for key in ("text", "alt_text"):
            if isinstance(node.get(key), str):
                yield node[key]


def text_length(blocks: list[Json]) -> int:
    """Characters of text in all blocks together, counted against `msg_blocks_too_long`."""
    return sum(len(part) for part in strings(blocks))


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks as Slack stores them: a block or element without an id is given one."""
    stored = [{**block, "block_id": block.get("block_id") or _made_up_id()} for block in blocks]
    for block in stored:
        if block["type"] == "actions":
            block["elements"] = [_with_action_id(element) for element in block["elements"]]
        for key in ("accessory", "element"):
            if key in block and block[key].get("type") != "image":
                block[key] = _with_action_id(block[key])
    return stored


def _with_action_id(element: Json) -> Json:
    return {**element, "action_id": element.get("action_id") or _made_up_id()}


def _made_up_id() -> str:
    return secrets.token_urlsafe(4)[:5]
