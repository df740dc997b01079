"""Random treasuries for Cover: up to eight loans, groups of both tests, pools, reserves, curves, consent, rails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from support import HOUR, OPENED, UTC_ZONE, loan, treasury

from bot.domain.book import Book, Register, marks_needed
from bot.domain.periods import Calendar
from bot.domain.price import PriceView
from bot.domain.terms import Consent, Facility, Group, GroupTest, LtvOn, OnRecovery, Tier, TierKind
from bot.domain.treasury import Account, Holds, Notice, Policy, SlippageStep, Treasury

PRICE = 5_500_000
CALENDARS = {
    "new-york": Calendar("new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)})),
    "hong-kong": Calendar("hong-kong", ZoneInfo("Asia/Hong_Kong"), time(9), time(18)),
}


def random_book(seed: int, *, steady: bool = False) -> Book:
    """A Book at the scenario price of $55,000, some of whose loans are at a call line there.

    A `steady` one has no interest (it doesn't matter when a plan settles) and no least repayments.
    """
    rng = Random(seed)  # noqa: S311
    loans = rng.choice([1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7, 8])
    groups = [_group(rng, f"g{n}") for n in range(rng.choice([0, 0, 1, 1, 2]) if loans > 1 else 0)]
    facilities = tuple(_loan(rng, f"f{n}", groups, steady=steady) for n in range(loans))
    now = datetime(2026, 2, rng.choice([7, 7, rng.randint(2, 20)]), rng.randint(0, 23), 15, tzinfo=UTC)
    register = treasury(
        *facilities,
        groups=tuple(groups),
        accounts=tuple(_account(rng, n) for n in range(rng.randint(1, 4))),
        calendars=CALENDARS,
        policy=_policy(rng),
        opened=OPENED,
        zone=rng.choice([UTC_ZONE, ZoneInfo("America/Chicago")]),
    )
    register = replace(register, notices=_notices(rng, register, now))
    prices = dict.fromkeys(marks_needed(register, now), PriceView.scenario(20_000_000))
    return Book(Register.of(register), now, PriceView.scenario(PRICE), prices)


def _amount(rng: Random, most: int) -> int:
    """Sometimes nothing, sometimes a round sum, else anything."""
    return rng.choice([0, rng.randint(0, most), rng.randint(0, most), most])


def _account(rng: Random, number: int) -> Account:
    holds = rng.choice([Holds.BANK, Holds.BANK, Holds.USDT, Holds.USDC, Holds.POOL])
    return Account(
        f"a{number}",
        _amount(rng, 400 * 10**8),
        0 if holds is Holds.POOL else _amount(rng, 3 * 10**9),
        holds,
        rng.choice([None, "new-york", "hong-kong"]),
        rng.choice([0, 0, 4, 30]) * HOUR,
    )


def _policy(rng: Random) -> Policy:
    curve = [
        (),
        (
            SlippageStep(rng.randint(1, 300 * 10**8), 10),
            SlippageStep(rng.randint(1, 500 * 10**8), 60),
            SlippageStep(10**8, 400),
        ),
    ]
    return Policy(
        reserve_btc=rng.choice([0, 0, rng.randint(0, 300 * 10**8)]),
        min_cash_usd=rng.choice([0, 0, rng.randint(0, 10**9)]),
        max_cover_btc=rng.choice([None, None, rng.randint(0, 3000 * 10**8)]),
        fee_bps=rng.choice([0, 10]),
        slippage_bps=rng.choice([0, 40, 250]),
        slippage=rng.choice(curve),
    )


def _group(rng: Random, name: str) -> Group:
    line = Fraction(rng.randint(60, 85), 100)
    tiers = (
        Tier(TierKind.CALL, "call", line, cure_to=line - Fraction(rng.randint(1, 15), 100), window_hours=_hours(rng)),
    )
    return Group(
        name,
        rng.choice(list(GroupTest)),
        tiers,
        pool=rng.choice([None, None, rng.randint(1, 3000) * 10**8]),
        cushion=rng.choice([Fraction(0), Fraction(1, 50)]),
    )


def _hours(rng: Random) -> timedelta | None:
    return rng.choice([None, 6, 24, 24, 72]) and rng.choice([6, 24, 24, 72]) * HOUR


def _tiers(rng: Random) -> tuple[Tier, ...]:
    call = Fraction(rng.randint(60, 80), 100)
    tiers = [
        Tier(
            TierKind.CALL,
            "margin call",
            call,
            cure_to=call - Fraction(rng.randint(1, 15), 100),
            window_hours=_hours(rng),
        )
    ]
    if rng.random() < 0.4:
        tiers.insert(0, Tier(TierKind.EARLY, "early", call - Fraction(1, 50)))
    if rng.random() < 0.3:
        tiers.append(Tier(TierKind.ACCELERATED, "fast", call + Fraction(1, 20), window_hours=_hours(rng)))
    if rng.random() < 0.6:
        tiers.append(Tier(TierKind.LIQUIDATION, "liquidation", Fraction(92, 100)))
    return tuple(tiers)


def _loan(rng: Random, name: str, groups: list[Group], *, steady: bool) -> Facility:
    group = rng.choice([*groups, None]) if groups else None
    coins = rng.choice([0, rng.randint(1, 1500), rng.randint(1, 1500), rng.randint(1, 1500)])
    debt = max(int(coins * PRICE * rng.randint(35, 100) / 100) + rng.randint(0, 99), 100)
    if not coins:
        debt = rng.choice([0, 1, rng.randint(1, 10**8)])
    more: dict[str, Any] = {}
    if group is None and rng.random() < 0.2:
        more["release"] = ("0.60", "0.62", 1)
    pooled = group is not None and group.pool is not None
    return loan(
        name,
        debt=f"{debt // 100}.{debt % 100:02d}",
        coins="0" if pooled else str(coins),
        tiers=_tiers(rng),
        group=group.id if group else None,
        rate=0 if steady else rng.choice([0, 0, 0, Fraction(7, 100)]),
        accrued=rng.choice([0, 0, rng.randint(0, 10**6)]),
        ltv_on=rng.choice([LtvOn.DEBT, LtvOn.DEBT, LtvOn.PRINCIPAL]),
        cushion=rng.choice([Fraction(0), Fraction(0), Fraction(1, 20)]),
        credit_hours=rng.choice([None, HOUR, 5 * HOUR]),
        min_repayment=rng.choice([0, 0, rng.randint(0, 2 * 10**9)]) if name in ("f0", "f3") and not steady else 0,
        consent=rng.choice(list(Consent)),
        desk_calendar=rng.choice([None, "new-york", "hong-kong"]),
        zone=rng.choice([UTC_ZONE, ZoneInfo("America/Chicago")]),
        on_recovery=OnRecovery.STAYS,
        **more,
    )


def _notices(rng: Random, register: Treasury, now: datetime) -> tuple[Notice, ...]:
    """Sometimes a lender has called, and sometimes the deadline is past."""
    if rng.random() < 0.7:
        return ()
    facility = rng.choice(register.facilities)
    due = now + rng.choice([-2, 3, 20, 60]) * HOUR
    if register.pool_of(facility) is not None:
        return ()
    return (Notice("n1", "margin call", now - 3 * HOUR, PRICE + 10**5, facility=facility.id, due=due),)
