"""`make fuzz`, small: malformed bodies, payloads and texts at the whole bot, and broken HTTP at its server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from slack_bolt import App
from sqlalchemy import make_url

from bot.store.migrate import upgrade

from . import sockets
from .oracle import found_in_logs, found_in_records
from .report import failed
from .series import known_specimens, run
from .surface import registering
from .world import DATABASE_PASSWORD, world

CASES = 800
SEED = "the same each time"  # `make fuzz` tries others
BROKEN = 60


@pytest.mark.timeout(500)
def test_malformed_requests_are_answered_and_nothing_leaks() -> None:
    result = run(SEED, range(CASES), known_specimens())
    assert not result.failures, "\n".join(failed(result, SEED))
    assert result.cases.total() == CASES


@pytest.mark.timeout(500)
def test_broken_http_is_refused_and_whoever_stalls_keeps_nobody_waiting(tmp_path: Path) -> None:
    sent, found = sockets.run(SEED, BROKEN, tmp_path)
    assert not found, "\n".join([f"seed {SEED}", *found])
    assert sent == BROKEN + sockets.STALLED


def test_everything_that_the_bot_listens_to_is_tried() -> None:
    with world() as bot:
        names = bot.surface.names
    known = {(one.kind, one.name) for one in known_specimens()}
    kinds = {"command": "command", "action": "click", "view": "dialog", "view_submission": "dialog"}
    kinds |= {"view_closed": "closed", "shortcut": "shortcut", "options": "options", "event": "event"}
    listened = {(kinds[kind], name) for kind, found in names.items() for name in found}
    assert {("command", "/ltv"), ("click", "silence_end"), ("dialog", "silence"), ("event", "user_change")} <= listened
    assert listened <= known


def test_a_listener_that_is_added_is_known_by_its_name() -> None:
    with registering() as surface:
        app = App(token="xoxb-1", signing_secret="s", token_verification_enabled=False)
        app.command("/new")(print)
        app.view({"type": "view_closed", "callback_id": "newer"})(print)
    assert (surface.names["command"], surface.names["view"]) == (["/new"], ["view_closed", "newer"])


def test_the_databases_password_is_in_no_log_and_no_record(empty_database: Callable[[str], str]) -> None:
    url = make_url(empty_database("postgresql")).set(password=DATABASE_PASSWORD).render_as_string(hide_password=False)
    upgrade(url)
    with world(url) as bot:
        for command in bot.surface.names["command"]:
            bot.slack.command(f"{command} {DATABASE_PASSWORD}", user=bot.user, channel=bot.channel)
        bot.quiet()
        assert not list(found_in_records(bot))
        assert not list(found_in_logs(None, *bot.logs.take()))
        with bot.running.store.reading() as tx:
            assert [row.about for row in tx.audit_rows() if row.about == "/ltv …"]
