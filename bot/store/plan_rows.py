"""Plans in and out. None is ever deleted; what becomes of each is in the audit log."""

from __future__ import annotations

from sqlalchemy import select, update

from bot.domain.plan_documents import plan_document, plan_from
from bot.domain.plans import Plan, Status
from bot.store import tables
from bot.store.columns import table_of
from bot.store.part import Part

_plans = table_of(tables.Plan)
_is_open = _plans.c.status.in_([status.value for status in Status if status.is_open])


class Plans(Part):
    def add_plan(self, plan: Plan) -> int:
        """Keeps a new plan (its `id` is not looked at); its id."""
        return self._insert(
            _plans,
            {
                "status": plan.status.value,
                "proposed_by": plan.proposed_by.id,
                "proposed_at": plan.proposed_at,
                "document": plan_document(plan),
            },
        )

    def save_plan(self, plan: Plan) -> None:
        """What has become of a plan. Decide and save within one writing transaction."""
        values = {"status": plan.status.value, "document": plan_document(plan)}
        self._connection.execute(update(_plans).where(_plans.c.id == plan.id).values(values))

    def plan(self, plan_id: int) -> Plan | None:
        """One plan, whatever has become of it."""
        row = self._connection.execute(select(_plans).where(_plans.c.id == plan_id)).one_or_none()
        return plan_from(row.id, row.document) if row else None

    def open_plans(self) -> tuple[Plan, ...]:
        """Those that are proposed or approved, the oldest first."""
        query = select(_plans).where(_is_open).order_by(_plans.c.id)
        return tuple(plan_from(row.id, row.document) for row in self._connection.execute(query))

    def ended_plans(self, limit: int) -> tuple[Plan, ...]:
        """Of those that have ended the newest, the newest first."""
        query = select(_plans).where(~_is_open).order_by(_plans.c.id.desc()).limit(limit)
        return tuple(plan_from(row.id, row.document) for row in self._connection.execute(query))
