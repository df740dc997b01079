"""What the database says the bot has seen: evidence for when to go on, never for what had to be said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from .script import PRICE_KEY, Change, Step

_KEPT = {
    "ticks": "SELECT at, state, price, as_of FROM price_tick ORDER BY at",
    "events": "SELECT e.at, a.key, e.alert_id, e.change, e.price, e.text FROM alert_event e "
    "JOIN alert a ON a.id = e.alert_id ORDER BY e.id",
    "outbox": "SELECT id, created_at, stream, kind, status, attempts, attempted_at, sent_at, sent_ts, delivery_id, "
    "leased_by, reason, message FROM outbox ORDER BY id",
}


class Evidence:
    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)
        self._blindness: Counter[str] = Counter()

    def has(self, step: Step, changes: list[Change]) -> bool:
        """Whether the price of `step` was accepted, and each of its changes is recorded."""
        ticks = "SELECT count(*) FROM price_tick WHERE price = :price AND state IN ('fresh', 'degraded')"
        if not step.blind and (self._ask(ticks, price=step.price) or [(0,)])[0][0] == 0:
            return False
        rows = self._ask(
            "SELECT a.key, e.change, count(*) FROM alert_event e JOIN alert a ON a.id = e.alert_id "
            "WHERE e.price = :price OR a.key = 'price' GROUP BY a.key, e.change",
            price=step.price,
        )
        if rows is None:
            return False
        found = Counter({(key, change): count for key, change, count in rows})
        return all(found[c.key, c.change] > (self._blindness[c.change] if c.key == PRICE_KEY else 0) for c in changes)

    def seen(self, changes: list[Change]) -> None:
        """The step is over: of blindness, which has no price to know it by, so many changes are dealt with."""
        self._blindness.update(change.change for change in changes if change.key == PRICE_KEY)

    def pending(self) -> int:
        """How many messages the bot still has to deliver; -1 where nobody can tell."""
        rows = self._ask("SELECT count(*) FROM outbox WHERE status = 'pending'")
        return -1 if rows is None else int(rows[0][0])

    def waiting(self) -> list[str]:
        """The messages that are still to be delivered, for the report."""
        rows = self._ask(
            "SELECT id, stream, kind, attempts, not_before, attempted_at, leased_until, reason FROM outbox "
            "WHERE status = 'pending' ORDER BY id"
        )
        return [" ".join(map(str, row)) for row in rows or []]

    def keep(self, directory: Path) -> None:
        """What is recorded of prices, alerts and messages, as text, for whoever looks into a fault."""
        for name, query in _KEPT.items():
            rows = self._ask(query) or []
            (directory / f"{name}.txt").write_text("".join(f"{' | '.join(map(str, row))}\n" for row in rows))

    def _ask(self, query: str, **given: int) -> list[Any] | None:
        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query), given)]
        except OperationalError:
            return None
