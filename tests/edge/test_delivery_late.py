"""What arrives late must not undo what is newer, and who slept through its claim must not speak."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.store.store import Store
from bot.workspace import faults

from .test_delivery_bench import NO_WAIT, deliver, headlines, opened, out
from .test_slack_bench import Bench, bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


def said(bot: Bench) -> list[str]:
    """Every headline in the channel and its threads."""
    posts = bot.slack.channel("C1")
    return [m.headline for m in posts] + [reply.headline for m in posts for reply in m.replies]


LATE = [faults.late_arrival(8), faults.late_arrival(19), faults.accept_then_reset, faults.accept_then_500, faults.reset]


def stale(bot: Bench, order: list[str]) -> list[str]:
    """Every text that the post ever showed after a newer one."""
    (post,) = bot.slack.channel("C1")
    shown = [version.text.splitlines()[0] for version in post.edits] + [post.headline]
    ranks = [order.index(text) for text in shown]
    return [shown[i] for i in range(1, len(ranks)) if ranks[i] < max(ranks[:i])]


@pytest.mark.parametrize("fault", LATE, ids=lambda fault: f"{fault.name}{fault.late or ''}")
def test_an_edit_that_arrives_late_undoes_nothing(bot: Bench, fault: faults.Fault) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    deliver(bot)
    out(bot, alert, "edit", "second")
    bot.slack.on("chat.update", fault, times=1)
    worker = bot.deliverer(**NO_WAIT)
    worker.run_once()
    bot.clock.passes(1)
    out(bot, alert, "edit", "third")
    for _ in range(30):
        worker.run_once()
        bot.clock.passes(1)
    deliver(bot)
    assert headlines(bot) == ["third"]
    assert stale(bot, ["first", "second", "third"]) == []


def test_who_chose_an_edit_before_another_tried_it_in_vain_does_not_get_it_meanwhile(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    row = out(bot, alert, "edit", "second")
    bot.slack.on("chat.update", faults.late_arrival(8), times=1)
    bot.deliverer(**NO_WAIT).run_once()
    for seconds in (2, 17):
        bot.clock.passes(seconds)
        with bot.store.writing() as tx:
            assert tx.claim(row, "another", timedelta(seconds=20)) is None
    bot.clock.passes(1)
    with bot.store.writing() as tx:
        assert tx.claim(row, "another", timedelta(seconds=20)) is not None


@pytest.mark.parametrize("fault", LATE, ids=lambda fault: f"{fault.name}{fault.late or ''}")
def test_a_late_edit_leaves_an_older_post_continued(bot: Bench, fault: faults.Fault) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    deliver(bot)
    out(bot, alert, "edit", "second")
    bot.slack.on("chat.update", fault, times=1)
    worker = bot.deliverer(**NO_WAIT)
    worker.run_once()
    out(bot, alert, said="worse")
    for _ in range(30):
        worker.run_once()
        bot.clock.passes(1)
    deliver(bot)
    older, newer = bot.slack.channel("C1")
    assert newer.headline == "worse"
    assert older.text.startswith("Continued in a newer message.")


def test_the_edit_of_a_worker_that_died_is_waited_out(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    deliver(bot)
    out(bot, alert, "edit", "second")
    row = bot.pending()[0].id
    with bot.store.sharing() as tx:
        assert tx.claim(row, "the dead one", timedelta(seconds=5))
        assert tx.attempted(row, "the dead one")
    bot.clock.passes(6)  # its lease is over, its request may still be on the way
    out(bot, alert, "edit", "third")
    bot.deliverer(**NO_WAIT).run_once()
    assert headlines(bot) == ["first"]
    bot.clock.passes(15)
    deliver(bot)
    assert headlines(bot) == ["third"]
    assert bot.slack.calls["chat.update"] == 1


class Sleepy:
    """A store whose owner falls asleep right after it has recorded an attempt, or right before."""

    def __init__(self, store: Store, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._store, self._before, self._after = store, before, after
        self.reading = store.reading

    @contextmanager
    def sharing(self) -> Iterator[Any]:
        with self._store.sharing() as tx:
            told, asked = tx.attempted, []

            def attempted(row_id: int, worker: str) -> bool:
                self._before()
                asked.append(row_id)
                return told(row_id, worker)

            tx.attempted = attempted  # type: ignore[method-assign]
            yield tx
        if asked:
            self._after()


@pytest.mark.parametrize("kind", ["post", "edit", "reply"])
def test_who_slept_between_the_attempt_and_the_wire_says_nothing(bot: Bench, kind: str) -> None:
    alert = opened(bot)
    if kind != "post":
        out(bot, alert, said="the post")
        deliver(bot)
    out(bot, alert, kind, "said once")
    bot.slack.clear_calls()
    store = Sleepy(bot.store, lambda: None, lambda: time.sleep(2.1))
    assert bot.deliverer(**NO_WAIT, store=store).run_once() == 0
    assert not bot.slack.calls["chat.postMessage"] + bot.slack.calls["chat.update"]
    assert (bot.pending()[0].reason, bot.pending()[0].outcome_unknown) == ("claim_lost", False)
    deliver(bot)
    assert said(bot).count("said once") == 1


@pytest.mark.parametrize("kind", ["post", "edit", "reply"])
def test_who_slept_until_another_took_over_says_nothing(bot: Bench, kind: str) -> None:
    alert = opened(bot)
    if kind != "post":
        out(bot, alert, said="the post")
        deliver(bot)
    out(bot, alert, kind, "said once")
    bot.slack.clear_calls()
    asleep = bot.deliverer(**NO_WAIT)
    row = bot.pending()[0]
    with bot.store.sharing() as tx:
        mine = tx.claim(row.id, f"worker {bot.deliverers}", timedelta(seconds=20))
    bot.clock.passes(20)
    with bot.store.sharing() as tx:
        assert tx.claim(row.id, "another", timedelta(seconds=20))
    assert asleep._send(mine) is False  # where it wakes up
    assert "said once" not in said(bot)
    bot.clock.passes(20)
    deliver(bot)
    assert said(bot).count("said once") == 1
    assert bot.slack.calls["chat.postMessage"] + bot.slack.calls["chat.update"] == 1


def test_an_escalation_is_edited_where_it_stands_and_never_posted_by_an_edit(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="escalation")
    out(bot, None, said="nobody has it", channel="C2", stream="escalation:1")
    deliver(bot)
    out(bot, None, "edit", "Ada has it", channel="C2", stream="escalation:1")
    out(bot, None, "edit", "of something never said", channel="C2", stream="escalation:2")
    deliver(bot)
    assert [m.headline for m in bot.slack.channel("C2")] == ["Ada has it"]


def test_each_kind_tells_how_long_it_took(bot: Bench) -> None:
    heard: list[tuple[str, float]] = []
    out(bot, opened(bot))
    bot.clock.passes(3)
    bot.deliverer(tell_dwell=lambda kind, seconds: heard.append((kind, seconds))).run_once()
    assert heard == [("post", 3.0)]


def test_an_escalation_makes_the_one_before_it_continued(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="escalation")
    for said in ("nobody has it", "still nobody has it"):
        out(bot, None, said=said, channel="C2", stream="escalation:1")
        deliver(bot)
    older, newer = bot.slack.channel("C2")
    assert older.text.startswith("Continued in a newer message. nobody has it")
    assert newer.headline == "still nobody has it"
