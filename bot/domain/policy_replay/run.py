"""One run over a price history: the record that goes on, the lenders, and (by the policy) a plan a day.

As in `bot.domain.replay`, nothing is looked at twice for nothing: between two instants at which something other than
the price happens, everything stays as it is until the price leaves the interval between the nearest edges.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from itertools import count, groupby
from math import ceil, floor
from operator import attrgetter

from bot.domain.book import Book, Register, Snapshot
from bot.domain.calls import Call, calls_of, is_open, open_calls
from bot.domain.checks import recovered
from bot.domain.money import SATS_PER_BTC, Cents, Price, Sats, show_usd
from bot.domain.periods import ONE_DAY, iso, local_day, midnight
from bot.domain.policy_replay import lender
from bot.domain.policy_replay.outcome import Act, Outcome, RunName, What, totals
from bot.domain.policy_replay.record import Record, carried_out, fitted
from bot.domain.price import PriceState, PriceView
from bot.domain.sales import Alternative, Name, Scenario, alternative
from bot.domain.sales.situation import needs_of
from bot.domain.treasury import Movement, MovementKind, Notice

_WHAT = {MovementKind.PLEDGED: What.PLEDGED, MovementKind.RELEASED: What.RELEASED}
_PAYS = (MovementKind.REPAID, MovementKind.INTEREST_PAID)


@dataclass
class Run:
    """A run under way: the register as it has become, what is still to come, and what has been done."""

    name: RunName
    record: Record
    register: Register
    refs: Iterator[str]
    price_now: Price = 0
    snapshot: Snapshot | None = None
    acts: list[Act] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    midnights: dict[datetime, PriceView] = field(default_factory=dict)
    clear_since: dict[str, datetime] = field(default_factory=dict)
    pending: list[Movement] = field(default_factory=list)
    sold_at: Price = 0
    no_plan: str | None = None
    later: int = 0
    unpaid: tuple[Sats, Cents] = (0, 0)
    known: tuple[Snapshot | None, tuple[Notice, ...], list[Call]] | None = None
    top: Price = sys.maxsize
    low: Price = -1
    high: Price = -1
    next_event: datetime | None = None

    @classmethod
    def of(cls, name: RunName, record: Record, register: Register) -> Run:
        """At the beginning. `register` is of the record's history."""
        taken = {movement.ref for movement in (*record.history.movements, *record.later)}
        taken |= {notice.ref for notice in record.history.notices}
        return cls(name, record, register, (ref for n in count(1) if (ref := f"replay {n}") not in taken))

    def price(self, at: datetime, price: Price) -> None:
        """A new price at `at`; what else falls on that instant happens in the same step."""
        self.price_now = price
        if self.snapshot is None or (self.next_event is not None and self.next_event <= at):
            self._step(at)
        elif not self.low < price <= self.high:
            self._check(at)
            self._settle(at)

    def until(self, following: datetime) -> None:
        """Everything that happens by itself before `following`, at its own instants, at the standing price."""
        while self.next_event is not None and self.next_event < following:
            self._step(self.next_event)

    def outcome(self, at: datetime) -> Outcome:
        """What it has come to by `at`, which is not before anything that has happened."""
        book = Book(self.register, at, PriceView(PriceState.FRESH, self.price_now, as_of=at))
        unpaid_btc, unpaid_usd = self.unpaid
        done = totals(
            self.acts,
            days=len(self.days),
            coins=book.coins.total,
            cash=book.cash + book.cash_in_transit,
            debt=book.debt,
            unpaid=unpaid_usd + -(-unpaid_btc * self.price_now // SATS_PER_BTC),
            worth=book.coins.total * self.price_now // SATS_PER_BTC,
        )
        return Outcome(self.name, tuple(self.acts), done)

    def _step(self, now: datetime) -> None:
        """Something other than the price has happened: the record goes on, lenders look, and the day has its plan."""
        self._go_on(now)
        self._carry_out(now)
        zones = {facility.zone for facility in self.register.treasury.facilities}
        if any(now == midnight(local_day(now, zone), zone) for zone in zones):
            self.midnights[now] = self._view(now)
        self._look(now)
        self._check(now)
        zone = self.register.treasury.zone
        if self.name is RunName.POLICY and not self.pending and now == midnight(local_day(now, zone), zone):
            self._plan(now)
        self._settle(now)

    def _go_on(self, now: datetime) -> None:
        """What is recorded up to `now`, an instant at a time."""
        coming = self.record.later
        while self.later < len(coming) and coming[self.later].at <= now:
            at = coming[self.later].at
            batch = []
            while self.later < len(coming) and coming[self.later].at == at:
                batch.append(coming[self.later])
                self.later += 1
            fit = fitted(self.register.ledger, batch)
            self.unpaid = (self.unpaid[0] + fit.unpaid_btc, self.unpaid[1] + fit.unpaid_usd)
            self._book(fit.movements)

    def _book(self, movements: Sequence[Movement]) -> None:
        """Into the ledger; all of one instant."""
        if movements:
            ledger = self.register.ledger.then(movements)
            treasury = replace(self.register.treasury, movements=ledger.treasury.movements)
            self.register = replace(self.register, treasury=treasury, ledger=ledger)

    # The plan of the day

    def _plan(self, now: datetime) -> None:
        """Makes the recommendation of `now` the one to carry out, and does what is credited at once."""
        made = self._recommended(now)
        why = made.why if made is not None and not made.feasible else None
        if why is not None and self.no_plan is None:
            self._did(now, What.NO_PLAN, text=why)
        self.no_plan = why
        if made is None or not made.feasible:
            return
        view = Scenario().view(self._view(now), self.register.treasury.policy.withstand_drop)
        self.pending = [self._at_market(movement, view.usable or 1) for movement in made.movements]
        self.sold_at = self.price_now
        if self.pending and self.pending[0].at <= now:
            self._carry_out(now)
            self._look(now)
            self._check(now)

    def _recommended(self, now: datetime) -> Alternative | None:
        """What `plan_cover` recommends, without the alternatives beside it; None where nothing needs a cure."""
        book = self._as_book(now)
        view = Scenario().view(book.price, book.treasury.policy.withstand_drop)
        needs = tuple(needs_of(book, view))
        return alternative(book, view, needs, Name.RECOMMENDED) if needs else None

    def _at_market(self, movement: Movement, planned: Price) -> Movement:
        """A plan's movement by a ref of our own; a sale brings what the same coins fetch at the price of the day."""
        usd = movement.usd
        if movement.kind is MovementKind.SOLD:
            usd = floor(Fraction((usd or 0) * self.price_now, planned))
        return replace(movement, ref=next(self.refs), usd=usd)

    def _carry_out(self, now: datetime) -> None:
        """The plan's movements up to `now`, an instant at a time; the lender takes calls as met by them."""
        due = [movement for movement in self.pending if movement.at <= now]
        self.pending = [movement for movement in self.pending if movement.at > now]
        for at, batch in groupby(due, key=attrgetter("at")):
            done = carried_out(self.register.ledger, list(batch))
            if done is None:
                self._did(at, What.DROPPED, text="coins or dollars that it needs are no longer there")
                continue
            self._book(done)
            for act in self._acts_of(at, done):
                self.acts.append(act)
            self._take_as_met(at, {movement.facility for movement in done})

    def _acts_of(self, at: datetime, done: Sequence[Movement]) -> Iterator[Act]:
        for movement in done:
            btc, usd = movement.btc or 0, movement.usd or 0
            if movement.kind is MovementKind.SOLD:
                what, of = What.SOLD_PLEDGED, movement.facility
                if of is None:
                    what, of = What.SOLD_FREE, movement.account
                cost = ceil(Fraction(btc * self.sold_at, SATS_PER_BTC)) - usd
                yield Act(at, what, of or "", self.sold_at, btc, usd, cost)
            elif movement.kind in _WHAT:
                yield Act(at, _WHAT[movement.kind], movement.facility or "", self.price_now, btc)
        paid = [movement for movement in done if movement.kind in _PAYS]
        for facility in dict.fromkeys(movement.facility for movement in paid):
            usd = sum(movement.usd or 0 for movement in paid if movement.facility == facility)
            yield Act(at, What.REPAID, facility or "", self.price_now, usd=usd)

    # The lenders

    def _take_as_met(self, now: datetime, facilities: set[str | None]) -> None:
        if not self._any_open(now):
            return
        book = Book(self.register, now, self._view(now))
        for call in open_calls(book):
            exposure = book.snapshot.exposure(call.notice.facility, call.notice.group)
            named = {exposure.id}
            if exposure.is_group:
                named = {one.id for one in book.treasury.members(book.treasury.group_by_id[exposure.id])}
            if named & facilities and lender.is_met(book.read(exposure), call):
                self._end(call.notice, met=now)
                self._did(now, What.MET, exposure.id, text=call.tier.name)

    def _check(self, now: datetime) -> None:
        """What the lenders do at this instant and price, and whether anything is at a call line."""
        calls = self._calls(now)
        if not calls and self.price_now > self.top:
            return
        calls = self._ended_by_price(now, calls)
        for number in range(len(self._as_book(now).exposures)):  # members before their group
            calls = self._liquidate(now, number, calls)
        book = self._as_book(now)
        for exposure in book.exposures:
            notice = lender.new_notice(book, exposure, calls_of(exposure, calls), self.refs)
            if notice is not None:
                self.register = self.register.with_notices((*self.register.treasury.notices, notice))
                due = f"{notice.tier}, due {iso(notice.due)}" if notice.due else f"{notice.tier}, no deadline"
                self._did(now, What.CALLED, exposure.id, text=due)
        if any(lender.at_call_line(book.read(exposure)) for exposure in book.exposures):
            self.days.add(local_day(now, self.register.treasury.zone))

    def _ended_by_price(self, now: datetime, calls: list[Call]) -> list[Call]:
        """The calls that are left when those that price alone ends have ended."""
        book, left = self._as_book(now), []
        for call in calls:
            ref = call.notice.ref
            exposure = book.snapshot.exposure(call.notice.facility, call.notice.group)
            if not recovered(book.read(exposure), call):
                self.clear_since.pop(ref, None)
            elif now - self.clear_since.setdefault(ref, now) >= self.register.alerts.clear_after:
                self._end(call.notice, recovered=now)
                self._did(now, What.RECOVERED, exposure.id, text=call.tier.name)
                continue
            left.append(call)
        return left

    def _liquidate(self, now: datetime, number: int, calls: list[Call]) -> list[Call]:
        """The sale of one exposure's lender, as earlier ones leave it, if it comes to one; the calls that are left."""
        book = self._as_book(now)
        exposure = book.exposures[number]
        mine = calls_of(exposure, calls)
        if not lender.to_liquidate(book, exposure, mine):
            return calls
        if lender.at_call_line(book.read(exposure)):
            self.days.add(local_day(now, book.treasury.zone))
        for call in mine:
            self._end(call.notice, withdrawn=now)
        sale = lender.liquidated(book, exposure, mine, self.refs)
        if sale is not None:
            self._book(sale.movements)
            still = f"{show_usd(sale.still_owed)} still owed" if sale.still_owed else ""
            self._did(now, What.LIQUIDATED, exposure.id, sale.btc, sale.usd, sale.cost, still)
            if self.pending:
                self.pending = []
                self._did(now, What.DROPPED, text="the lender has sold first")
            self._look(now)
        return self._calls(now)  # anew: the lines of its group may be others now

    def _end(self, notice: Notice, **how: datetime) -> None:
        notices = self.register.treasury.notices
        ended = tuple(replace(one, **how) if one.ref == notice.ref else one for one in notices)  # type: ignore[arg-type]
        self.register = self.register.with_notices(ended)
        self.clear_since.pop(notice.ref, None)

    # Looking

    def _view(self, now: datetime) -> PriceView:
        return PriceView(PriceState.FRESH, self.price_now, as_of=now)

    def _look(self, now: datetime) -> None:
        """Balances, debts and terms of `now`: they stay so until the next event."""
        self.snapshot = self.register.snapshot(now)
        self.top = max((lender.highest_line(exposure) for exposure in self._as_book(now).exposures), default=-1)

    def _as_book(self, now: datetime) -> Book:
        return Book(self.register, now, self._view(now), self.midnights, known=self.snapshot)

    def _any_open(self, now: datetime) -> bool:
        return any(is_open(notice, now) for notice in self.register.treasury.notices)

    def _calls(self, now: datetime) -> list[Call]:
        """The open calls; they stay so until the next event or the next notice, whatever the price does."""
        notices = self.register.treasury.notices
        if self.known is None or self.known[0] is not self.snapshot or self.known[1] is not notices:
            self.known = (self.snapshot, notices, open_calls(self._as_book(now)) if self._any_open(now) else [])
        return self.known[2]

    def _did(
        self, at: datetime, what: What, of: str = "", btc: Sats = 0, usd: Cents = 0, cost: Cents = 0, text: str = ""
    ) -> None:
        self.acts.append(Act(at, what, of, self.price_now, btc, usd, cost, text))

    def _settle(self, now: datetime) -> None:
        """Between which prices, and until when, nothing changes."""
        calls = self._calls(now)
        listed = sorted(
            {edge for e in self._as_book(now).exposures for edge in lender.edges_of(e, called=bool(calls_of(e, calls)))}
        )
        where = bisect_left(listed, self.price_now)
        self.low = listed[where - 1] if where else -1
        self.high = listed[where] if where < len(listed) else sys.maxsize
        self.next_event = min((at for at in self._instants(now, calls) if at > now), default=None)

    def _instants(self, now: datetime, calls: list[Call]) -> Iterator[datetime]:
        """When something other than the price happens next, by every clock there is."""
        treasury = self.register.treasury
        for zone in {treasury.zone, *(facility.zone for facility in treasury.facilities)}:
            yield midnight(local_day(now, zone) + ONE_DAY, zone)
        if self.later < len(self.record.later):
            yield self.record.later[self.later].at
        yield from (movement.at for movement in self.pending[:1])
        for facility in treasury.facilities:
            yield from (at for waiver in facility.waivers for at in (waiver.since, waiver.until))
        for call in calls:
            if call.due is not None:
                yield call.due
        for since in self.clear_since.values():
            yield since + self.register.alerts.clear_after
