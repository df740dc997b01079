"""docs/audit.md: every word of the log, and a program that checks an export without Plimsoll."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.audit import COLUMNS, cell
from bot.domain.audit import Entry, Sealed, What, sealed

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
PROGRAM = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def checked(rows: list[Sealed]) -> str:
    """What the page's own program says of an export."""
    out = io.StringIO(newline="")
    written = csv.writer(out)
    written.writerow(COLUMNS)
    written.writerows([cell(str(getattr(row, name))) for name in COLUMNS] for row in rows)
    command = [sys.executable, "-X", "utf8", "-c", *PROGRAM]
    done = subprocess.run(command, input=out.getvalue().encode(), capture_output=True, timeout=30, check=False)
    return (done.stdout + done.stderr).decode().strip()


def test_every_word_is_explained_once_and_in_order() -> None:
    table = PAGE.partition("## What is in it")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z ]+)` \| ([A-Z][^|]*\.) \|$", table, re.MULTILINE)
    assert [word for word, _ in explained] == [what.value for what in What]


def test_the_pages_program_finds_what_is_unbroken_and_what_is_not() -> None:
    rows: list[Sealed] = []
    for about in ("=1+1", "'quoted'", " -20% é “x”\nand\r\nmore,", ""):
        entry = Entry(datetime(2026, 2, 7, tzinfo=UTC), "@U1", What.ASKED, about, {"wrong": about})
        rows.append(sealed(entry, rows[-1].head if rows else None))
    assert checked(rows) == f"unbroken; head {rows[-1].hash}"
    assert checked([*rows[:2], replace(rows[2], actor="U2"), rows[3]]) == "entry 3 is wrong"
    assert checked([rows[0], *rows[2:]]) == "entry 3 is wrong"
