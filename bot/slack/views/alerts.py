"""An alert's message, its thread, and what becomes of an older post."""

from __future__ import annotations

from typing import Any

from slackblocks import ActionsBlock, Block, Button, Option, StaticSelectMenu, Text, TextType

from bot.domain.messages import ACKNOWLEDGE, NO_NOTICE, PLAN, SNOOZE, Message
from bot.domain.snoozes import SNOOZES
from bot.slack.limits import Payload
from bot.slack.text import MENTION, flat, packed, rich
from bot.slack.views.parts import context, payload, rendered, section

ACTIONS = {name: f"alert_{name}" for name in (ACKNOWLEDGE, SNOOZE, PLAN, NO_NOTICE)}
"""The action ids of the buttons."""

CONTINUED = "Continued in a newer message."

BUDGET = 8_000
"""Characters of headline and body; the whole message may have about 9,000."""


def alert(message: Message) -> Payload:
    """The message of an alert: headline, numbers, level. Only what must be looked at now wakes the channel."""
    waking = wake(message)
    headline = _one_line(message.headline)
    bold = _bold(headline, waking)
    pieces, left = _within(packed(message.body), BUDGET - sum(len(piece) for piece in bold))
    blocks = [section(waking + piece if not i else piece) for i, piece in enumerate(bold)]
    blocks += [section(piece) for piece in pieces]
    blocks += [context(_state(message) + (f" · {left} more paragraphs: ask for the LTVs" if left else ""))]
    if message.buttons:
        blocks += [buttons(message)]
    return payload(words(message), blocks)


def buttons(message: Message) -> Block:
    """What may be done to the alert. Each carries which alert, and how bad it was where somebody clicked."""
    known = f"{message.alert} {message.seen}"
    return ActionsBlock([_ELEMENTS[name](known) for name in message.buttons])


def _acknowledge(known: str) -> Button:
    return Button("Acknowledge", ACTIONS[ACKNOWLEDGE], value=known, style="primary")


def _snooze(known: str) -> StaticSelectMenu:
    options = [Option(Text(label, type_=TextType.PLAINTEXT), f"{known} {choice}") for choice, label in SNOOZES.items()]
    return StaticSelectMenu(action_id=ACTIONS[SNOOZE], options=options, placeholder="Snooze")


def _plan(known: str) -> Button:
    return Button("Show plan", ACTIONS[PLAN], value=known)


def _no_notice(known: str) -> Button:
    return Button("No notice received", ACTIONS[NO_NOTICE], value=known)


_ELEMENTS = {ACKNOWLEDGE: _acknowledge, SNOOZE: _snooze, PLAN: _plan, NO_NOTICE: _no_notice}


def reply(message: Message) -> Payload:
    """One line of an alert's history, in its thread."""
    pieces, _ = _within(packed(f"{_one_line(message.headline)}\n{message.body}".strip()), BUDGET)
    return payload(words(message), [section(piece) for piece in pieces])


def continued(shown: list[dict[str, Any]], text: str, link: str | None) -> Payload:
    """An older post whose alert goes on in a newer one: what it said, without buttons, and where to look now.

    `shown` and `text` are the blocks and text it has in Slack (as Slack gives them: escaped already).
    """
    where = f"<{link}|a newer message>" if link else "a newer message below"
    kept = [_quiet(block) for block in shown if block.get("type") not in ("actions", "context")]
    said = MENTION.sub("", text.removeprefix(CONTINUED).strip())  # said twice, it reads the same
    return {"text": f"{CONTINUED} {said}".strip(), "blocks": [*kept, *_pointer(where)]}


def _pointer(where: str) -> list[dict[str, Any]]:
    return rendered([context(f"Continued in {where}.")])


def _quiet(block: dict[str, Any]) -> dict[str, Any]:
    """The block without its mention: it has woken people once."""
    text = block.get("text")
    if not isinstance(text, dict):
        return block
    return {**block, "text": {**text, "text": MENTION.sub("", str(text.get("text")))}}


def wake(message: Message) -> str:
    """The mention with which it begins, where it wakes anybody."""
    if not message.mention:
        return ""
    return f"<!subteam^{message.group}> " if message.group else "<!channel> "


def words(message: Message) -> str:
    """Its words alone, escaped."""
    return flat(f"{_one_line(message.headline)}\n{message.body}".strip())


def _state(message: Message) -> str:
    said = "Closed" if message.closed else message.level.capitalize()
    return f"{said} · {rich(message.state)}" if message.state else said


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
