"""A treasury with production, for what shows one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.treasury import CashCost, Movement, MovementKind, Statement, Treasury


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def with_production(treasury: Treasury) -> Treasury:
    """The same with production at two sites, an order in two fills, a statement that does not fit, and a cash cost."""
    begin = at("02-01 12:00")
    mined = [
        Movement(
            begin + timedelta(days=n), MovementKind.MINED, f"m{n}", "custody", btc=12 * 10**8, region=region, site=site
        )
        for n, (region, site) in enumerate([("Oman", "Salalah"), ("Oman", "Salalah"), ("US <South>", None)] * 3)
    ]
    fills = [
        Movement(
            at(f"02-1{n} 15:00"),
            MovementKind.SOLD,
            f"s{n}",
            "custody",
            btc=40 * 10**8,
            usd=usd,
            order="OTC 7",
            fee_usd=100_000,
        )
        for n, usd in ((1, 270_000_000), (2, 275_000_000))
    ]
    alone = Movement(
        at("02-13 15:00"), MovementKind.SOLD, "s <3>", "custody", btc=30 * 10**8, usd=200_000_000, venue="Kraken"
    )
    stated = Statement("2026-02", 108 * 10**8, 110 * 10**8, 7_470 * 10**8)
    return replace(
        treasury,
        movements=tuple(sorted([*treasury.movements, *mined, *fills, alone], key=lambda one: one.at)),
        statements=(*treasury.statements, stated),
        cash_costs=(CashCost("2026-02", 7_000_000),),
    )
