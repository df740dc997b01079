"""Eight processes on PostgreSQL and two on SQLite record at once: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alerts import AlertPolicy
from bot.domain.quotes import PricePolicy
from bot.services.books import Books
from bot.services.ports import SystemClock
from bot.services.questions import Questions
from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.store import Store
from edge.cli_process import ROOT, run_plimsoll

HEAD = '[treasury]\nname = "T"\ntimezone = "UTC"\nopened = 2026-01-01T00:00:00Z\n'
FIRST = HEAD + '[[account]]\nid = "custody"\nbtc = "1"\n[[account]]\nid = "exchange"\n'
OWN, SHARED, DISPUTED = 4, 3, 2
"""Files of each process alone; files that all have; refs that each wants to record with an amount of its own."""


@dataclass(frozen=True)
class Mined:
    """A movement, for the test's own sum: satoshis into an account."""

    ref: str
    account: str
    sats: int

    def table(self, minute: int) -> str:
        at = f"2026-01-{1 + minute // 60:02d}T10:{minute % 60:02d}:00Z"
        amount = f'btc = "0.{self.sats:08d}"'
        return f'[[movement]]\nat = {at}\nkind = "mined"\naccount = "{self.account}"\n{amount}\nref = "{self.ref}"\n'


@dataclass
class Work:
    """What the processes were given, and what became of each file, by process."""

    directory: Path
    url: str
    own: list[Mined]
    shared: list[Mined]
    disputed: list[list[Mined]]
    done: list[list[dict[str, Any]]]

    def outcomes(self, begins: str) -> list[list[dict[str, Any]]]:
        return [[one for one in mine if one["file"].startswith(begins)] for mine in self.done]


def record_together(directory: Path, url: str, count: int) -> Work:
    """Runs `count` processes to their ends."""
    (directory / "first.toml").write_text(FIRST)
    shared = [Mined(f"shared {k}", "exchange", 10 + k) for k in range(SHARED)]
    for k, one in enumerate(shared):
        (directory / f"shared{k}.toml").write_text(HEAD + one.table(k))
    own, disputed = [], []
    for n in range(count):
        pairs = [
            [Mined(f"own {n} {k} {a}", a, 1000 * (n + 1) + k) for a in ("custody", "exchange")] for k in range(OWN)
        ]
        wanted = [Mined(f"disputed {k}", "custody", 100_000 * (n + 1)) for k in range(DISPUTED)]
        for k, pair in enumerate(pairs):
            (directory / f"own{n}.{k}.toml").write_text(HEAD + "".join(one.table(OWN * n + k) for one in pair))
        for k, one in enumerate(wanted):
            (directory / f"disputed{n}.{k}.toml").write_text(HEAD + one.table(k))
        own += [one for pair in pairs for one in pair]
        disputed.append(wanted)
        names = [f"own{n}.{k}.toml" for k in range(OWN)]
        names[1:1] = [f"shared{k}.toml" for k in range(SHARED)]
        names[3:3] = [f"disputed{n}.{k}.toml" for k in range(DISPUTED)]
        (directory / f"{n}.json").write_text(json.dumps(names))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("recorders.py")), str(directory), str(count)],
        cwd=directory,
        env={**kept, "PYTHONPATH": str(ROOT), "DATABASE_URL": url},
        check=True,
        timeout=200,
    )
    done = [json.loads((directory / f"{n}.done.json").read_text()) for n in range(count)]
    return Work(directory, url, own, shared, disputed, done)


@pytest.fixture(scope="module", params=[("sqlite", 2), ("postgresql", 8)], ids=["2 on sqlite", "8 on postgresql"])
def work(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_database: Callable[[str], str]
) -> Work:
    """SQLite's file is not there yet; PostgreSQL is migrated by hand, as it must be."""
    kind, count = request.param
    directory = tmp_path_factory.mktemp("together")
    url = f"sqlite:///{directory}/var/plimsoll.db"
    if kind == "postgresql":
        url = empty_database(kind)
        upgrade(url)
    return record_together(directory, url, count)


@pytest.fixture
def store(work: Work) -> Iterator[Store]:
    one = Store(open_engine(work.url))
    yield one
    one.close()


def rows(store: Store, query: str) -> list[Any]:
    with store.reading() as tx:
        return list(tx._connection.exec_driver_sql(query).all())


def winners(work: Work) -> list[Mined]:
    """Of each disputed ref, what the one process recorded that was not refused."""
    taken = Counter[int]()
    won = []
    for n, mine in enumerate(work.outcomes("disputed")):
        for k, one in enumerate(mine):
            if one["code"] == 0:
                won.append(work.disputed[n][k])
                taken[k] += 1
            else:
                assert one["code"] == 2
                assert one["err"].endswith("is recorded; a movement stays; reverse it and record it anew.\n")
    assert taken == dict.fromkeys(range(DISPUTED), 1)
    return won


def test_each_ref_is_there_once_and_the_balances_are_their_sum(work: Work, store: Store) -> None:
    expected = [*work.own, *work.shared, *winners(work)]
    recorded = rows(store, "SELECT ref, count(*) FROM movement GROUP BY ref")
    assert {tuple(one) for one in recorded} == {(one.ref, 1) for one in expected}
    sums = Counter({"custody": 100_000_000, "exchange": 0})
    for one in expected:
        sums[one.account] += one.sats
    held = Questions(store, Books(AlertPolicy(), PricePolicy()), SystemClock()).book().balances.accounts
    assert {name: account.btc for name, account in held.items()} == sums


def test_each_change_is_a_revision_in_the_order_of_its_instants_and_in_the_audit_log(work: Work, store: Store) -> None:
    said = [one for mine in work.done for one in mine if one["code"] == 0 and one["out"] != "Nothing new\n"]
    changes = rows(store, "SELECT revision, at FROM register_change ORDER BY revision")
    assert [revision for revision, _ in changes] == list(range(1, len(said) + 1))
    assert rows(store, "SELECT revision FROM treasury") == [(len(said),)]
    assert sorted(at for _, at in changes) == [at for _, at in changes]
    assert rows(store, "SELECT count(*) FROM audit WHERE what = 'imported'") == [(len(said),)]
    checked = run_plimsoll(work.directory, "audit", "verify", DATABASE_URL=work.url)
    assert (checked.code, checked.err) == (0, "")


def test_what_all_have_is_new_to_one_of_them(work: Work) -> None:
    for name in ("first.toml", *(f"shared{k}.toml" for k in range(SHARED))):
        said = [one["out"] for mine in work.outcomes(name) for one in mine]
        assert len(said) == len(work.done)
        assert sum(one != "Nothing new\n" for one in said) == 1


def test_who_was_told_that_it_is_busy_lost_nothing_by_asking_again(work: Work) -> None:
    busy = [told for mine in work.done for one in mine for told in one["busy"]]
    assert len(busy) >= len(work.done) // 2
    assert all(told.startswith("The database (") and told.count("\n") == 1 for told in busy)
    assert {one["code"] for mine in work.outcomes("own") for one in mine} == {0}
