"""The life of a plan: whatever happens in whatever order, nobody approves their own, and what has ended stays ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from cover_books import random_book
from hypothesis import given, settings
from hypothesis import strategies as st
from support import NOW, book, btc, contract, loan, tier, treasury
from test_cover import cover

from bot.domain.alert import Person
from bot.domain.plan_documents import plan_document, plan_from, wanted_document, wanted_from
from bot.domain.plan_words import steps
from bot.domain.planning import plan_now, progress_of, remaining
from bot.domain.plans import (
    TOLERANCE,
    Act,
    Aim,
    Change,
    Did,
    Found,
    Made,
    Plan,
    Progress,
    Status,
    Wanted,
    Why,
    decide,
    moved,
    propose,
)
from bot.domain.sales import Leg, Name, Repayment, Scenario, Way
from bot.domain.sales_words import steps as recommended_steps
from bot.domain.terms import Group, GroupTest
from bot.store.columns import json_text

PEOPLE = [Person("U1", "Ada"), Person("U2", "Sam"), Person("U3", "Grace")]
AT_55 = Wanted(Scenario(price=5_500_000))


def made(coins: int, dollars: int = 0, key: str = "covenant:antalpha") -> Made:
    """A plan that sells so many satoshis and repays so many cents."""
    leg = Leg(Way.SELL_FREE, "antalpha", NOW, NOW, "custody", "custody", coins, dollars, Fraction(dollars))
    aim = Aim(key, "Antalpha", "margin call", Fraction(13, 20))
    return Made(
        NOW,
        1,
        5_500_000,
        5_650_000,
        Name.FREE,
        (leg,) if coins else (),
        (Repayment("antalpha", dollars, 0),) if dollars else (),
        aims=(aim,),
    )


FOUND = st.one_of(
    st.builds(lambda coins, key: Found(made(coins, key=key)), st.integers(9_800, 10_200), st.sampled_from(["a", "b"])),
    st.just(Found(why="no price")),
    st.just(Found(why="nothing", needed=False)),
)
ACTS = st.one_of(
    st.tuples(st.just(Did.APPROVE), st.sampled_from(PEOPLE), st.integers(1, 4), FOUND),
    st.tuples(st.just(Did.DISMISS), st.sampled_from(PEOPLE), st.just(0), st.none()),
    st.tuples(st.just(Did.SUPERSEDE), st.none(), st.just(0), st.none()),
    st.tuples(
        st.just(Did.LOOK),
        st.none(),
        st.just(0),
        st.builds(Progress, st.sampled_from([(), ("f1",), ("f1", "f2")]), st.booleans(), st.booleans()),
    ),
)


@given(st.sampled_from(PEOPLE), st.lists(ACTS, max_size=12))
def test_whatever_happens_in_whatever_order(proposer: Person, acts: list) -> None:  # type: ignore[type-arg]
    """A model in a few words: the numbers shown, how often asked, and one of four states."""
    plan = replace(propose(Wanted(), made(10_000, key="a"), proposer, NOW).plan, id=7)
    state, coins, key, asked = "waits", 10_000, "a", 1
    seen: Counter[Change] = Counter()
    for number, (kind, by, shown, more) in enumerate(acts):
        now = NOW + timedelta(minutes=number)
        was = plan
        if kind is Did.LOOK:
            turn = decide(plan, Act(kind), now, progress=more)
        else:
            turn = decide(plan, Act(kind, by, shown, "because"), now, found=more)
        plan = turn.plan
        seen[turn.change] += 1
        if (state in ("waits", "goes on") and kind in (Did.DISMISS, Did.SUPERSEDE)) or (
            state == "goes on" and kind is Did.LOOK and more.cured
        ):
            state = "over"
        elif state == "waits" and kind is Did.APPROVE and by.id != proposer.id and shown == asked:
            if not more.needed:
                state = "over"
            elif more.made is not None:
                new, new_key = more.made.coins(Way.SELL_FREE), more.made.aims[0].key
                if abs(new - coins) * 100 > coins or new_key != key:
                    asked += 1
                else:
                    state = "goes on"
                coins, key = new, new_key
        assert {"waits": plan.status is Status.PROPOSED, "goes on": plan.status is Status.APPROVED}.get(
            state, not plan.is_open
        )
        assert (plan.asked, plan.made.coins(Way.SELL_FREE)) == (asked, coins)
        assert (turn.change is Change.KEPT) == (plan == was)
        if plan.approved_at is not None:
            assert plan.decided_by is None or plan.status is not Status.APPROVED or plan.decided_by.id != proposer.id
    assert seen[Change.APPROVED] <= 1
    assert sum(seen[c] for c in (Change.DISMISSED, Change.EXPIRED, Change.SUPERSEDED, Change.COMPLETED)) <= 1


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_what_moves_by_more_than_the_tolerance_and_no_less(before: int, now: int) -> None:
    found = moved(made(before, 10**9).figures, made(now, 10**9).figures)
    assert bool(found) == (abs(now - before) * TOLERANCE.denominator > before * TOLERANCE.numerator)
    assert all((one.before, one.now) == (before, now) for one in found)


def test_what_comes_or_goes_has_moved() -> None:
    assert moved(made(10).figures, made(10, 1).figures)
    assert moved(made(10, 1).figures, made(10).figures)
    assert not moved(made(100, 10_000).figures, made(101, 10_100).figures)


def plans_of(seed: int) -> Plan | None:
    """A plan of a random treasury, approved by somebody with much to remember."""
    at = random_book(seed)
    found = plan_now(at, AT_55, 12).made
    if found is None:
        return None
    plan = replace(propose(AT_55, found, PEOPLE[0], at.at).plan, id=seed)
    now = at.at + timedelta(microseconds=1)
    first = decide(plan, Act(Did.APPROVE, PEOPLE[1], 1), now, Found(replace(found, repayments=()))).plan
    first = decide(first, Act(Did.APPROVE, PEOPLE[1], first.asked), now, Found(found)).plan
    return decide(first, Act(Did.LOOK), now, progress=Progress(("a", "b"), cured=False, under=True)).plan


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 5_000))
def test_a_plan_is_kept_without_loss(seed: int) -> None:
    plan = plans_of(seed)
    if plan is not None:
        document = plan_document(plan)
        json_text(document)
        assert plan_from(plan.id, document) == plan


@given(
    st.one_of(
        st.just(Scenario()),
        st.builds(lambda cents: Scenario(price=cents), st.integers(1, 10**10)),
        st.builds(lambda part: Scenario(drop=part), st.fractions(0, Fraction(999, 1000), max_denominator=10**6)),
    ),
    st.frozensets(st.sampled_from(Way), min_size=1),
    st.none() | st.integers(0, 21 * 10**14),
    st.booleans(),
)
def test_what_a_button_carries_comes_back_whole(
    scenario: Scenario, ways: frozenset[Way], most: int | None, keeps: bool
) -> None:
    wanted = Wanted(scenario, ways, most, keeps)
    text = json_text(wanted_document(wanted))
    assert wanted_from(wanted_document(wanted)) == wanted
    assert len(text) < 2_000


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 5_000))
def test_carried_out_as_printed_a_plan_is_complete_and_its_half_is_not(seed: int) -> None:
    """Every movement of the plan, recorded when it said: then all it aims at is cured. Before, it was not."""
    at = random_book(seed)
    found = plan_now(at, AT_55, 0).made
    if found is None or not found.movements:
        return
    plan = replace(propose(AT_55, found, PEOPLE[0], at.at).plan, id=1)
    plan = decide(plan, Act(Did.APPROVE, PEOPLE[1], 1), at.at, Found(found)).plan
    assert not progress_of(at, plan).cured
    assert remaining(at, plan).made is not None
    end = max(movement.at for movement in found.movements)
    if any(movement.at != end for movement in found.movements):
        return  # interest runs on for what was credited earlier; the verifier looks at each in its own time
    known = tuple(one for one in at.treasury.movements if one.at <= at.at)
    done = replace(at.treasury, movements=known + found.movements)
    after = book(done, "55000", end)
    progress = progress_of(after, plan)
    assert progress.cured
    paid = [m.ref for m in found.movements if m.kind in ("pledged", "repaid", "interest_paid")]
    assert set(paid) <= set(progress.fills)


def test_no_more_is_sold_than_was_allowed() -> None:
    at = book(treasury(loan()), "55000")
    free = plan_now(at, replace(AT_55, ways=frozenset({Way.SELL_FREE})), 0)
    assert free.made is not None
    needed = free.made.coins(Way.SELL_FREE)
    assert plan_now(at, replace(AT_55, ways=frozenset({Way.SELL_FREE}), most=needed), 0).made is not None
    less = plan_now(at, replace(AT_55, ways=frozenset({Way.SELL_FREE}), most=needed - btc("1")), 0)
    assert (less.made, less.needed) == (None, True)
    mixed = plan_now(at, replace(AT_55, most=btc("1")), 0)
    assert mixed.made is not None
    assert mixed.made.coins(Way.SELL_FREE, Way.SELL_PLEDGED) <= btc("1")


def test_a_plan_is_written_out_as_its_recommendation_is() -> None:
    """To the cent and the satoshi, of principal and of interest; coins of a pool are pledged to the pool."""
    group = Group("all", GroupTest.RATIO, (tier("call", "0.78", cure_to="0.68"),), pool=btc("6000"))
    members = [loan(name, debt="130000000", coins="0", group="all", rate="0.07") for name in ("one", "two")]
    at = book(treasury(*members, groups=(group,)), "55000")
    for ways, first in ((frozenset({Way.TOP_UP}), "- Pledge "), (frozenset(Way), "- Send ")):
        made = plan_now(at, replace(AT_55, ways=ways), 0).made
        assert made is not None
        (one,) = (one for one in cover(at).alternatives if one.name is made.name)
        said = steps(at, made)[1 : 1 + len(made.legs) + len(made.repayments)]
        assert list(said) == [f"- {step}" for step in recommended_steps(at, one)]
        assert said[0].startswith(first)
        assert ("to the pool of all: from" in said[0]) == (ways == {Way.TOP_UP})


def test_a_fall_off_a_price_that_is_none_is_no_plan() -> None:
    at = book(contract(), None)
    assert plan_now(at, Wanted(Scenario(drop=Fraction(1, 5))), 0).made is None
    assert plan_now(at, AT_55, 0).why.startswith("Nothing") or plan_now(at, AT_55, 0).needed


@pytest.mark.parametrize("kind", [Did.APPROVE, Did.DISMISS, Did.SUPERSEDE, Did.LOOK])
@pytest.mark.parametrize("status", [one for one in Status if not one.is_open])
def test_what_has_ended_never_begins_again(kind: Did, status: Status) -> None:
    over = replace(propose(Wanted(), made(1), PEOPLE[0], NOW).plan, status=status)
    turn = decide(over, Act(kind, PEOPLE[1], 1), NOW, Found(made(1)), Progress(("a",), cured=True, under=True))
    assert (turn.plan, turn.why) == (over, Why.NOT_OPEN)
