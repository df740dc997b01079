"""`plimsoll import` of CSV files, as people save them from a spreadsheet."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from bot.cli import main
from edge.cli_process import Plimsoll, Ran

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "cango_months.csv"
COLUMNS = ("at", "kind", "ref", "account", "btc", "usd", "site", "note")
FORMULA = '=HYPERLINK("http://x.example","site")'
MINED = ("2026-02-09 00:00:00Z", "mined", "m1", "custody", "1,117.86", "", FORMULA, "-1+1")
NOTHING_YET = "Nothing imported yet: plimsoll import FILE, a treasury file (TOML); movements.csv only adds to one\n"


@pytest.fixture
def here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logs_put_back: None,
) -> Plimsoll:
    """Runs one command in an empty directory and in this process, which is much quicker than in one of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def recorded_here(here: Plimsoll, recorded_database: Path, tmp_path: Path) -> Plimsoll:
    """The same, with the contract's treasury recorded."""
    (tmp_path / "var").mkdir()
    shutil.copy(recorded_database, tmp_path / "var")
    return here


def save(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]], delimiter: str = ",") -> Path:
    """As Excel's “CSV UTF-8”: with a mark in front, and lines that end in CRLF."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_public_record_comes_in_as_two_spreadsheets_and_rolls_forward(plimsoll: Plimsoll, tmp_path: Path) -> None:
    with SHARED.open(newline="") as file:
        months = list(csv.DictReader(file))
    (tmp_path / "cango.toml").write_text(
        '[treasury]\nname = "Cango"\ntimezone = "UTC"\nopened = 2024-11-01T00:00:00Z\n'
        '[policy]\nrollforward_tolerance_btc = "0"\n[[account]]\nid = "custody"\n'
    )
    moved = [
        (f"{m['month']}-15T00:00:00Z", kind, m[f"{kind}_btc"], m["month"]) for m in months for kind in ("mined", "sold")
    ]
    save(
        tmp_path / "movements.csv",
        ("ref", "at", "kind", "account", "btc", "usd"),
        [
            (f"{kind} {month}", at, kind, "custody", btc, "1.00" if kind == "sold" else "")
            for at, kind, btc, month in moved
            if float(btc)
        ],
    )
    stated = [(m["month"], m["mined_btc"], m["sold_btc"], m["held_btc"]) for m in months]
    save(tmp_path / "statements.csv", ("month", "mined", "sold", "held"), stated, ";")
    for file_name in ("cango.toml", "statements.csv", "movements.csv"):
        done = plimsoll("import", file_name)
        assert (done.code, done.err) == (0, "")
    found = []
    for instant in ("2024-12-31T23:59:59Z", "2025-12-31T23:59:59Z", "2026-02-01T00:00:00Z"):
        found += plimsoll("production", "ytd", "--at", instant, "--json").json["months"]
    gaps = {month["month"]: (month["gap_btc"], month["findings"]) for month in found if month["statement"]}
    assert gaps == {m["month"]: ("0.00000000", []) for m in months}
    assert len(months) == 15


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_public_record_as_it_is_is_told_what_its_header_should_be(recorded_here: Plimsoll) -> None:
    refused = recorded_here("import", str(SHARED))
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "unknown “mined_btc” (did you mean “mined”?), “sold_btc” (did you mean “sold”?)" in refused.err
    assert "statements (month, mined, sold, held)" in refused.err


def test_a_spreadsheet_adds_nothing_before_a_treasury_is_imported(here: Plimsoll, tmp_path: Path) -> None:
    save(tmp_path / "movements.csv", COLUMNS, [MINED])
    for more in ((), ("--dry-run",)):
        assert here("import", "movements.csv", *more) == Ran(2, "", NOTHING_YET)
    assert not (tmp_path / "var").exists()
    assert here("db", "upgrade").code == 0
    assert here("import", "movements.csv") == Ran(2, "", NOTHING_YET)


def test_it_adds_movements_once_and_the_audit_log_has_the_digest_of_the_file(
    recorded_here: Plimsoll, tmp_path: Path
) -> None:
    path = save(tmp_path / "Movements.CSV", COLUMNS, [MINED], "\t")
    line = "+ movement “m1”: mined 1,117.86 BTC into custody\n"
    assert recorded_here("import", "Movements.CSV", "--dry-run") == Ran(0, f"{line}Dry run: nothing was written\n", "")
    assert recorded_here("import", "Movements.CSV") == Ran(0, line, "")
    assert recorded_here("import", "Movements.CSV") == Ran(0, "Nothing new\n", "")
    assert recorded_here("audit", "export").out.count(sha256(path.read_bytes()).hexdigest()) == 1


def test_what_looks_like_a_formula_is_only_text(recorded_here: Plimsoll, tmp_path: Path) -> None:
    save(tmp_path / "movements.csv", COLUMNS, [MINED], ";")
    assert recorded_here("import", "movements.csv").code == 0
    assert FORMULA in recorded_here("production", "2026-02", "--at", "2026-02-10T00:00:00Z").out


def test_a_faulty_spreadsheet_is_told_every_fault_and_records_nothing(recorded_here: Plimsoll, tmp_path: Path) -> None:
    rows = [
        MINED,
        ("2026-02-09 00:00:00", "mined", "m2", "custody", "1,391", "", "", ""),
        ("2026-02-09T00:00:00Z", "mined", "m3"),
        ("2026-02-09T00:00:00Z", "cost", "rent", "custodi", "", "5.00", "", ""),
    ]
    save(tmp_path / "movements.csv", COLUMNS, rows)
    for more in ((), ("--dry-run",)):
        refused = recorded_here("import", "movements.csv", *more)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.splitlines() == [
            "movements.csv: line 3 “m2”: at: 2026-02-09T00:00:00 has no time zone; write 2026-02-09T00:00:00Z",
            "movements.csv: line 3 “m2”: btc: “1,391” can be read in two ways; write “1391” or “1.391”.",
            "movements.csv: line 4: has 3 cells, and the header has 8; an empty cell needs its “,” too.",
            "movements.csv: line 5 “rent”: account: there is no account “custodi”; accounts: custody.",
        ]
    save(tmp_path / "movements.csv", COLUMNS, rows[:1])
    assert recorded_here("import", "movements.csv").out.count("\n") == 1


def test_rows_that_would_overdraw_an_account_are_refused_together(recorded_here: Plimsoll, tmp_path: Path) -> None:
    spent = ("2026-02-10T00:00:00Z", "cost", "site", "custody", "", "10,000,000.01", "", "")
    save(tmp_path / "movements.csv", COLUMNS, [MINED, spent])
    assert recorded_here("import", "movements.csv") == Ran(
        2,
        "",
        "movements.csv: line 3 “site”: usd: account “custody” has $10,000,000.00 at 2026-02-10T00:00:00Z, and "
        "$10,000,000.01 leaves it; at most $10,000,000.00 can.\n",
    )
    save(tmp_path / "movements.csv", COLUMNS, [MINED])
    assert recorded_here("import", "movements.csv").out.startswith("+ movement “m1”")


def test_what_is_no_utf8_text_is_refused_in_one_line(recorded_here: Plimsoll, tmp_path: Path) -> None:
    text = f"{','.join(COLUMNS)}\n2026-02-09T00:00:00Z,mined,m1,custody,1,,Montréal,\n"
    (tmp_path / "excel.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "unicode.csv").write_bytes(text.encode("utf-16"))
    (tmp_path / "bare.csv").write_bytes(text.replace("é", "e").encode("utf-16-le"))
    (tmp_path / "movements.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("excel.csv", "unicode.csv", "movements.csv.gz"):
        refused = recorded_here("import", name)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert refused.err.startswith(f"{name}: is not UTF-8 text (byte ")
    why = "bare.csv: line 1: has a NUL byte; save the file anew as UTF-8 text.\n"
    assert recorded_here("import", "bare.csv") == Ran(2, "", why)


def test_a_replay_needs_a_treasury(here: Plimsoll) -> None:
    why = "movements.csv: a CSV file only adds to a treasury; name a treasury file (TOML)\n"
    assert here("replay", "movements.csv", "--prices", "prices.csv") == Ran(2, "", why)


def test_help_says_what_a_file_may_be(here: Plimsoll) -> None:
    said = here("import", "--help").out
    assert "A treasury file (TOML), or rows to add to one (.csv)." in said
    assert "movements, statements, cash costs" in said
