"""`make chaos`, small: the real bot is killed and frozen while Slack and the price sources fail."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from .report import summary
from .series import Plan, run


@pytest.mark.timeout(500)
@pytest.mark.parametrize(("database", "workers"), [("sqlite", 1), ("postgresql", 3)])
def test_nothing_is_lost_or_said_twice(
    database: str, workers: int, empty_database: Callable[[str], str], tmp_path: Path
) -> None:
    seed = secrets.token_hex(4)
    plan = Plan(database, workers, kills=7, stops=2, seed=seed, gap=1.2)
    result = run(plan, tmp_path, empty_database(database))
    assert not result.has_failed, "\n".join([f"seed {seed}, logs in {tmp_path}", *summary([result])])
    assert (result.kills, result.stops) == (7, 2)
