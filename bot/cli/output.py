"""How answers are printed: JSON alone, or short tables that read as well in a terminal as in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.cli.tables import NOTHING, Cell, Column, Table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from bot.domain.digest_words import Told

__all__ = [
    "NOTHING",
    "Cell",
    "Page",
    "Table",
    "bold",
    "level",
    "local",
    "print_json",
    "print_json_line",
    "style",
    "table",
]

PIPED_WIDTH = 120
_STYLES = {"critical": "bold red", "warning": "yellow", "notice": "cyan", "unknown": "magenta", "ok": ""}


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
        """A line, or an empty line."""
        if self._terminal:
            self._console.print(shown, style=style)
            return
        with self._console.capture() as captured:
            self._console.print(shown)
        for line in captured.get().splitlines():
            sys.stdout.write(line.rstrip() + "\n")

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where there is none, and so nothing to fit."""
        return self._console.width if self._terminal else None

    def table(self, shown: Table) -> None:
        """A table, as wide as there is room for; no number or level is ever cut."""
        for row in shown.within(self.width):
            self.lines(row)

    def lines(self, lines: Iterable[Sequence[Cell]]) -> None:
        """Lines of pieces, each in its own colour."""
        from rich.text import Text

        for line in lines:
            if self._terminal:
                self._console.print(Text.assemble(*((cell.text, cell.style) for cell in line)), soft_wrap=True)
            else:
                sys.stdout.write("".join(cell.text for cell in line).rstrip() + "\n")

    def paragraph(self, text: str, indent: int = 2) -> None:
        """Running text, indented and wrapped between words."""
        self.hanging(" " * indent, text)

    def told(self, said: Told) -> None:
        """What is posted in Slack as well, as text."""
        from bot.domain.words import plain_text

        self.print(bold(plain_text(said.headline)))
        self.print()
        self.paragraph(plain_text(said.advice), indent=0)
        for part in said.parts:
            self.print()
            self.print(bold(plain_text(part.title)))
            for line in part.lines:
                self.paragraph(plain_text(line))
        if said.note:
            self.print()
            self.paragraph(plain_text(said.note), indent=0)

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


def table(*columns: str, right: Sequence[str] = (), names: Sequence[str] = (), headed: bool = True) -> Table:
    """An empty table; the columns of `right` hold numbers, those of `names` words that may wrap. A title may be “”."""
    return Table(tuple(Column(title, title in right, title in names) for title in columns), headed)


def level(word: str) -> Cell:
    """The word of a level in its colour, where there are colours."""
    return Cell(word, style(word))


def style(word: str) -> str:
    """The colour of a level, where there are colours."""
    return _STYLES.get(word, "")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """An instant for people: "Sat 31 Jan 2026 17:59 CST"."""
    there = instant.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M %Z}"


def bold(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="bold")
