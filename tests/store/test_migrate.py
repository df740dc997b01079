"""Migrations: up from nothing on both databases, and nothing lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store import migrate
from bot.store.engine import open_engine, writing

REBUILD_THE_PARENT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "9999", "{head}"
def upgrade():
    with op.batch_alter_table("alert") as batch:
        batch.alter_column("text", type_=sa.Text())
{more}
"""


@pytest.fixture
def next_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Adds a migration that rebuilds the alert table, as SQLite needs it for most changes."""

    def add(more: str = "") -> None:
        head = migrate.pending(f"sqlite:///{tmp_path}/nothing.db")[-1]
        directory = tmp_path / "alembic"
        shutil.copytree(migrate.scripts(), directory)
        (directory / "versions" / "9999_rebuild.py").write_text(REBUILD_THE_PARENT.format(head=head, more=more))
        monkeypatch.setattr(migrate, "scripts", lambda: directory)

    return add


def put_an_alert_with_its_history(url: str) -> None:
    with writing(open_engine(url, pooled=False)) as connection:
        connection.execute(
            text(
                "INSERT INTO alert (id, key, status, level, opened_at, text, state)"
                " VALUES (1, 'price', 'open', 2, '2026-02-07 12:00:00.000000', '', '{}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO alert_event (alert_id, at, change, reason, level, text)"
                " VALUES (1, '2026-02-07 12:00:00.000000', 'opened', 'first_seen', 2, '')"
            )
        )


def count(url: str, table: str) -> int:
    with writing(open_engine(url, pooled=False)) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def test_it_comes_up_from_nothing_and_is_what_the_models_say(
    empty_database: Callable[[str], str], database_kind: str
) -> None:
    url = empty_database(database_kind)
    lacking = migrate.pending(url)
    assert lacking[0] == "0001"
    assert migrate.check(url)[0] == "migration 0001 is not applied: plimsoll db upgrade"
    assert migrate.upgrade(url) == lacking
    assert migrate.pending(url) == []
    assert migrate.check(url) == []
    assert migrate.upgrade(url) == []


def test_what_waits_for_slack_as_it_is_upgraded_may_go_another_way_like_anything_new(
    empty_database: Callable[[str], str], database_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, newest = empty_database(database_kind), migrate.scripts()
    shutil.copytree(newest, tmp_path / "alembic")
    for later in (tmp_path / "alembic" / "versions").glob("*.py"):
        if later.name > "0002":
            later.unlink()
    with monkeypatch.context() as then:
        then.setattr(migrate, "scripts", lambda: tmp_path / "alembic")
        assert migrate.upgrade(url) == ["0001"]
    put_an_alert_with_its_history(url)
    rows = [("pending", "post", 3), ("pending", "post", 2), ("sent", "post", 3), ("pending", "edit", 3)]
    with writing(open_engine(url, pooled=False)) as connection:
        for number, (status, kind, level) in enumerate(rows, 1):
            connection.execute(
                text(
                    "INSERT INTO outbox (id, alert_id, stream, kind, channel, message, delivery_id, level, status,"
                    " attempts, created_at) VALUES (:id, 1, 'alert:1', :kind, 'C1', '{}', :id, :level, :status, 0,"
                    " '2026-02-07 12:00:00.000000')"
                ),
                {"id": number, "kind": kind, "level": level, "status": status},
            )
    assert migrate.upgrade(url)[0] == "0002"
    with writing(open_engine(url, pooled=False)) as connection:
        assert list(connection.scalars(text("SELECT id FROM outbox WHERE elsewhere"))) == [1]


def test_processes_that_start_together_migrate_once(empty_database: Callable[[str], str], database_kind: str) -> None:
    url = empty_database(database_kind)
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate.upgrade, [url] * 4))
    assert sorted(len(revisions) for revisions in applied)[:3] == [0, 0, 0]
    assert migrate.check(url) == []


def test_it_says_what_differs_from_the_models(database_url: str) -> None:
    with writing(open_engine(database_url, pooled=False)) as connection:
        connection.execute(text("ALTER TABLE alert DROP COLUMN tier"))
    assert any("tier" in line for line in migrate.check(database_url))


def test_rebuilding_a_parent_leaves_its_children_alone(
    database_url: str, next_migration: Callable[[str], None]
) -> None:
    put_an_alert_with_its_history(database_url)
    next_migration("")
    assert migrate.upgrade(database_url) == ["9999"]
    assert (count(database_url, "alert"), count(database_url, "alert_event")) == (1, 1)


def test_a_migration_that_orphans_rows_is_undone_as_a_whole(
    database_url: str, next_migration: Callable[[str], None], database_kind: str
) -> None:
    put_an_alert_with_its_history(database_url)
    next_migration('    op.execute("DELETE FROM alert")')
    with pytest.raises(Exception, match=r"alert_event row 1 names a row of alert|foreign key constraint"):
        migrate.upgrade(database_url)
    assert (count(database_url, "alert"), count(database_url, "alert_event")) == (1, 1)
    assert migrate.pending(database_url) == ["9999"]


def test_a_row_that_leads_nowhere_is_found(empty_database: Callable[[str], str]) -> None:
    url = empty_database("sqlite")
    migrate.upgrade(url)
    with writing(open_engine(url, foreign_keys=False, pooled=False)) as connection:
        connection.execute(
            text(
                "INSERT INTO alert_event (alert_id, at, change, reason, level, text)"
                " VALUES (7, '2026-02-07 12:00:00.000000', 'opened', 'first_seen', 2, '')"
            )
        )
    assert migrate.check(url) == ["alert_event row 1 names a row of alert that is not there"]
