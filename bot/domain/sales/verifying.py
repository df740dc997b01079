"""The independent judge of a plan: it shares no arithmetic with the planner, and refuses what fails.

It books the plan's movements through the real ledger, reads every facility and group at the scenario price once they
are booked, and holds the limits against the balances: in integers, from the Book alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from bot.domain.book import Book, Register, Snapshot
from bot.domain.calls import Call, calls_of, open_calls
from bot.domain.covenant import Bound, Exposure, Reading, read
from bot.domain.ledger import Balances, Ledger, ledger_faults
from bot.domain.money import SATS_PER_BTC, show_btc, show_usd
from bot.domain.price import PriceView
from bot.domain.sales.plan import After, Leg, Way
from bot.domain.terms import Consent, Facility, GroupTest, TierKind
from bot.domain.treasury import Holds, Movement, MovementKind, Treasury

_PAYS = (MovementKind.REPAID, MovementKind.INTEREST_PAID)


@dataclass(frozen=True)
class Judgement:
    """What a plan comes to once carried out, and every reason to refuse it."""

    complaints: tuple[str, ...]
    after: tuple[After, ...]
    balances: Balances


def judge(
    book: Book,
    view: PriceView,
    movements: Sequence[Movement],
    legs: Sequence[Leg],
    *,
    keep_reserves: bool = True,
    aside: Collection[str] = (),
) -> Judgement:
    """Carries the plan out and looks. `view` must have a usable price. `aside` are keys of what it need not cure."""
    case = _Case(book, view, movements, legs)
    faults = [fault.text for fault in ledger_faults(case.carried) if fault.ref in case.refs]
    if faults:
        return Judgement(tuple(faults), (), book.balances)
    complaints = [
        *case.not_cured(aside),
        *case.newly_reached(),
        *(case.reserves() if keep_reserves else ()),
        *case.sales(),
        *case.times(),
        *case.lenders(),
        *case.agrees(),
    ]
    return Judgement(tuple(complaints), case.after(), case.end.balances)


class _Case:
    def __init__(self, book: Book, view: PriceView, movements: Sequence[Movement], legs: Sequence[Leg]) -> None:
        self.book, self.view, self.movements, self.legs = book, view, tuple(movements), tuple(legs)
        self.refs = {movement.ref for movement in movements}
        known = tuple(movement for movement in book.treasury.movements if movement.at <= book.at)
        self.carried: Treasury = replace(book.treasury, movements=known + self.movements)
        self.last = max((movement.at for movement in movements), default=book.at)

    @cached_property
    def register(self) -> Register:
        return Register(self.carried, Ledger(self.carried), self.book.register.alerts)

    @cached_property
    def end(self) -> Snapshot:
        return self.register.snapshot(self.last)

    def settles(self, exposure: Exposure) -> datetime | None:
        """When the last movement for this exposure is booked; of a member of a group, for any of the group."""
        named = self._lenders(exposure)
        return max((m.at for m in self.movements if m.facility in named), default=None)

    def _lenders(self, exposure: Exposure) -> set[str]:
        treasury = self.book.treasury
        group = exposure.id if exposure.is_group else treasury.facility_by_id[exposure.id].group
        if group is None:
            return {exposure.id}
        return {facility.id for facility in treasury.members(treasury.group_by_id[group])}

    @cached_property
    def _now_and_then(self) -> list[tuple[Exposure, Reading]]:
        """Each exposure as it is now, and its reading once what is for it is booked."""
        found = []
        for exposure in self.book.exposures:
            settled = self.register.snapshot(self.settles(exposure) or self.book.at)
            named = (None, exposure.id) if exposure.is_group else (exposure.id, None)
            found.append((exposure, read(settled.exposure(*named), self.view)))
        return found

    @cached_property
    def _calls(self) -> list[Call]:
        return open_calls(self.book)

    def _aim(self, exposure: Exposure) -> Bound | None:
        """The line to be cured: the worst reached at the scenario price or called; None where nothing must be."""
        reading = read(exposure, self.view)
        calls = calls_of(exposure, self._calls)
        grave = [
            t for t in reading.reached if t.tier.kind in (TierKind.CALL, TierKind.ACCELERATED, TierKind.LIQUIDATION)
        ]
        if not exposure.bounds or not exposure.tested or not (grave or calls):
            return None
        return exposure.bounds[max([tier.rank for tier in reading.reached] + [call.rank for call in calls])]

    def _at_target(self, exposure: Exposure, aim: Bound, then: Reading) -> bool:
        after, target = then.exposure, aim.target
        if not after.tested:
            return True
        group = self.book.treasury.group_by_id[exposure.id] if exposure.is_group else None
        if group is not None and group.test is GroupTest.REQUIREMENTS:
            at_or_worse = [b for b in after.bounds if b.tier.kind.severity >= aim.tier.kind.severity]
            target = (at_or_worse or after.bounds)[0 if at_or_worse else -1].target if after.bounds else target
        valued = then.valued
        if target is None or valued is None:
            return False
        owed = after.tested * SATS_PER_BTC * target.denominator * valued.denominator
        return owed <= target.numerator * after.collateral * valued.numerator

    def not_cured(self, aside: Collection[str]) -> Iterator[str]:
        for exposure, then in self._now_and_then:
            aim = self._aim(exposure) if exposure.key not in aside else None
            if aim is not None and not self._at_target(exposure, aim, then):
                yield f"{exposure.title} would not be at its cure target"

    def newly_reached(self) -> Iterator[str]:
        for exposure, then in self._now_and_then:
            if self._aim(exposure) is None and any(t.tier.kind is not TierKind.EARLY for t in then.reached):
                named = (None, exposure.id) if exposure.is_group else (exposure.id, None)
                at = self.settles(exposure) or self.book.at
                untouched = read(self.book.register.snapshot(self.book.at, at).exposure(*named), self.view)
                if len(untouched.reached) < len(then.reached):
                    yield f"{exposure.title} would come to a call line by it"

    def reserves(self) -> Iterator[str]:
        policy = self.book.treasury.policy
        (coins, cash), (coins_left, cash_left) = self._free(self.book.balances), self._free(self.end.balances)
        if coins_left < min(policy.reserve_btc, coins):
            yield f"{show_btc(coins_left)} BTC would be left free, under the reserve"
        if cash_left < min(policy.min_cash_usd, cash):
            yield f"{show_usd(cash_left)} would be left in cash, under the least"

    def _free(self, balances: Balances) -> tuple[int, int]:
        ours = [account for account in self.book.treasury.accounts if account.holds is not Holds.POOL]
        held = [balances.accounts[account.id] for account in ours]
        return sum(one.btc for one in held), sum(one.usd for one in held)

    def sales(self) -> Iterator[str]:
        """No more coins than may be sold, and no more dollars than they bring along the curve."""
        policy, price = self.book.treasury.policy, self.view.usable or 0
        sold = [movement for movement in self.movements if movement.kind is MovementKind.SOLD]
        coins = sum(movement.btc or 0 for movement in sold)
        if policy.max_cover_btc is not None and coins > policy.max_cover_btc:
            yield f"{show_btc(coins)} BTC sold is more than max_cover_btc"
        left, worth = coins, 0
        for step in policy.curve:
            here = left if step.btc is None else min(left, step.btc)
            worth += here * price * (10_000 - policy.fee_bps - step.bps)
            left -= here
        brought = sum(movement.usd or 0 for movement in sold)
        if brought * SATS_PER_BTC * 10_000 > worth:
            yield f"{show_btc(coins)} BTC do not bring {show_usd(brought)}"

    def times(self) -> Iterator[str]:
        treasury = self.book.treasury
        for leg in self.legs:
            facility = treasury.facility_by_id[leg.facility]
            wait = facility.terms_at(self.book.at).credit_hours or timedelta(0)
            if leg.starts < self.book.at or leg.credited_at < leg.starts + wait:
                yield f"{facility.id} can not have credited it at {leg.credited_at}"
            payer = leg.account if leg.way is Way.CASH else leg.through if leg.way is Way.SELL_FREE else None
            if payer is not None:
                account = treasury.account_by_id[payer]
                calendar = treasury.calendars.get(account.calendar or "")
                if account.holds is Holds.BANK and calendar is not None and not calendar.is_open(leg.starts):
                    yield f"dollars of {payer} do not move at {leg.starts}"
            if leg.way in (Way.TOP_UP, Way.SELL_FREE) and leg.account is not None:
                ready = self.book.at + treasury.account_by_id[leg.account].ready_hours
                if leg.starts < ready:
                    yield f"coins of {leg.account} are not ready at {leg.starts}"
            yield from self._late(facility, leg)

    def _late(self, facility: Facility, leg: Leg) -> Iterator[str]:
        """An open call on what must be cured, by the loan or its group, whose deadline comes first."""
        for exposure in self.book.exposures:
            named = exposure.id == (facility.group if exposure.is_group else facility.id)
            for call in calls_of(exposure, self._calls) if named and self._aim(exposure) is not None else []:
                if call.due is not None and self.book.at < call.due < leg.credited_at:
                    yield f"it is credited at {leg.credited_at}, after the deadline {call.due}"

    def lenders(self) -> Iterator[str]:
        """Who has not agreed to a sale of pledged coins, and who is paid less than the least it takes."""
        for facility in self.book.treasury.facilities:
            terms = facility.terms_at(self.book.at)
            mine = [movement for movement in self.movements if movement.facility == facility.id]
            sold = [movement for movement in mine if movement.kind is MovementKind.SOLD]
            if sold and terms.consent is Consent.NONE:
                yield f"{facility.id} has not agreed to sell pledged coins"
            paid = sum(movement.usd or 0 for movement in mine if movement.kind in _PAYS)
            settled = max((movement.at for movement in mine), default=self.book.at)
            owed = self.book.register.snapshot(self.book.at, settled).tested(facility)
            if 0 < paid < min(terms.min_repayment, owed):
                yield f"{facility.id} takes no repayment under {show_usd(terms.min_repayment)}"

    def agrees(self) -> Iterator[str]:
        """The legs that people read and the movements that are booked are the same."""
        kinds = {
            Way.TOP_UP: MovementKind.PLEDGED,
            Way.SELL_FREE: MovementKind.SOLD,
            Way.SELL_PLEDGED: MovementKind.SOLD,
        }
        for way, kind in kinds.items():
            said = sum(leg.btc for leg in self.legs if leg.way is way)
            booked = sum(
                m.btc or 0
                for m in self.movements
                if m.kind is kind and (kind is MovementKind.PLEDGED or (m.facility is None) == (way is Way.SELL_FREE))
            )
            if said != booked:
                yield f"{show_btc(said)} BTC said and {show_btc(booked)} booked"

    def after(self) -> tuple[After, ...]:
        """Every exposure with debt, read at the scenario price once all is booked."""
        found = []
        for exposure in self.end.facilities + self.end.groups:
            if not exposure.debt:
                continue
            reading = read(exposure, self.view)
            calls = [b.price for b in exposure.bounds if b.tier.kind is TierKind.CALL and b.price is not None]
            reached = any(t.tier.kind is not TierKind.EARLY for t in reading.reached)
            found.append(
                After(
                    reading=reading,
                    debt=exposure.debt,
                    collateral=exposure.collateral,
                    call_price=max(calls, default=None),
                    settles=self.settles(exposure),
                    cured=not reached,
                )
            )
        return tuple(found)
