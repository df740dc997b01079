"""Slack's retries: a request that comes again gets the answer it got, and is handled once.

The answers of this process are kept in memory; the database has them for the others. It is written after the
acknowledgement, so that no answer waits for a writer; a retry comes seconds later.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.services.ports import Clock, Reading, Writing

Answer = dict[str, Any]
Later = Callable[[Callable[[], None]], None]

KEPT = 2_000
PATIENCE_S = 2.0
"""How long a retry waits for the first try to come to its answer; Slack waits 3 s."""

_log = structlog.get_logger(__name__)


class ReadsRequests(Protocol):
    def kept_answer(self, request_id: str) -> Answer | None: ...


class WritesRequests(Protocol):
    def first_time(self, request_id: str, at: datetime) -> bool: ...

    def keep_answer(self, request_id: str, answer: Answer) -> None: ...


class RequestStore(Reading[ReadsRequests], Writing[WritesRequests], Protocol):
    """The store, as far as retries need it."""


class StillAnsweringError(Exception):
    """The first try has not come to its answer yet."""


class Requests:
    """What was answered to the requests of the last hour. May be shared between threads."""

    def __init__(self, store: RequestStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Future[Answer]] = OrderedDict()

    def answered(self, request_id: str, answer: Callable[[], Answer], later: Later) -> Answer:
        """The answer to this request: `answer()` the first time, the same one ever after.

        `later` runs what need not be done before the acknowledgement.
        """
        if not request_id:
            return answer()
        with self._lock:
            known = self._answers.get(request_id)
            mine: Future[Answer] = Future()
            if known is None:
                self._answers[request_id] = mine
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
        if known is not None:
            return _awaited(known)
        try:
            given = self._kept(request_id)
            if given is None:
                given = answer()
                kept = given
                later(lambda: self._keep(request_id, kept))
        except BaseException as error:  # whatever it is, a retry that waits for this answer must hear of it
            with self._lock:
                self._answers.pop(request_id, None)
            mine.set_exception(error)
            raise
        mine.set_result(given)
        return given

    def _kept(self, request_id: str) -> Answer | None:
        with self._store.reading() as tx:
            return tx.kept_answer(request_id)

    def _keep(self, request_id: str, answer: Answer) -> None:
        with self._store.writing() as tx:
            if tx.first_time(request_id, self._clock.now()):
                tx.keep_answer(request_id, answer)


def _awaited(first: Future[Answer]) -> Answer:
    try:
        return first.result(timeout=PATIENCE_S)
    except TimeoutError as late:
        raise StillAnsweringError from late
