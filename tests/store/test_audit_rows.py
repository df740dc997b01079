"""The audit log in both databases: it only grows, its writers lose and double nothing, and an edit by hand is found."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from making import NOON
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.domain.audit import Break, Entry, Fault, Head, Sealed, What, verify
from bot.logs import Redaction
from bot.store import audit
from bot.store.engine import writing
from bot.store.store import Store

PROCESSES, EACH = 8, 25
WRITERS = """
import os, sys
from datetime import UTC, datetime
from bot.domain.audit import Entry, What
from bot.store.engine import open_engine
from bot.store.store import Store
url, processes, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
children = []
for number in range(processes):
    child = os.fork()
    if child:
        children.append(child)
        continue
    store = Store(open_engine(url))
    for turn in range(each):
        with store.writing() as tx:
            tx.add_audit(Entry(datetime(2026, 2, 7, tzinfo=UTC), f"U{number}", What.ASKED, f"/ltv {turn}"))
    os._exit(0)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""
TRIGGERS = {
    "sqlite": ("audit_keeps_rows", "audit_keeps_words", "audit_grows_at_its_end"),
    "postgresql": ("audit_keeps_rows", "audit_keeps_all"),
}


def add(store: Store, about: str = "/ltv", actor: str = "U1", **detail: Any) -> Head:
    with store.writing() as tx:
        return tx.add_audit(Entry(NOON, actor, What.ASKED, about, detail))


def rows(store: Store) -> list[Sealed]:
    with store.reading() as tx:
        return list(tx.audit_rows())


def by_hand(store: Store, *statements: str) -> None:
    """What somebody does who may do everything to the database: the triggers are dropped first."""
    kind = store.engine.dialect.name
    with writing(store.engine) as connection:
        for name in TRIGGERS[kind]:
            connection.execute(text(f"DROP TRIGGER {name}" + (" ON audit" if kind == "postgresql" else "")))
        for statement in statements:
            connection.execute(text(statement))


def fault(store: Store, head: str | None = None) -> Fault | None:
    return verify(rows(store), head).fault


@pytest.fixture
def five(store: Store) -> Store:
    for number in range(1, 6):
        add(store, f"/ltv {number}", note="é – “quoted” \\ \n")
    return store


def test_an_empty_log_has_no_head(store: Store) -> None:
    with store.reading() as tx:
        assert tx.audit_head() is None
    assert rows(store) == []


def test_what_comes_back_is_what_was_sealed(five: Store) -> None:
    found = rows(five)
    assert [(row.number, row.about) for row in found] == [(n, f"/ltv {n}") for n in range(1, 6)]
    verdict = verify(found)
    with five.reading() as tx:
        assert verdict.head == tx.audit_head()
    assert verdict.fault is None


def test_a_log_of_several_pages_is_read_to_its_end(five: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in (1, 2, 5):
        monkeypatch.setattr(audit, "PAGE", page)
        assert [row.number for row in rows(five)] == [1, 2, 3, 4, 5]


def test_entries_are_picked_by_their_instant(store: Store) -> None:
    with store.writing() as tx:
        for hours in (0, 2, 1):
            tx.add_audit(Entry(NOON + timedelta(hours=hours), "U1", What.ASKED, f"+{hours}"))
    hour = timedelta(hours=1)
    with store.reading() as tx:
        assert [row.about for row in tx.audit_rows(NOON + hour)] == ["+2", "+1"]
        assert [row.about for row in tx.audit_rows(None, NOON + hour)] == ["+0"]
        assert [row.about for row in tx.audit_rows(NOON, NOON + 2 * hour)] == ["+0", "+1"]


def test_a_change_that_fails_takes_its_entry_along(store: Store) -> None:
    add(store)
    with suppress(ZeroDivisionError), store.writing() as tx:
        tx.add_audit(Entry(NOON, "U1", What.SILENCED, "Price"))
        _ = 1 / 0
    head = add(store)
    assert head.number == 2
    assert fault(store) is None


def test_secrets_that_the_store_knows_of_do_not_get_in(store: Store) -> None:
    careful = Store(store.engine, clean=Redaction(["hunter22"]).clean)
    add(careful, "/ltv xoxb-123-abc hunter22", why="postgresql://me:pw@host")
    (row,) = rows(store)
    assert row.about == "/ltv xoxb-… …"
    assert row.detail == '{"why":"postgresql://me:…@host"}'


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'U2' WHERE number = 3",
        "UPDATE audit SET number = 9 WHERE number = 3",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit",
    ],
)
def test_the_database_refuses_to_change_it(five: Store, statement: str) -> None:
    with pytest.raises(DBAPIError, match="the audit log is append-only"), writing(five.engine) as connection:
        connection.execute(text(statement))
    assert len(rows(five)) == 5


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_postgresql_refuses_to_empty_it(five: Store) -> None:
    with pytest.raises(DBAPIError, match="the audit log is append-only"), writing(five.engine) as connection:
        connection.execute(text("TRUNCATE audit"))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [3, 5, 7])
def test_sqlite_refuses_a_row_that_is_not_the_next(five: Store, number: int) -> None:
    forged = f"INSERT OR REPLACE INTO audit SELECT {number}, at, 'U2', what, about, detail, before, hash"
    with pytest.raises(DBAPIError, match="grows at its end"), writing(five.engine) as connection:
        connection.execute(text(f"{forged} FROM audit WHERE number = 1"))
    assert [row.actor for row in rows(five)] == ["U1"] * 5


@pytest.mark.parametrize("column", ["at", "actor", "what", "about", "detail", "before", "hash"])
def test_an_edit_by_hand_is_found_and_named(five: Store, column: str) -> None:
    by_hand(five, f"UPDATE audit SET {column} = {column} || ' ' WHERE number = 3")  # noqa: S608
    assert fault(five) == Fault(3, Break.EDITED, "Entry 3 was edited: its hash does not fit what it says.")


@pytest.mark.parametrize(
    ("statements", "number", "how"),
    [
        (("DELETE FROM audit WHERE number = 2",), 2, Break.MISSING),
        (("DELETE FROM audit WHERE number IN (1, 2)",), 1, Break.MISSING),
        (
            ("DELETE FROM audit WHERE number = 2", "UPDATE audit SET number = 2 WHERE number = 3"),
            2,
            Break.EDITED,
        ),
        (("UPDATE audit SET number = 0 WHERE number = 4",), 0, Break.OUT_OF_ORDER),
        (("UPDATE audit SET number = 77 WHERE number = 5",), 5, Break.MISSING),
        (("DELETE FROM audit WHERE number > 3",), 4, Break.CUT),
        (("DELETE FROM audit",), 1, Break.CUT),
    ],
)
def test_what_is_deleted_or_moved_by_hand_is_found(
    five: Store, statements: tuple[str, ...], number: int, how: Break
) -> None:
    with five.reading() as tx:
        head = tx.audit_head()
    assert head is not None
    assert fault(five, head.hash) is None
    by_hand(five, *statements)
    found = fault(five, head.hash)
    assert found is not None
    assert (found.number, found.how) == (number, how)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # PostgreSQL lets no such bytes in
def test_bytes_that_are_no_text_are_an_edit_like_any_other(five: Store) -> None:
    by_hand(five, "UPDATE audit SET about = CAST(X'2fff' AS TEXT) WHERE number = 4")
    found = fault(five)
    assert found is not None
    assert (found.number, found.how) == (4, Break.EDITED)


def test_eight_processes_at_once_lose_and_double_nothing(store: Store, database_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", WRITERS, database_url, str(PROCESSES), str(EACH)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], timeout=100, check=False).returncode == 0
    found = rows(store)
    assert [row.number for row in found] == list(range(1, PROCESSES * EACH + 1))
    assert verify(found).fault is None
    written = Counter((row.actor, row.about) for row in found)
    assert written == {(f"U{process}", f"/ltv {turn}"): 1 for process in range(PROCESSES) for turn in range(EACH)}


def test_those_that_wait_for_no_other_writer_wait_for_the_chain(store: Store) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            with store.sharing() as tx:
                tx.add_audit(Entry(NOON, f"U{number}", What.ASKED, f"/ltv {turn}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = rows(store)
    assert len(found) == 40
    assert verify(found).fault is None


def test_a_log_grows_while_it_is_read_and_the_reader_sees_one_instant(
    five: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    seen = []
    with five.reading() as tx:
        for row in tx.audit_rows():
            seen.append(row.number)
            add(five)
    assert seen == [1, 2, 3, 4, 5]


def test_a_migrated_database_keeps_its_triggers(empty_database: Callable[[str], str], database_kind: str) -> None:
    """Both ways round: what the migration made is taken back whole, and made again."""
    from alembic import command

    from bot.store import migrate
    from bot.store.engine import open_engine

    url = empty_database(database_kind)
    migrate.upgrade(url)
    engine = open_engine(url, foreign_keys=False, pooled=False)
    with writing(engine) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
    assert migrate.upgrade(url)[0] == "0003"
    store = Store(open_engine(url, pooled=False))
    add(store)
    with pytest.raises(DBAPIError, match="append-only"), writing(store.engine) as connection:
        connection.execute(text("DELETE FROM audit"))
