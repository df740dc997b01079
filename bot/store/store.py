"""The store: transactions, and what can be asked and done within one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, Engine

from bot.store.alert_rows import Alerts
from bot.store.engine import WRITER_WAIT, reading, writing
from bot.store.outbox import OutboxPart
from bot.store.register import Known, RegisterPart
from bot.store.silences import Silences
from bot.store.slack_cache import SlackCache
from bot.store.ticks import Ticks


class Tx(RegisterPart, Ticks, Alerts, Silences, OutboxPart, SlackCache):
    """One transaction: everything asked in it is as of one instant, everything done in it happens or does not."""

    def __init__(self, connection: Connection, known: Known) -> None:
        RegisterPart.__init__(self, connection, known)


class Store:
    """The database behind `engine`, in transactions. May be shared between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known = Known()

    @contextmanager
    def writing(self, wait: timedelta = WRITER_WAIT) -> Iterator[Tx]:
        """One transaction that may write, after all others; committed at the end, rolled back on any error.

        `wait`: how long its turn may take to come (`ANSWER_WAIT` where somebody waits for an answer), else
        DatabaseUnavailableError. Keep the network out of it: nobody else writes meanwhile.
        """
        with writing(self.engine, wait) as connection:
            yield Tx(connection, self._known)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """One transaction that only reads, as of one instant. It waits for no writer."""
        with reading(self.engine) as connection:
            yield Tx(connection, self._known)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()
