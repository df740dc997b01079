"""`plimsoll sales`: the recommended sale and its alternatives, as text and as JSON."""

from __future__ import annotations

from edge.cli_process import OPENED, Plimsoll


def test_the_recommended_sale_of_the_contracts_treasury(imported: Plimsoll) -> None:
    shown = imported("sales", "--at", OPENED, "--price", "55000")
    assert shown.code == 0
    assert shown.out.startswith(
        "Example Mining, Sat 31 Jan 2026 17:59 CST: Recommended sale at $55,000.00: a scenario, not the market\n\n"
        "Sell 2,621.88 BTC pledged to Antalpha, repay Antalpha $143,481,884.06: LTV 77.92 % → 65.00 %, call line then\n"
        "$47,666.66.\n"
    )


def test_json_has_the_recommended_sale_and_every_alternative(imported: Plimsoll) -> None:
    told = imported("sales", "--at", OPENED, "--price", "55000", "--json").json
    assert (told["as_of"], told["price"]["usd"], told["price"]["state"]) == (OPENED, "55000.00", "scenario")
    assert told["restated"] == []
    assert (told["scenario"]["usd"], told["recommended"]["name"]) == ("55000.00", "recommended mix")
    assert told["recommended"] == told["alternatives"][0]
    assert [(one["name"], one["feasible"]) for one in told["alternatives"]] == [
        ("recommended mix", True),
        ("top up", False),
        ("repay from cash", False),
        ("free coins only", False),
        ("pledged only", True),
        ("do nothing", False),
    ]
