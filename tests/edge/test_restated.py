"""Who asks about the past hears that records dated before it came later: on the command line, which alone asks so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.services.importing import import_file
from bot.store.engine import open_engine
from bot.store.store import Store
from bot.treasury_file import read_file
from edge.cli_process import CONTRACT, Plimsoll, Ran, price
from edge.test_slack_bench import Hand

FIRST = datetime.fromisoformat("2026-02-08T20:00:00Z")
ASKED, CAME = "2026-02-10T00:00:00Z", datetime.fromisoformat("2026-02-10T16:12:00Z")
AFTER = "2026-02-10T16:12:00Z"
MONDAY = "2026-02-09T15:00:00Z"
HEAD = CONTRACT.read_text()[: CONTRACT.read_text().index("[policy]")]
STATEMENT = '[[statement]]\nmonth = "{}"\nmined = "1"\nsold = "2"\nheld = "3"\n'
AMENDMENT = '  [[facility.amendment]]\n  effective = 2026-02-07\n  cushion = "0.01"\n'


def movement(ref: str, at: str, btc: str = "1") -> str:
    return f'[[movement]]\nat = {at}\nkind = "mined"\nbtc = "{btc}"\naccount = "custody"\nref = "{ref}"\n'


@pytest.fixture
def database(tmp_path: Path, _migrated: Callable[[str], str]) -> Path:
    """The directory of a new one."""
    (tmp_path / "var").mkdir()
    shutil.copy(_migrated("sqlite").removeprefix("sqlite:///"), tmp_path / "var" / "plimsoll.db")
    return tmp_path


@pytest.fixture
def late(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_put_back: None
) -> Plimsoll:
    """The contract's treasury, first recorded on the evening of the 8th; a coin and a statement came on the 10th.

    Commands run in this process, and so in no time.
    """
    monkeypatch.chdir(database)

    def plimsoll(*asked: str) -> Ran:
        code = main(asked)
        return Ran(code, *capsys.readouterr())

    records(database, CONTRACT.read_text(), FIRST)
    price(database, "2026-02-09T14:59:00Z", 70_940_00)
    came = movement("mined 1", "2026-02-09T08:00:00Z") + movement("to come", "2026-02-11T08:00:00Z")
    records(database, HEAD + came + STATEMENT.format("2026-01"), CAME)
    return plimsoll


def records(directory: Path, text: str, at: datetime) -> None:
    """Imports a file as `plimsoll import` does, at another time."""
    store = Store(open_engine(f"sqlite:///{directory}/var/plimsoll.db"))
    assert import_file(store, read_file, "treasury.toml", text, clock=Hand(at), by="test")
    store.close()


COIN = {"what": "movement", "ref": "mined 1", "at": "2026-02-09T08:00:00Z", "recorded_at": AFTER}
STATED = {"what": "statement", "ref": "2026-01", "at": "2026-01-01T00:00:00Z", "recorded_at": AFTER}
QUESTIONS: dict[str, tuple[list[str], list[dict[str, str]]]] = {
    "ltv": (["ltv"], [COIN]),
    "ltv of one": (["ltv", "antalpha"], [COIN]),
    "ltv, what if": (["ltv", "--price", "55000"], [COIN]),
    "sales": (["sales", "--price", "55000"], [COIN]),
    "sales to raise": (["sales", "--price", "55000", "--raise", "1m", "--by", "2026-03-01"], [COIN]),
    "holdings": (["holdings"], [COIN]),
    "production": (["production"], [COIN]),
    "production of the month stated": (["production", "2026-01"], [STATED]),
    "production of both": (["production", "ytd"], [STATED, COIN]),
}
NAMED = {
    "mined 1": "movement “mined 1” (recorded Tue 10 Feb 10:12)",
    "2026-01": "statement 2026-01 (recorded Tue 10 Feb 10:12)",
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_about_the_past_says_what_it_counts_that_came_later(late: Plimsoll, name: str) -> None:
    asked, came = QUESTIONS[name]
    assert late(*asked, "--at", ASKED, "--json").json["restated"] == came
    few = "1 record dated before this came later, and counts"
    count = few if len(came) == 1 else "2 records dated before this came later, and count"
    told = " ".join(late(*asked, "--at", ASKED).out.split("\n\n")[-1].split())
    assert told == f"Restated: {count}: {'; '.join(NAMED[one['ref']] for one in came)}."


def test_a_digest_says_what_it_counts_that_came_after_its_week(late: Plimsoll) -> None:
    found = late("digest", "--at", ASKED, "--json").json
    assert (found["as_of"], found["restated"]) == (MONDAY, [COIN])
    assert late("digest", "--at", ASKED).out.endswith(
        "\n\nRestated: 1 record dated before this came later, and counts: "
        "movement “mined 1” (recorded Tue 10 Feb 10:12).\n"
    )


@pytest.mark.parametrize("at", [["--at", AFTER], [], ["--at", "2026-02-08T19:59:59Z"]])
@pytest.mark.parametrize("name", ["ltv", "holdings", "production"])
def test_now_and_before_plimsoll_was_used_there_is_nothing_to_say(late: Plimsoll, name: str, at: list[str]) -> None:
    assert late(name, *at, "--json").json["restated"] == []
    assert "Restated" not in late(name, *at).out


def test_of_many_the_first_three_are_named_and_a_long_ref_is_cut(late: Plimsoll, tmp_path: Path) -> None:
    more = [movement(f"{'long ' * 20}{n}", f"2026-02-09T09:00:0{n}Z") for n in range(4)]
    records(tmp_path, HEAD + "".join(more), datetime.fromisoformat("2027-01-04T15:00:00Z"))
    said = " ".join(late("holdings", "--at", ASKED).out.split("\n\n")[-1].split())
    cut = f"movement “{('long ' * 20)[:59]}…” (recorded Mon 4 Jan 2027 09:00)"
    assert said == (
        "Restated: 5 records dated before this came later, and count: movement “mined 1” (recorded Tue 10 Feb 10:12); "
        f"{cut}; {cut}; and 2 more."
    )
    assert len(late("holdings", "--at", ASKED, "--json").json["restated"]) == 5


def test_what_does_not_change_the_answer_is_not_named_with_it(late: Plimsoll, tmp_path: Path) -> None:
    """What became of a call changes no coin, terms change no month, and a coin no month that was over."""
    text = CONTRACT.read_text().replace('ref = "notice 1"', 'ref = "notice 1"\nmet = 2026-02-08T19:00:00Z')
    text = text.replace("  [[facility.waiver]]", f"{AMENDMENT}  [[facility.waiver]]")
    records(tmp_path, text, datetime.fromisoformat("2026-02-12T00:00:00Z"))

    def kinds(*asked: str) -> list[Any]:
        return [one["what"] for one in late(*asked, "--at", ASKED, "--json").json["restated"]]

    assert kinds("ltv") == ["movement", "amendment", "call met"]
    assert kinds("holdings") == ["movement", "amendment"]
    assert kinds("production") == ["movement"]
    assert kinds("production", "2026-01") == ["statement"]


def test_an_import_that_waits_its_turn_is_recorded_as_of_when_it_came(database: Path) -> None:
    """Who asked meanwhile had an answer without it, and hears of it when they ask about then again."""
    records(database, CONTRACT.read_text(), FIRST)
    store = Store(open_engine(f"sqlite:///{database}/var/plimsoll.db"))
    clock, text = Hand(FIRST + timedelta(hours=1)), HEAD + movement("mined 1", "2026-02-08T20:30:00Z")
    with ThreadPoolExecutor(1) as pool:
        with store.writing():
            waits = pool.submit(import_file, store, read_file, "treasury.toml", text, clock=clock, by="test")
            with suppress(TimeoutError):
                waits.result(0.3)
            asked = clock.now()
            clock.passes(10)
        assert waits.result(10)
    with store.reading() as tx:
        assert [(one.ref, one.recorded_at) for one in tx.recorded_after(asked)] == [("mined 1", clock.now())]
    store.close()
