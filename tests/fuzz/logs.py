"""Everything the bot logs, as it would be written to stderr, in both formats. With `everything`, also the lines for
debugging, of ours and of the libraries, which a bot that runs leaves out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager, redirect_stderr
from io import StringIO

import structlog

from bot.logs import configure_logs

_SQL = ("sqlalchemy",)
"""Logs each statement at INFO where it is on when an engine is made: no setting of ours puts it on."""


class Logs(AbstractContextManager["Logs"]):
    """While it is entered, what is logged is kept until it is taken."""

    def __init__(self, secrets: Iterable[str], *, everything: bool = False) -> None:
        self._secrets, self._everything = tuple(secrets), everything
        self._levels: dict[str, int] = {}
        self._text, self._json = StringIO(), StringIO()

    def __enter__(self) -> Logs:
        root = logging.getLogger()
        self._before = root.handlers[:], root.level
        handlers: list[logging.Handler] = []
        for form, stream in (("text", self._text), ("json", self._json)):
            with redirect_stderr(stream):
                configure_logs(form, self._secrets)
            handlers += root.handlers
        root.handlers[:] = handlers
        self.open_up()
        return self

    def open_up(self) -> None:
        """With `everything`: every level of every logger there is by now."""
        if not self._everything:
            return
        logging.getLogger().setLevel(logging.DEBUG)
        known = [one for one in logging.Logger.manager.loggerDict if not one.startswith(_SQL)]
        self._levels = {name: logging.getLogger(name).level for name in known}
        for name in known:
            logging.getLogger(name).setLevel(logging.NOTSET)

    def take(self) -> tuple[str, str]:
        """What was logged since the last time: as text, as JSON."""
        taken = self._text.getvalue(), self._json.getvalue()
        for stream in (self._text, self._json):
            stream.seek(0)
            stream.truncate()
        return taken

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.handlers[:], level = self._before
        root.setLevel(level)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        structlog.reset_defaults()
