"""Delivery against a Slack that fails in every way it knows: nothing lost, nothing twice, in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.alerts import AlertPolicy, Finding, Line, decide
from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.services.deliver import Outcome
from bot.services.pacing import Pace
from bot.store.store import Store
from bot.workspace import faults

from .test_slack_bench import Bench, bench

KEY = "covenant:antalpha"
SAID = Message(KEY, "critical", "Antalpha is at its margin-call line", "Price $55,000.00.", mention=True)
NO_WAIT = {"pace": Pace(per_second=1000, burst=1000)}


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


def opened(bot: Bench, key: str = KEY) -> int:
    """An alert, as a check opens one; its id."""
    line = Line("call", 1, Level.CRITICAL, reached=True, cleared=False, tier="margin call")
    transition = decide(None, Finding(key, (line,)), bot.clock.now(), AlertPolicy())
    with bot.store.writing() as tx:
        alert_id = tx.save_transition(transition, channel="C1", text="")
    assert alert_id is not None
    return alert_id


def out(bot: Bench, alert: int | None, kind: str = "post", said: str | Message = SAID, **more: Any) -> int:
    """Puts a message into the outbox; its row."""
    message = said if isinstance(said, Message) else replace(SAID, headline=said)
    values = {"stream": f"alert:{alert}", "channel": "C1", "level": Level.CRITICAL} | more
    with bot.store.writing() as tx:
        return tx.enqueue(alert_id=alert, kind=kind, message=message.document(), at=bot.clock.now(), **values)


def headlines(bot: Bench) -> list[str]:
    return [message.headline for message in bot.slack.channel("C1")]


def deliver(bot: Bench, seconds: float = 120, step: float = 1, **options: Any) -> None:
    """Runs one worker until nothing waits, the clock going on; fails where something still does."""
    worker = bot.deliverer(**(NO_WAIT | options))
    for _ in range(int(seconds / step)):
        worker.run_once()
        if not bot.pending():
            return
        bot.clock.passes(step)
    raise AssertionError(f"still waiting: {bot.pending()}")


def test_it_posts_a_message_with_its_mention_its_level_and_a_delivery_id(bot: Bench) -> None:
    row = out(bot, opened(bot))
    deliver(bot)
    (post,) = bot.slack.channel("treasury")
    assert post.headline == "Antalpha is at its margin-call line"
    assert post.blocks[0]["text"]["text"] == "<!channel> *Antalpha is at its margin-call line*"
    assert post.blocks[-1]["elements"][0]["text"] == "Critical"
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
        alert = tx.open_alerts()[KEY]
    assert kept is not None
    assert post.metadata == {"event_type": "plimsoll_delivery", "event_payload": {"id": kept.delivery_id}}
    assert (kept.status, kept.sent_ts, alert.newest_ts) == ("sent", post.ts, post.ts)


def test_an_edit_changes_the_newest_post_and_a_reply_goes_into_its_thread(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    out(bot, alert, "edit", "Antalpha has eased")
    out(bot, alert, "reply", "Eased: Antalpha has eased")
    deliver(bot)
    (post,) = bot.slack.channel("C1")
    assert post.headline == "Antalpha has eased"
    assert [reply.headline for reply in post.replies] == ["Eased: Antalpha has eased"]
    assert "<!channel>" not in post.replies[0].text


def test_edits_coalesce_the_newest_wins(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    for number in range(5):
        out(bot, alert, "edit", f"edit {number}")
    deliver(bot)
    assert headlines(bot) == ["edit 4"]
    assert bot.slack.calls["chat.update"] == 1


def test_a_fresh_post_makes_the_older_one_say_continued_with_a_link(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    bot.clock.passes(60)
    out(bot, alert, said="Antalpha is at its liquidation line")
    deliver(bot)
    older, newer = bot.slack.channel("C1")
    assert newer.headline == "Antalpha is at its liquidation line"
    assert older.text.startswith("Continued in a newer message. Antalpha is at its margin-call line")
    assert older.blocks[0]["text"]["text"] == "*Antalpha is at its margin-call line*"
    link = bot.client.chat_getPermalink(channel="C1", message_ts=newer.ts)["permalink"]
    assert older.blocks[-1]["elements"][0]["text"] == f"Continued in <{link}|a newer message>."
    assert not older.action_ids
    out(bot, alert, "edit", "now less so")
    deliver(bot)
    assert [m.headline for m in bot.slack.channel("C1")][1] == "now less so"


def test_a_deleted_older_post_is_nothing_to_complain_of(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    out(bot, alert, said="worse")
    deliver(bot)
    assert headlines(bot) == ["worse"]


def test_an_edit_of_a_deleted_post_is_posted_afresh_and_edited_from_then_on(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    bot.client.chat_delete(channel="C1", ts=bot.slack.channel("C1")[0].ts)
    out(bot, alert, "edit", "still there")
    out(bot, alert, "reply", "a line of history")
    deliver(bot)
    out(bot, alert, "edit", "and newer")
    deliver(bot)
    (post,) = bot.slack.channel("C1")
    assert post.headline == "and newer"
    assert [reply.headline for reply in post.replies] == ["a line of history"]


def test_a_post_that_never_got_there_is_made_up_for_by_the_next_edit(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert)
    bot.slack.on("chat.postMessage", faults.error("channel_not_found"), times=1)
    deliver(bot)
    assert headlines(bot) == []
    out(bot, alert, "edit", "here after all")
    deliver(bot)
    assert headlines(bot) == ["here after all"]


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
    assert worker.first_due() is not None
    bot.clock.passes(1)
    assert worker.run_once() == 1
    assert bot.slack.calls["chat.postMessage"] == 2


def test_retry_after_is_honoured_for_the_whole_channel(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="other")
    one, two = opened(bot), opened(bot, "price")
    out(bot, one)
    out(bot, two, said="another alert")
    out(bot, None, said="elsewhere", channel="C2", stream="elsewhere")
    bot.slack.on("chat.postMessage", faults.ratelimited(30), times=1)
    worker = bot.deliverer()
    assert worker.run_once() == 1
    assert headlines(bot) == []
    assert [m.headline for m in bot.slack.channel("C2")] == ["elsewhere"]
    bot.clock.passes(29)
    assert worker.run_once() == 0
    bot.clock.passes(1)
    assert worker.run_once() == 2
    assert bot.slack.calls["chat.postMessage"] == 4


def test_a_lost_channel_blocks_nobody_for_ever_and_is_loud(bot: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    alert = opened(bot)
    out(bot, alert, channel="C404")
    out(bot, alert, said="the next of the same alert")
    deliver(bot)
    assert headlines(bot) == ["the next of the same alert"]
    logged = capsys.readouterr()
    assert "delivery_failed" in logged.out + logged.err
    assert "channel_not_found" in logged.out + logged.err


@pytest.mark.parametrize("code", ["invalid_auth", "not_in_channel", "is_archived", "something_new"])
def test_a_permanent_refusal_ends_the_row_with_a_bounded_reason(bot: Bench, code: str) -> None:
    heard: list[tuple[str, Outcome]] = []
    row = out(bot, opened(bot))
    bot.slack.on("chat.postMessage", faults.error(code))
    deliver(bot, tell=lambda kind, outcome: heard.append((kind, outcome)))
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    reason = code if code != "something_new" else "refused"
    assert kept is not None
    assert (kept.status, kept.reason) == ("failed", reason)
    assert heard == [("post", Outcome.permanent(reason))]


def test_looks_that_slack_refuses_cost_the_looks_and_never_the_message(bot: Bench) -> None:
    from bot.services.deliver import Delivery
    from bot.slack.notifier import Notifier

    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", faults.error("invalid_blocks"), times=1)
    worker = Delivery(bot.store, Notifier(bot.client, bot.access), bot.clock, "production")
    assert worker.run_once() == 1
    (post,) = bot.slack.channel("C1")
    assert (post.headline, post.blocks) == ("Antalpha is at its margin-call line", [])
    assert post.metadata is not None


def test_nothing_is_posted_in_a_channel_shared_with_another_organisation(bot: Bench) -> None:
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    row = out(bot, opened(bot))
    deliver(bot)
    assert bot.slack.all_posts == []
    assert bot.slack.calls["chat.postMessage"] == 0
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert (kept.status, kept.reason) == ("failed", "shared_channel")


def test_a_channel_that_cannot_be_checked_gets_nothing_yet(bot: Bench) -> None:
    out(bot, opened(bot))
    bot.slack.on("conversations.info", faults.http_500, times=3)
    deliver(bot)
    assert headlines(bot) == ["Antalpha is at its margin-call line"]
    assert bot.slack.calls["chat.postMessage"] == 1


def test_order_is_kept_within_an_alert_whatever_fails(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    for number in range(4):
        out(bot, alert, "reply", f"reply {number}")
    bot.slack.on("chat.postMessage", faults.reset, faults.ratelimited(1), faults.accept_then_reset, times=1)
    deliver(bot)
    (post,) = bot.slack.channel("C1")
    assert [reply.headline for reply in post.replies] == [f"reply {number}" for number in range(4)]


def test_the_most_severe_goes_first_and_a_channel_gets_about_one_a_second(bot: Bench) -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    for number in range(6):
        out(bot, None, said=f"notice {number}", stream=f"n{number}", level=Level.NOTICE)
    out(bot, None, said="critical", stream="c", level=Level.CRITICAL)
    pace = Pace(per_second=1, burst=3, monotonic=lambda: now[0])
    worker = bot.deliverer(pace=pace, sleep=sleep)
    assert worker.run_once() == 7
    assert headlines(bot)[0] == "critical"
    assert sum(slept) == pytest.approx(4)


def test_a_process_killed_between_the_change_and_the_post_loses_nothing(bot: Bench) -> None:
    row = out(bot, opened(bot))
    with bot.store.writing() as tx:  # as a worker does that is killed before its network call
        assert tx.lease(row, "the dead one", bot.clock.now(), bot.clock.now())
        tx.attempted(row, bot.clock.now())
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
    messenger = worker._messenger  # noqa: SLF001

    class Dying:
        find, continued = messenger.find, messenger.continued

        def post(self, *args: Any, **rest: Any) -> Outcome:
            return self._die(messenger.post, *args, **rest)

        def edit(self, *args: Any) -> Outcome:
            return self._die(messenger.edit, *args)

        def _die(self, call: Any, *args: Any, **rest: Any) -> Outcome:
            if moment == "after the call":
                call(*args, **rest)
            raise KilledError

    worker._messenger = Dying()  # type: ignore[assignment]  # noqa: SLF001
    with pytest.raises(KilledError):
        worker.run_once()
    deliver(bot)
    posts = bot.slack.channel("C1")
    shown = [m.headline for m in posts] + [reply.headline for m in posts for reply in m.replies]
    assert shown.count("said once") == 1
    assert len(shown) == (2 if kind == "reply" else 1)


def test_two_workers_share_the_work_and_post_each_message_once(bot: Bench) -> None:
    for number in range(12):
        out(bot, None, said=f"message {number}", stream=f"s{number}")
    bot.slack.on("chat.postMessage", faults.slow(0.05))
    workers = [bot.deliverer(pace=Pace(per_second=1000, burst=1000)) for _ in range(2)]
    threads = [threading.Thread(target=worker.run_once) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(headlines(bot)) == sorted(f"message {number}" for number in range(12))


def test_a_run_ends_early_where_slack_cannot_be_reached(bot: Bench) -> None:
    for number in range(10):
        out(bot, None, said=f"message {number}", stream=f"s{number}")
    bot.knows("U1")
    bot.slack.on("chat.postMessage", faults.reset)
    before = time.monotonic()
    assert bot.deliverer().run_once() == 0
    assert bot.slack.calls["chat.postMessage"] == 2
    assert time.monotonic() - before < 5
    bot.slack.clear_faults()
    deliver(bot)
    assert sorted(headlines(bot)) == sorted(f"message {number}" for number in range(10))


def test_an_outage_of_an_hour_ends_with_every_message_once_and_in_order(bot: Bench) -> None:
    alert = opened(bot)
    out(bot, alert, said="first")
    bot.slack.offline()
    worker = bot.deliverer()
    for minute in range(60):
        worker.run_once()
        bot.clock.passes(60)
        if minute == 30:
            out(bot, alert, "edit", "newer")
            out(bot, alert, "reply", "history")
    bot.slack.online()
    deliver(bot)
    (post,) = bot.slack.channel("C1")
    assert post.headline == "newer"
    assert [reply.headline for reply in post.replies] == ["history"]


def test_nothing_to_do_costs_no_writing_transaction(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("wrote")

    worker = bot.deliverer()
    monkeypatch.setattr(bot.store, "writing", refuse)
    assert worker.run_once() == 0
    assert worker.first_due() is None
