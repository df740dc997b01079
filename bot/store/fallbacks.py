"""What went, or goes, another way because Slack did not take it: each message once, by whichever worker claims it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, exists, or_, select, update

from bot.domain.terms import Level
from bot.store import tables
from bot.store.columns import table_of
from bot.store.outbox import OutboxPart, OutboxRow

_fallbacks = table_of(tables.Fallback)
_outbox = table_of(tables.Outbox)
_alerts = table_of(tables.Alert).alias("its_alert")
_ELSEWHERE = and_(_outbox.c.kind == "post", _outbox.c.elsewhere.is_(True))


class Gone(NamedTuple):
    """A message that went another way at `sent_at`, and what has become of it in Slack."""

    stream: str
    status: str
    sent_at: datetime


class Fallbacks(OutboxPart):
    def to_send_elsewhere(
        self, waiting_since: datetime, failed_since: datetime, refusals: Iterable[str]
    ) -> list[OutboxRow]:
        """Posts meant for it that Slack has not taken since before `waiting_since`, or refuses for good; oldest first.

        Nobody has them in hand now, and none of them has gone another way yet. What was given up after `failed_since`
        is among them, unless Slack has taken something newer of its stream. What is no longer critical is not.
        """
        now = self.database_now()
        idle = or_(_outbox.c.leased_until.is_(None), _outbox.c.leased_until <= now)
        stuck = or_(_outbox.c.created_at <= waiting_since, _outbox.c.reason.in_(list(refusals)))
        later = _outbox.alias("later")
        overtaken = exists().where(
            later.c.stream == _outbox.c.stream,
            later.c.id > _outbox.c.id,
            later.c.kind == "post",
            later.c.status == "sent",
        )
        given_up = and_(_outbox.c.status == "failed", _outbox.c.failed_at > failed_since, ~overtaken)
        waits = and_(_outbox.c.status == "pending", idle, stuck)
        gone = exists().where(_fallbacks.c.outbox_id == _outbox.c.id, _fallbacks.c.sent_at.is_not(None))
        over = exists().where(
            _alerts.c.id == _outbox.c.alert_id, or_(_alerts.c.status == "closed", _alerts.c.level < Level.CRITICAL)
        )
        return self._rows(and_(or_(waits, given_up), _ELSEWHERE, ~gone, ~over))

    def claim_fallback(self, outbox_id: int, worker: str, lease: timedelta) -> bool:
        """Whether it is `worker`'s to send another way, for `lease`; what Slack has by now, or is given, is not."""
        now = self.database_now()
        row = self.outbox_row(outbox_id)
        if row is None or row.status not in ("pending", "failed") or (row.leased_until and row.leased_until > now):
            return False
        claim = {"leased_until": now + lease, "leased_by": worker}
        statement = self._on_conflict(_fallbacks).values({"outbox_id": outbox_id, **claim})
        statement = statement.on_conflict_do_update(
            index_elements=["outbox_id"],
            set_=claim,
            where=and_(_fallbacks.c.sent_at.is_(None), _fallbacks.c.leased_until <= now),
        )
        return self._connection.execute(statement.returning(_fallbacks.c.outbox_id)).first() is not None

    def fallback_sent(self, outbox_id: int, worker: str, at: datetime) -> None:
        """It went another way. What it has overtaken in its stream counts as gone with it, in hand now or not."""
        stream = select(_outbox.c.stream).where(_outbox.c.id == outbox_id).scalar_subquery()
        unsettled = _outbox.c.status.in_(("pending", "failed"))
        older = and_(_ELSEWHERE, _outbox.c.stream == stream, _outbox.c.id < outbox_id, unsettled)
        ids = self._connection.execute(select(_outbox.c.id).where(older)).scalars()
        for one in [*ids, outbox_id]:
            row = {"outbox_id": one, "leased_until": at, "leased_by": worker, "sent_at": at}
            statement = self._on_conflict(_fallbacks).values(row)
            unsent = _fallbacks.c.sent_at.is_(None)
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["outbox_id"], set_={"sent_at": at}, where=unsent)
            )

    def fallback_put_off(self, outbox_id: int, worker: str, wait: timedelta) -> None:
        """It did not go: again after `wait`."""
        mine = update(_fallbacks).where(_fallbacks.c.outbox_id == outbox_id, _fallbacks.c.leased_by == worker)
        self._connection.execute(mine.values(leased_until=self.database_now() + wait))

    def untold_fallbacks(self) -> list[Gone]:
        """What went of which the channel does not know yet, the first first; empty while Slack is not back.

        It is back when none of them waits any more and it has taken one of them, or anything else since.
        """
        untold = and_(_fallbacks.c.sent_at.is_not(None), _fallbacks.c.told_at.is_(None))
        joined = _fallbacks.join(_outbox, _outbox.c.id == _fallbacks.c.outbox_id)
        query = select(_outbox.c.stream, _outbox.c.status, _fallbacks.c.sent_at).select_from(joined).where(untold)
        found = [Gone(*row) for row in self._connection.execute(query.order_by(_fallbacks.c.sent_at))]
        if not found or any(one.status == "pending" for one in found):
            return []
        if all(one.status == "failed" for one in found):
            since = select(exists().where(_outbox.c.sent_at > found[-1].sent_at))
            return found if self._connection.execute(since).scalar() else []
        return found

    def fallbacks_told(self, at: datetime) -> None:
        """The channel knows of all of them."""
        untold = and_(_fallbacks.c.sent_at.is_not(None), _fallbacks.c.told_at.is_(None))
        self._connection.execute(update(_fallbacks).where(untold).values(told_at=at))
