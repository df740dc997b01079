"""Alerts and their history. What becomes of an alert is decided in `bot.domain.alerts`; here it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, update

from bot.domain.alert import Episode
from bot.domain.alerts import Alert, Change, Transition
from bot.domain.money import Price
from bot.domain.terms import Level
from bot.store import tables
from bot.store.alert_documents import alert_document, alert_from
from bot.store.columns import table_of
from bot.store.part import Part

_alerts = table_of(tables.Alert)
_events = table_of(tables.AlertEvent)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert as stored. `alert` is its domain state; `channel` and `newest_ts` are those
    of its newest post (`newest_ts` None: nothing is posted yet)."""

    id: int
    key: str
    status: str
    level: Level
    tier: str | None
    opened_at: datetime
    closed_at: datetime | None
    due: datetime | None
    text: str
    alert: Alert
    channel: str | None
    newest_ts: str | None


@dataclass(frozen=True, slots=True)
class AlertEventRow:
    """One transition of an alert as it was recorded. `price` in cents per BTC, `ltv` the lender's.

    `by`: whose act it was; `until`: what they snoozed it until.
    """

    alert_id: int
    at: datetime
    change: str
    reason: str
    level: Level
    tier: str | None
    mark: str | None
    text: str
    price: Price | None
    ltv: Fraction | None
    by: str | None
    until: datetime | None


class Alerts(Part):
    def open_alerts(self) -> dict[str, AlertRow]:
        """Every open alert by its key."""
        rows = self._connection.execute(_select().where(_alerts.c.status == "open").order_by(_alerts.c.key))
        return {row.key: _alert_row(row) for row in rows}

    def lately_closed(self, since: datetime) -> dict[str, Alert]:
        """The alerts that closed after `since`, by key, of several the last: what is remembered of them."""
        query = _select().where(_alerts.c.status == "closed", _alerts.c.closed_at > since)
        rows = self._connection.execute(query.order_by(_alerts.c.closed_at, _alerts.c.id))
        closed = {row.key: alert_from(row.state) for row in rows}
        return {key: alert for key, alert in closed.items() if not alert.active}  # an earlier version left its lines

    def alert(self, alert_id: int) -> AlertRow | None:
        """One alert, open or closed."""
        row = self._connection.execute(_select().where(_alerts.c.id == alert_id)).one_or_none()
        return _alert_row(row) if row else None

    def alerts(self, limit_closed: int = 10) -> list[AlertRow]:
        """Open alerts, the worst first, then the last closed ones, the newest first."""
        worst_first = (_alerts.c.level.desc(), _alerts.c.opened_at, _alerts.c.id)
        newest_first = (_alerts.c.closed_at.desc(), _alerts.c.id.desc())
        opened = self._connection.execute(_select().where(_alerts.c.status == "open").order_by(*worst_first))
        closed = _select().where(_alerts.c.status == "closed").order_by(*newest_first).limit(limit_closed)
        return [_alert_row(row) for row in (*opened, *self._connection.execute(closed))]

    def alert_events(self, alert_id: int | None = None, since: datetime | None = None) -> list[AlertEventRow]:
        """The history of one alert or of all, oldest first, at or after `since`."""
        query = select(*(column for column in _events.c if column.name != "id")).order_by(_events.c.at, _events.c.id)
        if alert_id is not None:
            query = query.where(_events.c.alert_id == alert_id)
        if since is not None:
            query = query.where(_events.c.at >= since)
        rows = (row._asdict() for row in self._connection.execute(query))
        return [AlertEventRow(**{**row, "level": Level(row["level"])}) for row in rows]

    def episodes(self, since: datetime, until: datetime) -> list[Episode]:
        """Every alert that was open at some instant of (since, until], as it was at `until`; the oldest first."""
        lasted = or_(_alerts.c.closed_at.is_(None), _alerts.c.closed_at > since)
        mine = select(_alerts.c.id).where(_alerts.c.opened_at <= until, lasted)
        ends = select(_events.c.alert_id, func.min(_events.c.id).label("first"), func.max(_events.c.id).label("last"))
        ends = ends.where(_events.c.alert_id.in_(mine), _events.c.at <= until).group_by(_events.c.alert_id)
        known, first, last = ends.subquery(), _events.alias("first"), _events.alias("last")
        joined = known.join(_alerts, _alerts.c.id == known.c.alert_id)
        joined = joined.join(first, first.c.id == known.c.first).join(last, last.c.id == known.c.last)
        about = (_alerts.c.key, _alerts.c.opened_at, _alerts.c.closed_at, last.c.level, last.c.tier)
        texts = (first.c.text.label("opening"), last.c.text.label("latest"))
        query = select(*about, *texts).select_from(joined).order_by(_alerts.c.opened_at, _alerts.c.id)
        return [_episode(row._asdict(), until) for row in self._connection.execute(query)]

    def save_transition(
        self,
        transition: Transition,
        *,
        channel: str | None,
        text: str,
        due: datetime | None = None,
        price: Price | None = None,
        ltv: Fraction | None = None,
    ) -> int | None:
        """Writes what became of one key; the alert's id, None where there is no alert.

        `text` is what the alert says now. An event is written for every change but KEPT; of that only what differs
        is. `channel` is where the first post goes; from then on a delivered post says where the alert's message is.
        Deciding and saving belong into one writing transaction: IntegrityError where another opened the key meanwhile.
        """
        values: dict[str, Any] = {"due": due, "text": text}
        if transition.before is None:
            if transition.alert is None:
                return None
            opened = {"key": transition.key, "status": "open", "opened_at": transition.alert.opened_at}
            alert_id = self._insert(_alerts, opened | values | _state(transition.alert) | {"channel": channel})
        else:
            if transition.alert is None:
                values |= {"status": "closed", "closed_at": transition.at}
                if transition.after is not None:
                    values["state"] = alert_document(transition.after)
            elif transition.alert != transition.before:
                values |= _state(transition.alert)
            alert_id = self._update(transition.key, values)
        if transition.change is not Change.KEPT:
            self._event(alert_id, transition, {"text": text, "price": price, "ltv": ltv})
        return alert_id

    def _update(self, key: str, values: dict[str, Any]) -> int:
        """Writes what differs into the open alert of `key`; its id."""
        here = (_alerts.c.key == key, _alerts.c.status == "open")
        stored = self._connection.execute(_select().where(*here)).one()._mapping
        changed = {name: value for name, value in values.items() if stored[name] != value}
        if changed:
            self._connection.execute(update(_alerts).where(_alerts.c.id == stored["id"]).values(changed))
        return int(stored["id"])

    def _event(self, alert_id: int, transition: Transition, about: dict[str, Any]) -> None:
        known = transition.alert or transition.before
        values = {
            "alert_id": alert_id,
            "at": transition.at,
            "change": transition.change.value,
            "reason": transition.reason.value,
            "level": int(known.level if known else Level.OK),
            "tier": known.tier if known else None,
            "mark": transition.mark,
            "by": transition.act.by.id if transition.act else None,
            "until": known.hold.until if transition.act and known and known.hold else None,
        }
        self._insert(_events, values | about)


def _episode(stored: dict[str, Any], until: datetime) -> Episode:
    closed_at = stored["closed_at"]
    shown = {name: stored[name].split("\n", 1)[0] for name in ("opening", "latest")}
    over = closed_at if closed_at is not None and closed_at <= until else None
    return Episode(**{**stored, **shown, "closed_at": over, "level": Level(stored["level"])})


def _state(alert: Alert) -> dict[str, Any]:
    return {"level": int(alert.level), "tier": alert.tier, "state": alert_document(alert)}


def _select() -> Select[Any]:
    return select(*_alerts.c)


def _alert_row(row: Row[Any]) -> AlertRow:
    stored = row._asdict()
    alert = alert_from(stored.pop("state"))
    return AlertRow(**{**stored, "level": Level(stored["level"]), "alert": alert})
