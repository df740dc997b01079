"""What went, or goes, another way because Slack did not take it: each message once, by whichever worker claims it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update

from bot.store import tables
from bot.store.columns import table_of
from bot.store.outbox import OutboxPart, OutboxRow

_fallbacks = table_of(tables.Fallback)
_outbox = table_of(tables.Outbox)


class Fallbacks(OutboxPart):
    def to_send_elsewhere(self, waiting_since: datetime, refusals: Iterable[str]) -> list[OutboxRow]:
        """Posts meant for it that Slack has not taken since before `waiting_since`, or refuses for good; oldest first.

        Nobody has them in hand now, and none of them has gone another way yet.
        """
        now = self.database_now()
        idle = or_(_outbox.c.leased_until.is_(None), _outbox.c.leased_until <= now)
        stuck = or_(_outbox.c.created_at <= waiting_since, _outbox.c.reason.in_(list(refusals)))
        gone = exists().where(_fallbacks.c.outbox_id == _outbox.c.id, _fallbacks.c.sent_at.is_not(None))
        pending = _outbox.c.status == "pending"
        return self._rows(and_(pending, _outbox.c.kind == "post", _outbox.c.elsewhere.is_(True), idle, stuck, ~gone))

    def claim_fallback(self, outbox_id: int, worker: str, lease: timedelta) -> bool:
        """Whether it is `worker`'s to send another way, for `lease`."""
        now = self.database_now()
        claim = {"leased_until": now + lease, "leased_by": worker}
        statement = self._on_conflict(_fallbacks).values({"outbox_id": outbox_id, **claim})
        statement = statement.on_conflict_do_update(
            index_elements=["outbox_id"],
            set_=claim,
            where=and_(_fallbacks.c.sent_at.is_(None), _fallbacks.c.leased_until <= now),
        )
        return self._connection.execute(statement.returning(_fallbacks.c.outbox_id)).first() is not None

    def fallback_sent(self, outbox_ids: Iterable[int], worker: str, at: datetime) -> None:
        """They went another way; what had been overtaken by the newest of them counts as gone with it."""
        for outbox_id in outbox_ids:
            row = {"outbox_id": outbox_id, "leased_until": at, "leased_by": worker, "sent_at": at}
            statement = self._on_conflict(_fallbacks).values(row)
            unsent = _fallbacks.c.sent_at.is_(None)
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["outbox_id"], set_={"sent_at": at}, where=unsent)
            )

    def fallback_put_off(self, outbox_id: int, worker: str, wait: timedelta) -> None:
        """It did not go: again after `wait`."""
        mine = update(_fallbacks).where(_fallbacks.c.outbox_id == outbox_id, _fallbacks.c.leased_by == worker)
        self._connection.execute(mine.values(leased_until=self.database_now() + wait))

    def untold_fallbacks(self) -> list[datetime]:
        """When each of those went of which the channel does not know yet; empty while one of them is not in Slack."""
        untold = and_(_fallbacks.c.sent_at.is_not(None), _fallbacks.c.told_at.is_(None))
        joined = _fallbacks.join(_outbox, _outbox.c.id == _fallbacks.c.outbox_id)
        query = select(_fallbacks.c.sent_at, _outbox.c.status).select_from(joined).where(untold)
        found = self._connection.execute(query).all()
        if any(row.status == "pending" for row in found):
            return []
        return sorted(row.sent_at for row in found)

    def fallbacks_told(self, at: datetime) -> None:
        """The channel knows of all of them."""
        untold = and_(_fallbacks.c.sent_at.is_not(None), _fallbacks.c.told_at.is_(None))
        self._connection.execute(update(_fallbacks).where(untold).values(told_at=at))
