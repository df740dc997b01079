"""How dated needs are met: which coins to sell on which day, until when that works, and what is missing then.

Cash above the team's minimum comes first, then newly mined coins as they come, then free coins above the reserve, those
as late as the daily limit allows. What is sold on one day runs along the slippage curve together, from its beginning.
Coins in satoshis, dollars in cents, all exact: what is planned is what pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
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

    With a slippage curve, of the schedules that sell as late as they can: to spread sales over more days, set
    `max_daily_btc`. A sale pays on its own day. Needs from before `means.day` are taken as met. `sell_of_mined` limits
    the coins sold of those mined so far, `max_daily_btc` a day's coins of both kinds.
    """
    ahead = tuple(sorted((need for need in needs if need.due >= means.day), key=lambda need: need.due))
    sales, desk = [], _Desk(means, policy, price)
    for day, target in _targets(means, policy, ahead, desk.most_a_day).items():
        sale = desk.sell(day, target.now, target.in_all)
        if sale.btc:
            sales.append(sale)
        if desk.raised < target.due:
            purposes = tuple(need.purpose for need in ahead if need.due == day)
            shortfall = Shortfall(day, purposes, target.due - desk.raised)
            return Funding(means.day, ahead, tuple(sales), shortfall)
    return Funding(means.day, ahead, tuple(sales), None)


def more_coins(means: Means, plan: Funding, policy: Policy, price: Price) -> Sats | None:
    """The fewest free coins more (satoshis) with which the day of the plan's shortfall could be met.

    None where there is no shortfall, or coins alone would not do: `max_daily_btc` stands in the way.
    """
    short = plan.shortfall
    if short is None:
        return None
    needs = [need for need in plan.needs if need.due <= short.day]

    def met(more: Sats) -> bool:
        return fund(replace(means, free=means.free + more), needs, policy, price).shortfall is None

    nets = [net for _, net in _steps(policy, price) if net > 0]
    if not nets:
        return None
    under = max(policy.reserve_btc - means.free, 0)
    days = (short.day - means.day).days + 1  # each day's dollars are rounded down to the cent
    low, high = under, under + ceil((short.missing + days) / nets[-1])
    if not met(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if met(middle) else (middle, high)
    return high


def _steps(policy: Policy, price: Price) -> Iterator[tuple[Sats | None, Fraction]]:
    """The slippage curve: up to how many satoshis (None: without end), and the cents that each of them brings."""
    fee = Fraction(policy.fee_bps, 10_000)
    for step in policy.curve:
        yield step.btc, price * (1 - fee - step.part) / SATS_PER_BTC


@dataclass(frozen=True, slots=True)
class _Target:
    """Cents to have been raised in all by the end of a day: what is `due` by then, what must be there `now` because
    later days could not make up for it, and what is due `in_all`."""

    due: Cents
    now: Cents
    in_all: Cents


def _targets(means: Means, policy: Policy, ahead: Sequence[Need], most_a_day: Cents | None) -> dict[date, _Target]:
    """The target of every day until the last need, in order."""
    due, owed = dict[date, Cents](), -max(means.cash - policy.min_cash_usd, 0)
    falling = {need.due: 0 for need in ahead}
    for need in ahead:
        falling[need.due] += need.usd
    for day in _days(means.day, max(falling, default=None)):
        owed += falling.get(day, 0)
        due[day] = max(owed, 0)
    targets, now = dict[date, _Target](), 0
    for day in reversed(due):
        now = due[day] if most_a_day is None else max(due[day], now - most_a_day)
        targets[day] = _Target(due[day], now, max(owed, 0))
    return dict(reversed(targets.items()))


def _days(first: date, last: date | None) -> Iterator[date]:
    while last is not None and first <= last:
        yield first
        first += ONE_DAY


class _Desk:
    """Sells day by day, and knows what is left to sell and what has been raised."""

    def __init__(self, means: Means, policy: Policy, price: Price) -> None:
        self._means = means
        self._policy = policy
        self._price = price
        self._curve = tuple(_steps(policy, price))
        self._free_left = max(means.free - policy.reserve_btc, 0)
        self._mined = self._mined_sold = 0
        self.raised: Cents = 0

    @property
    def most_a_day(self) -> Cents | None:
        """Cents that a day can bring at most, however many coins there are; None without a limit."""
        limit = self._policy.max_daily_btc
        return floor(self._brings(limit)) if limit is not None else None

    def sell(self, day: date, now: Cents, in_all: Cents) -> DaySale:
        """Newly mined coins towards `in_all`, and as many free ones as it takes to have raised `now`."""
        if day > self._means.day:
            self._mined += self._means.mined(day)
        limit = self._policy.max_daily_btc
        left = limit if limit is not None else self._coins(in_all)
        new = min(floor(self._policy.sell_of_mined * self._mined) - self._mined_sold, left, self._coins(in_all))
        old = min(max(self._coins(now) - new, 0), left - new, self._free_left)
        self._mined_sold += new
        self._free_left -= old
        usd = floor(self._brings(new + old))
        self.raised += usd
        return DaySale(day, new, old, self._price, usd)

    def _coins(self, goal: Cents) -> Sats:
        """The fewest satoshis, sold on one day, that bring what `goal` lacks; where nothing would, all that bring
        something."""
        lacking, coins = Fraction(max(goal - self.raised, 0)), 0
        for most, net in self._curve:
            if net <= 0 or not lacking:
                break
            here = ceil(lacking / net) if most is None else min(ceil(lacking / net), most)
            coins, lacking = coins + here, max(lacking - here * net, Fraction(0))
        return coins

    def _brings(self, coins: Sats) -> Fraction:
        """Cents that so many satoshis bring on one day, after fee and slippage, exact."""
        cents = Fraction(0)
        for most, net in self._curve:
            here = coins if most is None else min(coins, most)
            cents, coins = cents + here * max(net, Fraction(0)), coins - here
        return cents
