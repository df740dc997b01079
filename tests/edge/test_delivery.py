"""Delivery against a Slack that fails in every way it knows: nothing lost, nothing twice, in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from bot.domain.terms import Level
from bot.services.deliver import HOPELESS
from bot.services.messaging import Outcome
from bot.services.pacing import Pace
from bot.store.store import Store
from bot.workspace import faults

from .test_delivery_bench import KEY, NO_WAIT, deliver, headlines, opened, out
from .test_slack_bench import Bench, bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


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


def test_what_cannot_be_laid_out_arrives_in_plain_words(bot: Bench) -> None:
    out(bot, opened(bot), said="Due \x022026-02-30T00:00:00Z|on no day\x03: Antalpha")
    out(bot, None, said="Kraken disagrees", stream="alert:other")
    deliver(bot, strict=False)
    assert sorted(message.text for message in bot.slack.channel("C1")) == [
        "<!channel> Due on no day: Antalpha\nPrice $55,000.00.",
        "Kraken disagrees\nPrice $55,000.00.",
    ]


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
    bot.slack.on("chat.postMessage", faults.error("channel_not_found"), times=2)
    bot.deliverer().run_once()
    bot.clock.passes(25 * 3600)
    deliver(bot)  # given up
    assert headlines(bot) == []
    out(bot, alert, "edit", "here after all")
    deliver(bot)
    assert headlines(bot) == ["here after all"]


@pytest.mark.parametrize("code", sorted(HOPELESS))
def test_what_nobody_can_mend_is_given_up_at_once_and_holds_up_nothing(bot: Bench, code: str) -> None:
    alert = opened(bot)
    out(bot, alert)
    deliver(bot)
    row = out(bot, alert, "reply", "a line of history")
    out(bot, alert, "reply", "the next")
    bot.slack.on("chat.postMessage", faults.error(code), times=1)
    bot.deliverer(**NO_WAIT).run_once()
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert (kept.status, kept.reason) == ("failed", code)
    assert [reply.headline for reply in bot.slack.channel("C1")[0].replies] == ["the next"]


def test_retry_after_is_honoured_for_the_whole_channel(bot: Bench) -> None:
    bot.slack.add_channel("C2", name="other")
    one, two = opened(bot), opened(bot, "price")
    out(bot, one)
    out(bot, two, said="another alert")
    out(bot, None, said="elsewhere", channel="C2", stream="elsewhere")
    limited = {("chat.postMessage", "C1"): [faults.ratelimited(30)]}
    bot.slack.choose_faults(lambda method, told: limited.get((method, told.get("channel")), []))
    worker = bot.deliverer()
    assert worker.run_once() == 1
    bot.slack.choose_faults(None)
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
    bot.deliverer().run_once()
    assert headlines(bot) == []
    bot.clock.passes(25 * 3600)
    deliver(bot)
    assert headlines(bot) == ["the next of the same alert"]
    logged = capsys.readouterr()
    assert "delivery_failed" in logged.out + logged.err
    assert "channel_not_found" in logged.out + logged.err


@pytest.mark.parametrize("code", ["token_revoked", "not_in_channel", "is_archived", "something_new"])
def test_what_somebody_can_mend_is_waited_out_loudly_and_then_posted(
    bot: Bench, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    heard: list[tuple[str, Outcome]] = []
    row = out(bot, opened(bot), said="lost and found")
    bot.slack.on("chat.postMessage", faults.error(code), times=1)
    worker = bot.deliverer(tell=lambda kind, outcome: heard.append((kind, outcome)))
    assert worker.run_once() == 0
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    reason = code if code != "something_new" else "refused"
    assert kept is not None
    assert (kept.status, kept.reason) == ("pending", reason)
    assert heard == [("post", Outcome.permanent(reason))]
    logged = capsys.readouterr()
    assert "delivery_refused" in logged.out + logged.err
    bot.clock.passes(61)
    assert worker.run_once() == 1
    assert headlines(bot) == ["lost and found"]


def test_looks_that_slack_refuses_cost_the_looks_and_never_the_message(bot: Bench) -> None:
    from bot.services.deliver import Delivery
    from bot.slack.notifier import Notifier

    out(bot, opened(bot))
    bot.slack.on("chat.postMessage", faults.error("invalid_blocks"), times=1)
    worker = Delivery(bot.store, Notifier(bot.client, bot.access), bot.clock, "production")
    assert worker.run_once() == 1
    (post,) = bot.slack.channel("C1")
    assert (post.headline, post.blocks) == ("<!channel> Antalpha is at its margin-call line", [])
    assert post.metadata is not None


def test_nothing_is_posted_in_a_channel_shared_with_another_organisation(bot: Bench) -> None:
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    row = out(bot, opened(bot))
    bot.deliverer().run_once()
    # in C2 it is said that C1 is shared
    assert {call.args["channel"] for call in bot.slack.calls.of("chat.postMessage")} == {"C2"}
    assert bot.slack.channel("C1") == []
    with bot.store.reading() as tx:
        kept = tx.outbox_row(row)
    assert kept is not None
    assert (kept.status, kept.reason) == ("pending", "shared_channel")


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
    worker = bot.deliverer(**NO_WAIT)
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
    assert bot.slack.calls["chat.postMessage"] == 0
