"""Alerts and their history, as they are decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import NOON
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts import Active, Alert, AlertPolicy, CallClock, Change, Finding, Line, Reason, Transition, decide
from bot.domain.terms import Level
from bot.store.alert_documents import alert_document, alert_from
from bot.store.columns import json_text
from bot.store.store import Store

MINUTE = timedelta(minutes=1)
KEY = "covenant:antalpha"
POLICY = AlertPolicy()

instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
actives = st.builds(
    Active,
    name=words,
    rank=st.integers(0, 99),
    level=st.sampled_from(Level),
    tier=st.none() | words,
    held=st.booleans(),
    call=st.booleans(),
    clear_since=st.none() | instants,
    clear_for=st.timedeltas(timedelta(0), timedelta(days=99)),
)
alerts = st.builds(
    Alert,
    key=words,
    opened_at=instants,
    active=st.lists(actives, max_size=4).map(tuple),
    seen_until=st.dictionaries(words, instants, max_size=3),
    call_states=st.dictionaries(words, st.sampled_from(["open", "disputed", "missed"]), max_size=3),
    text=words,
    posted_at=st.none() | instants,
    edited_at=st.none() | instants,
)


@given(alerts)
def test_an_alert_comes_back_as_it_went_in(alert: Alert) -> None:
    import json

    assert alert_from(json.loads(json_text(alert_document(alert)))) == alert


def finding(*reached: str, call: bool = False) -> Finding:
    lines = (
        Line("early", 0, Level.WARNING, "early" in reached, "early" not in reached, tier="early warning"),
        Line("call", 1, Level.CRITICAL, "call" in reached, "call" not in reached, tier="margin call"),
    )
    calls = (CallClock("notice 1", NOON, NOON + 24 * 60 * MINUTE, "open"),) if call else ()
    return Finding(KEY, lines, calls, say=lambda: " ".join(reached))


def check(store: Store, found: Finding | None, at: datetime, **about: Any) -> tuple[Transition, int | None]:
    """One check, as the service does it."""
    with store.writing() as tx:
        known = tx.open_alerts().get(KEY)
        transition = decide(known.alert if known else None, found, at, POLICY)
        text = transition.finding.text if transition.finding else ""
        return transition, tx.save_transition(transition, channel="C1", text=text, **about)


def test_its_life_is_written_down(store: Store) -> None:
    _, first = check(store, finding("early"), NOON, price=6_100_000, ltv=Fraction(7, 10))
    check(store, finding("early", "call"), NOON + MINUTE, due=NOON + 60 * MINUTE)
    check(store, finding("early", "call"), NOON + 2 * MINUTE, due=NOON + 60 * MINUTE)
    for minute in (3, 13):
        _, last = check(store, finding(), NOON + minute * MINUTE)
    assert first == last
    with store.reading() as tx:
        assert tx.open_alerts() == {}
        closed = tx.alerts()[0]
        events = tx.alert_events(first)
    assert (closed.id, closed.status, closed.closed_at) == (first, "closed", NOON + 13 * MINUTE)
    assert (closed.level, closed.tier, closed.due) == (Level.CRITICAL, "margin call", None)
    assert [event.change for event in events] == ["opened", "worse", "updated", "closed"]
    assert (events[0].price, events[0].ltv, events[0].level) == (6_100_000, Fraction(7, 10), Level.WARNING)
    assert (events[1].reason, events[1].tier) == ("higher_level", "margin call")


def test_what_is_decided_is_what_is_open_afterwards(store: Store) -> None:
    transition, alert_id = check(store, finding("call", call=True), NOON, due=NOON + 24 * 60 * MINUTE)
    with store.reading() as tx:
        row = tx.open_alerts()[KEY]
    assert (row.alert, row.id, row.channel, row.newest_ts) == (transition.alert, alert_id, "C1", None)
    assert row.due == NOON + 24 * 60 * MINUTE
    assert row.text == "call"


def test_what_was_kept_has_no_history_but_its_clocks_run_on(store: Store) -> None:
    check(store, finding("early"), NOON)
    transition, alert_id = check(store, finding(), NOON + MINUTE / 2)
    assert transition.change is Change.KEPT
    with store.reading() as tx:
        assert tx.open_alerts()[KEY].alert == transition.alert
        assert len(tx.alert_events(alert_id)) == 1


def test_what_was_never_an_alert_leaves_nothing(store: Store) -> None:
    transition, alert_id = check(store, finding(), NOON)
    assert (transition.change, alert_id) == (Change.KEPT, None)
    with store.reading() as tx:
        assert tx.alerts() == []
        assert tx.alert_events() == []


def test_a_key_has_one_open_alert(store: Store) -> None:
    check(store, finding("early"), NOON)
    blind = Transition(KEY, Change.OPENED, Reason.FIRST_SEEN, NOON, Alert(KEY, NOON, (Active("x", 0, Level.WARNING),)))
    with pytest.raises(IntegrityError), store.writing() as tx:
        tx.save_transition(blind, channel="C1", text="")
    for minute in (1, 11):
        check(store, finding(), NOON + minute * MINUTE)
    check(store, finding("early"), NOON + 12 * MINUTE)
    with store.reading() as tx:
        assert [row.status for row in tx.alerts()] == ["open", "closed"]


def test_the_answer_has_the_worst_first_and_the_last_closed(store: Store) -> None:
    def save(key: str, change: Change, at: datetime, level: Level = Level.WARNING) -> None:
        alert = Alert(key, at, (Active("x", 0, level),))
        known = {"after": alert} if change is Change.OPENED else {"after": replace(alert, active=()), "before": alert}
        with store.writing() as tx:
            tx.save_transition(Transition(key, change, Reason.ALL_CLEAR, at, **known), channel=None, text=key)

    for number in range(12):
        save(f"transit:{number}", Change.OPENED, NOON)
        save(f"transit:{number}", Change.CLOSED, NOON + number * MINUTE)
    save("price", Change.OPENED, NOON)
    save("covenant:b", Change.OPENED, NOON + MINUTE, Level.CRITICAL)
    save("covenant:a", Change.OPENED, NOON, Level.CRITICAL)
    with store.reading() as tx:
        keys = [row.key for row in tx.alerts(limit_closed=3)]
    assert keys == ["covenant:a", "covenant:b", "price", "transit:11", "transit:10", "transit:9"]


def test_the_history_since_an_instant(store: Store) -> None:
    check(store, finding("early"), NOON)
    check(store, finding("early", "call"), NOON + MINUTE)
    with store.reading() as tx:
        assert [event.change for event in tx.alert_events(since=NOON + MINUTE)] == ["worse"]
