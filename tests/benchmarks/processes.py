"""Processes: the memory of `run --role all`, and how long `plimsoll --help` takes, against a bare interpreter."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bot.workspace import Workspace
from tests.benchmarks.bots import CHANNEL, SECRET, TOKEN, USER
from tests.benchmarks.measure import line, timed

PYTHON = [sys.executable, "-m"]


def run() -> Iterator[str]:
    helped = timed(lambda: _quiet([*PYTHON, "bot", "--help"]), 10, warm=1)
    bare = timed(lambda: _quiet([sys.executable, "-c", "pass"]), 10, warm=1)
    yield line("plimsoll --help", helped, bare, "python -c pass")
    yield from _memory()


def _quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _memory() -> Iterator[str]:
    with TemporaryDirectory() as folder, Workspace(SECRET, TOKEN) as workspace:
        workspace.add_user(USER, name="Ada")
        workspace.add_channel(CHANNEL, name="treasury")
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'run.db'}",
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": workspace.api_url,
            "ALERT_CHANNEL": CHANNEL,
            "PORT": "0",
            "PRICE_SOURCES": "coinbase=http://127.0.0.1:9,kraken=http://127.0.0.1:9",
        }
        subprocess.run(
            [*PYTHON, "bot", "import", "bot/examples/cango.toml"], env=environment, check=True, capture_output=True
        )
        log = Path(folder) / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen([*PYTHON, "bot", "run"], env=environment, stderr=stderr)
        try:
            port = _port(log)
            for _ in range(20):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
            time.sleep(5)
            whole = psutil.Process(process.pid)
            share = sum(_share(one.pid) for one in (whole, *whole.children(recursive=True)))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
        bare = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        time.sleep(0.5)
        empty = _share(bare.pid)
        bare.communicate(b"\n")
    yield (
        f"run --role all: {share / 1024:.0f} MB proportional set size; bare interpreter {empty / 1024:.0f} MB; "
        f"ratio {share / empty:.1f}"
    )


def _port(log: Path) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = re.search(r"port\S*?=\S*?(\d{4,5})", re.sub(r"\x1b\[[0-9;]*m", "", log.read_text()))
        if found:
            return int(found[1])
        time.sleep(0.1)
    raise RuntimeError(f"run did not start: {log.read_text()}")


def _share(pid: int) -> int:
    """Proportional set size in KiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0])
