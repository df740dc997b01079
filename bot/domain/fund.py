"""How dated needs are met: which coins to sell on which day, until when that works, and what is missing then.

Cash above the team's minimum comes first, then newly mined coins, then as few free coins above the reserve as will do.
What is sold on one day runs along the slippage curve together, from its beginning, up to the daily limit. So coins are
sold where the curve takes least, of the days up to a need: of equal ones mined coins as they come, free ones as late as
can be. Each need in turn takes the best that is left; what it takes counts for all later ones. With so many free coins
that is the most that can be raised by each day (a greedy choice in a matroid), so the fewest free coins are found by
bisection.
Coins in satoshis, dollars in cents, all exact: what is planned is what pays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate, groupby, product
from math import ceil, floor

from bot.domain.money import SATS_PER_BTC, Cents, Price, Sats
from bot.domain.periods import ONE_DAY
from bot.domain.treasury import Need, Policy


@dataclass(frozen=True)
class Means:
    """What there is at the start of `day`: dollars, free coins, and the coins expected to be mined on a later day.

    Today's coins count as mined: those that are, are among the free ones, and the rest is left out for caution.
    """

    day: date
    cash: Cents
    free: Sats
    mined: Callable[[date], Sats]


@dataclass(frozen=True, slots=True)
class DaySale:
    """Coins sold on one day, newly `mined` and `free` ones, at `price` (cents per BTC) before fee and slippage.

    `usd` is what is left after both, rounded down to the cent.
    """

    day: date
    mined: Sats
    free: Sats
    price: Price
    usd: Cents

    @property
    def btc(self) -> Sats:
        return self.mined + self.free


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The first day whose needs no plan can meet, what they are for, and how many cents are missing."""

    day: date
    purposes: tuple[str, ...]
    missing: Cents


@dataclass(frozen=True)
class Funding:
    """A schedule from `since` on, in order of days; after a shortfall nothing is planned."""

    since: date
    needs: tuple[Need, ...]
    sales: tuple[DaySale, ...]
    shortfall: Shortfall | None

    @property
    def mined(self) -> Sats:
        return sum(sale.mined for sale in self.sales)

    @property
    def free(self) -> Sats:
        return sum(sale.free for sale in self.sales)

    @property
    def usd(self) -> Cents:
        return sum(sale.usd for sale in self.sales)

    @property
    def runway_weeks(self) -> int | None:
        """Whole weeks until the first day that cannot be met; None where every need is met."""
        return (self.shortfall.day - self.since).days // 7 if self.shortfall is not None else None


def fund(means: Means, needs: Sequence[Need], policy: Policy, price: Price) -> Funding:
    """The schedule of sales at `price` (cents per BTC) that meets `needs` with the fewest free coins.

    A sale pays on its own day. Needs from before `means.day` are taken as met. `sell_of_mined` limits the coins sold of
    those mined so far, `max_daily_btc` a day's coins of both kinds.
    """
    ahead = tuple(sorted((need for need in needs if need.due >= means.day), key=lambda need: need.due))
    spare = max(means.free - policy.reserve_btc, 0)

    def selling(free: Sats) -> Funding:
        return _schedule(means, ahead, free, policy, price)

    plan = selling(spare)
    if (
        plan.shortfall is not None or not plan.free or len(_levels(policy, price)) == 1
    ):  # in one step mined ones go first
        return plan
    return selling(bisect_left(range(spare), True, key=lambda free: selling(free).shortfall is None))


def _schedule(means: Means, ahead: tuple[Need, ...], free: Sats, policy: Policy, price: Price) -> Funding:
    """The sales that meet `ahead`, in order of days, with at most so many free coins, until a day can't be met."""
    owed = -max(means.cash - policy.min_cash_usd, 0)
    desk = _Desk(means, free, policy, price)
    for due, together in groupby(ahead, key=lambda need: need.due):
        falling = tuple(together)
        owed += sum(need.usd for need in falling)
        desk.raises(owed, due)
        if desk.raised < owed:
            short = Shortfall(due, tuple(need.purpose for need in falling), owed - desk.raised)
            return Funding(means.day, ahead, desk.sales(), short)
    return Funding(means.day, ahead, desk.sales(), None)


def more_coins(means: Means, plan: Funding, policy: Policy, price: Price) -> Sats | None:
    """The fewest free coins more (satoshis) with which the day of the plan's shortfall could be met.

    None where there is no shortfall, or coins alone would not do: `max_daily_btc` stands in the way.
    """
    short = plan.shortfall
    if short is None:
        return None

    def met(more: Sats) -> bool:
        spare = max(means.free + more - policy.reserve_btc, 0)
        found = _schedule(means, plan.needs, spare, policy, price).shortfall
        return found is None or found.day > short.day

    levels = _levels(policy, price)
    if not levels:
        return None
    under = max(policy.reserve_btc - means.free, 0)
    days = (short.day - means.day).days + 1  # each day's dollars are rounded down to the cent
    most = ceil((short.missing + days) / levels[-1].net)
    if not met(under + most):
        return None
    return under + bisect_left(range(most), True, key=lambda more: met(under + more))


@dataclass(frozen=True, slots=True)
class _Level:
    """A step of the slippage curve: up to how many satoshis of a day (None: without end), and the cents each brings."""

    end: Sats | None
    net: Fraction

    def room(self, sold: Sats, wanted: Sats) -> Sats:
        return wanted if self.end is None else min(wanted, max(self.end - sold, 0))


def _levels(policy: Policy, price: Price) -> tuple[_Level, ...]:
    """The steps of a day in which coins bring something, the best first, up to `max_daily_btc`."""
    kept, levels, limit = 1 - Fraction(policy.fee_bps, 10_000), list[_Level](), policy.max_daily_btc
    begins = 0
    for step in policy.curve:
        net = price * (kept - step.part) / SATS_PER_BTC
        ends = [end for end in (begins + step.btc if step.btc is not None else None, limit) if end is not None]
        end = min(ends, default=None)
        if net <= 0 or end == begins:
            break
        levels.append(_Level(end, net))
        if end is None or end == limit:
            break
        begins = end
    return tuple(levels)


@dataclass(slots=True)
class _Day:
    """Satoshis sold on a day, and the whole cents that they bring. `come`: to be sold of those mined by then."""

    day: date
    come: Sats
    btc: Sats = 0
    usd: Cents = 0


class _Desk:
    """Plans sales on the days so far, of newly mined coins and of at most `free` other ones."""

    def __init__(self, means: Means, free: Sats, policy: Policy, price: Price) -> None:
        self._means = means
        self._free = free
        self._policy = policy
        self._price = price
        self._levels = _levels(policy, price)
        self._mined = 0
        self._days: list[_Day] = []
        self.raised: Cents = 0

    def sales(self) -> tuple[DaySale, ...]:
        """Day by day, mined coins first."""
        sales, mined = [], 0
        for one in self._days:
            if one.btc:
                new = min(one.btc, one.come - mined)
                mined += new
                sales.append(DaySale(one.day, new, one.btc - new, self._price, one.usd))
        return tuple(sales)

    def raises(self, goal: Cents, until: date) -> None:
        """Sells on the days up to `until`, the best steps of the curve first, until `goal` is raised."""
        on = self._days[-1].day + ONE_DAY if self._days else self._means.day
        while on <= until:
            self._mined += self._means.mined(on) if on > self._means.day else 0
            self._days.append(_Day(on, floor(self._policy.sell_of_mined * self._mined)))
            on += ONE_DAY
        for level, sell in product(self._levels, (self._sell_as_they_come, self._sell_late)):
            if self.raised >= goal:
                return
            sell(level, goal)

    def _sell_as_they_come(self, level: _Level, goal: Cents) -> None:
        """Mined coins, and no more free ones than are sold already."""
        spare = self._spare()
        used = max(0, -min(spare))
        left = list(accumulate(reversed(spare), min))[::-1]
        sold = 0
        for day, there in zip(self._days, left, strict=True):
            if self.raised >= goal:
                return
            sold += self._sell(day, level, goal, there + used - sold)

    def _sell_late(self, level: _Level, goal: Cents) -> None:
        """Free coins too."""
        left: Sats | None = None
        for day, spare in zip(reversed(self._days), reversed(self._spare()), strict=True):
            if self.raised >= goal:
                return
            there = spare + self._free
            left = there if left is None else min(left, there)
            left -= self._sell(day, level, goal, left)

    def _spare(self) -> list[Sats]:
        """By day the mined coins to be sold by then less all that is sold by then: under 0, free ones are sold."""
        sold = accumulate(day.btc for day in self._days)
        return [day.come - so_far for day, so_far in zip(self._days, sold, strict=True)]

    def _sell(self, day: _Day, level: _Level, goal: Cents, there: Sats) -> Sats:
        """Sells, of the coins that are `there`, what `goal` lacks and `level` takes on that day; how many."""
        room = level.room(day.btc, there)
        if room <= 0:
            return 0
        lacking = goal - self.raised + day.usd - self._brings(day.btc)
        coins = min(room, ceil(lacking / level.net))
        day.btc += coins
        usd = floor(self._brings(day.btc))
        self.raised += usd - day.usd
        day.usd = usd
        return coins

    def _brings(self, coins: Sats) -> Fraction:
        """Cents that so many satoshis bring on one day, after fee and slippage, exact."""
        cents, sold = Fraction(0), 0
        for level in self._levels:
            here = level.room(sold, coins - sold)
            cents, sold = cents + here * level.net, sold + here
        return cents
