"""Whatever prices, lenders, people and time do: no critical level stays unposted and unowned, nothing is said without
a reason, and nobody's hold or silence outlasts what it may.

The model keeps its own books: what was last posted, who has it, which silences are in force. It shares no code with
`decide` but the types.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support import HOUR, MINUTE, NOW

from bot.domain.alerts import (
    Act,
    ActKind,
    Alert,
    AlertPolicy,
    CallClock,
    Change,
    Finding,
    Line,
    Person,
    Silence,
    Transition,
    decide,
)
from bot.domain.terms import Level

KEY = "covenant:x"
REPEAT, EXPIRES, ESCALATE = 30 * MINUTE, 8 * HOUR, 15 * MINUTE
POLICY = AlertPolicy(repeat_every=REPEAT, ack_expires=EXPIRES, escalate_after=ESCALATE)
TIERS = (
    ("early", Level.WARNING, False),
    ("call", Level.CRITICAL, False),
    ("accelerated", Level.CRITICAL, True),
    ("liquidation", Level.CRITICAL, True),
)
DOCS = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"`([a-z_]+)`", DOCS))
PEOPLE = st.sampled_from([Person("U1", "Ada"), Person("U2", "Sam")])
HOURS = st.sampled_from([0.5, 1, 4, 20])


class Watch(RuleBasedStateMachine):
    """One key over days. `depth`: how many tiers are reached; `gap`: those just under, not cleared yet."""

    @initialize()
    def begins(self) -> None:
        self.now = NOW
        self.depth, self.gap, self.known = 0, 0, True
        self.calls: dict[str, tuple[datetime, datetime, int, bool]] = {}
        self.silences: list[Silence] = []
        self.alert: Alert | None = None
        self.last: Transition | None = None
        self.posted: tuple[Level, int] | None = None
        self.posted_at = self.told_at = NOW
        self.unowned_since: datetime | None = None
        self.told_elsewhere = False
        self.count = 0

    # what happens

    @rule(depth=st.integers(0, 4), gap=st.integers(0, 1), minutes=st.sampled_from([0.5, 1, 5, 11, 31, 200]))
    def price(self, depth: int, gap: int, minutes: float) -> None:
        self.depth, self.gap, self.known = depth, gap, True
        self.passes(minutes * MINUTE)

    @rule(minutes=st.sampled_from([1, 12, 45]))
    def no_price(self, minutes: int) -> None:
        self.known = False
        self.passes(minutes * MINUTE)

    @rule(minutes=st.sampled_from([0.5, 1, 9, 16, 30, 61, 300]))
    def time(self, minutes: float) -> None:
        self.passes(minutes * MINUTE)

    @precondition(lambda self: len(self.calls) < 2)
    @rule(hours=st.sampled_from([0.75, 4, 24]), tier=st.integers(1, 3), missing=st.booleans())
    def notice(self, hours: float, tier: int, missing: bool) -> None:
        self.count += 1
        self.calls[f"n{self.count}"] = (self.now, self.now + timedelta(hours=hours), tier, missing)
        self.passes(MINUTE)

    @precondition(lambda self: self.calls)
    @rule()
    def met(self) -> None:
        self.calls.pop(next(iter(self.calls)))
        self.passes(MINUTE)

    @rule(by=PEOPLE, old=st.booleans())
    def acknowledge(self, by: Person, old: bool) -> None:
        seen = (0, -1) if old else None
        self.act(Act(ActKind.ACKNOWLEDGE, by, seen=seen))

    @rule(by=PEOPLE, hours=HOURS)
    def snooze(self, by: Person, hours: float) -> None:
        self.act(Act(ActKind.SNOOZE, by, until=self.now + timedelta(hours=hours)))

    @rule(by=PEOPLE)
    def no_notice(self, by: Person) -> None:
        self.act(Act(ActKind.NO_NOTICE, by))

    @precondition(lambda self: len(self.silences) < 2)
    @rule(by=PEOPLE, hours=HOURS, about=st.sampled_from(["x", "y"]))
    def silence(self, by: Person, hours: float, about: str) -> None:
        self.count += 1
        until = self.now + timedelta(hours=hours)
        one = Silence(self.count, frozenset({"covenant"}), frozenset({about}), "because", by, self.now, until)
        self.silences.append(one)
        self.passes(MINUTE)

    @precondition(lambda self: self.silences)
    @rule()
    def silence_ends(self) -> None:
        self.silences.pop(0)
        self.passes(MINUTE)

    # the world as the check finds it

    def finding(self) -> Finding | None:
        clocks = tuple(
            CallClock(ref, at, due, "missed" if missing and due <= self.now else "open")
            for ref, (at, due, _, missing) in self.calls.items()
        )
        lines = [
            Line(f"call:{ref}", tier, Level.CRITICAL, True, False, TIERS[tier][0], call=True, urgent=TIERS[tier][2])
            for ref, (_, _, tier, _) in self.calls.items()
        ]
        if self.known:
            lines += [
                Line(
                    name,
                    rank,
                    level,
                    rank < self.depth,
                    rank >= self.depth + self.gap,
                    name,
                    urgent=urgent,
                    demands=name in ("call", "accelerated"),
                )
                for rank, (name, level, urgent) in enumerate(TIERS)
            ]
            if not self.calls and not self.depth and not self.gap:
                return None
        return Finding(KEY, tuple(lines), clocks, unknown=not self.known)

    def policy(self) -> AlertPolicy:
        return replace(POLICY, silences=tuple(self.silences))

    def passes(self, length: timedelta) -> None:
        """Time goes on in steps of at most a minute, each with a check, as the bot does it; long ones in fewer."""
        step = MINUTE if length <= HOUR else 5 * MINUTE
        until = self.now + length
        while self.now < until:
            self.now = min(self.now + step, until)
            self.check()

    def check(self) -> None:
        self.took(decide(self.alert, self.finding(), self.now, self.policy()))

    def act(self, act: Act) -> None:
        self.check()
        before = self.alert
        done = decide(before, self.finding(), self.now, self.policy(), act)
        assert not done.posts, "a click wakes nobody"
        assert not done.escalates
        if act.seen is not None:
            assert done.change is Change.KEPT, "who saw less takes nothing"
        self.took(done)

    # the model's own books

    def took(self, done: Transition) -> None:
        assert done.reason.value in DOCUMENTED, done.reason
        assert done.speaks or not (done.posts or done.escalates)
        silenced = self.in_force() and not self.urgent(done.alert)
        if done.posts:
            assert done.change is Change.REMINDER or not silenced, "a silence was broken"
            self.posted_at = self.now
            self.posted = (done.alert.level, done.alert.rank)
        if done.escalates:
            assert done.alert.level is Level.CRITICAL
            assert done.alert.hold is None
            self.told_elsewhere = True
        if done.change in (Change.OPENED, Change.WORSE, Change.REMINDER):
            assert done.alert.hold is None, "a hold outlasted what got worse, or a mark"
        if done.posts and done.reason.value != "unanswered":
            self.told_elsewhere = done.escalates
        self.last = done
        self.alert = done.alert or (done.after if done.after is not None else self.alert)
        if done.alert is None:
            self.posted, self.told_elsewhere = None, False

    def in_force(self) -> bool:
        return any(s.at <= self.now < s.until and "x" in s.subjects for s in self.silences)

    def urgent(self, alert: Alert | None) -> bool:
        if alert is None:
            return False
        by_name = {name: urgent for name, _, urgent in TIERS}
        late = any(missing and due <= self.now for _, due, _, missing in self.calls.values())
        return late or any(by_name[line.tier] for line in alert.active)

    def open(self) -> Alert | None:
        return self.alert if self.alert is not None and self.alert.active else None

    # what must always hold, right after a check

    @invariant()
    def no_critical_level_stays_unposted_and_unowned(self) -> None:
        alert = self.open()
        reached = max(
            [rank for rank in range(self.depth) if self.known] + [tier for _, _, tier, _ in self.calls.values()],
            default=-1,
        )
        if reached < 1:
            return
        assert alert is not None, "a critical level without an alert"
        assert alert.level is Level.CRITICAL
        assert alert.rank >= reached
        if self.in_force() and not self.urgent(alert):
            return  # whoever silenced it has it
        assert self.posted is not None, "never posted"
        assert self.posted >= (Level.CRITICAL, reached), "posted for less"
        if alert.hold is None:
            assert self.now - self.posted_at <= REPEAT + 5 * MINUTE, "left alone"
            if self.now - self.posted_at > ESCALATE + 5 * MINUTE:
                assert self.told_elsewhere or self.last_asked() <= ESCALATE + 5 * MINUTE, "nobody else was told"

    def last_asked(self) -> timedelta:
        alert = self.open()
        assert alert is not None
        return self.now - (alert.unowned_since or alert.opened_at)

    @invariant()
    def a_hold_ends_in_time(self) -> None:
        alert = self.open()
        if alert is None or alert.hold is None or (self.in_force() and not self.urgent(alert)):
            return
        if self.last is not None and self.last.speaks:
            return  # something else was said at this check; the hold ends at the next
        if alert.hold.until is not None:
            assert self.now < alert.hold.until
        elif alert.level is Level.CRITICAL:
            assert self.now - alert.hold.at < EXPIRES
        for at, due, _, missing in self.calls.values():
            window = due - at
            marks = [due - window / 2, due - window / 4] + ([due - HOUR] if window > HOUR else [])
            marks += [due] if missing else []
            assert not any(alert.hold.at < mark <= self.now for mark in marks), "it outlasted a mark"

    @invariant()
    def what_is_open_is_found(self) -> None:
        alert = self.open()
        if alert is not None and not self.known:
            return
        if alert is not None and not self.calls and not self.depth and not self.gap:
            assert not alert.stands, "nothing is found and nothing clears"


Watch.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestWatch = Watch.TestCase
