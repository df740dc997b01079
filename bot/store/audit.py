"""The audit log: entries are added at its end, one after another, and never touched again.

One writer at a time adds to it, whatever else its transaction does: two that read the same head would both follow on
it. Writing transactions come one after another anyway; an advisory lock of its own holds for the others on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, and_, cast, select, true
from sqlalchemy import text as sql

from bot.domain.audit import Entry, Head, Sealed, as_it_is, instant_text, sealed
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

PAGE = 1_000
_CHAIN_LOCK = 0x41554449
_audit = table_of(tables.Audit)


class AuditTrail(Part):
    _clean: Callable[[Any], Any] = staticmethod(as_it_is)

    def add_audit(self, entry: Entry) -> Head:
        """Adds `entry` after all others, without the secrets that the store knows of; the chain's head from now on."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(sql("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CHAIN_LOCK})
        row = sealed(entry, self.audit_head(), self._clean)
        self._connection.execute(_audit.insert().values(asdict(row)))
        return row.head

    def audit_head(self) -> Head | None:
        """The last entry: what a digest carries, so that an edit or a cut before it is found. None: there is none."""
        query = select(_audit.c.number, _audit.c.hash).order_by(_audit.c.number.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        return Head(row.number, row.hash) if row else None

    def audit_rows(self, begin: datetime | None = None, end: datetime | None = None) -> Iterator[Sealed]:
        """Every entry by number, a page at a time: at or after `begin` and before `end`, where these are given."""
        asked = and_(
            _audit.c.at >= instant_text(begin) if begin else true(),
            _audit.c.at < instant_text(end) if end else true(),
        )
        query = select(_audit.c.number, *(self._as_stored(c) for c in _audit.c if c is not _audit.c.number))
        query = query.where(asked).order_by(_audit.c.number).limit(PAGE)
        rows = self._connection.execute(query).all()
        while rows:
            for number, *texts in rows:
                yield Sealed(number, *(_text(text) for text in texts))
            rows = self._connection.execute(query.where(_audit.c.number > rows[-1][0])).all()

    def _as_stored(self, column: Column[Any]) -> ColumnElement[Any]:
        """On SQLite the very bytes: what is no UTF-8 there, as after an edit by hand, cannot be read as text."""
        return cast(column, LargeBinary) if self._connection.dialect.name == "sqlite" else column


def _text(stored: str | bytes) -> str:
    return stored.decode("utf-8", "surrogateescape") if isinstance(stored, bytes) else stored
