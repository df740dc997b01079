"""In whose hands an alert is: taken, put off, closed by hand, or silenced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support import HOUR, MINUTE, NOW
from test_decide import CLEAR, UNKNOWN, Life, at_tier, clock, found, line, open_call, opened

from bot.domain.alerts import Act, ActKind, AlertPolicy, Change, Person, Reason, Silence, Transition, decide
from bot.domain.terms import Level

ADA, SAM = Person("U1", "Ada"), Person("U2", "Sam")
POLICY = AlertPolicy(escalate_after=15 * MINUTE)
LIQUIDATION = found(line("early", "reached"), line("call", "reached"), line("liquidation", "reached", urgent=True))
NEAR = found(line("early", "clear"), line("call", "near", demands=True), line("liquidation", "clear"))
AT_CALL = found(line("early", "reached"), line("call", "reached", demands=True), line("liquidation", "clear"))


def act(life: Life, kind: ActKind, after: timedelta, finding: Any, by: Person = ADA, **more: Any) -> Transition:
    done = decide(life.alert, finding, NOW + after, life.policy, Act(kind, by, **more))
    life.alert = done.alert
    return done


def ack(life: Life, minute: float, finding: Any = None, by: Person = ADA, **more: Any) -> Transition:
    return act(life, ActKind.ACKNOWLEDGE, minute * MINUTE, finding or at_tier("call"), by, **more)


def snooze(life: Life, minute: float, hours: float, finding: Any = None, by: Person = ADA) -> Transition:
    until = NOW + minute * MINUTE + hours * HOUR
    return act(life, ActKind.SNOOZE, minute * MINUTE, finding or at_tier("call"), by, until=until)


def silence(
    until: timedelta = 24 * HOUR, since: timedelta = -MINUTE, checks: str = "covenant", *subjects: str
) -> Silence:
    return Silence(1, frozenset({checks}), frozenset(subjects), "a test", ADA, NOW + since, NOW + until)


def silenced(*silences: Silence) -> AlertPolicy:
    return replace(POLICY, silences=silences)


# -- acknowledged --


def test_an_acknowledgement_stops_the_repeats_and_says_who():
    life = opened(at_tier("call"), POLICY)
    done = ack(life, 3)
    assert (done.change, done.reason, done.posts, done.speaks) == (Change.ACKNOWLEDGED, Reason.TAKEN, False, True)
    assert life.alert.hold.by == ADA
    assert life.alert.status == "acknowledged"
    assert life.changes(at_tier("call"), 40, 90, 240) == [Change.KEPT] * 3


def test_a_second_acknowledgement_changes_nothing():
    life = opened(at_tier("call"), POLICY)
    ack(life, 3)
    again = ack(life, 4, by=SAM)
    assert (again.change, again.reason, again.alert.hold.by) == (Change.KEPT, Reason.ALREADY_TAKEN, ADA)


def test_it_is_asked_for_again_when_it_expires_while_critical():
    life = opened(at_tier("call"), POLICY)
    ack(life, 0)
    assert life.see(8 * HOUR - MINUTE, at_tier("call")).change is Change.KEPT
    done = life.see(8 * HOUR, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.REPEATED, Reason.ACK_EXPIRED, True)
    assert life.alert.hold is None


def test_an_acknowledged_warning_is_not_asked_for_again():
    life = opened(at_tier("early"), POLICY)
    ack(life, 0, at_tier("early"))
    assert life.see(9 * HOUR, at_tier("early")).change is Change.KEPT


@pytest.mark.parametrize("worse", [at_tier("liquidation"), found(line("call", "reached"), open_call(rank=2))])
def test_it_lapses_when_it_gets_worse(worse):
    life = opened(at_tier("call"), POLICY)
    ack(life, 1)
    done = life.see(2 * MINUTE, worse)
    assert (done.change, life.alert.hold) == (Change.WORSE, None)


def test_it_stays_when_it_eases_and_lapses_when_it_is_back():
    life = opened(at_tier("call"), POLICY)
    ack(life, 1)
    assert life.changes(at_tier("early"), 2, 12) == [Change.KEPT, Change.EASED]
    assert life.alert.hold.by == ADA
    assert life.changes(at_tier("call"), 13) == [Change.WORSE]
    assert life.alert.hold is None


def test_none_outlasts_the_next_mark_of_an_open_calls_clock():
    called = found(line("call", "reached"), open_call(), calls=(clock(due_in=24 * HOUR),))
    life = opened(called, POLICY)
    ack(life, 1, called)
    done = life.see(12 * HOUR, called)
    assert (done.change, done.reason, life.alert.hold) == (Change.REMINDER, Reason.CLOCK_MARK, None)
    snoozed = snooze(life, 12 * 60, 9, called)
    assert snoozed.alert.hold.until == NOW + 18 * HOUR
    assert life.see(18 * HOUR, called).change is Change.REMINDER


def test_a_message_that_showed_less_takes_nothing():
    life = opened(at_tier("early"), POLICY)
    life.see(MINUTE, at_tier("call"))
    done = ack(life, 2, seen=(int(Level.WARNING), 0))
    assert (done.change, done.reason, done.alert.hold) == (Change.KEPT, Reason.SEEN_LESS, None)
    assert ack(life, 3, seen=(int(Level.CRITICAL), 1)).change is Change.ACKNOWLEDGED


def test_what_has_closed_takes_nothing():
    done = decide(None, None, NOW, POLICY, Act(ActKind.ACKNOWLEDGE, ADA))
    assert (done.change, done.reason) == (Change.KEPT, Reason.NOT_OPEN)


# -- snoozed --


def test_a_snooze_is_quiet_until_it_ends_and_is_posted_then():
    life = opened(at_tier("call"), POLICY)
    assert snooze(life, 1, 1).change is Change.SNOOZED
    assert life.alert.status == "snoozed"
    assert life.changes(at_tier("call"), 40, 60) == [Change.KEPT] * 2
    done = life.see(61 * MINUTE, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.REPEATED, Reason.SNOOZE_OVER, True)


def test_a_snooze_breaks_when_it_gets_worse():
    life = opened(at_tier("call"), POLICY)
    snooze(life, 1, 4)
    assert life.see(2 * MINUTE, LIQUIDATION).posts
    assert life.alert.hold is None


def test_an_acknowledgement_replaces_a_snooze_and_a_longer_snooze_a_shorter():
    life = opened(at_tier("call"), POLICY)
    snooze(life, 1, 1)
    assert snooze(life, 1.1, 1).reason is Reason.ALREADY_TAKEN
    assert snooze(life, 2, 4).change is Change.SNOOZED
    assert ack(life, 3, by=SAM).change is Change.ACKNOWLEDGED
    assert life.alert.hold.until is None


# -- no notice received --


def test_a_recovered_line_closes_when_somebody_says_that_no_notice_came():
    life = opened(AT_CALL, POLICY)
    assert not life.alert.has_recovered
    assert act(life, ActKind.NO_NOTICE, MINUTE, AT_CALL).reason is Reason.NOT_RECOVERED
    for minute in (2, 12):
        life.see(minute * MINUTE, NEAR)  # the early warning clears by itself
    done = act(life, ActKind.NO_NOTICE, 13 * MINUTE, NEAR)
    assert (done.change, done.reason, done.alert) == (Change.CLOSED, Reason.NO_NOTICE, None)
    assert decide(done.after, NEAR, NOW + 14 * MINUTE, POLICY).change is Change.KEPT
    assert decide(done.after, AT_CALL, NOW + 15 * MINUTE, POLICY).change is Change.OPENED


def test_a_milder_line_that_is_still_reached_stays():
    life = opened(AT_CALL, POLICY)
    back = found(line("early", "reached"), line("call", "near", demands=True))
    life.see(MINUTE, back)
    done = act(life, ActKind.NO_NOTICE, 2 * MINUTE, back)
    assert (done.change, done.alert.tier, done.alert.level) == (Change.EASED, "early", Level.WARNING)


def test_an_open_call_is_not_closed_by_hand():
    called = found(line("call", "near", demands=True), open_call(), calls=(clock(),))
    life = opened(AT_CALL, POLICY)
    life.see(MINUTE, called)
    assert act(life, ActKind.NO_NOTICE, 2 * MINUTE, called).reason is Reason.NOT_RECOVERED


def test_nothing_is_closed_by_hand_without_a_price():
    life = opened(AT_CALL, POLICY)
    life.see(MINUTE, NEAR)
    assert act(life, ActKind.NO_NOTICE, 2 * MINUTE, UNKNOWN).reason is Reason.NOT_RECOVERED


# -- silenced --


def test_a_silence_keeps_the_post_and_says_it_when_it_ends():
    life = Life(silenced(silence(until=HOUR)))
    done = life.see(0 * MINUTE, at_tier("call"))
    assert (done.change, done.posts, done.speaks, life.alert.status) == (Change.OPENED, False, True, "silenced")
    assert life.alert.posted_at is None
    assert life.changes(at_tier("call"), 40) == [Change.KEPT]
    done = life.see(HOUR, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.REPEATED, Reason.SILENCE_OVER, True)


def test_what_closes_under_a_silence_says_nothing_afterwards():
    life = Life(silenced(silence(until=HOUR)))
    life.see(0 * MINUTE, at_tier("early"))
    assert life.changes(CLEAR, 1, 11) == [Change.KEPT, Change.CLOSED]
    assert life.changes(CLEAR, 61) == [Change.KEPT]


def test_a_silence_over_an_open_alert_is_shown_and_no_more_is_said():
    life = opened(at_tier("call"), POLICY)
    life.policy = silenced(silence(until=2 * HOUR))
    done = life.see(MINUTE, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.NOTED, Reason.SILENCED, False)
    assert life.changes(at_tier("call"), 31, 62) == [Change.KEPT] * 2
    life.policy = POLICY
    done = life.see(70 * MINUTE, at_tier("call"))
    assert (done.change, done.reason) == (Change.REPEATED, Reason.SILENCE_OVER)


def test_no_silence_keeps_what_cannot_wait():
    life = Life(silenced(silence()))
    life.see(0 * MINUTE, at_tier("call"))
    done = life.see(MINUTE, LIQUIDATION)
    assert (done.change, done.posts, done.escalates, life.alert.silence) == (Change.WORSE, True, True, None)


def test_no_silence_keeps_the_marks_of_a_clock():
    called = found(line("call", "reached"), open_call(), calls=(clock(due_in=24 * HOUR),))
    life = Life(silenced(silence(until=48 * HOUR)))
    assert not life.see(0 * MINUTE, called).posts
    assert life.see(12 * HOUR, called).posts
    missed = replace(called, calls=(clock(due_in=24 * HOUR, state="missed"),))
    assert life.see(24 * HOUR, missed).posts


@pytest.mark.parametrize(
    ("checks", "subjects", "key", "covers"),
    [
        ("covenant", (), "covenant:x", True),
        ("covenant", ("x",), "covenant:group:x", True),
        ("covenant", ("y",), "covenant:x", False),
        ("price", (), "price", True),
        ("price", ("x",), "price", False),
        ("release", ("x",), "covenant:x", False),
    ],
)
def test_a_silence_covers_its_checks_and_subjects(checks, subjects, key, covers):
    one = Silence(1, frozenset({checks}), frozenset(subjects), "", ADA, NOW, NOW + HOUR)
    assert one.covers(key, NOW) is covers
    assert not one.covers(key, NOW + HOUR)


def test_what_a_silence_kept_is_said_though_it_ends_in_the_check_that_eases():
    life = Life(silenced(silence(until=HOUR)))
    both = found(line("early", "reached", Level.CRITICAL), line("call", "reached"))
    milder = found(line("early", "reached", Level.CRITICAL), line("call", "clear"))
    life.see(0 * MINUTE, both)
    assert life.changes(milder, 50, 60) == [Change.KEPT, Change.EASED]
    done = life.see(61 * MINUTE, milder)
    assert (done.change, done.reason, done.posts) == (Change.REPEATED, Reason.SILENCE_OVER, True)


def test_a_notice_that_is_recorded_when_already_missed_is_said_though_somebody_has_the_alert():
    life = opened(at_tier("call"), POLICY)
    ack(life, 1)
    missed = found(line("call", "reached"), open_call(), calls=(clock(due_in=MINUTE, state="missed"),))
    done = life.see(6 * MINUTE, missed)
    assert (done.change, done.reason, done.posts, done.escalates) == (
        Change.REMINDER,
        Reason.DEADLINE_MISSED,
        True,
        True,
    )


def test_an_alert_of_an_earlier_version_learns_at_which_lines_a_notice_may_come():
    life = opened(found(line("call", "reached")), POLICY)
    life.see(MINUTE, NEAR)
    assert life.alert.has_recovered


def test_a_silence_whose_owner_is_renamed_is_the_same_silence():
    one = silence()
    life = Life(silenced(one))
    life.see(0 * MINUTE, at_tier("call"))
    life.policy = silenced(replace(one, by=Person("U1", "Ada Lovelace")))
    assert life.see(MINUTE, at_tier("call")).change is Change.KEPT


def test_a_snooze_that_ends_under_a_silence_is_over():
    life = opened(at_tier("call"), POLICY)
    snooze(life, 1, 1)
    life.policy = silenced(silence(until=4 * HOUR))
    life.see(2 * MINUTE, at_tier("call"))
    life.see(62 * MINUTE, at_tier("call"))
    assert (life.alert.hold, life.alert.status) == (None, "silenced")
    assert life.see(4 * HOUR, at_tier("call")).reason is Reason.SILENCE_OVER
