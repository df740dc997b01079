"""What is served over HTTP: Slack's requests, health and metrics; and the processes that serve it.

One gunicorn worker of threads: answers come from the local database in milliseconds. The arbiter imports everything
before it forks, so that both processes share those pages, and builds nothing: connections and threads begin in the
worker.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Response, jsonify
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # has no types
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.app import Running, build, role_of
from bot.health import readiness
from bot.settings import Settings
from bot.slack.web import slack_blueprint

THREADS = 8
STOP_WITHIN = 6.0
"""Seconds for what is under way when the process is told to stop; the platform kills after ten."""
RECEIVED_WITHIN, RECEIVED_IN_A_CROWD = 5.0, 0.3
"""Seconds that a request may take to arrive, and how many where it keeps the last thread from others: Slack's arrive at
once, and it waits 3 s for each."""
_LOOK_EVERY = 0.1
_PORT_FREED_WITHIN = 1.0
_PR_SET_PDEATHSIG = 1
_log = structlog.get_logger()


def create_wsgi(running: Running, *, answers: bool = True) -> Flask:
    """The HTTP side of a running bot. Without `answers` it has no route for Slack."""
    wsgi = Flask("bot.web", static_folder=None)

    @wsgi.get("/healthz")
    def healthz() -> tuple[Response, int]:
        dead = running.dead_threads()
        return jsonify(ok=not dead, dead=dead), 503 if dead else 200

    @wsgi.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = readiness(running)
        return jsonify(found), 200 if found["ready"] else 503

    @wsgi.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(running.metrics.registry), content_type=CONTENT_TYPE_LATEST)

    if answers and not running.settings.socket_mode:
        wsgi.register_blueprint(slack_blueprint(running.slack_app, running.signing_secret))
    return wsgi


def serve(settings: Settings, port: int, *, works: bool, answers: bool) -> int:
    """Serves until told to stop; the exit code. `works`: it polls, checks and posts. `answers`: it answers Slack.

    OSError where it cannot listen, socket.gaierror or UnicodeError where HOST is no address.
    """
    listener = _listen(settings.host, port)
    host, port = listener.getsockname()[:2]
    role = role_of(works=works, answers=answers)
    _log.info("listening", host=host, port=port, role=role, socket_mode=answers and settings.socket_mode)
    try:
        _Server(settings, listener.fileno(), works=works, answers=answers).run()
    except SystemExit as stopped:
        return 1 if stopped.code else 0
    return 0


def serve_worker(settings: Settings) -> int:
    """Polls, checks and posts until told to stop, without HTTP; the exit code."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    running = build(settings)
    running.start(works=True, answers=False)
    _log.info("working", role="worker")
    told.wait()
    running.stop(STOP_WITHIN)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. A port that a killed process of ours held is free a moment after it died.

    OSError where it cannot listen, socket.gaierror or UnicodeError where `host` is no address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)  # create_server hides which error it was
    until = time.monotonic() + _PORT_FREED_WITHIN
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
            time.sleep(0.1)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one worker, configured here and nowhere else: no file, no environment, no command line."""

    def __init__(self, settings: Settings, descriptor: int, *, works: bool, answers: bool) -> None:
        self._settings = settings
        self._descriptor = descriptor
        self._works = works
        self._answers = answers
        self._running: Running | None = None
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": f"fd://{self._descriptor}",
            "workers": 1,
            "threads": THREADS,
            "worker_class": _Worker,
            "graceful_timeout": int(STOP_WITHIN) + 2,
            "timeout": 60,
            "keepalive": 5,
            "control_socket_disable": True,
            "logger_class": _GunicornLogger,
            "pre_fork": _before_fork,
            "post_fork": _after_fork,
            "worker_exit": self._stop,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in the worker, after the fork."""
        self._running = build(self._settings)
        self._running.start(works=self._works, answers=self._answers)
        return create_wsgi(self._running, answers=self._answers)

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._running is not None:
            self._running.stop(STOP_WITHIN)


class _Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads that do not wait for whoever sends half a request: gunicorn's would for ever, and eight such leave Slack
    without an answer. What such a one would still send is not read any more; what was read in time is answered."""

    def init_process(self) -> None:
        self._since: dict[Any, float] = {}
        self._some = threading.Event()
        threading.Thread(target=self._hurry, name="hurry", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """One request of one connection, in a thread of the pool."""
        self._since[conn] = time.monotonic()
        self._some.set()
        try:
            return super().handle(conn)
        finally:
            self._since.pop(conn, None)

    def _hurry(self) -> None:
        while self._some.wait():
            time.sleep(_LOOK_EVERY)
            self._some.clear()
            under_way = list(self._since.items())
            patience = RECEIVED_WITHIN if len(under_way) < THREADS else RECEIVED_IN_A_CROWD
            for conn, since in under_way:
                if time.monotonic() - since > patience:
                    with suppress(OSError):  # it is gone by itself
                        conn.sock.shutdown(socket.SHUT_RD)
            if self._since:
                self._some.set()


class _GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Lets gunicorn speak through our own log, and only when something is the matter."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002
        self.error_log.setLevel("WARNING")
        self.error_log.propagate = True
        self.access_log.setLevel("WARNING")


def _before_fork(_server: Any, _worker: Any) -> None:
    """What is imported by now stays as it is, in pages that both processes share."""
    gc.collect()
    gc.freeze()


def _after_fork(server: Any, _worker: Any) -> None:
    """A worker must not outlive its arbiter: it would keep the port, and work beside the next one. Told to stop before
    it has handlers of its own, it goes at once: it has the arbiter's, and would take the signal for news."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server.pid:
            os._exit(1)  # it died between the fork and here
