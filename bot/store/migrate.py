"""The schema and its migrations: bring a database to the newest, or say what it lacks.

No alembic.ini is needed: the scripts lie beside the package (`bot/alembic` in an installed wheel, top-level
`alembic/` in the repository).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, TypeDecorator

from bot.store.engine import open_engine, reading, writing
from bot.store.tables import metadata


def scripts() -> Path:
    """The directory of env.py and the migrations."""
    package = Path(str(resources.files("bot")))
    packed = package / "alembic"
    return packed if packed.is_dir() else package.parent / "alembic"


def upgrade(url: str) -> list[str]:
    """Bring the database at `url` to the newest schema, all or nothing; the revisions that were applied, in order.

    Several processes may call it at once: one migrates, the others find it done. On SQLite foreign keys are off
    meanwhile (batch mode with them on deleted all child rows) and checked before the commit.
    """
    engine = open_engine(url, foreign_keys=False, pooled=False)
    with writing(engine) as connection:
        lacking = _pending(connection)
        if lacking:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        if broken := _broken_foreign_keys(connection):
            raise RuntimeError(f"the migration would break foreign keys, nothing was changed: {'; '.join(broken)}")
    return lacking


def pending(url: str) -> list[str]:
    """The revisions that the database at `url` lacks, in order; empty: it is at head. Writes nothing."""
    engine = open_engine(url, pooled=False)
    with reading(engine) as connection:
        return _pending(connection)


def check(url: str) -> list[str]:
    """What is wrong with the database at `url`, one line each: migrations it lacks, tables that differ from the
    models, foreign keys that lead nowhere. Empty: all is well. Writes nothing."""
    engine = open_engine(url, pooled=False)
    with reading(engine) as connection:
        if lacking := _pending(connection):
            return [f"migration {revision} is not applied: plimsoll db upgrade" for revision in lacking]
        differences = compare_metadata(MigrationContext.configure(connection, opts=OPTIONS), metadata)
        return [f"differs from the models: {item}" for item in differences] + _broken_foreign_keys(connection)


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Column types as the database has them: a migration of today must not change with a class of tomorrow."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    timezone = "timezone=True" if isinstance(item.impl_instance, DateTime) else ""
    return f"sa.{type(item.impl_instance).__name__}({timezone})"


OPTIONS: dict[str, Any] = {
    "target_metadata": metadata,
    "compare_type": True,
    "render_as_batch": True,
    "render_item": _render,
    "transactional_ddl": True,
}
"""How Alembic compares, writes and runs migrations, here and in env.py."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _pending(connection: Connection) -> list[str]:
    directory = ScriptDirectory.from_config(_config())
    at = MigrationContext.configure(connection).get_current_heads()
    steps = directory.iterate_revisions("heads", at or "base")
    return [step.revision for step in steps][::-1]


def _broken_foreign_keys(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return [f"{table} row {row} names a row of {parent} that is not there" for table, row, parent, _ in rows]


__all__ = ["OPTIONS", "check", "pending", "scripts", "upgrade"]
