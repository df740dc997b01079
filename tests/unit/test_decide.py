"""The life of one alert: every change, and the reason it gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support import HOUR, MINUTE, NOW

from bot.domain.alerts import Alert, AlertPolicy, CallClock, Change, Finding, Line, Reason, Transition, decide
from bot.domain.terms import Level

SECOND = timedelta(seconds=1)
POLICY = AlertPolicy()
NAMES = ("early", "call", "liquidation")
LEVELS = (Level.WARNING, Level.CRITICAL, Level.CRITICAL)


def line(name: str, state: str, level: Level | None = None, **more: Any) -> Line:
    """One tier's line, `state` being reached, near (neither reached nor cleared) or clear."""
    rank = NAMES.index(name)
    return Line(name, rank, level or LEVELS[rank], state == "reached", state == "clear", tier=name, **more)


def open_call(ref: str = "n1", rank: int = 1, over: bool = False) -> Line:
    return Line(f"call:{ref}", rank, Level.CRITICAL, not over, over, tier=NAMES[rank], call=True)


def clock(ref: str = "n1", due_in: timedelta | None = 24 * HOUR, state: str = "open") -> CallClock:
    return CallClock(ref, NOW, NOW + due_in if due_in is not None else None, state)


def found(*lines: Line, **more: Any) -> Finding:
    return Finding("covenant:x", lines, **more)


def at_tier(name: str) -> Finding:
    """Reached up to and including `name`; the rest is clear."""
    worst = NAMES.index(name)
    return found(*(line(one, "reached" if rank <= worst else "clear") for rank, one in enumerate(NAMES)))


CLEAR = found(*(line(name, "clear") for name in NAMES))
UNKNOWN = found(unknown=True)


class Life:
    """Feeds findings to `decide`, each at so long after NOW, and keeps the alert."""

    def __init__(self, policy: AlertPolicy = POLICY) -> None:
        self.policy = policy
        self.alert: Alert | None = None

    def see(self, after: timedelta, finding: Finding | None) -> Transition:
        done = decide(self.alert, finding, NOW + after, self.policy)
        assert isinstance(done.reason, Reason)
        assert (done.key, done.at, done.before) == ("covenant:x", NOW + after, self.alert)
        self.alert = done.alert
        return done

    def changes(self, finding: Finding | None, *minutes: float) -> list[Change]:
        return [self.see(minute * MINUTE, finding).change for minute in minutes]


def opened(finding: Finding, policy: AlertPolicy = POLICY) -> Life:
    life = Life(policy)
    assert life.see(0 * MINUTE, finding).change is Change.OPENED
    return life


# -- opening and getting worse --


def test_it_opens_at_once_at_the_worst_line_reached():
    done = Life().see(0 * MINUTE, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.OPENED, Reason.FIRST_SEEN, True)
    assert (done.alert.level, done.alert.tier, done.alert.opened_at) == (Level.CRITICAL, "call", NOW)


@pytest.mark.parametrize("finding", [None, CLEAR, found(line("early", "near"))])
def test_nothing_reached_opens_nothing(finding):
    done = decide(None, finding, NOW, POLICY)
    assert (done.change, done.reason, done.alert, done.speaks) == (Change.KEPT, Reason.NOTHING_NEW, None, False)


def test_a_worse_line_is_said_at_once():
    life = opened(at_tier("early"))
    done = life.see(SECOND, at_tier("call"))
    assert (done.change, done.reason, done.posts) == (Change.WORSE, Reason.HIGHER_LEVEL, True)
    done = life.see(2 * SECOND, at_tier("liquidation"))
    assert (done.change, done.reason, life.alert.tier) == (Change.WORSE, Reason.WORSE_TIER, "liquidation")


def test_the_same_line_at_a_higher_level_is_worse():
    """Reached at the lender's venue only, and then at our price too."""
    life = opened(found(line("call", "reached", Level.WARNING)))
    done = life.see(SECOND, found(line("call", "reached")))
    assert (done.change, done.reason) == (Change.WORSE, Reason.HIGHER_LEVEL)


def test_a_notice_at_a_line_that_was_only_a_warning_is_worse():
    life = opened(at_tier("early"))
    done = life.see(SECOND, found(line("early", "reached"), open_call(), calls=(clock(),)))
    assert (done.change, done.reason, life.alert.level) == (Change.WORSE, Reason.HIGHER_LEVEL, Level.CRITICAL)


def test_nothing_new_is_kept():
    life = opened(at_tier("call"))
    done = life.see(SECOND, at_tier("call"))
    assert (done.change, done.reason, done.speaks) == (Change.KEPT, Reason.NOTHING_NEW, False)


def test_terms_that_gain_a_milder_line_make_nothing_worse():
    """An amendment puts an early warning under the line that stands: the line is the same, only its number isn't."""
    life = opened(found(Line("call", 0, Level.CRITICAL, True, False, tier="call")))
    amended = found(line("early", "reached"), line("call", "reached"))
    assert life.see(MINUTE, amended).change is not Change.WORSE
    assert life.alert.tier == "call"


# -- easing and closing --


def test_it_closes_after_ten_minutes_in_the_clear():
    life = opened(at_tier("early"))
    assert life.changes(CLEAR, 1, 5, 10.9) == [Change.KEPT] * 3
    done = life.see(11 * MINUTE, CLEAR)
    assert (done.change, done.reason, done.alert, done.posts) == (Change.CLOSED, Reason.ALL_CLEAR, None, False)


def test_what_is_no_longer_found_at_all_is_clear():
    life = opened(at_tier("early"))
    assert life.changes(None, 1, 11) == [Change.KEPT, Change.CLOSED]


def test_near_its_line_is_not_clear():
    life = opened(at_tier("early"))
    assert set(life.changes(found(line("early", "near")), *range(1, 60))) == {Change.KEPT}


@pytest.mark.parametrize("interruption", ["near", "reached"])
def test_ten_minutes_begin_again_after_an_interruption(interruption):
    life = opened(at_tier("early"))
    life.changes(CLEAR, 1, 9)
    life.changes(found(line("early", interruption)), 10)
    assert life.changes(CLEAR, 11, 20.9) == [Change.KEPT] * 2
    assert life.changes(CLEAR, 21) == [Change.CLOSED]


def test_each_line_has_its_own_clock_and_the_worst_not_yet_cleared_is_shown():
    life = opened(at_tier("liquidation"))
    only_call = found(line("early", "reached"), line("call", "near"), line("liquidation", "clear"))
    life.changes(only_call, 1)
    call_clears = found(line("early", "reached"), line("call", "clear"), line("liquidation", "clear"))
    life.changes(call_clears, 5)
    assert life.alert.tier == "liquidation"
    done = life.see(11 * MINUTE, call_clears)
    assert (done.change, done.reason, life.alert.tier, life.alert.level) == (
        Change.EASED,
        Reason.LINE_CLEARED,
        "call",
        Level.CRITICAL,
    )
    life.changes(CLEAR, 14)
    done = life.see(15 * MINUTE, CLEAR)
    assert (done.change, life.alert.tier, life.alert.level) == (Change.EASED, "early", Level.WARNING)
    assert life.changes(CLEAR, 23.9, 24) == [Change.KEPT, Change.CLOSED]


def test_lines_that_clear_together_close_it_in_one_step():
    life = opened(at_tier("liquidation"))
    assert life.changes(CLEAR, 1, 11) == [Change.KEPT, Change.CLOSED]


def test_worse_again_while_it_clears_posts_again_only_once_it_had_eased():
    life = opened(at_tier("call"))
    life.changes(at_tier("early"), 1)
    assert life.changes(at_tier("call"), 2) == [Change.KEPT]  # it was never below it
    life.changes(found(line("early", "reached"), line("call", "clear")), 3, 13)
    assert (life.alert.tier, life.changes(at_tier("call"), 14)) == ("early", [Change.WORSE])


def test_what_is_not_held_closes_at_once():
    life = opened(found(line("early", "reached", held=False)))
    assert life.changes(None, 1) == [Change.CLOSED]


# -- an unknown price --


def test_an_unknown_price_opens_nothing():
    done = decide(None, UNKNOWN, NOW, POLICY)
    assert (done.change, done.reason, done.alert) == (Change.KEPT, Reason.PRICE_UNKNOWN, None)


def test_an_unknown_price_neither_eases_nor_closes():
    life = opened(at_tier("call"))
    assert life.changes(UNKNOWN, *range(1, 29)) == [Change.KEPT] * 28
    assert life.see(29 * MINUTE, UNKNOWN).reason is Reason.PRICE_UNKNOWN
    assert life.alert.tier == "call"


def test_an_unknown_price_stops_the_clearing_clocks():
    life = opened(at_tier("early"))
    assert life.changes(CLEAR, 1, 7) == [Change.KEPT] * 2
    assert life.changes(UNKNOWN, 8, 15, 20) == [Change.KEPT] * 3
    assert life.changes(CLEAR, 21, 23.9) == [Change.KEPT] * 2  # 7 min before, 3 min after
    assert life.changes(CLEAR, 24) == [Change.CLOSED]


def test_a_notice_is_heard_without_a_price():
    life = Life()
    done = life.see(0 * MINUTE, found(open_call(), unknown=True, calls=(clock(),)))
    assert (done.change, life.alert.level, life.alert.tier) == (Change.OPENED, Level.CRITICAL, "call")


def test_the_clocks_of_calls_run_without_a_price():
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    done = life.see(12 * HOUR, found(open_call(), unknown=True, calls=(clock(),)))
    assert (done.change, done.mark) == (Change.REMINDER, "half")


def test_a_notice_withdrawn_without_a_price_leaves_the_alert_open_until_there_is_one():
    life = opened(found(open_call(), calls=(clock(),)))
    done = life.see(MINUTE, UNKNOWN)
    assert (done.change, done.reason) == (Change.NOTED, Reason.NOTICE_ENDED)
    assert life.see(2 * MINUTE, UNKNOWN).change is Change.KEPT
    assert life.see(3 * MINUTE, CLEAR).change is Change.CLOSED


# -- a call's clock --


@pytest.mark.parametrize(
    ("due_in", "marks"),
    [
        (24 * HOUR, [(12 * HOUR, "half"), (18 * HOUR, "quarter"), (23 * HOUR, "last hour")]),
        (4 * HOUR, [(2 * HOUR, "half"), (3 * HOUR, "last hour")]),
        (2 * HOUR, [(HOUR, "last hour"), (1.5 * HOUR, "quarter")]),
        (HOUR, [(0.5 * HOUR, "half"), (0.75 * HOUR, "quarter")]),
        (None, []),
    ],
)
def test_a_clock_reminds_at_half_a_quarter_and_its_last_hour_and_once_each(due_in, marks):
    life = opened(found(open_call(), calls=(clock(due_in=due_in),)), replace(POLICY, repeat_every=None))
    seen = []
    for minute in range(1, int((due_in or 30 * HOUR) / MINUTE)):
        done = life.see(minute * MINUTE, found(open_call(), calls=(clock(due_in=due_in),)))
        if done.change is not Change.KEPT:
            assert (done.change, done.reason, done.posts) == (Change.REMINDER, Reason.CLOCK_MARK, True)
            seen.append((minute * MINUTE, done.mark))
    assert seen == marks


def test_a_missed_deadline_is_said_once():
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    missed = found(open_call(), calls=(clock(state="missed"),))
    done = life.see(24 * HOUR, missed)
    assert (done.change, done.reason, done.mark) == (Change.REMINDER, Reason.DEADLINE_MISSED, "missed")
    assert life.see(25 * HOUR, missed).change is Change.KEPT


def test_a_deadline_at_which_nothing_was_missing_reminds_nobody():
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    life.see(23 * HOUR, found(open_call(), calls=(clock(),)))
    assert life.see(24 * HOUR, found(open_call(), calls=(clock(),))).change is Change.KEPT


def test_after_an_outage_only_the_latest_mark_is_said():
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    assert life.see(23.5 * HOUR, found(open_call(), calls=(clock(),))).mark == "last hour"
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    assert life.see(40 * HOUR, found(open_call(), calls=(clock(state="missed"),))).mark == "missed"
    assert life.see(41 * HOUR, found(open_call(), calls=(clock(state="missed"),))).change is Change.KEPT


def test_a_notice_recorded_late_does_not_remind_of_what_is_past():
    life = opened(at_tier("call"), replace(POLICY, repeat_every=None))
    with_call = found(line("early", "reached"), line("call", "reached"), open_call(), calls=(clock(),))
    assert life.see(13 * HOUR, with_call).change is Change.NOTED
    assert life.see(14 * HOUR, with_call).change is Change.KEPT
    assert life.see(18 * HOUR, with_call).mark == "quarter"


def test_a_dispute_stops_no_clock():
    life = opened(found(open_call(), calls=(clock(),)), replace(POLICY, repeat_every=None))
    done = life.see(HOUR, found(open_call(), calls=(clock(state="disputed"),)))
    assert (done.change, done.reason) == (Change.NOTED, Reason.NOTICE_CHANGED)
    assert life.see(12 * HOUR, found(open_call(), calls=(clock(state="disputed"),))).mark == "half"


def test_each_call_has_its_own_marks():
    both = (clock(), clock("n2", 8 * HOUR))
    life = opened(found(open_call(), open_call("n2"), calls=both), replace(POLICY, repeat_every=None))
    marks = [life.see(n * HOUR, found(open_call(), open_call("n2"), calls=both)).mark for n in (4, 6, 7, 12)]
    assert marks == ["half", "quarter", "last hour", "half"]


# -- notices --


def test_a_notice_under_a_line_that_stands_is_noted():
    life = opened(at_tier("call"))
    with_call = found(line("early", "reached"), line("call", "reached"), open_call(), calls=(clock(),))
    done = life.see(MINUTE, with_call)
    assert (done.change, done.reason, done.posts, done.speaks) == (Change.NOTED, Reason.NOTICE_RECORDED, False, True)
    done = life.see(2 * MINUTE, at_tier("call"))
    assert (done.change, done.reason) == (Change.NOTED, Reason.NOTICE_ENDED)


def test_a_call_that_the_lender_ends_closes_the_alert_at_once_where_no_line_stands():
    life = opened(found(*CLEAR.lines, open_call(), calls=(clock(),)))
    done = life.see(MINUTE, None)
    assert (done.change, done.recovered) == (Change.CLOSED, ())


def test_a_call_that_the_lender_ends_eases_to_the_line_that_stands():
    life = opened(found(line("early", "reached"), open_call(), calls=(clock(),)))
    done = life.see(MINUTE, at_tier("early"))
    assert (done.change, life.alert.level, life.alert.tier) == (Change.EASED, Level.WARNING, "early")


def test_a_call_that_price_ends_names_itself_and_is_ended_in_the_same_step():
    life = opened(found(*CLEAR.lines, open_call(), calls=(clock(),)))
    over = found(*CLEAR.lines, open_call(over=True), calls=(clock(),))
    assert life.see(MINUTE, over).change is Change.KEPT
    done = life.see(11 * MINUTE, over)
    assert (done.change, done.recovered) == (Change.CLOSED, ("n1",))


# -- speaking again --


def test_critical_is_said_again_every_half_hour():
    life = opened(at_tier("call"))
    changes = life.changes(at_tier("call"), *range(1, 91))
    assert [minute for minute, change in enumerate(changes, 1) if change is Change.REPEATED] == [30, 60, 90]
    assert set(changes) == {Change.KEPT, Change.REPEATED}


def test_half_an_hour_counts_from_the_last_post():
    life = opened(at_tier("call"))
    assert life.changes(at_tier("liquidation"), 20) == [Change.WORSE]
    assert life.changes(at_tier("liquidation"), 30, 49, 50) == [Change.KEPT, Change.KEPT, Change.REPEATED]


def test_a_warning_is_not_said_again():
    assert set(opened(at_tier("early")).changes(at_tier("early"), *range(1, 200))) == {Change.KEPT}


def test_new_numbers_are_edited_in_at_most_once_a_minute():
    life = opened(replace(at_tier("early"), say=lambda: "at 70.00 %"))
    changes = {}
    for second in range(10, 300, 10):
        text = f"at 70.{second // 20:02d} %"
        changes[second] = life.see(second * SECOND, replace(at_tier("early"), say=lambda text=text: text)).change
    assert [second for second, change in changes.items() if change is Change.UPDATED] == [60, 120, 180, 240]


def test_numbers_that_came_too_early_to_be_edited_in_are_edited_in_later():
    life = opened(replace(at_tier("early"), say=lambda: "at 70.00 %"))
    now_71 = replace(at_tier("early"), say=lambda: "at 71.00 %")
    assert life.changes(now_71, 0.5, 1, 1.5, 2) == [Change.KEPT, Change.UPDATED, Change.KEPT, Change.KEPT]


def test_a_new_tier_or_level_is_edited_in_at_once():
    life = opened(replace(at_tier("call"), say=lambda: "a"))
    life.changes(replace(at_tier("call"), say=lambda: "b"), 10)
    assert life.changes(replace(at_tier("liquidation"), say=lambda: "c"), 10.1) == [Change.WORSE]


def test_repeats_and_edits_can_be_switched_off():
    quiet = AlertPolicy(repeat_every=None, edit_every=None)
    life = opened(at_tier("call"), quiet)
    assert set(life.changes(replace(at_tier("call"), say=lambda: "new"), *range(1, 200))) == {Change.KEPT}
