"""Importing, replaying and setting up on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.cli_process import CONTRACT, NOTHING_YET, OPENED, Plimsoll, Ran

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


def many_movements(count: int) -> str:
    begin = datetime.fromisoformat("2026-02-01T00:00:00Z")
    return CONTRACT.read_text() + "".join(
        f'\n[[movement]]\nat = {begin + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ}\nkind = "mined"\nbtc = "0.01"\n'
        f'account = "custody"\nref = "mined {n}"\n'
        for n in range(count)
    )


def test_many_changes_are_summed_up_after_fifty(plimsoll: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "many.toml").write_text(many_movements(1500))
    for more in (("--dry-run",), ()):
        done = plimsoll("import", "many.toml", *more)
        lines = done.out.splitlines()
        assert (done.code, lines[49][:14], lines[50]) == (0, "+ movement “mi", "… and 1,462 more")
        assert lines[51:] == (["Dry run: nothing was written"] if more else [])
    assert plimsoll("import", "many.toml") == Ran(0, "Nothing new\n", "")


@pytest.mark.usefixtures("logs_put_back")
def test_a_first_file_is_read_and_checked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import bot.treasury_file as reader
    from bot.cli import main
    from bot.domain import ledger, merge

    done: list[str] = []

    def counted(module: object, name: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, **more: (done.append(name), real(*args, **more))[1])

    counted(reader, "read_file")
    counted(merge, "ledger_faults")
    counted(ledger, "ledger_faults")
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(CONTRACT)]) == 0
    assert "+ treasury “Example Mining”" in capsys.readouterr().out
    assert done == ["read_file"]


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
    for more in ((), ("--json",)):
        done = imported("replay", "--prices", prices_csv(tmp_path), "--from", "2027-01-01", *more)
        assert done == Ran(1, "", "The price history has no price in that time: there is nothing to replay\n")


def test_replay_until_the_end_of_time_ends(imported: Plimsoll, tmp_path: Path) -> None:
    done = imported("replay", "--prices", prices_csv(tmp_path), "--to", "2199-12-31", "--json")
    assert (done.code, done.err) == (0, "")
    assert all(json.loads(line)["at"] < "2028" for line in done.out.splitlines())


def test_a_manifest_may_name_this_machine_without_tls(plimsoll: Plimsoll) -> None:
    made = plimsoll("manifest", "--url", "http://localhost:3000").json
    assert made["settings"]["interactivity"]["request_url"] == "http://localhost:3000/slack/events"


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


def test_the_manifest_asks_for_what_roles_need(plimsoll: Plimsoll) -> None:
    made = plimsoll("manifest").json
    assert "usergroups:read" in made["oauth_config"]["scopes"]["bot"]
    assert "subteam_members_changed" in made["settings"]["event_subscriptions"]["bot_events"]


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    heavy = ("sqlmodel", "sqlalchemy", "alembic", "slack_bolt", "slack_sdk", "pydantic", "httpx", "rich", "flask")
    script = f"""
import sys
from bot.cli import main
code = main(["--help"])
sys.stderr.write(",".join(name for name in {heavy!r} if name in sys.modules))
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    for command in (
        "run",
        "import",
        "holdings",
        "ltv",
        "alerts",
        "digest",
        "replay",
        "db",
        "doctor",
        "manifest",
        "demo",
    ):
        assert f"\n  {command} " in done.stdout
    assert "..." not in done.stdout.split("Commands:")[1]


def test_no_command_at_all_is_wrong_usage(plimsoll: Plimsoll) -> None:
    done = plimsoll()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: plimsoll")
