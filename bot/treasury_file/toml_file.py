"""A treasury file as TOML: parsed, and where its tables are written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from bot.treasury_file.faults import Faults, Path, TreasuryFileError, called, numbered
from bot.treasury_file.rows import Parsed
from bot.treasury_file.values import Float

BEGINS = "a treasury file begins with [treasury] and its name, timezone and opened."

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]#=]+)\]\]?\s*(?:#.*)?\Z")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*[=.]")


class TomlLayout:
    """Tables go by what they are and their number, faults by the line of their table and key."""

    def __init__(self, text: str, document: Mapping[str, Any]) -> None:
        self._document = document
        self._lines = _line_numbers(text)

    def order(self, path: Path) -> tuple[int, ...]:
        """The line at which `path` is written, or that of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return (self._lines.get(path, 0),)

    def name(self, path: Path) -> str:
        return _where(path, self._document)

    def place(self, path: Path) -> str:
        return numbered(path)

    def missing(self, key: str, example: str) -> str:
        return f"{key} is missing; write for example {key} = {example}"


def parse_toml(path_name: str, text: str) -> Parsed:
    """What tomllib makes of the file, floats as they are written. TreasuryFileError, one line: it is no TOML."""
    try:
        document = tomllib.loads(text, parse_float=Float)
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of thousands of digits
        raise TreasuryFileError([f"{path_name}: {_syntax(error, text)}"]) from error
    if not document:
        raise TreasuryFileError([f"{path_name}: the file is empty; {BEGINS}"])
    layout = TomlLayout(text, document)
    return Parsed(document, layout, Faults(path_name, layout))


def _syntax(error: Exception, text: str) -> str:
    """tomllib's own words, with the place first: “line 3, column 8: …”."""
    if isinstance(error, RecursionError):
        return "is nested too deeply to be read; a treasury file has tables two deep."
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "has a number too long to be read; write amounts in quotes."
    what, _, place = str(error).partition(" (at ")
    place = place.rstrip(")")
    if not place or place == "end of document":
        last = max(len(text.splitlines()), 1)
        place = f"line {last}, column {len((text.splitlines() or [''])[-1]) + 1}"
    return f"{place}: not valid TOML: {_twice(what, place, text) or f'{what[:1].lower()}{what[1:]}.'}"


_WRITTEN = re.compile(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")
_DECLARED = re.compile(r"Cannot declare \((.*?),?\) twice")


def _twice(what: str, place: str, text: str) -> str | None:
    """What is written twice, by its name; None where something else is wrong."""
    if table := _DECLARED.match(what):
        name = ".".join(part.strip().strip("'") for part in table[1].split(","))
        return f"[{name}] is written twice; keep one of them."
    if what == "Cannot overwrite a value":
        line = int(place.removeprefix("line ").partition(",")[0])
        keys: list[str] = []
        for one in text.splitlines()[:line]:
            if one.lstrip().startswith("["):
                keys = []
            elif key := _WRITTEN.match(one):
                keys.append(re.sub(r"[\"'\s]", "", key[1]))
        twice = [key for key in keys if keys.count(key) > 1] or keys
        return f"“{twice[-1]}” is written twice in one table; keep one of them." if twice else None
    return None


def _where(path: Path, document: Mapping[str, Any]) -> str:
    """The tables on the way to `path`, as people count and call them: “facility[1] (antalpha) tier[3] “call””."""
    words: list[str] = []
    here: Any = document
    for step in path:
        here = _inside(here, step)
        if isinstance(step, int):
            words[-1] += f"[{step + 1}]{called(here)}"
        else:
            words.append(step)
    return " ".join(words)


def _inside(here: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return here[step] if isinstance(here, list) and step < len(here) else None
    return here.get(step) if isinstance(here, dict) else None


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
