"""Wakes things up and holds no logic: what is due, the database says.

Every job runs in a thread of its own kind, never twice at once, and one that fails is logged and tried at its next
turn. The default grace of APScheduler, 1 s, dropped a daily job after a stall of 3.5 s; here a late job runs late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import (  # type: ignore[import-untyped]  # APScheduler 3 has no types
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from bot.domain.slots import next_due

LOOK_EVERY = 1.0
"""Seconds between two looks for messages that another process has left to deliver."""
AFTER_FAILURE = 5.0
"""Seconds until the delivery loop tries again after an error of its own."""
_JOB_DEFAULTS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at `every` so often, at round times of the clock, and once at the start.

    `again`: in between, too, for what failed or was left undone by somebody else.
    """

    name: str
    every: timedelta
    run: Callable[[], object]
    again: timedelta | None = None


class _RoundTimes(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
    """At every multiple of one of `lengths`."""

    def __init__(self, lengths: Iterable[timedelta]) -> None:
        self._lengths = tuple(lengths)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        after = max(previous or now, now).astimezone(UTC)
        return min(next_due(length, after) for length in self._lengths)


class Schedule:
    """Jobs and, where `deliver` is given, a delivery loop, from `start` to `stop`. Nothing happens before `start`."""

    def __init__(self, jobs: Iterable[Job], deliver: Callable[[], object] | None = None) -> None:
        self._jobs = tuple(jobs)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults=_JOB_DEFAULTS,
            executors={"default": ThreadPoolExecutor(max(1, len(self._jobs)))},
        )
        self._scheduler.add_listener(_tell_failed, EVENT_JOB_ERROR)
        self._scheduler.add_listener(_tell_missed, EVENT_JOB_MISSED)
        self._scheduler.add_listener(_tell_skipped, EVENT_JOB_MAX_INSTANCES)
        self._deliveries = Loop("deliver", deliver, LOOK_EVERY) if deliver else None

    def start(self) -> None:
        """Start every job and the delivery loop, each in its own thread."""
        for job in self._jobs:
            trigger = _RoundTimes(length for length in (job.every, job.again) if length is not None)
            self._scheduler.add_job(job.run, trigger, id=job.name, name=job.name, next_run_time=datetime.now(UTC))
        self._scheduler.start()
        if self._deliveries:
            self._deliveries.start()

    def wake_delivery(self) -> None:
        """There is something to deliver: now rather than within a second."""
        if self._deliveries:
            self._deliveries.wake()

    def dead(self) -> list[str]:
        """What should be running and is not."""
        thread = self._scheduler._thread  # it can have died without the scheduler knowing
        dead = [] if thread is not None and thread.is_alive() else ["scheduler"]
        return dead if self._deliveries is None or self._deliveries.is_alive else [*dead, "deliver"]

    def stop(self, within: float) -> None:
        """No more jobs; what is under way gets `within` seconds. What is cut short is taken up after a restart."""
        if self._deliveries:
            self._deliveries.tell_to_stop()
        until = time.monotonic() + within
        if self._scheduler.running:
            ending = threading.Thread(target=self._scheduler.shutdown, name="stop-scheduler", daemon=True)
            ending.start()
            ending.join(within)
        if self._deliveries:
            self._deliveries.join(max(0.0, until - time.monotonic()))


class Loop:
    """Does one thing over and over, at the latest every `every` seconds, at once when woken."""

    def __init__(self, name: str, do: Callable[[], object], every: float) -> None:
        self._name = name
        self._do = do
        self._every = every
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def tell_to_stop(self) -> None:
        self._stopped.set()
        self._woken.set()

    def join(self, within: float) -> None:
        if self._thread.is_alive():
            self._thread.join(within)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            wait = self._every
            try:
                self._do()
            except Exception:  # noqa: BLE001  # the loop must outlive a bug, loudly: without it nothing is said at all
                _log.exception("job_failed", job=self._name)
                wait = AFTER_FAILURE
            self._woken.wait(wait)


def _tell_failed(event: JobExecutionEvent) -> None:
    _log.error("job_failed", job=event.job_id, exc_info=event.exception)


def _tell_missed(event: JobExecutionEvent) -> None:
    _log.warning("job_missed", job=event.job_id, due=event.scheduled_run_time)


def _tell_skipped(event: JobSubmissionEvent) -> None:
    _log.warning("job_still_running", job=event.job_id)
