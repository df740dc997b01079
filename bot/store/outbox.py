"""Messages that must go out: written with the change they tell of, delivered afterwards in the order of their stream.

The invariant: a row is pending until it is known to be in Slack (`delivered`), known never to get there (`failed`),
or overtaken by a newer text of the same message (superseded). `attempted` is committed before the network call, so a
process that dies in between leaves a row that says "perhaps": it is looked for before it is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from bot.domain.terms import Level
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

_outbox = table_of(tables.Outbox)
_alerts = table_of(tables.Alert)
_pending = _outbox.c.status == "pending"

KINDS = ("post", "edit", "reply", "continued")


class Post(NamedTuple):
    """Where a message is in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message. `newest` is where its alert's newest post is now (None: no alert, or nothing posted yet).

    `outcome_unknown`: it was attempted and nobody knows whether it arrived; look for `delivery_id` before sending.
    """

    id: int
    alert_id: int | None
    stream: str
    kind: str
    channel: str
    message: dict[str, Any]
    delivery_id: str
    level: Level
    status: str
    attempts: int
    not_before: datetime | None
    attempted_at: datetime | None
    settled_look_at: datetime | None
    reason: str | None
    sent_ts: str | None
    created_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    leased_until: datetime | None
    leased_by: str | None
    newest: Post | None = None

    @property
    def outcome_unknown(self) -> bool:
        return self.status == "pending" and self.attempted_at is not None


class OutboxPart(Part):
    def enqueue(
        self,
        *,
        alert_id: int | None,
        stream: str,
        kind: str,
        channel: str,
        message: dict[str, Any],
        level: Level | int,
        at: datetime,
        elsewhere: bool = False,
    ) -> int:
        """Adds a message to the end of its stream; its id.

        A `post` with an `alert_id` is that alert's own message: delivered, it becomes the alert's newest. Posts that
        are not (escalations, the digest) have none.
        """
        values = {"alert_id": alert_id, "stream": stream, "kind": kind, "channel": channel, "message": message}
        values |= {"delivery_id": str(uuid4()), "level": int(level), "status": "pending", "attempts": 0}
        return self._insert(_outbox, values | {"created_at": at, "elsewhere": elsewhere})

    def post_waits(self, stream: str) -> bool:
        """Whether a post of `stream` is not known to be in Slack yet."""
        waiting = exists().where(_pending, _outbox.c.stream == stream, _outbox.c.kind == "post")
        return bool(self._connection.execute(select(waiting)).scalar())

    def due(self, now: datetime, limit: int) -> list[OutboxRow]:
        """What may be sent now: of each stream its first pending row, unless it waits or somebody has it.

        The most severe first, then the oldest. An edit that was not attempted and that a later edit or post of its
        stream overtakes is marked superseded on the way, so this belongs into a writing transaction.
        """
        self._supersede(now)
        earlier = _outbox.alias("earlier")
        blocked = exists().where(
            earlier.c.status == "pending", earlier.c.stream == _outbox.c.stream, earlier.c.id < _outbox.c.id
        )
        order = (_outbox.c.level.desc(), _outbox.c.created_at, _outbox.c.id)
        return self._rows(and_(_pending, _free(now), ~blocked), order=order, limit=limit)

    def outbox_row(self, row_id: int) -> OutboxRow | None:
        return next(iter(self._rows(_outbox.c.id == row_id)), None)

    def lease(self, row_id: int, worker: str, until: datetime, now: datetime) -> bool:
        """Whether `worker` has the row to itself until `until`."""
        mine = update(_outbox).where(_outbox.c.id == row_id, _pending, _free(now))
        return self._connection.execute(mine.values(leased_until=until, leased_by=worker)).rowcount == 1

    def attempted(self, row_id: int, at: datetime) -> None:
        """The network call comes next: commit this first. From here on the outcome is unknown until it is told."""
        values = {"attempted_at": at, "attempts": _outbox.c.attempts + 1, "settled_look_at": None}
        self._change(row_id, values)

    def looked(self, row_id: int, at: datetime) -> None:
        """A look past SETTLE_AFTER did not find the message in Slack: it may be sent again."""
        self._change(row_id, {"settled_look_at": at})

    def delivered(self, row_id: int, ts: str, at: datetime, *, anew: bool = False) -> Post | None:
        """It is in Slack as `ts`. A post of an alert becomes the alert's newest; the one that was so before, if any.

        `anew`: an edit whose message was gone, and which was posted instead. Told twice, or by a worker whose lease
        ran out, the first word stands.
        """
        query = select(_outbox.c.kind, _outbox.c.alert_id, _outbox.c.channel).where(_outbox.c.id == row_id)
        row = self._connection.execute(query).one()
        values = {"status": "sent", "sent_ts": ts, "sent_at": at, "reason": None}
        first = self._change(row_id, values | _RELEASED)
        if not first or row.alert_id is None or not (anew or row.kind == "post"):
            return None
        alert = _alerts.c.id == row.alert_id
        before = self._connection.execute(select(_alerts.c.channel, _alerts.c.newest_ts).where(alert)).one()
        self._connection.execute(update(_alerts).where(alert).values(channel=row.channel, newest_ts=ts))
        return Post(*before) if before.newest_ts else None

    def retry(self, row_id: int, not_before: datetime, reason: str, outcome_unknown: bool) -> None:
        """Not now: again at `not_before`. `outcome_unknown`: it may have arrived all the same."""
        values: dict[str, Any] = {"not_before": not_before, "reason": reason}
        if not outcome_unknown:
            values |= {"attempted_at": None, "settled_look_at": None}
        self._change(row_id, values | _RELEASED)

    def failed(self, row_id: int, reason: str, at: datetime) -> None:
        """Slack will never take it; the stream goes on without it."""
        self._change(row_id, {"status": "failed", "reason": reason, "failed_at": at} | _RELEASED)

    def oldest_pending(self, now: datetime) -> datetime | None:
        """Since when the oldest message that is not out yet has been waiting; None: nothing waits."""
        query = select(func.min(_outbox.c.created_at)).where(_pending, _outbox.c.created_at <= now)
        since: datetime | None = self._connection.execute(query).scalar()
        return since

    def _supersede(self, now: datetime) -> None:
        later = _outbox.alias("later")
        overtaken = exists().where(
            later.c.status == "pending",
            later.c.stream == _outbox.c.stream,
            later.c.id > _outbox.c.id,
            later.c.kind.in_(("edit", "post")),
        )
        untold = _outbox.c.attempted_at.is_(None)  # what is perhaps in Slack is found out first
        old = update(_outbox).where(_pending, _outbox.c.kind == "edit", _unleased(now), untold, overtaken)
        self._connection.execute(old.values(status="superseded", reason="overtaken", **_RELEASED))

    def _change(self, row_id: int, values: dict[str, Any]) -> bool:
        """Whether the row was still pending, and so was changed."""
        change = update(_outbox).where(_outbox.c.id == row_id, _pending).values(values)
        return self._connection.execute(change).rowcount == 1

    def _rows(
        self, where: ColumnElement[bool], *, order: tuple[Any, ...] = (_outbox.c.id,), limit: int | None = None
    ) -> list[OutboxRow]:
        newest = (_alerts.c.channel.label("newest_channel"), _alerts.c.newest_ts)
        joined = _outbox.outerjoin(_alerts, _alerts.c.id == _outbox.c.alert_id)
        query = select(*_outbox.c, *newest).select_from(joined).where(where).order_by(*order).limit(limit)
        return [_outbox_row(row) for row in self._connection.execute(query)]


_RELEASED = {"leased_until": None, "leased_by": None}


def _unleased(now: datetime) -> ColumnElement[bool]:
    return or_(_outbox.c.leased_until.is_(None), _outbox.c.leased_until <= now)


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(or_(_outbox.c.not_before.is_(None), _outbox.c.not_before <= now), _unleased(now))


_STORED = [field.name for field in fields(OutboxRow) if field.name != "newest"]


def _outbox_row(row: Any) -> OutboxRow:
    stored = row._asdict()
    newest = Post(stored["newest_channel"], stored["newest_ts"]) if stored["newest_ts"] else None
    values = {name: stored[name] for name in _STORED}
    return OutboxRow(**{**values, "level": Level(stored["level"]), "newest": newest})
