"""The outbox: in order, by one worker at a time, nothing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
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


def put(store: Store, kind: str = "post", stream: str = "a", **given: Any) -> int:
    values: dict[str, Any] = {"alert_id": None, "channel": "C1", "message": {"text": kind}, "level": Level.WARNING}
    with store.writing() as tx:
        return tx.enqueue(stream=stream, kind=kind, **{**values, "at": NOON, **given})


def due(store: Store, now: Any = NOON) -> list[int]:
    with store.writing() as tx:
        return [row.id for row in tx.due(now, 100)]


def row_of(store: Store, row_id: int) -> OutboxRow:
    with store.reading() as tx:
        row = tx.outbox_row(row_id)
    assert row is not None
    return row


def deliver(store: Store, row_id: int, ts: str = "1.0", **how: Any) -> Post | None:
    with store.writing() as tx:
        return tx.delivered(row_id, ts, NOON, **how)


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
        assert [row.id for row in tx.due(NOON, 2)] == [severe, old]


def test_what_waits_holds_up_its_own_stream_only(store: Store) -> None:
    waits, behind, other = put(store, stream="a"), put(store, "reply", stream="a"), put(store, stream="b")
    with store.writing() as tx:
        tx.retry(waits, NOON + 5 * SECOND, "rate_limited", outcome_unknown=False)
    assert due(store) == [other]
    assert set(due(store, NOON + 5 * SECOND)) == {waits, other}
    with store.writing() as tx:
        tx.failed(waits, "channel_not_found", NOON)
    assert set(due(store)) == {behind, other}
    assert (row_of(store, waits).status, row_of(store, waits).reason) == ("failed", "channel_not_found")


def test_one_worker_has_it_at_a_time(store: Store) -> None:
    row_id = put(store)
    with store.writing() as tx:
        assert tx.lease(row_id, "one", NOON + 30 * SECOND, NOON)
        assert not tx.lease(row_id, "two", NOON + 30 * SECOND, NOON)
    assert due(store) == []
    with store.writing() as tx:  # the first one died
        assert tx.lease(row_id, "two", NOON + 60 * SECOND, NOON + 30 * SECOND)
        tx.retry(row_id, NOON + 90 * SECOND, "unreachable", outcome_unknown=False)
        assert not tx.lease(row_id, "one", NOON + 99 * SECOND, NOON + 40 * SECOND)
    deliver(store, row_id)
    with store.writing() as tx:
        assert not tx.lease(row_id, "one", NOON + 999 * SECOND, NOON + 900 * SECOND)


def test_of_many_workers_one_gets_it(store: Store, database_url: str) -> None:
    rows = [put(store, stream=str(number)) for number in range(20)]
    stores = [Store(open_engine(database_url)) for _ in range(4)]

    def grab(mine: Store) -> list[int]:
        got = []
        for row_id in rows:
            with mine.writing() as tx:
                if tx.lease(row_id, f"worker {id(mine)}", NOON + 30 * SECOND, NOON):
                    got.append(row_id)
        return got

    with ThreadPoolExecutor(4) as pool:
        grabbed = [row_id for got in pool.map(grab, stores) for row_id in got]
    for other in stores:
        other.close()
    assert sorted(grabbed) == rows


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


def test_an_edit_under_way_or_perhaps_sent_is_not_overtaken(store: Store) -> None:
    edit, newer = put(store, "edit"), put(store, "edit")
    with store.writing() as tx:
        tx.lease(edit, "one", NOON + 30 * SECOND, NOON)
    assert due(store) == []
    with store.writing() as tx:
        tx.attempted(edit, NOON)
    assert due(store, NOON + 31 * SECOND) == [edit]
    deliver(store, edit)
    assert due(store) == [newer]


def test_an_attempt_is_known_of_until_it_is_settled(store: Store) -> None:
    row_id = put(store)
    assert not row_of(store, row_id).outcome_unknown
    with store.writing() as tx:
        tx.attempted(row_id, NOON)
    killed = row_of(store, row_id)
    assert (killed.outcome_unknown, killed.attempted_at, killed.attempts) == (True, NOON, 1)
    with store.writing() as tx:
        tx.retry(row_id, NOON + 20 * SECOND, "time_out", outcome_unknown=True)
    assert row_of(store, row_id).outcome_unknown
    with store.writing() as tx:
        tx.looked(row_id, NOON + 21 * SECOND)
    assert row_of(store, row_id).settled_look_at == NOON + 21 * SECOND
    with store.writing() as tx:
        tx.attempted(row_id, NOON + 22 * SECOND)
    again = row_of(store, row_id)
    assert (again.settled_look_at, again.attempts) == (None, 2)
    with store.writing() as tx:
        tx.retry(row_id, NOON + 30 * SECOND, "refused", outcome_unknown=False)
    assert not row_of(store, row_id).outcome_unknown


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
    assert deliver(store, lost, "4.0", anew=True) == Post("C2", "2.0")
    assert row_of(store, lost).newest == Post("C1", "4.0")


def test_the_oldest_that_waits(store: Store) -> None:
    with store.reading() as tx:
        assert tx.oldest_pending(NOON) is None
    first = put(store)
    put(store, stream="b", at=NOON + SECOND)
    with store.reading() as tx:
        assert tx.oldest_pending(NOON + SECOND) == NOON
    deliver(store, first)
    with store.reading() as tx:
        assert tx.oldest_pending(NOON + SECOND) == NOON + SECOND
        assert tx.oldest_pending(NOON) is None


@pytest.mark.parametrize("wrong", [{"kind": "shout"}, {"alert_id": 99}])
def test_what_cannot_be_delivered_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"(?i)constraint"):
        put(store, **wrong)
