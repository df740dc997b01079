"""The register in and out: the whole of it as one domain object, and the changes of an import, all or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from bot.domain.late import LateRecord
from bot.domain.treasury import Treasury
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part
from bot.store.register_late import late_records
from bot.store.register_load import load_treasury
from bot.store.register_write import Writer

_treasury = table_of(tables.Treasury)
_notices = table_of(tables.Notice)
_outcomes = table_of(tables.NoticeOutcome)
_changes = table_of(tables.RegisterChange)


class Version(NamedTuple):
    """Which register this is. `changed_at` tells a restored database from the one it replaced."""

    revision: int
    changed_at: datetime


class Known:
    """The register as this process last loaded it from a committed transaction."""

    def __init__(self) -> None:
        self.latest: tuple[Version, Treasury] | None = None


class RegisterPart(Part):
    def __init__(self, connection: Connection, known: Known) -> None:
        super().__init__(connection)
        self._known = known
        self._changed = False

    def treasury(self) -> Treasury | None:
        """The whole register; None before any import. The same object while nothing was recorded."""
        version = self._version()
        if version is None:
            return None
        latest = self._known.latest
        if not self._changed and latest is not None and latest[0] == version:
            return latest[1]
        loaded = load_treasury(self._connection)
        if not self._changed:  # what isn't committed may never be
            self._known.latest = (version, loaded)
        return loaded

    def revision(self) -> int:
        """How often the register was changed; 0 before any import."""
        version = self._version()
        return version.revision if version else 0

    def first_recorded_at(self) -> datetime | None:
        """When the register was first written; None before any import."""
        first: datetime | None = self._connection.execute(select(func.min(_changes.c.at))).scalar()
        return first

    def recorded_after(self, at: datetime) -> tuple[LateRecord, ...]:
        """What was recorded after `at` and counts from `at` or before, in the order of recording.

        () where the register was first written after `at`: nobody can have had another answer then.
        """
        first = self.first_recorded_at()
        return late_records(self._connection, at) if first is not None and first <= at else ()

    def apply(self, new: Treasury, *, at: datetime, by: str, source: str, lines: tuple[str, ...] = ()) -> bool:
        """Makes the register what `new`, a merge's `treasury`, says; whether anything changed.

        `by` whom, from which `source`, and what it does in `lines` stay for ever. Merge and apply within one writing
        transaction: ValueError where `new` lacks or contradicts what is recorded by now, and nothing is written.
        """
        writer = Writer(self._connection, {"recorded_at": at, "recorded_by": by, "source": source})
        if not writer.write(self.treasury(), new):
            return False
        self._bump(at, by, source, lines)
        return True

    def record_recovered(self, ref: str, at: datetime, *, by: str = "plimsoll", source: str = "check") -> bool:
        """Price alone ended the call `ref` at `at`; whether it was still to be recorded: the first instant stands."""
        ended = update(_notices).where(_notices.c.ref == ref, _notices.c.recovered.is_(None)).values(recovered=at)
        if self._connection.execute(ended).rowcount == 0:
            return False
        told = {"notice": ref, "became": "recovered", "at": at, "recorded_at": at, "recorded_by": by, "source": source}
        self._connection.execute(_outcomes.insert().values(told))
        self._bump(at, by, source, (f"call {ref}: recovered",))
        return True

    def _version(self) -> Version | None:
        row = self._connection.execute(select(_treasury.c.revision, _treasury.c.changed_at)).one_or_none()
        return Version(*row) if row else None

    def _bump(self, at: datetime, by: str, source: str, lines: tuple[str, ...]) -> None:
        self._changed = True
        self._connection.execute(update(_treasury).values(revision=_treasury.c.revision + 1, changed_at=at))
        values = {"revision": self.revision(), "at": at, "by": by, "source": source, "lines": list(lines)}
        self._connection.execute(_changes.insert().values(values))
