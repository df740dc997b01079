"""Runs migrations on the connection that `bot.store.migrate` hands over; for the `alembic` command, on DATABASE_URL."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from bot.store.engine import open_engine, writing
from bot.store.migrate import OPTIONS


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    if context.is_offline_mode():
        raise SystemExit("Migrations run on a database, not into a script: set DATABASE_URL and leave --sql out")
    handed_over = context.config.attributes.get("connection")
    if handed_over is not None:
        migrate(handed_over)
        return
    url = os.environ.get("DATABASE_URL", "sqlite:///var/plimsoll.db")
    with writing(open_engine(url, foreign_keys=False, pooled=False)) as connection:
        migrate(connection)


run()
