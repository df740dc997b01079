"""`plimsoll risk`: counted in the stored prices or in a file's, beside the model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import main
from bot.domain.price import PriceState
from bot.domain.quotes import JudgedQuote, Tick, Verdict
from bot.store.engine import open_engine
from bot.store.store import Store
from edge.cli_process import OPENED, Plimsoll, price

ENDS = datetime(2026, 1, 31, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = ("risk", "--at", OPENED, "--price", "68500")


SHOWN = """\
Example Mining, Sat 31 Jan 2026 17:59 CST, bitcoin at $68,500.00 (what if)

antalpha
Line ahead                                 Within             Fell that far          Model
early warning at $63,025.21, 7.99 % below  24 h        24 of 8,737 (0.27 %)         9.45 %
                                           7 d        168 of 8,593 (1.96 %)         54.4 %
                                           30 d       720 of 8,041 (8.95 %)         78.8 %
margin call at $57,142.85, 16.58 % below   24 h        24 of 8,737 (0.27 %)        0.025 %
                                           cure 24 h   24 of 8,737 (0.27 %)        0.025 %
                                           7 d        168 of 8,593 (1.96 %)         17.9 %
                                           30 d       720 of 8,041 (8.95 %)         54.7 %
liquidation at $47,619.04, 30.48 % below   24 h         0 of 8,737 (0.00 %)  under 0.001 %
                                           7 d          0 of 8,593 (0.00 %)        0.629 %
                                           30 d         0 of 8,041 (0.00 %)         21.2 %

antalpha-all (group)
Line ahead                               Within             Fell that far          Model
group call at $54,945.05, 19.79 % below  24 h        12 of 8,737 (0.14 %)        0.001 %
                                         cure 12 h    6 of 8,749 (0.07 %)  under 0.001 %
                                         7 d         84 of 8,593 (0.98 %)         10.1 %
                                         30 d       360 of 8,041 (4.48 %)         46.0 %

Counted: in how many windows of the history from 31 Jan 2025 to 31 Jan 2026 (8,761 prices) the price fell as far as the
line is now. One begins each hour, so they overlap.
Model: a driftless log-normal price with the realised volatility of the last 30 days, 94.07 % a year. Neither is a
forecast.
"""


def walked(days: int) -> list[tuple[datetime, int]]:
    """Up and down by 1 % each hour, and once, in the middle, 20 % down for an hour."""
    count = days * 24
    prices = [(ENDS - n * HOUR, 70_000_00 if n % 2 else 69_300_00) for n in range(count, -1, -1)]
    prices[count // 2] = (prices[count // 2][0], 56_000_00)
    return prices


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[list[tuple[datetime, int]]], str]:
    def write(prices: list[tuple[datetime, int]]) -> str:
        rows = [f"{at.isoformat()},{cents / 100:.2f}" for at, cents in prices]
        (tmp_path / "prices.csv").write_text("\n".join(["ts,usd", *rows]) + "\n")
        return "prices.csv"

    return write


def store_prices(directory: Path, prices: list[tuple[datetime, int]]) -> None:
    """As so many polls would have left them."""
    store = Store(open_engine(f"sqlite:///{directory}/var/plimsoll.db"))
    with store.writing() as tx:
        for at, cents in prices:
            quotes = (JudgedQuote("kraken", Verdict.USED, price=cents, at=at, fetched_at=at),)
            tx.add_tick(Tick(at, PriceState.FRESH, cents, at, ("kraken",), quotes=quotes))
    store.close()


def test_people_read_each_line_ahead_with_its_windows_and_what_the_numbers_are(
    imported: Plimsoll, csv: Callable[[list[tuple[datetime, int]]], str]
) -> None:
    shown = imported(*ASKED, "--prices", csv(walked(365)))
    assert shown.code == 0
    assert shown.out == SHOWN


def test_json_has_the_history_the_volatility_and_each_window(
    imported: Plimsoll, csv: Callable[[list[tuple[datetime, int]]], str]
) -> None:
    told = imported(*ASKED, "--prices", csv(walked(365)), "--json").json
    assert (told["as_of"], told["price"]["usd"], told["price"]["state"]) == (OPENED, "68500.00", "scenario")
    assert told["history"] == {"from": "2025-01-31T23:00:00Z", "to": "2026-01-31T23:00:00Z", "points": 8761}
    assert told["volatility_pct"] == "94.07"
    (antalpha,) = told["facilities"]
    assert {key: antalpha[key] for key in ("id", "tier", "price_usd", "headroom_pct")} == {
        "id": "antalpha",
        "tier": "early warning",
        "price_usd": "63025.21",
        "headroom_pct": "7.99",
    }
    assert antalpha["windows"][0] == {"name": "24 h", "hours": 24, "fell": 24, "of": 8737, "model_pct": "9.45"}
    assert [group["id"] for group in told["groups"]] == ["antalpha-all"]
    assert [(w["name"], w["hours"]) for w in told["groups"][0]["windows"]][1] == ("cure", 12)


def test_the_stored_prices_give_the_same_as_a_file_of_them_and_later_ones_do_not_count(
    imported: Plimsoll, csv: Callable[[list[tuple[datetime, int]]], str], tmp_path: Path
) -> None:
    prices = walked(40)
    of_file = imported(*ASKED, "--prices", csv(prices), "--json")
    store_prices(tmp_path, [*prices, (ENDS + HOUR, 10_000_00)])
    price(tmp_path, "2026-01-20T00:30:00Z", 1_00, PriceState.DISPUTED)
    stored = imported(*ASKED, "--json")
    assert stored.code == 0
    assert stored.out == of_file.out
    later = imported(*ASKED, "--prices", csv([*prices, (ENDS + HOUR, 10_000_00)]), "--json")
    assert later.out == of_file.out


def test_one_facility_or_group_can_be_asked_about_at_a_fall(imported: Plimsoll, tmp_path: Path) -> None:
    store_prices(tmp_path, walked(2))
    told = imported("risk", "antalpha-all", "--drop", "10", "--at", OPENED, "--json").json
    assert (told["facilities"], [one["id"] for one in told["groups"]]) == ([], ["antalpha-all"])
    assert (told["price"]["usd"], told["groups"][0]["headroom_pct"]) == ("62370.00", "11.90")
    assert told["groups"][0]["windows"][3] == {"name": "30 d", "hours": 720, "fell": None, "of": 0, "model_pct": None}


def test_without_a_price_or_a_history_it_says_the_next_step(imported: Plimsoll) -> None:
    shown = imported("risk", "--at", OPENED)
    assert shown.code == 0
    assert "There is no price history up to 31 Jan 2026: nothing to count, and no model." in shown.out
    assert shown.out.endswith("Ask with --price, or see what the sources say: plimsoll doctor\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--prices", "none.csv"), "none.csv: no such file"),
        (("--prices", "."), ".: is a directory; name a file in it"),
        (("nobody",), "There is no facility or group “nobody”; known: antalpha, antalpha-all (group)"),
        (("--price", "1", "--drop", "2"), "--price and --drop are two answers to one question; give one of them"),
    ],
)
@pytest.mark.usefixtures("imported", "logs_put_back")
def test_a_wrong_question_is_refused_in_one_line(
    arguments: tuple[str, ...],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["risk", *arguments])
    said = capsys.readouterr()
    assert (code, said.out, said.err) == (2, "", f"{line}\n")
