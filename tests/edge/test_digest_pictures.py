"""The picture of the weekly digest: uploaded first, shown by the one message, and never what keeps it back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from bot.illustrating import Illustrating
from bot.services.turns import Turn
from bot.workspace import faults

from .teams import MINUTE, MONDAY, Team, team


@pytest.fixture
def workers(database_url: str) -> Iterator[Team]:
    with team(database_url) as made:
        made.imports()
        yield made


@pytest.fixture
def only_sqlite(sqlite_url: str) -> Iterator[Team]:
    """For what no other database would change; nothing is imported yet."""
    with team(sqlite_url) as made:
        yield made


def image(team: Team) -> dict[str, Any] | None:
    """The picture of the one digest in Slack."""
    team.delivers()
    (message,) = team.slack.channel("C2")
    assert message.headline.startswith("Week 2026-W06")
    return next((block for block in message.blocks if block["type"] == "image"), None)


def test_its_picture_is_uploaded_first_and_shown_by_the_one_message(workers: Team) -> None:
    workers.price("70940", MONDAY - MINUTE)
    workers.clock.set(MONDAY)
    assert workers.first.post_digest() is Turn.DONE
    shown = image(workers)
    assert shown is not None
    (file,) = workers.slack.state.files.values()
    assert (shown["slack_file"], file.done, file.content[:4]) == ({"id": file.id}, True, b"\x89PNG")
    assert shown["alt_text"].startswith("Antalpha: LTV ")
    assert "February 2026 so far: mined 0.00, sold 3,650.00 BTC." in shown["alt_text"]
    assert workers.first.post_digest() is Turn.ALREADY
    assert workers.slack.calls["files.completeUploadExternal"] == 1


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("fault", [faults.error("missing_scope"), faults.reset, faults.ratelimited(30)])
def test_without_its_picture_it_is_posted_all_the_same(only_sqlite: Team, method: str, fault: faults.Fault) -> None:
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    only_sqlite.slack.on(method, fault)
    assert only_sqlite.first.post_digest() is Turn.DONE
    assert image(only_sqlite) is None


def test_a_picture_that_takes_too_long_is_not_waited_for(only_sqlite: Team) -> None:
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    going_on = Event()

    def slow(_drawn: bytes, _name: str, _title: str) -> str:
        going_on.wait(10)
        return "F0123456789"

    first = only_sqlite.first
    first.digests._illustrate = Illustrating(first.questions, slow, timedelta(seconds=0.2))
    assert first.post_digest() is Turn.DONE
    going_on.set()
    assert image(only_sqlite) is None


def test_a_picture_that_cannot_be_drawn_does_not_keep_the_digest_back(
    only_sqlite: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be imported, as a library that is broken on this machine, stands for every fault of drawing."""
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert only_sqlite.first.post_digest() is Turn.DONE
    assert image(only_sqlite) is None
    assert "picture_failed" in "".join(capsys.readouterr())


def test_a_picture_that_slack_does_not_show_costs_the_picture_and_not_the_looks(only_sqlite: Team) -> None:
    only_sqlite.imports()
    only_sqlite.clock.set(MONDAY)
    only_sqlite.slack.on("chat.postMessage", faults.error("invalid_blocks"), times=1)
    assert only_sqlite.first.post_digest() is Turn.DONE
    assert image(only_sqlite) is None
    (message,) = only_sqlite.slack.channel("C2")
    assert len(message.blocks) > 5
