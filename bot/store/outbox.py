"""Messages that must go out: written with the change they tell of, delivered afterwards in the order of their stream.

The invariant: a row is pending until it is known to be in Slack (`delivered`), known never to get there (`failed`),
or overtaken by a newer text of the same message (superseded). `attempted` is committed before the network call, so a
process that dies in between leaves a row that says "perhaps": it is looked for before it is sent again.

Who may touch a row is settled by leases, and those, like everything that is waited for here, go by the database's own
time: the workers' clocks may differ. Only `created_at` is the bot's own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import and_, case, exists, or_, select, update
from sqlalchemy.sql import ColumnElement

from bot.domain.terms import Level
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

_outbox = table_of(tables.Outbox)
_alerts = table_of(tables.Alert)
_pending = _outbox.c.status == "pending"

ESCALATION = "escalation:"
"""How the stream of an alert's escalations begins."""
PLAN = "plan:"
"""How the stream of a plan begins: asked for anew it is posted afresh."""


class Post(NamedTuple):
    """Where a message is in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message. `newest` is where its alert's newest post is now, or, of a stream that has no alert, its last post
    (None: nothing posted yet). `elsewhere`: it goes to FALLBACK_URLS where Slack does not take it.

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
    elsewhere: bool = False
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

    def post_status(self, stream: str) -> str | None:
        """What has become of the last post of a stream that has no alert: pending, sent, failed; None: there is none.

        Asked in a writing transaction, it tells whoever posts once whether to.
        """
        mine = (_outbox.c.stream == stream, _outbox.c.alert_id.is_(None), _outbox.c.kind == "post")
        query = select(_outbox.c.status).where(*mine).order_by(_outbox.c.id.desc()).limit(1)
        status: str | None = self._connection.execute(query).scalar()
        return status

    def due(self, settle_after: timedelta, limit: int) -> list[OutboxRow]:
        """What may be sent now: of each stream its first pending row, unless it waits or somebody has it.

        The most severe first, then the oldest. An edit that a later edit or post of its stream overtakes is marked
        superseded on the way, so this belongs into a transaction that writes. An edit that is perhaps on its way to
        Slack is left alone until `settle_after` its attempt: arriving late, it would undo what is newer. Waits for
        nobody: what another has in hand is left to it.
        """
        now = self.database_now()
        settled = now - settle_after
        self._supersede(now, settled)
        order = (_outbox.c.level.desc(), _outbox.c.created_at, _outbox.c.id)
        return self._rows(and_(_due(now), _settled(settled)), order=order, limit=limit)

    def claim(self, row_id: int, worker: str, lease: timedelta) -> OutboxRow | None:
        """The row, as `worker`'s alone for `lease`; None where somebody else was quicker. Nobody waits for anybody."""
        now = self.database_now()
        query = select(_outbox.c.id).where(_outbox.c.id == row_id, _due(now)).with_for_update(skip_locked=True)
        if self._connection.execute(query).scalar() is None:
            return None
        mine = update(_outbox).where(_outbox.c.id == row_id, _pending, _free(now))
        if not self._connection.execute(mine.values(leased_until=now + lease, leased_by=worker)).rowcount:
            return None
        return self.outbox_row(row_id)

    def waiting(self) -> list[OutboxRow]:
        """Everything that is not known to be in Slack, whatever it waits for."""
        return self._rows(_pending)

    def outbox_row(self, row_id: int) -> OutboxRow | None:
        return next(iter(self._rows(_outbox.c.id == row_id)), None)

    def attempted(self, row_id: int, worker: str) -> bool:
        """The network call comes next: commit this first. From here on the outcome is unknown until it is told.

        False where the row is no longer `worker`'s: then there is to be no call.
        """
        values = {"attempted_at": self.database_now(), "attempts": _outbox.c.attempts + 1, "settled_look_at": None}
        return self._change(row_id, values, worker)

    def looked(self, row_id: int, worker: str) -> bool:
        """A look past SETTLE_AFTER did not find the message in Slack: it may be sent again, if it is `worker`'s."""
        return self._change(row_id, {"settled_look_at": self.database_now()}, worker)

    def post_afresh(self, row_id: int, worker: str) -> bool:
        """The edit has nothing to change: from now on it is a post, looked for and kept like any. False: not
        `worker`'s."""
        return self._change(row_id, {"kind": "post", "attempted_at": None, "settled_look_at": None}, worker)

    def delivered(self, row_id: int, ts: str, at: datetime) -> Post | None:
        """It is in Slack as `ts`. A post of an alert becomes the alert's newest. Returned is the one that was so, if
        any, and of an escalation or a plan the one before it.

        Told twice, or by a worker whose lease ran out, the first word stands.
        """
        query = select(_outbox.c.kind, _outbox.c.alert_id, _outbox.c.channel, _outbox.c.stream)
        row = self._connection.execute(query.where(_outbox.c.id == row_id)).one()
        goes_on = row.kind == "post" and row.stream.startswith((ESCALATION, PLAN))
        before = self.outbox_row(row_id) if goes_on else None
        values = {"status": "sent", "sent_ts": ts, "sent_at": at, "reason": None}
        first = self._change(row_id, values | _RELEASED)
        if first and before is not None:
            return before.newest
        if not first or row.alert_id is None or row.kind != "post":
            return None
        alert = _alerts.c.id == row.alert_id
        newest = self._connection.execute(select(_alerts.c.channel, _alerts.c.newest_ts).where(alert)).one()
        self._connection.execute(update(_alerts).where(alert).values(channel=row.channel, newest_ts=ts))
        return Post(*newest) if newest.newest_ts else None

    def retry(self, row_id: int, worker: str, wait: timedelta, reason: str, outcome_unknown: bool) -> bool:
        """Not now: again after `wait`. `outcome_unknown`: it may have arrived all the same. False: not `worker`'s.

        What did not get as far as an attempt counts as one, too: who waits longer each time must be able to tell.
        """
        unattempted = or_(_outbox.c.attempted_at.is_(None), _outbox.c.settled_look_at.is_not(None))
        values: dict[str, Any] = {"not_before": self.database_now() + wait, "reason": reason}
        values |= {"attempts": _outbox.c.attempts + case((unattempted, 1), else_=0)}
        if not outcome_unknown:
            values |= {"attempted_at": None, "settled_look_at": None}
        return self._change(row_id, values | _RELEASED, worker)

    def failed(self, row_id: int, worker: str, reason: str, at: datetime) -> bool:
        """Slack will never take it; the stream goes on without it. `at` is the bot's own time. False: not
        `worker`'s."""
        values = {"status": "failed", "reason": reason, "failed_at": at}
        return self._change(row_id, values | _RELEASED, worker)

    def dropped(self, row_id: int, worker: str, reason: str) -> bool:
        """There is nothing to say any more, and nobody need hear of it. False: not `worker`'s."""
        return self._change(row_id, {"status": "superseded", "reason": reason} | _RELEASED, worker)

    def has_pending(self) -> bool:
        """Whether any message is not known to be in Slack."""
        return bool(self._connection.execute(select(exists().where(_pending))).scalar())

    def _supersede(self, now: datetime, settled: datetime) -> None:
        later = _outbox.alias("later")
        overtaken = exists().where(
            later.c.status == "pending",
            later.c.stream == _outbox.c.stream,
            later.c.id > _outbox.c.id,
            later.c.kind.in_(("edit", "post")),
        )
        query = select(_outbox.c.id).where(
            _pending, _outbox.c.kind == "edit", _unleased(now), _settled(settled), overtaken
        )
        old = self._connection.execute(query.limit(_AT_ONCE).with_for_update(skip_locked=True)).scalars().all()
        if old:
            change = update(_outbox).where(_outbox.c.id.in_(old))
            self._connection.execute(change.values(status="superseded", reason="overtaken", **_RELEASED))

    def _change(self, row_id: int, values: dict[str, Any], worker: str | None = None) -> bool:
        """Whether the row was still pending (and `worker`'s, where one is named), and so was changed."""
        change = update(_outbox).where(_outbox.c.id == row_id, _pending)
        if worker is not None:
            change = change.where(_outbox.c.leased_by == worker, _outbox.c.leased_until > self.database_now())
        return self._connection.execute(change.values(values)).rowcount == 1

    def _rows(
        self, where: ColumnElement[bool], *, order: tuple[Any, ...] = (_outbox.c.id,), limit: int | None = None
    ) -> list[OutboxRow]:
        of_stream = and_(_outbox.c.alert_id.is_(None), _outbox.c.kind != "continued")
        newest = (
            case((of_stream, _last_sent(_sent.c.channel)), else_=_alerts.c.channel).label("newest_channel"),
            case((of_stream, _last_sent(_sent.c.sent_ts)), else_=_alerts.c.newest_ts).label("newest_ts"),
        )
        joined = _outbox.outerjoin(_alerts, _alerts.c.id == _outbox.c.alert_id)
        query = select(*_outbox.c, *newest).select_from(joined).where(where).order_by(*order).limit(limit)
        return [_outbox_row(row) for row in self._connection.execute(query)]


_RELEASED = {"leased_until": None, "leased_by": None}
_AT_ONCE = 1000
"""Edits that one look marks as overtaken: a statement takes only so many values."""
_sent = _outbox.alias("sent")
_earlier = _outbox.alias("earlier")


def _last_sent(column: ColumnElement[Any]) -> Any:
    """`column` of the last post of the same stream, which has no alert, that is in Slack."""
    of_stream = (_sent.c.stream == _outbox.c.stream, _sent.c.alert_id.is_(None))  # the second has an index
    last = select(column).where(*of_stream, _sent.c.kind == "post", _sent.c.status == "sent")
    last = last.order_by(_sent.c.id.desc()).limit(1)
    return last.correlate(_outbox).scalar_subquery()


def _due(now: datetime) -> ColumnElement[bool]:
    """The first pending row of its stream, which waits for nothing and is nobody's."""
    blocked = exists().where(
        _earlier.c.status == "pending", _earlier.c.stream == _outbox.c.stream, _earlier.c.id < _outbox.c.id
    )
    return and_(_pending, _free(now), ~blocked)


def _settled(settled: datetime) -> ColumnElement[bool]:
    """What cannot be on its way to Slack any more, or does no harm there: only an edit can undo something."""
    at = _outbox.c.attempted_at
    return or_(_outbox.c.kind.not_in(("edit", "continued")), at.is_(None), at <= settled)


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
