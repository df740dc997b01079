"""The audit log as people leave it: who asked, pressed and changed what in Slack."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.app import LATER_THREADS, build
from bot.domain.audit import Sealed, What, verify
from bot.services import auditing
from bot.services.auditing import Auditing
from bot.settings import GivenSettings
from bot.slack.views import silence as fields
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store

from .clicking import (
    NO_NOTICE,
    PLAN,
    SNOOZE,
    alerted,
    at_the_call_line,
    click,
    dialog,
    newest,
    snooze_value,
)
from .test_slack_bench import Bench, Hand, said

ANTALPHA = "covenant:antalpha"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        made.slack.add_user("U4", name="Guest", is_restricted=True)
        made.slack.add_user("U5", name="Stranger", team_id="T0ELSE", is_stranger=True)
        made.slack.add_channel("C9", name="with-lender", is_ext_shared=True)
        yield made


def log(store: Store) -> list[Sealed]:
    with store.reading() as tx:
        rows = list(tx.audit_rows())
    assert verify(rows).fault is None
    return rows


def since(bot: Bench, before: int) -> list[tuple[str, str, str, dict[str, Any]]]:
    bot.quiet()
    return [(row.actor, row.what, row.about, json.loads(row.detail)) for row in log(bot.store)[before:]]


# Questions


def test_a_question_is_recorded_as_typed_with_who_asked_and_where(bot: Bench) -> None:
    before = len(log(bot.store))
    assert said(bot, "/ltv  antalpha  at 55000", user="U2")
    for line in ("/holdings", "/alerts", "/plimsoll"):
        assert bot.slack.command(line).ok
        bot.quiet()
    assert since(bot, before) == [
        ("U2", "asked", "/ltv antalpha  at 55000", {"channel": "C1"}),
        ("U1", "asked", "/holdings", {"channel": "C1"}),
        ("U1", "asked", "/alerts", {"channel": "C1"}),
        ("U1", "asked", "/plimsoll", {"channel": "C1"}),
    ]
    assert log(bot.store)[before].at == "2026-02-07T12:00:00.000000Z"


def test_what_is_asked_wrongly_is_recorded_with_what_is_wrong(bot: Bench) -> None:
    before = len(log(bot.store))
    said(bot, "/ltv at <banana> & more")
    assert since(bot, before) == [
        ("U1", "asked", "/ltv at <banana> & more", {"channel": "C1", "wrong": "“<banana> & more” is not a price."})
    ]


@pytest.mark.parametrize(
    ("user", "channel", "reason"),
    [
        ("U4", "C1", "you are a guest here"),
        ("U5", "C1", "your account belongs to another organisation"),
        ("U1", "C9", "This channel is shared with another organisation"),
    ],
)
def test_who_is_refused_is_recorded_with_the_reason(bot: Bench, user: str, channel: str, reason: str) -> None:
    before = len(log(bot.store))
    for _ in range(2):  # looked up first, then known
        assert bot.slack.command("/ltv -20%", user=user, channel=channel).ok
        bot.quiet()
    for actor, what, about, detail in since(bot, before):
        assert (actor, what, about, detail["channel"]) == (user, "refused", "/ltv -20%", channel)
        assert reason in detail["reason"]
    assert len(log(bot.store)) == before + 2


def test_a_retry_is_one_question(bot: Bench) -> None:
    before = len(log(bot.store))
    first = bot.slack.command("/ltv")
    bot.slack.repeat(first, retry_num=1)
    assert [row[:3] for row in since(bot, before)] == [("U1", "asked", "/ltv")]


def test_an_answer_waits_for_no_writer_and_is_recorded_all_the_same(bot: Bench) -> None:
    before = len(log(bot.store))
    with bot.store.writing():
        began = time.monotonic()
        assert said(bot, "/ltv")
        assert time.monotonic() - began < 1
        assert len(log(bot.store)) == before
    assert [row[:3] for row in since(bot, before)] == [("U1", "asked", "/ltv")]


def test_a_failure_is_recorded_with_the_reference_that_its_asker_has(bot: Bench) -> None:
    def broken() -> Any:
        raise RuntimeError("a bug")

    bot.health = broken
    before = len(log(bot.store))
    text = said(bot, "/plimsoll")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U1", "asked", "/plimsoll")
    assert detail["failed"] in text


# While the database cannot be written, and at the end


def noted(audit: Auditing, *lines: str) -> None:
    for line in lines:
        audit.note("U1", What.ASKED, line, {})


def test_what_cannot_be_written_now_is_written_later_once_and_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = Auditing(store, Hand(), lambda _: None, (DatabaseUnavailableError,))
    noted(audit, "/ltv 1", "/ltv 2")
    with store.writing():
        audit.flush(timedelta(milliseconds=50))

    def busy(_: timedelta) -> None:
        noted(audit, "/ltv 3")  # somebody asks meanwhile
        raise DatabaseUnavailableError("locked")

    with monkeypatch.context() as patched:
        patched.setattr(store, "writing", busy)
        audit.flush()
    assert log(store) == []
    for _ in range(2):
        audit.flush()
    assert [row.about for row in log(store)] == ["/ltv 1", "/ltv 2", "/ltv 3"]


def test_a_database_that_stays_away_does_not_fill_the_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(auditing, "MOST_WAITING", 2)
    audit = Auditing(store, Hand(), lambda _: None, (DatabaseUnavailableError,))
    noted(audit, "/ltv 1", "/ltv 2", "/ltv 3")
    assert "audit_entry_lost" in (said := capsys.readouterr().out)
    assert "/ltv 1" in said
    audit.flush()
    assert [row.about for row in log(store)] == ["/ltv 2", "/ltv 3"]


def test_a_bot_that_stops_writes_what_waits_and_no_secret(store: Store, database_url: str) -> None:
    secret = "5ecret-0f-5lack"
    settings = GivenSettings(
        database_url=database_url, slack_signing_secret=secret, price_sources=(("kraken", ""),) * 2
    )
    running = build(settings)
    over = threading.Event()
    for _ in range(LATER_THREADS):  # they are all at something else
        running._later.submit(over.wait, 30)
    noted(running.audit, f"/ltv {secret} xoxb-12-34")
    running.stop(1)
    noted(running.audit, "/ltv too late")  # and no error
    over.set()
    assert [row.about for row in log(store)] == ["/ltv … xoxb-…"]


# Clicks


def test_taking_an_alert_is_recorded_with_the_change(bot: Bench) -> None:
    message = newest(bot)
    before = len(log(bot.store))
    click(bot, message)
    click(bot, message, user="U2", stale=True)
    ((_, *taken), (_, *late)) = since(bot, before)
    assert taken == [
        "acknowledged",
        ANTALPHA,
        {
            "act": "acknowledge",
            "level": "warning",
            "ltv_pct": "70.35",
            "price_usd": "61000.00",
            "reason": "taken",
            "said": taken[2]["said"],
            "tier": "early warning",
        },
    ]
    assert taken[2]["said"].startswith("Antalpha is at its early warning: LTV 70.35 %")
    assert late == ["clicked", ANTALPHA, {"act": "acknowledge", "reason": "already_taken"}]
    assert [row.actor for row in log(bot.store)[before:]] == ["U1", "U2"]


def test_a_snooze_says_until_when(bot: Bench) -> None:
    message = newest(bot)
    before = len(log(bot.store))
    click(bot, message, SNOOZE, value=snooze_value(message, "1h"))
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about, detail["until"]) == ("U1", "snoozed", ANTALPHA, "2026-02-07T13:00:00Z")


def test_a_click_that_changes_nothing_is_recorded_with_the_reason(bot: Bench) -> None:
    message = newest(bot)
    at_the_call_line(bot)
    before = len(log(bot.store))
    click(bot, message, stale=True)
    click(bot, message, value="99 2.0", stale=True)
    click(bot, message, value="none of ours", stale=True)
    worse, closed, unknown = since(bot, before)
    assert worse == ("U1", "clicked", ANTALPHA, {"act": "acknowledge", "reason": "seen_less"})
    assert closed == ("U1", "clicked", "alert 99", {"act": "acknowledge", "reason": "not_open"})
    assert unknown[:3] == ("U1", "clicked", "Acknowledge")
    assert "not understood" in unknown[3]["wrong"]


def test_saying_that_no_notice_came_is_that_persons_act(bot: Bench) -> None:
    at_the_call_line(bot)
    bot.clock.passes(60)
    bot.checks(62_000)
    before = len(log(bot.store))
    click(bot, newest(bot), NO_NOTICE, user="U2")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U2", "eased", ANTALPHA)
    assert (detail["act"], detail["reason"]) == ("no_notice", "no_notice")


def test_looking_at_a_plan_is_recorded_with_its_alert(bot: Bench) -> None:
    before = len(log(bot.store))
    click(bot, newest(bot), PLAN, user="U2")
    assert since(bot, before) == [("U2", "clicked", ANTALPHA, {"act": "plan", "channel": "C1"})]


def test_a_guest_who_clicks_is_recorded_and_changes_nothing(bot: Bench) -> None:
    before = len(log(bot.store))
    click(bot, newest(bot), user="U4")
    ((actor, what, about, detail),) = since(bot, before)
    assert (actor, what, about) == ("U4", "refused", "Acknowledge")
    assert "you are a guest here" in detail["reason"]


# Silences


SILENCE: dict[str, Any] = {
    fields.CHECKS_BLOCK: ["covenant"],
    fields.SUBJECTS_BLOCK: ["antalpha"],
    fields.UNTIL_BLOCK: "4h",
    fields.REASON_BLOCK: "standstill",
}


def test_a_silence_is_recorded_as_it_is_made_and_with_what_it_quiets(bot: Bench) -> None:
    before = len(log(bot.store))
    view = dialog(bot)
    assert bot.slack.submit_view(view.id, SILENCE | {fields.REASON_BLOCK: " \t"}).ok
    assert bot.slack.submit_view(view.id, SILENCE).ok
    asked, wrong, silenced, *follows = since(bot, before)
    assert asked == ("U1", "asked", "/alerts silence", {"channel": "C1"})
    assert wrong[:3] == ("U1", "submitted", "Silence")
    assert wrong[3]["wrong"][fields.REASON_BLOCK].startswith("Say why")
    assert silenced == (
        "U1",
        "silenced",
        "Covenants of antalpha",
        {
            "silence": 1,
            "checks": ["covenant"],
            "subjects": ["antalpha"],
            "until": "2026-02-07T16:00:00Z",
            "reason": "standstill",
        },
    )
    assert [row[:3] for row in follows] == [("plimsoll", "noted", ANTALPHA)]


def test_ending_a_silence_is_recorded_and_ending_it_again_changes_nothing(bot: Bench) -> None:
    assert bot.slack.submit_view(dialog(bot).id, SILENCE).ok
    lists = []
    for user in ("U1", "U2"):
        bot.slack.command("/alerts", user=user)
        lists.append(bot.slack.ephemerals(user)[-1])
    bot.quiet()
    before = len(log(bot.store))
    bot.slack.click(lists[1].ts, "silence_end", user="U2")
    bot.slack.click(lists[0].ts, "silence_end", user="U1")
    ended, *follows, again = since(bot, before)
    assert ended == ("U2", "silence ended", "Covenants of antalpha", {"silence": 1})
    assert [row[0] for row in follows] == ["plimsoll"] * len(follows)
    assert again == ("U1", "clicked", "silence 1", {"act": "end", "reason": "not_in_force"})


# Checks


def test_what_checks_change_is_recorded_and_new_numbers_alone_are_not(bot: Bench) -> None:
    assert [(row.actor, row.what, row.about) for row in log(bot.store)] == [("plimsoll", "opened", ANTALPHA)]
    opened = json.loads(log(bot.store)[0].detail)
    assert opened["said"].startswith("Antalpha is at its early warning: LTV 70.")
    for _ in range(3):  # each is an edit of the message
        bot.clock.passes(61)
        bot.checks(60_900)
        bot.clock.passes(61)
        bot.checks(61_000)
    assert len(log(bot.store)) == 1
    at_the_call_line(bot)
    changed = [(row.actor, row.what, row.about) for row in log(bot.store)][1:]
    assert ("plimsoll", "worse", ANTALPHA) in changed
    assert len(changed) == len(set(changed))
