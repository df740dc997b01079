"""An alert's message, its thread, and what becomes of an older post."""

from __future__ import annotations

from typing import Any

from bot.domain.messages import Message
from bot.slack.limits import Payload
from bot.slack.text import flat, packed, rich
from bot.slack.views.parts import context, payload, rendered, section

CONTINUED = "Continued in a newer message."
BUDGET = 8_000
"""Characters of headline and body; the whole message may have about 9,000."""


def alert(message: Message) -> Payload:
    """The message of an alert: headline, numbers, level. Only what must be looked at now wakes the channel."""
    wake = "<!channel> " if message.mention else ""
    headline = _one_line(message.headline)
    bold = _bold(headline, wake)
    pieces, left = _within(packed(message.body), BUDGET - sum(len(piece) for piece in bold))
    blocks = [section(wake + piece if not i else piece) for i, piece in enumerate(bold)]
    blocks += [section(piece) for piece in pieces]
    blocks += [context(_state(message) + (f" · {left} more paragraphs: see `/ltv`" if left else ""))]
    return payload(_text(message), blocks)


def reply(message: Message) -> Payload:
    """One line of an alert's history, in its thread."""
    pieces, _ = _within(packed(f"{_one_line(message.headline)}\n{message.body}".strip()), BUDGET)
    return payload(_text(message), [section(piece) for piece in pieces])


def continued(shown: list[dict[str, Any]], text: str, link: str | None) -> Payload:
    """An older post whose alert goes on in a newer one: what it said, without buttons, and where to look now.

    `shown` and `text` are the blocks and text it has in Slack (as Slack gives them: escaped already).
    """
    where = f"<{link}|a newer message>" if link else "a newer message below"
    kept = [_quiet(block) for block in shown if block.get("type") not in ("actions", "context")]
    said = text.removeprefix(CONTINUED).strip()  # said twice, it reads the same
    return {"text": f"{CONTINUED} {said}".strip(), "blocks": [*kept, *_pointer(where)]}


def _pointer(where: str) -> list[dict[str, Any]]:
    return rendered([context(f"Continued in {where}.")])


def _quiet(block: dict[str, Any]) -> dict[str, Any]:
    """The block without its mention: it has woken people once."""
    text = block.get("text")
    if not isinstance(text, dict) or "<!channel> " not in str(text.get("text")):
        return block
    return {**block, "text": {**text, "text": str(text["text"]).replace("<!channel> ", "")}}


def _text(message: Message) -> str:
    return flat(f"{_one_line(message.headline)}\n{message.body}".strip())


def _state(message: Message) -> str:
    return "Closed" if message.closed else message.level.capitalize()


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def _bold(headline: str, wake: str) -> list[str]:
    """The headline in bold; one that fills a section is shown plain, so that no mark is cut off."""
    whole = f"*{rich(headline)}*"
    return [whole] if len(wake) + len(whole) <= 3_000 else packed(headline, 2_900)[:2]


def _within(pieces: list[str], budget: int) -> tuple[list[str], int]:
    """The first pieces that fit, and how many paragraphs were left out."""
    kept: list[str] = []
    lines = [line for piece in pieces for line in piece.split("\n")]
    used = 0
    for index, line in enumerate(lines):
        used += len(line) + 1
        if used > budget:
            return _joined(kept), len(lines) - index
        kept.append(line)
    return _joined(kept), 0


def _joined(lines: list[str]) -> list[str]:
    """Lines in sections of at most 3,000 characters."""
    pieces: list[str] = []
    for line in lines:
        if pieces and len(pieces[-1]) + 1 + len(line) <= 3_000:
            pieces[-1] += f"\n{line}"
        else:
            pieces.append(line)
    return pieces
