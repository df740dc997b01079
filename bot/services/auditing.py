"""What people ask, and what is refused them, on its way into the audit log.

A question changes nothing and its answer waits for no writer, so what was asked is written after the answer. A change
does not come this way: it is recorded in its own transaction.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bot.domain.audit import Entry, What
from bot.services.ports import Clock, KeepsAudit

MOST_WAITING = 10_000
"""Entries kept here while the database cannot be written: some MB, and hours of questions."""
PATIENCE = timedelta(seconds=15)
"""How long entries wait for their turn to be written; after that they wait for the next time."""
_log = structlog.get_logger(__name__)


class AuditStore(Protocol):
    """The store, as far as this needs it."""

    def writing(self, wait: timedelta = ...) -> AbstractContextManager[KeepsAudit]: ...


class Auditing:
    """Keeps what is to be recorded until it is. May be shared between threads.

    `run_later` runs what need not be done before the answer; `unavailable` are the store's ways to say "not now".
    """

    def __init__(
        self,
        store: AuditStore,
        clock: Clock,
        run_later: Callable[[Callable[[], None]], None],
        unavailable: tuple[type[Exception], ...] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._run_later = run_later
        self._unavailable = unavailable
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: deque[Entry] = deque()
        self._is_due = False

    def note(self, actor: str, what: What, about: str, detail: Mapping[str, Any]) -> None:
        """Has it recorded with this instant, soon. Nobody waits, and no error comes of it."""
        entry = Entry(self._clock.now(), actor, what, about, detail)
        with self._lock:
            self._waiting.append(entry)
            too_many = [self._waiting.popleft() for _ in range(len(self._waiting) - MOST_WAITING)]
            was_due, self._is_due = self._is_due, True
        for lost in too_many:
            _log.error("audit_entry_lost", at=lost.at.isoformat(), actor=lost.actor, what=lost.what, about=lost.about)
        if not was_due:
            self._soon()

    def flush(self, within: timedelta = PATIENCE) -> None:
        """Writes all that waits, in the order it came, as one transaction.

        Where the database cannot take it `within` that time, it waits on.
        """
        if not self._writing.acquire(timeout=within.total_seconds()):
            with self._lock:
                self._is_due = False  # the next note asks again
            return
        try:
            self._flush(within)
        finally:
            self._writing.release()

    def _flush(self, within: timedelta) -> None:
        with self._lock:
            entries, self._waiting = list(self._waiting), deque()
            self._is_due = False
        try:
            if entries:
                self._write(entries, within)
        except BaseException as error:  # whatever it is, the entries must wait for the next flush
            with self._lock:
                self._waiting.extendleft(reversed(entries))
            if not isinstance(error, self._unavailable):
                raise
            _log.warning("audit_waits", entries=len(entries), error=str(error))

    def _write(self, entries: list[Entry], within: timedelta) -> None:
        with self._store.writing(within) as tx:
            for entry in entries:
                tx.add_audit(entry)

    def _soon(self) -> None:
        try:
            self._run_later(self.flush)
        except RuntimeError:  # the executor has ended: `flush` is called once more before the store is closed
            _log.info("audit_at_the_end")
