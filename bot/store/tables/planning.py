"""Plans: recommended sales that somebody has proposed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, UTCDateTime

from bot.store.columns import Base, Json

_OPEN = text("status IN ('proposed', 'approved')")


class Plan(Base, table=True):
    """One plan; `document` is all of the domain's `Plan` but its id, of which `status` and the proposal are copies."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint(
            "status IN ('proposed', 'approved', 'dismissed', 'expired', 'superseded', 'complete')", "status"
        ),
        Index("ix_plan_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int | None = Field(default=None, primary_key=True)
    status: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UTCDateTime)
    document: dict[str, Any] = Field(sa_type=Json)
