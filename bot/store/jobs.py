"""Who does which slot of which job, and which processes are alive.

A slot is taken by one statement that can only succeed for one: the row is put there, or it is taken over where nobody
has finished it and the lease of whoever had it is over. Leases, beats and checks go by the database's own time, the one
clock that all processes share; `due_at` and `done_at` are the bot's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.sql import ColumnElement

from bot.domain.slots import Claim, Slot
from bot.store.columns import table_of
from bot.store.part import Part
from bot.store.tables import Heartbeat, JobRun

KEEP_SLOTS_FOR = timedelta(days=2)
KEEP_BEATS_FOR = timedelta(days=1)

_runs = table_of(JobRun)
_beats = table_of(Heartbeat)


@dataclass(frozen=True, slots=True)
class SlotState:
    """How a slot stands: finished, or somebody is at it now."""

    done: bool = False
    leased: bool = False


class Jobs(Part):
    def slot_state(self, slot: Slot) -> SlotState:
        """How `slot` stands now."""
        query = select(_runs.c.done_at, _runs.c.leased_until).where(_is(slot))
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return SlotState()
        return SlotState(done=row.done_at is not None, leased=row.leased_until > self.database_now())

    def claim_slot(self, slot: Slot, by: str, lease: timedelta) -> Claim | None:
        """`slot`, as `by`'s alone for `lease`; None where it is finished or somebody else is at it."""
        now = self.database_now()
        taken = {"leased_until": now + lease, "leased_by": by}
        row = {"job": slot.job, "slot": slot.name, "due_at": slot.due_at, "attempts": 1}
        statement = self._on_conflict(_runs).values({**row, **taken})
        statement = statement.on_conflict_do_update(
            index_elements=[_runs.c.job, _runs.c.slot],
            set_={**taken, "attempts": _runs.c.attempts + 1},
            where=and_(_runs.c.done_at.is_(None), _runs.c.leased_until <= now),
        )
        attempt = self._connection.execute(statement.returning(_runs.c.attempts)).scalar()
        return None if attempt is None else Claim(slot, by, attempt)

    def renew_claim(self, claim: Claim, lease: timedelta) -> bool:
        """Whether it is still held, and then for `lease` from now.

        Until the transaction ends nobody can take it over, and whoever waited to do so finds it renewed.
        """
        now = self.database_now()
        held = and_(_held(claim), _runs.c.leased_until > now)
        return self._connection.execute(update(_runs).where(held).values(leased_until=now + lease)).rowcount == 1

    def finish_slot(self, claim: Claim, at: datetime) -> bool:
        """The slot's work is done; False where somebody else has taken it over: then it is for them to say."""
        return self._connection.execute(update(_runs).where(_held(claim)).values(done_at=at)).rowcount == 1

    def release_slot(self, claim: Claim, wait: timedelta) -> None:
        """Whoever comes after `wait` may take the slot, if it is still the claim's."""
        until = self.database_now() + wait
        self._connection.execute(update(_runs).where(_held(claim)).values(leased_until=until))

    def beat(self, worker: str, role: str, *, checked: bool = False) -> None:
        """`worker` is alive; `checked`: and it has just completed every check."""
        now = self.database_now()
        fresh = {"role": role, "beat_at": now} | ({"checked_at": now} if checked else {})
        statement = self._on_conflict(_beats).values({"worker": worker, "started_at": now, **fresh})
        self._connection.execute(statement.on_conflict_do_update(index_elements=[_beats.c.worker], set_=fresh))

    def checked_ago(self) -> timedelta | None:
        """How long ago every check was last completed, by whichever process; None: never."""
        last: datetime | None = self._connection.execute(select(func.max(_beats.c.checked_at))).scalar()
        return None if last is None else self.database_now() - last

    def forget_jobs(self, now: datetime) -> int:
        """Deletes slots and processes of long ago, but of each job the last slot: it says what is done; how many."""
        other = _runs.alias("other")
        newest = select(func.max(other.c.due_at)).where(other.c.job == _runs.c.job).scalar_subquery()
        old = and_(_runs.c.due_at < now - KEEP_SLOTS_FOR, _runs.c.due_at < newest)
        silent = _beats.c.beat_at < self.database_now() - KEEP_BEATS_FOR
        return sum(
            self._connection.execute(one).rowcount for one in (delete(_runs).where(old), delete(_beats).where(silent))
        )


def _is(slot: Slot) -> ColumnElement[bool]:
    return and_(_runs.c.job == slot.job, _runs.c.slot == slot.name)


def _held(claim: Claim) -> ColumnElement[bool]:
    """Nobody has taken it over since, and it is not finished."""
    return and_(
        _is(claim.slot),
        _runs.c.leased_by == claim.by,
        _runs.c.attempts == claim.attempt,
        _runs.c.done_at.is_(None),
    )
