"""Opens the database: SQLite by default, PostgreSQL where several machines share it.

Writing transactions come one after another on both, so that what was read is still so when the write lands: BEGIN
IMMEDIATE on SQLite (with the driver's default two processes silently lost 366 of 1,000 updates), an advisory lock of
the transaction on PostgreSQL. Reading ones wait for nobody. A writer that freezes in the middle loses its
PostgreSQL session, and the lock with it, after `FROZEN_AFTER`; a reader gives up what takes longer than `ANSWER_WAIT`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy import text as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

ANSWER_WAIT = timedelta(seconds=1.5)
"""How long an answer waits for the database: half of Slack's 3 s, the rest is for all else."""
WRITER_WAIT = timedelta(seconds=15)
"""How long work in the background waits its turn to write."""
FROZEN_AFTER = timedelta(seconds=30)
CONNECT_TIMEOUT_S = 2
_WRITER_LOCK = 0x504C494D
_SQL_EXAMPLES = "sqlite:///var/plimsoll.db or postgresql+psycopg://user:password@host/name"


class DatabaseUnavailableError(Exception):
    """The database cannot be reached or is too busy now. Retry; unless the line broke in the very commit, nothing was
    written."""


def open_engine(url: str, *, foreign_keys: bool = True, pooled: bool = True) -> Engine:
    """The engine behind `url`; a missing directory of a SQLite file is made. Connects when first used.

    `foreign_keys=False` is for migrations alone. ValueError, naming DATABASE_URL and no password, where `url` is none.
    """
    parsed = parse_url(url)
    pool: dict[str, Any] = {} if pooled else {"poolclass": NullPool}
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, foreign_keys=foreign_keys, pool=pool)
    if pooled:
        pool = {"pool_pre_ping": True, "pool_timeout": CONNECT_TIMEOUT_S}
    return create_engine(parsed, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}, **pool)


def parse_url(url: str) -> URL:
    """`url` as SQLAlchemy has it. ValueError, naming DATABASE_URL and no password, where it is no database of ours."""
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except (ArgumentError, ValueError):
        raise ValueError(f"DATABASE_URL is not a database URL; write it as {_SQL_EXAMPLES}") from None
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ValueError(f"DATABASE_URL: no “{parsed.drivername}” here; write it as {_SQL_EXAMPLES}")
    if parsed.host or not parsed.database or parsed.database == ":memory:":
        raise ValueError("DATABASE_URL: SQLite needs a file: sqlite:///var/plimsoll.db, or sqlite:////srv/plimsoll.db")
    return parsed


def _open_sqlite(url: URL, *, foreign_keys: bool, pool: dict[str, Any]) -> Engine:
    try:
        Path(str(url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"DATABASE_URL: the directory of {url.database} cannot be made: {error.strerror}") from None
    engine = create_engine(url, **pool)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver leaves BEGIN to us
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {_milliseconds(WRITER_WAIT)}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_milliseconds(options.get('wait', ANSWER_WAIT))}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine, wait: timedelta = WRITER_WAIT, *, turn: bool = True) -> Iterator[Connection]:
    """One writing transaction, after all others; committed at the end, rolled back on any error.

    DatabaseUnavailableError where its turn does not come within `wait`. Without `turn` it waits on PostgreSQL only
    for whoever has the very rows that it changes.
    """
    with _sorted_errors(), engine.connect() as connection:
        connection.execution_options(writing=True, wait=wait)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                _take_turn(connection, wait, turn=turn)
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One reading transaction: everything in it is as of one instant, and it waits for no writer.

    DatabaseUnavailableError where a statement takes longer than `ANSWER_WAIT`, as behind somebody else's table lock.
    """
    options: dict[str, Any] = {"wait": ANSWER_WAIT}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _sorted_errors(), engine.connect().execution_options(**options) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            _limit_reading(connection)
        yield connection


def _limit_reading(connection: Connection) -> None:
    """In one round trip, and for this transaction alone."""
    connection.execute(
        sql("SELECT set_config('lock_timeout', :wait, true), set_config('statement_timeout', :wait, true)"),
        {"wait": str(_milliseconds(ANSWER_WAIT))},
    )


def _take_turn(connection: Connection, wait: timedelta, *, turn: bool) -> None:
    """All in one round trip; the settings end with the transaction, so a connection pooler may stand between."""
    settings = (
        "SELECT set_config('lock_timeout', :wait, true),"
        " set_config('idle_in_transaction_session_timeout', :frozen, true)"
    )
    known = {"wait": str(_milliseconds(wait)), "frozen": str(_milliseconds(FROZEN_AFTER))}
    if turn:
        connection.execute(sql(f"{settings}, pg_advisory_xact_lock(:lock)"), {**known, "lock": _WRITER_LOCK})
    else:
        connection.execute(sql(settings), known)


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if not isinstance(error, (OperationalError, PoolTimeout)) and not _was_frozen(error):
            raise
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseUnavailableError(f"The database cannot be used now: {_first_line(cause)}") from error


def _was_frozen(error: DBAPIError) -> bool:
    """Whether the server ended the session because its transaction stood still; the driver calls that internal."""
    return getattr(error.orig, "sqlstate", None) == "25P03"


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


__all__ = [
    "ANSWER_WAIT",
    "WRITER_WAIT",
    "DatabaseUnavailableError",
    "open_engine",
    "parse_url",
    "reading",
    "writing",
]
