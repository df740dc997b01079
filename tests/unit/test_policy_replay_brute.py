"""Doing nothing beside a plain loop that looks at every minute with its own arithmetic. It shares no code with it.

Everything in these worlds falls on whole minutes, so the loop misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import THREE, loan, move, tier, treasury

from bot.domain.alerts import AlertPolicy
from bot.domain.policy_replay import What, policy_replay
from bot.domain.terms import OnRecovery, Waiver
from bot.domain.treasury import Treasury

OPENED = datetime(2026, 2, 1, 18, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY, FIRST_MIDNIGHT, HOLD = 24 * 60, 6 * 60, 10
COINS, DEBT, WINDOW = 100, 6_000_000, 8 * 60
CALL, TARGET, END = Fraction(75, 100), Fraction(65, 100), Fraction(90, 100)
SATS = 10**8

Done = tuple[int, str, int, int, int]
"""Minute, act, satoshis, cents, cost in cents."""
End = tuple[int, int, int, int]
"""Days at a line, coins, cash and debt at the end."""


@dataclass(frozen=True)
class World:
    """All times in minutes since `opened`, prices and draws in whole dollars, coins whole."""

    rate: Fraction
    prices: tuple[tuple[int, int], ...]
    drawn: tuple[tuple[int, int], ...]
    mined: tuple[tuple[int, int], ...]
    sold: int
    recovery: str
    liquidate_to: Fraction | None
    fee: int
    least: int
    waiver: tuple[int, int] | None
    since: int
    until: int

    def register(self) -> Treasury:
        end = replace(THREE[2], liquidate_to=self.liquidate_to, liquidation_fee_bps=self.fee)
        tiers = (THREE[0], tier("call", "0.75", "margin call", cure_to="0.65", window_hours=WINDOW // 60), end)
        lent = loan(
            debt=f"{DEBT}",
            coins=f"{COINS}",
            tiers=tiers,
            rate=self.rate,
            on_recovery=OnRecovery(self.recovery),
            min_call_usd=self.least * 100,
        )
        if self.waiver:
            lent = replace(lent, waivers=(Waiver(when(self.waiver[0]), when(self.waiver[1]), "standstill"),))
        moves = [move("drawn", when(at), f"d{n}", usd=f"{usd}") for n, (at, usd) in enumerate(self.drawn)]
        moves += [move("mined", when(at), f"m{n}", btc=f"{btc}") for n, (at, btc) in enumerate(self.mined)]
        # Later than the beginning it is an answer of our own, which neither run has.
        moves += [move("sold", when(self.sold), "s", btc="10", usd="700000")]
        return treasury(lent, opened=OPENED, movements=tuple(sorted(moves, key=lambda one: one.at)))

    def run(self) -> tuple[list[Done], End]:
        prices = [(when(at), dollars * 100) for at, dollars in self.prices]
        found = policy_replay(self.register(), prices, when(self.since), when(self.until), AlertPolicy())
        if found is None:
            return [], (0, 0, 0, 0)
        done, end = found.nothing.acts, found.nothing.totals
        acts = [((one.at - OPENED) // MINUTE, one.what.value, one.btc, one.usd, one.cost) for one in done]
        return acts, (end.days_at_line, end.coins, end.cash, end.debt)


def when(minute: int) -> datetime:
    return OPENED + minute * MINUTE


class Loop:
    """Every minute in turn."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.principal, self.accrued = DEBT * 100, Fraction(0)
        self.sats, self.free, self.cash = COINS * SATS, 1000 * SATS, 500_000_000 * 100
        self.due: int | None = None
        self.clear: int | None = None
        self.days: set[int] = set()
        self.done: list[Done] = []

    @property
    def owed(self) -> int:
        return self.principal + max(floor(self.accrued + Fraction(1, 2)), 0)

    def at_line(self, price: int, line: Fraction) -> bool:
        if not self.owed:
            return False
        return not self.sats or Fraction(self.owed * SATS, self.sats * price * 100) >= line

    def run(self) -> tuple[list[Done], End]:
        if not [at for at, _ in self.world.prices if self.world.since <= at < self.world.until]:
            return [], (0, 0, 0, 0)
        for minute in range(self.world.until):
            if minute >= FIRST_MIDNIGHT and (minute - FIRST_MIDNIGHT) % DAY == 0:
                self.accrued += self.principal * self.world.rate / 360
            for at, dollars in self.world.drawn:
                if at == minute:
                    self.principal += dollars * 100
                    self.cash += dollars * 100
            self.free += sum(coins * SATS for at, coins in self.world.mined if at == minute)
            if minute == self.world.sold <= self.world.since:
                self.sats, self.cash = self.sats - 10 * SATS, self.cash + 700_000 * 100
            rows = [price for at, price in self.world.prices if self.world.since <= at <= minute]
            if rows:
                self.look(minute, rows[-1])
        return self.done, (len(self.days), self.sats + self.free, self.cash, self.owed)

    def look(self, now: int, price: int) -> None:
        self.recover(now, price)
        if self.at_line(price, CALL):
            self.days.add((now + DAY - FIRST_MIDNIGHT) // DAY)
        waived = self.world.waiver is not None and self.world.waiver[0] <= now < self.world.waiver[1]
        over = self.due is not None and self.due <= now
        if self.sats and self.owed and not waived and (over or self.at_line(price, END)):
            self.due = self.clear = None
            self.sell(now, price)
        missing = self.owed - TARGET * self.sats * price * 100 / SATS
        worth_it = missing >= self.world.least * 100
        if self.sats and self.due is None and not waived and worth_it and self.at_line(price, CALL):
            self.due = now + WINDOW
            self.done.append((now, What.CALLED.value, 0, 0, 0))
        if self.at_line(price, CALL):
            self.days.add((now + DAY - FIRST_MIDNIGHT) // DAY)

    def recover(self, now: int, price: int) -> None:
        """What price alone does to an open call that is not missed."""
        if self.due is None:
            return
        under = {
            "stays": False,
            "below_call": not self.at_line(price, CALL),
            "at_cure": bool(self.sats) and Fraction(self.owed * SATS, self.sats * price * 100) <= TARGET,
        }[self.world.recovery]
        if not under or now >= self.due:
            self.clear = None
            return
        self.clear = now if self.clear is None else self.clear
        if now - self.clear >= HOLD:
            self.due = self.clear = None
            self.done.append((now, What.RECOVERED.value, 0, 0, 0))

    def sell(self, now: int, price: int) -> None:
        """The fewest satoshis after which the loan is at `liquidate_to`, found by halving; else all."""
        to, kept = self.world.liquidate_to or Fraction(0), 1 - Fraction(self.world.fee, 10_000)

        def enough(sold: int) -> bool:
            left = self.owed - sold * price * 100 * kept / SATS
            return left <= to * (self.sats - sold) * price * 100 / SATS

        if enough(0):
            return
        low, high = 0, self.sats
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        worth = Fraction(high * price * 100, SATS)
        usd = min(floor(worth * kept), self.owed)
        if not usd:
            return
        self.sats -= high
        of_principal = min(usd, self.principal)
        self.principal -= of_principal
        self.accrued -= usd - of_principal
        self.done.append((now, What.LIQUIDATED.value, high, usd, ceil(worth) - usd))


at_a_line = [60_000, 66_666, 66_667, 70_000, 79_999, 80_000, 80_001, 92_307, 92_308, 95_000]
prices = st.sampled_from(at_a_line) | st.integers(55_000, 100_000)
TO_THE_LINE = World(  # from a dollar over the call line to it
    rate=Fraction(0),
    prices=((0, 80_001), (30, 80_000)),
    drawn=(),
    mined=(),
    sold=1,
    recovery="stays",
    liquidate_to=None,
    fee=0,
    least=0,
    waiver=None,
    since=0,
    until=60,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    since = draw(st.sampled_from([0, 0, 1, 400, DAY]))
    until = since + draw(st.integers(1, 3 * DAY))
    changes = sorted(draw(st.dictionaries(st.integers(since, until), prices, min_size=1, max_size=12)).items())
    begins = draw(st.none() | st.integers(0, until))
    later = st.integers(1, until)
    return World(
        rate=draw(st.sampled_from([Fraction(0), Fraction(7, 100), Fraction(99, 100)])),
        prices=tuple(changes),
        drawn=tuple(draw(st.lists(st.tuples(later, st.integers(1, 900_000)), max_size=2))),
        mined=tuple(draw(st.lists(st.tuples(later, st.integers(1, 20)), max_size=2))),
        sold=draw(later),
        recovery=draw(st.sampled_from(["stays", "below_call", "at_cure"])),
        liquidate_to=draw(st.sampled_from([None, Fraction(60, 100), Fraction(70, 100), Fraction(80, 100)])),
        fee=draw(st.sampled_from([0, 200])),
        least=draw(st.sampled_from([0, 0, 700_000, 1_000_000])),
        waiver=(begins, begins + draw(st.integers(1, DAY))) if begins is not None else None,
        since=since,
        until=until,
    )


@settings(max_examples=60, deadline=None)
@given(worlds())
@example(TO_THE_LINE)
def test_doing_nothing_comes_to_what_a_loop_over_every_minute_comes_to(world):
    assert world.run() == Loop(world).run()
