"""The store: transactions, and what can be asked and done within one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from bot.domain.audit import as_it_is
from bot.store.alert_rows import Alerts
from bot.store.audit import AuditTrail
from bot.store.engine import WRITER_WAIT, reading, writing
from bot.store.fallbacks import Fallbacks
from bot.store.jobs import Jobs
from bot.store.plan_rows import Plans
from bot.store.register import Known, RegisterPart
from bot.store.silences import Silences
from bot.store.slack_cache import SlackCache
from bot.store.ticks import Ticks


class Tx(RegisterPart, Ticks, Alerts, Silences, Plans, Fallbacks, Jobs, SlackCache, AuditTrail):
    """One transaction: everything asked in it is as of one instant, everything done in it happens or does not."""

    def __init__(
        self,
        connection: Connection,
        known: Known,
        clock: Callable[[], datetime] | None = None,
        clean: Callable[[Any], Any] = as_it_is,
    ) -> None:
        RegisterPart.__init__(self, connection, known)
        self._clock = clock
        self._clean = clean


class Store:
    """The database behind `engine`, in transactions. May be shared between threads.

    `now`: what stands for the database's own time, where that must be set by hand. `clean` takes secrets out of what
    goes into the audit log.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime] | None = None, clean: Callable[[Any], Any] = as_it_is
    ) -> None:
        self.engine = engine
        self._known = Known()
        self._now = now
        self._clean = clean

    @contextmanager
    def writing(self, wait: timedelta = WRITER_WAIT) -> Iterator[Tx]:
        """One transaction that may write, after all others; committed at the end, rolled back on any error.

        `wait`: how long its turn may take to come (`ANSWER_WAIT` where somebody waits for an answer), else
        DatabaseUnavailableError. Keep the network out of it: nobody else writes meanwhile.
        """
        with writing(self.engine, wait) as connection:
            yield Tx(connection, self._known, self._now, self._clean)

    @contextmanager
    def sharing(self, wait: timedelta = WRITER_WAIT) -> Iterator[Tx]:
        """One transaction that writes rows which are its own alone, such as a claimed message.

        On PostgreSQL it waits for no other writer; on SQLite there is one at a time. `wait` as in `writing`.
        """
        with writing(self.engine, wait, turn=False) as connection:
            yield Tx(connection, self._known, self._now, self._clean)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """One transaction that only reads, as of one instant. It waits for no writer."""
        with reading(self.engine) as connection:
            yield Tx(connection, self._known, self._now, self._clean)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()
