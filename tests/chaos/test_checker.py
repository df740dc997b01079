"""The checker can fail: a run in which all is well, with one thing changed, and that thing is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from .checker import CONTINUED, Said, Verdict, judge
from .script import FACILITIES, PRICE_KEY, WIDE, Change, Script, Step, dice, episodes_of

LENDERS = {one.key: one for one in FACILITIES}


def steps() -> list[Step]:
    script = Script(dice("a run"))
    for _ in range(60):
        script.next()
    script.ending()
    return script.steps


STEPS = steps()
EPISODES = episodes_of(STEPS)


def line(change: Change) -> str:
    """A headline that says what the bot would, at the price of the step."""
    price = STEPS[change.step].price
    if change.key == PRICE_KEY:
        usd = f"${price // 100:,}.{price % 100:02d}"
        return f"No bitcoin price (last {usd})" if change.posts else f"The bitcoin price is back: {usd} (0 s old)"
    said = "is clear" if change.change == "closed" else "is at its line"
    return f"{LENDERS[change.key].lender} {said}: LTV {LENDERS[change.key].printed(price)} %"


def perfect() -> list[Said]:
    """What Slack has when nothing ever went wrong, in the order of the steps."""
    said: dict[str, Said] = {}
    changes = sorted((c.step, n, c) for n, episode in enumerate(EPISODES) for c in episode.changes)
    newest: dict[int, str] = {}
    for step, number, change in changes:
        ts = f"{step}.{number}"
        if change.posts:
            if older := said.get(newest.get(number, "")):
                said[older.ts] = edited(older, f"{CONTINUED} {older.texts[-1]}")
            said[ts], newest[number] = Said(ts, (line(change),), None, ts), ts
        else:
            parent = said[newest[number]]
            said[parent.ts] = edited(parent, line(change))
            said[ts] = Said(ts, (f"Told: {line(change)}",), parent.ts, ts)
    return list(said.values())


def edited(one: Said, text: str) -> Said:
    return replace(one, texts=(*one.texts, text))


def counts(verdict: Verdict) -> dict[str, int]:
    """What is not 0."""
    names = ("lost", "duplicated", "uncalled", "out_of_order", "stale")
    return {name: count for name in names if (count := getattr(verdict, name))}


def index_of(check: Callable[[Said], bool]) -> int:
    """Some message in the middle of the run."""
    found = [n for n, one in enumerate(PERFECT) if check(one)]
    return found[len(found) // 2]


PERFECT = perfect()
POST = index_of(lambda one: not one.thread_ts and len(one.texts) == 3)
REPLY = index_of(lambda one: bool(one.thread_ts))
CONTINUING = index_of(lambda one: one.texts[-1].startswith(CONTINUED))


def without(index: int) -> list[Said]:
    return [*PERFECT[:index], *PERFECT[index + 1 :]]


def changed(index: int, **changes: object) -> list[Said]:
    return [*PERFECT[:index], replace(PERFECT[index], **changes), *PERFECT[index + 1 :]]


def test_a_run_in_which_all_is_well_is_clean() -> None:
    verdict = judge(STEPS, PERFECT)
    assert counts(verdict) == {}, verdict.found
    assert verdict.decided == verdict.delivered > 100
    assert verdict.is_clean


def test_a_lost_post_is_counted_with_what_it_should_have_shown_at_last() -> None:
    assert counts(judge(STEPS, without(POST)))["lost"] == 2


def test_a_lost_reply_is_counted() -> None:
    assert counts(judge(STEPS, without(REPLY))) == {"lost": 1}


@pytest.mark.parametrize("index", [POST, REPLY], ids=["post", "reply"])
@pytest.mark.parametrize("later", [1, 30])
def test_what_is_said_twice_is_counted(index: int, later: int) -> None:
    again = replace(PERFECT[index], ts="again")
    assert counts(judge(STEPS, [*PERFECT[: index + later], again, *PERFECT[index + later :]])) == {"duplicated": 1}


def test_a_final_edit_that_never_came_is_lost() -> None:
    assert counts(judge(STEPS, changed(POST, texts=PERFECT[POST].texts[:-1]))) == {"lost": 1}


def test_an_older_post_that_does_not_say_continued_is_lost() -> None:
    assert counts(judge(STEPS, changed(CONTINUING, texts=PERFECT[CONTINUING].texts[:-1]))) == {"lost": 1}


@pytest.mark.parametrize("index", [POST, CONTINUING], ids=["an older state", "no longer continued"])
def test_an_edit_that_goes_back_is_stale_even_where_a_later_one_mends_it(index: int) -> None:
    texts = PERFECT[index].texts
    assert counts(judge(STEPS, changed(index, texts=(*texts, texts[0], texts[-1])))) == {"stale": 1}


def test_an_edit_that_goes_back_and_stays_is_stale_and_a_loss() -> None:
    texts = PERFECT[POST].texts
    assert counts(judge(STEPS, changed(POST, texts=(*texts, texts[0])))) == {"lost": 1, "stale": 1}


def test_two_of_one_alert_in_the_wrong_order_are_counted() -> None:
    episode = next(episode for episode in EPISODES if len(episode.posts) > 1)
    first, second = (f"{post.step}.{EPISODES.index(episode)}" for post in episode.posts[:2])
    place = {one.ts: n for n, one in enumerate(PERFECT)}
    said = list(PERFECT)
    said[place[first]], said[place[second]] = said[place[second]], said[place[first]]
    assert counts(judge(STEPS, said)) == {"out_of_order": 1}


def test_a_reply_in_the_thread_of_an_older_post_is_out_of_order() -> None:
    episode = next(e for e in EPISODES if len(e.posts) > 1 and e.replies and e.replies[-1].step > e.posts[1].step)
    number = EPISODES.index(episode)
    index = index_of(lambda one: one.ts == f"{episode.replies[-1].step}.{number}")
    said = changed(index, thread_ts=f"{episode.posts[0].step}.{number}")
    assert counts(judge(STEPS, said)) == {"out_of_order": 1}


@pytest.mark.parametrize("text", ["Alder Bank is at its line: LTV 12.34 %", "Good morning", PERFECT[REPLY].texts[0]])
def test_what_nothing_called_for_is_counted(text: str) -> None:
    assert counts(judge(STEPS, [*PERFECT, Said("again", (text,))]))["uncalled"] >= 1


def test_the_tiers_are_reached_and_cleared_at_the_lines_themselves() -> None:
    one, (early, call, *_) = FACILITIES[0], WIDE
    at = {tier: int(one.principal * 100_000_000 / (100_000_000_000 * tier.line)) for tier in (early, call)}
    played = [
        Step(0, 7_600_000),
        Step(1, at[early] + 1),
        Step(2, at[early]),
        Step(3, at[call]),
        Step(4, int(one.principal / 1_000 / call.clear) + 1),
        Step(5, int(one.principal / 1_000 / early.clear)),
        Step(6, int(one.principal / 1_000 / early.clear) + 1),
    ]
    (alert,) = [episode for episode in episodes_of(played) if episode.key == one.key]
    assert [(c.step, c.change) for c in alert.changes] == [(2, "opened"), (3, "worse"), (4, "eased"), (6, "closed")]
    assert one.printed(at[early] + 1) == "69.99"
