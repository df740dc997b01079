"""What would have been said when: the very checks and `decide`, run over a price history.

Nothing is evaluated twice for nothing: between two instants at which something other than the price happens, findings
change only when the price leaves the interval between the nearest prices that matter (`covenant.edges`).
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.alerts import Alert, AlertPolicy, CallClock, Change, Finding, Transition, decide
from bot.domain.answers import Document
from bot.domain.book import Book, Register, Snapshot
from bot.domain.calls import Call, CallState, calls_of, is_open, notice_due, open_calls
from bot.domain.checks import all_findings, covenant_finding, finding_of, release_finding
from bot.domain.covenant import Exposure, edges
from bot.domain.messages import Message, exposure_of, message_of
from bot.domain.money import Price, usd_plain
from bot.domain.periods import END_OF_TIME, ONE_DAY, iso, local_day, midnight
from bot.domain.price import PriceState, PriceView
from bot.domain.production_checks import cash_cost_findings
from bot.domain.production_words import MonthCheck
from bot.domain.report import cash_cost, this_month
from bot.domain.terms import Level
from bot.domain.treasury import Notice, Treasury
from bot.domain.words import plain_text

LAST_PRICE_STANDS = 366 * ONE_DAY
"""How long the last price of a history is taken to stand, at most."""
SAID = (Change.OPENED, Change.WORSE, Change.EASED, Change.REMINDER, Change.CLOSED)


@dataclass(frozen=True)
class ReplayLine:
    """One transition: when, of what, and what would have been said. `price` in cents per BTC, `ltv` as printed."""

    at: datetime
    key: str
    transition: str
    level: str
    tier: str | None
    price: Price
    ltv: str | None
    message: Message

    def document(self) -> Document:
        told = f"{self.message.headline}\n{self.message.body}" if self.message.body else self.message.headline
        return {
            "at": iso(self.at),
            "key": self.key,
            "transition": self.transition,
            "level": self.level,
            "tier": self.tier,
            "price_usd": usd_plain(self.price),
            "ltv_pct": self.ltv,
            "text": plain_text(told),
        }


def replay(
    treasury: Treasury,
    prices: Iterable[tuple[datetime, Price]],
    since: datetime | None,
    until: datetime | None,
    policy: AlertPolicy,
) -> Iterator[ReplayLine]:
    """Every transition over `prices` (instant, cents per BTC; in order) in [since, until).

    Each price stands until the next, the last until `until`, a year at most. It starts without alerts at the first
    price at or after `since` and never before the treasury opened; repeats, edits, escalation and flapping are off.
    """
    begin = max(since, treasury.opened) if since else treasury.opened
    quiet = replace(policy, repeat_every=None, edit_every=None, escalate_after=None, flap_limit=None)
    rows = [(at, price) for at, price in prices if at >= begin and (until is None or at < until)]
    if not rows:
        return
    run = _Run(Register.of(treasury, quiet))
    last, _ = rows[-1]
    ends = [at for at, _ in rows[1:]] + [min(until, last + LAST_PRICE_STANDS) if until else last]
    for (at, price), following in zip(rows, ends, strict=True):
        yield from run.price(at, price)
        yield from run.until(following)


@dataclass
class _Watch:
    """What the price decides about the alerts of `keys`, and between which prices (above `low`, up to `high`) it does
    not change. `find` is the check of that, given the open calls."""

    keys: frozenset[str]
    find: Callable[[Book, list[Call]], Iterator[Finding]]
    edges: list[Price]
    low: Price = -1
    high: Price = -1

    def holds(self, price: Price) -> bool:
        return self.low < price <= self.high

    def settle(self, price: Price) -> None:
        where = bisect_left(self.edges, price)
        self.low = self.edges[where - 1] if where else -1
        self.high = self.edges[where] if where < len(self.edges) else sys.maxsize


@dataclass
class _Run:
    """A replay under way: the register as known so far, the open alerts, and what is to happen next."""

    register: Register
    price_now: Price = 0
    snapshot: Snapshot | None = None
    alerts: dict[str, Alert] = field(default_factory=dict)
    midnights: dict[datetime, PriceView] = field(default_factory=dict)
    watches: list[_Watch] = field(default_factory=list)
    low: Price = -1
    high: Price = -1
    next_event: datetime | None = None

    def price(self, at: datetime, price: Price) -> Iterator[ReplayLine]:
        """A new price at `at`; what else falls on that instant happens in the same step."""
        self.price_now = price
        if self.snapshot is None or (self.next_event is not None and self.next_event <= at):
            yield from self._step(at)
        elif not self.low < price <= self.high:
            yield from self._move(at)

    def until(self, following: datetime) -> Iterator[ReplayLine]:
        """Everything that happens by itself before `following`, at its own instants, at the standing price."""
        while self.next_event is not None and self.next_event < following:
            yield from self._step(self.next_event)

    def _step(self, now: datetime) -> Iterator[ReplayLine]:
        """One check of everything: something other than the price has happened."""
        zones = {facility.zone for facility in self.register.treasury.facilities}
        if any(now == midnight(local_day(now, zone), zone) for zone in zones):
            # all of them are kept: an amendment may ask for marks from before it
            self.midnights[now] = PriceView(PriceState.FRESH, self.price_now, as_of=now)
        self.snapshot = self.register.snapshot(now)
        book = self._book(now)
        yield from self._decide(book, all_findings(book), self.alerts.keys())
        self.watches = [*(_watch(book, exposure) for exposure in book.exposures), *_cost_watch(book)]
        self._settle(self.watches)
        self.next_event = min(self._instants(book), default=None)

    def _move(self, now: datetime) -> Iterator[ReplayLine]:
        """Only the price has moved: a check of that to which it makes a difference."""
        book = self._book(now)
        moved = [watch for watch in self.watches if not watch.holds(self.price_now)]
        calls = open_calls(book)
        findings = {finding.key: finding for watch in moved for finding in watch.find(book, calls)}
        mine = {key for watch in moved for key in watch.keys}
        yield from self._decide(book, findings, mine & self.alerts.keys())
        self._settle(moved)
        self.next_event = min(self._instants(book), default=None)

    def _settle(self, watches: Iterable[_Watch]) -> None:
        for watch in watches:
            watch.settle(self.price_now)
        self.low = max((watch.low for watch in self.watches), default=-1)
        self.high = min((watch.high for watch in self.watches), default=sys.maxsize)

    def _book(self, now: datetime) -> Book:
        view = PriceView(PriceState.FRESH, self.price_now, as_of=now)
        return Book(self.register, now, view, self.midnights, known=self.snapshot)

    def _decide(self, book: Book, findings: Mapping[str, Finding], known: Iterable[str]) -> Iterator[ReplayLine]:
        for key in sorted(findings.keys() | set(known)):
            transition = decide(self.alerts.get(key), finding_of(book, findings, key), book.at, self.register.alerts)
            if transition.alert is None:
                self.alerts.pop(key, None)
            else:
                self.alerts[key] = transition.alert
            if transition.recovered:
                self._end_calls(transition)
            if transition.change in SAID:
                yield _line(book, transition, self.price_now)

    def _end_calls(self, transition: Transition) -> None:
        ended = tuple(
            replace(notice, recovered=transition.at) if notice.ref in transition.recovered else notice
            for notice in self.register.treasury.notices
        )
        self.register = self.register.with_notices(ended)

    def _instants(self, book: Book) -> Iterator[datetime]:
        """When something other than the price happens next, by every clock there is."""
        now, treasury, policy = book.at, self.register.treasury, self.register.alerts
        for zone in {treasury.production_zone, *(facility.zone for facility in treasury.facilities)}:
            yield midnight(local_day(now, zone) + ONE_DAY, zone)
        yield from self.register.ledger.moments(now, END_OF_TIME)[:1]
        for alert in self.alerts.values():
            if (clears := alert.next_clearing(policy)) is not None and clears > now:
                yield clears
        for notice in treasury.notices:
            yield from (instant for instant in _notice_instants(self.register, notice, now) if instant > now)
        for item in book.balances.transit:
            allowed = book.snapshot.terms(treasury.facility_by_id[item.facility]).credit_hours
            if allowed is not None and item.sent_at + allowed > now:
                yield item.sent_at + allowed


def _notice_instants(register: Register, notice: Notice, now: datetime) -> Iterator[datetime]:
    """When a notice comes, ends or is disputed, and while it is open its clock's marks and its deadline."""
    yield from (at for at in (notice.at, notice.met, notice.withdrawn, notice.disputed) if at is not None)
    if is_open(notice, now):
        due = notice_due(register, notice)
        clock = CallClock(notice.ref, notice.at, due, CallState.MISSED.value)
        yield from (instant for instant, _ in clock.marks)


def _watch(book: Book, exposure: Exposure) -> _Watch:
    facility = None if exposure.is_group else book.treasury.facility_by_id[exposure.id]
    release = book.snapshot.terms(facility).release if facility else None
    further = [bound.target for bound in exposure.bounds if bound.target is not None]
    further += [release.line] if release else []

    def find(book: Book, calls: list[Call]) -> Iterator[Finding]:
        found = [covenant_finding(book, exposure, calls_of(exposure, calls))]
        found += [release_finding(book, facility, exposure)] if facility is not None else []
        yield from (finding for finding in found if finding is not None)

    return _Watch(frozenset({exposure.key, f"release:{exposure.id}"}), find, sorted(edges(exposure, further)))


def _cost_watch(book: Book) -> Iterator[_Watch]:
    """The month's cash cost, where it is stated: the price is under it up to a cent less."""
    month = this_month(book)
    cost = cash_cost(book, month)
    if cost is not None:
        key = f"production:{month}:{MonthCheck.CASH_COST}"
        yield _Watch(frozenset({key}), lambda book, _: cash_cost_findings(book), [cost - 1])


def _line(book: Book, transition: Transition, price: Price) -> ReplayLine:
    """`transition` as printed; of what has closed, the level and the tier that it closed from."""
    known = transition.alert or transition.before
    reading = book.read(exposure_of(book, transition.key)) if transition.key.startswith("covenant:") else None
    return ReplayLine(
        at=transition.at,
        key=transition.key,
        transition=transition.change.value,
        level=(known.level if known else Level.OK).word,
        tier=known.tier if known else None,
        price=price,
        ltv=reading.show(reading.lenders) if reading else None,
        message=message_of(book, transition),
    )
