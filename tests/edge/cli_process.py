"""Runs the command line as a process; what its tests share."""

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

from bot.domain.price import PriceState
from bot.domain.quotes import JudgedQuote, Tick, Verdict
from bot.store.engine import open_engine
from bot.store.store import Store

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "tests" / "unit" / "contract.toml"
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


def run_plimsoll(directory: Path, *arguments: str, **settings: str) -> Ran:
    """One command, in `directory`, with none of this machine's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=directory,
        env={**kept, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        timeout=100,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def price(directory: Path, at: str, cents: int, state: PriceState = PriceState.FRESH) -> None:
    """Records that the sources agreed on a price at an instant."""
    instant = datetime.fromisoformat(at)
    quotes = (JudgedQuote("kraken", Verdict.USED, price=cents, at=instant, fetched_at=instant),)
    tick = Tick(instant, state, cents, instant, ("kraken",), quotes=quotes)
    store = Store(open_engine(f"sqlite:///{directory}/var/plimsoll.db"))
    with store.writing() as tx:
        tx.add_tick(tick)
    store.close()
