"""The command: splits the blows over the mixes, runs one after another, prints one table; 1 where one failed."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from .report import summary
from .series import Plan, Result, postgresql, run

BEYOND_SHARE = 10
"""The second series has one kill for so many of the first."""


def main() -> int:
    asked = _arguments()
    seed = asked.seed or secrets.token_hex(4)
    stops = asked.kills // 5 if asked.stops is None else asked.stops
    _say(f"Seed {seed}: {asked.kills} kills and {stops} stops.")
    kept = Path(tempfile.mkdtemp(prefix="plimsoll-chaos-"))
    with ThreadPoolExecutor(asked.at_once) as threads:
        results = list(threads.map(lambda one: _run(one[1], kept / str(one[0])), enumerate(_plans(asked, seed, stops))))
    _say("")
    for line in summary(results):
        _say(line)
    if any(one.has_failed for one in results):
        _say(f"\nLogs and databases are in {kept}; again: --seed {seed}")
        return 1
    shutil.rmtree(kept)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--stops", type=int, help="default: one for five kills")
    parser.add_argument("--workers", type=_range, default=range(1, 4), help="as 2 or 1..3 (on SQLite always 1)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "all"), default="all")
    parser.add_argument("--seed", help="of an earlier run: the same plan; the moments differ, as processes do")
    parser.add_argument("--gap", type=float, default=1.8, help="mean seconds of work between two blows")
    at_once = max((os.cpu_count() or 1) // 2, 1)
    parser.add_argument("--at-once", type=int, default=at_once, help="series; default: one for two processors")
    parser.add_argument("--series", choices=("first", "second", "both"), default="both")
    return parser.parse_args()


def _range(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def _plans(asked: argparse.Namespace, seed: str, stops: int) -> Iterator[Plan]:
    mixes = [("sqlite", 1)] if asked.database != "postgresql" else []
    if asked.database != "sqlite":
        mixes += [("postgresql", workers) for workers in asked.workers]
    if asked.series != "second":
        for number, (database, workers) in enumerate(mixes):
            kills, stopped = (_share(whole, len(mixes), number) for whole in (asked.kills, stops))
            yield Plan(database, workers, kills, stopped, f"{seed}/{number}", gap=asked.gap)
    if asked.series != "first":
        database, workers = mixes[-1]
        kills = max(asked.kills // BEYOND_SHARE, 1)
        yield Plan(database, workers, kills, kills // 5, f"{seed}/beyond", beyond=True, gap=asked.gap)


def _share(whole: int, parts: int, number: int) -> int:
    return whole // parts + (number < whole % parts)


def _run(plan: Plan, directory: Path) -> Result:
    directory.mkdir()
    with ExitStack() as stack:
        if plan.database == "postgresql":
            short = Path(tempfile.mkdtemp(prefix="plimsoll-pg-"))  # a socket's path must be short
            url = stack.enter_context(postgresql(short))
        else:
            url = f"sqlite:///{directory}/plimsoll.db"
        result = run(plan, directory, url)
    _say(f"  {plan.name}: {result.seconds:.0f} s")
    return result


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
