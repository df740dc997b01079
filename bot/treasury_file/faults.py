"""What is wrong with a file: every fault one line, all of them at once, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

from bot.treasury_file.values import Float, shown

Path: TypeAlias = tuple[str | int, ...]
"""Where a table is: ("facility", 0, "tier", 2); tables count from 0 here and from 1 in what is shown."""


Fault: TypeAlias = tuple[Path, str]
"""What is wrong, and where: the path of the key, or of the table where no key is to blame."""


class TreasuryFileError(Exception):
    """A treasury file that cannot be taken. `faults` has every one, a line each; `found` those with a place."""

    def __init__(self, faults: list[str], found: Iterable[Fault] = ()) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
        self.found = tuple(found)


class Layout(Protocol):
    """Where the tables of one file are written, in the words of its form: TOML or CSV."""

    def order(self, path: Path) -> tuple[int, ...]:
        """Sorts what is at `path`, a table or one key of it, into the order of the file."""

    def name(self, path: Path) -> str:
        """The table at `path` as people find it: “facility[1] (antalpha)”, “line 3 “sale 1””."""

    def place(self, path: Path) -> str:
        """Where it is, by its number alone: “facility[1]”, “in line 3”."""

    def missing(self, key: str, example: str) -> str:
        """What to say where `key`, as `example` in TOML, must be and isn't."""


class Faults:
    """Collects what is wrong with one file, in whatever order it is found."""

    def __init__(self, file: str, layout: Layout) -> None:
        self._file = file
        self._layout = layout
        self._found: list[tuple[tuple[int, ...], str]] = []
        self.placed: list[Fault] = []
        """Each as it was found, without the words for its place."""

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, text: str, at: Path | None = None) -> None:
        """`text` is wrong with the table at `path`; `at` is the line's place in the order, where it is another."""
        self.placed.append((at or path, text))
        self._add(path, text, at)

    def _add(self, path: Path, text: str, at: Path | None) -> None:
        place = self._layout.name(path)
        self._found.append(
            (self._layout.order(at or path), f"{self._file}: {place}: {text}" if place else f"{self._file}: {text}")
        )

    def key(self, path: Path, key: str, text: str) -> None:
        """`text` is wrong with `key` of the table at `path`."""
        self.placed.append(((*path, key), text))
        self._add(path, f"{key}: {text}", (*path, key))

    def missing(self, path: Path, key: str, example: str, instead: str = "") -> None:
        """The table at `path` lacks `key`, which could be `example`; or it has `instead`."""
        self.add(path, f"{self._layout.missing(key, example)}{instead and f', or {instead}'}", at=(*path, key))

    def place(self, path: Path) -> str:
        """Where the table at `path` is, by its number alone."""
        return self._layout.place(path)

    def in_order(self) -> list[str]:
        """Every fault once, in file order."""
        return list(dict.fromkeys(line for _, line in sorted(self._found, key=lambda found: found[0])))


def numbered(path: Path) -> str:
    """A table by its number alone: “tier[2]”."""
    return f"{path[-2]}[{int(path[-1]) + 1}]"


def called(table: Any) -> str:
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
