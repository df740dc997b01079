"""What would have been said when: the very checks and `decide`, run over a price history.

Nothing is evaluated twice for nothing: between two instants at which something other than the price happens, findings
change only when the price leaves the interval between the nearest prices that matter (`covenant.thresholds`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

from bot.domain.alerts import Alert, AlertPolicy, CallClock, Change, Transition, decide
from bot.domain.answers import Document
from bot.domain.book import Book, Register, marks_needed
from bot.domain.calls import CallState, is_open, notice_due
from bot.domain.checks import all_findings
from bot.domain.covenant import thresholds
from bot.domain.messages import Message, exposure_of, message_of
from bot.domain.money import Price, usd_plain
from bot.domain.periods import ONE_DAY, iso, local_day, midnight
from bot.domain.price import PriceState, PriceView
from bot.domain.treasury import Treasury
from bot.domain.words import plain_text

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
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

    Each price stands until the next. It starts without alerts at the first price at or after `since` and never
    before the treasury opened; repeats and edits are off.
    """
    begin = max(since, treasury.opened) if since else treasury.opened
    quiet = replace(policy, repeat_every=None, edit_every=None)
    rows = [(at, price) for at, price in prices if at >= begin and (until is None or at < until)]
    if not rows:
        return
    run = _Run(Register.of(treasury, quiet))
    ends = [at for at, _ in rows[1:]] + [until or rows[-1][0]]
    for (at, price), following in zip(rows, ends, strict=True):
        yield from run.price(at, price)
        yield from run.until(following)


@dataclass
class _Run:
    """A replay under way: the register as known so far, the open alerts, and what is to happen next."""

    register: Register
    now: datetime | None = None
    price_now: Price = 0
    alerts: dict[str, Alert] = field(default_factory=dict)
    midnights: dict[datetime, Price] = field(default_factory=dict)
    edges: list[Price] = field(default_factory=list)
    where: int = -1
    next_event: datetime | None = None

    def price(self, at: datetime, price: Price) -> Iterator[ReplayLine]:
        """A new price at `at`; what else falls on that instant happens in the same step."""
        event = self.now is None or (self.next_event is not None and self.next_event <= at)
        self.price_now = price
        if event or bisect_left(self.edges, price) != self.where:
            yield from self._step(at)

    def until(self, following: datetime) -> Iterator[ReplayLine]:
        """Everything that happens by itself before `following`, at its own instants, at the standing price."""
        while self.next_event is not None and self.next_event < following:
            yield from self._step(self.next_event)

    def _step(self, now: datetime) -> Iterator[ReplayLine]:
        self._pass_midnights(now)
        book = self._book(now)
        lines = [line for transition in self._decide(book) for line in self._line(book, transition)]
        self.now = now
        after = self._book(now) if lines else book
        self._look_ahead(after)
        yield from lines

    def _pass_midnights(self, now: datetime) -> None:
        """Notes the price that stands at a midnight that a release may ask for."""
        if now in marks_needed(self.register.treasury, now):
            self.midnights[now] = self.price_now

    def _book(self, now: datetime) -> Book:
        view = PriceView(PriceState.FRESH, self.price_now, as_of=now)
        return Book(self.register, now, view, self.midnights)

    def _decide(self, book: Book) -> list[Transition]:
        findings = all_findings(book)
        made = []
        for key in sorted(findings.keys() | self.alerts.keys()):
            transition = decide(self.alerts.get(key), findings.get(key), book.at, self.register.alerts)
            if transition.alert is None:
                self.alerts.pop(key, None)
            else:
                self.alerts[key] = transition.alert
            if transition.recovered:
                self._end_calls(transition)
            if transition.change in SAID:
                made.append(transition)
        return made

    def _end_calls(self, transition: Transition) -> None:
        treasury = self.register.treasury
        ended = tuple(
            replace(notice, recovered=transition.at) if notice.ref in transition.recovered else notice
            for notice in treasury.notices
        )
        self.register = self.register.with_notices(ended)

    def _line(self, book: Book, transition: Transition) -> Iterator[ReplayLine]:
        known = transition.alert or transition.before
        if known is None:
            return
        covenant = transition.key.startswith("covenant:")
        reading = book.read(exposure_of(book, transition.key)) if covenant else None
        message = message_of(book, transition)
        yield ReplayLine(
            at=transition.at,
            key=transition.key,
            transition=transition.change.value,
            level=known.level.word,
            tier=known.tier,
            price=self.price_now,
            ltv=reading.show(reading.lenders) if reading else None,
            message=message,
        )

    def _look_ahead(self, book: Book) -> None:
        """The prices between which nothing changes, and the next instant at which something else does."""
        self.edges = sorted(_edges(book))
        self.where = bisect_left(self.edges, self.price_now)
        self.next_event = min(self._instants(book), default=None)

    def _instants(self, book: Book) -> Iterator[datetime]:
        now, treasury, policy = book.at, self.register.treasury, self.register.alerts
        for zone in {facility.zone for facility in treasury.facilities}:
            yield midnight(local_day(now, zone) + ONE_DAY, zone)
        yield from self.register.ledger.moments(now, END_OF_TIME)[:1]
        for alert in self.alerts.values():
            if (clears := alert.next_clearing(policy)) is not None and clears > now:
                yield clears
        for notice in treasury.notices:
            ends = (notice.at, notice.met, notice.withdrawn, notice.disputed)
            yield from (instant for instant in ends if instant is not None and instant > now)
            if is_open(notice, now):
                due = notice_due(self.register, notice)
                clock = CallClock(notice.ref, notice.at, due, CallState.MISSED.value)
                yield from (instant for instant, _ in clock.marks if instant > now)
        for item in book.balances.transit:
            allowed = book.snapshot.terms(treasury.facility_by_id[item.facility]).credit_hours
            if allowed is not None and item.sent_at + allowed > now:
                yield item.sent_at + allowed


def _edges(book: Book) -> set[Price]:
    edges: set[Price] = set()
    for exposure in book.exposures:
        extra = [bound.target for bound in exposure.bounds if bound.target is not None]
        extra += _release_lines(book, exposure.id) if not exposure.is_group else []
        edges |= thresholds(exposure, book.register.margin, extra)
    return edges


def _release_lines(book: Book, facility_id: str) -> list[Fraction]:
    release = book.snapshot.terms(book.treasury.facility_by_id[facility_id]).release
    return [release.line] if release else []
