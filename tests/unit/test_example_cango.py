"""The treasury that ships with Plimsoll says what the public record says."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from bot.domain.ledger import Ledger
from bot.domain.money import parse_btc, parse_usd
from bot.domain.production import month_production
from bot.domain.treasury import MovementKind, Treasury
from bot.treasury_file import read_treasury

SHARED = Path(__file__).parents[2].parent / "shared"
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01")
AFTER_JANUARY = datetime(2026, 2, 1, tzinfo=UTC)

needs_shared = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="../shared is absent")


@pytest.fixture(scope="module")
def text() -> str:
    return (files("bot.examples") / "cango.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def treasury(text: str) -> Treasury:
    return read_treasury("cango.toml", text)


@pytest.fixture(scope="module")
def ledger(treasury: Treasury) -> Ledger:
    return Ledger(treasury)


def rows(name: str) -> list[dict[str, str]]:
    with (SHARED / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("month", MONTHS)
def test_each_month_rolls_forward_without_a_gap(treasury: Treasury, ledger: Ledger, month: str) -> None:
    production = month_production(treasury, ledger, month, AFTER_JANUARY)
    assert (production.gap, production.other, production.is_whole) == (0, 0, True)


@pytest.mark.shared
@needs_shared
def test_its_statements_are_the_published_ones(treasury: Treasury) -> None:
    published = {row["month"]: row for row in rows("cango_months.csv")}
    assert [statement.month for statement in treasury.statements] == ["2025-09", *MONTHS]
    for statement in treasury.statements:
        row = published[statement.month]
        assert (statement.mined, statement.sold, statement.held) == tuple(
            parse_btc(row[key]) for key in ("mined_btc", "sold_btc", "held_btc")
        )


@pytest.mark.shared
@needs_shared
def test_its_debt_is_the_published_one(treasury: Treasury, ledger: Ledger) -> None:
    facts = {row["date"]: row for row in rows("cango_facts.csv") if row["what"].startswith("debt")}
    for day, instant in (("2025-09-30", treasury.opened), ("2025-12-31", datetime(2025, 12, 31, 23, 59, tzinfo=UTC))):
        owed = sum(debt.principal for debt in ledger.at(instant).debts.values())
        assert owed == parse_usd(facts[day]["value"])


@pytest.mark.shared
@needs_shared
def test_the_sale_of_february_is_the_published_one(treasury: Treasury) -> None:
    facts = {row["what"]: row["value"] for row in rows("cango_facts.csv")}
    sale, repayment = treasury.movements[-2:]
    assert (sale.kind, repayment.kind) == (MovementKind.SOLD, MovementKind.REPAID)
    assert sale.btc == parse_btc(facts["bitcoin sold to repay a bitcoin-backed loan"])
    assert sale.usd == repayment.usd == parse_usd(facts["net proceeds of that sale (about)"])


@pytest.mark.shared
@needs_shared
def test_what_january_fetched_is_assumed_at_the_price_of_its_end(treasury: Treasury) -> None:
    prices = {row["date"]: row["usd"] for row in rows("btcusd_daily.csv")}
    sale = next(movement for movement in treasury.movements if movement.ref == "sold 2026-01")
    assert sale.usd == round(parse_btc("550.03") * parse_usd(prices["2026-02-01"]) / 10**8)


def test_interest_is_paid_to_the_cent_on_each_first(treasury: Treasury, ledger: Ledger) -> None:
    payments = [movement for movement in treasury.movements if movement.kind is MovementKind.INTEREST_PAID]
    assert len(payments) == 7
    for payment in payments:
        facility = str(payment.facility)
        before = ledger.at(payment.at - timedelta(seconds=1)).debts[facility]
        assert payment.at.day == 1
        assert before.interest == payment.usd
        assert ledger.at(payment.at).debts[facility].interest == 0


def test_everything_held_is_pledged_and_cash_never_runs_out(treasury: Treasury, ledger: Ledger) -> None:
    for movement in treasury.movements:
        balances = ledger.at(movement.at)
        assert balances.held == balances.collateral["antalpha"]
        assert balances.accounts["cash"].usd > 0


def test_after_the_sale_the_loan_is_far_smaller(ledger: Ledger) -> None:
    balances = ledger.at(datetime(2026, 2, 8, 18, tzinfo=UTC))
    assert balances.debts["antalpha"].principal == parse_usd("100100000.00")
    assert balances.collateral["antalpha"] == parse_btc("3023.62")


def test_it_says_what_is_public_and_what_is_assumed(text: str) -> None:
    header = text.split("[treasury]", maxsplit=1)[0]
    assert "PUBLIC:" in header
    assert "ASSUMED" in header
    for line in text.splitlines():
        if line.startswith(("rate", "usd = ", "btc = ", "principal", "collateral_btc", "drawn", "matures")):
            assert any(word in line for word in ("public", "assumed", "derived")), line


def test_it_has_no_invented_notice(treasury: Treasury) -> None:
    assert treasury.notices == ()
