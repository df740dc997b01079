"""Weekend readiness: what a fall of the price would ask for while rails are shut, and what must be done before.

The worst notice is given right after the close: its deadline is the earliest of the closed period. What each lender
would ask then, and whether it can be met with what still moves (coins, `usdt` and `usdc`, and a wire of the next
opening where the deadline allows it), is the planner's answer on the Book of that instant (`bot.domain.sales`). A loan
whose terms give no deadline is taken to be due at the opening: nobody may count on a wire that leaves only then.

The price is a fall off the last one; debts are run on as the planner does, terms are those in force at the close.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from bot.domain.book import Book
from bot.domain.closures import Closure
from bot.domain.covenant import Reading, TierReading, cures, read
from bot.domain.money import Cents, Sats
from bot.domain.price import PriceView
from bot.domain.sales.cover import alternative
from bot.domain.sales.plan import Alternative, Name, Need, Scenario, Way
from bot.domain.sales.situation import needs_of
from bot.domain.sales.sources import Sources, sources_of
from bot.domain.terms import TierKind
from bot.domain.treasury import Holds, Notice

FALLS = (Fraction(10, 100), Fraction(15, 100), Fraction(20, 100))
RIGHT_AFTER = timedelta(seconds=1)
"""How long after the close the worst notice comes: at the close itself some terms would count that day still."""
MOVED = frozenset({Way.TOP_UP, Way.CASH})
"""What sells nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one loan or group would need. `due` is the deadline of a notice right after the close, or of an open call.

    `guessed`: there is none ahead, and the opening stands for it. `top_up` (satoshis) and `repay` (cents) each cure it
    alone, on the debt at `due`, rounded up; None where that cannot be. `waived` is until when its lender has waived a
    breach, `least_call` the least that it sends a notice for where this is less (cents).
    """

    need: Need
    due: datetime
    guessed: bool
    top_up: Sats | None
    repay: Cents | None
    waived: datetime | None = None
    least_call: Cents = 0


@dataclass(frozen=True, slots=True)
class Movable:
    """What can be credited by `by`, above the reserves, if it is sent once the lender has called.

    `btc` are free coins, `released` those that lenders may let go first (satoshis); `usdt`, `usdc` and `bank` are
    dollars, and `stuck` are bank dollars that cannot be there by then, for they can leave at `moves_at` only (cents).
    """

    by: datetime
    btc: Sats
    released: Sats
    usdt: Cents
    usdc: Cents
    bank: Cents
    stuck: Cents
    moves_at: datetime | None


@dataclass(frozen=True)
class Fall:
    """One fall: `part` off the last price. `wanted` is empty where nothing would be at a call line.

    `moved` is the plan that sells nothing, `sold` the one that may sell as well (None where `moved` does).
    """

    part: Fraction
    view: PriceView
    wanted: tuple[Wanted, ...] = ()
    movable: Movable | None = None
    moved: Alternative | None = None
    sold: Alternative | None = None

    @property
    def is_short(self) -> bool:
        """Whether what still moves is not enough."""
        return self.moved is not None and not self.moved.feasible


@dataclass(frozen=True, slots=True)
class Nearest:
    """The first call line that a falling price meets. `headroom` is negative where it is reached already."""

    title: str
    line: TierReading
    headroom: Fraction


@dataclass(frozen=True)
class Readiness:
    """How ready the treasury is for `closure`, as of `book`. `falls` is empty without a price, or without a loan."""

    book: Book
    closure: Closure
    falls: tuple[Fall, ...]
    nearest: Nearest | None

    @property
    def has_begun(self) -> bool:
        """Whether the last wire has gone."""
        return self.closure.shuts <= self.book.at


def readiness(book: Book, closure: Closure) -> Readiness:
    """How ready the Book's treasury is for `closure`, which has begun or is to come."""
    then = at_close(book, closure)
    if book.price.last is None or not can_be_called(then):
        return Readiness(book, closure, (), None)
    return Readiness(book, closure, tuple(_fall(then, closure, part) for part in FALLS), _nearest(then))


def at_close(book: Book, closure: Closure) -> Book:
    """The Book right after the close; where that is over, the Book itself."""
    return Book(book.register, max(book.at, closure.shuts + RIGHT_AFTER), book.price, book.midnight_prices)


def can_be_called(book: Book) -> bool:
    """Whether anything that is owed has a call line or a worse one."""
    return any(exposure.tested and _call_lines(read(exposure, book.price)) for exposure in book.exposures)


def _call_lines(reading: Reading) -> list[TierReading]:
    return [tier for tier in reading.tiers if tier.tier.kind.severity >= TierKind.CALL.severity]


def _fall(then: Book, closure: Closure, part: Fraction) -> Fall:
    view = Scenario(drop=part).view(then.price, None)
    needs = needs_of(then, view)
    wanted = tuple(_wanted(then, view, need, closure) for need in needs)
    if not wanted:
        return Fall(part, view)
    called = as_called(then, view, wanted)
    movable = _movable(called, sources_of(called, view, needs), wanted)
    moved = planned(called, view, MOVED)
    sold = planned(called, view) if not moved.feasible else None
    return Fall(part, view, wanted, movable, moved, sold)


def planned(book: Book, view: PriceView, ways: frozenset[Way] = frozenset(Way)) -> Alternative:
    """The planner's best with `ways` for what the Book needs at `view`."""
    return alternative(book, view, tuple(needs_of(book, view)), Name.RECOMMENDED, ways)


def as_called(book: Book, view: PriceView, wanted: Sequence[Wanted]) -> Book:
    """The Book in which each lender has given its notice at `view`, at the Book's instant and due when it would be."""
    notices = [
        Notice(
            ref=f"if called {one.need.key}",
            tier=one.need.tier.name,
            at=book.at,
            price=view.usable or 1,
            facility=None if one.need.is_group else one.need.id,
            group=one.need.id if one.need.is_group else None,
            due=one.due,
        )
        for one in wanted
    ]
    register = book.register.with_notices((*book.treasury.notices, *notices))
    return replace(book, register=register, known=None)


def _wanted(then: Book, view: PriceView, need: Need, closure: Closure) -> Wanted:
    ahead = need.due if need.due is not None and need.due > then.at else None
    due = ahead or closure.opens
    named = (None, need.id) if need.is_group else (need.id, None)
    reading = read(then.register.snapshot(then.at, due).exposure(*named), view)
    aim = cures(reading, need.target, reading.exposure.tested, then.treasury.policy.sale_cost)
    waiver, least = then.waiver(reading.exposure), reading.exposure.min_call_usd
    return Wanted(
        need=need,
        due=due,
        guessed=ahead is None,
        top_up=ceil(aim.top_up) if aim.top_up is not None else None,
        repay=ceil(aim.repay) if aim.repay is not None else None,
        waived=waiver.until if waiver is not None else None,
        least_call=least if aim.repay is not None and aim.repay < least and not need.called else 0,
    )


def credit_time(book: Book, need: Need) -> timedelta:
    """What a lender of `need` takes from sent to credited; of several the slowest."""
    treasury = book.treasury
    alone = None if need.is_group else treasury.facility_by_id[need.id]
    group = need.id if alone is None else alone.group
    named = treasury.members(treasury.group_by_id[group]) if group else (alone,)
    return max((one.terms_at(book.at).credit_hours or timedelta(0) for one in named if one), default=timedelta(0))


def _movable(called: Book, sources: Sources, wanted: Sequence[Wanted]) -> Movable:
    """What is there for the most pressing of `wanted`: who has the least time from sent to due."""
    first = min(wanted, key=lambda one: one.due - credit_time(called, one.need))
    last = first.due - credit_time(called, first.need)
    free = sum(coins.btc for coins in sources.coins if not coins.released_from and coins.leaves <= last)
    released = sum(coins.btc for coins in sources.coins if coins.released_from and coins.leaves <= last)
    left, dollars = sources.spare_usd, dict.fromkeys(("usdt", "usdc", "bank"), 0)
    holds = {account.id: account.holds for account in called.treasury.accounts}
    in_time = [one for one in sources.dollars if one.leaves <= last]
    for kind in (Holds.USDT, Holds.USDC, Holds.BANK):
        there = min(sum(one.usd for one in in_time if holds[one.account] is kind), left)
        dollars[kind.value] = there
        left -= there
    late = [one for one in sources.dollars if one.leaves > last]
    return Movable(
        by=first.due,
        btc=min(free, sources.spare_btc),
        released=released,
        stuck=min(sum(one.usd for one in late), left),
        moves_at=min((one.leaves for one in late), default=None),
        **dollars,
    )


def _nearest(then: Book) -> Nearest | None:
    """The call line that is met first, by the debts and terms right after the close."""
    last = PriceView.scenario(then.price.last) if then.price.last else then.price
    found = [
        Nearest(exposure.title, tier, tier.headroom)
        for exposure in then.exposures
        for tier in _call_lines(read(exposure, last))
        if tier.headroom is not None and exposure.tested
    ]
    return min(found, key=lambda one: one.headroom, default=None)


def short_falls(found: Readiness) -> Iterator[Fall]:
    """The falls at which what still moves is not enough, the mildest first."""
    return (fall for fall in found.falls if fall.is_short)
