"""An alert and what it is made of: what a check finds, what stands of it, in whose hands it is.

What becomes of it is decided in `bot.domain.alerts`, and only there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.terms import Level

FLAP_WINDOW = timedelta(hours=1)
"""What goes up more than `flap_limit` times within this is flapping, until it has not risen for as long."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Slack, by user id, and the name they go by."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody asked to be quiet about: `checks` are families of keys ("covenant"), no `subjects` means all.

    It quiets whatever its alerts have to say but what cannot wait: see `Alert.is_urgent`, and the marks of a clock.
    """

    id: int
    checks: frozenset[str]
    subjects: frozenset[str]
    reason: str
    by: Person
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

    def silence(self, key: str, now: datetime) -> Silence | None:
        """The silence that covers `key` at `now`, of several the one that lasts longest."""
        covering = [silence for silence in self.silences if silence.covers(key, now)]
        return max(covering, key=lambda silence: (silence.until, silence.id), default=None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a finding: whether it is reached, and whether it is far enough away to start clearing.

    `rank` orders lines from mild to fatal. `held` lines clear only after `clear_after`; the others at once. An open
    call stands from its notice on, even where the price has recovered already: that ends it in time, not before.
    `urgent`: the lender may act at once (an accelerated or liquidation line). `demands`: it may send a notice here.
    """

    name: str
    rank: int
    level: Level
    reached: bool
    cleared: bool
    tier: str | None = None
    held: bool = True
    call: bool = False
    urgent: bool = False
    demands: bool = False

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

    def next_mark(self, now: datetime) -> datetime | None:
        """The next instant at which its clock speaks; the deadline counts, as something may be missing then."""
        ahead = [instant for instant, _ in self.marks if instant > now]
        if self.due is not None and self.due > now:
            ahead.append(self.due)
        return min(ahead, default=None)


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
    def level_word(self) -> str:
        """Of the worst of its lines; "unknown" where none is known."""
        return "unknown" if self.unknown else max((line.level for line in self.lines), default=Level.OK).word

    @property
    def opens(self) -> bool:
        """Whether it is worth an alert where there is none: lines merely not cleared yet are not."""
        return any(line.stands for line in self.lines)


@dataclass(frozen=True, slots=True)
class Active:
    """A line that was reached and has not cleared. It has been clear for `clear_for`, plus since `clear_since`.

    `reached`: it was so when it was last known.
    """

    name: str
    rank: int
    level: Level
    tier: str | None = None
    held: bool = True
    call: bool = False
    clear_since: datetime | None = None
    clear_for: timedelta = timedelta(0)
    urgent: bool = False
    demands: bool = False
    reached: bool = True

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
        known = replace(self, reached=False) if line is None else self._as_found(line)
        if line is not None and (line.reached or not line.cleared):
            return replace(known, clear_since=None, clear_for=timedelta(0))
        return known if known.clear_since else replace(known, clear_since=now)

    def _as_found(self, line: Line) -> Active:
        level = max(self.level, line.level)
        known = replace(self, rank=line.rank, level=level, tier=line.tier, reached=line.reached)
        return replace(known, urgent=line.urgent, demands=line.demands)


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert's life as far as it had come at some instant; `closed_at` None: it was open then.

    `opening` is its headline when it opened and `latest` that of its last change, in plain text; `level` and `tier` are
    those it had last.
    """

    key: str
    opened_at: datetime
    closed_at: datetime | None
    level: Level
    tier: str | None
    opening: str
    latest: str


@dataclass(frozen=True, slots=True)
class Hold:
    """An alert in somebody's hands: acknowledged by `by`, or, with `until`, snoozed until then."""

    by: Person
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Alert:
    """An alert; without `active` lines it is closed, and only remembered for its `ups`.

    `seen_until` says, by the ref of each call, up to when its clock's marks have been dealt with. `silence`: the one
    that quiets it now; `owed`: what it had to say meanwhile was not said. `unowned_since`: since when a critical one
    waits for somebody to take it; `escalated_at`: when that was last said elsewhere. `ups`: when it lately opened or
    got worse. `posted_at` None: nothing of it is in the channel.
    """

    key: str
    opened_at: datetime
    active: tuple[Active, ...]
    seen_until: Mapping[str, datetime] = field(default_factory=dict)
    call_states: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    posted_at: datetime | None = None
    edited_at: datetime | None = None
    hold: Hold | None = None
    silence: Silence | None = None
    owed: bool = False
    unowned_since: datetime | None = None
    escalated_at: datetime | None = None
    ups: tuple[datetime, ...] = ()
    flapping: bool = False

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

    @property
    def status(self) -> str:
        """Open, acknowledged, snoozed, silenced or closed."""
        if not self.active:
            return "closed"
        if self.hold is not None:
            return "snoozed" if self.hold.until else "acknowledged"
        return "silenced" if self.silence else "open"

    @property
    def is_urgent(self) -> bool:
        """Whether it cannot wait: the lender may act now, at its worst lines or because a deadline was missed."""
        return any(line.urgent for line in self.active) or "missed" in self.call_states.values()

    @property
    def stands(self) -> bool:
        """Whether some line of it is not on its way to clearing."""
        return any(line.clear_since is None for line in self.active)

    @property
    def has_recovered(self) -> bool:
        """Whether its call lines are no longer reached while no notice is open: it may be closed by hand."""
        demanding = [line for line in self.active if line.demands]
        called = any(line.call for line in self.active)
        return bool(demanding) and not called and not any(line.reached for line in demanding)

    def lately_up(self, now: datetime) -> tuple[datetime, ...]:
        """When it opened or got worse within the last hour."""
        return tuple(up for up in self.ups if now - up < FLAP_WINDOW)

    def flaps(self, now: datetime, policy: AlertPolicy) -> bool:
        """Whether it goes up and down too often to say so each time; once it does, until it has not for an hour."""
        ups = len(self.lately_up(now))
        return policy.flap_limit is not None and (ups > policy.flap_limit or (self.flapping and ups > 0))

    def held_until(self, policy: AlertPolicy) -> datetime | None:
        """When it will be asked for again, by what is known now; None: no time is set."""
        if self.hold is None:
            return None
        if self.hold.until is not None or self.level < Level.CRITICAL or policy.ack_expires is None:
            return self.hold.until
        return self.hold.at + policy.ack_expires

    def next_clearing(self, policy: AlertPolicy) -> datetime | None:
        """The instant at which the first running clearing clock ends."""
        ends = [a.clear_since + policy.clear_after - a.clear_for for a in self.active if a.clear_since and a.held]
        return min(ends, default=None)
