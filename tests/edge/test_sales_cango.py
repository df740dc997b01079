"""The weekend of 7-8 February 2026: what `plimsoll sales` says of the public record, beside what was sold."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from edge.cli_process import ROOT, run_plimsoll

PRICES = ROOT.parent / "shared" / "data" / "btcusd_15m.csv.gz"
AT = "2026-02-07T00:00:00Z"
SPOT, LOW = "70521.08", "60001.00"
"""The open of the quarter of an hour that begins then, and the lowest price since the call line was reached."""
SOLD_BTC, SOLD_USD = 4_451, 305_000_000
"""6-K of 2026-02-09: “about” so many dollars, net, all of it to repay a bitcoin-backed loan."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the example is recorded."""
    directory = tmp_path_factory.mktemp("cango")
    done = run_plimsoll(directory, "import", str(ROOT / "bot" / "examples" / "cango.toml"))
    assert done.code == 0, done.err
    return directory


@pytest.fixture
def cango(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_put_back: None
) -> Callable[..., Any]:
    """Asks it in this process, and so in no time; what the JSON says."""
    monkeypatch.chdir(recorded)

    def ask(*asked: str) -> Any:
        assert main([*asked, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_at_the_price_of_the_moment_nothing_had_to_be_sold(cango: Callable[..., Any]) -> None:
    told = cango("sales", "--at", AT, "--price", SPOT)
    assert told["recommended"] is None
    assert told["text"] == (
        "Nothing would be at a call line at $70,521.08 (what if). The nearest is Antalpha's margin-call line at "
        "$67,811.78, another 3.84 % below."
    )


PLANS = {
    # at the week's low, and 30 % under the price of the moment: coins, dollars, of them cash, LTV before
    LOW: ("2205.80884423", "184200090.51", "52511107.73", "52500.87"),
    "49364.75": ("6502.60310756", "371905487.60", "52511107.73", "43194.15"),
    # the price at which it asks for as many coins as were sold: 23.5 % under that of the moment
    "53929.37": ("4450.99789730", "291350422.64", "52511107.73", "47188.19"),
}


@pytest.mark.parametrize("usd", PLANS)
def test_at_lower_prices_it_sells_pledged_coins_by_the_lenders_desk(cango: Callable[..., Any], usd: str) -> None:
    best = cango("sales", "--at", AT, "--price", usd)["recommended"]
    cash = next(leg["usd"] for leg in best["legs"] if leg["way"] == "cash")
    (antalpha,) = [one for one in best["by_facility"] if one["id"] == "antalpha"]
    assert (best["sell_pledged_btc"], best["repay_usd"], cash, antalpha["call_price_usd"]) == PLANS[usd]
    assert (best["sell_free_btc"], best["top_up_btc"], antalpha["cured"]) == ("0.00000000", "0.00000000", True)


def test_what_was_sold_is_about_what_it_asks_for_at_a_fall_of_23_5_per_cent(cango: Callable[..., Any]) -> None:
    coins = float(cango("sales", "--at", AT, "--price", "53929.37")["recommended"]["sell_pledged_btc"])
    assert abs(coins - SOLD_BTC) < 1
    assert round(1 - 53_929.37 / float(SPOT), 3) == 0.235


def test_after_the_real_sale_the_loan_withstands_a_fall_of_41_per_cent(cango: Callable[..., Any]) -> None:
    told = cango("ltv", "antalpha", "--at", "2026-02-08T18:00:00Z", "--price", SPOT)
    (antalpha,) = told["facilities"]
    call = next(tier for tier in antalpha["tiers"] if tier["kind"] == "call")
    assert (antalpha["lender_ltv_pct"], call["price_usd"], call["headroom_pct"]) == ("47.20", "41610.46", "41.00")
    assert antalpha["debt_usd"] == "100651386.11"


@pytest.mark.shared
@pytest.mark.skipif(not PRICES.exists(), reason="needs ../shared")
def test_those_are_the_prices_of_the_record() -> None:
    rows = {row["ts"]: row for row in read()}
    assert rows[AT]["open"] == SPOT
    week = [row for ts, row in rows.items() if "2026-02-05T15:18" <= ts < AT]
    assert min(float(row["low"]) for row in week) == float(LOW)


def read() -> Iterator[dict[str, str]]:
    with gzip.open(PRICES, "rt") as file:
        yield from csv.DictReader(file)
