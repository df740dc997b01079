"""`plimsoll sales`: the recommended sale and its alternatives, as text and as JSON; and dollars raised by a day."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from edge.cli_process import OPENED, Plimsoll, Ran, price
from edge.selling import SATURDAY, SATURDAY_WITH_STABLECOINS, WORKED, edited

ASKED = ("sales", "--at", OPENED, "--price", "55000")
ON_SATURDAY = ("sales", "--at", "2026-02-07T14:15:00Z", "--price", "55000")

SHOWN = """\
Example Mining, Sat 31 Jan 2026 17:59 CST: Recommended sale at $55,000.00: a scenario, not the market

Sell 2,621.88 BTC pledged to Antalpha, repay Antalpha $143,481,884.06: LTV 77.92 % → 65.00 %, call line then
$47,666.66.

  1. Have Antalpha sell 2,621.87088278 BTC of its collateral, $143,481,884.06 after costs into custody: from Sat 31 Jan
     17:59, credited Sat 31 Jan 18:59.
  2. Repay Antalpha $143,481,884.06 of principal, credited by Sat 31 Jan 18:59.

  Dollars of custody can leave from Mon 2 Feb 08:00, credited Mon 2 Feb 09:00: after the deadline Sun 1 Feb 17:59.
  Dollars for coins of custody, paid into custody, can leave from Mon 2 Feb 08:00, credited Mon 2 Feb 09:00: after the
  deadline Sun 1 Feb 17:59.

                 Sell pledged            Repay           Cost      LTV   Call line  Coins left  Credited
Recommended mix      2,621.88  $143,481,884.06    $721,014.50  65.00 %  $47,666.66    4,852.74  Sat 31 Jan 18:59
Top up                      –                –              –        –           –           –  –
Repay from cash             –                –              –        –           –           –  –
Free coins only             –                –              –        –           –           –  –
Pledged only         2,621.88  $143,481,884.06    $721,014.50  65.00 %  $47,666.66    4,852.74  Sat 31 Jan 18:59
Do nothing           1,984.31  $106,954,166.65  $2,182,738.10  70.00 %  $51,333.33    5,490.31  –

Top up: No free BTC above the reserve of 500.00. Short by $49.75M, or 1,416.99 BTC more free.
Repay from cash: No cash above the $10,000,000.00 that stays. Dollars of custody can leave from Mon 2 Feb 08:00,
credited Mon 2 Feb 09:00: after the deadline Sun 1 Feb 17:59. Short by $49.75M.
Free coins only: No free BTC above the reserve of 500.00. Dollars for coins of custody, paid into custody, can leave
from Mon 2 Feb 08:00, credited Mon 2 Feb 09:00: after the deadline Sun 1 Feb 17:59. Short by $49.75M, or 934.48 BTC
more free.
Do nothing: Antalpha may sell 1,984.31 pledged BTC from Sun 1 Feb 17:59.
"""


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_put_back: None
) -> Plimsoll:
    """Runs one command in an empty directory, in this process and so in no time."""
    monkeypatch.chdir(tmp_path)

    def run(*asked: str) -> Ran:
        code = main(asked)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def contract(here: Plimsoll, recorded_database: Path, tmp_path: Path) -> Plimsoll:
    """The same, with the contract's treasury recorded."""
    (tmp_path / "var").mkdir()
    shutil.copy(recorded_database, tmp_path / "var")
    return here


def ask(plimsoll: Plimsoll, directory: Path, text: str, *asked: str) -> Any:
    """What `asked` says in JSON of the treasury file `text`."""
    (directory / "t.toml").write_text(text, encoding="utf-8")
    done = plimsoll("import", "t.toml")
    assert done.code == 0, done.err
    return plimsoll(*asked, "--json").json


def ways(told: Any) -> dict[str, Any]:
    return {one["name"]: one for one in told["alternatives"]}


def test_people_read_the_recommendation_the_steps_and_each_way_beside_it(imported: Plimsoll) -> None:
    shown = imported(*ASKED)
    assert shown.code == 0
    assert shown.out == SHOWN


def test_the_contracts_four_cures(here: Plimsoll, tmp_path: Path) -> None:
    told = ask(here, tmp_path, WORKED, *ASKED)
    way = ways(told)
    assert {name: one["feasible"] for name, one in way.items()} == {
        "recommended mix": True,
        "top up": True,
        "repay from cash": True,
        "free coins only": True,
        "pledged only": True,
        "do nothing": False,
    }
    assert way["top up"]["top_up_btc"] == "1391.60839161"
    assert way["repay from cash"]["repay_usd"] == "49750000.00"
    assert (way["free coins only"]["sell_free_btc"], way["free coins only"]["repay_usd"]) == (
        "909.09090910",
        "49750000.00",
    )
    assert 0 <= float(way["pledged only"]["sell_pledged_btc"]) - 2621.87088275 < 6e-7  # a cent is 18 satoshis
    for name in ("top up", "repay from cash", "free coins only", "pledged only"):
        (antalpha,) = way[name]["by_facility"]
        assert (antalpha["id"], antalpha["ltv_pct"], antalpha["cured"]) == ("antalpha", "65.00", True)
    assert way["free coins only"]["by_facility"][0]["call_price_usd"] == "47666.66"
    assert way["free coins only"]["cost_usd"] == "250000.01"  # half a per cent of $50M, and a satoshi's rounding
    assert way["do nothing"]["sell_pledged_btc"] == "1980.51948052"
    (sold,) = way["do nothing"]["liquidations"]
    assert (sold["facility"], sold["at"]) == ("antalpha", "2026-02-01T23:59:59Z")


def test_cash_comes_before_a_top_up_and_a_top_up_before_a_sale(here: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(WORKED, encoding="utf-8")
    assert here("import", "t.toml").code == 0
    shown = " ".join(here(*ASKED).out.split())
    assert "Repay Antalpha $49,750,000.00 from cash: LTV 77.92 % → 65.00 %, call line then $47,666.66." in shown


def test_what_json_prints_cures_when_it_is_recorded(here: Plimsoll, tmp_path: Path) -> None:
    movements = ask(here, tmp_path, edited(), *ASKED)["recommended"]["movements"]
    assert [one["kind"] for one in movements] == ["sold", "repaid"]
    lines = ["\n".join(f"{key} = {_toml(key, value)}" for key, value in one.items()) for one in movements]
    carried = "\n".join([edited(), *(f"\n[[movement]]\n{line}" for line in lines)])
    told = ask(here, tmp_path, carried, "ltv", "antalpha", "--at", "2026-02-01T01:00:00Z", "--price", "55000")
    (antalpha,) = told["facilities"]
    assert (antalpha["lender_ltv_pct"], antalpha["collateral_btc"]) == ("65.00", "4378.12911722")


def _toml(key: str, value: str) -> str:
    return value if key == "at" else f'"{value}"'


def test_on_a_saturday_a_wire_is_too_late_until_monday_and_coins_are_not(here: Plimsoll, tmp_path: Path) -> None:
    told = ask(here, tmp_path, SATURDAY, *ON_SATURDAY)
    cash, top_up = ways(told)["repay from cash"], ways(told)["top up"]
    assert not cash["feasible"]
    assert cash["why"] == (
        "$90,000,000.00 cash. Dollars of custody can leave from Mon 9 Feb 08:00, credited Mon 9 Feb 09:00: after the "
        "deadline Sun 8 Feb 08:15. Short by $49.75M, or 24 h 45 min more."
    )
    assert cash["missing"] == {"usd": "49750000.00", "btc": None, "later_s": 89_100}
    assert (top_up["feasible"], top_up["credited_at"]) == (True, "2026-02-07T19:15:00Z")
    assert (told["due"], told["needs"][0]["called"]) == ("2026-02-08T14:15:00Z", True)
    assert told["recommended"]["top_up_btc"] == "1391.60839161"
    assert any("can leave from Mon 9 Feb 08:00" in note for note in told["recommended"]["notes"])


def test_on_a_saturday_stablecoins_are_in_time(here: Plimsoll, tmp_path: Path) -> None:
    told = ask(here, tmp_path, SATURDAY_WITH_STABLECOINS, *ON_SATURDAY)
    cash = ways(told)["repay from cash"]
    assert (cash["feasible"], cash["repay_usd"], cash["credited_at"]) == (True, "49750000.00", "2026-02-07T15:15:00Z")
    assert [(leg["account"], leg["starts"]) for leg in cash["legs"]] == [("wallet", "2026-02-07T14:15:00Z")]


def test_with_a_loan_and_its_group_each_has_a_line_of_its_own(contract: Plimsoll) -> None:
    shown = contract("sales", "--at", "2026-02-07T15:00:00Z", "--price", "55000").out
    assert shown.endswith(
        """
By facility               LTV     Then  Call line then           Repaid  Settled by
antalpha              78.03 %  65.00 %      $47,666.66  $144,659,737.35  Sat 7 Feb 10:00
antalpha-all (group)  78.03 %  65.00 %      $45,833.33  $144,659,737.35  Sat 7 Feb 10:00
"""
    )


def test_json_carries_what_every_question_does(contract: Plimsoll) -> None:
    told = contract(*ASKED, "--json").json
    assert (told["as_of"], told["price"]["usd"], told["price"]["state"], told["restated"]) == (
        OPENED,
        "55000.00",
        "scenario",
        [],
    )
    assert told["scenario"] == {"usd": "55000.00", "state": "scenario", "drop_pct": None, "from_usd": None}
    assert told["recommended"] == told["alternatives"][0]


def test_without_a_price_named_it_plans_at_the_fall_to_withstand(contract: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    told = contract("sales", "--at", "2026-02-01T00:01:00Z", "--json").json
    assert (told["price"]["usd"], told["price"]["state"], told["price"]["age_s"]) == ("68500.00", "fresh", 60)
    assert told["scenario"] == {"usd": "47950.00", "state": "scenario", "drop_pct": "30.00", "from_usd": "68500.00"}
    assert told["recommended"]["feasible"]
    mild = contract("sales", "--at", "2026-02-01T00:01:00Z", "--drop", "10", "--json").json
    assert (mild["price"]["usd"], mild["recommended"], mild["alternatives"]) == ("61650.00", None, [])
    assert mild["text"] == (
        "Nothing would be at a call line at $61,650.00 (10 % below the last price, $68,500.00, 60 s old). The nearest "
        "is Antalpha's margin-call line at $57,142.85, another 7.31 % below."
    ).replace("60 s", "1 min")


def test_without_a_price_it_says_so(contract: Plimsoll) -> None:
    shown = contract("sales", "--at", OPENED)
    assert (shown.code, shown.out.splitlines()[2]) == (0, "No price yet. Without a price nothing can be recommended.")
    assert "Ask with --price" in shown.out
    told = contract("sales", "--at", OPENED, "--json").json
    assert (told["price"]["state"], told["scenario"]["usd"], told["recommended"]) == ("none", None, None)


def test_dollars_by_a_day_are_raised_from_new_coins_first(contract: Plimsoll) -> None:
    asked = ("sales", "--at", OPENED, "--price", "68500", "--raise", "4m", "--by", "2026-02-04")
    told = contract(*asked, "--json").json
    fund = told["fund"]
    assert (told["recommended"], told["alternatives"], fund["feasible"]) == (None, [], True)
    assert [(one["day"], one["mined_btc"], one["free_btc"]) for one in fund["sales"]][:3] == [
        ("2026-02-01", "19.64285714", "0.00000000"),
        ("2026-02-02", "19.64285714", "0.00000000"),
        ("2026-02-03", "19.64285714", "0.00000000"),
    ]
    assert [(one["due"], one["purpose"]) for one in fund["needs"]] == [
        ("2026-02-04", "the amount asked for"),
        ("2026-03-01", "operations"),
    ]
    assert fund["shortfall"]["day"] == "2026-03-01"
    shown = contract(*asked).out
    assert shown.startswith(
        "Example Mining, Sat 31 Jan 2026 17:59 CST: Raise $4,000,000.00 by Wed 4 Feb 2026, selling at $68,500.00 "
        "(what if)\n\nSell 78.58 BTC by then (78.58 newly mined), $5,355,232.12 after costs: that meets it"
    )
    assert "Sun 1 Feb 2026" in shown


def test_the_runway_is_at_the_last_price_and_at_the_fall_to_withstand(contract: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    asked = ("sales", "--at", "2026-02-01T00:01:00Z", "--raise", "$38,000,000", "--by", "2026-03-20")
    runways = contract(*asked, "--json").json["fund"]["runways"]
    assert [(one["price_usd"], one["drop_pct"], one["weeks"], one["ends"]) for one in runways] == [
        ("68500.00", None, 6, "2026-03-20"),
        ("47950.00", "30.00", 4, "2026-03-01"),
    ]
    assert (
        "Runway at $47,950.00 (30 % below the last price): 4 weeks, until Sun 1 Mar 2026; then operations"
        in contract(*asked).out
    )


def test_a_loan_that_matures_within_the_time_ahead_is_to_be_met_as_well(here: Plimsoll, tmp_path: Path) -> None:
    asked = ("sales", "--at", "2026-02-01T00:01:00Z", "--price", "68500", "--raise", "1m", "--by", "2026-02-20")
    fund = ask(here, tmp_path, edited(("matures = 2028-04-30", "matures = 2026-03-10")), *asked)["fund"]
    assert [(one["due"], one["purpose"]) for one in fund["needs"]] == [
        ("2026-02-20", "the amount asked for"),
        ("2026-03-10", "Antalpha's maturity"),
    ]
    assert float(fund["needs"][1]["usd"]) == pytest.approx(300_000_000 * (1 + 0.07 * 38 / 360), rel=1e-3)
    shown = " ".join(here(*asked).out.split())
    assert "Later, on Tue 10 Mar 2026 Antalpha's maturity cannot be paid. Short by" in shown
    assert "5 weeks, until Tue 10 Mar 2026; then Antalpha's maturity would lack" in shown


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--raise", "38m"), "--raise and --by belong together; write --raise 38m --by 2026-03-01"),
        (("--by", "2026-03-01"), "--raise and --by belong together; write --raise 38m --by 2026-03-01"),
        (
            ("--raise", "lots", "--by", "2026-03-01"),
            "--raise “lots” is not an amount of dollars; write it as 38000000 or 38m",
        ),
        (
            ("--raise", "0", "--by", "2026-03-01"),
            "--raise “0” is not an amount of dollars; write it as 38000000 or 38m",
        ),
        (("--raise", "1m", "--by", "soon"), "--by “soon” is no date; write it as 2026-03-01"),
        (("--raise", "1m", "--by", "1999-03-01"), "--by 1999-03-01 is out of range; write a year from 2009 to 2199"),
        (("--raise", "1m", "--by", "2026-01-30"), "2026-01-30 is over: name a day from 2026-01-31 on."),
        (("--raise", "1m", "--by", "2036-01-30"), "2036-01-30 is too far ahead: name a day up to 2028-02-02."),
        (("--price", "1", "--drop", "2"), "--price and --drop are two answers to one question; give one of them"),
        (
            ("--price", "banana"),
            "--price “banana” is not a price in dollars per bitcoin; write it as 55000 or 55000.50",
        ),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(contract: Plimsoll, arguments: tuple[str, ...], line: str) -> None:
    said = contract("sales", "--at", OPENED, *arguments)
    assert (said.code, said.out, said.err) == (2, "", f"{line}\n")
