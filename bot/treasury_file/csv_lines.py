"""The lines of a CSV file: which character separates their cells, and each row with what is wrong with its form.

Nothing here knows what the cells mean.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import takewhile

DELIMITERS = (",", ";", "\t")
LONGEST_LINE = 50_000
MOST_LINES_OF_A_ROW = 50


@dataclass(frozen=True)
class Line:
    """One row: the number of the line on which it begins, and its cells, or what is wrong with its form."""

    number: int
    cells: tuple[str, ...]
    fault: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.fault and not any(self.cells)


def split_lines(text: str) -> list[str]:
    """The lines of a file with their ends, whatever they end in."""
    return StringIO(text, newline=None).readlines()


def delimiter_of(header: str, names: Collection[str]) -> str:
    """What separates the cells of the file: that of `DELIMITERS` by which its header has most of `names`."""
    return max(DELIMITERS, key=lambda one: sum(cell.lower() in names for cell in _cut(header, one)))


def rows_of(lines: list[str], delimiter: str) -> Iterator[Line]:
    """Every row but the blank ones, of which the first is the header. Blanks around a cell are not part of it.

    A row with another number of cells than the header is at fault. So is one whose quotes don't match; the next line
    is then a row of its own, so that one open quote does not swallow the rest of the file.
    """
    width = 0
    start = 0
    while start < len(lines):
        row, taken = _row(lines, start, delimiter, width)
        start += taken
        if row.is_blank:
            continue
        width = width or len(row.cells)
        yield row


def _row(lines: list[str], start: int, delimiter: str, width: int) -> tuple[Line, int]:
    """The row that begins at `start`, and how many lines it takes. With a `width` of 0 any number of cells is right."""
    line = lines[start]

    def wrong(fault: str) -> tuple[Line, int]:
        return Line(start + 1, _cut(line, delimiter), fault), 1

    if "\0" in line:
        return wrong("has a NUL byte; save the file anew as UTF-8 text.")
    if len(line) > LONGEST_LINE:
        return wrong(f"has {len(line):,} characters; write at most {LONGEST_LINE:,}, one row a line.")
    reader = csv.reader(_window(lines, start), delimiter=delimiter, strict=True)
    try:
        cells = tuple(map(str.strip, next(reader)))
    except csv.Error:
        return wrong(_UNCLOSED)
    if not width or len(cells) == width or not any(cells):
        return Line(start + 1, cells), reader.line_num
    if reader.line_num > 1:
        return wrong(_UNCLOSED)
    count = f"has {len(cells)} cells, and the header has {width}"
    if len(cells) > width:
        return wrong(f"{count}; put a cell that contains {_NAMES[delimiter]} in quotes.")
    return wrong(f"{count}; an empty cell needs its {_NAMES[delimiter]} too.")


_UNCLOSED = 'has a quote that is not closed, or goes on after one; write a quote in a quoted cell twice, as "".'
_NAMES = {",": "“,”", ";": "“;”", "\t": "tab"}


def _window(lines: list[str], start: int) -> Iterator[str]:
    """The lines over which a quoted cell may go on."""
    return takewhile(lambda line: len(line) <= LONGEST_LINE, lines[start : start + MOST_LINES_OF_A_ROW])


def _cut(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a line as far as they can be told without minding quotes."""
    return tuple(cell.strip().strip('"').strip() for cell in line.split(delimiter))
