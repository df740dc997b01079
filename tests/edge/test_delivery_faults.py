"""Every message exactly once, whatever the line does and whenever the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from bot.services.messaging import Outcome
from bot.store.store import Store
from bot.workspace import faults

from .test_delivery_bench import deliver, headlines, opened, out
from .test_slack_bench import Bench, bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


@pytest.mark.parametrize(
    "fault",
    [
        faults.ratelimited(2),
        faults.http_500,
        faults.reset,
        faults.accept_then_reset,
        faults.accept_then_500,
        faults.late_arrival(8),
        faults.late_arrival(19),
        faults.error("internal_error"),
        faults.error("service_unavailable"),
    ],
    ids=lambda fault: f"{fault.name}{fault.late or ''}",
)
def test_it_posts_exactly_once_whatever_the_line_does(bot: Bench, fault: faults.Fault) -> None:
    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", fault, times=1)
    deliver(bot)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]


def test_what_slack_took_and_history_shows_late_is_not_posted_again(bot: Bench) -> None:
    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", faults.lagging_history(15), faults.accept_then_reset, times=1)
    deliver(bot)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]
    assert bot.slack.calls["conversations.history"] > 1


@pytest.mark.parametrize("fault", [faults.hang(1.5), faults.accept_then_hang(1.5)], ids=lambda fault: fault.name)
def test_silence_is_looked_into(bot: Bench, fault: faults.Fault) -> None:
    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", fault, times=1)
    deliver(bot, time_out_s=1)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]


def test_a_reply_that_is_perhaps_there_is_looked_for_in_the_thread(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    out(bot, alert, "reply", "a line of history")
    bot.slack.on("chat.postMessage", faults.accept_then_reset, times=1)
    deliver(bot)
    (post,) = bot.slack.channel("C1")
    assert [reply.headline for reply in post.replies] == ["a line of history"]
    assert bot.slack.calls["conversations.replies"] == 1


def test_it_sends_again_only_after_the_settling_time(bot: Bench) -> None:
    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", faults.reset, times=1)
    worker = bot.deliverer()
    assert worker.run_once() == 0
    for _ in range(19):
        bot.clock.passes(1)
        worker.run_once()
    assert bot.slack.calls["chat.postMessage"] == 1
    assert len(bot.pending()) == 1
    bot.clock.passes(1)
    assert worker.run_once() == 1
    assert bot.slack.calls["chat.postMessage"] == 2


def test_a_process_killed_between_the_change_and_the_post_loses_nothing(bot: Bench) -> None:
    row = out(bot, opened(bot))
    with bot.store.sharing() as tx:  # as a worker does that is killed before its network call
        assert tx.claim(row, "the dead one", timedelta(seconds=20))
        assert tx.attempted(row, "the dead one")
    deliver(bot)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@pytest.mark.parametrize("moment", ["before the call", "after the call"])
@pytest.mark.parametrize("kind", ["post", "edit", "reply"])
def test_it_survives_being_killed_around_the_network_call(bot: Bench, moment: str, kind: str) -> None:
    alert = opened(bot)
    if kind != "post":
        out(bot, alert, said="the post")
        deliver(bot)
    out(bot, alert, kind, "said once")
    worker = bot.deliverer()
    messenger = worker._messenger

    class Dying:
        find, continued = messenger.find, messenger.continued

        def post(self, *args: Any, **rest: Any) -> Outcome:
            return self._die(messenger.post, *args, **rest)

        def edit(self, *args: Any, **rest: Any) -> Outcome:
            return self._die(messenger.edit, *args, **rest)

        def _die(self, call: Any, *args: Any, **rest: Any) -> Outcome:
            if moment == "after the call":
                call(*args, **rest)
            raise KilledError

    worker._messenger = Dying()  # type: ignore[assignment]
    with pytest.raises(KilledError):
        worker.run_once()
    deliver(bot)
    posts = bot.slack.channel("C1")
    shown = [m.headline for m in posts] + [reply.headline for m in posts for reply in m.replies]
    assert shown.count("said once") == 1
    assert len(shown) == (2 if kind == "reply" else 1)


class Mortal:
    """A store whose owner is killed at its nth writing transaction: before it commits, or right after."""

    def __init__(self, store: Store, at: int, after: bool) -> None:
        self._store, self._left, self._after = store, at, after
        self.reading = store.reading

    @contextmanager
    def sharing(self) -> Iterator[Any]:
        self._left -= 1
        with self._store.sharing() as tx:
            yield tx
            if self._left < 0 and not self._after:
                raise KilledError
        if self._left < 0:
            raise KilledError


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("nth", range(18))
def test_it_survives_being_killed_at_any_transaction(bot: Bench, nth: int, after: bool) -> None:
    alert = opened(bot)
    out(bot, alert, said="older")
    deliver(bot)
    bot.clock.passes(60)
    out(bot, alert, said="newer")
    out(bot, alert, "reply", "history")
    out(bot, alert, "edit", "newest words")
    worker = bot.deliverer(store=Mortal(bot.store, nth, after))
    with suppress(KilledError):
        worker.run_once()
    deliver(bot)
    older, newer = bot.slack.channel("C1")
    assert older.text.startswith("Continued in a newer message. older")
    assert newer.headline == "newest words"
    assert [reply.headline for reply in newer.replies] == ["history"]
    assert not older.replies


def test_what_is_posted_afresh_for_a_deleted_post_is_posted_once(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    out(bot, alert, "edit", "afresh")
    bot.slack.on("chat.postMessage", faults.late_arrival(8), times=1)
    deliver(bot)
    assert headlines(bot) == ["afresh"]
    bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    out(bot, alert, "edit", "afresh again")
    bot.slack.on("chat.postMessage", faults.reset, times=1)
    deliver(bot)
    assert headlines(bot) == ["afresh again"]
