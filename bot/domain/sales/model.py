"""The linear programme of a plan, as written down in `bot.domain.sales`, and its exact solution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

from bot.domain.money import SATS_PER_BTC, Price
from bot.domain.sales.plan import EVERY_WAY, Way
from bot.domain.sales.programme import Programme
from bot.domain.sales.situation import Member, Patient, Spot, Test
from bot.domain.sales.sources import Coins, Dollars, Sources
from bot.domain.terms import Consent
from bot.domain.treasury import SlippageStep

Variable: TypeAlias = tuple[Any, ...]
"""What it is, and of whom: ("cash", 0, "facility:antalpha")."""

Sum: TypeAlias = dict[Variable, Fraction | int]


@dataclass(frozen=True)
class DollarClass:
    """Accounts whose dollars reach the same loans in time: to the programme they are one."""

    reach: frozenset[str]
    parts: tuple[Dollars, ...]


@dataclass(frozen=True)
class CoinClass:
    """Coins that reach the same loans in time, pledged and sold; those that a lender must let go first are apart."""

    pledged_reach: frozenset[str]
    sold_reach: frozenset[str]
    released: bool
    parts: tuple[Coins, ...]


@dataclass(frozen=True)
class Problem:
    """What to solve: `until` is the last instant of credit by patient, `ways` what may be used.

    `raised` are the loans that must get their least repayment, `left_out` those that get none.
    """

    price: Price
    steps: tuple[SlippageStep, ...]
    fee: Fraction
    patients: tuple[Patient, ...]
    sources: Sources
    until: Mapping[str, datetime]
    ways: frozenset[Way] = EVERY_WAY
    raised: frozenset[str] = field(default_factory=frozenset)
    left_out: frozenset[str] = field(default_factory=frozenset)
    margin: Mapping[str, Fraction] = field(default_factory=dict)
    """The part of what is repaid that a patient's sources must bring beside it: room for rounding."""

    @cached_property
    def net(self) -> tuple[Fraction, ...]:
        """What a satoshi brings at each step of the curve, in cents."""
        return tuple(self.price * (1 - self.fee - step.part) / SATS_PER_BTC for step in self.steps)

    @cached_property
    def dollars(self) -> tuple[DollarClass, ...]:
        alike: dict[frozenset[str], list[Dollars]] = {}
        for one in self.sources.dollars if Way.CASH in self.ways else ():
            alike.setdefault(self._reached(one.leaves), []).append(one)
        return tuple(DollarClass(reach, tuple(parts)) for reach, parts in alike.items() if reach)

    @cached_property
    def coins(self) -> tuple[CoinClass, ...]:
        alike: dict[tuple[frozenset[str], frozenset[str], bool], list[Coins]] = {}
        for one in self.sources.coins:
            pledged = self._reached(one.leaves) if Way.TOP_UP in self.ways else frozenset[str]()
            sold = self._reached(one.sold_leaves) if Way.SELL_FREE in self.ways else frozenset[str]()
            alike.setdefault((pledged, sold, one.released_from is not None), []).append(one)
        return tuple(CoinClass(*key, tuple(parts)) for key, parts in alike.items() if key[0] or key[1])

    def _reached(self, leaves: datetime | None) -> frozenset[str]:
        if leaves is None:
            return frozenset()
        return frozenset(one.id for one in self.patients if leaves + one.credit <= self.until[one.id])

    def sold_where(self, patient: Patient) -> Iterator[Spot]:
        """Where pledged coins of `patient` can be sold in time, with the lender's consent."""
        if Way.SELL_PLEDGED in self.ways:
            for spot in patient.spots:
                in_time = spot.opens + patient.credit <= self.until[patient.id]
                if (
                    spot.coins
                    and spot.consent is not Consent.NONE
                    and in_time
                    and self.sources.desk_account is not None
                ):
                    yield spot


@dataclass(frozen=True)
class Solution:
    """The best there is, in fractions of cents and satoshis. `short` is what is missing: cents, or satoshis."""

    values: Mapping[Variable, Fraction]
    short: Fraction
    merit: tuple[Fraction, ...]

    def __getitem__(self, name: Variable) -> Fraction:
        return self.values.get(name, Fraction(0))


def solve(problem: Problem, *, missing: str = "usd") -> Solution | None:
    """The plan that is missing least, then sells fewest coins, then costs least; then the gentlest of those.

    What is missing counts in dollars that come from nowhere, or with `missing="btc"` in such coins. None: not even
    those would do.
    """
    model = _Model(problem, missing)
    values = model.programme.solve()
    if values is None:
        return None
    merit = tuple(
        sum((values.get(name, Fraction(0)) * part for name, part in aim.items()), Fraction(0)) for aim in model.aims
    )
    return Solution(values, merit[0], merit)


class _Model:
    def __init__(self, problem: Problem, missing: str) -> None:
        self.problem, self.programme = problem, Programme()
        self.extra = missing == "btc"
        self.coins = dict(enumerate(problem.coins))
        for patient in problem.patients:
            self._patient(patient)
        self._limits()
        self.aims = self._aims()
        for aim in self.aims:
            self.programme.minimise(aim)

    def _cash(self, patient: Patient) -> Sum:
        return {("cash", n, patient.id): 1 for n, one in enumerate(self.problem.dollars) if patient.id in one.reach}

    def _pledged(self, patient: Patient, spot: Spot) -> Sum:
        numbers = [n for n, one in self.coins.items() if patient.id in one.pledged_reach]
        if self.extra and Way.TOP_UP in self.problem.ways:
            numbers.append(-1)
        return {("top", n, spot.id): 1 for n in numbers}

    def _free(self, patient: Patient) -> Sum:
        numbers = [n for n, one in self.coins.items() if patient.id in one.sold_reach]
        if self.extra and Way.SELL_FREE in self.problem.ways:
            numbers.append(-1)
        return {("free", n, patient.id): 1 for n in numbers}

    def _sold(self, patient: Patient) -> Sum:
        return {("sold", spot.id): 1 for spot in self.problem.sold_where(patient)}

    def _steps(self, patient: Patient) -> Sum:
        return {("step", patient.id, n): 1 for n in range(len(self.problem.steps))}

    def _short(self, patient: Patient) -> Sum:
        return {} if self.extra else {("short", patient.id): 1}

    def _patient(self, patient: Patient) -> None:
        sold = self._free(patient) | self._sold(patient)
        proceeds: Sum = {name: self.problem.net[name[2]] for name in self._steps(patient)}
        self.programme.at_most(self._steps(patient) | dict.fromkeys(sold, -1), 0)
        repaid = 1 + self.problem.margin.get(patient.id, Fraction(0))
        paid: Sum = {("repay", member.id): -repaid for member in patient.members}
        self.programme.at_least(self._cash(patient) | proceeds | self._short(patient) | paid, 0)
        for member in patient.members:
            self._member(member)
        for test in patient.tests:
            self._test(patient, test)

    def _member(self, member: Member) -> None:
        terms: Sum = {("repay", member.id): 1}
        self.programme.at_most(terms, member.owed)
        if member.id in self.problem.raised:
            self.programme.at_least(terms, min(member.least, member.owed))
        if member.id in self.problem.left_out:
            self.programme.at_most(terms, 0)

    def _test(self, patient: Patient, test: Test) -> None:
        terms: Sum = {}
        terms |= {("repay", member): weight for member, weight in test.weights.items()}
        sold = self._sold(patient)
        for spot in patient.spots:
            if spot.id in test.spots:
                terms |= dict.fromkeys(self._pledged(patient, spot), test.per_coin)
                if ("sold", spot.id) in sold:
                    terms["sold", spot.id] = -test.per_coin
        self.programme.at_least(terms, test.short)

    def _limits(self) -> None:
        problem, sources = self.problem, self.problem.sources
        all_cash: Sum = {}
        for number, one in enumerate(problem.dollars):
            used: Sum = {("cash", number, name): 1 for name in one.reach}
            self.programme.at_most(used, sum(part.usd for part in one.parts))
            all_cash |= used
        self.programme.at_most(all_cash, sources.spare_usd)
        all_free: Sum = {}
        for number, kind in self.coins.items():
            used = self._from(number)
            self.programme.at_most(used, sum(part.btc for part in kind.parts))
            all_free |= {} if kind.released else used
        self.programme.at_most(all_free, sources.spare_btc)
        for patient in problem.patients:
            for spot in problem.sold_where(patient):
                self.programme.at_most({("sold", spot.id): 1}, spot.coins)
        if sources.sellable is not None:
            self.programme.at_most(self._all_sold(), sources.sellable)
        for number, step in enumerate(problem.steps):
            if step.btc is not None:
                self.programme.at_most({("step", one.id, number): 1 for one in problem.patients}, step.btc)

    def _from(self, number: int) -> Sum:
        """Everything that class `number` of coins is used for."""
        used: Sum = {}
        for patient in self.problem.patients:
            for spot in patient.spots:
                used |= {name: 1 for name in self._pledged(patient, spot) if name[1] == number}
            used |= {name: 1 for name in self._free(patient) if name[1] == number}
        return used

    def _all_sold(self) -> Sum:
        sold: Sum = {}
        for patient in self.problem.patients:
            sold |= self._free(patient) | self._sold(patient)
        return sold

    def _aims(self) -> list[Sum]:
        """In order: what is missing, coins sold, their cost, pledged coins sold, coins let go, pledged, dollars."""
        missing: Sum = {}
        cost: Sum = {}
        pledged: Sum = {}
        released: Sum = {}
        added: Sum = {}
        repaid: Sum = {}
        for patient in self.problem.patients:
            missing |= self._short(patient)
            steps = enumerate(self.problem.steps)
            cost |= {("step", patient.id, n): self.problem.fee + step.part for n, step in steps}
            pledged |= self._sold(patient)
            for spot in patient.spots:
                added |= self._pledged(patient, spot)
            repaid |= {("repay", member.id): 1 for member in patient.members}
        if self.extra:
            missing = self._from(-1)
        for number, kind in self.coins.items():
            released |= self._from(number) if kind.released else {}
        return [missing, self._all_sold(), cost, pledged, released, added, repaid]
