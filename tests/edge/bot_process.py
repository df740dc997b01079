"""Runs the whole bot as a process, between a price source and a Slack of its own on the loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from bot.workspace import Workspace
from edge.cli_process import ROOT

SECRET = "a signing secret of tests"
TOKEN = "xoxb-1-of-tests"


class Source(ThreadingHTTPServer):
    """Answers as Coinbase does, at `price`, after `pause` seconds; `asked` counts."""

    daemon_threads = True

    def __init__(self, price: str) -> None:
        self.price = price
        self.pause = 0.0
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Ticker)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def setting(self) -> str:
        return f"coinbase=http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Ticker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Source)
        self.server.asked += 1
        time.sleep(self.server.pause)
        now = datetime.now(UTC)
        told = {"price": self.server.price, "volume": str(now.timestamp()), "time": now.isoformat()}
        body = json.dumps({**told, "ask": "1", "bid": "1", "size": "1", "trade_id": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Bot:
    """`plimsoll run`, started, stopped and killed. `log` is what it said on stderr."""

    def __init__(self, directory: Path, workspace: Workspace, source: Source) -> None:
        self.port = free_port()
        self._directory = directory
        self._log = directory / "log"
        self.workspace = workspace
        self.settings = {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": workspace.api_url,
            "ALERT_CHANNEL": "C1",
            "PRICE_SOURCES": source.setting,
            "PRICE_QUORUM": "1",
            "PRICE_EVERY": "1s",
            "PRICE_MAX_JUMP": "0.9",
            "SETTLE_AFTER": "4s",
            "PORT": str(self.port),
            "LOG_FORMAT": "json",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        """Starts one process of it and does not wait."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**kept, "PYTHONPATH": str(ROOT), **self.settings, **settings}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", *arguments],
                cwd=self._directory,
                env=environment,
                stdout=log,
                stderr=log,
            )
        return self.process

    def start_and_wait(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        """Starts it, waits until it serves, and lets the workspace call it."""
        process = self.start(*arguments, **settings)
        eventually(self.serves, "it serves")
        self.workspace.connect(f"http://127.0.0.1:{self.port}/slack/events")
        return process

    def serves(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except (OSError, HTTPException):
            return False

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Status and body of one of its pages."""
        try:
            with urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ends it; its exit code and how many seconds that took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.process = None
        return code, time.monotonic() - began

    def clean_up(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def eventually(check: Callable[[], object], what: str, within: float = 40, every: float = 0.1) -> None:
    """Waits until `check` is true."""
    until = time.monotonic() + within
    while not check():
        assert time.monotonic() < until, f"not within {within} s: {what}"
        time.sleep(every)
