"""What the families of a transaction share: its connection, and the few statements that are more than one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite


class Part:
    """One family's share of a transaction."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime] | None = None) -> None:
        self._connection = connection
        self._clock = clock

    def database_now(self) -> datetime:
        """The database's own time, aware, in UTC: the one clock that all workers share.

        PostgreSQL's server has it; a SQLite file is on this machine, and so is its clock. Tests may set their own.
        """
        if self._clock is not None:
            return self._clock()
        if self._connection.dialect.name == "postgresql":
            told: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
            return told.astimezone(UTC)
        return datetime.now(UTC)

    def _insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """Inserts one row and gives its new whole-number key."""
        key = self._connection.execute(table.insert().values(values)).inserted_primary_key
        return int(key[0]) if key else 0

    def _insert_unless_there(self, table: Table, values: Mapping[str, Any]) -> bool:
        """INSERT … ON CONFLICT DO NOTHING: whether it was us who put the row there."""
        statement = self._on_conflict(table).values(values).on_conflict_do_nothing()
        return self._connection.execute(statement.returning(*table.primary_key)).first() is not None

    def _put(self, table: Table, values: Mapping[str, Any]) -> None:
        """INSERT … ON CONFLICT DO UPDATE, by the primary key."""
        keys = [column.name for column in table.primary_key]
        rest = {name: value for name, value in values.items() if name not in keys}
        statement = self._on_conflict(table).values(values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))

    def _on_conflict(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        return postgresql.insert(table) if self._connection.dialect.name == "postgresql" else sqlite.insert(table)
