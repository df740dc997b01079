"""The README's promise: what would have been said of the public record, on the real prices, and when.

The oracle below shares nothing with the product: it reads the price file itself, knows the loan as a handful of
numbers, and walks every price, midnight and booking one by one.
"""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ROOT = Path(__file__).parents[2]
PRICES = ROOT.parent / "shared" / "data" / "btcusd_15m.csv.gz"
CHICAGO = ZoneInfo("America/Chicago")
TEN_MINUTES = timedelta(minutes=10)
LINES = {"early warning": (Fraction(70, 100), Fraction(69, 100)), "margin call": (Fraction(80, 100), Fraction(70, 100))}


def replay(prices: Path, *more: str) -> list[dict[str, str]]:
    command = [
        sys.executable,
        "-m",
        "bot",
        "replay",
        "bot/examples/cango.toml",
        "--prices",
        str(prices),
        *more,
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def real_prices(since: datetime, until: datetime) -> list[tuple[datetime, Fraction]]:
    """Open, low, high and close of each quarter of an hour, in dollars, at 0, ¼, ½ and ¾ of it."""
    found = []
    with gzip.open(PRICES, "rt") as file:
        for row in csv.DictReader(file):
            start = datetime.fromisoformat(row["ts"])
            for step, column in enumerate(("open", "low", "high", "close")):
                at = start + step * timedelta(seconds=225)
                if since <= at < until:
                    found.append((at, Fraction(row[column])))
    return found


def coins(at: datetime) -> Fraction:
    """Pledged on 30 September, then each month's coins at its end, less January's sales and those of 8 February."""
    booked = {
        datetime(2025, 10, 31, 23, 59, 59, tzinfo=UTC): "602.6",
        datetime(2025, 11, 30, 23, 59, 59, tzinfo=UTC): "546.7",
        datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC): "569.0",
        datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC): "-53.68",
        datetime(2026, 2, 8, 18, 0, tzinfo=UTC): "-4451",
    }
    return Fraction(5810) + sum(Fraction(amount) for when, amount in booked.items() if when <= at)


def debt(at: datetime) -> Fraction:
    """$405.1M less the $305M of 8 February, and 7 % ACT/360 for each Chicago midnight since interest was last paid."""
    principal = Fraction(405_100_000)
    paid = [datetime(2025, 9, 30, 23, 59, 59, tzinfo=UTC)]
    paid += [datetime(2025, month, 1, 18, tzinfo=UTC) for month in (10, 11, 12)]
    paid += [datetime(2026, month, 1, 18, tzinfo=UTC) for month in (1, 2)]
    last = max(when for when in paid if when <= at)
    sold = datetime(2026, 2, 8, 18, tzinfo=UTC)
    nights, day = 0, last.astimezone(CHICAGO).date()
    while True:
        day += timedelta(days=1)
        night = datetime(day.year, day.month, day.day, tzinfo=CHICAGO).astimezone(UTC)
        if night > at:
            break
        nights += 1
    # No midnight lies between the repayment and the end of this replay that would accrue on less principal.
    owed = principal - (305_000_000 if sold <= at else 0)
    return owed + principal * Fraction(7, 100) / 360 * nights


def expected(prices: list[tuple[datetime, Fraction]], end: datetime) -> list[tuple[str, str, str]]:
    """(instant, transition, tier) by walking every price and every Chicago midnight."""
    standing = dict(prices)
    nights = {
        datetime(day.year, day.month, day.day, tzinfo=CHICAGO).astimezone(UTC)
        for day in (date(2025, 10, 1) + timedelta(days=n) for n in range(140))
    }
    months = {datetime(2025, 10, 31, 23, 59, 59, tzinfo=UTC), datetime(2025, 11, 30, 23, 59, 59, tzinfo=UTC)}
    months |= {datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)}
    months |= {datetime(2026, 2, 8, 18, tzinfo=UTC)}
    months |= {
        datetime(year, month, 1, 18, tzinfo=UTC) for year, month in ((2025, 11), (2025, 12), (2026, 1), (2026, 2))
    }
    instants = sorted(at for at in {*standing, *nights, *months} if prices[0][0] <= at < end)
    active: dict[str, datetime | None] = {}  # tier -> since when it has been clear
    said, price = [], Fraction(0)
    for at, following in zip(instants, [*instants[1:], end], strict=True):
        price = standing.get(at, price)
        ltv = debt(at) / (coins(at) * price)
        before = worst(active)
        for name, (line, clear) in LINES.items():
            if ltv >= line:
                active[name] = None
            elif name in active:
                active[name] = (active[name] or at) if ltv <= clear else None
        said += told(at, before, worst(active))
        while over := sorted(since + TEN_MINUTES for since in active.values() if since is not None):
            if over[0] >= following:
                break
            before = worst(active)
            active = {name: since for name, since in active.items() if since is None or since + TEN_MINUTES > over[0]}
            said += told(over[0], before, worst(active))
    return said


def worst(active: dict[str, datetime | None]) -> str | None:
    return next((name for name in reversed(LINES) if name in active), None)


def told(at: datetime, before: str | None, after: str | None) -> list[tuple[str, str, str]]:
    if before == after:
        return []
    order = [None, *LINES]
    change = "opened" if before is None else "closed" if after is None else "worse"
    if before and after and order.index(after) < order.index(before):
        change = "eased"
    return [(at.isoformat().replace("+00:00", "Z"), change, str(after or before))]


@pytest.mark.shared
@pytest.mark.skipif(not PRICES.exists(), reason="needs ../shared")
def test_it_says_of_the_public_record_what_an_independent_walk_over_the_real_prices_finds() -> None:
    since = datetime(2025, 10, 1, tzinfo=CHICAGO).astimezone(UTC)
    until = datetime(2026, 2, 10, tzinfo=CHICAGO).astimezone(UTC)
    said = replay(PRICES, "--from", "2025-10-01", "--to", "2026-02-10")
    lines = [line for line in said if line["key"] == "covenant:antalpha"]
    assert [(line["key"], line["transition"], line["at"]) for line in said if line not in lines] == [
        ("production:2026-01:sold-over-mined", "opened", "2026-01-31T23:59:59Z"),  # 550.03 sold, 496.35 mined
        ("production:2026-02:sold-over-mined", "opened", "2026-02-08T18:00:00Z"),  # 4,451 sold, none mined yet
    ]
    assert [(line["at"], line["transition"], line["tier"]) for line in lines] == expected(
        real_prices(since, until), until
    )
    firsts = {line["tier"]: line for line in reversed(lines) if line["transition"] in ("opened", "worse")}
    assert (firsts["early warning"]["at"], firsts["early warning"]["price_usd"]) == ("2025-11-18T03:03:45Z", "90128.08")
    assert (firsts["margin call"]["at"], firsts["margin call"]["ltv_pct"]) == ("2026-02-05T15:18:45Z", "81.43")


def test_it_replays_a_small_made_price_file_without_the_real_one(tmp_path: Path) -> None:
    prices = tmp_path / "made.csv"
    rows = ["ts,usd", "2025-11-17T00:00:00Z,95000", "2025-11-18T00:00:00Z,90000", "2025-11-18T06:00:00Z,80000.00"]
    rows += ["2025-11-18T12:00:00Z,78000", "2025-11-19T00:00:00Z,95000", "2025-11-20T00:00:00Z,95000"]
    prices.write_text("\n".join(rows) + "\n")
    assert [(line["at"], line["transition"], line["tier"], line["price_usd"]) for line in replay(prices)] == [
        ("2025-11-18T00:00:00Z", "opened", "early warning", "90000.00"),
        ("2025-11-18T12:00:00Z", "worse", "margin call", "78000.00"),
        ("2025-11-19T00:10:00Z", "closed", "margin call", "95000.00"),
    ]
