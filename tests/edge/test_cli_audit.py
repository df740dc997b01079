"""`plimsoll audit`: what an import leaves in the log, whether the log is whole, and all of it for a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from bot.cli import main

from .cli_process import CONTRACT, NOTHING_YET, OPENED, Plimsoll, Ran, run_plimsoll


@pytest.fixture(scope="session")
def audited_database(recorded_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A treasury recorded by the command, and two more imports by two people."""
    directory = tmp_path_factory.mktemp("audited")
    (directory / "var").mkdir()
    shutil.copy(recorded_database, directory / "var")
    for number, user in ((1, "ada"), (2, "=cmd")):
        (directory / f"more-{number}.toml").write_text(movement(number))
        done = run_plimsoll(directory, "import", f"more-{number}.toml", USER=user)
        assert done.code == 0, done.err
    return directory


@pytest.fixture
def audited(audited_database: Path, tmp_path: Path) -> Path:
    """A directory with that database in it."""
    shutil.copytree(audited_database, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_put_back: None
) -> Plimsoll:
    """A command in this very process, quicker than one of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **settings: str) -> Ran:
        capsys.readouterr()
        with monkeypatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(name, value)
            code = main(arguments)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


def movement(number: int) -> str:
    head = CONTRACT.read_text()
    return head[: head.index("[policy]")] + (
        f'[[movement]]\nat = 2026-02-0{number}T00:00:00Z\nkind = "mined"\nbtc = "0.01"\n'
        f'account = "custody"\nref = "mined {number}"\n'
    )


def database(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(directory / "var" / "plimsoll.db", isolation_level=None)


def tamper(directory: Path, *statements: str) -> None:
    connection = database(directory)
    for name in ("audit_keeps_rows", "audit_keeps_words"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def exported(ran: Ran) -> list[dict[str, str]]:
    assert (ran.code, ran.err) == (0, "")
    return list(csv.DictReader(io.StringIO(ran.out, newline="")))


def test_an_import_is_recorded_with_who_what_and_the_files_hash(audited: Path, here: Plimsoll) -> None:
    first, *more = exported(here("audit", "export"))
    assert (first["number"], first["actor"], first["what"], first["about"]) == ("1", "cli", "imported", "contract.toml")
    assert [(row["actor"], row["about"]) for row in more] == [("cli:ada", "more-1.toml"), ("cli:=cmd", "more-2.toml")]
    detail = json.loads(more[0]["detail"])
    assert detail["sha256"] == hashlib.sha256((audited / "more-1.toml").read_bytes()).hexdigest()
    assert (detail["changes"], detail["lines"]) == (1, ["+ movement “mined 1”: mined 0.01 BTC into custody"])
    assert json.loads(first["detail"])["changes"] > 5


def test_what_an_import_does_not_change_it_does_not_record(audited: Path, here: Plimsoll) -> None:
    (audited / "bad.toml").write_text(movement(1).replace('"0.01"', '"0.02"'))
    assert here("import", "bad.toml").code == 2
    assert here("import", "more-1.toml").out == "Nothing new\n"
    assert here("import", "more-1.toml", "--dry-run").code == 0
    assert here("audit", "verify", "--json").json["entries"] == 3


def test_a_file_is_no_formula(audited: Path, here: Plimsoll) -> None:
    (audited / "=1+1.toml").write_text(movement(3))
    assert here("import", "=1+1.toml").code == 0
    assert exported(here("audit", "export"))[-1]["about"] == "'=1+1.toml"


def test_verify_says_how_many_and_gives_the_head(audited: Path, here: Plimsoll) -> None:
    rows = exported(here("audit", "export"))
    head = rows[-1]["hash"]
    assert here("audit", "verify") == Ran(0, f"3 entries, unbroken; head {head} (number 3)\n", "")
    noted = here("audit", "verify", "--head", rows[1]["hash"][:16].upper())
    assert noted == Ran(0, f"3 entries, unbroken; head {head} (number 3); --head is entry 2\n", "")
    assert here("audit", "verify", "--head", head, "--json").json == {
        "unbroken": True,
        "entries": 3,
        "head": {"number": 3, "hash": head},
        "named": 3,
        "fault": None,
    }


@pytest.mark.parametrize(
    ("statement", "number", "how", "says"),
    [
        (
            "UPDATE audit SET actor = 'cli:sam' WHERE number = 2",
            2,
            "edited",
            "Entry 2 was edited: its hash does not fit what it says. Entry 1 is unbroken.\n",
        ),
        (
            "DELETE FROM audit WHERE number = 1",
            1,
            "missing",
            "Entry 1 is missing: the one after it is there.\n",
        ),
        (
            "DELETE FROM audit WHERE number = 3",
            3,
            "cut",
            "The chain ends at 2, but --head names an entry that is not in it: it was cut, or written anew. "
            "Entries 1 to 2 are unbroken.\n",
        ),
    ],
)
def test_what_somebody_does_to_a_row_is_found_and_named(
    audited: Path, here: Plimsoll, statement: str, number: int, how: str, says: str
) -> None:
    head = here("audit", "verify", "--json").json["head"]["hash"]
    tamper(audited, statement)
    assert run_plimsoll(audited, "audit", "verify", "--head", head) == Ran(1, "", says)
    told = here("audit", "verify", "--head", head, "--json")
    assert (told.code, told.json["unbroken"]) == (1, False)
    assert (told.json["fault"]["number"], told.json["fault"]["how"]) == (number, how)


def test_the_database_itself_refuses_to_change_a_row(audited: Path, here: Plimsoll) -> None:
    connection = database(audited)
    for statement in ("UPDATE audit SET actor = 'me'", "DELETE FROM audit WHERE number = 3"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_export_takes_the_treasurys_days(audited: Path, here: Plimsoll) -> None:
    """Chicago's: six hours behind."""
    moments = ["2026-02-01T05:59:59.000000Z", "2026-02-01T06:00:00.000000Z", "2026-02-02T06:00:00.000000Z"]
    tamper(
        audited,
        *(
            f"UPDATE audit SET at = '{at}' WHERE number = {n}"  # noqa: S608
            for n, at in enumerate(moments, 1)
        ),
    )

    def numbers(*arguments: str) -> list[str]:
        return [row["number"] for row in exported(here("audit", "export", *arguments))]

    assert numbers("--from", "2026-02-01") == ["2", "3"]
    assert numbers("--to", "2026-02-02") == ["1", "2"]
    assert numbers("--from", "2026-02-01", "--to", "2026-02-02") == ["2"]
    assert numbers("--from", "2027-02-01") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify", "--head", "abc"), "--head “abc” is no hash of an entry; write its 64 hexadecimal digits"),
        (("verify", "--head", "g" * 64), "is no hash of an entry"),
        (("export", "--from", "yesterday"), "--from “yesterday” is no date; write it as 2026-02-01"),
        (("export", "--from", "2026-02-02", "--to", "2026-02-02"), "is not before --to 2026-02-02"),
        (("export", "--to", "0001-01-01"), "--to 0001-01-01 is out of range"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    audited: Path, here: Plimsoll, arguments: tuple[str, ...], says: str
) -> None:
    refused = here("audit", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err
    assert refused.err.count("\n") == 1


def test_before_any_import_there_is_nothing(here: Plimsoll) -> None:
    assert here("audit", "verify") == Ran(1, "", NOTHING_YET)
    assert here("audit", "export") == Ran(1, "", NOTHING_YET)
    assert here("db", "upgrade").code == 0
    assert here("audit", "verify") == Ran(0, "No entries yet\n", "")
    assert exported(here("audit", "export")) == []


def test_a_question_on_the_command_line_changes_nothing(audited: Path, here: Plimsoll) -> None:
    before = here("audit", "verify").out
    assert here("holdings", "--at", OPENED).code == 0
    assert here("audit", "verify").out == before


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_postgresql_has_it_too(here: Plimsoll, database_url: str) -> None:
    assert here("import", str(CONTRACT), DATABASE_URL=database_url, USER="ada").code == 0
    (row,) = exported(here("audit", "export", DATABASE_URL=database_url))
    told = here("audit", "verify", "--head", row["hash"], DATABASE_URL=database_url)
    assert told == Ran(0, f"1 entry, unbroken; head {row['hash']} (number 1); --head is entry 1\n", "")


def test_no_secret_of_the_settings_gets_in(here: Plimsoll, tmp_path: Path) -> None:
    (tmp_path / "hunter2222.toml").write_text(CONTRACT.read_text().replace("Example Mining", "hunter2222 xoxb-1-2"))
    assert here("import", "hunter2222.toml", SLACK_SIGNING_SECRET="hunter2222").code == 0
    (row,) = exported(here("audit", "export"))
    assert row["about"] == "….toml"
    assert "hunter2222" not in row["detail"]
    assert "xoxb-1" not in row["detail"]
