"""What nobody takes is said elsewhere in time; and what goes up and down is one message."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from support import HOUR, MINUTE, NOW
from test_decide import CLEAR, Life, at_tier, clock, found, line, open_call, opened
from test_decide_hands import LIQUIDATION, POLICY, ack, snooze

from bot.domain.alerts import AlertPolicy, Change, Reason, Transition, decide
from bot.domain.terms import Level

# -- escalated --


def test_what_nobody_takes_is_said_elsewhere_once():
    life = opened(at_tier("call"), POLICY)
    assert life.changes(at_tier("call"), 14) == [Change.KEPT]
    done = life.see(15 * MINUTE, at_tier("call"))
    assert (done.change, done.reason, done.escalates, done.posts) == (
        Change.ESCALATED,
        Reason.NOBODY_TOOK_IT,
        True,
        False,
    )
    assert [life.see(m * MINUTE, at_tier("call")).escalates for m in (16, 30, 60)] == [False] * 3


@pytest.mark.parametrize("taken", [ack, lambda life, minute: snooze(life, minute, 4)])
def test_what_somebody_took_is_not(taken):
    life = opened(at_tier("call"), POLICY)
    taken(life, 14)
    assert not life.see(20 * MINUTE, at_tier("call")).escalates


def test_a_warning_is_not():
    life = opened(at_tier("early"), POLICY)
    assert not life.see(HOUR, at_tier("early")).escalates


def test_the_urgent_is_said_elsewhere_at_once_and_again_when_it_gets_worse():
    done = Life(POLICY).see(0 * MINUTE, LIQUIDATION)
    assert (done.change, done.escalates) == (Change.OPENED, True)
    life = opened(at_tier("call"), POLICY)
    assert life.see(15 * MINUTE, at_tier("call")).escalates
    assert life.see(16 * MINUTE, LIQUIDATION).escalates


def test_a_missed_deadline_is_said_elsewhere_at_once_though_somebody_had_it():
    called = found(line("call", "reached"), open_call(), calls=(clock(due_in=24 * HOUR),))
    life = opened(called, POLICY)
    life.see(23 * HOUR, called)
    ack(life, 23.5 * 60, called)
    missed = replace(called, calls=(clock(due_in=24 * HOUR, state="missed"),))
    done = life.see(24 * HOUR, missed)
    assert (done.change, done.reason, done.escalates) == (Change.REMINDER, Reason.DEADLINE_MISSED, True)


def test_an_expired_acknowledgement_starts_the_wait_anew():
    life = opened(at_tier("call"), POLICY)
    ack(life, 0)
    assert not life.see(8 * HOUR, at_tier("call")).escalates
    assert life.see(8 * HOUR + 15 * MINUTE, at_tier("call")).escalates


def test_what_is_clearing_is_neither_repeated_nor_escalated():
    life = opened(at_tier("call"), POLICY)
    assert life.see(14 * MINUTE, CLEAR).change is Change.KEPT
    assert life.see(15 * MINUTE, CLEAR).change is Change.KEPT


def test_a_mark_does_not_put_off_the_escalation():
    called = found(line("call", "reached"), open_call(), calls=(clock(due_in=HOUR),))
    life = Life(POLICY)
    life.see(20 * MINUTE, called)
    assert life.see(30 * MINUTE, called).change is Change.REMINDER
    assert life.see(35 * MINUTE, called).escalates


def test_a_mark_after_an_escalation_starts_the_wait_anew():
    called = found(line("call", "reached"), open_call(), calls=(clock(due_in=24 * HOUR),))
    life = opened(called, POLICY)
    assert life.see(15 * MINUTE, called).escalates
    life.see(12 * HOUR, called)
    assert life.see(12 * HOUR + 15 * MINUTE, called).escalates


# -- up and down --


def price_lost(at: datetime) -> Any:
    return found(line("early", "reached", Level.WARNING, held=False))


def bounce(life: Life, minutes: range, policy: AlertPolicy = POLICY) -> list[Transition]:
    """Up at each minute, down half a minute later; what became of it, the closed alert carried along."""
    told, kept = [], life.alert
    for minute in minutes:
        for state, half in (("reached", 0.0), ("clear", 0.5)):
            finding = found(line("early", state, Level.WARNING, held=False))
            done = decide(kept, finding, NOW + (minute + half) * MINUTE, policy)
            told.append(done)
            kept = done.after
    life.alert = kept
    return told


def test_up_and_down_too_often_becomes_one_message_that_stays():
    life = Life(POLICY)
    told = bounce(life, range(0, 50, 5))
    posts = [done for done in told if done.posts]
    assert [done.reason for done in posts] == [Reason.FIRST_SEEN] * 4 + [Reason.FLAPPING]
    assert all(done.change is Change.KEPT for done in told[9:])
    assert life.alert.flaps(NOW + 46 * MINUTE, POLICY)


def test_what_is_worse_than_all_before_is_posted_though_it_flaps():
    life = Life(POLICY)
    bounce(life, range(0, 50, 5))
    done = decide(life.alert, at_tier("call"), NOW + 50 * MINUTE, POLICY)
    assert (done.change, done.posts) == (Change.WORSE, True)


def test_an_hour_without_a_rise_ends_it():
    life = Life(POLICY)
    bounce(life, range(0, 50, 5))
    clear = found(line("early", "clear", Level.WARNING, held=False))
    assert decide(life.alert, clear, NOW + 104 * MINUTE, POLICY).change is Change.KEPT
    assert decide(life.alert, clear, NOW + 106 * MINUTE, POLICY).change is Change.CLOSED


def test_four_times_an_hour_is_not_flapping():
    life = Life(POLICY)
    told = bounce(life, range(0, 150, 15))
    assert [done.change for done in told] == [Change.OPENED, Change.CLOSED] * 10
