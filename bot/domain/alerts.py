"""The life of an alert, decided in one pure place.

A check says what it finds now (`Finding`), a person may act (`Act`); `decide` holds that against the alert as it was
(`Alert`) and returns what changes and why (`Transition`). Invariants: getting worse is immediate; what eases or closes
has been clear for `clear_after` at accepted prices, or somebody has said that no notice came; nothing opens, eases or
closes on a price that isn't one; a critical alert that nobody has taken goes on being said; every transition that
people see has a reason of `Reason`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import (
    FLAP_WINDOW,
    Active,
    Alert,
    AlertPolicy,
    CallClock,
    Finding,
    Hold,
    Line,
    Person,
    Silence,
    family,
    subject,
)
from bot.domain.terms import Level
from bot.domain.transitions import LOUD, Act, ActKind, Change, Reason, Transition

__all__ = [
    "FLAP_WINDOW",
    "Act",
    "ActKind",
    "Active",
    "Alert",
    "AlertPolicy",
    "CallClock",
    "Change",
    "Finding",
    "Hold",
    "Line",
    "Person",
    "Reason",
    "Silence",
    "Transition",
    "decide",
    "family",
    "subject",
]

SAME_SNOOZE = timedelta(minutes=1)
"""Two clicks on one button end within this of one another."""


def decide(
    previous: Alert | None, finding: Finding | None, now: datetime, policy: AlertPolicy, act: Act | None = None
) -> Transition:
    """What becomes of `previous` when the check finds `finding` at `now`, or when somebody acts on it then.

    `previous` may be an alert that has closed: of that only its `ups` count. An act is held against the alert as
    `finding` makes it; where something changes by itself at the same instant, decide that first.
    """
    if previous is None or not previous.active:
        return _without(previous, finding, now, policy, act)
    active, gone, rose = _carry(previous, finding, now, policy)
    recovered = tuple(line.name.removeprefix("call:") for line in gone if line.call and _still_open(line, finding))
    calls = [clock for clock in finding.calls if clock.ref not in recovered] if finding else []
    after = replace(
        previous,
        active=active,
        seen_until={clock.ref: now for clock in calls},
        call_states={clock.ref: clock.state for clock in calls},
        text=finding.text if finding and policy.edit_every is not None else previous.text,
        ups=previous.lately_up(now) + ((now,) if rose else ()),
    )
    after = replace(after, silence=_silence(after, now, policy), flapping=after.flaps(now, policy))
    ends = after.hold.until if after.hold else None
    if after.silence is not None and ends is not None and now >= ends:
        after = replace(after, hold=None, owed=True)  # the silence keeps what it has to say now
    if act is not None:
        return _acted(previous, after, finding, now, act)
    change, reason, mark = _judge(previous, after, finding, now, policy)
    return _settled(Transition(previous.key, change, reason, now, after, previous, finding, mark, recovered), policy)


def _without(
    closed: Alert | None, finding: Finding | None, now: datetime, policy: AlertPolicy, act: Act | None
) -> Transition:
    """Where no alert is open: one opens, or nothing happens."""
    key = finding.key if finding else closed.key if closed else ""
    if act is not None or finding is None or not finding.opens:
        reason = Reason.PRICE_UNKNOWN if finding and finding.unknown else Reason.NOTHING_NEW
        return Transition(key, Change.KEPT, Reason.NOT_OPEN if act else reason, now, None, finding=finding, act=act)
    alert = Alert(
        key=key,
        opened_at=now,
        active=tuple(_activate(line, now) for line in finding.lines if line.stands),
        seen_until={clock.ref: now for clock in finding.calls},
        call_states={clock.ref: clock.state for clock in finding.calls},
        text=finding.text if policy.edit_every is not None else "",
        edited_at=now,
        ups=closed.lately_up(now) if closed else (),
    )
    alert = replace(alert, silence=_silence(alert, now, policy))
    return _settled(Transition(key, Change.OPENED, Reason.FIRST_SEEN, now, alert, finding=finding), policy)


def _silence(alert: Alert, now: datetime, policy: AlertPolicy) -> Silence | None:
    """The silence that quiets it: none quiets what cannot wait."""
    return None if alert.is_urgent else policy.silence(alert.key, now)


def _settled(found: Transition, policy: AlertPolicy) -> Transition:
    """The transition with what follows from its change: who has it now, what is posted, who else must hear."""
    alert, now = found.after, found.at
    if alert is None:
        return found
    change, reason = found.change, found.reason
    if change in (Change.OPENED, Change.WORSE):
        flapped = alert.flapping
        alert = replace(alert, ups=(*alert.ups, now))
        alert = replace(alert, flapping=alert.flaps(now, policy))
        reason = Reason.FLAPPING if alert.flapping and not flapped else reason
    if change in LOUD and reason is not Reason.UNANSWERED:
        alert = replace(alert, hold=None, unowned_since=_unowned_since(found.before, now))
    quiet = change in LOUD and change is not Change.REMINDER and alert.silence is not None
    escalates = _escalates(alert, now, policy)
    if escalates:
        alert = replace(alert, escalated_at=now)
        if change in (Change.KEPT, Change.UPDATED):
            change, reason = Change.ESCALATED, Reason.NOBODY_TOOK_IT
    alert = _told(alert, change, quiet, found)
    return replace(found, change=change, reason=reason, after=alert, quiet=quiet, escalates=escalates)


def _unowned_since(before: Alert | None, now: datetime) -> datetime:
    """Since when it waits for somebody: a mark or a worse line must not put off that nobody takes it."""
    if before is None or before.level < Level.CRITICAL or before.hold or before.silence:
        return now
    since = before.unowned_since or before.opened_at
    return now if _is_escalated(before, since) else since


def _is_escalated(alert: Alert, since: datetime) -> bool:
    """Whether it has been said elsewhere that nobody has taken it since then."""
    return alert.escalated_at is not None and alert.escalated_at >= since


def _told(alert: Alert, change: Change, quiet: bool, found: Transition) -> Alert:
    """What of it people have been told: posts, edits, and the text that the next numbers are compared with."""
    if change in LOUD:
        told = {"owed": True} if quiet else {"owed": False, "posted_at": found.at}
        return replace(alert, edited_at=found.at, **told)
    if change in (Change.KEPT, Change.ESCALATED):
        return replace(alert, text=found.before.text if found.before else alert.text)
    return replace(alert, edited_at=found.at)


def _escalates(alert: Alert, now: datetime, policy: AlertPolicy) -> bool:
    """Whether a critical alert that nobody has taken must be said elsewhere now."""
    if policy.escalate_after is None or alert.level is not Level.CRITICAL or not alert.stands:
        return False
    unowned_since = alert.unowned_since or alert.opened_at
    if _is_escalated(alert, unowned_since) or alert.hold is not None or alert.silence is not None:
        return False
    return alert.is_urgent or now - unowned_since >= policy.escalate_after


def _acted(before: Alert, after: Alert, finding: Finding | None, now: datetime, act: Act) -> Transition:
    """What somebody's act makes of it."""

    def kept(reason: Reason) -> Transition:
        return Transition(before.key, Change.KEPT, reason, now, before, before, finding, act=act)

    if act.seen is not None and act.seen < (int(after.level), after.rank):
        return kept(Reason.SEEN_LESS)
    if act.kind is ActKind.NO_NOTICE:
        if not after.has_recovered or (finding is not None and finding.unknown):
            return kept(Reason.NOT_RECOVERED)
        left = tuple(line for line in after.active if not line.demands)
        alert = replace(after, active=left, edited_at=now)
        change = Change.EASED if left else Change.CLOSED
        return Transition(before.key, change, Reason.NO_NOTICE, now, alert, before, finding, act=act)
    until = None
    if act.kind is ActKind.SNOOZE and act.until is not None:
        marks = [clock.next_mark(now) for clock in (finding.calls if finding else ())]
        until = min([act.until, *(mark for mark in marks if mark is not None)])
    if _already(before.hold, act.by, until):
        return kept(Reason.ALREADY_TAKEN)
    alert = replace(after, hold=Hold(act.by, now, until), owed=False, edited_at=now)
    change = Change.ACKNOWLEDGED if until is None else Change.SNOOZED
    return Transition(before.key, change, Reason.TAKEN, now, alert, before, finding, act=act)


def _already(hold: Hold | None, by: Person, until: datetime | None) -> bool:
    """Whether the act changes nothing: it is acknowledged by whomever, or snoozed by the same person for as long."""
    if hold is None:
        return False
    if until is None or hold.until is None:
        return until is None and hold.until is None
    return hold.by.id == by.id and abs(until - hold.until) < SAME_SNOOZE


def _activate(line: Line, now: datetime) -> Active:
    since = now if line.cleared and not line.reached else None
    return Active(
        line.name,
        line.rank,
        line.level,
        line.tier,
        line.held,
        line.call,
        clear_since=since,
        urgent=line.urgent,
        demands=line.demands,
        reached=line.reached,
    )


def _carry(
    previous: Alert, finding: Finding | None, now: datetime, policy: AlertPolicy
) -> tuple[tuple[Active, ...], tuple[Active, ...], bool]:
    """The lines that stay active and those that are gone; and whether one of a flapping alert has come back.

    While it flaps no line clears: it is one message until it has not risen for an hour.
    """
    found = {line.name: line for line in finding.lines} if finding else {}
    unknown = finding is not None and finding.unknown
    flaps = previous.flaps(now, policy)
    kept, gone, rose = [], [], False
    for line in previous.active:
        if line.call and line.name not in found:
            gone.append(line)
        elif unknown:
            kept.append(line.stopped(now))
        else:
            after = line.after(found.get(line.name), now)
            rose = rose or (flaps and line.clear_since is not None and after.reached)
            over = after.clear_since and (not line.held or after.clear_time(now) >= policy.clear_after)
            (gone if over and not flaps else kept).append(after)
    known = {line.name for line in previous.active}
    kept += [_activate(line, now) for line in found.values() if line.stands and line.name not in known]
    if unknown and not kept:
        kept = [line.stopped(now) for line in gone]
        gone = []
    return tuple(kept), tuple(gone), rose


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
    if noted := _silence_changed(before, after, now, policy) or _noted(before, after):
        return *noted, None
    if after.silence is None and (reason := _asked_again(after, now, policy)):
        return Change.REPEATED, reason, None
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
        if clock.due and clock.state == "missed" and before.call_states.get(clock.ref) != "missed"
    ]
    return max([*passed, *missed])[1] if passed or missed else None


def _silence_changed(before: Alert, after: Alert, now: datetime, policy: AlertPolicy) -> tuple[Change, Reason] | None:
    """A silence began, or ended: what it kept quiet is said then, and so is what is critical and in nobody's hands."""
    if after.silence is not None:
        known = before.silence is not None and before.silence.id == after.silence.id
        return None if known else (Change.NOTED, Reason.SILENCED)
    if before.silence is None and not after.owed:  # owed still: it ended in a check that had something else to say
        return None
    unowned = after.level is Level.CRITICAL and after.hold is None
    loud = after.owed or after.posted_at is None or unowned or _asked_again(after, now, policy) is not None
    return Change.REPEATED if loud else Change.NOTED, Reason.SILENCE_OVER


def _noted(before: Alert, after: Alert) -> tuple[Change, Reason] | None:
    """What happened to the notices, where neither tier nor level changed."""
    if before.call_states == after.call_states:
        return None
    if before.call_states.keys() - after.call_states.keys():
        return Change.NOTED, Reason.NOTICE_ENDED
    if after.call_states.keys() - before.call_states.keys():
        return Change.NOTED, Reason.NOTICE_RECORDED
    return Change.NOTED, Reason.NOTICE_CHANGED


def _asked_again(alert: Alert, now: datetime, policy: AlertPolicy) -> Reason | None:
    """Why it is posted again: it has been left alone for as long as it may be."""
    if alert.hold is not None:
        ends = alert.held_until(policy)
        if ends is None or now < ends:
            return None
        return Reason.SNOOZE_OVER if alert.hold.until else Reason.ACK_EXPIRED
    if policy.repeat_every is None or alert.level is not Level.CRITICAL or not alert.stands or alert.posted_at is None:
        return None
    return Reason.UNANSWERED if now - alert.posted_at >= policy.repeat_every else None


def _edits(before: Alert, after: Alert, now: datetime, policy: AlertPolicy) -> bool:
    if policy.edit_every is None or after.text == before.text:
        return False
    return before.edited_at is None or now - before.edited_at >= policy.edit_every
