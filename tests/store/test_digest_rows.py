"""What a digest reads of alerts and of the outbox, and when the register was first written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from making import NOON, a_treasury

from bot.domain.alert import Episode, Finding, Line
from bot.domain.alerts import Alert, AlertPolicy, decide
from bot.domain.terms import Level
from bot.store.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = AlertPolicy(clear_after=timedelta(0))


def seen(store: Store, key: str, at: datetime, *reached: str, before: Alert | None = None) -> Alert | None:
    """One check of `key`, which finds these lines; what the alert says is when and how it was."""
    levels = {"early": (0, Level.WARNING), "call": (1, Level.CRITICAL)}
    lines = tuple(Line(name, *levels[name], name in reached, name not in reached, name) for name in levels)
    transition = decide(before, Finding(key, lines), at, POLICY)
    with store.writing() as tx:
        tx.save_transition(transition, channel="C1", text=f"{key} {transition.change} {at:%d %H}\nmore")
    return transition.alert


def episodes(store: Store, since: datetime, until: datetime) -> list[Episode]:
    with store.reading() as tx:
        return tx.episodes(since, until)


def test_an_alert_is_told_as_it_was_at_the_end_of_the_week(store: Store) -> None:
    alert = seen(store, "covenant:a", NOON, "early")
    alert = seen(store, "covenant:a", NOON + HOUR, "early", "call", before=alert)
    alert = seen(store, "covenant:a", NOON + 2 * HOUR, "early", before=alert)
    assert seen(store, "covenant:a", NOON + 3 * HOUR, before=alert) is None

    first = Episode(
        "covenant:a", NOON, None, Level.WARNING, "early", "covenant:a opened 07 12", "covenant:a opened 07 12"
    )
    assert episodes(store, NOON - DAY, NOON - timedelta.resolution) == []
    assert episodes(store, NOON - DAY, NOON) == [first]
    assert episodes(store, NOON, NOON + 30 * timedelta(minutes=1)) == [first]
    worse = replace(first, level=Level.CRITICAL, tier="call", latest="covenant:a worse 07 13")
    assert episodes(store, NOON, NOON + HOUR) == [worse]
    over = replace(first, closed_at=NOON + 3 * HOUR, latest="covenant:a closed 07 15")
    assert episodes(store, NOON - DAY, NOON + DAY) == [replace(over, level=Level.WARNING)]
    assert episodes(store, NOON + 2 * HOUR, NOON + DAY) == [replace(over, level=Level.WARNING)]
    assert episodes(store, NOON + 3 * HOUR, NOON + DAY) == []


def test_alerts_come_in_the_order_in_which_they_opened(store: Store) -> None:
    for hour, key in enumerate(("covenant:b", "price", "covenant:a")):
        seen(store, key, NOON + hour * HOUR, "early")
    assert [one.key for one in episodes(store, NOON - DAY, NOON + DAY)] == ["covenant:b", "price", "covenant:a"]


def test_what_became_of_a_streams_last_post(store: Store) -> None:
    def status(stream: str = "digest:2026-W06") -> str | None:
        with store.reading() as tx:
            return tx.post_status(stream)

    assert status() is None
    with store.writing() as tx:
        row = tx.enqueue(
            alert_id=None,
            stream="digest:2026-W06",
            kind="post",
            channel="C1",
            message={},
            level=Level.NOTICE,
            at=NOON,
        )
    assert (status(), status("digest:2026-W07")) == ("pending", None)
    with store.sharing() as tx:
        assert tx.claim(row, "w", timedelta(seconds=20))
        assert tx.failed(row, "w", "channel_not_found", NOON)
    assert status() == "failed"


def test_when_the_register_was_first_written_stays(store: Store) -> None:
    def first() -> datetime | None:
        with store.reading() as tx:
            return tx.first_recorded_at()

    assert first() is None
    whole = a_treasury()
    with store.writing() as tx:
        tx.apply(replace(whole, needs=()), at=NOON, by="t", source="f")
    with store.writing() as tx:
        assert tx.apply(whole, at=NOON + DAY, by="t", source="f")
    assert first() == NOON
