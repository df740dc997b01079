"""Coins mined and sold per calendar month, rolled forward from the same movements that the balances come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.ledger import Ledger
from bot.domain.money import Sats
from bot.domain.periods import as_utc, iso, local_day, midnight
from bot.domain.postings import Asset, Key, Place, net
from bot.domain.treasury import Statement, Treasury

_MONTH = re.compile(r"(?!000[01]|9999)\d{4}-(0[1-9]|1[0-2])\Z", re.ASCII)
"""The first and the last year are left out: in some zone they begin or end where there are no dates."""
_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class MonthProduction:
    """One month's roll-forward, all in satoshis: opening + mined − sold + other = closing.

    `adjustments`, `costs`, `fees` and `in_kind` are the parts of `other`, signed as they change what is held: a cost
    is negative, its reversal positive. `is_whole` is false in the month in whose course the treasury opened: there
    `opening` is the opening balances, and neither a gap nor a finding makes sense.
    """

    month: str
    opening: Sats
    mined: Sats
    sold: Sats
    adjustments: Sats
    costs: Sats
    fees: Sats
    in_kind: Sats
    statement: Statement | None
    is_whole: bool

    @property
    def other(self) -> Sats:
        """Adjustments, costs and fees in coins, and coins repaid in kind."""
        return self.adjustments + self.costs + self.fees + self.in_kind

    @property
    def closing(self) -> Sats:
        """Free + pledged + in transit + owed by pools, at the month's end or, in its course, at the instant asked."""
        return self.opening + self.mined - self.sold + self.other

    @property
    def gap(self) -> Sats | None:
        """The statement's held minus `closing`; None without a statement, or where the month isn't whole."""
        if self.statement is None or not self.is_whole:
            return None
        return self.statement.held - self.closing


def month_key(instant: datetime, zone: ZoneInfo) -> str:
    """The month of `instant` in `zone`: "2026-01"."""
    day = local_day(instant, zone)
    return f"{day.year:04d}-{day.month:02d}"


def is_month(text: str) -> bool:
    """Whether `text` is a month as it is written: YYYY-MM."""
    return _MONTH.match(text) is not None


def month_begins(month: str, zone: ZoneInfo) -> datetime:
    """The first instant of `month` in `zone`. ValueError: `month` is not written YYYY-MM."""
    return midnight(_first_day(month), zone)


def month_ends(month: str, zone: ZoneInfo) -> datetime:
    """The first instant after `month` in `zone`. ValueError: `month` is not written YYYY-MM."""
    first = _first_day(month)
    year, index = divmod(first.year * 12 + first.month, 12)
    return midnight(date(year, index + 1, 1), zone)


def _first_day(month: str) -> date:
    if not is_month(month):
        raise ValueError(f"“{month}” is not a month; write it YYYY-MM, as 2026-01")
    return date(int(month[:4]), int(month[5:]), 1)


def latest_statement(treasury: Treasury, month: str) -> Statement | None:
    """The newest statement of `month`; a restated one supersedes the one before."""
    return next((s for s in reversed(treasury.statements) if s.month == month), None)


def month_production(treasury: Treasury, ledger: Ledger, month: str, as_of: datetime) -> MonthProduction:
    """The roll-forward of `month` in the production zone, with what had moved by `as_of` (inclusive).

    ValueError: `month` is not written YYYY-MM, ended before the treasury opened, or begins after `as_of`.
    """
    zone = treasury.production_zone
    begins, ends, as_of = month_begins(month, zone), month_ends(month, zone), as_utc(as_of)
    if ends <= treasury.opened:
        raise ValueError(f"{month} ended before the treasury opened ({iso(treasury.opened)})")
    if as_of < begins:
        raise ValueError(f"{month} has not begun at {iso(as_of)}")
    before = begins - _TICK
    opening = ledger.opening.held if before < treasury.opened else ledger.at(before).held
    moved = net(ledger.movements_between(before, min(ends - _TICK, as_of)))

    def left_for(place: Place) -> Sats:
        return moved.get((Key(place), Asset.BTC), 0)

    return MonthProduction(
        month=month,
        opening=opening,
        mined=-left_for(Place.MINED),
        sold=left_for(Place.MARKET),
        adjustments=-left_for(Place.ADJUSTMENTS),
        costs=-left_for(Place.COSTS),
        fees=-left_for(Place.FEES),
        in_kind=-left_for(Place.IN_KIND),
        statement=latest_statement(treasury, month),
        is_whole=not begins < treasury.opened,
    )
