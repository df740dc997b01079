"""The command: makes the cases, gives each batch a bot of its own, prints one table; 1 where one failed."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from . import sockets
from .report import failed, summary
from .series import BATCH, Result, batches, run_all

ONE_BROKEN_OF, LEAST_BROKEN = 100, 50
"""Broken connections: one for so many cases, at least so many."""


def main() -> int:
    asked = _arguments()
    seed = asked.seed or secrets.token_hex(4)
    began = time.monotonic()
    numbers = [asked.only] if asked.only else list(batches(asked.cases))
    _say(f"Seed {seed}: {sum(map(len, numbers)):,} cases.")
    result = run_all(seed, numbers, asked.at_once, partial(_told, seed))
    for line in summary(result):
        _say(line)
    broken = [] if asked.only else _broken_http(seed, max(asked.cases // ONE_BROKEN_OF, LEAST_BROKEN))
    _say(f"{time.monotonic() - began:.0f} s")
    return 1 if result.failures or broken else 0


def _broken_http(seed: str, count: int) -> list[str]:
    """Broken HTTP at a bot's own server; what was found wrong."""
    with TemporaryDirectory(prefix="plimsoll-fuzz-") as folder:
        sent, found = sockets.run(seed, count, Path(folder))
    _say(f"Broken HTTP: {sent:,} connections, {sockets.STALLED} of them stalled at once. Failed: {len(found)}")
    for line in found:
        _say(f"  {line}")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", help="of an earlier run: the same cases")
    parser.add_argument("--only", type=_range, help="as 1234 or 1000..1234, on one bot")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="processes; default: the processors")
    return parser.parse_args()


def _range(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def _told(seed: str, count: int, batch: Result) -> None:
    for line in failed(batch, seed):
        _say(line)
    if count % (10 * BATCH) == 0:
        _say(f"  {count:,} cases")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
