"""Who may say a message, and when: slow lines, clocks that differ, workers told to stop, messages posted afresh."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.services.deliver import Delivery
from bot.services.messaging import Outcome
from bot.services.pacing import Pace
from bot.slack.notifier import Notifier
from bot.store.store import Store
from bot.workspace import faults

from .test_delivery_bench import NO_WAIT, deliver, headlines, opened, out
from .test_slack_bench import Bench, Hand, bench

HOUR = 3600.0
SHORT = timedelta(seconds=2)
"""A settling time of which a tenth is less than the least that a worker may take to the wire: half a second."""


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


def worker_with(bot: Bench, ahead: float, name: str = "other") -> Delivery:
    """A worker whose own clock is `ahead` seconds ahead of the database's."""
    clock = Hand(bot.clock.now() + timedelta(seconds=ahead))
    return Delivery(bot.store, Notifier(bot.client, bot.access, strict=True), clock, name, **NO_WAIT)


PERHAPS = [faults.accept_then_reset, faults.accept_then_500, faults.late_arrival(8), faults.reset]


@pytest.mark.parametrize("deleted", [False, True], ids=["never posted", "deleted"])
@pytest.mark.parametrize("fault", PERHAPS, ids=lambda fault: fault.name)
def test_what_was_perhaps_posted_afresh_is_not_posted_again_by_the_next_edit(
    bot: Bench, fault: faults.Fault, deleted: bool
) -> None:
    alert = opened(bot)
    if deleted:
        out(bot, alert)
        deliver(bot)
        bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    out(bot, alert, "edit", "afresh")
    bot.slack.on("chat.postMessage", fault, times=1)
    worker = bot.deliverer(**NO_WAIT)
    worker.run_once()
    out(bot, alert, "edit", "newer")
    for _ in range(30):
        worker.run_once()
        bot.clock.passes(1)
    deliver(bot)
    assert headlines(bot) == ["newer"]


def test_what_is_asked_before_a_message_leaves_may_take_its_time(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    out(bot, alert, said="worse")
    for method in ("conversations.info", "conversations.history", "chat.getPermalink"):
        bot.slack.on(method, faults.slow(0.7))
    deliver(bot, seconds=20, settle_after=SHORT)
    older, newer = bot.slack.channel("C1")
    assert older.text.startswith("Continued in a newer message.")
    assert newer.headline == "worse"


def test_a_line_that_is_slow_to_come_about_delays_and_loses_nothing(
    bot: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    out(bot, opened(bot), said="first")
    connect = http.client.HTTPConnection.connect

    def slowly(self: http.client.HTTPConnection) -> None:
        time.sleep(0.7)
        connect(self)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", slowly)
    assert bot.deliverer(**NO_WAIT, settle_after=SHORT).run_once() == 1
    assert headlines(bot) == ["first"]


def test_what_never_left_is_not_looked_for(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    row = out(bot, opened(bot), said="first")
    bot.knows("U1")

    def never(_: http.client.HTTPConnection) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(http.client.HTTPConnection, "connect", never)
        assert bot.deliverer(**NO_WAIT).run_once() == 0
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert (kept.reason, kept.outcome_unknown) == ("time_out", False)
    bot.clock.passes(2)
    assert bot.deliverer(**NO_WAIT).run_once() == 1
    assert bot.slack.calls["conversations.history"] == 0


@pytest.mark.parametrize("attempted", [False, True], ids=["claimed", "attempted"])
@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_worker_whose_clock_is_wrong_takes_nothing_that_is_anothers(
    bot: Bench, ahead: float, attempted: bool
) -> None:
    row = out(bot, opened(bot), said="said once")
    with bot.store.sharing() as tx:
        assert tx.claim(row, "the dead one", timedelta(seconds=20))
        assert not attempted or tx.attempted(row, "the dead one")
    bot.clock.passes(19)
    assert worker_with(bot, ahead).run_once() == 0
    bot.clock.passes(1)
    assert worker_with(bot, ahead).run_once() == 1
    assert headlines(bot) == ["said once"]


def test_what_a_fast_clock_wrote_a_slow_one_delivers_once(bot: Bench) -> None:
    bot.clock.passes(HOUR)
    row = out(bot, opened(bot), said="said once")
    bot.clock.passes(-HOUR)
    bot.slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    worker = worker_with(bot, -HOUR)
    for _ in range(30):
        worker.run_once()
        bot.clock.passes(1)
    assert headlines(bot) == ["said once"]
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert kept.status == "sent"


def test_a_channel_is_left_alone_for_as_long_as_slack_asks_whatever_the_own_clock_does(bot: Bench) -> None:
    clock = Hand(bot.clock.now())
    worker = Delivery(bot.store, Notifier(bot.client, bot.access, strict=True), clock, "one", **NO_WAIT)
    out(bot, opened(bot), said="first")
    bot.slack.on("chat.postMessage", faults.ratelimited(30), times=1)
    assert worker.run_once() == 0
    clock.passes(-HOUR)  # somebody sets the clock right
    bot.clock.passes(30)
    assert worker.run_once() == 1


def test_an_escalation_that_somebody_deleted_is_not_posted_again_by_an_edit(bot: Bench) -> None:
    out(bot, None, said="nobody has it", stream="escalation:1")
    deliver(bot)
    bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    row = out(bot, None, "edit", "Ada has it", stream="escalation:1")
    deliver(bot)
    assert headlines(bot) == []
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert (kept.status, kept.reason) == ("superseded", "nothing_to_edit")


def test_an_escalations_reply_goes_into_its_thread_and_its_older_post_says_where_it_goes_on(bot: Bench) -> None:
    out(bot, None, said="one", stream="escalation:1")
    out(bot, None, "reply", "Ada has it", stream="escalation:1")
    out(bot, None, said="two", stream="escalation:1")
    out(bot, None, "edit", "two, newer", stream="escalation:1")
    deliver(bot)
    one, two = bot.slack.channel("C1")
    assert [reply.headline for reply in one.replies] == ["Ada has it"]
    assert (one.headline, two.headline) == ("Continued in a newer message. one", "two, newer")


LATE = [faults.late_arrival(8), faults.late_arrival(19), faults.accept_then_reset, faults.accept_then_500, faults.reset]


@pytest.mark.parametrize("fault", [*LATE, faults.ratelimited(1), faults.http_500], ids=lambda fault: fault.name)
def test_an_older_post_says_continued_once_whatever_the_line_does(bot: Bench, fault: faults.Fault) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    deliver(bot)
    out(bot, alert, said="worse")
    bot.slack.on("chat.update", fault, times=1)
    deliver(bot)
    bot.clock.passes(60)
    older, newer = bot.slack.channel("C1")
    assert older.text.count("Continued in") == 1
    pointers = [one for one in older.blocks if "Continued in" in str(one)]
    assert (len(pointers), newer.headline) == (1, "worse")


def test_told_to_stop_it_does_not_wait_for_a_channels_turn(bot: Bench) -> None:
    for number in range(5):
        out(bot, None, said=f"message {number}", stream=f"s{number}")
    worker = bot.deliverer(pace=Pace(per_second=0.02, burst=1))
    running = threading.Thread(target=worker.run_once)
    running.start()
    until = time.monotonic() + 10
    while not bot.slack.calls["chat.postMessage"] and time.monotonic() < until:
        time.sleep(0.01)
    began = time.monotonic()
    worker.stop()
    running.join(10)
    assert not running.is_alive()
    assert time.monotonic() - began < 5
    assert headlines(bot) == ["message 0"]


def test_eight_workers_say_everything_once_and_in_order(bot: Bench) -> None:
    for stream in range(10):
        for number in range(3):
            out(bot, None, said=f"{stream}.{number}", stream=f"s{stream}")
    failed: list[BaseException] = []

    def work(worker: Delivery) -> None:
        try:
            for _ in range(100):
                worker.run_once()
                if not bot.pending():
                    return
                time.sleep(0.01)
        except BaseException as error:  # noqa: BLE001  (told by the test)
            failed.append(error)

    options: dict[str, Any] = {"pace": Pace(per_second=1000, burst=1000)}
    threads = [threading.Thread(target=work, args=(bot.deliverer(**options),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    deliver(bot)  # what a machine under load has put off
    said = headlines(bot)
    assert sorted(said) == sorted(f"{stream}.{number}" for stream in range(10) for number in range(3))
    for stream in range(10):
        mine = [text for text in said if text.startswith(f"{stream}.")]
        assert mine == sorted(mine)


def test_channels_do_not_wait_for_one_anothers_answers(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="escalation")
    bot.access.place("C2")
    both = threading.Barrier(2, timeout=10)
    worker = bot.deliverer(**NO_WAIT)
    messenger = worker._messenger

    class Meeting:
        find, continued, edit = messenger.find, messenger.continued, messenger.edit

        def post(self, *args: Any, **rest: Any) -> Outcome:
            both.wait()  # breaks, and with it the run, unless the other is on its way as well
            return messenger.post(*args, **rest)

    worker._messenger = Meeting()  # type: ignore[assignment]
    out(bot, None, said="here", stream="a")
    out(bot, None, said="there", stream="b", channel="C2")
    assert worker.run_once() == 2
    assert [m.headline for m in bot.slack.channel("C2")] == ["there"]
