"""Processes that record at the same time: each runs `plimsoll import` on file after file, as fast as it can.

A program of its own, so that it can fork before it has any thread: `python recorders.py DIRECTORY COUNT`. In DIRECTORY,
`first.toml` is imported by all at once; then process N imports the files that `N.json` lists, in that order, each again
and again as long as the database is busy. What became of each stands in `N.done.json`.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from select import select

from bot.cli import main
from bot.cli.common import load
from bot.store.engine import WRITER_WAIT, open_engine
from bot.store.store import Store
from bot.treasury_file import read_file  # noqa: F401  (imported before the fork, once for all)

FAILED, TRIES = 1, 30
HASTE, HASTY_TRIES = timedelta(milliseconds=200), 2
"""How long every second process waits for its turn at first: 15 s, as the command has it, are more than a test has."""

MOST_HELD_S = 10
"""Less than the patience of the others."""
MOST_S = 60
"""Where one of them dies at its first file the others go on, and end."""


class Signal:
    """Lets processes wait for each other."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def give(self, times: int = 1) -> None:
        os.write(self._write, b"x" * times)

    def take(self, times: int = 1, within: float | None = None) -> None:
        """Waits for as many; where one does not come `within` so many seconds, for no more."""
        for _ in range(times):
            if not select([self._read], [], [], within)[0]:
                return
            os.read(self._read, 1)


READY, GO, BUSY = Signal(), Signal(), Signal()


def run(directory: Path, count: int) -> None:
    """Once all have the first file, nobody can write until every hasty one has been told that the database is busy."""
    children = []
    for number in range(count):
        if (child := os.fork()) == 0:
            os._exit(_child(directory, number, is_hasty=number % 2 == 1))
        children.append(child)
    READY.take(count, MOST_S)
    store = Store(open_engine(load().database_url.get_secret_value()))
    with store.writing():
        GO.give(count)
        BUSY.take(count // 2, MOST_HELD_S)
    store.close()
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    sys.exit(max(codes))


def _child(directory: Path, number: int, *, is_hasty: bool) -> int:
    done = [_import(directory, "first.toml")]
    READY.give()
    GO.take(within=2 * MOST_S)
    names = json.loads((directory / f"{number}.json").read_text())
    done += [_import(directory, name, HASTY_TRIES if is_hasty else 0) for name in names]
    (directory / f"{number}.done.json").write_text(json.dumps(done))
    return 0


def _import(directory: Path, name: str, hasty_tries: int = 0) -> dict[str, object]:
    """One file: what the command said and returned, and what it said each time that it was busy."""
    busy: list[str] = []
    for tried in range(TRIES):
        wait = HASTE if tried < hasty_tries else WRITER_WAIT
        Store.writing.__wrapped__.__defaults__ = (wait,)  # type: ignore[attr-defined]
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = main(["import", str(directory / name)])
        if code != FAILED:
            return {"file": name, "code": code, "out": out.getvalue(), "err": err.getvalue(), "busy": busy}
        busy.append(out.getvalue() + err.getvalue())
        if len(busy) == 1 and hasty_tries:
            BUSY.give()
    return {"file": name, "code": FAILED, "out": "", "err": "", "busy": busy}


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
