"""Price ticks: one row a poll, all of 90 days, one an hour for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, func, select

from bot.domain.price import PriceState
from bot.domain.price_history import PriceHistory, PriceHour
from bot.domain.quotes import Tick
from bot.store.columns import table_of
from bot.store.part import Part
from bot.store.tables import PriceTick

KEEP_ALL_FOR = timedelta(days=90)
_A_PRICE = (PriceState.FRESH.value, PriceState.DEGRADED.value)

_ticks = table_of(PriceTick)


class Ticks(Part):
    def add_tick(self, tick: Tick) -> bool:
        """Keeps one poll; False where one of the same instant is there already: the first stands."""
        row = {
            "at": tick.at,
            "state": tick.state.value,
            "price": tick.price,
            "as_of": tick.as_of,
            "hour": _hour(tick.at),
            "document": tick.to_json(),
        }
        return self._insert_unless_there(_ticks, row)

    def last_tick(self, at: datetime | None = None) -> Tick | None:
        """The newest poll, at or before `at` where that is given."""
        where = [] if at is None else [_ticks.c.at <= at]
        query = select(_ticks.c.document).where(*where).order_by(_ticks.c.at.desc()).limit(1)
        document: Any = self._connection.execute(query).scalar()
        return None if document is None else Tick.from_json(document)

    def lowest_between(self, since: datetime, until: datetime) -> datetime | None:
        """When the lowest accepted price of (since, until] was polled, the first time; None without one."""
        accepted = (_ticks.c.at > since, _ticks.c.at <= until, _ticks.c.state.in_(_A_PRICE))
        query = select(_ticks.c.at).where(*accepted).order_by(_ticks.c.price, _ticks.c.at).limit(1)
        found: datetime | None = self._connection.execute(query).scalar()
        return found

    def price_history(self, until: datetime) -> PriceHistory:
        """The accepted prices at or before `until`, by the hour."""
        accepted = (_ticks.c.at <= until, _ticks.c.state.in_(_A_PRICE))
        amounts = (func.min(_ticks.c.at).label("first"), func.min(_ticks.c.price).label("low"))
        hours = select(_ticks.c.hour, *amounts, func.count().label("points")).where(*accepted)
        by_hour = hours.group_by(_ticks.c.hour).subquery()
        begun = by_hour.join(_ticks, and_(_ticks.c.hour == by_hour.c.hour, _ticks.c.at == by_hour.c.first))
        query = select(by_hour, _ticks.c.price).select_from(begun).order_by(by_hour.c.hour)
        rows = self._connection.execute(query).all()
        last = select(_ticks.c.at).where(*accepted).order_by(_ticks.c.at.desc()).limit(1)
        ends = self._connection.execute(last).scalar()
        made = tuple(PriceHour(hour, price, low) for hour, _, low, _, price in rows)
        return PriceHistory(made, sum(row.points for row in rows), rows[0].first if rows else None, ends)

    def thin_ticks(self, now: datetime) -> int:
        """Thins what is older than 90 days; how many polls went. Run again it deletes nothing more.

        Of each UTC hour the first poll stays (the first that has a price, if any does), and the last of each UTC day.
        """
        price_first = case((_ticks.c.state.in_(_A_PRICE), 0), else_=1)
        in_hour = func.row_number().over(partition_by=_ticks.c.hour, order_by=(price_first, _ticks.c.at))
        from_end = func.row_number().over(partition_by=_ticks.c.hour // 24, order_by=_ticks.c.at.desc())
        old = _ticks.c.at < (now - KEEP_ALL_FOR).replace(minute=0, second=0, microsecond=0)  # whole hours of it
        ranked = select(_ticks.c.id, in_hour.label("in_hour"), from_end.label("from_end")).where(old).subquery()
        spare = select(ranked.c.id).where(ranked.c.in_hour > 1, ranked.c.from_end > 1)
        return self._connection.execute(delete(_ticks).where(_ticks.c.id.in_(spare))).rowcount


def _hour(instant: datetime) -> int:
    """The hour of `instant`, counted from 1970 in UTC."""
    return int(instant.timestamp()) // 3600
