"""Questions on the command line: their answers, their errors and their exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import main
from edge.cli_process import CONTRACT, NOTHING_YET, OPENED, Plimsoll, Ran, price

# What the contract prints


def test_it_answers_ltv_with_the_contracts_json(imported: Plimsoll) -> None:
    answer = imported("ltv", "--at", OPENED, "--price", "55000", "--json")
    assert answer.code == 0
    assert answer.json["as_of"] == OPENED
    assert answer.json["price"] == {
        "usd": "55000.00",
        "state": "scenario",
        "as_of": None,
        "age_s": None,
        "sources": [],
    }
    (facility,) = answer.json["facilities"]
    tiers = facility.pop("tiers")
    assert facility == {
        "id": "antalpha",
        "lender": "Antalpha",
        "debt_usd": "300000000.00",
        "collateral_btc": "7000.00000000",
        "in_transit_btc": "0.00000000",
        "ltv_pct": "77.92",
        "lender_ltv_pct": "77.92",
        "lender_price_usd": "55000.00",
        "level": "critical",
        "tier": "margin call",
        "waived_until": None,
        "price_index": None,
        "call": None,
        "claims": [],
        "cures": {
            "top_up_btc": "1391.60839161",
            "repay_usd": "49750000.00",
            "sell_free_btc": "909.09090910",
            "sell_pledged_btc": "2621.87088275",
        },
        "interest_due": None,
    }
    assert tiers[1] == {
        "name": "margin call",
        "kind": "call",
        "ltv_pct": "75.00",
        "price_usd": "57142.85",
        "headroom_pct": "-3.90",
        "reached": True,
    }
    assert [group["id"] for group in answer.json["groups"]] == ["antalpha-all"]


def test_it_shows_people_the_line_reached_and_the_cures(imported: Plimsoll) -> None:
    answer = imported("ltv", "--at", OPENED, "--price", "$55,000")
    assert answer.code == 0
    assert answer.out == (
        "Example Mining, Sat 31 Jan 2026 17:59 CST, bitcoin at $55,000.00 (what if)\n"
        "\n"
        "                          LTV  Level     Reached      Next line            At  Headroom\n"
        "antalpha              77.92 %  critical  margin call  liquidation  $47,619.04   13.42 %\n"
        "antalpha-all (group)  77.92 %  ok        –            group call   $54,945.05    0.10 %\n"
        "\n"
        "antalpha\n"
        "  No notice recorded; if called now, due Sun 17:59 (24 h).\n"
        "  Cure to 65.00 %: pledge 1,391.61 BTC (474.62 free), or repay $49.75M ($10.00M in cash, $10.00M of it "
        "reserved), or\n"
        "  sell 909.10 free BTC (474.62 free) and repay, or sell 2,621.88 pledged BTC at the lender's desk.\n"
    )


def test_one_facility_alone_has_no_groups(imported: Plimsoll) -> None:
    answer = imported("ltv", "antalpha", "--at", OPENED, "--price", "55000", "--json").json
    assert [one["id"] for one in answer["facilities"]] == ["antalpha"]
    assert answer["groups"] == []


def test_a_group_can_be_asked_about_by_its_id(imported: Plimsoll) -> None:
    answer = imported("ltv", "antalpha-all", "--at", OPENED, "--price", "55000", "--json").json
    assert (answer["facilities"], [one["id"] for one in answer["groups"]]) == ([], ["antalpha-all"])
    shown = imported("ltv", "antalpha-all", "--at", OPENED, "--price", "55000").out.splitlines()
    assert [line.split("  ")[0] for line in shown[3:]] == ["antalpha-all (group)"]


def test_the_index_that_a_lender_prices_by_is_shown_as_of_the_instant(imported: Plimsoll, tmp_path: Path) -> None:
    noted = '  [[facility.price_index]]\n  since = {}\n  note = "{}"\n'
    tables = noted.format("2026-02-03T00:00:00Z", "CME CF BRR, 16:00 London") + noted.format(OPENED, "Coinbase spot")
    file = tmp_path / "noted.toml"
    file.write_text(
        CONTRACT.read_text(encoding="utf-8").replace("[[group]]", f"{tables}[[group]]", 1), encoding="utf-8"
    )
    assert imported("import", str(file)).out.splitlines()[:2] == [
        "+ price_index antalpha 2026-02-03: CME CF BRR, 16:00 London",
        "+ price_index antalpha 2026-01-31: Coinbase spot",
    ]
    asked = ("ltv", "antalpha", "--price", "55000", "--at")
    said = [
        imported(*asked, at, "--json").json["facilities"][0]["price_index"] for at in (OPENED, "2026-02-03T00:00:00Z")
    ]
    assert said == [
        {"note": "Coinbase spot", "since": OPENED},
        {"note": "CME CF BRR, 16:00 London", "since": "2026-02-03T00:00:00Z"},
    ]
    last = imported(*asked, "2026-02-04T00:00:00Z").out.splitlines()[-1]
    assert last == "  Priced by CME CF BRR, 16:00 London since Mon 18:00 (a note)."
    assert "Priced by" not in imported("ltv", "--price", "55000", "--at", OPENED).out


def test_percentages_of_a_thousand_and_more_are_grouped(imported: Plimsoll) -> None:
    shown = imported("ltv", "--at", OPENED, "--price", "500").out.splitlines()
    assert re.findall(r"\S+ %", shown[3])[0] == "8,571.43 %"


@pytest.mark.parametrize(("drop", "left"), [("20", "54800.00"), ("20.5", "54457.50"), ("20%", "54800.00")])
def test_a_drop_is_written_as_a_decimal(drop: str, left: str, imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    asked = imported("ltv", "--drop", drop, "--at", "2026-02-01T00:01:00Z", "--json")
    assert asked.json["price"]["usd"] == left


def test_a_drop_that_leaves_no_price_is_refused(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    for drop in ("99.99999999", "99.999999"):
        done = imported("ltv", "--drop", drop, "--at", "2026-02-01T00:01:00Z")
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert done.err.startswith("--drop ")


def test_holdings_adds_up(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    answer = imported("holdings", "--at", "2026-02-01T00:00:30Z", "--json").json
    assert answer["price"]["age_s"] == 30
    assert answer["coins"]["total_btc"] == "7474.62000000"
    assert answer["value_usd"] == "512011470.00"
    assert answer["net_usd"] == "222011470.00"
    shown = imported("holdings", "--at", "2026-02-01T00:00:30Z").out
    assert re.search(r"^Net +\$222,011,470\.00$", shown, re.MULTILINE)


# Prices


def test_a_drop_is_off_the_last_accepted_price_even_a_stale_one(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_01)
    told = imported("ltv", "--drop", "20", "--at", "2026-02-01T06:00:00Z", "--json").json["price"]
    assert told == {
        "usd": "54800.00",
        "state": "scenario",
        "as_of": "2026-02-01T00:00:00Z",
        "age_s": 21600,
        "sources": [],
    }


def test_a_stale_price_is_shown_and_nothing_is_judged_by_it(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    answer = imported("ltv", "--at", "2026-02-01T00:03:01Z", "--json").json
    assert (answer["price"]["usd"], answer["price"]["state"], answer["price"]["age_s"]) == ("68500.00", "stale", 181)
    (facility,) = answer["facilities"]
    assert (facility["ltv_pct"], facility["level"]) == (None, "unknown")
    assert imported("ltv", "--at", "2026-02-01T00:03:00Z", "--json").json["price"]["state"] == "fresh"


def test_without_a_price_numbers_that_need_one_are_null(imported: Plimsoll) -> None:
    answer = imported("ltv", "--at", OPENED, "--json")
    assert answer.code == 0
    assert answer.json["price"] == {"usd": None, "state": "none", "as_of": None, "age_s": None, "sources": []}
    (facility,) = answer.json["facilities"]
    assert (facility["ltv_pct"], facility["lender_price_usd"], facility["level"]) == (None, None, "unknown")
    assert imported("ltv", "--drop", "20", "--at", OPENED, "--json").json["price"]["state"] == "none"
    assert "no price yet" in imported("ltv", "--at", OPENED).out
    assert imported("holdings", "--at", OPENED, "--json").json["net_usd"] is None


# Refusals


@pytest.mark.parametrize("question", [("ltv",), ("holdings", "--json"), ("alerts",), ("replay", "--prices", "x.csv")])
def test_before_any_import_a_question_says_so_and_makes_nothing(
    question: tuple[str, ...], plimsoll: Plimsoll, tmp_path: Path
) -> None:
    assert plimsoll(*question) == Ran(1, "", NOTHING_YET)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("ltv", "--price", "1", "--drop", "1"),
            "--price and --drop are two answers to one question; give one of them",
        ),
        (
            ("ltv", "--price", "banana"),
            "--price “banana” is not a price in dollars per bitcoin; write it as 55000 or 55000.50",
        ),
        (("ltv", "--price", "0"), "--price “0” is not a price in dollars per bitcoin; write it as 55000 or 55000.50"),
        (("ltv", "--drop", "100"), "--drop “100” is not a fall in percent; write 20 for a price 20 % lower"),
        (("ltv", "--drop", "-5"), "--drop “-5” is not a fall in percent; write 20 for a price 20 % lower"),
        (
            ("holdings", "--at", "2026-02-01"),
            "--at 2026-02-01 has no time zone; write it with one, as 2026-01-31T23:59:59Z",
        ),
        (("holdings", "--at", "noon"), "--at “noon” is no instant; write it as 2026-01-31T23:59:59Z"),
        (
            ("holdings", "--at", "2026-01-31T23:59:58Z"),
            "2026-01-31T23:59:58Z is before the treasury opened; ask from 2026-01-31T23:59:59Z on",
        ),
        (
            ("ltv", "nobody"),
            "There is no facility or group “nobody”; known: antalpha, antalpha-all (group)",
        ),
        (("ltv", "--drop", "4/3"), "--drop “4/3” is not a fall in percent; write 20 for a price 20 % lower"),
        (
            ("ltv", "--at", "9999-12-31T23:59:59Z"),
            "--at 9999-12-31T23:59:59Z is out of range; write a year from 2009 to 2199",
        ),
        (
            ("alerts", "--at", "2008-12-31T23:59:59-10:00"),
            "--at 2008-12-31T23:59:59-10:00 is out of range; write a year from 2009 to 2199",
        ),
        (
            ("replay", "--prices", "x.csv", "--to", "2200-01-01"),
            "--to 2200-01-01 is out of range; write a year from 2009 to 2199",
        ),
        (
            ("replay", "--prices", "x.csv", "--from", "0001-01-01"),
            "--from 0001-01-01 is out of range; write a year from 2009 to 2199",
        ),
        (("db",), "plimsoll db: missing command. Try: plimsoll db --help"),
        (("lvt",), "plimsoll: no such command 'lvt'. Did you mean 'ltv'? Try: plimsoll --help"),
        (("holdings", "--price", "1"), "plimsoll holdings: no such option: --price. Try: plimsoll holdings --help"),
        (("import",), "plimsoll import: missing argument 'FILE'. Try: plimsoll import --help"),
        (("import", "nowhere.toml"), "nowhere.toml: there is no such file"),
        (("import", "."), ".: is a directory; name a file in it"),
        (("replay",), "plimsoll replay: missing option '--prices'. Try: plimsoll replay --help"),
        (
            ("replay", "--prices", "x.csv", "--from", "soon"),
            "--from “soon” is no date; write it as 2026-02-01",
        ),
        (("replay", "--prices", "x.csv"), "x.csv: no such file"),
        *(
            (
                ("manifest", "--url", url),
                f"--url “{url}” is not where Slack can reach the bot; write it as https://plimsoll.example.com",
            )
            for url in (
                *("example.com", "https://", "https:///", "https:///path", "https://host/?q", "https://host/?"),
                *("https://host/#f", "https://ho st/", "https://host:port/", "https://u:p@host", "http://host/"),
                *("ftp://localhost/", "https://[::1", "https://host\\x", "https://h\no/"),
            )
        ),
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
    code = main(arguments)
    said = capsys.readouterr()
    assert Ran(code, said.out, said.err) == Ran(2, "", f"{line}\n")


def test_a_file_that_is_not_text_is_refused(plimsoll: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'[treasury]\nname = "M\xfcller"\n')
    refused = plimsoll("import", "latin.toml")
    assert (refused.code, refused.err) == (2, "latin.toml: is not UTF-8 text (byte 20); save it as UTF-8\n")


def test_every_fault_of_a_file_is_a_line_and_nothing_is_written(plimsoll: Plimsoll, tmp_path: Path) -> None:
    wrong = CONTRACT.read_text().replace('ltv = "0.90"', 'ltv = "0.70"').replace('btc = "3650"', 'btc = "many"')
    (tmp_path / "wrong.toml").write_text(wrong)
    refused = plimsoll("import", "wrong.toml")
    assert (refused.code, refused.out) == (2, "")
    lines = refused.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("wrong.toml: ") for line in lines)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"PRICE_EVERY": "often"}, "PRICE_EVERY: “often” is not a duration; write it as 30s, 15m or 8h"),
        (
            {"DATABASE_URL": "mysql://u:hunter2@h/d"},
            "DATABASE_URL: no “mysql” here; write it as sqlite:///var/plimsoll.db or "
            "postgresql+psycopg://user:password@host/name",
        ),
    ],
)
def test_a_wrong_setting_stops_every_command(settings: dict[str, str], line: str, plimsoll: Plimsoll) -> None:
    assert plimsoll("ltv", **settings) == Ran(2, "", f"{line}\n")


def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(plimsoll: Plimsoll) -> None:
    refused = plimsoll("holdings", DATABASE_URL="postgresql+psycopg://plimsoll:hunter2@127.0.0.1:1/plimsoll")
    assert refused.code == 1
    assert refused.err.startswith("The database (PostgreSQL) cannot be used: ")
    assert len(refused.err.splitlines()) == 1
    assert "hunter2" not in refused.err


def test_a_file_that_is_no_database_is_one_line(plimsoll: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, not by a long way\n" * 200)
    refused = plimsoll("holdings", DATABASE_URL="sqlite:///notes.db")
    assert (refused.code, refused.err) == (
        1,
        "The database (notes.db) cannot be used: file is not a database. Check DATABASE_URL, or: plimsoll doctor\n",
    )
