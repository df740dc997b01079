"""Fixtures of the tests that run the command line."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog

from bot.workspace import Workspace
from edge.bot_process import SECRET, TOKEN, Source
from edge.cli_process import CONTRACT, Plimsoll, run_plimsoll


@pytest.fixture
def plimsoll(tmp_path: Path) -> Plimsoll:
    """Runs one command in an empty directory."""
    return partial(run_plimsoll, tmp_path)


@pytest.fixture(scope="session")
def recorded_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database into which the contract's treasury was imported, by the command."""
    directory = tmp_path_factory.mktemp("recorded")
    done = run_plimsoll(directory, "import", str(CONTRACT))
    assert done.code == 0, done.err
    return directory / "var" / "plimsoll.db"


@pytest.fixture
def imported(plimsoll: Plimsoll, recorded_database: Path, tmp_path: Path) -> Plimsoll:
    """The same, with the contract's treasury recorded."""
    (tmp_path / "var").mkdir()
    shutil.copy(recorded_database, tmp_path / "var")
    return plimsoll


@pytest.fixture
def logs_put_back() -> Iterator[None]:
    """A command that runs in this process sets up logs; afterwards they are as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A Slack for a whole process, with one user and one channel, and no limit to its rate."""
    one = Workspace(SECRET, TOKEN, posts_per_second=None, updates_per_minute=None)
    one.add_user("U1", name="Ada")
    one.add_channel("C1", name="treasury")
    with one:
        yield one


@pytest.fixture
def source() -> Iterator[Source]:
    """A price source for a whole process, far from every line."""
    one = Source("90000.00")
    yield one
    one.stop()
