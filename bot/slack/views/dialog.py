"""What every dialog is made of: the view around its blocks, and its plain text and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slackblocks import Block, Option, Text, TextType

from bot.slack.views.parts import rendered

LONGEST_OPTION = 75


def modal(
    callback: str, title: str, submit: str | None, origin: str, blocks: Sequence[Block], close: str = "Cancel"
) -> dict[str, Any]:
    """A dialog; `origin` is what it brings back."""
    view = {
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": close},
        "private_metadata": origin,
        "blocks": rendered(blocks),
    }
    return view | ({"submit": {"type": "plain_text", "text": submit}} if submit else {})


def option(label: str, value: str) -> Option:
    """One of a menu."""
    shown = label if len(label) <= LONGEST_OPTION else label[: LONGEST_OPTION - 1] + "…"
    return Option(plain(shown), value)


def plain(text: str) -> Text:
    """Text that Slack shows as it is."""
    return Text(text, type_=TextType.PLAINTEXT)
