"""Opening the database, and who waits for whom."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from making import NOON

from bot.store import engine
from bot.store.engine import DatabaseUnavailableError, open_engine
from bot.store.store import Store

INCREMENT = """
import sys
from datetime import UTC, datetime
from bot.store.engine import open_engine
from bot.store.store import Store
store = Store(open_engine(sys.argv[1]))
now = datetime(2026, 2, 7, tzinfo=UTC)
for _ in range(100):
    with store.writing() as tx:
        seen = tx.user("U1")
        tx.put_users([("U1", {"n": (seen.document["n"] if seen else 0) + 1})], now)
"""


def test_it_makes_the_directory_and_keeps_what_it_is_told_when_power_fails(tmp_path: Path) -> None:
    opened = open_engine(f"sqlite:///{tmp_path}/var/deep/plimsoll.db")
    with opened.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        values = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
    assert values == ["wal", 2, 1]
    assert (tmp_path / "var" / "deep").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "is not a database URL"),
        ("plimsoll.db", "is not a database URL"),
        ("postgresql+psycopg://me:s3cret@host:port/name", "is not a database URL"),
        ("mysql://me:s3cret@host/name", "no “mysql” here"),
        ("postgresql+psycopg2://me:s3cret@host/name", "no “postgresql+psycopg2” here"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("sqlite:////proc/nowhere/plimsoll.db", "cannot be made"),
    ],
)
def test_a_wrong_url_names_the_setting_and_shows_no_password(url: str, says: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as refusal:
        open_engine(url)
    assert says in str(refusal.value)
    assert "s3cret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("url", ["postgres://me:pw@host/name", "postgresql://me:pw@host/name"])
def test_the_url_a_host_gives_is_understood(url: str) -> None:
    assert open_engine(url).url.drivername == "postgresql+psycopg"


def test_a_server_that_is_not_there_is_an_error_to_retry_and_comes_at_once() -> None:
    store = Store(open_engine("postgresql+psycopg://me:s3cret@127.0.0.1:1/name"))
    began = monotonic()
    with pytest.raises(DatabaseUnavailableError) as error, store.reading():
        pass
    assert monotonic() - began < 3
    assert "s3cret" not in str(error.value)


def test_a_reader_waits_for_no_writer(store: Store) -> None:
    with store.writing() as writer:
        writer.put_users([("U1", {"n": 1})], NOON)
        began = monotonic()
        with store.reading() as reader:
            assert reader.user("U1") is None
        assert monotonic() - began < 0.5


def test_a_reader_sees_one_instant(store: Store) -> None:
    with store.reading() as reader:
        assert reader.user("U1") is None
        with store.writing() as writer:
            writer.put_users([("U1", {"n": 1})], NOON)
        assert reader.user("U1") is None


def test_a_writer_waits_only_as_long_as_it_may(store: Store) -> None:
    with store.writing():
        began = monotonic()
        with (
            pytest.raises(DatabaseUnavailableError),
            store.writing(wait=timedelta(milliseconds=300)) as second,
        ):
            second.put_users([("U1", {"n": 1})], NOON)
        assert 0.2 < monotonic() - began < 2
    with store.writing(wait=timedelta(milliseconds=300)) as third:
        third.put_users([("U1", {"n": 1})], NOON)


def test_an_error_undoes_everything(store: Store) -> None:
    with suppress(ZeroDivisionError), store.writing() as tx:
        tx.put_users([("U1", {"n": 1})], NOON)
        _ = 1 / 0
    with store.reading() as tx:
        assert tx.user("U1") is None


def test_two_processes_lose_no_update(store: Store, database_url: str) -> None:
    command = [sys.executable, "-c", INCREMENT, database_url]
    both = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    with store.reading() as tx:
        seen = tx.user("U1")
    assert seen is not None
    assert seen.document == {"n": 200}


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # SQLite has no server to end a session
def test_a_frozen_writer_loses_its_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FROZEN_AFTER", timedelta(milliseconds=200))

    def freeze() -> None:
        with store.writing() as frozen:
            frozen.put_users([("U1", {"n": 1})], NOON)
            with store.writing(wait=timedelta(seconds=5)) as other:
                assert other.user("U1") is None
                other.put_users([("U1", {"n": 2})], NOON)

    with pytest.raises(DatabaseUnavailableError):
        freeze()
    with store.reading() as tx:
        seen = tx.user("U1")
    assert seen is not None
    assert seen.document == {"n": 2}
