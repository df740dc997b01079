"""The outbox: in order, by one worker at a time, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from making import NOON

from bot.domain.alerts import Active, Alert
from bot.domain.terms import Level
from bot.domain.transitions import Change, Reason, Transition
from bot.store.engine import open_engine
from bot.store.outbox import OutboxRow, Post
from bot.store.store import Store

SECOND = timedelta(seconds=1)


SETTLE = 20 * SECOND


class Wall:
    """The database's own time, set by hand."""

    now = NOON


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    Wall.now = NOON
    opened = Store(open_engine(database_url), now=lambda: Wall.now)
    yield opened
    opened.close()


def put(store: Store, kind: str = "post", stream: str = "a", **given: Any) -> int:
    values: dict[str, Any] = {"alert_id": None, "channel": "C1", "message": {"text": kind}, "level": Level.WARNING}
    with store.writing() as tx:
        return tx.enqueue(stream=stream, kind=kind, **{**values, "at": NOON, **given})


def due(store: Store, now: Any = None) -> list[int]:
    Wall.now = now or Wall.now
    with store.sharing() as tx:
        return [row.id for row in tx.due(SETTLE, 100)]


def claim(store: Store, row_id: int, worker: str = "one", seconds: float = 30) -> bool:
    with store.sharing() as tx:
        return tx.claim(row_id, worker, seconds * SECOND) is not None


def row_of(store: Store, row_id: int) -> OutboxRow:
    with store.reading() as tx:
        row = tx.outbox_row(row_id)
    assert row is not None
    return row


def deliver(store: Store, row_id: int, ts: str = "1.0") -> Post | None:
    with store.writing() as tx:
        return tx.delivered(row_id, ts, NOON)


def an_alert(store: Store) -> int:
    alert = Alert("price", NOON, (Active("price", 0, Level.WARNING),))
    opened = Transition("price", Change.OPENED, Reason.FIRST_SEEN, NOON, alert)
    with store.writing() as tx:
        alert_id = tx.save_transition(opened, channel="C1", text="")
    assert alert_id is not None
    return alert_id


def test_a_stream_goes_out_one_after_the_other(store: Store) -> None:
    first, second = put(store), put(store, "reply")
    assert due(store) == [first]
    deliver(store, first)
    assert due(store) == [second]
    deliver(store, second)
    assert due(store) == []


def test_the_most_severe_goes_first_then_the_oldest(store: Store) -> None:
    new = put(store, stream="a", at=NOON + SECOND)
    old = put(store, stream="b")
    severe = put(store, stream="c", level=Level.CRITICAL, at=NOON + 2 * SECOND)
    assert due(store) == [severe, old, new]
    with store.writing() as tx:
        assert [row.id for row in tx.due(SETTLE, 2)] == [severe, old]


def test_what_waits_holds_up_its_own_stream_only(store: Store) -> None:
    waits, behind, other = put(store, stream="a"), put(store, "reply", stream="a"), put(store, stream="b")
    assert claim(store, waits)
    with store.sharing() as tx:
        assert tx.retry(waits, "one", 5 * SECOND, "rate_limited", outcome_unknown=False)
    assert due(store) == [other]
    assert set(due(store, NOON + 5 * SECOND)) == {waits, other}
    assert claim(store, waits)
    with store.sharing() as tx:
        assert tx.failed(waits, "one", "channel_not_found", NOON)
    assert set(due(store)) == {behind, other}
    assert (row_of(store, waits).status, row_of(store, waits).reason) == ("failed", "channel_not_found")


def test_one_worker_has_it_at_a_time(store: Store) -> None:
    row_id = put(store)
    assert claim(store, row_id, "one")
    assert not claim(store, row_id, "two")
    assert due(store) == []
    Wall.now = NOON + 30 * SECOND  # the first one died
    assert claim(store, row_id, "two")
    assert not claim(store, row_id, "one")
    deliver(store, row_id)
    Wall.now = NOON + 900 * SECOND
    assert not claim(store, row_id, "one")


def test_a_worker_whose_claim_is_gone_changes_nothing(store: Store) -> None:
    row_id = put(store)
    assert claim(store, row_id, "frozen", 20)
    Wall.now = NOON + 20 * SECOND
    assert claim(store, row_id, "two", 20)
    with store.sharing() as tx:
        assert not tx.attempted(row_id, "frozen")
        assert not tx.looked(row_id, "frozen")
        assert not tx.retry(row_id, "frozen", SECOND, "time_out", outcome_unknown=True)
        assert not tx.failed(row_id, "frozen", "refused", NOON)
        assert not tx.dropped(row_id, "frozen", "nothing")
        assert tx.attempted(row_id, "two")
    assert (row_of(store, row_id).leased_by, row_of(store, row_id).attempts) == ("two", 1)


def test_of_many_workers_one_gets_it(store: Store, database_url: str) -> None:
    rows = [put(store, stream=str(number)) for number in range(20)]
    stores = [Store(open_engine(database_url)) for _ in range(8)]

    def grab(mine: Store) -> list[int]:
        got = []
        for row_id in rows:
            with mine.sharing() as tx:
                if tx.claim(row_id, f"worker {id(mine)}", 30 * SECOND):
                    got.append(row_id)
        return got

    with ThreadPoolExecutor(8) as pool:
        grabbed = [row_id for got in pool.map(grab, stores) for row_id in got]
    for other in stores:
        other.close()
    assert sorted(grabbed) == rows


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_row_that_somebody_is_changing_is_passed_over_at_once(store: Store) -> None:
    one, other = put(store, stream="a"), put(store, stream="b")
    with store.sharing() as held, store.sharing() as tx:
        assert held.claim(one, "one", SECOND)
        assert tx.claim(one, "two", SECOND) is None
        assert tx.claim(other, "two", SECOND) is not None


def test_an_edit_that_is_overtaken_is_not_sent(store: Store) -> None:
    post, edit, reply, newer = put(store), put(store, "edit"), put(store, "reply"), put(store, "edit")
    other = put(store, "edit", stream="b")
    assert due(store) == [post, other]
    assert row_of(store, edit).status == "superseded"
    deliver(store, post)
    assert due(store) == [reply, other]
    deliver(store, reply)
    assert due(store) == [newer, other]
    fresh = put(store)
    assert due(store) == [other, fresh]
    assert row_of(store, newer).status == "superseded"


def test_an_edit_under_way_or_perhaps_sent_is_not_overtaken_until_it_has_settled(store: Store) -> None:
    edit, newer = put(store, "edit"), put(store, "edit")
    assert claim(store, edit, seconds=10)
    assert due(store) == []
    with store.sharing() as tx:
        assert tx.attempted(edit, "one")
    assert due(store, NOON + 19 * SECOND) == []
    assert due(store, NOON + 20 * SECOND) == [newer]
    assert row_of(store, edit).status == "superseded"


def test_an_attempt_is_known_of_until_it_is_settled(store: Store) -> None:
    row_id = put(store)
    assert not row_of(store, row_id).outcome_unknown
    assert claim(store, row_id)
    with store.sharing() as tx:
        assert tx.attempted(row_id, "one")
    killed = row_of(store, row_id)
    assert (killed.outcome_unknown, killed.attempted_at, killed.attempts) == (True, NOON, 1)
    with store.sharing() as tx:
        assert tx.retry(row_id, "one", 20 * SECOND, "time_out", outcome_unknown=True)
    assert row_of(store, row_id).outcome_unknown
    Wall.now = NOON + 21 * SECOND
    assert claim(store, row_id)
    with store.sharing() as tx:
        assert tx.looked(row_id, "one")
    assert row_of(store, row_id).settled_look_at == NOON + 21 * SECOND
    with store.sharing() as tx:
        assert tx.attempted(row_id, "one")
    again = row_of(store, row_id)
    assert (again.settled_look_at, again.attempts) == (None, 2)
    with store.sharing() as tx:
        assert tx.retry(row_id, "one", SECOND, "refused", outcome_unknown=False)
    assert not row_of(store, row_id).outcome_unknown


def test_a_stream_without_an_alert_hangs_on_its_last_post(store: Store) -> None:
    first, edit = put(store, stream="escalation:1"), put(store, "edit", stream="escalation:1")
    elsewhere = put(store, stream="escalation:2")
    assert row_of(store, edit).newest is None
    deliver(store, elsewhere, "9.0")
    deliver(store, first, "1.0")
    assert row_of(store, edit).newest == Post("C1", "1.0")


def test_a_delivered_post_is_its_alerts_newest_and_names_the_one_before(store: Store) -> None:
    alert_id = an_alert(store)
    first, second = put(store, alert_id=alert_id), put(store, alert_id=alert_id, channel="C2")
    reply, lost = put(store, "reply", alert_id=alert_id), put(store, "edit", alert_id=alert_id)
    assert deliver(store, first, "1.0") is None
    assert row_of(store, second).newest == Post("C1", "1.0")
    assert deliver(store, first, "9.9") is None
    assert deliver(store, second, "2.0") == Post("C1", "1.0")
    assert deliver(store, reply, "3.0") is None
    with store.reading() as tx:
        alert = tx.open_alerts()["price"]
    assert (alert.channel, alert.newest_ts) == ("C2", "2.0")
    assert row_of(store, first).sent_ts == "1.0"
    assert claim(store, lost)
    with store.sharing() as tx:
        assert tx.attempted(lost, "one")
        assert not tx.post_afresh(lost, "two")
        assert tx.post_afresh(lost, "one")
    assert (row_of(store, lost).kind, row_of(store, lost).outcome_unknown) == ("post", False)
    assert deliver(store, lost, "4.0") == Post("C2", "2.0")
    assert row_of(store, lost).newest == Post("C1", "4.0")


def test_what_waits_does_so_whatever_clock_it_was_written_by(store: Store) -> None:
    def waits() -> bool:
        with store.reading() as tx:
            return tx.has_pending()

    assert not waits()
    row_id = put(store, at=NOON + 3600 * SECOND)
    assert waits()
    deliver(store, row_id)
    assert not waits()


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_look_for_what_is_due_waits_for_nobody(store: Store) -> None:
    edit, other = put(store, "edit", stream="a"), put(store, stream="b")
    with store.sharing() as held:
        assert held.claim(edit, "one", SETTLE)
        put(store, "edit", stream="a")  # which overtakes it
        began = monotonic()
        assert due(store) == [edit, other]  # as it was before the claim, which has not been committed
        assert not claim(store, edit, "two")
        assert monotonic() - began < 2
    assert due(store) == [other]


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_claims_wait_for_no_other_writer(store: Store) -> None:
    row_id = put(store)
    with store.writing():
        began = monotonic()
        assert claim(store, row_id)
        assert monotonic() - began < 2


def test_the_database_has_a_clock_of_its_own(database_url: str) -> None:
    opened = Store(open_engine(database_url))
    with opened.reading() as tx:
        one, other = tx.database_now(), tx.database_now()
    opened.close()
    assert one.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - one) < 10 * SECOND
    assert one <= other


def test_each_try_that_fails_counts_once(store: Store) -> None:
    row_id = put(store)
    for attempt in (False, True, False):
        assert claim(store, row_id)
        with store.sharing() as tx:
            if attempt:
                assert tx.attempted(row_id, "one")
            assert tx.retry(row_id, "one", SECOND, "unreachable", outcome_unknown=False)
        Wall.now += SECOND
    assert row_of(store, row_id).attempts == 3


@pytest.mark.parametrize("wrong", [{"kind": "shout"}, {"alert_id": 99}])
def test_what_cannot_be_delivered_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"(?i)constraint"):
        put(store, **wrong)
