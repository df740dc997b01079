"""Silences: what somebody asked to be quiet about, with who, until when, and why. None is ever deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from bot.domain.alert import Person, Silence
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

_silences = table_of(tables.Silence)
_users = table_of(tables.SlackUser)


class Silences(Part):
    def add_silence(self, silence: Silence) -> int:
        """Records a silence (its `id` is not looked at); its id."""
        return self._insert(
            _silences,
            {
                "checks": sorted(silence.checks),
                "subjects": sorted(silence.subjects),
                "reason": silence.reason,
                "by": silence.by.id,
                "at": silence.at,
                "until": silence.until,
            },
        )

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Those in force at `now`, the one that ends first first."""
        in_force = (_silences.c.at <= now, _silences.c.until > now)
        unended = (_silences.c.ended_at.is_(None)) | (_silences.c.ended_at > now)
        query = select(_silences, _users.c.document).outerjoin(_users, _users.c.id == _silences.c.by)
        query = query.where(*in_force, unended).order_by(_silences.c.until, _silences.c.id)
        return tuple(_silence(row) for row in self._connection.execute(query))

    def end_silence(self, silence_id: int, by: str, at: datetime) -> bool:
        """Ends one that is in force; whether it was."""
        mine = update(_silences).where(
            _silences.c.id == silence_id, _silences.c.ended_at.is_(None), _silences.c.until > at
        )
        return self._connection.execute(mine.values(ended_at=at, ended_by=by)).rowcount == 1


def _silence(row: Row[Any]) -> Silence:
    stored = row._mapping
    return Silence(
        id=stored["id"],
        checks=frozenset(stored["checks"]),
        subjects=frozenset(stored["subjects"]),
        reason=stored["reason"],
        by=Person(stored["by"], str((stored["document"] or {}).get("real_name") or "")),
        at=stored["at"],
        until=stored["until"],
    )
