"""Replay beside a plain loop that looks at every minute with its own arithmetic and its own idea of an alert.

Everything in these worlds falls on whole minutes, so the loop misses nothing. It shares no code with the domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st
from support import THREE, loan, move, notice, tier, treasury

from bot.domain.alerts import AlertPolicy
from bot.domain.replay import replay
from bot.domain.terms import OnRecovery
from bot.domain.treasury import Treasury

OPENED = datetime(2026, 2, 1, 18, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY, FIRST_MIDNIGHT, HOLD = 24 * 60, 6 * 60, 10
COINS, DEBT, WINDOW, CREDIT = 100, 6_000_000, 8 * 60, 60
TARGET = Fraction(65, 100)
RELEASE = Fraction(1, 2)
LINES = (  # name, reached from, clear from, level
    ("early warning", Fraction(68, 100), Fraction(67, 100), 2),
    ("margin call", Fraction(75, 100), TARGET, 3),
    ("liquidation", Fraction(90, 100), Fraction(89, 100), 3),
)
WORDS = ("ok", "notice", "warning", "critical")

Said = tuple[int, str, str, str, str | None]
"""Minute, key, transition, level, tier."""


@dataclass(frozen=True)
class World:
    """All times in minutes since `opened`, money in whole dollars, coins whole; `sent` has two times and 5 coins."""

    rate: Fraction
    prices: tuple[tuple[int, int], ...]
    pledged: tuple[tuple[int, int], ...]
    repaid: tuple[tuple[int, int], ...]
    sent: tuple[int, int] | None
    calls: tuple[tuple[int, int, int | None], ...]  # noticed at, lender's price, met at
    recovery: str
    since: int
    until: int

    def register(self) -> Treasury:
        moves = [move("pledged", when(at), f"p{n}", btc=f"{coins}") for n, (at, coins) in enumerate(self.pledged)]
        moves += [move("repaid", when(at), f"r{n}", usd=f"{dollars}") for n, (at, dollars) in enumerate(self.repaid)]
        if self.sent:
            moves += [
                move("sent", when(self.sent[0]), "s", btc="5"),
                move("pledged", when(self.sent[1]), of="s", btc="5"),
            ]
        tiers = (THREE[0], tier("call", "0.75", "margin call", cure_to="0.65", window_hours=WINDOW // 60), THREE[2])
        lent = loan(
            debt=f"{DEBT}",
            coins=f"{COINS}",
            tiers=tiers,
            rate=self.rate,
            release=("0.5", "0.6", 1),
            credit_hours=CREDIT * MINUTE,
            on_recovery=OnRecovery(self.recovery),
        )
        notices = tuple(
            notice(when(at), f"n{n}", price=f"{price}", met=when(met) if met is not None else None)
            for n, (at, price, met) in enumerate(self.calls)
        )
        moves.sort(key=lambda movement: movement.at)
        return treasury(lent, opened=OPENED, movements=tuple(moves), notices=notices)

    def run(self) -> list[Said]:
        """What the replay says."""
        prices = [(when(at), dollars * 100) for at, dollars in self.prices]
        lines = replay(self.register(), prices, when(self.since), when(self.until), AlertPolicy())
        return [((one.at - OPENED) // MINUTE, one.key, one.transition, one.level, one.tier) for one in lines]


def when(minute: int) -> datetime:
    return OPENED + minute * MINUTE


class Up:
    """What stands of one alert: lines with their rank and level, and since when each has been clear."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[int, int]] = {}
        self.clear: dict[str, int] = {}

    def see(
        self, now: int, name: str, place: tuple[int, int], *, reached: bool, cleared: bool, hold: int = HOLD
    ) -> bool:
        """Takes note of one line; whether it has ended by this."""
        if reached:
            self.lines[name] = place
        if name not in self.lines or not cleared:
            self.clear.pop(name, None)
            return False
        if now - self.clear.setdefault(name, now) < hold:
            return False
        self.drop(name)
        return True

    def drop(self, name: str) -> None:
        self.lines.pop(name, None)
        self.clear.pop(name, None)

    @property
    def worst(self) -> tuple[int, int]:
        """Level and rank."""
        places = self.lines.values()
        return max((level for _, level in places), default=0), max((rank for rank, _ in places), default=-1)


class Loop:
    """Every minute in turn."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alerts: dict[str, Up] = {}
        self.passed: dict[int, set[str]] = {}
        self.missed: set[int] = set()
        self.ended: set[int] = set()
        self.said: list[Said] = []

    def owed(self, minute: int, known: int) -> int:
        """Cents at `minute` if nothing is repaid after `known`."""
        principal, accrued, times = DEBT, Fraction(0), sorted(self.world.repaid)
        for midnight in range(FIRST_MIDNIGHT, minute + 1, DAY):
            held = principal - sum(dollars for at, dollars in times if at < midnight and at <= known)
            accrued += held * self.world.rate / 360
        principal -= sum(dollars for at, dollars in times if at <= min(known, minute))
        return principal * 100 + floor(accrued * 100 + Fraction(1, 2))

    def coins(self, minute: int) -> int:
        arrived = 5 if self.world.sent and self.world.sent[1] <= minute else 0
        return COINS + arrived + sum(coins for at, coins in self.world.pledged if at <= minute)

    def missing(self, call: tuple[int, int, int | None], minute: int) -> bool:
        """Whether part of what was demanded is not credited by `minute`."""
        at, price, _ = call
        owed, held = self.owed(at + WINDOW, at), self.coins(at)
        coins = max(ceil((Fraction(owed, 100) / (TARGET * price) - held) * 10**8), 0)
        cents = max(ceil(owed - TARGET * held * price * 100), 0)
        if not coins or not cents:
            return False
        repaid = sum(dollars for when, dollars in self.world.repaid if at < when <= minute)
        got = Fraction((self.coins(minute) - held) * 10**8, coins) + Fraction(repaid * 100, cents)
        return got < 1

    def run(self) -> list[Said]:
        for minute in range(self.world.since, self.world.until):
            rows = [price for at, price in self.world.prices if self.world.since <= at <= minute]
            if rows:
                self.check(minute, rows[-1])
        return self.said

    def check(self, now: int, price: int) -> None:
        midnight = (now - FIRST_MIDNIGHT) // DAY * DAY + FIRST_MIDNIGHT
        if now == midnight:
            self.mark = Fraction(self.owed(now, now), 100 * self.coins(now) * price)
            self.marked = now
        lent = Fraction(self.owed(now, now), 100 * self.coins(now) * price)
        self.covenant(now, lent)
        free = lent <= RELEASE and getattr(self, "marked", None) == midnight and self.mark <= RELEASE
        self.one("release:antalpha", now, 1, found=free, hold=HOLD)
        sent = self.world.sent
        late = bool(sent) and sent[0] + CREDIT <= now < sent[1]
        self.one("transit:s", now, 2, found=late, hold=0)

    def one(self, key: str, now: int, level: int, *, found: bool, hold: int) -> None:
        before = self.alerts.get(key, Up()).worst
        up = self.alerts.setdefault(key, Up())
        up.see(now, key, (0, level), reached=found, cleared=not found, hold=hold)
        self.tell(now, key, before, up, None, None)

    def covenant(self, now: int, lent: Fraction) -> None:
        up = self.alerts.setdefault("covenant:antalpha", Up())
        before, tier_before = up.worst, self.tier(up)
        for rank, (name, reached, clear, level) in enumerate(LINES):
            up.see(now, name, (rank, level), reached=lent >= reached, cleared=lent <= clear)
        marks = [self.call(up, number, call, now, lent) for number, call in enumerate(self.world.calls)]
        passed = max((mark for mark in marks if mark), default=None)
        self.tell(now, "covenant:antalpha", before, up, passed, tier_before)

    def call(
        self, up: Up, number: int, call: tuple[int, int, int | None], now: int, lent: Fraction
    ) -> tuple[int, str] | None:
        """Holds one notice against the alert; the mark of its clock that has come with this minute."""
        at, _, met = call
        name, due = f"n{number}", at + WINDOW
        if now < at or number in self.ended or (met is not None and met <= now):
            up.drop(name)
            return None
        marks = {due - WINDOW // 2: "half", due - WINDOW // 4: "quarter", due - 60: "last hour"}
        fresh = name not in up.lines
        up.lines.setdefault(name, (1, 3))
        missed = now >= due and self.missing(call, due)
        rule = {"below_call": lent < LINES[1][1], "at_cure": lent <= TARGET, "stays": False}[self.world.recovery]
        over = rule and not missed
        if up.see(now, name, (1, 3), reached=not over, cleared=over):
            self.ended.add(number)
        if now == due and missed and not fresh:
            return (now, "missed")
        return (now, marks[now]) if now in marks and not fresh and number not in self.ended else None

    @staticmethod
    def tier(up: Up) -> str | None:
        return LINES[up.worst[1]][0] if up.lines else None

    def tell(self, now: int, key: str, before: tuple[int, int], up: Up, mark: object, tier_before: str | None) -> None:
        after = up.worst
        shown = self.tier(up) if key.startswith("covenant") else None
        if before[1] < 0 and after[1] >= 0:
            change = "opened"
        elif after[0] > before[0] or after[1] > before[1]:
            change = "worse"
        elif before[1] >= 0 and after[1] < 0:
            self.said.append((now, key, "closed", WORDS[before[0]], tier_before))
            return
        elif mark and after[1] >= 0:
            change = "reminder"
        elif after != before:
            change = "eased"
        else:
            return
        self.said.append((now, key, change, WORDS[after[0]], shown))


minutes = st.integers(0, 3 * DAY)
at_a_line = [65_000, 66_666, 66_667, 67_000, 79_999, 80_000, 80_001, 88_235, 88_236, 92_307, 92_308, 92_320]
freeing = [119_999, 120_000, 120_001, 125_000, 130_000]
prices = st.sampled_from(at_a_line) | st.sampled_from([*at_a_line, *freeing]) | st.integers(60_000, 130_000)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    since = draw(st.sampled_from([0, 0, 1, 400, DAY]))
    until = since + draw(st.integers(1, 2 * DAY))
    changes = sorted(draw(st.dictionaries(st.integers(0, until), prices, min_size=1, max_size=12)).items())
    sent = draw(st.none() | st.tuples(st.integers(0, DAY), st.integers(50, 120)))
    return World(
        rate=draw(st.sampled_from([Fraction(0), Fraction(7, 100), Fraction(99, 100)])),
        prices=tuple(changes),
        pledged=tuple(draw(st.lists(st.tuples(minutes, st.integers(1, 20)), max_size=2))),
        repaid=tuple(draw(st.lists(st.tuples(minutes, st.integers(1, 900_000)), max_size=2))),
        sent=(sent[0], sent[0] + sent[1]) if sent else None,
        calls=tuple(
            (at, price, at + met if met is not None else None)
            for at, price, met in draw(
                st.lists(st.tuples(minutes, prices, st.none() | st.integers(1, DAY)), max_size=2)
            )
        ),
        recovery=draw(st.sampled_from(["stays", "below_call", "at_cure"])),
        since=since,
        until=until,
    )


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_replay_says_what_a_loop_over_every_minute_says(world):
    assert in_order(world.run()) == in_order(Loop(world).run())


def in_order(said: list[Said]) -> list[Said]:
    return sorted(said, key=lambda one: (one[0], one[1]))
