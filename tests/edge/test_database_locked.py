"""Another session locks a whole table: what asks gets its refusal in time, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store

from .test_slack_bench import Bench, bench


@pytest.fixture
def database_kind() -> str:
    """SQLite has no table locks."""
    return "postgresql"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        yield made


@contextmanager
def locked(store: Store, table: str) -> Iterator[None]:
    with store.engine.connect() as other, other.begin():
        other.execute(text(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE'))
        yield


@pytest.mark.parametrize("line", ["/ltv", "/holdings", "/ltv -20%"])
def test_a_locked_register_is_a_reasoned_refusal_in_time(bot: Bench, line: str) -> None:
    with locked(bot.store, "treasury"):
        answer = bot.slack.command(line)
        assert answer.ok, answer.error
        assert answer.elapsed_s < 3
        assert "the database is busy or cannot be reached" in answer.text
    bot.quiet()
    assert "the database is busy" not in bot.slack.command(line).text


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(20)", "SELECT count(*) FROM treasury"])
def test_a_reader_waits_only_as_long_as_an_answer_may(store: Store, statement: str) -> None:
    with locked(store, "treasury"):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailableError), store.reading() as tx:
            tx._connection.execute(text(statement))
        assert 1.5 < time.monotonic() - began < 2.9


def test_the_limit_ends_with_the_reading(store: Store) -> None:
    with store.reading():
        pass
    with store.engine.connect() as connection:
        limits = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("lock_timeout", "statement_timeout")]
    assert limits == ["0", "0"]
