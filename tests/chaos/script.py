"""What goes in: the loans, and the prices that are played; and, from these alone, what then has to be said.

Nothing here comes from the bot: the arithmetic is its own, in exact fractions, so that neither inherits a mistake.
Every price is played once in a run, and at each price no two facilities' printed LTVs repeat an earlier one of
theirs: so any message says by its LTV (or, about blindness, by its price) which step it is of.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

SATS = 100_000_000
COINS = 1_000 * SATS
PRICE_KEY = "price"
HIGHEST, LOWEST = 7_600_000, 4_400_000
"""Between these prices, in cents, everything happens: all clear at the top, all at their liquidation line below."""


def dice(seed: object) -> random.Random:
    """Chance that can be had again."""
    return random.Random(str(seed))  # noqa: S311


@dataclass(frozen=True)
class Tier:
    kind: str
    name: str
    line: Fraction
    clear: Fraction


def _tiers(*lines: str) -> tuple[Tier, ...]:
    """Each clears 0.01 under its line: an early or a liquidation line by CLEAR_MARGIN, a call by its cure."""
    kinds = (("early", "early warning"), ("call", "margin call"), ("accelerated", "short call"), ("liquidation",) * 2)
    return tuple(
        Tier(kind, name, Fraction(line), Fraction(line) - Fraction(1, 100))
        for (kind, name), line in zip(kinds, lines, strict=True)
    )


WIDE = _tiers("0.70", "0.78", "0.85", "0.93")
"""Of the facilities that are hit one after another, or all at once where the price falls far."""
DENSE = _tiers("0.70", "0.715", "0.73", "0.745")
"""Of those that go through all their lines while the price moves little: one alert changes often and quickly."""


@dataclass(frozen=True)
class Facility:
    """`principal` in cents; it bears no interest, so that it is owed unchanged whatever the day."""

    id: str
    lender: str
    principal: int
    tiers: tuple[Tier, ...]

    @property
    def key(self) -> str:
        return f"covenant:{self.id}"

    def ltv(self, price: int) -> Fraction:
        return Fraction(self.principal * SATS, COINS * price)

    def printed(self, price: int) -> str:
        """Half-up to two decimals; 0.01 less where that would read like a line that is not reached."""
        ltv = self.ltv(price)
        hundredths = floor(ltv * 10_000 + Fraction(1, 2))
        if any(ltv < tier.line and hundredths == tier.line * 10_000 for tier in self.tiers):
            hundredths -= 1
        return f"{hundredths // 100}.{hundredths % 100:02d}"


FACILITIES = (
    Facility("alder", "Alder Bank", 4_000_000_000, WIDE),
    Facility("birch", "Birch Capital", 4_270_000_000, WIDE),
    Facility("cedar", "Cedar Credit", 4_560_000_000, WIDE),
    Facility("damson", "Damson Lending", 4_850_000_000, DENSE),
    Facility("elm", "Elm Trust", 4_400_000_000, DENSE),
    Facility("fir", "Fir Finance", 3_900_000_000, DENSE),
)


def treasury_file() -> str:
    """The loans as `plimsoll import` takes them."""
    parts = [
        '[treasury]\nname = "Chaos Mining"\ntimezone = "UTC"\nopened = 2026-01-01T00:00:00Z\n',
        '[[account]]\nid = "custody"\nbtc = "100"\nusd = "1000000.00"\n',
    ]
    for one in FACILITIES:
        parts.append(
            f'[[facility]]\nid = "{one.id}"\nlender = "{one.lender}"\nprincipal = "{one.principal // 100}.00"\n'
            f'collateral_btc = "{COINS // SATS}"\ndrawn = 2025-12-01\nrate = "0"\nday_count = "ACT/360"\n'
            'interest = "at_close"\n'
        )
        for tier in one.tiers:
            cure = f'cure_to = "{float(tier.clear)}"\n' if tier.kind in ("call", "accelerated") else ""
            parts.append(
                f'[[facility.tier]]\nkind = "{tier.kind}"\nname = "{tier.name}"\nltv = "{float(tier.line)}"\n{cure}'
            )
    return "\n".join(parts)


@dataclass(frozen=True)
class Step:
    """One state of the market, held until the bot had time to see it. `blind`: the sources disagree; there is no
    price, and `price` is the last."""

    number: int
    price: int
    blind: bool = False


@dataclass(frozen=True)
class Change:
    """What becomes of one alert at one step: opened and worse are posts; eased and closed an edit and a reply."""

    key: str
    step: int
    change: str

    @property
    def posts(self) -> bool:
        return self.change in ("opened", "worse")


@dataclass
class Episode:
    """One alert from opening to closing."""

    key: str
    changes: list[Change] = field(default_factory=list)

    @property
    def posts(self) -> list[Change]:
        return [change for change in self.changes if change.posts]

    @property
    def replies(self) -> list[Change]:
        return [change for change in self.changes if not change.posts]

    @property
    def is_closed(self) -> bool:
        return self.changes[-1].change == "closed"

    def parent_of(self, reply: Change) -> Change:
        """The post in whose thread a reply belongs: the newest before it."""
        return [post for post in self.posts if post.step < reply.step][-1]


class Model:
    """The alerts as they must become when each step is held long enough for everything clear to close."""

    def __init__(self) -> None:
        self._active: dict[str, int] = {}
        """By key, the rank of the worst line that stands."""
        self.open: dict[str, Episode] = {}
        self.episodes: list[Episode] = []

    def after(self, step: Step) -> list[Change]:
        """What changes at `step`, without taking it."""
        if step.blind:
            return [] if PRICE_KEY in self.open else [Change(PRICE_KEY, step.number, "opened")]
        changes = [Change(PRICE_KEY, step.number, "closed")] if PRICE_KEY in self.open else []
        for one in FACILITIES:
            was, now = self._active.get(one.key, -1), self._rank(one, step)
            if now != was:
                said = "opened" if was < 0 else "closed" if now < 0 else "worse" if now > was else "eased"
                changes.append(Change(one.key, step.number, said))
        return changes

    def take(self, step: Step) -> list[Change]:
        changes = self.after(step)
        for change in changes:
            if change.change == "opened":
                self.open[change.key] = Episode(change.key)
                self.episodes.append(self.open[change.key])
            self.open[change.key].changes.append(change)
            if change.change == "closed":
                del self.open[change.key]
        if not step.blind:
            self._active = {one.key: rank for one in FACILITIES if (rank := self._rank(one, step)) >= 0}
        return changes

    def _rank(self, one: Facility, step: Step) -> int:
        """The worst line that is reached, or was and has not cleared."""
        ltv, before = one.ltv(step.price), self._active.get(one.key, -1)
        stands = (i for i, tier in enumerate(one.tiers) if ltv >= tier.line or (i <= before and ltv > tier.clear))
        return max(stands, default=-1)


def episodes_of(steps: Iterable[Step]) -> list[Episode]:
    """Every alert that must have been, in order of opening."""
    model = Model()
    for step in steps:
        model.take(step)
    return model.episodes


class Script:
    """Makes up prices as it goes: lines are crossed one by one and several at once, down and up, again and again."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._model = Model()
        self._printed: set[tuple[str, str]] = set()
        self.steps: list[Step] = []
        self.expected: list[Change] = []
        self.now = self._take(self._find(7_200_000, HIGHEST, least=0))

    def next(self) -> Step:
        """The next step; something changes at it."""
        roll, price = self._chance.random(), self.now.price
        if not self._model.open and roll < 0.2:
            return self._take(Step(len(self.steps), price, blind=True))
        if self._model.open and roll < 0.1:
            return self._take(self._find(7_200_000, HIGHEST, least=1))
        if price > 5_800_000 and roll < 0.25:
            return self._take(self._find(LOWEST, price - 1, least=2))
        down = not self._model.open or self._chance.random() < 0.55
        if down and (low := price * 97 // 100) > LOWEST:
            return self._take(self._find(low, price - 1, least=1, most=2, further=-1))
        return self._take(self._find(price + 1, price * 103 // 100, least=1, most=2, further=1))

    def ending(self) -> Step:
        """All clear."""
        return self._take(self._find(7_200_000, HIGHEST, least=0))

    def _find(self, low: int, high: int, least: int, most: int = 99, further: int = 0) -> Step:
        """A step in a range of prices at which from `least` to `most` alerts change, else at least `least`.

        `further`: where there is none, the range grows down (-1) or up (1).
        """
        best: Step | None = None
        for tries in range(1, 2_000):
            step = Step(len(self.steps), self._chance.randint(low, high))
            changes = len(self._model.after(step))
            if changes >= least and self._is_new(step.price):
                if changes <= most:
                    return step
                best = step
            if further and tries % 50 == 0:
                if best is not None:
                    return best
                low, high = (low, min(high * 102 // 100, HIGHEST)) if further > 0 else (low * 98 // 100, high)
        if best is None:
            raise RuntimeError(f"no price is left between {low} and {high}: too many steps for one run")
        return best

    def _is_new(self, price: int) -> bool:
        return all((one.id, one.printed(price)) not in self._printed for one in FACILITIES)

    def _take(self, step: Step) -> Step:
        self._printed |= {(one.id, one.printed(step.price)) for one in FACILITIES}
        self.steps.append(step)
        self.expected = self._model.take(step)
        self.now = step
        return step
