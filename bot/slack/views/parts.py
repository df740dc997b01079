"""The few blocks that every view is made of, and the payload around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from slackblocks import Block, ContextBlock, ImageBlock, SectionBlock, SlackFile, Text

from bot.slack.limits import TEXT, Payload
from bot.slack.text import clipped, cut, escape, packed, rich

LONGEST_ALT = 2_000
ROOM = 7_000
"""Characters of a message that its lines may take."""
LONGEST_TEXT = 4_000
"""`text` only stands in for the blocks: long enough for a notification and a screen reader."""


def section(mrkdwn: str) -> Block:
    """A paragraph of mrkdwn that is escaped already. Verbatim: Slack makes no mentions or links out of words."""
    return SectionBlock(text=Text(mrkdwn, verbatim=True))


def sections(text: str) -> list[Block]:
    """Domain text (not escaped, with moments), in as many sections as it takes."""
    return [section(piece) for piece in packed(text)]


def context(mrkdwn: str) -> Block:
    """A small grey line of mrkdwn that is escaped already."""
    return ContextBlock(elements=[Text(mrkdwn, verbatim=True)])


def picture(file_id: str, alt: str) -> Block:
    """A picture that was uploaded before; `alt` says what it shows."""
    said = alt if len(alt) <= LONGEST_ALT else f"{alt[: LONGEST_ALT - 1]}…"
    return ImageBlock(slack_file=SlackFile(url=None, id=file_id), alt_text=said)


def payload(text: str, blocks: Iterable[Block]) -> Payload:
    """A message: blocks, and the text (escaped) that stands in for them."""
    return {"text": cut(text, LONGEST_TEXT), "blocks": rendered(blocks)}


def rendered(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Blocks as JSON. slackblocks makes up an id for each block; only those we chose are sent."""
    return [_rendered(block) for block in blocks]


def _rendered(block: Block) -> dict[str, Any]:
    made = block._resolve()
    if block._generated_block_id:
        made.pop("block_id", None)
    return made


def code(command: str) -> str:
    """A command as something to type."""
    return f"`{escape(command)}`"


def shortened(items: Sequence[str], most: int, last: str) -> list[str]:
    """At most `most` of `items`; what is left out is counted: "and 3 more: {last}"."""
    if len(items) <= most:
        return list(items)
    return [*items[:most], f"and {len(items) - most} more{f': {last}' if last else ''}"]


def fitted(items: Sequence[str], most: int, room: int, last: str) -> list[str]:
    """As `shortened`, of domain text, and no more than has `room` characters as mrkdwn; one that is longer is cut."""
    count = 0
    for item in items[:most]:
        room -= len(rich(item)) + 1
        if room < 0:
            break
        count += 1
    if not count and items:
        return shortened([clipped(items[0], max(room + len(rich(items[0])), 80)), *items[1:]], 1, last)
    return shortened(items, count, last)


def within(lines: Sequence[str]) -> list[Block]:
    """As many lines of domain text as a message has room for; what is left out is counted."""
    return sections("\n".join(fitted(lines, len(lines), ROOM, "")))


assert LONGEST_TEXT < TEXT  # noqa: S101  (a relation between two constants)
