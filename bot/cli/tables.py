"""Tables that fit their terminal: names wrap, numbers and levels never do and are never cut.

Where there is no room for a row even so, its cells are written one after the other, each with its title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from textwrap import TextWrapper
from typing import NamedTuple, TypeAlias

NOTHING = "–"
GAP = "  "


class Cell(NamedTuple):
    """A piece of a line, and its colour."""

    text: str
    style: str = ""


Line: TypeAlias = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """`number`: to the right. `name`: words, which may go on on the next line."""

    title: str
    number: bool = False
    name: bool = False


@dataclass
class Table:
    """Rows of cells under their titles; `headed` is whether the titles are shown."""

    columns: tuple[Column, ...]
    headed: bool = True
    rows: list[tuple[Cell, ...]] = field(default_factory=list)

    def add_row(self, *cells: Cell | str, style: str = "") -> None:
        """A row; what has no colour of its own has that of the row."""
        self.rows.append(tuple(Cell(cell, style) if isinstance(cell, str) else cell for cell in cells))

    def within(self, width: int | None) -> Iterator[list[Line]]:
        """The titles and each row as lines no wider than `width`; None: each row on one line."""
        if self.headed and (widths := self._widths(width)) is not None:
            titles = tuple(Cell(column.title, "bold") for column in self.columns)
            yield self._beside(titles, widths)
        yield from self.rows_within(width)

    def rows_within(self, width: int | None) -> Iterator[list[Line]]:
        """Each row as lines no wider than `width`."""
        widths = self._widths(width)
        for row in self.rows:
            yield self._one_after_the_other(row, width or 0) if widths is None else self._beside(row, widths)

    def _widths(self, width: int | None) -> list[int] | None:
        """How wide each column is; None where they do not fit beside each other."""
        shown = [self.columns[i].title if self.headed else "" for i in range(len(self.columns))]
        texts = [[title, *(row[i].text for row in self.rows)] for i, title in enumerate(shown)]
        widths = [max(map(cells, column)) for column in texts]
        if width is None:
            return widths
        words = [max((cells(word) for text in column for word in text.split()), default=0) for column in texts]
        names = [i for i, column in enumerate(self.columns) if column.name]
        while sum(widths) + len(GAP) * (len(widths) - 1) > width:
            wide = [i for i in names if widths[i] > words[i]]
            if not wide:
                return None
            widths[max(wide, key=lambda i: widths[i])] -= 1
        return widths

    def _beside(self, row: Line, widths: Sequence[int]) -> list[Line]:
        """A row with its cells beside each other; a name that is too long goes on underneath."""
        parts = [
            _wrapped(cell.text, width) if column.name else [cell.text]
            for column, cell, width in zip(self.columns, row, widths, strict=True)
        ]
        return [self._line(row, texts, widths) for texts in zip_longest(*parts, fillvalue="")]

    def _line(self, row: Line, texts: Sequence[str], widths: Sequence[int]) -> Line:
        made: list[Cell] = []
        for column, cell, text, width in zip(self.columns, row, texts, widths, strict=True):
            space = " " * (width - cells(text))
            made += [Cell(GAP)] if made else []
            made.append(Cell(space + text if column.number else text + space, cell.style if text else ""))
        made[-1] = made[-1]._replace(text=made[-1].text.rstrip())
        return made

    def _one_after_the_other(self, row: Line, width: int) -> list[Line]:
        """A row as a block: its cells in order, and each title before its cell; what says nothing is left out."""
        lines: list[list[Cell]] = []
        room = 0
        for column, cell in zip(self.columns, row, strict=True):
            if cell.text.strip() in ("", NOTHING):
                continue
            title = f"{column.title} " if self.headed and column.title else ""
            for part in _wrapped(title + cell.text, max(width - len(GAP), 1)) if column.name else [title + cell.text]:
                margin = GAP if lines else ""
                if lines and cells(part) + len(GAP) <= room and not (len(lines) == 1 and title):
                    lines[-1] += [Cell(GAP)]
                else:
                    lines.append([Cell(margin)])
                    room = width - len(margin) + len(GAP)
                lines[-1] += [Cell(part[: len(title)]), Cell(part[len(title) :], cell.style)]
                room -= cells(part) + len(GAP)
                title = ""
        return list(lines)


def _wrapped(text: str, width: int) -> list[str]:
    """Words on as many lines as they need; what a name begins with (“  antalpha”) stays."""
    indent = text[: len(text) - len(text.lstrip())]
    wrap = TextWrapper(max(width, 1), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return wrap.wrap(text) if cells(text) > width else [text]


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
