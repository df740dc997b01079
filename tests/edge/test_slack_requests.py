"""Requests as Slack sends them: signed, retried, for nobody, or while something of ours is broken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from bot.slack.health import Health
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store
from bot.workspace import faults
from bot.workspace.signing import send

from .test_slack_bench import Bench, bench, said


@pytest.fixture
def database_kind() -> str:
    """One is enough: the queries behind commands have tests of their own on both."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1", "U2")
        made.slack.clear_calls()
        yield made


def test_a_failure_gets_a_reference_that_the_log_has_too(bot: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Health:
        raise RuntimeError("nobody should read this")

    bot.health = broken
    text = said(bot, "/plimsoll")
    reference = text.split("reference ")[1].rstrip(".")
    assert "nobody" not in text
    logged = capsys.readouterr()
    assert reference in logged.out + logged.err
    assert "nobody should read this" in logged.out + logged.err


def test_a_busy_database_is_a_reasoned_refusal_in_time(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        time.sleep(2)
        raise DatabaseUnavailableError("locked")

    monkeypatch.setattr(bot.store, "reading", busy)
    answer = bot.slack.command("/ltv")
    assert answer.elapsed_s < 3
    assert "the database is busy or cannot be reached" in answer.text


def test_a_writer_that_holds_the_database_keeps_no_answer_waiting(bot: Bench) -> None:
    inside, over = threading.Event(), threading.Event()

    def write() -> None:
        with bot.store.writing():
            inside.set()
            over.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(5)
    try:
        answer = bot.slack.command("/ltv")
        assert "Antalpha: LTV" in answer.text + str(answer.blocks)
        assert answer.elapsed_s < 1
    finally:
        over.set()
        writer.join()


def test_a_retried_request_is_handled_once_and_gets_the_same_answer(bot: Bench) -> None:
    asked = []
    original = bot.questions.book
    bot.questions.book = lambda *a, **k: asked.append(a) or original(*a, **k)  # type: ignore[method-assign,func-returns-value]
    first = bot.slack.command("/ltv")
    bot.quiet()
    bot.price(50_000, age=1)
    again = bot.slack.repeat(first, retry_num=1)
    assert (again.status, again.body) == (200, first.body)
    assert len(asked) == 1
    assert bot.slack.command("/ltv").body != first.body


def test_a_retry_that_reaches_another_process_gets_the_same_answer(bot: Bench) -> None:
    first = bot.slack.command("/ltv")
    bot.quiet()
    bot.price(50_000, age=1)
    bot.requests._answers.clear()  # as in a process that did not see the first try
    assert bot.slack.repeat(first, retry_num=1).body == first.body


def test_a_retry_waits_for_the_first_try(bot: Bench) -> None:
    asked = []
    original = bot.questions.book

    def slowly(*args: object, **rest: object) -> object:
        asked.append(1)
        time.sleep(0.5)
        return original(*args, **rest)  # type: ignore[arg-type]

    bot.questions.book = slowly  # type: ignore[method-assign,assignment]
    answers: list[str] = []
    first = threading.Thread(target=lambda: answers.append(bot.slack.command("/ltv").body))
    first.start()
    time.sleep(0.1)
    request = next(iter(bot.slack._sent.values()))
    again = send(bot.slack._target, "shh", request, {"retry_num": 1})
    first.join()
    assert answers == [again.body]
    assert len(asked) == 1


def test_it_takes_only_what_slack_signed(bot: Bench) -> None:
    assert bot.slack.command("/ltv").status == 200
    assert bot.slack.command("/ltv", unsigned=True).status == 401
    assert bot.slack.command("/ltv", secret="wrong").status == 401
    assert bot.slack.command("/ltv", timestamp=int(time.time()) - 360).status == 401
    assert bot.slack.command("/ltv", timestamp=int(time.time()) - 240).status == 200


def test_what_nobody_listens_to_is_acknowledged_without_a_word(bot: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert (bot.slack.command("/unknown at all").status, bot.slack.command("/unknown at all").body) == (200, "")
    event = bot.slack.send_event({"type": "reaction_added", "user": "U1", "item": {"type": "message"}})
    assert (event.status, event.body) == (200, "")
    posted = bot.client.chat_postMessage(
        channel="C1",
        text="old",
        blocks=[
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "gone", "text": {"type": "plain_text", "text": "Gone"}},
                ],
            }
        ],
    )
    click = bot.slack.click(posted["ts"], "gone")
    assert (click.status, click.body) == (200, "")
    assert not caplog.records


def test_nonsense_is_refused_and_breaks_nothing(bot: Bench) -> None:
    target = bot.slack._target
    for body, kind in (
        (b"payload=not-json", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"", "application/json"),
    ):
        assert send(target, "wrong", (body, kind), {}).status in (400, 401)
        assert send(target, "shh", (body, kind), {}).status in (200, 400, 404)
    no_text = (b"\xff\xfe", "application/json")  # which Slack signs none of, whoever's secret it is
    assert [send(target, secret, no_text, {}).status for secret in ("wrong", "shh")] == [401, 401]
    assert bot.slack.command("/ltv").ok


def test_the_workspace_is_asked_nothing_while_slack_is_down(bot: Bench) -> None:
    bot.slack.on("*", faults.http_500)
    assert "Antalpha: LTV" in said(bot, "/ltv")
