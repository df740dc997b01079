"""The register in and out: the whole of it as one domain object, and the changes of an import, all or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from bot.domain.claims import ClaimEnd, is_recorded
from bot.domain.documents import claimed_document
from bot.domain.late import LateRecord
from bot.domain.treasury import CallEnd, Movement, Treasury
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
_claims = table_of(tables.Claim)


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
        A claim that `new` has no more is confirmed by it, or overtaken where `new` says something else.
        """
        before = self.treasury()
        writer = Writer(self._connection, {"recorded_at": at, "recorded_by": by, "source": source})
        if not writer.write(before, new):
            return False
        for claim in before.claims if before else ():
            if claim not in new.claims:
                how = ClaimEnd.CONFIRMED if is_recorded(new, claim) else ClaimEnd.OVERTAKEN
                self._end_claim(claim.id, how, by, at)
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

    def add_claim(self, thing: Movement | CallEnd, *, by: str, name: str, at: datetime, source: str, line: str) -> int:
        """Keeps what somebody recorded until it is confirmed; its id. `line` says it, for the register's history."""
        values = {"ref": thing.ref, "document": claimed_document(thing), "name": name}
        row_id = self._insert(_claims, values | {"recorded_at": at, "recorded_by": by, "source": source})
        self._bump(at, by, source, (line,))
        return row_id

    def withdraw_claim(self, claim_id: int, *, by: str, at: datetime, source: str, reason: str, line: str) -> bool:
        """Takes back an open claim; whether it was open."""
        if not self._end_claim(claim_id, ClaimEnd.WITHDRAWN, by, at, reason):
            return False
        self._bump(at, by, source, (line,))
        return True

    def claim_end(self, claim_id: int) -> tuple[ClaimEnd, str, datetime] | None:
        """How a claim ended, by whom and when; None where it is open still, or there is none."""
        query = select(_claims.c.ended, _claims.c.ended_by, _claims.c.ended_at).where(_claims.c.id == claim_id)
        row = self._connection.execute(query).one_or_none()
        return (ClaimEnd(row.ended), row.ended_by, row.ended_at) if row is not None and row.ended else None

    def _end_claim(self, claim_id: int, how: ClaimEnd, by: str, at: datetime, reason: str | None = None) -> bool:
        mine = update(_claims).where(_claims.c.id == claim_id, _claims.c.ended_at.is_(None))
        values = {"ended_at": at, "ended_by": by, "ended": how.value, "reason": reason}
        return self._connection.execute(mine.values(values)).rowcount == 1

    def _version(self) -> Version | None:
        row = self._connection.execute(select(_treasury.c.revision, _treasury.c.changed_at)).one_or_none()
        return Version(*row) if row else None

    def _bump(self, at: datetime, by: str, source: str, lines: tuple[str, ...]) -> None:
        self._changed = True
        self._connection.execute(update(_treasury).values(revision=_treasury.c.revision + 1, changed_at=at))
        values = {"revision": self.revision(), "at": at, "by": by, "source": source, "lines": list(lines)}
        self._connection.execute(_changes.insert().values(values))
