"""From fractions to whole cents and satoshis, against ourselves, and no further than it must be.

Everything is rounded up as far as its source has more, a sale's dollars down; what a loan is short of then is added
where there is room (it is a cent or so), and what is too much is taken off again, until a cent's worth less would not
cure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import ceil, floor
from typing import TypeAlias

from bot.domain.money import Cents, Sats
from bot.domain.sales.model import Problem, Solution
from bot.domain.sales.plan import SALES, Way
from bot.domain.sales.situation import Member, Patient, Test

Use: TypeAlias = tuple[Way, int, str]
"""A way, the number of its source (an account's dollars or coins; of pledged coins 0), and where it goes.

Cash and free coins sold go to a patient, a top-up goes to a spot, and pledged coins sold come from one.
"""


class Draft:
    """A plan in whole numbers, while it is being rounded."""

    def __init__(self, problem: Problem, solution: Solution, whole: Callable[[Fraction], int] = ceil) -> None:
        self.problem, self.solution, self._whole = problem, solution, whole
        self.dollars = [part for one in problem.dollars for part in one.parts]
        self.coins = [part for one in problem.coins for part in one.parts]
        self.amounts: dict[Use, int] = {}
        self._uses = {
            patient.id: [use for _, uses in self._by_name(patient) for use in uses] for patient in problem.patients
        }
        self._quotas = {
            patient.id: [floor(solution["step", patient.id, n]) for n in range(len(problem.steps))]
            for patient in problem.patients
        }
        for patient in problem.patients:
            self._begin(patient)

    # -- what there is room for --

    def room(self, use: Use) -> int:
        """How much more of it there is."""
        way, number, where = use
        sources = self.problem.sources
        if way is Way.CASH:
            left = self.dollars[number].usd - self._total(lambda u: u[0] is Way.CASH and u[1] == number)
            return min(left, sources.spare_usd - self._total(lambda u: u[0] is Way.CASH))
        limits = []
        if way is Way.SELL_PLEDGED:
            limits.append(self._spot_coins(where) - self.amounts.get(use, 0))
        else:
            limits.append(self.coins[number].btc - self._total(lambda u: _from_free(u) and u[1] == number))
            if self.coins[number].released_from is None:
                free = self._total(lambda u: _from_free(u) and self.coins[u[1]].released_from is None)
                limits.append(sources.spare_btc - free)
        if way is not Way.TOP_UP and sources.sellable is not None:
            limits.append(sources.sellable - self._total(_is_sale))
        return max(min(limits), 0)

    def _total(self, of: Callable[[Use], bool]) -> int:
        return sum(amount for use, amount in self.amounts.items() if of(use))

    def _spot_coins(self, spot_id: str) -> Sats:
        return next(spot.coins for one in self.problem.patients for spot in one.spots if spot.id == spot_id)

    # -- from the solution's classes to accounts --

    def _begin(self, patient: Patient) -> None:
        """Every variable in whole numbers, from the sources that make it up, the first to leave first."""
        for name, uses in self._by_name(patient):
            wanted = self._whole(self.solution[name])
            for use in uses:
                self.amounts[use] = 0
                self.amounts[use] = min(wanted, self.room(use))
                wanted -= self.amounts[use]

    def _by_name(self, patient: Patient) -> Iterator[tuple[tuple[object, ...], list[Use]]]:
        """The programme's variables of `patient`, gentlest first, each with the uses that make it up."""
        number = 0
        for n, kind in enumerate(self.problem.dollars):
            if patient.id in kind.reach:
                yield ("cash", n, patient.id), [(Way.CASH, number + i, patient.id) for i in range(len(kind.parts))]
            number += len(kind.parts)
        for way in (Way.TOP_UP, Way.SELL_FREE):
            number = 0
            for n, coins in enumerate(self.problem.coins):
                numbers = range(number, number + len(coins.parts))
                if way is Way.TOP_UP and patient.id in coins.pledged_reach:
                    for spot in patient.spots:
                        yield ("top", n, spot.id), [(way, i, spot.id) for i in numbers]
                if way is Way.SELL_FREE and patient.id in coins.sold_reach:
                    yield ("free", n, patient.id), [(way, i, patient.id) for i in numbers]
                number += len(coins.parts)
        for spot in self.problem.sold_where(patient):
            yield ("sold", spot.id), [(Way.SELL_PLEDGED, 0, spot.id)]

    def uses(self, patient: Patient) -> list[Use]:
        """Every use that reaches `patient`, gentlest first."""
        return self._uses[patient.id]

    # -- whole numbers that cure --

    def round(self, *, anew: bool) -> bool:
        """Adds what is short and takes off what is too much; whether every patient is cured then.

        `anew`: also from what the solution doesn't use.
        """
        for patient in self.problem.patients:
            if not self.cured(patient):
                self._add(patient, anew=anew)
        for patient in self.problem.patients:
            if not self.cured(patient):
                return False
            self._trim(patient)
        for patient in self.problem.patients:
            self._sell_less(patient)
        return True

    def _sell_less(self, patient: Patient) -> None:
        """What others' trimming left over takes the place of coins sold."""
        for use in self.uses(patient):
            if not _is_sale(use) and self.amounts[use] and self.sales(patient) and (room := self.room(use)):
                before = dict(self.amounts)
                self.amounts[use] += room
                self._trim(patient)
                if self._sold(self.amounts) >= self._sold(before):
                    self.amounts = before

    def _sold(self, amounts: Mapping[Use, int]) -> Sats:
        return sum(amount for use, amount in amounts.items() if _is_sale(use))

    def _add(self, patient: Patient, *, anew: bool) -> None:
        """More of what is used already, else coins sold instead of pledged, else something new; the gentlest first."""
        uses = self.uses(patient)
        used = [use for use in uses if self.amounts[use]]
        if self._more_of(patient, used) or self._sold_instead(patient, used):
            return
        if not anew or self._more_of(patient, uses):
            return
        for use in uses:
            self.amounts[use] += min(self.room(use), _A_LITTLE)
            if self.cured(patient):
                return

    def _more_of(self, patient: Patient, uses: Sequence[Use]) -> bool:
        for use in uses:
            more = _first(min(self.room(use), _CLOSE_BY), partial(self._is_cured, patient, use, 1))
            if more is not None:
                self.amounts[use] += more
                return True
        return False

    def _sold_instead(self, patient: Patient, used: Sequence[Use]) -> bool:
        """A few of the coins that would be pledged are sold with the others of their account."""
        sold = {use[1]: use for use in used if use[0] is Way.SELL_FREE}
        for use in used:
            if use[0] is Way.TOP_UP and (sale := sold.get(use[1])):
                swapped = _first(
                    min(self.amounts[use], _CLOSE_BY), partial(self._is_cured_by_selling, patient, use, sale)
                )
                if swapped is not None and swapped <= self._may_sell():
                    self.amounts[use] -= swapped
                    self.amounts[sale] += swapped
                    return True
        return False

    def _may_sell(self) -> Sats:
        most = self.problem.sources.sellable
        return most - self._sold(self.amounts) if most is not None else _ALL_THERE_IS

    def _is_cured_by_selling(self, patient: Patient, pledged: Use, sale: Use, coins: Sats) -> bool:
        self.amounts[pledged] -= coins
        cured = self._is_cured(patient, sale, 1, coins)
        self.amounts[pledged] += coins
        return cured

    def _trim(self, patient: Patient) -> None:
        for use in reversed(self.uses(patient)):
            amount = self.amounts[use]
            too_much = _first(amount, partial(self._is_short, patient, use))
            kept = amount - too_much + 1 if too_much is not None else 0
            if use[0] is not Way.TOP_UP or not kept or (amount - kept) * self.problem.price >= _NOT_WORTH_IT:
                self.amounts[use] = kept

    def _is_cured(self, patient: Patient, use: Use, sign: int, change: int) -> bool:
        """Whether it would be, with so much more (or, with sign −1, less) of `use`."""
        before = self.amounts[use]
        self.amounts[use] = before + sign * change
        cured = self.cured(patient)
        self.amounts[use] = before
        return cured

    def _is_short(self, patient: Patient, use: Use, less: int) -> bool:
        return not self._is_cured(patient, use, -1, less)

    def cured(self, patient: Patient) -> bool:
        due = self.repayments(patient)
        return due is not None and sum(due.values()) <= self.pot(patient)

    def pot(self, patient: Patient) -> Cents:
        """The dollars there are for `patient`: cash and what its sales bring."""
        cash = sum(self.amounts[use] for use in self.uses(patient) if use[0] is Way.CASH)
        return cash + sum(usd for usd, _ in self.proceeds(patient).values())

    def sales(self, patient: Patient) -> list[Use]:
        return [use for use in self.uses(patient) if _is_sale(use) and self.amounts[use]]

    def proceeds(self, patient: Patient) -> dict[Use, tuple[Cents, Fraction]]:
        """What each sale for `patient` brings: net in whole cents rounded down, and gross at the scenario price."""
        taken = self._taken(patient)
        at_scenario = Fraction(self.problem.price, 10**8)
        brought = {}
        for use in self.sales(patient):
            left, net = self.amounts[use], Fraction(0)
            while left:
                step, coins = taken[0]
                here = min(left, coins)
                net += here * self.problem.net[step]
                left -= here
                taken[0] = (step, coins - here)
                if coins == here:
                    taken.pop(0)
            brought[use] = (floor(net), self.amounts[use] * at_scenario)
        return brought

    def _taken(self, patient: Patient) -> list[tuple[int, Sats]]:
        """The steps of the curve that the sales for `patient` use: those planned for it, then what others leave."""
        steps = self.problem.steps
        if len(steps) == 1:
            return [(0, sum(self.amounts[use] for use in self.sales(patient)) or 1)]
        left: list[Sats] = [
            (step.btc if step.btc is not None else _ALL_THERE_IS) - sum(quota[n] for quota in self._quotas.values())
            for n, step in enumerate(steps)
        ]
        for one in self.problem.patients:
            taken, rest = [], sum(self.amounts[use] for use in self.sales(one))
            for source in (self._quotas[one.id], left):
                for n, there in enumerate(source):
                    here = min(there, rest)
                    if here:
                        taken.append((n, here))
                        rest -= here
                        if source is left:
                            left[n] -= here
            if one.id == patient.id:
                break
        return taken

    # -- whom to repay what --

    def repayments(self, patient: Patient) -> dict[str, Cents] | None:
        """The least that must be repaid to each member, with the coins as they are; None where it can't be."""
        moved = self._moved(patient)
        due = {member.id: 0 for member in patient.members}
        for test in patient.tests:
            if len(test.weights) == 1 and test.spots <= test.weights.keys():
                (only,) = test.weights
                due[only] = max(due[only], ceil(_gap(test, moved)))
        for member in patient.members:
            if len(patient.members) > 1:  # who is repaid for the group is the solution's to say, but for some cents
                due[member.id] = max(due[member.id], self._begun(member))
            if member.id in self.problem.raised:
                due[member.id] = max(due[member.id], min(member.least, member.owed))
        for test in patient.tests:
            self._fill(patient, test, due, _gap(test, moved) - _paid(test, due))
        return due if all(self._may_pay(member, due[member.id]) for member in patient.members) else None

    def _begun(self, member: Member) -> Cents:
        """What of the solution's repayment is certain: all but some cents, or what it may not be less than."""
        amount = self.solution["repay", member.id]
        if not amount or amount >= member.owed:
            return min(ceil(amount), member.owed)
        return max(floor(amount) - _SOME_CENTS, min(member.least, member.owed))

    def _may_pay(self, member: Member, usd: Cents) -> bool:
        if member.id in self.problem.left_out:
            return not usd
        return usd <= member.owed and (not usd or usd >= min(member.least, member.owed))

    def _moved(self, patient: Patient) -> dict[str, Sats]:
        """Coins added to each spot less those sold from it."""
        moved = {spot.id: 0 for spot in patient.spots}
        for use in self.uses(patient):
            way, _, where = use
            if way in (Way.TOP_UP, Way.SELL_PLEDGED):
                moved[where] += self.amounts[use] if way is Way.TOP_UP else -self.amounts[use]
        return moved

    def _fill(self, patient: Patient, test: Test, due: dict[str, Cents], gap: Fraction) -> None:
        """Repays what a test is short of: of those whom the solution repays, first where a dollar counts for most."""
        for member in sorted(patient.members, key=partial(self._comes_first, test)):
            weight = test.weights.get(member.id)
            if gap > 0 and weight and member.id not in self.problem.left_out:
                here = min(ceil(gap / weight), max(member.owed - due[member.id], 0))
                due[member.id] += here
                gap -= here * weight
        if gap > 0:
            due[patient.members[0].id] = patient.members[0].owed + 1  # more than is owed: that refuses it

    def _comes_first(self, test: Test, member: Member) -> tuple[bool, Fraction, Fraction]:
        amount = self.solution["repay", member.id]
        return not amount, -test.weights.get(member.id, Fraction(0)), -amount


_SOME_CENTS = 32
"""What a tighter solution may repay too much."""
_A_LITTLE = 1000
_ALL_THERE_IS: Sats = 21 * 10**14
_CLOSE_BY = 10**6
"""How many cents or satoshis rounding may add: more is no rounding, then a tighter solution is looked for."""
_NOT_WORTH_IT = 2 * 10**8
"""Two cents' worth of coins, in satoshis times cents a coin: to pledge so much less is only an odder figure."""


def _paid(test: Test, due: Mapping[str, Cents]) -> Fraction:
    return sum((due[member] * weight for member, weight in test.weights.items()), Fraction(0))


def _gap(test: Test, moved: Mapping[str, Sats]) -> Fraction:
    return test.short - test.per_coin * sum(moved[spot] for spot in test.spots)


def _first(most: int, holds: Callable[[int], bool]) -> int | None:
    """The least n in [1, most] from which on it holds, looked for close by first; None where it never does."""
    low, high = 0, 1
    while high < most and not holds(high):
        low, high = high, 2 * high
    high = min(high, most)
    if not high or not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def _from_free(use: Use) -> bool:
    return use[0] in (Way.TOP_UP, Way.SELL_FREE)


def _is_sale(use: Use) -> bool:
    return use[0] in SALES
