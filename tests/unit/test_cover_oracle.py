"""Cover against HiGHS: same feasibility, as few coins sold, and every plan cures when carried out as printed.

1,000 random books here, 20,000 in `make soak` (COVER_BOOKS).
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from cover_books import random_book
from cover_oracle import Oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.book import Book, Register
from bot.domain.covenant import Exposure, read
from bot.domain.ledger import ledger_faults
from bot.domain.sales import Alternative, Name, alternative
from bot.domain.sales.situation import needs_of
from bot.domain.terms import GroupTest

BOOKS = int(os.environ.get("COVER_BOOKS", "1000"))
CENTS = 2
"""A facility's rounding: so much of its cure."""
SATOSHIS = 5e-7
"""What floating point may be out by, in BTC."""


@settings(
    max_examples=BOOKS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.integers(0, 10**9))
def test_cover_finds_what_highs_finds_and_what_it_prints_cures(seed):
    book = random_book(seed)
    needs = tuple(needs_of(book, book.price))
    if not needs:
        assert not Oracle(book, {}, {}).together()
        return
    plan = alternative(book, book.price, needs, Name.RECOMMENDED)
    if plan.feasible:
        as_few_coins(book, plan)
        carried_out(book, plan)
    else:
        not_possible(book)


def as_few_coins(book: Book, plan: Alternative) -> None:
    """Sold within rounding of the optimum on the debts of the plan's own settlement."""
    oracle = Oracle(book, {}, {})
    settles = {name: settled(book, plan, {f.id for f in loans}) for name, loans, _ in oracle.together()}
    until = {name: min(oracle.due(name), at) for name, at in settles.items()}
    oracle = Oracle(book, until, settles)
    sold = ((plan.sell_free or 0) + (plan.sell_pledged or 0)) / 1e8
    least = oracle.optimum()
    assert least is not None, "a plan where there is none"
    assert sold > least - SATOSHIS, "fewer coins than can be"
    if sold > least + SATOSHIS:
        most = oracle.optimum(cents=CENTS)
        assert most is None or sold < most + SATOSHIS, "more coins than must be"
    assert plan.proven


def not_possible(book: Book) -> None:
    """HiGHS finds nothing either: neither on the debts of now nor (within rounding) on those of any day to come."""
    oracle = Oracle(book, {}, {})
    names = [name for name, _, _ in oracle.together()]
    until = {name: oracle.due(name) for name in names}
    if Oracle(book, until, dict.fromkeys(names, book.at)).optimum() is None:
        return
    later = {name: min(until[name], book.at + timedelta(days=6)) for name in names}
    assert Oracle(book, until, later).optimum(cents=CENTS) is None, "HiGHS finds a plan"


def settled(book: Book, plan: Alternative, ids: set[str]) -> datetime:
    return max((m.at for m in plan.movements if m.facility in ids), default=book.at)


def carried_out(book: Book, plan: Alternative) -> None:
    """Movement by movement through the ledger: every cure is at its target, and two cents' worth less is not."""
    carried = replace(book.treasury, movements=book.treasury.movements + plan.movements)
    assert ledger_faults(carried) == []
    register, oracle = Register.of(carried), Oracle(book, {}, {})
    raised = {one.facility for one in plan.repayments if one.raised}
    for name, loans, group in oracle.together():
        ids = {facility.id for facility in loans}
        then = register.snapshot(settled(book, plan, ids))
        over = []
        for exposure in [book.snapshot.facility(f) for f in loans] + ([book.snapshot.group(group)] if group else []):
            target = oracle.aim(exposure)
            if target is None:
                continue
            after = then.exposure(*((None, group.id) if exposure.is_group else (exposure.id, None)))
            if exposure.is_group and group.test is GroupTest.REQUIREMENTS and after.tested:
                kind = oracle.kind(exposure)
                worse = [bound.target for bound in after.bounds if bound.tier.kind.severity >= kind.severity]
                target = worse[0] if worse else after.bounds[-1].target
            over.append(over_target(after, target, book))
        assert all(cents >= 0 for cents in over), f"{name} is not cured: {over}"
        acted = any(movement.facility in ids for movement in plan.movements)
        if acted and not raised & ids:
            assert min(over) < CENTS * len(ids), f"{name} is cured by more than it must be: {over}"


def over_target(exposure: Exposure, target: Fraction, book: Book) -> Fraction:
    """How many cents of debt more its coins would carry at its target."""
    valued = read(exposure, book.price).valued
    assert valued is not None
    return target * exposure.collateral * valued / 10**8 - exposure.tested
