"""Slots of jobs: taken by one, taken over from the dead, and finished by whoever has them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from making import NOON
from sqlalchemy import text

from bot.domain.slots import Claim, Slot, last_due, next_due
from bot.store.engine import open_engine
from bot.store.store import Store

LEASE = timedelta(seconds=30)
SLOT = Slot("poll", NOON)
TAKES_IT_AND_WAITS = """
import sys, time
from datetime import datetime, timedelta
from bot.domain.slots import Slot
from bot.store.engine import open_engine
from bot.store.store import Store
with Store(open_engine(sys.argv[1])).sharing() as tx:
    claim = tx.claim_slot(Slot("poll", datetime.fromisoformat(sys.argv[2])), "the dead", timedelta(seconds=2))
print(claim, flush=True)
time.sleep(60)
"""


class Hand:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def store(database_url: str, hand: Hand) -> Iterator[Store]:
    """A store whose database's time is set by hand."""
    with closing(Store(open_engine(database_url), hand.now)) as opened:
        yield opened


def claimed(store: Store, by: str, slot: Slot = SLOT, lease: timedelta = LEASE) -> Claim | None:
    with store.sharing() as tx:
        return tx.claim_slot(slot, by, lease)


def finished(store: Store, claim: Claim | None) -> bool:
    assert claim is not None
    with store.sharing() as tx:
        return tx.finish_slot(claim, NOON)


def renewed(store: Store, claim: Claim | None) -> bool:
    assert claim is not None
    with store.sharing() as tx:
        return tx.renew_claim(claim, LEASE)


def test_slots_are_the_same_for_everybody() -> None:
    half, day = timedelta(seconds=30), timedelta(days=1)
    assert last_due(half, NOON + timedelta(seconds=59.9)) == NOON + half
    assert last_due(half, NOON) == NOON
    assert next_due(half, NOON) == NOON + half
    assert last_due(day, NOON) == datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC)


def test_of_eight_connections_one_gets_the_slot(database_url: str) -> None:
    slots = [Slot("poll", NOON + timedelta(seconds=n)) for n in range(25)]
    got: Counter[str] = Counter()
    start = threading.Barrier(4)
    with ExitStack() as open_stores:
        stores = [open_stores.enter_context(closing(Store(open_engine(database_url)))) for _ in range(8)]

        def race(number: int) -> None:
            for slot in slots:
                start.wait(30)
                for half in (0, 4):
                    if claimed(stores[number + half], f"worker {number + half}", slot):
                        got[slot.name] += 1

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(race, range(4)))
    assert got == {slot.name: 1 for slot in slots}


def test_a_slot_that_lapsed_is_taken_over_by_one_of_many(database_url: str, store: Store) -> None:
    assert claimed(store, "the dead", lease=timedelta(0))
    with ExitStack() as open_stores, ThreadPoolExecutor(4) as threads:
        stores = [open_stores.enter_context(closing(Store(open_engine(database_url)))) for _ in range(4)]
        found = list(threads.map(lambda n: claimed(stores[n], f"worker {n}"), range(4)))
    assert [claim.attempt for claim in found if claim] == [2]


def test_what_a_killed_process_had_is_taken_over_once_its_lease_is_over(database_url: str) -> None:
    dead = subprocess.Popen(
        [sys.executable, "-c", TAKES_IT_AND_WAITS, database_url, NOON.isoformat()],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert dead.stdout is not None
    with closing(Store(open_engine(database_url))) as mine, dead.stdout as said:
        assert "the dead" in said.readline()
        dead.send_signal(signal.SIGKILL)
        dead.wait(10)
        assert claimed(mine, "me") is None
        until = time.monotonic() + 10
        while (claim := claimed(mine, "me")) is None:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert (claim.by, claim.attempt) == ("me", 2)


def test_who_was_taken_over_from_has_no_say_any_more(store: Store, hand: Hand) -> None:
    first = claimed(store, "first")
    hand.at += LEASE
    assert not renewed(store, first)
    second = claimed(store, "second")
    assert not renewed(store, first)
    assert not finished(store, first)
    with store.sharing() as tx:
        assert first is not None
        tx.release_slot(first, timedelta(0))
    assert claimed(store, "third") is None
    assert finished(store, second)
    hand.at += timedelta(days=1)
    assert claimed(store, "third") is None
    with store.reading() as tx:
        assert tx.slot_state(SLOT).done


def test_one_worker_that_takes_its_own_slot_again_has_two_claims(store: Store, hand: Hand) -> None:
    first = claimed(store, "me")
    hand.at += LEASE
    again = claimed(store, "me")
    assert not finished(store, first)
    assert finished(store, again)


def test_a_claim_that_is_renewed_lasts_on(store: Store, hand: Hand) -> None:
    claim = claimed(store, "me")
    hand.at += LEASE - timedelta(seconds=1)
    assert renewed(store, claim)
    hand.at += LEASE - timedelta(seconds=1)
    assert claimed(store, "other") is None
    hand.at += timedelta(seconds=1)
    assert claimed(store, "other")


def test_what_is_given_back_can_be_taken_after_the_wait(store: Store, hand: Hand) -> None:
    claim = claimed(store, "me")
    assert claim is not None
    with store.sharing() as tx:
        tx.release_slot(claim, timedelta(seconds=5))
    assert claimed(store, "other") is None
    with store.reading() as tx:
        assert tx.slot_state(SLOT).leased
    hand.at += timedelta(seconds=5)
    assert claimed(store, "other")


def test_checks_are_as_old_as_the_last_of_any_process(store: Store, hand: Hand) -> None:
    with store.sharing() as tx:
        assert tx.checked_ago() is None
        tx.beat("a", "web")
        assert tx.checked_ago() is None
        tx.beat("b", "worker", checked=True)
    hand.at += timedelta(seconds=20)
    with store.sharing() as tx:
        tx.beat("b", "worker")
        tx.beat("a", "worker", checked=True)
    hand.at += timedelta(seconds=10)
    with store.reading() as tx:
        assert tx.checked_ago() == timedelta(seconds=10)
        rows = tx._connection.execute(text("SELECT worker, role, started_at < beat_at FROM heartbeat ORDER BY worker"))
        assert [(row[0], row[1], bool(row[2])) for row in rows] == [("a", "worker", True), ("b", "worker", True)]


def test_old_slots_and_silent_processes_are_forgotten(store: Store, hand: Hand) -> None:
    day = timedelta(days=1)
    for days in (0, 3, 4):
        assert claimed(store, "me", Slot("thin", NOON - days * day))
    assert claimed(store, "me", Slot("yearly", NOON - 300 * day))
    with store.sharing() as tx:
        tx.beat("gone", "worker")
    hand.at += timedelta(hours=25)
    with store.writing() as tx:
        tx.beat("here", "worker")
        assert tx.forget_jobs(NOON) == 3
        assert tx.forget_jobs(NOON) == 0
        left = tx._connection.execute(text("SELECT job FROM job_run ORDER BY job")).scalars().all()
        assert left == ["thin", "yearly"]
        assert tx._connection.execute(text("SELECT worker FROM heartbeat")).scalars().all() == ["here"]
