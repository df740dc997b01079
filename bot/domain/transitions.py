"""What may happen to an alert, why, and what a person may do to it; `bot.domain.alerts` decides which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.alert import Alert, Finding, Person


class Change(StrEnum):
    """What happens to an alert; the first five are what a replay prints."""

    OPENED = "opened"
    WORSE = "worse"
    EASED = "eased"
    REMINDER = "reminder"
    CLOSED = "closed"
    NOTED = "noted"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    UPDATED = "updated"
    KEPT = "kept"


class Reason(StrEnum):
    """Why; one of these goes with every transition, into the log, the history and the metrics. See docs/alerts.md."""

    FIRST_SEEN = "first_seen"
    HIGHER_LEVEL = "higher_level"
    WORSE_TIER = "worse_tier"
    FLAPPING = "flapping"
    LINE_CLEARED = "line_cleared"
    ALL_CLEAR = "all_clear"
    NO_NOTICE = "no_notice"
    NOTICE_RECORDED = "notice_recorded"
    NOTICE_CHANGED = "notice_changed"
    NOTICE_ENDED = "notice_ended"
    CLOCK_MARK = "clock_mark"
    DEADLINE_MISSED = "deadline_missed"
    UNANSWERED = "unanswered"
    ACK_EXPIRED = "ack_expired"
    SNOOZE_OVER = "snooze_over"
    SILENCED = "silenced"
    SILENCE_OVER = "silence_over"
    NOBODY_TOOK_IT = "nobody_took_it"
    TAKEN = "taken"
    NEW_NUMBERS = "new_numbers"
    NOTHING_NEW = "nothing_new"
    PRICE_UNKNOWN = "price_unknown"
    NOT_OPEN = "not_open"
    ALREADY_TAKEN = "already_taken"
    SEEN_LESS = "seen_less"
    NOT_RECOVERED = "not_recovered"


class ActKind(StrEnum):
    """What a person may do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    NO_NOTICE = "no_notice"


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody's click. `until` is a snooze's; `seen` the level and rank that the clicked message showed."""

    kind: ActKind
    by: Person
    until: datetime | None = None
    seen: tuple[int, int] | None = None


LOUD = frozenset({Change.OPENED, Change.WORSE, Change.REMINDER, Change.REPEATED})


@dataclass(frozen=True)
class Transition:
    """What became of one key. `after` is the alert afterwards, closed or not; `before` what it was, if it was open.

    `recovered` are the refs of calls that price alone has ended; they are to be recorded with this instant. `quiet`: a
    silence keeps it from being said. `escalates`: it is said in the escalation channel as well.
    """

    key: str
    change: Change
    reason: Reason
    at: datetime
    after: Alert | None
    before: Alert | None = None
    finding: Finding | None = None
    mark: str | None = None
    recovered: tuple[str, ...] = ()
    quiet: bool = False
    escalates: bool = False
    act: Act | None = None

    @property
    def alert(self) -> Alert | None:
        """The open alert afterwards; None where there is none."""
        return self.after if self.after is not None and self.after.active else None

    @property
    def posts(self) -> bool:
        """Whether it is a fresh post with a mention: people must look now."""
        return self.change in LOUD and not self.quiet

    @property
    def speaks(self) -> bool:
        """Whether people see anything of it."""
        return self.change is not Change.KEPT
