"""What the scheduler wakes a running bot for, and how often: each process of a role for itself, or one for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.slots import Claim
from bot.heartbeat import EVERY as PING_EVERY
from bot.illustrating import WITHIN as PICTURE_WITHIN
from bot.schedule import Job
from bot.services.digest import JOB as DIGEST
from bot.services.interest import JOB as INTEREST
from bot.services.month_end import JOB as MONTH_END
from bot.services.turns import LEASE
from bot.services.weekend import JOB as WEEKEND

if TYPE_CHECKING:
    from bot.app import Running

CACHE_EVERY = timedelta(minutes=10)
CACHE_LEASE = timedelta(minutes=5)
THIN_EVERY = timedelta(days=1)
FALLBACK_EVERY = timedelta(seconds=5)
CONNECT_EVERY = timedelta(seconds=15)
BEAT_EVERY = timedelta(seconds=15)
DIGEST_EVERY = timedelta(minutes=1)
"""How often it is asked whether a week or month has ended: they are due on whole minutes."""
DIGEST_LEASE = LEASE + PICTURE_WITHIN
INTEREST_EVERY = timedelta(minutes=1)
WEEKEND_EVERY = timedelta(minutes=1)
TOKEN_EVERY = timedelta(minutes=1)
AUDIT_EVERY = timedelta(seconds=15)
"""How often what could not be recorded of questions is tried again."""
AGAIN_EVERY = timedelta(seconds=15)
"""How often a slot that somebody left undone is looked for."""


def jobs_of(running: Running, *, works: bool, answers: bool) -> Iterator[Job]:
    """Every job of a process that `works` (polls, checks, posts), `answers`, or both."""
    settings, watched = running.settings, running.troubles_of_jobs.watched
    yield Job("beat", BEAT_EVERY, watched("beat", running.beat))
    yield Job("token", TOKEN_EVERY, running.know_token)
    if answers:
        yield Job("audit", AUDIT_EVERY, running.audit.flush)
        yield _shared(running, "refresh", CACHE_EVERY, lambda _: running.access.refresh(), CACHE_LEASE)
    if answers and settings.socket_mode:
        yield Job("connect", CONNECT_EVERY, running.connect)
    if not works:
        return
    yield _shared(running, "poll_and_check", settings.price_every, running.poll_and_check)
    yield _shared(running, "thin", THIN_EVERY, lambda _: running.thin())
    yield _shared(running, INTEREST, INTEREST_EVERY, lambda _: running.remind_of_interest())
    yield _shared(running, WEEKEND, WEEKEND_EVERY, lambda _: running.speak_of_weekends())
    if settings.digest_channel:
        yield Job(DIGEST, DIGEST_EVERY, watched(DIGEST, running.post_digest), again=AGAIN_EVERY)
        yield Job(MONTH_END, DIGEST_EVERY, watched(MONTH_END, running.post_month_end), again=AGAIN_EVERY)
    if running.ping is not None:
        yield _shared(running, "ping", PING_EVERY, running.ping)
    if settings.fallback_urls:
        yield Job("fallback", FALLBACK_EVERY, watched("fallback", running.fall_back))


def _shared(
    running: Running, name: str, every: timedelta, work: Callable[[Claim], object], lease: timedelta = LEASE
) -> Job:
    """A job that one process does for all, a slot at a time."""
    take = partial(running.turns.take, name, every, work, lease)
    return Job(name, every, running.troubles_of_jobs.watched(name, take), again=AGAIN_EVERY)
