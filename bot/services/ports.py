"""What services ask of the world. The store, the clock and the messenger satisfy these; tests may pass their own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from bot.domain.alert import Alert, Silence
from bot.domain.audit import Entry
from bot.domain.late import LateRecord
from bot.domain.money import Price
from bot.domain.plans import Plan
from bot.domain.price_history import PriceHistory
from bot.domain.quotes import Poll, Tick
from bot.domain.terms import Level
from bot.domain.transitions import Transition
from bot.domain.treasury import Treasury

T_co = TypeVar("T_co", covariant=True)


class Clock(Protocol):
    """Gives the present instant, aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Reading(Protocol[T_co]):
    """A store that can be read in one transaction, as of one instant."""

    def reading(self) -> AbstractContextManager[T_co]: ...


class Writing(Protocol[T_co]):
    """A store that can be written in one transaction: all of it or nothing."""

    def writing(self) -> AbstractContextManager[T_co]: ...


class Feed(Protocol):
    """Asks the price sources, all together."""

    def poll(self) -> Poll: ...


class Reads(Protocol):
    """What a question reads, within one transaction."""

    def treasury(self) -> Treasury | None:
        """The whole register, or None before any import. The same object while nothing was recorded."""
        ...

    def last_tick(self, at: datetime | None = None) -> Tick | None:
        """The newest price poll at or before `at`."""
        ...

    def lowest_between(self, since: datetime, until: datetime) -> datetime | None:
        """When the lowest accepted price of (since, until] was polled; None without one."""
        ...

    def price_history(self, until: datetime) -> PriceHistory:
        """Every accepted price that is kept, at or before `until`."""
        ...


class ReadsPast(Reads, Protocol):
    """What a question about the past reads as well."""

    def recorded_after(self, at: datetime) -> tuple[LateRecord, ...]:
        """What was recorded after `at` and counts from `at` or before; () where nothing at all was recorded by then."""
        ...


class KeepsTicks(Protocol):
    """What a price poll writes."""

    def last_tick(self, at: datetime | None = None) -> Tick | None: ...

    def add_tick(self, tick: Tick) -> Any: ...


class KeepsAudit(Protocol):
    """Keeps the audit log: whoever changes anything records it in the same transaction."""

    def add_audit(self, entry: Entry) -> Any: ...


class OpenAlert(Protocol):
    """An alert as kept; see `bot.store.alert_rows`."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def tier(self) -> str | None: ...
    @property
    def opened_at(self) -> datetime: ...
    @property
    def closed_at(self) -> datetime | None: ...
    @property
    def due(self) -> datetime | None: ...
    @property
    def text(self) -> str: ...
    @property
    def alert(self) -> Alert: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def newest_ts(self) -> str | None: ...


class Enqueues(Protocol):
    """Puts a message into the outbox; see `bot.store.outbox`."""

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
    ) -> int: ...


class KeepsRegister(KeepsAudit, Enqueues, Protocol):
    """What an import writes."""

    def treasury(self) -> Treasury | None: ...

    def apply(self, new: Treasury, *, at: datetime, by: str, source: str, lines: tuple[str, ...] = ()) -> bool: ...

    def revision(self) -> int: ...


class KeepsPlans(Reads, Enqueues, KeepsAudit, Protocol):
    """What becomes of plans; see `bot.store.plan_rows`."""

    def revision(self) -> int: ...

    def add_plan(self, plan: Plan) -> int: ...

    def save_plan(self, plan: Plan) -> None: ...

    def plan(self, plan_id: int) -> Plan | None: ...

    def open_plans(self) -> tuple[Plan, ...]: ...

    def ended_plans(self, limit: int) -> tuple[Plan, ...]: ...


class KeepsAlerts(KeepsPlans, Protocol):
    """What a check writes: alerts, their history, and the messages that must go out."""

    def open_alerts(self) -> Mapping[str, OpenAlert]: ...

    def lately_closed(self, since: datetime) -> Mapping[str, Alert]: ...

    def silences(self, now: datetime) -> tuple[Silence, ...]: ...

    def post_waits(self, stream: str) -> bool:
        """Whether a post of `stream` is not known to be in Slack yet."""
        ...

    def save_transition(
        self,
        transition: Transition,
        *,
        channel: str | None,
        text: str,
        due: datetime | None = None,
        price: Price | None = None,
        ltv: Fraction | None = None,
    ) -> int | None: ...

    def record_recovered(self, ref: str, at: datetime) -> bool: ...
