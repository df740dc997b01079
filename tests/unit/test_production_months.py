"""A coin counts in the month that its own second belongs to, in whatever zone months are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import treasury

from bot.domain.ledger import Ledger
from bot.domain.money import SATS_PER_BTC
from bot.domain.production import month_key, month_production
from bot.domain.treasury import Account, Movement, MovementKind

ZONES = ("UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
MONTHS = [(year, month) for year in (2026, 2028) for month in range(1, 13)]
FIRST, LAST = datetime(2025, 11, 1, tzinfo=UTC), datetime(2029, 2, 1, tzinfo=UTC)


def mined_in(month: str, zone: str, at: datetime) -> int:
    """What that month has mined, of one coin at that instant."""
    coin = Movement(at, MovementKind.MINED, "coin", account="pool", btc=SATS_PER_BTC)
    told = replace(
        treasury(accounts=(Account("pool"),), movements=(coin,), opened=FIRST), production_zone=ZoneInfo(zone)
    )
    return month_production(told, Ledger(told), month, LAST).mined


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_the_last_second_is_of_the_old_month_and_midnight_of_the_new(zone: str, year: int, month: int) -> None:
    """Every first of a month, so also after 29 February, 31 December and both changes of the clocks."""
    midnight = datetime(year, month, 1, tzinfo=ZoneInfo(zone))
    new, before = f"{year}-{month:02d}", midnight.date() - timedelta(days=1)
    old = f"{before.year}-{before.month:02d}"
    last_second = (midnight.astimezone(UTC) - timedelta(seconds=1)).astimezone(UTC)
    assert (mined_in(old, zone, last_second), mined_in(new, zone, last_second)) == (SATS_PER_BTC, 0)
    assert (mined_in(old, zone, midnight.astimezone(UTC)), mined_in(new, zone, midnight.astimezone(UTC))) == (
        0,
        SATS_PER_BTC,
    )


@given(
    st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC)), st.sampled_from(ZONES)
)
def test_the_month_of_an_instant_is_that_of_the_wall_clock(instant: datetime, zone: str) -> None:
    assert month_key(instant, ZoneInfo(zone)) == f"{instant.astimezone(ZoneInfo(zone)):%Y-%m}"
