"""What goes wrong on the other way: targets that fail or hang, messages that overtake each other, refusals for good."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from bot.app import build
from bot.fallback import AppriseTargets
from bot.settings import GivenSettings, SettingsError
from bot.store import tables
from bot.store.columns import table_of
from bot.store.store import Store
from bot.workspace import faults

from .test_delivery_bench import NO_WAIT, deliver, opened, out
from .test_fallback import Target, fallback, urgent
from .test_slack_bench import Bench, bench

_outbox = table_of(tables.Outbox)


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        yield made


@pytest.fixture
def targets() -> Iterator[tuple[Target, Target]]:
    both = Target(), Target()
    yield both
    for one in both:
        one.stop()


def titles(target: Target) -> list[str]:
    return [said["title"].removeprefix("CRITICAL: ") for said in target.taken]


def in_hand(bot: Bench, row: int, seconds: float) -> None:
    """A deliverer has the row: Slack lets it wait."""
    until = bot.clock.now().timestamp() + seconds
    leased = update(_outbox).where(_outbox.c.id == row)
    with bot.store.engine.begin() as connection:
        connection.execute(
            leased.values(leased_until=type(bot.clock.now()).fromtimestamp(until, bot.clock.now().tzinfo))
        )


def test_a_target_that_failed_while_another_took_it_gets_it_later_and_once(
    bot: Bench, targets: tuple[Target, Target]
) -> None:
    mail, sms = targets
    sms.broken = True
    urgent(bot, "at the call line")
    bot.clock.passes(600)
    one = fallback(bot, mail, sms)
    assert one.run_once() == 1
    sms.broken = False
    for _ in range(20):
        bot.clock.passes(5)
        one.run_once()
    assert (titles(mail), titles(sms)) == (["at the call line"], ["at the call line"])


def test_a_target_that_stays_broken_is_given_up_and_what_comes_next_is_tried(
    bot: Bench, targets: tuple[Target, Target]
) -> None:
    mail, sms = targets
    sms.broken = True
    urgent(bot, "lost")
    bot.clock.passes(600)
    one = fallback(bot, mail, sms)
    for _ in range(200):
        one.run_once()
        bot.clock.passes(5)
    assert sms.tries < 10
    sms.broken = False
    out(bot, opened(bot, "transit:x"), said="taken", elsewhere=True)
    bot.clock.passes(600)
    for _ in range(5):
        one.run_once()
        bot.clock.passes(5)
    assert (titles(mail), titles(sms)) == (["lost", "taken"], ["taken"])


def test_what_is_older_never_follows_what_is_newer(bot: Bench, targets: tuple[Target, Target]) -> None:
    alert = opened(bot)
    older = out(bot, alert, said="at the call line", elsewhere=True)
    out(bot, alert, said="at the liquidation line", elsewhere=True)
    bot.clock.passes(600)
    in_hand(bot, older, 10)
    one = fallback(bot, targets[0])
    assert one.run_once() == 1
    bot.clock.passes(11)
    assert one.run_once() == 0
    assert titles(targets[0]) == ["at the liquidation line"]


def test_what_slack_will_never_take_goes_too(bot: Bench, targets: tuple[Target, Target]) -> None:
    urgent(bot)
    bot.slack.on("chat.postMessage", faults.error("invalid_blocks"))
    bot.deliverer(**NO_WAIT).run_once()
    assert not bot.pending()
    assert [fallback(bot, targets[0]).run_once(), fallback(bot, targets[0], worker="w2").run_once()] == [1, 0]
    assert "Slack refuses this for good (invalid_blocks)" in targets[0].taken[0]["message"]


def test_what_was_given_up_and_said_again_since_does_not_go(bot: Bench, targets: tuple[Target, Target]) -> None:
    alert = opened(bot)
    out(bot, alert, said="refused", elsewhere=True)
    bot.slack.on("chat.postMessage", faults.error("invalid_blocks"), times=1)
    bot.deliverer(**NO_WAIT).run_once()
    out(bot, alert, said="taken", elsewhere=True)
    deliver(bot)
    assert fallback(bot, targets[0]).run_once() == 0


def test_slack_is_not_called_back_while_it_takes_nothing(bot: Bench, targets: tuple[Target, Target]) -> None:
    bot.imports()
    urgent(bot)
    bot.slack.on("chat.postMessage", faults.error("token_revoked"))
    worker, one = bot.deliverer(**NO_WAIT), fallback(bot, targets[0])
    worker.run_once()
    assert one.run_once() == 1
    bot.clock.passes(2 * 24 * 3600)
    worker.run_once()  # gives it up
    one.run_once()
    assert not bot.pending()
    bot.slack.clear_faults()
    out(bot, None, said="any other message", stream="other")
    deliver(bot)
    one.run_once()
    deliver(bot)
    told = bot.slack.channel("C1")[-1]
    assert told.headline == "Slack takes messages again"
    assert "Slack refused 1 of them for good" in told.blocks[1]["text"]["text"]


def test_alerts_are_counted_and_not_their_messages(bot: Bench, targets: tuple[Target, Target]) -> None:
    bot.imports()
    alert = opened(bot)
    out(bot, alert, said="at the call line", elsewhere=True)
    out(bot, alert, said="at the liquidation line", elsewhere=True)
    bot.clock.passes(600)
    one = fallback(bot, targets[0])
    one.run_once()
    deliver(bot)
    one.run_once()
    deliver(bot)
    assert "1 critical alert went to FALLBACK_URLS" in bot.slack.channel("C1")[-1].blocks[1]["text"]["text"]


def test_it_is_sent_as_a_failure(bot: Bench, targets: tuple[Target, Target]) -> None:
    """What is called "info" opens an incident of the lowest severity at a pager."""
    urgent(bot)
    bot.clock.passes(600)
    fallback(bot, targets[0]).run_once()
    assert targets[0].taken[0]["type"] == "failure"


class _Mail(socketserver.StreamRequestHandler):
    """One mail by SMTP, kept by the server."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word != b"DATA":
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                continue
            self.wfile.write(b"354 go on\r\n")
            self.server.mail = b"".join(iter(self.rfile.readline, b".\r\n"))  # type: ignore[attr-defined]
            self.wfile.write(b"250 ok\r\n")


def test_a_mail_is_plain_text_with_its_lines() -> None:
    """As HTML its lines run into one, and what is “<” is taken for a tag."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"mailto://127.0.0.1:{server.server_address[1]}?mode=insecure&from=bot@example.com&to=ada@example.com"
        took = AppriseTargets([SecretStr(url)]).send(0, "CRITICAL: LTV 77.92 %", "LTV < 78 %.\nPledge 1 BTC.")
        server.shutdown()
        thread.join()
    assert took
    mail = message_from_bytes(server.mail)  # type: ignore[attr-defined]
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain"]
    assert bytes(parts[0].get_payload(decode=True)).decode().splitlines() == ["LTV < 78 %.", "Pledge 1 BTC."]


def test_a_first_round_without_end_is_not_waited_for_longer_than_slack_is(
    bot: Bench, targets: tuple[Target, Target], database_url: str
) -> None:
    urgent(bot)
    bot.clock.passes(600)  # it waits since before the start
    settings = GivenSettings(
        database_url=database_url, fallback_urls=targets[0].url, alert_channel="C1", price_quorum=1, price_every="30s"
    )
    running = build(settings, clock=bot.clock, slack=bot.client, database_clock=bot.clock)
    try:
        bot.clock.passes(119)
        running.fall_back()
        assert targets[0].taken == []
        bot.clock.passes(1)
        running.fall_back()
        assert len(targets[0].taken) == 1
    finally:
        running.stop(1)


def test_a_bot_is_not_built_with_an_address_that_nobody_knows(database_url: str) -> None:
    with pytest.raises(SettingsError, match=r"^FALLBACK_URLS: .*mailtoo://") as refused:
        build(GivenSettings(database_url=database_url, fallback_urls="mailtoo://me:hunter2@example.com"))
    assert "hunter2" not in str(refused.value)
