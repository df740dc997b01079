"""Slack's retries and what it told us."""

from __future__ import annotations

from datetime import timedelta

from making import NOON

from bot.store.store import Store

MINUTE = timedelta(minutes=1)


def test_a_retried_request_is_handled_once_and_gets_the_same_answer(store: Store) -> None:
    with store.writing() as tx:
        assert tx.first_time("T1.2", NOON)
        assert tx.kept_answer("T1.2") is None
        tx.keep_answer("T1.2", {"text": "LTV 77.92 % “≥” 75.00 %"})
    with store.writing() as tx:
        assert not tx.first_time("T1.2", NOON + MINUTE)
        assert tx.kept_answer("T1.2") == {"text": "LTV 77.92 % “≥” 75.00 %"}
        assert tx.first_time("T1.3", NOON + MINUTE)


def test_after_an_hour_it_is_forgotten(store: Store) -> None:
    with store.writing() as tx:
        tx.first_time("old", NOON)
        tx.first_time("young", NOON + MINUTE)
    with store.writing() as tx:
        tx.first_time("new", NOON + 61 * MINUTE)
        assert tx.kept_answer("old") is None
        assert not tx.first_time("young", NOON + 61 * MINUTE)
        assert tx.first_time("old", NOON + 61 * MINUTE)


def test_people_and_channels_are_remembered_as_of_when_they_were_asked_for(store: Store) -> None:
    with store.writing() as tx:
        tx.put_users([("U1", {"is_bot": False}), ("U2", {})], NOON)
        tx.put_users([("U1", {"is_bot": True})], NOON + MINUTE)
        tx.put_channels([("C1", {"is_ext_shared": True})], NOON)
    with store.reading() as tx:
        user, channel = tx.user("U1"), tx.channel("C1")
        assert tx.user("C1") is None
        assert tx.cached_ids("user", NOON + MINUTE) == ["U2"]
        assert tx.cached_ids("channel", NOON) == []
    assert user is not None
    assert (user.document, user.fetched_at) == ({"is_bot": True}, NOON + MINUTE)
    assert channel is not None
    assert channel.document == {"is_ext_shared": True}


def test_a_late_answer_undoes_none_that_was_asked_for_after_it(store: Store) -> None:
    with store.writing() as tx:
        tx.put_channels([("C1", {"is_ext_shared": True})], NOON + MINUTE)
        tx.put_channels([("C1", {"is_ext_shared": False})], NOON)
        tx.put_group("S1", ["U2", "U1"], NOON + MINUTE)
        tx.put_group("S1", ["U3"], NOON)
        channel, groups = tx.channel("C1"), tx.groups(["S1", "S2"])
    assert channel is not None
    assert channel.document == {"is_ext_shared": True}
    assert {one: said.document for one, said in groups.items()} == {"S1": {"users": ["U1", "U2"]}}


def test_what_is_outdated_is_kept_as_said_long_ago_until_it_is_asked_again(store: Store) -> None:
    with store.writing() as tx:
        tx.put_group("S1", ["U1"], NOON)
        assert tx.outdate("group", "S1", NOON - 99 * MINUTE)
        assert not tx.outdate("user", "U1", NOON - 99 * MINUTE)
        assert tx.groups(["S1"])["S1"].fetched_at == NOON - 99 * MINUTE
        tx.put_group("S1", [], NOON)
        assert tx.groups(["S1"])["S1"].document == {"users": []}


def test_a_channel_is_closed_until_it_is_open(store: Store) -> None:
    with store.writing() as tx:
        tx.close_channel("C1", "shared", NOON)
        tx.close_channel("C1", "archived", NOON)
    with store.writing() as tx:
        assert {one: (closed.why, closed.since) for one, closed in tx.closed_channels().items()} == {
            "C1": ("archived", NOON)
        }
        tx.open_channel("C1")
        assert tx.closed_channels() == {}
