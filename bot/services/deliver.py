"""Takes what the outbox holds to Slack: in order, once, and never lost.

The invariant: an attempt is committed when the line to Slack stands and before the message goes onto it, so a message
is at every instant known not to be in Slack, known to be there, or *perhaps* there. Perhaps is settled by looking for
its delivery id in the channel (or thread): found, it is delivered; not found at a look past `settle_after` from the
attempt (more than the client's time-out), it is sent again. Beyond that bound a duplicate is possible, a loss is not.

An edit cannot be looked for, and one that arrives late would undo a newer one: where its outcome is unknown, nothing of
its stream goes out until `settle_after` has passed, and then only the newest state.

An edit that has nothing to change is posted afresh, and is a post from then on.

A row is a worker's by a lease in the database's own time, for `settle_after`. A worker that was frozen finds its claim
gone, or, between the attempt and the wire, finds that it has been asleep; then it says nothing.

What the network did comes back as an `Outcome`, sorted by the reaction it needs; nothing here catches exceptions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from bot.domain.terms import Level
from bot.services.messaging import Fate, MayLeave, Messenger, OutboxStore, Outcome, Row
from bot.services.pacing import Pace
from bot.services.ports import Clock

SETTLE_AFTER = timedelta(seconds=20)
LONGEST_WAIT = timedelta(seconds=60)
MENDED_WITHIN = timedelta(days=1)
HOPELESS = frozenset(
    {"cannot_reply_to_message", "messages_tab_disabled", "restricted_action_thread_locked", "thread_not_found"}
)
"""Refusals that nobody mends: the message has no place to go to. Any other (a token, a channel) is waited out."""
BATCH = 500
MOST_LANES = 3
"""So many messages are on their way at once where several channels have some: none waits for another's answer."""
LEAST_AWAKE_S = 0.5
"""A machine under load may take so long to record an attempt and put the message onto the wire."""
UNREACHABLE_IN_A_ROW = 2
"""After so many silences the run ends: there is no point in waiting for a time-out once a message."""

__all__ = ["Delivery", "Fate", "Messenger", "Outcome"]

_log = structlog.get_logger(__name__)


def _unheard(_kind: str, _outcome: Outcome) -> None:
    """Nobody counts."""


def _untimed(_kind: str, _seconds: float) -> None:
    """Nobody measures."""


class _Attempt:
    """What a messenger asks last of all: records the attempt, then sees whether it fell asleep over it.

    `made`: the message has perhaps left. Asked twice where a message is sent twice (its words without its looks).
    """

    def __init__(self, record: Callable[[], bool], awake_s: float) -> None:
        self._record = record
        self._awake_s = awake_s
        self.made = False

    def __call__(self) -> bool:
        until = time.monotonic() + self._awake_s
        if not self._record():
            return False
        self.made = True
        return time.monotonic() <= until


class Delivery:
    """One deliverer; several over one database share the work by leases. `run_once` may be called from any thread.

    `tell` hears the kind and outcome of every call, `tell_dwell` the kind of each message that is in Slack and how many
    seconds it took from what it tells of (metrics). `sleep` waits for a channel's turn.
    """

    def __init__(  # noqa: PLR0913  (every part of it by name)
        self,
        store: OutboxStore,
        messenger: Messenger,
        clock: Clock,
        worker_id: str,
        *,
        settle_after: timedelta = SETTLE_AFTER,
        pace: Pace | None = None,
        sleep: Callable[[float], object] | None = None,
        tell: Callable[[str, Outcome], None] = _unheard,
        tell_dwell: Callable[[str, float], None] = _untimed,
    ) -> None:
        self._store = store
        self._messenger = messenger
        self._clock = clock
        self._worker = worker_id
        self._settle_after = settle_after
        self._awake_s = max(settle_after.total_seconds() / 10, LEAST_AWAKE_S)
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._tell = tell
        self._tell_dwell = tell_dwell
        self._running = threading.Lock()
        self._held_until: dict[str, datetime] = {}
        self._silences = 0
        self._seen: set[int] = set()
        self._choosing = threading.Lock()
        self._in_hand: set[str] = set()
        """Channels with a message on its way: what Slack says of one counts for the next."""
        self.rounds = 0
        """How many runs have ended: before the first, Slack has not had its chance."""

    def run_once(self) -> int:
        """Delivers everything that is due, the most severe first; how many messages are in Slack now.

        Returns 0 at once where another thread is at it. A waiting row is tried again by a later run.
        """
        if not self._running.acquire(blocking=False):
            return 0
        try:
            return self._run()
        finally:
            self.rounds += 1
            self._running.release()

    def stop(self) -> None:
        """What is under way is finished; nothing more is begun."""
        self._stopping.set()

    def _run(self) -> int:
        with self._store.reading() as tx:
            if not tx.has_pending():
                return 0
        self._silences, self._seen = 0, set()
        lanes = min(len({row.channel for row in self._open_rows()}), MOST_LANES)
        if lanes < 2:
            return self._lane()
        with ThreadPoolExecutor(lanes, thread_name_prefix="lane") as threads:
            return sum(lane.result() for lane in [threads.submit(self._lane) for _ in range(lanes)])

    def _lane(self) -> int:
        """Takes one message after another, whatever channel it is for, until nothing is due; how many are in Slack."""
        done = 0
        while self._silences < UNREACHABLE_IN_A_ROW and not self._stopping.is_set():
            with self._choosing:
                row, wait = self._choose()
            if row is None:
                break
            if wait:
                self._sleep(wait)  # then look again: something more severe may have come
                continue
            try:
                done += self._take(row.id)
            finally:
                self._in_hand.discard(row.channel)
        return done

    def _choose(self) -> tuple[Row | None, float]:
        """What goes next, and how long its channel has to wait; None: nothing is due that this run may take now."""
        rows = self._open_rows()
        if not rows:
            return None, 0.0
        row, wait = self._pace.next_of(rows)
        if not wait:
            self._seen.add(row.id)
            self._in_hand.add(row.channel)
        return row, wait

    def _open_rows(self) -> list[Row]:
        with self._store.sharing() as tx:
            now = tx.database_now()
            rows: list[Row] = [row for row in tx.due(self._settle_after, BATCH) if row.id not in self._seen]
        return [row for row in rows if row.channel not in self._in_hand and not self._held(row, now)]

    def _held(self, row: Row, now: datetime) -> bool:
        """Whether Slack asked to leave the row's channel alone for a while."""
        until = self._held_until.get(row.channel)
        if until is None or until <= now:
            self._held_until.pop(row.channel, None)
            return False
        return True

    def _take(self, row_id: int) -> bool:
        """One message, if nobody else has it; whether it is in Slack now."""
        with self._store.sharing() as tx:
            row: Row | None = tx.claim(row_id, self._worker, self._settle_after)
        if row is None:
            return False
        if row.outcome_unknown and row.kind in ("post", "reply"):
            return self._settle(row)
        return self._send(row)

    def _settle(self, row: Row) -> bool:
        """A message that is perhaps in Slack: look for it, and send it again only once it would have shown."""
        looked_at = self._database_now()
        found = self._messenger.find(_channel(row), row.delivery_id, row.created_at, _thread(row))
        self._heard("find", found)
        if found.fate is Fate.SENT:
            return self._delivered(row, found.ts)
        attempted = row.attempted_at or looked_at
        settled_at = attempted + self._settle_after
        if found.fate in (Fate.RETRY, Fate.UNKNOWN):
            return self._put_off(row, found, found.after or _longer(looked_at - attempted), unknown=True)
        if looked_at < settled_at:
            return self._put_off(row, found, settled_at - looked_at, unknown=True)
        with self._store.sharing() as tx:  # absent; or nobody may look: then a duplicate is better than a loss
            mine = tx.looked(row.id, self._worker)
        return self._send(row) if mine else self._lost(row)

    def _send(self, row: Row) -> bool:
        if row.newest is None and row.kind == "reply":
            return self._give_up(row, "no_post_to_reply_to")
        if row.newest is None and row.kind == "edit":
            return self._nothing_to_edit(row)
        attempt = _Attempt(lambda: self._attempted(row), self._awake_s)
        outcome = self._call(row, attempt)
        self._heard(row.kind, outcome)
        match outcome.fate:
            case Fate.SENT:
                return self._delivered(row, outcome.ts)
            case Fate.GONE if row.kind == "edit":
                return self._nothing_to_edit(row)
            case Fate.UNKNOWN if attempt.made:
                settles = row.kind in ("edit", "continued")
                wait = self._settle_after if settles else _backoff(row.attempts + 1)
                return self._put_off(row, outcome, wait, unknown=True)
            case Fate.RETRY | Fate.UNKNOWN:
                if outcome.after is not None:
                    self._held_until[row.channel] = self._database_now() + outcome.after
                return self._put_off(row, outcome, outcome.after or _backoff(row.attempts + 1), unknown=False)
            case Fate.PERMANENT if self._may_be_mended(row, outcome):
                return self._refused(row, outcome)
            case _:
                return self._give_up(row, outcome.reason)

    def _attempted(self, row: Row) -> bool:
        with self._store.sharing() as tx:
            return tx.attempted(row.id, self._worker)

    def _call(self, row: Row, may_leave: MayLeave) -> Outcome:
        """The one network call that the row is about."""
        if row.kind == "continued":
            told = row.message
            newer = (told["newer_channel"], told["newer_ts"])
            return self._messenger.continued(row.channel, told["ts"], *newer, may_leave=may_leave)
        if row.kind == "edit" and row.newest is not None:
            return self._messenger.edit(row.newest.channel, row.newest.ts, row.message, may_leave=may_leave)
        return self._messenger.post(_channel(row), row.message, row.delivery_id, _thread(row), may_leave=may_leave)

    def _nothing_to_edit(self, row: Row) -> bool:
        """The post is gone, or never got to Slack: an alert must stand somewhere; anything else is of no use now."""
        if row.alert_id is None:
            with self._store.sharing() as tx:
                mine = tx.dropped(row.id, self._worker, "nothing_to_edit")
            return False if mine else self._lost(row)
        with self._store.sharing() as tx:
            mine = tx.post_afresh(row.id, self._worker)
            post: Row = tx.outbox_row(row.id)
        return self._send(post) if mine else self._lost(row)

    def _delivered(self, row: Row, ts: str) -> bool:
        """It is in Slack; an older post of its alert is to say where it goes on, with this and not a call later."""
        now = self._clock.now()
        with self._store.sharing() as tx:
            older = tx.delivered(row.id, ts, now)
            if older is not None and older.ts != ts:
                tx.enqueue(
                    alert_id=None,
                    stream=f"continued:{older.channel}:{older.ts}",
                    kind="continued",
                    channel=older.channel,
                    message={"ts": older.ts, "newer_channel": row.channel, "newer_ts": ts},
                    level=Level.OK,
                    at=now,
                )
        self._tell_dwell(row.kind, max((now - row.created_at).total_seconds(), 0.0))
        return True

    def _put_off(self, row: Row, outcome: Outcome, wait: timedelta, *, unknown: bool) -> bool:
        with self._store.sharing() as tx:
            mine = tx.retry(row.id, self._worker, wait, outcome.reason, unknown)
        if not mine:
            return self._lost(row)
        _log.warning("delivery_put_off", row=row.id, kind=row.kind, reason=outcome.reason, seconds=wait.total_seconds())
        return False

    def _lost(self, row: Row) -> bool:
        """This worker was away for so long that another has taken over."""
        _log.warning("delivery_claim_lost", row=row.id, kind=row.kind)
        return False

    def _may_be_mended(self, row: Row, outcome: Outcome) -> bool:
        """A token or a channel can be, for a day; after that it would only hold up what is said elsewhere."""
        waited = self._clock.now() - row.created_at
        return outcome.reason not in HOPELESS and waited < MENDED_WITHIN

    def _refused(self, row: Row, outcome: Outcome) -> bool:
        """Slack takes nothing like this until somebody mends it: loud, and tried again once a minute until then."""
        self._put_off(row, outcome, LONGEST_WAIT, unknown=False)
        _log.error("delivery_refused", row=row.id, kind=row.kind, channel=row.channel, reason=outcome.reason)
        return False

    def _give_up(self, row: Row, reason: str) -> bool:
        with self._store.sharing() as tx:
            mine = tx.failed(row.id, self._worker, reason, self._clock.now())
        if mine:
            _log.error(
                "delivery_failed", row=row.id, kind=row.kind, channel=row.channel, stream=row.stream, reason=reason
            )
        return False

    def _database_now(self) -> datetime:
        with self._store.reading() as tx:
            return tx.database_now()

    def _heard(self, kind: str, outcome: Outcome) -> None:
        self._tell(kind, outcome)
        silent = outcome.reason in ("unreachable", "time_out", "line_cut")
        self._silences = self._silences + 1 if silent else 0


def _thread(row: Row) -> str | None:
    return row.newest.ts if row.kind == "reply" and row.newest is not None else None


def _channel(row: Row) -> str:
    """A reply goes where its post is, which another ALERT_CHANNEL since has not moved."""
    return row.newest.channel if row.kind == "reply" and row.newest is not None else row.channel


def _backoff(attempts: int) -> timedelta:
    """1, 2, 4 … 60 s."""
    return min(timedelta(seconds=2 ** min(max(attempts - 1, 0), 10)), LONGEST_WAIT)


def _longer(waited: timedelta) -> timedelta:
    """As long again as it has been, from 1 to 60 s: doubles without counting."""
    return min(max(waited, timedelta(seconds=1)), LONGEST_WAIT)
