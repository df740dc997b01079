"""The life of an alert, decided in one pure place.

A check says what it finds now (`Finding`); `decide` holds that against the alert as it was (`Alert`) and returns what
changes and why (`Transition`). Invariants: getting worse is immediate; what eases or closes has been clear for
`clear_after` at accepted prices; nothing opens, eases or closes on a price that isn't one; every transition that
people see has a reason of `Reason`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from bot.domain.terms import Level


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody asked to be quiet about: `checks` are families of keys ("covenant"), no `subjects` means all.

    It quiets whatever its alerts have to say but what cannot wait: an accelerated or liquidation line, and the marks
    of an open call's clock.
    """

    id: int
    checks: frozenset[str]
    subjects: frozenset[str]
    reason: str
    by: str
    at: datetime
    until: datetime

    def covers(self, key: str, now: datetime) -> bool:
        """Whether it is in force at `now` and is about the alert of `key`."""
        if not self.at <= now < self.until or family(key) not in self.checks:
            return False
        return not self.subjects or subject(key) in self.subjects


def family(key: str) -> str:
    """The check that an alert comes from: "covenant" of "covenant:group:antalpha-all"."""
    return key.partition(":")[0]


def subject(key: str) -> str:
    """What an alert is about: "antalpha-all" of "covenant:group:antalpha-all"; "" of "price"."""
    rest = key.partition(":")[2]
    return rest.removeprefix("group:") if family(key) == "covenant" else rest


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When alerts clear, speak again and go further. None switches repeats, edits, expiry, escalation, flapping off."""

    clear_margin: Fraction = Fraction(1, 100)
    clear_after: timedelta = timedelta(minutes=10)
    repeat_every: timedelta | None = timedelta(minutes=30)
    edit_every: timedelta | None = timedelta(minutes=1)
    price_critical_after: timedelta = timedelta(minutes=10)
    ack_expires: timedelta | None = timedelta(hours=8)
    escalate_after: timedelta | None = None
    flap_limit: int | None = 4
    silences: tuple[Silence, ...] = ()


class Change(StrEnum):
    """What happens to an alert; the first five are what a replay prints."""

    OPENED = "opened"
    WORSE = "worse"
    EASED = "eased"
    REMINDER = "reminder"
    CLOSED = "closed"
    NOTED = "noted"
    REPEATED = "repeated"
    UPDATED = "updated"
    KEPT = "kept"


class Reason(StrEnum):
    """Why; one of these goes with every transition, into the log, the history and the metrics."""

    FIRST_SEEN = "first_seen"
    HIGHER_LEVEL = "higher_level"
    WORSE_TIER = "worse_tier"
    LINE_CLEARED = "line_cleared"
    ALL_CLEAR = "all_clear"
    NOTICE_RECORDED = "notice_recorded"
    NOTICE_CHANGED = "notice_changed"
    NOTICE_ENDED = "notice_ended"
    CLOCK_MARK = "clock_mark"
    DEADLINE_MISSED = "deadline_missed"
    UNANSWERED = "unanswered"
    NEW_NUMBERS = "new_numbers"
    NOTHING_NEW = "nothing_new"
    PRICE_UNKNOWN = "price_unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a finding: whether it is reached, and whether it is far enough away to start clearing.

    `rank` orders lines from mild to fatal. `held` lines clear only after `clear_after`; the others at once. An open
    call stands from its notice on, even where the price has recovered already: that ends it in time, not before.
    """

    name: str
    rank: int
    level: Level
    reached: bool
    cleared: bool
    tier: str | None = None
    held: bool = True
    call: bool = False

    @property
    def stands(self) -> bool:
        """Whether it makes an alert where it has none yet."""
        return self.reached or self.call


@dataclass(frozen=True, slots=True)
class CallClock:
    """An open call's clock: its marks are instants with a label; `state` is open, disputed or missed."""

    ref: str
    at: datetime
    due: datetime | None
    state: str

    @property
    def marks(self) -> tuple[tuple[datetime, str], ...]:
        """Half of the window, a quarter left, the last hour, and the deadline where something was missing at it."""
        if self.due is None:
            return ()
        window = self.due - self.at
        marks = {self.due - window / 2: "half", self.due - window / 4: "quarter"}
        if window > timedelta(hours=1):
            marks[self.due - timedelta(hours=1)] = "last hour"
        if self.state == "missed":
            marks[self.due] = "missed"
        return tuple(sorted(marks.items()))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check finds under one key. `unknown`: there is no price to judge by, so no line is known.

    `say` gives the numbers in words; it is only called where somebody is to read or compare them.
    """

    key: str
    lines: tuple[Line, ...] = ()
    calls: tuple[CallClock, ...] = ()
    unknown: bool = False
    say: Callable[[], str] = field(default=str, compare=False)

    @property
    def text(self) -> str:
        return self.say()

    @property
    def opens(self) -> bool:
        """Whether it is worth an alert where there is none: lines merely not cleared yet are not."""
        return any(line.stands for line in self.lines)


@dataclass(frozen=True, slots=True)
class Active:
    """A line that was reached and has not cleared. It has been clear for `clear_for`, plus since `clear_since`."""

    name: str
    rank: int
    level: Level
    tier: str | None = None
    held: bool = True
    call: bool = False
    clear_since: datetime | None = None
    clear_for: timedelta = timedelta(0)

    def clear_time(self, now: datetime) -> timedelta:
        return self.clear_for + (now - self.clear_since if self.clear_since else timedelta(0))

    def stopped(self, now: datetime) -> Active:
        """Its clock stopped: an unknown price is neither clear nor not."""
        return replace(self, clear_for=self.clear_time(now), clear_since=None)

    def after(self, line: Line | None, now: datetime) -> Active:
        """Its clock after `line` was seen; a line that is no longer found at all counts as clear.

        It stays as loud as it ever was until it clears: a lender's venue a few dollars under our price would
        otherwise take one line from warning to critical and back, with a mention each time.
        """
        known = self if line is None else self._as_found(line)
        if line is not None and (line.reached or not line.cleared):
            return replace(known, clear_since=None, clear_for=timedelta(0))
        return known if known.clear_since else replace(known, clear_since=now)

    def _as_found(self, line: Line) -> Active:
        return replace(self, rank=line.rank, level=max(self.level, line.level), tier=line.tier)


@dataclass(frozen=True)
class Alert:
    """An open alert. `seen_until` says, by the ref of each call, up to when its clock's marks have been dealt with."""

    key: str
    opened_at: datetime
    active: tuple[Active, ...]
    seen_until: Mapping[str, datetime] = field(default_factory=dict)
    call_states: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    posted_at: datetime | None = None
    edited_at: datetime | None = None

    @property
    def level(self) -> Level:
        return max((line.level for line in self.active), default=Level.OK)

    @property
    def rank(self) -> int:
        return max((line.rank for line in self.active), default=-1)

    @property
    def tier(self) -> str | None:
        """The worst line not yet cleared."""
        return max(self.active, key=lambda line: (line.rank, line.call)).tier if self.active else None

    def next_clearing(self, policy: AlertPolicy) -> datetime | None:
        """The instant at which the first running clearing clock ends."""
        ends = [a.clear_since + policy.clear_after - a.clear_for for a in self.active if a.clear_since and a.held]
        return min(ends, default=None)


@dataclass(frozen=True)
class Transition:
    """What became of one key. `alert` is the alert afterwards (None where there is none); `before` what it was.

    `recovered` are the refs of calls that price alone has ended; they are to be recorded with this instant.
    """

    key: str
    change: Change
    reason: Reason
    at: datetime
    alert: Alert | None
    before: Alert | None = None
    finding: Finding | None = None
    mark: str | None = None
    recovered: tuple[str, ...] = ()

    @property
    def posts(self) -> bool:
        """Whether it is a fresh post with a mention: people must look now."""
        return self.change in (Change.OPENED, Change.WORSE, Change.REMINDER, Change.REPEATED)

    @property
    def speaks(self) -> bool:
        """Whether people see anything of it."""
        return self.change is not Change.KEPT


def decide(previous: Alert | None, finding: Finding | None, now: datetime, policy: AlertPolicy) -> Transition:
    """What becomes of `previous` when the check finds `finding` at `now`."""
    key = previous.key if previous else finding.key if finding else ""
    if previous is None:
        return _open(key, finding, now, policy)
    active, gone = _carry(previous, finding, now, policy)
    recovered = tuple(line.name.removeprefix("call:") for line in gone if line.call and _still_open(line, finding))
    calls = [clock for clock in finding.calls if clock.ref not in recovered] if finding else []
    after = replace(
        previous,
        active=active,
        seen_until={clock.ref: now for clock in calls},
        call_states={clock.ref: clock.state for clock in calls},
        text=finding.text if finding and policy.edit_every is not None else previous.text,
    )
    change, reason, mark = _judge(previous, after, finding, now, policy)
    if change in (Change.OPENED, Change.WORSE, Change.REMINDER, Change.REPEATED):
        after = replace(after, posted_at=now, edited_at=now)
    elif change is not Change.KEPT:
        after = replace(after, edited_at=now)
    else:
        after = replace(after, text=previous.text)  # what was last shown: what it is compared with next time
    alert = None if change is Change.CLOSED else after
    return Transition(key, change, reason, now, alert, previous, finding, mark, recovered)


def _open(key: str, finding: Finding | None, now: datetime, policy: AlertPolicy) -> Transition:
    if finding is None or not finding.opens:
        reason = Reason.PRICE_UNKNOWN if finding and finding.unknown else Reason.NOTHING_NEW
        return Transition(key, Change.KEPT, reason, now, None, finding=finding)
    alert = Alert(
        key=key,
        opened_at=now,
        active=tuple(_activate(line, now) for line in finding.lines if line.stands),
        seen_until={clock.ref: now for clock in finding.calls},
        call_states={clock.ref: clock.state for clock in finding.calls},
        text=finding.text if policy.edit_every is not None else "",
        posted_at=now,
        edited_at=now,
    )
    return Transition(key, Change.OPENED, Reason.FIRST_SEEN, now, alert, finding=finding)


def _activate(line: Line, now: datetime) -> Active:
    since = now if line.cleared and not line.reached else None
    return Active(line.name, line.rank, line.level, line.tier, line.held, line.call, clear_since=since)


def _carry(
    previous: Alert, finding: Finding | None, now: datetime, policy: AlertPolicy
) -> tuple[tuple[Active, ...], tuple[Active, ...]]:
    """The lines that stay active and those that are gone."""
    found = {line.name: line for line in finding.lines} if finding else {}
    unknown = finding is not None and finding.unknown
    kept, gone = [], []
    for line in previous.active:
        if line.call and line.name not in found:
            gone.append(line)
        elif unknown:
            kept.append(line.stopped(now))
        else:
            after = line.after(found.get(line.name), now)
            over = after.clear_since and (not line.held or after.clear_time(now) >= policy.clear_after)
            (gone if over else kept).append(after)
    known = {line.name for line in previous.active}
    kept += [_activate(line, now) for line in found.values() if line.stands and line.name not in known]
    if unknown and not kept:
        kept = [line.stopped(now) for line in gone]
        gone = []
    return tuple(kept), tuple(gone)


def _still_open(line: Active, finding: Finding | None) -> bool:
    return finding is not None and any(found.name == line.name for found in finding.lines)


def _judge(
    before: Alert, after: Alert, finding: Finding | None, now: datetime, policy: AlertPolicy
) -> tuple[Change, Reason, str | None]:
    if after.level > before.level:
        return Change.WORSE, Reason.HIGHER_LEVEL, None
    was = _rank_now(before, finding)
    if after.rank > was:
        return Change.WORSE, Reason.WORSE_TIER, None
    if not after.active:
        return Change.CLOSED, Reason.ALL_CLEAR, None
    if mark := _latest_mark(before, finding.calls if finding else (), now):
        return Change.REMINDER, Reason.DEADLINE_MISSED if mark == "missed" else Reason.CLOCK_MARK, mark
    if after.level < before.level or after.rank < was:
        return Change.EASED, Reason.LINE_CLEARED, None
    if reason := _noted(before, after):
        return Change.NOTED, reason, None
    if _repeats(before, now, policy):
        return Change.REPEATED, Reason.UNANSWERED, None
    if _edits(before, after, now, policy):
        return Change.UPDATED, Reason.NEW_NUMBERS, None
    return Change.KEPT, Reason.PRICE_UNKNOWN if finding and finding.unknown else Reason.NOTHING_NEW, None


def _rank_now(before: Alert, finding: Finding | None) -> int:
    """The rank of the worst line before, as lines are numbered now: an amendment may have put a milder one under it."""
    ranks = {line.name: line.rank for line in finding.lines} if finding else {}
    return max((ranks.get(line.name, line.rank) for line in before.active), default=-1)


def _latest_mark(before: Alert, calls: Iterable[CallClock], now: datetime) -> str | None:
    """The newest mark that any clock passed since it was last looked at: after an outage only the latest counts."""
    passed = [
        mark
        for clock in calls
        if clock.ref in before.seen_until
        for mark in clock.marks
        if before.seen_until[clock.ref] < mark[0] <= now
    ]
    missed = [
        (clock.due, "missed")
        for clock in calls
        if clock.due and clock.state == "missed" and before.call_states.get(clock.ref, "missed") != "missed"
    ]
    return max([*passed, *missed])[1] if passed or missed else None


def _noted(before: Alert, after: Alert) -> Reason | None:
    """What happened to the notices, where neither tier nor level changed."""
    if before.call_states == after.call_states:
        return None
    if before.call_states.keys() - after.call_states.keys():
        return Reason.NOTICE_ENDED
    if after.call_states.keys() - before.call_states.keys():
        return Reason.NOTICE_RECORDED
    return Reason.NOTICE_CHANGED


def _repeats(before: Alert, now: datetime, policy: AlertPolicy) -> bool:
    if policy.repeat_every is None or before.level is not Level.CRITICAL or before.posted_at is None:
        return False
    return now - before.posted_at >= policy.repeat_every


def _edits(before: Alert, after: Alert, now: datetime, policy: AlertPolicy) -> bool:
    if policy.edit_every is None or after.text == before.text:
        return False
    return before.edited_at is None or now - before.edited_at >= policy.edit_every
