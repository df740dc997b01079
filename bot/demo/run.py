"""Puts the demo together: a workspace, a market, a treasury, and the very same bot between them."""

from __future__ import annotations

import logging
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.app import Running, build
from bot.demo.story import STORY, StoryClock, price_at
from bot.logs import configure_logs
from bot.prices.simulated import SimulatedVenues
from bot.services.importing import import_file
from bot.services.ports import Clock, SystemClock
from bot.settings import GivenSettings, LogFormat, Settings
from bot.store.migrate import upgrade
from bot.treasury_file import read_file
from bot.web import create_wsgi
from bot.workspace import Workspace

EXAMPLE = "cango.toml"
CHANNEL, ESCALATION_CHANNEL, LENDER_CHANNEL = "C0TREASURY", "C0ESCALATION", "C0LENDERS"
AUDIT_CHANNEL = "C0AUDIT"
APPROVAL_CHANNEL = "C0APPROVAL"
TREASURER, OFFICER, GUEST = "U0TREASURER", "U0OFFICER", "U0GUEST"
OFFICERS = "S0OFFICERS"
SIMULATED = (
    "Simulated: published bitcoin prices of October 2025 to February 2026, in fast motion; assumed loan terms, "
    "an invented notice; no real Slack, no real money."
)
LIVE = "Live prices on an example treasury with assumed loan terms; no real Slack, no real money."
COMMANDS = {
    "/ltv": "every loan against its lines; /ltv -20% or /ltv at 55000 asks what if",
    "/holdings": "coins, cash and debt",
    "/sales": "what to sell, pledge or repay; /sales -20% or /sales at 55000 asks what if",
    "/production": "coins mined and sold; /production 2026-01, ytd or sites",
    "/alerts": "what is open and in whose hands; /alerts silence asks for silence",
    "/digest": "this week so far; /digest last: the week that ended",
    "/record": "movements, statements, notices, new terms, waivers; /record claims: what waits to be confirmed",
    "/plimsoll": "help and health",
}
STOP_WITHIN = 3.0


def run_demo(*, port: int, live: bool) -> None:
    """Serves the demo on 127.0.0.1 until it is told to stop. OSError where `port` is taken."""
    configure_logs(LogFormat.TEXT)
    logging.getLogger().setLevel("WARNING")
    clock = StoryClock(STORY[0].at)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with demo(port, None if live else clock) as (workspace, running):
        print(f"Open {workspace.url}", flush=True)  # noqa: T201  (the one thing that this command says)
        if live:
            told.wait()
        else:
            play(running, clock, told)


@contextmanager
def demo(port: int, story: StoryClock | None) -> Iterator[tuple[Workspace, Running]]:
    """The workspace and the bot, running; `story` None: the real sources and the real clock."""
    secret, token = secrets.token_hex(16), f"xoxb-{secrets.token_hex(16)}"
    clock: Clock = story or SystemClock()
    workspace = _workspace(secret, token, clock, SIMULATED if story else LIVE)
    workspace.start(port)
    with TemporaryDirectory(prefix="plimsoll-demo-") as folder:
        settings = _settings(Path(folder), secret, token, workspace.api_url, fast=story is not None)
        upgrade(settings.database_url.get_secret_value())
        http = httpx.Client(transport=SimulatedVenues(price_at, clock)) if story else httpx.Client()
        running = build(settings, clock=clock, http=http)
        record(running)
        with _served(create_wsgi(running)) as address:
            workspace.connect(f"{address}/slack/events")
            running.start(works=True, answers=True)
            try:
                yield workspace, running
            finally:
                workspace.stop()
                running.stop(STOP_WITHIN)


def play(running: Running, clock: StoryClock, told: threading.Event) -> None:
    """Takes the clock from waypoint to waypoint, then lets it run, until `told` to stop."""
    for waypoint in STORY:
        with running.turn:  # so that no check holds the new time against the old price
            clock.jump(waypoint.at)
        if waypoint.recorded:
            record(running, waypoint.recorded)
        if told.wait(waypoint.stay):
            return
    told.wait()


def record(running: Running, more: str = "") -> None:
    """Imports the example treasury, and `more` of its file, by the same door as `plimsoll import`."""
    text = (files("bot.examples") / EXAMPLE).read_text(encoding="utf-8")
    import_file(running.store, read_file, EXAMPLE, text + more, clock=running.clock, by="demo")


def _workspace(secret: str, token: str, clock: Clock, note: str) -> Workspace:
    workspace = Workspace(secret, token, clock=clock.now, note=note, team_name="Cango treasury")
    workspace.add_user(TREASURER, name="Ada Byron")
    workspace.add_user(OFFICER, name="Grace Hopper")
    workspace.add_user(GUEST, name="A guest", is_restricted=True)
    workspace.add_channel(CHANNEL, name="treasury")
    workspace.add_channel(ESCALATION_CHANNEL, name="treasury-escalation")
    workspace.add_channel(AUDIT_CHANNEL, name="treasury-audit")
    workspace.add_channel(APPROVAL_CHANNEL, name="treasury-approvals")
    workspace.add_usergroup(OFFICERS, [OFFICER])
    workspace.add_channel(LENDER_CHANNEL, name="lender-desk", is_ext_shared=True)
    workspace.commands = COMMANDS
    return workspace


def _settings(folder: Path, secret: str, token: str, api_url: str, *, fast: bool) -> Settings:
    return GivenSettings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'demo.db'}",
            "slack_bot_token": token,
            "slack_signing_secret": secret,
            "slack_api_url": api_url,
            "alert_channel": CHANNEL,
            "escalation_channel": ESCALATION_CHANNEL,
            "escalation_group": OFFICERS,
            "audit_channel": AUDIT_CHANNEL,
            "approval_channel": APPROVAL_CHANNEL,
            "operators": TREASURER,
            "approvers": OFFICERS,
            "price_every": "1s" if fast else "10s",
        }
    )


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the terminal has one line, the address to open."""


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    """Serves the bot's own HTTP side on a free port of 127.0.0.1; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name="bot", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(STOP_WITHIN)
        server.server_close()
