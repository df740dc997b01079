"""Every table of the database, by family. Importing this package fills `Base.metadata`."""

from bot.store.columns import Base
from bot.store.tables.alerting import Alert, AlertEvent, Fallback, Outbox, Silence
from bot.store.tables.audit import Audit
from bot.store.tables.market import PriceTick
from bot.store.tables.planning import Plan
from bot.store.tables.register import (
    Account,
    Calendar,
    CashCost,
    Claim,
    Facility,
    FacilityGroup,
    FacilityTerms,
    Movement,
    Need,
    Notice,
    NoticeOutcome,
    PriceIndex,
    RegisterChange,
    Statement,
    Treasury,
    Waiver,
)
from bot.store.tables.running import Heartbeat, JobRun
from bot.store.tables.slack import ClosedChannel, HandledRequest, SlackChannel, SlackGroup, SlackUser

metadata = Base.metadata

__all__ = [
    "Account",
    "Alert",
    "AlertEvent",
    "Audit",
    "Calendar",
    "CashCost",
    "Claim",
    "ClosedChannel",
    "Facility",
    "FacilityGroup",
    "FacilityTerms",
    "Fallback",
    "HandledRequest",
    "Heartbeat",
    "JobRun",
    "Movement",
    "Need",
    "Notice",
    "NoticeOutcome",
    "Outbox",
    "Plan",
    "PriceIndex",
    "PriceTick",
    "RegisterChange",
    "Silence",
    "SlackChannel",
    "SlackGroup",
    "SlackUser",
    "Statement",
    "Treasury",
    "Waiver",
    "metadata",
]
