"""One tick through poll, checks, decide and commit, against committing one row of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.bots import large_bot
from tests.benchmarks.measure import line, timed

TIMES = 100


def run() -> Iterator[str]:
    with TemporaryDirectory() as folder, large_bot() as (running, _, clock):
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE tick (at)")

        def tick() -> None:
            clock.at += timedelta(seconds=30)
            running.poll_and_check()

        committed = timed(lambda: bare.execute("INSERT INTO tick VALUES (1)"), TIMES)
        yield line("tick: poll, 10 facilities checked, committed", timed(tick, TIMES), committed, "one committed row")
        bare.close()
