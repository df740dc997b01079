"""A treasury of the size that benchmarks speak of: ten facilities and two years of movements."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.domain.terms import DayCount, Facility, InterestMode, Terms, TermsVersion, Tier, TierKind
from bot.domain.treasury import Account, Movement, MovementKind, Treasury

BTC = 100_000_000
MILLION = 100_000_000
OPENED = datetime(2024, 4, 18, 16, tzinfo=UTC)
DAYS = 730
MODES = (InterestMode.CAPITALISED, InterestMode.PAID, InterestMode.AT_CLOSE)


def large_treasury(facilities: int = 10, days: int = DAYS) -> Treasury:
    """`facilities` loans of $20M against 500 BTC at lines that differ; coins mined daily, a few pledged each week."""
    return Treasury(
        name="Benchmark Mining",
        zone=ZoneInfo("America/Chicago"),
        production_zone=ZoneInfo("UTC"),
        opened=OPENED,
        accounts=(Account("custody", btc=5_000 * BTC, usd=100 * MILLION),),
        facilities=tuple(_facility(number) for number in range(facilities)),
        movements=tuple(_movements(facilities, days)),
    )


def _facility(number: int) -> Facility:
    lines = (
        ("early", TierKind.EARLY, 60, None),
        ("call", TierKind.CALL, 70, 60),
        ("end", TierKind.LIQUIDATION, 85, None),
    )
    tiers = tuple(
        Tier(kind, name, Fraction(line + number % 5, 100), cure_to=Fraction(cure, 100) if cure else None)
        for name, kind, line, cure in lines
    )
    terms = Terms(Fraction(7 + number % 3, 100), DayCount.ACT_360, MODES[number % 3], tiers)
    return Facility(
        id=f"loan-{number}",
        lender=f"Lender {number}",
        principal=20 * MILLION,
        collateral=500 * BTC,
        drawn=date(2024, 1, 2),
        zone=ZoneInfo("America/Chicago"),
        versions=(TermsVersion(None, terms),),
    )


def _movements(facilities: int, days: int) -> list[Movement]:
    made = []
    for day in range(days):
        at = OPENED + timedelta(days=day, hours=7)
        made.append(Movement(at, MovementKind.MINED, f"mined {day}", account="custody", btc=17 * BTC))
        if day % 7 == 0:
            loan = f"loan-{day // 7 % facilities}"
            made.append(
                Movement(at, MovementKind.PLEDGED, f"pledged {day}", account="custody", facility=loan, btc=5 * BTC)
            )
            made.append(
                Movement(at, MovementKind.REPAID, f"repaid {day}", account="custody", facility=loan, usd=MILLION // 10)
            )
    return made
