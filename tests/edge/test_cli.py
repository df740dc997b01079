"""The command line as people and scripts meet it: a process with its output, its errors and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.price import PriceState
from bot.domain.quotes import JudgedQuote, Tick, Verdict
from bot.store.engine import open_engine
from bot.store.store import Store

CONTRACT = Path(__file__).parents[1] / "unit" / "contract.toml"
OPENED = "2026-01-31T23:59:59Z"
NOTHING_YET = "Nothing imported yet: plimsoll import FILE\n"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Plimsoll = Callable[..., Ran]


@pytest.fixture
def plimsoll(tmp_path: Path) -> Plimsoll:
    """Runs one command in an empty directory, with none of this machine's settings."""

    def run(*arguments: str, **settings: str) -> Ran:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(Path(__file__).parents[2]), **settings},
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def imported(plimsoll: Plimsoll) -> Plimsoll:
    """The same, with the contract's treasury recorded."""
    assert plimsoll("import", str(CONTRACT)).code == 0
    return plimsoll


def price(directory: Path, at: str, cents: int, state: PriceState = PriceState.FRESH) -> None:
    """Records that the sources agreed on a price at an instant."""
    instant = datetime.fromisoformat(at)
    quotes = (JudgedQuote("kraken", Verdict.USED, price=cents, at=instant, fetched_at=instant),)
    tick = Tick(instant, state, cents, instant, ("kraken",), quotes=quotes)
    store = Store(open_engine(f"sqlite:///{directory}/var/plimsoll.db"))
    with store.writing() as tx:
        tx.add_tick(tick)
    store.close()


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
        "call": None,
        "cures": {
            "top_up_btc": "1391.60839161",
            "repay_usd": "49750000.00",
            "sell_free_btc": "909.09090910",
            "sell_pledged_btc": "2621.87088275",
        },
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
        "                          LTV  Level     Reached      Next line            At    Below\n"
        "antalpha              77.92 %  critical  margin call  liquidation  $47,619.04  13.42 %\n"
        "antalpha-all (group)  77.92 %  ok        –            group call   $54,945.05   0.10 %\n"
        "\n"
        "antalpha\n"
        "  No notice recorded; if called now, due Sun 17:59 (24 h).\n"
        "  Cure to 65.00 %: pledge 1,391.61 BTC (474.62 free), or repay $49.75M ($10.00M in cash, $10.00M of it\n"
        "  reserved), or sell 909.10 free BTC (474.62 free) and repay, or sell 2,621.88 pledged BTC at the lender's desk.\n"
    )


def test_one_facility_alone_has_no_groups(imported: Plimsoll) -> None:
    answer = imported("ltv", "antalpha", "--at", OPENED, "--price", "55000", "--json").json
    assert [one["id"] for one in answer["facilities"]] == ["antalpha"]
    assert answer["groups"] == []


def test_holdings_adds_up(imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    answer = imported("holdings", "--at", "2026-02-01T00:00:30Z", "--json").json
    assert answer["price"]["age_s"] == 30
    assert answer["coins"]["total_btc"] == "7474.62000000"
    assert answer["value_usd"] == "512011470.00"
    assert answer["net_usd"] == "222011470.00"
    shown = imported("holdings", "--at", "2026-02-01T00:00:30Z").out
    assert "Net                  $222,011,470.00\n" in shown


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
        (("ltv", "nobody"), "There is no facility “nobody”; known: antalpha"),
        (("lvt",), "plimsoll: no such command 'lvt'. Try: plimsoll --help"),
        (("ltv", "--chart", "x"), "plimsoll ltv: no such option: --chart. Try: plimsoll ltv --help"),
        (("import",), "plimsoll import: missing argument 'FILE'. Try: plimsoll import --help"),
        (("import", "nowhere.toml"), "nowhere.toml: there is no such file"),
        (("import", "."), ".: is a directory; name a file in it"),
        (("replay",), "plimsoll replay: missing option '--prices'. Try: plimsoll replay --help"),
        (
            ("replay", "--prices", "x.csv", "--from", "soon"),
            "--from “soon” is no date; write it as 2026-02-01",
        ),
        (("replay", "--prices", "x.csv"), "x.csv: no such file"),
        (
            ("manifest", "--url", "example.com"),
            "--url “example.com” is not where Slack can reach the bot; write it as https://plimsoll.example.com",
        ),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(arguments: tuple[str, ...], line: str, imported: Plimsoll) -> None:
    assert imported(*arguments) == Ran(2, "", f"{line}\n")


def test_a_file_that_is_not_text_is_refused(plimsoll: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'[treasury]\nname = "M\xfcller"\n')
    refused = plimsoll("import", "latin.toml")
    assert (refused.code, refused.err) == (2, "latin.toml: is not UTF-8 text (byte 21); save it as UTF-8\n")


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


# Importing


def test_the_same_file_twice_adds_nothing(imported: Plimsoll) -> None:
    assert imported("import", str(CONTRACT)) == Ran(0, "Nothing new\n", "")


def test_a_dry_run_says_what_would_change_and_makes_nothing(plimsoll: Plimsoll, tmp_path: Path) -> None:
    tried = plimsoll("import", str(CONTRACT), "--dry-run")
    assert tried.code == 0
    assert tried.out.splitlines()[0] == "+ treasury “Example Mining”"
    assert tried.out.splitlines()[-1] == "Dry run: nothing was written"
    assert list(tmp_path.iterdir()) == []
    assert plimsoll("import", str(CONTRACT)).out.splitlines() == tried.out.splitlines()[:-1]


def test_what_was_recorded_is_not_overwritten(imported: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(
        CONTRACT.read_text().replace('principal = "300000000.00"', 'principal = "1.00"')
    )
    refused = imported("import", "other.toml")
    assert refused.code == 2
    assert refused.err.startswith("other.toml: ")
    assert imported("holdings", "--at", OPENED, "--json").json["debt_usd"] == "300000000.00"


# PostgreSQL


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_it_answers_from_postgresql_too(plimsoll: Plimsoll, database_url: str) -> None:
    assert plimsoll("ltv", DATABASE_URL=database_url) == Ran(1, "", NOTHING_YET)
    assert plimsoll("db", "check", DATABASE_URL=database_url).out == "The database is up to date and sound\n"
    assert plimsoll("import", str(CONTRACT), DATABASE_URL=database_url).code == 0
    answer = plimsoll("ltv", "--at", OPENED, "--price", "55000", "--json", DATABASE_URL=database_url)
    assert answer.json["facilities"][0]["cures"]["sell_free_btc"] == "909.09090910"
    assert plimsoll("alerts", "--at", OPENED, "--json", DATABASE_URL=database_url).json["alerts"] == []


def test_postgresql_is_migrated_only_by_db_upgrade(plimsoll: Plimsoll, empty_database: Callable[[str], str]) -> None:
    url = empty_database("postgresql")
    assert plimsoll("holdings", DATABASE_URL=url) == Ran(1, "", NOTHING_YET)
    refused = plimsoll("import", str(CONTRACT), DATABASE_URL=url)
    assert refused.code == 1
    assert refused.err.endswith(": plimsoll db upgrade\n")
    assert plimsoll("db", "check", DATABASE_URL=url).code == 1
    assert plimsoll("db", "upgrade", DATABASE_URL=url).out.splitlines()[-1] == "The database is up to date"
    assert plimsoll("import", str(CONTRACT), DATABASE_URL=url).code == 0


# Replay


def prices_csv(directory: Path) -> str:
    rows = ["ts,usd", "2026-02-01T00:00:00Z,68500", "2026-02-01T06:00:00Z,61000", "2026-02-01T12:00:00Z,70000"]
    (directory / "prices.csv").write_text("\n".join([*rows, "2026-02-01T12:30:00Z,70000\n"]))
    return "prices.csv"


def test_replay_prints_one_object_a_line(imported: Plimsoll, tmp_path: Path) -> None:
    history = prices_csv(tmp_path)
    for arguments in (("replay",), ("replay", str(CONTRACT))):
        done = imported(*arguments, "--prices", history, "--to", "2026-02-02", "--json")
        assert done.code == 0
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert [(one["at"], one["transition"], one["key"]) for one in lines][:2] == [
            ("2026-02-01T06:00:00Z", "opened", "covenant:antalpha"),
            ("2026-02-01T12:10:00Z", "closed", "covenant:antalpha"),
        ]
        assert set(lines[0]) == {"at", "key", "transition", "level", "tier", "price_usd", "ltv_pct", "text"}


def test_replay_shows_people_what_would_have_been_said(imported: Plimsoll, tmp_path: Path) -> None:
    shown = imported("replay", "--prices", prices_csv(tmp_path), "--to", "2026-02-02").out.splitlines()
    assert shown[0] == "Example Mining, 4 prices, Sat 31 Jan 2026 18:00 CST to Sun 1 Feb 2026 06:30 CST"
    assert shown[2] == "2026-02-01 00:00:00  covenant:antalpha  opened  warning  early warning  $61,000.00  70.27 %"
    assert shown[3] == "    Antalpha is at its early warning: LTV 70.27 % ≥ 68.00 %"


def test_replay_without_a_price_in_its_time_fails(imported: Plimsoll, tmp_path: Path) -> None:
    done = imported("replay", "--prices", prices_csv(tmp_path), "--from", "2027-01-01")
    assert (done.code, done.err) == (1, "The price history has no price in that time: there is nothing to replay\n")


# Setting up


def test_the_manifest_names_the_commands_with_their_prefix(plimsoll: Plimsoll) -> None:
    made = plimsoll("manifest", "--url", "https://plimsoll.example.com/", COMMAND_PREFIX="tr-").json
    commands = {command["command"]: command["url"] for command in made["features"]["slash_commands"]}
    assert commands["/tr-ltv"] == "https://plimsoll.example.com/slack/events"
    assert not made["settings"]["socket_mode_enabled"]
    assert plimsoll("manifest").json["settings"]["socket_mode_enabled"]


def test_every_command_of_the_bot_is_in_the_manifest(plimsoll: Plimsoll) -> None:
    import bot.slack.commands as package

    offered = {path.stem for path in Path(str(package.__file__)).parent.glob("[a-z]*.py")}
    made = plimsoll("manifest").json
    assert {command["command"] for command in made["features"]["slash_commands"]} == {f"/{name}" for name in offered}


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    heavy = [
        "sqlmodel",
        "sqlalchemy",
        "slack_bolt",
        "slack_sdk",
        "pydantic",
        "pydantic_settings",
        "httpx",
        "rich",
        "flask",
        "alembic",
    ]
    script = f"""
import sys
from bot.cli import main
code = main(["--help"])
sys.stderr.write(",".join(name for name in {heavy!r} if name in sys.modules))
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    for command in ("run", "import", "holdings", "ltv", "alerts", "replay", "db", "doctor", "manifest", "demo"):
        assert f"\n  {command} " in done.stdout
    assert "..." not in done.stdout


def test_no_command_at_all_is_wrong_usage(plimsoll: Plimsoll) -> None:
    done = plimsoll()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: plimsoll")
