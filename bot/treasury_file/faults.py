"""What is wrong with a file: every fault one line, all of them at once, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from bot.treasury_file.values import Float, shown

Path: TypeAlias = tuple[str | int, ...]
"""Where a table is: ("facility", 0, "tier", 2); tables count from 0 here and from 1 in what is shown."""

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]#=]+)\]\]?\s*(?:#.*)?\Z")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*[=.]")


class TreasuryFileError(Exception):
    """A treasury file that cannot be taken. `faults` has every one, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Faults:
    """Collects what is wrong with one file, in whatever order it is found."""

    def __init__(self, file: str, text: str, document: Mapping[str, Any]) -> None:
        self._file = file
        self._document = document
        self._lines = _line_numbers(text)
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, text: str, at: Path | None = None) -> None:
        """`text` is wrong with the table at `path`; `at` is the line's place in the order, where it is another."""
        place = where(path, self._document)
        self._found.append(
            (self._line(at or path), f"{self._file}: {place}: {text}" if place else f"{self._file}: {text}")
        )

    def key(self, path: Path, key: str, text: str) -> None:
        """`text` is wrong with `key` of the table at `path`."""
        self.add(path, f"{key}: {text}", at=(*path, key))

    def in_order(self) -> list[str]:
        """Every fault once, in file order."""
        return list(dict.fromkeys(line for _, line in sorted(self._found, key=lambda found: found[0])))

    def _line(self, path: Path) -> int:
        """The line at which `path` is written, or that of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)


def where(path: Path, document: Mapping[str, Any]) -> str:
    """The tables on the way to `path`, as people count and call them: “facility[1] (antalpha) tier[3] “call””."""
    words: list[str] = []
    here: Any = document
    for step in path:
        here = _inside(here, step)
        if isinstance(step, int):
            words[-1] += f"[{step + 1}]{_called(here)}"
        else:
            words.append(step)
    return " ".join(words)


def _inside(here: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return here[step] if isinstance(here, list) and step < len(here) else None
    return here.get(step) if isinstance(here, dict) else None


def _called(table: Any) -> str:
    """The id or name of a table, where it has one that can be shown."""
    if not isinstance(table, dict):
        return ""
    for key in ("id", "month", "effective"):
        value = table.get(key)
        if value and not isinstance(value, (Float, bool, list, dict)):
            return f" ({shown(value).strip('“”')})"
    for key in ("ref", "name", "purpose", "kind"):
        value = table.get(key)
        if value and isinstance(value, str) and not isinstance(value, Float) and (key != "kind" or "at" not in table):
            return f" {shown(value)}"
    return ""


def _line_numbers(text: str) -> dict[Path, int]:
    """The line of every table header and key, as far as a look at each line tells.

    tomllib doesn't say where things are. This only puts faults in order, so a header inside a multi-line string,
    or a quoted key, does no harm.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table_path(header[1], header[2], counts)
            lines.setdefault(table, number)
            if table[:-1]:
                lines.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
    return lines


def _table_path(brackets: str, dotted: str, counts: dict[Path, int]) -> Path:
    *outer, last = (part.strip().strip("\"'") for part in dotted.split("."))
    path: Path = ()
    for part in outer:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path] - 1)
    path = (*path, last)
    if brackets == "[[":
        counts[path] = counts.get(path, 0) + 1
        path = (*path, counts[path] - 1)
    return path
