"""Registers to store, small and large."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.domain.money import SATS_PER_BTC
from bot.domain.periods import Calendar
from bot.domain.terms import (
    Consent,
    DayCount,
    Facility,
    Group,
    GroupTest,
    InterestMode,
    PriceIndex,
    Release,
    Terms,
    TermsVersion,
    Tier,
    TierKind,
    Waiver,
)
from bot.domain.treasury import (
    Account,
    CashCost,
    Holds,
    Movement,
    MovementKind,
    Need,
    Notice,
    Policy,
    SlippageStep,
    Statement,
    Treasury,
)

OPENED = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
NOON = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")

TIERS = (
    Tier(TierKind.EARLY, "early warning", line=Fraction(68, 100)),
    Tier(
        TierKind.CALL,
        "margin call",
        line=Fraction(3, 4),
        cure_to=Fraction(65, 100),
        window_days=1,
        due_time=time(17, 30),
        notice_cutoff=time(12, 0),
        calendar="new-york",
    ),
    Tier(TierKind.LIQUIDATION, "liquidation", price=4_761_904, liquidate_to=Fraction(7, 10), liquidation_fee_bps=200),
)
TERMS = Terms(
    rate=Fraction(7, 100),
    day_count=DayCount.ACT_360,
    interest=InterestMode.CAPITALISED,
    tiers=TIERS,
    release=Release(Fraction(1, 2), Fraction(3, 5), 3),
    cushion=Fraction(1, 3),
    reference="kraken",
    credit_hours=timedelta(minutes=90),
    min_repayment=12_345,
    consent=Consent.DESK,
    desk_calendar="new-york",
    matures=date(2028, 4, 30),
)


CURVE = (SlippageStep(300 * SATS_PER_BTC, 20), SlippageStep(500 * SATS_PER_BTC, 60))


def a_treasury() -> Treasury:
    """A small register with something of every kind."""
    return Treasury(
        name="Example Mining",
        zone=CHICAGO,
        production_zone=ZoneInfo("UTC"),
        opened=OPENED,
        policy=Policy(withstand_drop=Fraction(3, 10), reserve_btc=500 * SATS_PER_BTC, fee_bps=10, slippage=CURVE),
        calendars={
            "new-york": Calendar(
                "new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)})
            )
        },
        accounts=(
            Account("custody", 47_462_000_000, 1_000_000_000, Holds.BANK, "new-york", timedelta(hours=4)),
            Account("a-pool", 7, 0, Holds.POOL),
        ),
        facilities=(
            Facility(
                id="antalpha",
                lender="Antalpha",
                principal=30_000_000_000,
                drawn=date(2024, 11, 11),
                zone=CHICAGO,
                versions=(
                    TermsVersion(None, TERMS),
                    TermsVersion(date(2026, 3, 1), replace(TERMS, rate=Fraction(8, 100))),
                ),
                accrued=3,
                collateral=7_000 * SATS_PER_BTC,
                group="antalpha-all",
                waivers=(Waiver(NOON, NOON + timedelta(days=3), "standstill letter"),),
                price_index=(PriceIndex(NOON, "CME CF BRR, 16:00 London"), PriceIndex(OPENED, "Coinbase, spot")),
            ),
            Facility(
                id="unsecured",
                lender="Bank",
                principal=1,
                drawn=date(2025, 1, 1),
                zone=ZoneInfo("Asia/Hong_Kong"),
                versions=(TermsVersion(None, Terms(Fraction(1, 7), DayCount.THIRTY_360, InterestMode.PAID)),),
            ),
        ),
        groups=(Group("antalpha-all", GroupTest.RATIO, TIERS[1:2], pool=5),),
        notices=(
            Notice("notice 1", "margin call", NOON, 5_710_000, facility="antalpha", demand_btc=1, due=NOON),
            Notice("notice 2", "margin call", NOON, 5_700_000, group="antalpha-all", demand_usd=2, disputed=NOON),
        ),
        needs=(Need(date(2026, 3, 1), 3_800_000_000, "operations"),),
        movements=(
            Movement(NOON - timedelta(days=1), MovementKind.MINED, "mine 1", "custody", btc=9, site="TX1", region="US"),
            Movement(NOON, MovementKind.SENT, "sent 1", "custody", facility="antalpha", btc=8),
            Movement(NOON, MovementKind.PLEDGED, "pledge 1", "custody", facility="antalpha", btc=8, of="sent 1"),
            Movement(NOON, MovementKind.ADJUSTMENT, "adjust 1", "custody", usd=-1, reason="bank fee", note="see mail"),
            Movement(NOON, MovementKind.REVERSAL, "undo 1", reverses="adjust 1"),
        ),
        cash_costs=(CashCost("2026-01", 7_800_000),),
        statements=(Statement("2026-01", 49_635_000_000, 55_003_000_000, 747_462_000_000),),
    )


def a_large_treasury(facilities: int = 10, months: int = 24, a_month: int = 20) -> Treasury:
    """`facilities` × `months` × `a_month` movements."""
    small = a_treasury()
    loans = tuple(replace(small.facilities[0], id=f"loan-{number}") for number in range(facilities))
    total = facilities * months * a_month
    step = timedelta(days=30) * months / total
    return replace(
        small,
        facilities=loans,
        notices=(),
        movements=tuple(
            Movement(
                OPENED + step * (number + 1),
                MovementKind.SOLD,
                f"sale {number}",
                "custody",
                facility=loans[number % facilities].id,
                btc=number,
                usd=number * 7,
                fee_usd=3,
                venue="desk",
                order=f"order-{number}",
                note="carried out as planned",
            )
            for number in range(total)
        ),
    )
