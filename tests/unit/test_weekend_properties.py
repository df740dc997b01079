"""What is said of the weekend holds for any treasury: acts are carried out, and what remains is planned anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cover_books import random_book
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.domain.book import Book, Register
from bot.domain.closures import bank_calendars, next_closure
from bot.domain.ledger import ledger_faults
from bot.domain.sales.plan import Leg, Way
from bot.domain.sales.sources import sources_of
from bot.domain.treasury import Movement, MovementKind
from bot.domain.weekend import MOVED, Fall, Readiness, as_called, at_close, planned, readiness
from bot.domain.weekend_acts import cheapest_act
from bot.domain.weekend_words import weekend_told
from bot.domain.words import plain_text

FRIDAY = datetime(2026, 2, 6, 17, tzinfo=UTC)
"""Noon in New York, where the last wire leaves at 17:00."""


class Carried:
    """A Book in which steps have been taken today, written out without the planner's own bookkeeping."""

    def __init__(self, before: Book) -> None:
        self.before, self.movements = before, list[Movement]()
        self.owed = {f.id: before.balances.debts[f.id].principal for f in before.treasury.facilities}

    def book(self, legs: tuple[Leg, ...]) -> Book:
        for leg in legs:
            self._coins(leg)
        for leg in legs:
            self._dollars(leg)
        paid = replace(self.before.treasury, movements=(*self.before.treasury.movements, *self.movements))
        assert not ledger_faults(paid)
        return replace(self.before, register=Register.of(paid), known=None)

    def _add(self, kind: MovementKind, **fields: object) -> None:
        movement = Movement(self.before.at, kind, f"act {len(self.movements)}", **fields)  # type: ignore[arg-type]
        self.movements.append(movement)

    def _coins(self, leg: Leg) -> None:
        if leg.released_from:
            self._add(MovementKind.RELEASED, facility=leg.released_from, account=leg.account, btc=leg.btc)
        if leg.way is Way.TOP_UP:
            self._add(MovementKind.PLEDGED, account=leg.account, facility=leg.facility, btc=leg.btc)
        if leg.way is Way.SELL_PLEDGED:
            self._add(MovementKind.SOLD, account=leg.through, facility=leg.facility, btc=leg.btc, usd=leg.usd)
        if leg.way is Way.SELL_FREE:
            if leg.through != leg.account:
                self._add(MovementKind.TRANSFER, account=leg.account, to=leg.through, btc=leg.btc)
            self._add(MovementKind.SOLD, account=leg.through, btc=leg.btc, usd=leg.usd)

    def _dollars(self, leg: Leg) -> None:
        """A sale's dollars for a group are paid to its members in turn, as far as they are owed."""
        if leg.way is Way.TOP_UP:
            return
        payer, left = leg.account if leg.way is Way.CASH else leg.through, leg.usd
        for name in self._lenders(leg):
            here = min(left, self.owed[name])
            if here:
                self._add(MovementKind.REPAID, account=payer, facility=name, usd=here)
            self.owed[name] -= here
            left -= here
        if left:
            self._add(MovementKind.INTEREST_PAID, account=payer, facility=leg.facility, usd=left)

    def _lenders(self, leg: Leg) -> list[str]:
        own = self.before.treasury.facility_by_id[leg.facility]
        others = [f.id for f in self.before.treasury.facilities if own.group and f.group == own.group]
        return [leg.facility, *(name for name in others if leg.way is not Way.CASH and name != leg.facility)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
@example(51922)  # interest runs until what waits is credited
@example(72188)
@example(51301)  # what would wait is less than the least repayment
@example(51894)  # paid off before the interest that its debt counts
def test_of_any_treasury_what_is_said_of_the_weekend_holds(seed: int) -> None:
    """What moves is there by the planner's own sources, what is short is missing, an act leaves nothing short."""
    made_up = random_book(seed)
    made_up = replace(made_up, at=FRIDAY) if seed % 2 else made_up
    banks = bank_calendars(made_up.treasury)
    assume(banks)
    closure = next_closure(banks[0], made_up.at)
    found = readiness(made_up, closure)
    for fall in found.falls:
        assert fall.is_short == (fall.sold is not None)
        if fall.wanted:
            _movable_holds(as_called(at_close(made_up, closure), fall.view, fall.wanted), fall)
            _act_is_enough(found, fall)
    text = plain_text(weekend_told(made_up).text)
    assert "\x02" not in text


def _act_is_enough(found: Readiness, fall: Fall) -> None:
    """Of a lone loan, whose dollars go nowhere else: once the act is done, the rest can be done after the close."""
    act = cheapest_act(found, fall)
    assert act is None or act.now or act.then or act.missing
    if act is None or not act.now or any(one.group for one in found.book.treasury.facilities):
        return
    assert all(leg.starts < found.closure.shuts for leg in act.now)
    after = Carried(found.book).book(act.now)
    called = as_called(at_close(after, found.closure), fall.view, fall.wanted)
    sells = {Way.SELL_FREE, Way.SELL_PLEDGED} & {leg.way for leg in act.then}
    assert planned(called, fall.view, frozenset(Way) if sells else MOVED).feasible


def _movable_holds(then: Book, fall: Fall) -> None:
    assert fall.movable is not None
    sources = sources_of(then, fall.view, [one.need for one in fall.wanted])
    assert fall.movable.btc <= sources.spare_btc
    dollars = fall.movable.usdt + fall.movable.usdc + fall.movable.bank + fall.movable.stuck
    assert dollars <= sources.spare_usd
