"""The contract's own treasury file, and the keys beyond it, become what they say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.periods import Calendar
from bot.domain.terms import (
    Consent,
    DayCount,
    Group,
    GroupTest,
    InterestMode,
    Level,
    LtvOn,
    OnRecovery,
    Release,
    Terms,
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
    Statement,
    Treasury,
)
from bot.treasury_file import read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
BTC = 100_000_000


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def treasury() -> Treasury:
    return read_treasury("contract.toml", CONTRACT)


def test_the_treasury_and_its_policy(treasury: Treasury) -> None:
    assert (treasury.name, treasury.zone, treasury.production_zone, treasury.opened) == (
        "Example Mining",
        ZoneInfo("America/Chicago"),
        ZoneInfo("UTC"),
        at("2026-01-31T23:59:59"),
    )
    assert treasury.policy == Policy(
        withstand_drop=Fraction(3, 10),
        reserve_btc=500 * BTC,
        min_cash_usd=10_000_000_00,
        max_cover_btc=5000 * BTC,
        sell_of_mined=Fraction(1),
        max_daily_btc=600 * BTC,
        fee_bps=10,
        slippage_bps=40,
        sold_over_mined_limit=Fraction(1),
        plan_btc_per_month=550 * BTC,
        plan_tolerance=Fraction(1, 10),
        rollforward_tolerance_btc=1_000_000,
        statement_due_day=5,
    )


def test_its_accounts_and_calendars(treasury: Treasury) -> None:
    assert treasury.accounts == (
        Account("custody", 474_62_000_000, 10_000_000_00, Holds.BANK, "new-york", timedelta(hours=4)),
    )
    assert treasury.calendars == {
        "new-york": Calendar(
            "new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)})
        )
    }


def test_its_facility_as_first_agreed(treasury: Treasury) -> None:
    (facility,) = treasury.facilities
    assert (facility.id, facility.lender, facility.principal, facility.accrued, facility.collateral) == (
        "antalpha",
        "Antalpha",
        300_000_000_00,
        0,
        7000 * BTC,
    )
    assert (facility.drawn, facility.zone, facility.group) == (date(2024, 11, 11), treasury.zone, "antalpha-all")
    assert facility.versions[0].effective is None
    assert facility.versions[0].terms == Terms(
        rate=Fraction(7, 100),
        day_count=DayCount.ACT_360,
        interest=InterestMode.CAPITALISED,
        tiers=(
            Tier(TierKind.EARLY, "early warning", line=Fraction(68, 100)),
            Tier(
                TierKind.CALL,
                "margin call",
                line=Fraction(3, 4),
                cure_to=Fraction(65, 100),
                window_hours=timedelta(hours=24),
            ),
            Tier(
                TierKind.LIQUIDATION,
                "liquidation",
                line=Fraction(9, 10),
                liquidate_to=Fraction(7, 10),
                liquidation_fee_bps=200,
            ),
        ),
        release=Release(Fraction(1, 2), Fraction(3, 5), 3),
        credit_hours=timedelta(hours=1),
        consent=Consent.DESK,
        matures=date(2028, 4, 30),
    )
    assert facility.waivers == (Waiver(at("2026-02-06"), at("2026-02-10"), "standstill letter"),)


def test_an_amendment_changes_what_it_names_and_nothing_else(treasury: Treasury) -> None:
    first, second = treasury.facilities[0].versions
    assert second.effective == date(2026, 3, 1)
    assert second.terms.rate == Fraction(8, 100)
    assert (second.terms.tiers, second.terms.release, second.terms.consent, second.terms.matures) == (
        first.terms.tiers,
        first.terms.release,
        first.terms.consent,
        first.terms.matures,
    )


def test_the_rest_of_it(treasury: Treasury) -> None:
    assert treasury.groups == (
        Group(
            "antalpha-all",
            GroupTest.RATIO,
            (
                Tier(
                    TierKind.CALL,
                    "group call",
                    line=Fraction(78, 100),
                    cure_to=Fraction(68, 100),
                    window_hours=timedelta(hours=12),
                ),
            ),
        ),
    )
    assert treasury.notices == (
        Notice("notice 1", "margin call", at("2026-02-07T14:15"), 57_100_00, facility="antalpha"),
    )
    assert treasury.needs == (Need(date(2026, 3, 1), 38_000_000_00, "operations"),)
    sale, repayment = treasury.movements
    assert sale == Movement(
        at("2026-02-08T18:00"),
        MovementKind.SOLD,
        "sale 1",
        account="custody",
        facility="antalpha",
        btc=3650 * BTC,
        usd=250_000_000_00,
    )
    assert (repayment.kind, repayment.usd) == (MovementKind.REPAID, 250_000_000_00)
    assert treasury.cash_costs == (CashCost("2026-01", 78_000_00),)
    assert treasury.statements == (Statement("2026-01", 496_35_000_000, 550_03_000_000, 7474_62_000_000),)


SMALL = """
[treasury]
name = "Small"
timezone = "America/Chicago"
opened = 2026-01-31T23:59:59Z

[[calendar]]
id = "desk"
timezone = "Asia/Hong_Kong"
open = 09:30:00
close = "18:00"

[[account]]
id = "pool"
btc = "12.5"
holds = "pool"
ready_hours = "1.5"

[[facility]]
id = "a"
lender = "A"
principal = "100"
drawn = 2026-02-15
rate = "1/15"
day_count = "30/360"
interest = "at_close"
"""


def small(more: str = "") -> Treasury:
    return read_treasury("small.toml", SMALL + more)


def test_what_is_left_out_has_the_contracts_defaults() -> None:
    treasury = small()
    (facility,) = treasury.facilities
    terms = facility.versions[0].terms
    assert treasury.policy == Policy()
    assert treasury.production_zone == ZoneInfo("UTC")
    assert treasury.accounts[0] == Account("pool", 1_250_000_000, 0, Holds.POOL, None, timedelta(minutes=90))
    assert terms == Terms(Fraction(1, 15), DayCount.THIRTY_360, InterestMode.AT_CLOSE)
    assert (terms.ltv_on, terms.on_recovery, terms.consent, terms.cushion) == (
        LtvOn.DEBT,
        OnRecovery.STAYS,
        Consent.NONE,
        0,
    )
    assert (facility.accrued, facility.collateral, facility.group, facility.waivers) == (0, 0, None, ())


def test_a_tier_may_be_written_in_coverage_or_price_and_has_all_its_keys() -> None:
    treasury = small("""
accrual_timezone = "UTC"
reference = "kraken"
desk_calendar = "desk"
cushion = "0.02"
ltv_on = "principal"
on_recovery = "at_cure"
credit_hours = 2
min_call_usd = "250000"
  [[facility.tier]]
  kind = "early"
  price = "60000"
  level = "notice"
  [[facility.tier]]
  kind = "call"
  coverage = "4/3"
  cure_to_coverage = "1.65"
  window_days = 2
  due_time = "16:00"
  notice_cutoff = 12:00:00
  calendar = "desk"
  [[facility.tier]]
  kind = "liquidation"
  coverage = "1.1"
  liquidate_to = "0.75"
  liquidation_fee_bps = 50
  [facility.release]
  coverage = "2"
  to_coverage = "1.8"
""")
    (facility,) = treasury.facilities
    terms = facility.versions[0].terms
    assert facility.zone == ZoneInfo("UTC")
    assert terms.tiers == (
        Tier(TierKind.EARLY, "early", price=60_000_00, own_level=Level.NOTICE),
        Tier(
            TierKind.CALL,
            "call",
            line=Fraction(3, 4),
            cure_to=Fraction(100, 165),
            window_days=2,
            due_time=time(16),
            notice_cutoff=time(12),
            calendar="desk",
        ),
        Tier(
            TierKind.LIQUIDATION,
            "liquidation",
            line=Fraction(10, 11),
            liquidate_to=Fraction(3, 4),
            liquidation_fee_bps=50,
        ),
    )
    assert terms.release == Release(Fraction(1, 2), Fraction(5, 9), 1)
    assert (terms.reference, terms.desk_calendar, terms.cushion) == ("kraken", "desk", Fraction(2, 100))
    assert (terms.ltv_on, terms.on_recovery, terms.credit_hours) == (
        LtvOn.PRINCIPAL,
        OnRecovery.AT_CURE,
        timedelta(hours=2),
    )


def test_amendments_follow_each_other_by_their_day_and_replace_whole_lists() -> None:
    treasury = small("""
  [[facility.tier]]
  kind = "call"
  ltv = "0.70"
  [[facility.tier]]
  kind = "liquidation"
  ltv = "0.80"
  [[facility.amendment]]
  effective = 2026-05-01
  cushion = "0.01"
  [[facility.amendment]]
  effective = 2026-04-01
  rate = "0.09"
  matures = 2030-01-01
    [[facility.amendment.tier]]
    kind = "call"
    ltv = "0.75"
""")
    first, april, may = treasury.facilities[0].versions
    assert [version.effective for version in (first, april, may)] == [None, date(2026, 4, 1), date(2026, 5, 1)]
    assert [len(version.terms.tiers) for version in (first, april, may)] == [2, 1, 1]
    assert (may.terms.rate, may.terms.cushion, may.terms.matures) == (
        Fraction(9, 100),
        Fraction(1, 100),
        date(2030, 1, 1),
    )


def test_a_requirements_group_pools_coins_and_is_called_by_kind() -> None:
    treasury = small("""
group = "all"
  [[facility.tier]]
  kind = "call"
  name = "first call"
  ltv = "0.70"
[[group]]
id = "all"
test = "requirements"
collateral_btc = "3"
reference = "coinbase"
min_call_usd = "1000"
[[call]]
group = "all"
tier = "call"
at = 2026-02-20T10:00:00+08:00
price = "50000"
ref = "n"
demand_usd = "40"
demand_btc = "0.001"
disputed = 2026-02-20T04:00:00Z
""")
    (group,), (notice,) = treasury.groups, treasury.notices
    assert (group.pool, group.reference, group.min_call_usd) == (3 * BTC, "coinbase", 1000_00)
    assert treasury.pool_of(treasury.facilities[0]) == group
    assert (notice.group, notice.facility, notice.at) == ("all", None, at("2026-02-20T02:00"))
    assert (notice.demand_usd, notice.demand_btc, notice.disputed) == (40_00, 100_000, at("2026-02-20T04:00"))


def test_movements_are_in_order_of_their_instant_then_of_the_file() -> None:
    treasury = small("""
[[movement]]
at = 2026-02-03T00:00:00Z
kind = "mined"
account = "pool"
btc = "1"
ref = "third"
[[movement]]
at = 2026-02-02T00:00:00Z
kind = "mined"
account = "pool"
btc = "1"
ref = "first"
[[movement]]
at = 2026-02-02T00:00:00Z
reverses = "first"
note = "counted twice"
ref = "second"
""")
    assert [movement.ref for movement in treasury.movements] == ["first", "second", "third"]
    assert treasury.movements[1].kind is MovementKind.REVERSAL


def test_line_ends_and_a_byte_order_mark_do_not_matter(treasury: Treasury) -> None:
    assert read_treasury("contract.toml", "\ufeff" + CONTRACT.replace("\n", "\r\n")) == treasury
