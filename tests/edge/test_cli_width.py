"""Tables on terminals of many widths: what is a number or a level is there in full, and no line is too long."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from bot.cli.tables import Cell, Column, Table
from edge.cli_process import ROOT, Plimsoll, price

WIDTHS = (40, 60, 80, 100, 120)
AT = "2026-02-07T20:00:00Z"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(directory: Path, width: int, *arguments: str) -> list[str]:
    """The lines of one command on a terminal of `width` columns, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                more = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not more:
                break
            said += more
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return _COLOURS.sub("", said.decode()).replace("\r", "").splitlines()


def assert_whole(lines: list[str], width: int, *pieces: str) -> None:
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    assert [piece for piece in pieces if piece not in text] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_ltv(width: int, imported: Plimsoll, tmp_path: Path) -> None:
    lines = on_a_terminal(tmp_path, width, "ltv", "--at", AT, "--price", "55000")
    assert_whole(lines, width, "78.03 %", "critical", "$47,683.87", "13.30 %", "Headroom")


@pytest.mark.parametrize("width", WIDTHS)
def test_risk(width: int, imported: Plimsoll, tmp_path: Path) -> None:
    rows = ["ts,usd", *(f"2026-01-{1 + n // 24:02}T{n % 24:02}:00:00Z,{70_000 - n % 2 * 700}" for n in range(740))]
    (tmp_path / "prices.csv").write_text("\n".join(rows))
    lines = on_a_terminal(tmp_path, width, "risk", "--at", AT, "--price", "65000", "--prices", "prices.csv")
    assert_whole(lines, width, "$47,683.87,", "cure 24 h", "0 of 716 (0.00 %)", "0 of 20 (0.00 %)", "under 0.001 %")


@pytest.mark.parametrize("width", WIDTHS)
def test_holdings(width: int, imported: Plimsoll, tmp_path: Path) -> None:
    price(tmp_path, "2026-02-01T00:00:00Z", 68_500_00)
    lines = on_a_terminal(tmp_path, width, "holdings", "--at", "2026-02-01T00:00:30Z")
    assert_whole(lines, width, "7,474.62", "$512,011,470.00", "-$300,000,000.00", "$222,011,470.00", "474.62")


@pytest.mark.parametrize("width", WIDTHS)
def test_replay(width: int, imported: Plimsoll, tmp_path: Path) -> None:
    rows = ["ts,usd", "2026-02-01T00:00:00Z,68500", "2026-02-01T06:00:00Z,61000", "2026-02-01T12:00:00Z,55000"]
    (tmp_path / "prices.csv").write_text("\n".join(rows))
    lines = on_a_terminal(tmp_path, width, "replay", "--prices", "prices.csv")
    assert_whole(lines, width, "2026-02-01 00:00:00", "warning", "$61,000.00", "70.27 %", "critical", "$55,000.00")


ALERTS = Table(
    tuple(Column(title, name=title in ("Alert", "Line")) for title in ("", "Level", "Alert", "Line", "Since", "Due"))
)
ALERTS.add_row(
    "open",
    Cell("critical", "red"),
    "covenant:antalpha",
    "margin call of the second amendment",
    "Sun 1 Feb 2026 06:00 CST",
    "Mon 2 Feb 2026 06:00 CST",
)
ALERTS.add_row("closed", Cell("warning"), f"transit:{'x' * 50}", "–", "Sun 1 Feb 2026 07:00 CST", "–")


@pytest.mark.parametrize("width", range(32, 160))
def test_names_wrap_and_nothing_else_does(width: int) -> None:
    lines = ["".join(cell.text for cell in line) for row in ALERTS.within(width) for line in row]
    assert_whole(lines, width, "open", "critical", "Sun 1 Feb 2026 06:00 CST", "Mon 2 Feb 2026 06:00 CST", "07:00 CST")
    assert "".join("".join(lines).split()).count("x") == 50


def test_in_a_pipe_a_row_is_one_line() -> None:
    assert [len(row) for row in ALERTS.within(None)] == [1, 1, 1]
