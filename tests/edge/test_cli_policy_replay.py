"""`replay --policy` as a process: a page for people, one JSON object a line, one line where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

from edge.cli_process import CONTRACT, Plimsoll, Ran

ROWS = (
    "ts,usd",
    "2026-02-01T06:00:00Z,68500",
    "2026-02-02T12:00:00Z,56000",
    "2026-02-03T06:00:00Z,55500",
    "2026-02-04T00:00:00Z,58000",
)


def prices_csv(directory: Path) -> str:
    (directory / "prices.csv").write_text("\n".join([*ROWS, ""]))
    return "prices.csv"


def test_it_prints_the_acts_and_then_the_totals_of_both_runs(imported: Plimsoll, tmp_path: Path) -> None:
    history = prices_csv(tmp_path)
    for file in ((), (str(CONTRACT),)):
        done = imported("replay", *file, "--prices", history, "--policy", "--json", "--from", "2026-02-01")
        assert (done.code, done.err) == (0, "")
        lines = [json.loads(line) for line in done.out.splitlines()]
        *acts, policy, nothing = lines
        assert [(one["run"], one["act"], one["at"]) for one in acts if one["run"] == "nothing"] == [
            ("nothing", "called", "2026-02-02T12:00:00Z"),
            ("nothing", "liquidated", "2026-02-03T12:00:00Z"),
        ]
        assert set(acts[0]) == {"run", "at", "act", "of", "price_usd", "btc", "usd", "cost_usd", "text"}
        assert (policy["run"], nothing["run"]) == ("policy", "nothing")
        assert set(policy) == {"run", "at", "price_usd", "totals", "left_out"}
        sold = sum(float(one["btc"]) for one in acts if one["run"] == "nothing" and one["act"] == "liquidated")
        assert float(nothing["totals"]["sold_by_lender_btc"]) == sold > 0
        assert nothing["totals"]["calls"] == 1


def test_it_shows_people_both_runs_side_by_side(imported: Plimsoll, tmp_path: Path) -> None:
    done = imported("replay", "--prices", prices_csv(tmp_path), "--policy", "--from", "2026-02-01")
    shown = done.out.splitlines()
    assert shown[0] == "Example Mining, 4 prices, Sun 1 Feb 2026 00:00 CST to Tue 3 Feb 2026 18:00 CST"
    assert shown[2].split(maxsplit=3) == ["By", "the", "policy", "Doing nothing"]
    assert any(line.startswith("Days at or past a call line") for line in shown)
    assert any(line.startswith("2026-02-02 06:00  lender called") for line in shown)
    assert "A plan a day at 00:00 in America/Chicago, made for a price 30.00 % lower" in done.out


def test_it_draws_no_picture(plimsoll: Plimsoll, tmp_path: Path) -> None:
    asked = ("replay", str(CONTRACT), "--prices", prices_csv(tmp_path), "--policy", "--chart", "x.png")
    why = "--chart draws the LTVs as recorded, which --policy leaves; name one of them\n"
    assert plimsoll(*asked) == Ran(2, "", why)
    assert not (tmp_path / "x.png").exists()


def test_it_needs_an_account_for_dollars(plimsoll: Plimsoll, tmp_path: Path) -> None:
    text = '[treasury]\nname = "T"\ntimezone = "UTC"\nopened = 2026-01-31T23:59:59Z\n'
    (tmp_path / "t.toml").write_text(text)
    done = plimsoll("replay", "t.toml", "--prices", prices_csv(tmp_path), "--policy")
    assert done == Ran(1, "", "T: no account holds dollars, so no sale can be booked; add an [[account]]\n")


def test_it_needs_a_price_in_its_time(imported: Plimsoll, tmp_path: Path) -> None:
    done = imported("replay", "--prices", prices_csv(tmp_path), "--policy", "--from", "2027-01-01")
    assert done == Ran(1, "", "The price history has no price in that time: there is nothing to replay\n")
