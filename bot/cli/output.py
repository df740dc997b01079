"""How answers are printed: JSON alone, or short tables that read as well in a terminal as in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

PIPED_WIDTH = 120
_STYLES = {"critical": "bold red", "warning": "yellow", "notice": "cyan", "unknown": "magenta", "ok": ""}
NOTHING = "–"


def print_json(document: Any) -> None:
    """One JSON document, indented."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_json_line(document: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


class Page:
    """stdout for people. Not a terminal: plain text, wide enough that no row breaks, nothing at the ends of lines."""

    def __init__(self) -> None:
        from rich.console import Console

        self._terminal = sys.stdout.isatty()
        if self._terminal:
            self._console = Console(highlight=False, emoji=False, markup=False)
        else:
            self._console = Console(highlight=False, emoji=False, markup=False, width=PIPED_WIDTH, color_system=None)

    def print(self, shown: RenderableType = "", style: str | None = None) -> None:
        """A line, a table, or an empty line."""
        if self._terminal:
            self._console.print(shown, style=style)
            return
        with self._console.capture() as captured:
            self._console.print(shown)
        for line in captured.get().splitlines():
            sys.stdout.write(line.rstrip() + "\n")

    def paragraph(self, text: str, indent: int = 2) -> None:
        """Running text, indented and wrapped between words."""
        self.hanging(" " * indent, text)

    def hanging(self, label: str, text: str, style: str | None = None) -> None:
        """A label, and text beside it, wrapped between words."""
        margin = " " * len(label)
        lines = TextWrapper(
            self._console.width - 1,
            initial_indent=label,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines.wrap(text):
            self.print(line, style)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table without lines; the columns of `right` hold numbers. A column without a title is “”."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        side = "right" if column in right else "left"
        made.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]  # "right" or "left"
    return made


def level_text(level: str) -> Text:
    """The word of a level in its colour, where there are colours."""
    from rich.text import Text

    return Text(level, style=style(level))


def style(level: str) -> str:
    """The colour of a level, where there are colours."""
    return _STYLES.get(level, "")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """An instant for people: "Sat 31 Jan 2026 17:59 CST"."""
    there = instant.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M %Z}"


def bold(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="bold")
