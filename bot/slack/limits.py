"""The one door: every payload that leaves for Slack passes `outgoing`, in tests and in production.

slackblocks refuses most of what Slack would, when a block is made; this looks at the finished payload, also for what
slackblocks lets through (empty action blocks, ids used twice, two tables, empty cells) and for what only the whole can
show (the number of blocks, all text together). Limits are those of Slack's documentation, and one that is measured:
all text of a message's blocks together, `msg_blocks_too_long` beyond about 9,000 characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog

from bot.slack.text import MENTION, cut

Payload = dict[str, Any]

TEXT = 40_000
ALL_BLOCKS_TEXT = 9_000
BLOCKS = {"message": 50, "modal": 100, "home": 100}
ID = 255
_ROWS, _CELLS = 100, 20

_log = structlog.get_logger(__name__)


class LimitError(ValueError):
    """Slack would refuse this payload: a bug of ours. `problems` say where and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def outgoing(payload: Payload, *, strict: bool, surface: str = "message") -> Payload:
    """`payload` if Slack will take it. Otherwise LimitError where `strict`; else its plain text, and the log says why.

    A message is never lost to its looks: without blocks its text says the same. A view has no such text: LimitError.
    """
    problems = faults(payload, surface)
    if not problems:
        return payload
    if strict or surface != "message":
        raise LimitError(problems)
    _log.error("payload_refused", problems=problems, text=str(payload.get("text", ""))[:200])
    return plain(payload)


def plain(payload: Payload) -> Payload:
    """The same message as text alone, which Slack takes whatever was wrong with the blocks; it wakes as many."""
    text = str(payload.get("text") or "").strip() or "Plimsoll has a message that could not be shown; see its log."
    kept = {key: value for key, value in payload.items() if key not in ("blocks", "text")}
    return {"text": cut(_waking(payload.get("blocks")) + text, TEXT), **kept}


def _waking(blocks: object) -> str:
    match blocks:
        case [{"text": {"text": str(said)}}, *_]:
            found = MENTION.match(said)
            return found[0] if found else ""
    return ""


def faults(payload: Payload, surface: str = "message") -> list[str]:
    """Everything that Slack would refuse in a message, modal or App Home."""
    return list(_view_faults(payload, surface) if surface != "message" else _message_faults(payload))


def _message_faults(payload: Payload) -> Iterator[str]:
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        yield "text is missing: notifications and screen readers read it"
    elif len(text) > TEXT:
        yield f"text has {len(text)} characters, at most {TEXT}"
    if "blocks" in payload:
        yield from _block_faults(payload["blocks"], "message")
        total = sum(len(part) for part in _strings(payload["blocks"]))
        if total > ALL_BLOCKS_TEXT:
            yield f"all blocks together have {total} characters, at most about {ALL_BLOCKS_TEXT}"


def _view_faults(view: Payload, surface: str) -> Iterator[str]:
    for name in ("title", "submit", "close") if surface == "modal" else ():
        yield from _text_fault(view.get(name), name, 24, needed=name == "title")
    yield from _long(view.get("private_metadata"), "private_metadata", 3_000)
    for name in ("callback_id", "external_id"):
        yield from _long(view.get(name), name, ID)
    blocks = view.get("blocks", [])
    yield from _block_faults(blocks, surface)
    if surface == "modal" and "submit" not in view and any(block.get("type") == "input" for block in blocks):
        yield "a modal with inputs needs submit"


def _block_faults(blocks: list[Payload], surface: str) -> Iterator[str]:
    if not blocks:
        yield "no blocks"
    if len(blocks) > BLOCKS[surface]:
        yield f"{len(blocks)} blocks, at most {BLOCKS[surface]}"
    tables = [block for block in blocks if block.get("type") == "table"]
    if len(tables) > 1:
        yield "two tables"
    if tables and surface == "home":
        yield "a table in the App Home"
    yield from _twice([block["block_id"] for block in blocks if block.get("block_id")], "block_id")
    for index, block in enumerate(blocks):
        for fault in _one_block(block):
            yield f"blocks[{index}] {block.get('type')}: {fault}"


def _one_block(block: Payload) -> Iterator[str]:
    yield from _long(block.get("block_id"), "block_id", ID)
    kind = block.get("type")
    if kind == "section":
        yield from _section(block)
    elif kind == "header":
        yield from _text_fault(block.get("text"), "text", 150)
    elif kind == "context":
        yield from _count(block.get("elements", []), "elements", 1, 10)
        for element in block.get("elements", []):
            if element.get("type") != "image":
                yield from _text_fault(element, "element", 3_000)
    elif kind == "actions":
        yield from _count(block.get("elements", []), "elements", 1, 25)
    elif kind == "table":
        yield from _table(block)
    elif kind == "image":
        yield from _long(block.get("alt_text"), "alt_text", 2_000)
    elements = [element for element in _elements(block) if isinstance(element, dict) and element.get("type") != "image"]
    yield from _twice([element["action_id"] for element in elements if element.get("action_id")], "action_id")
    for element in elements:
        yield from _element(element)


def _section(block: Payload) -> Iterator[str]:
    fields = block.get("fields")
    if fields is None and block.get("text") is None:
        yield "has neither text nor fields"
    if block.get("text") is not None:
        yield from _text_fault(block["text"], "text", 3_000)
    if fields is not None:
        yield from _count(fields, "fields", 1, 10)
        for field in fields:
            yield from _text_fault(field, "field", 2_000)


def _table(block: Payload) -> Iterator[str]:
    rows = block.get("rows", [])
    yield from _count(rows, "rows", 1, _ROWS)
    for row in rows:
        yield from _count(row, "cells", 1, _CELLS)
        if any(not "".join(_strings(cell)).strip() for cell in row):
            yield "an empty cell"
    if len({len(row) for row in rows}) > 1:
        yield "rows of different lengths"


def _elements(block: Payload) -> list[Payload]:
    if block.get("type") == "actions":
        return list(block.get("elements", []))
    return [block[name] for name in ("accessory", "element") if name in block]


def _element(element: Payload) -> Iterator[str]:
    yield from _long(element.get("action_id"), "action_id", ID)
    if element.get("type") == "button":
        yield from _text_fault(element.get("text"), "button text", 75)
        yield from _long(element.get("value"), "button value", 2_000)
    options = element.get("options")
    if options is not None:
        yield from _count(options, "options", 1, 100 if "select" in str(element.get("type")) else 10)
        for option in options:
            yield from _text_fault(option.get("text"), "option text", 75)


def _text_fault(text: Any, what: str, longest: int, *, needed: bool = True) -> Iterator[str]:
    if text is None and not needed:
        return
    said = text.get("text") if isinstance(text, dict) else None
    if not isinstance(said, str) or not said:
        yield f"{what} is empty"
    else:
        yield from _long(said, what, longest)


def _long(value: Any, what: str, longest: int) -> Iterator[str]:
    if isinstance(value, str) and len(value) > longest:
        yield f"{what} has {len(value)} characters, at most {longest}"


def _count(items: list[Any], what: str, least: int, most: int) -> Iterator[str]:
    if not least <= len(items) <= most:
        yield f"{len(items)} {what}, {least} to {most} allowed"


def _twice(ids: list[str], what: str) -> Iterator[str]:
    for one in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"{what} “{one}” is used twice"


def _strings(value: Any) -> Iterator[str]:
    """Every piece of text that a reader would see."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("text", "alt_text") and isinstance(inner, str):
                yield inner
            else:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
