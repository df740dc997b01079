"""The linear optimum of a Cover plan by HiGHS, built from the Book alone: nothing here comes from the planner.

Coins in BTC and dollars in thousands, so that floating point has room.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from bot.domain.book import Book
from bot.domain.calls import calls_of, deadline, open_calls
from bot.domain.checks import release_now
from bot.domain.covenant import Exposure, read
from bot.domain.terms import Consent, Facility, GroupTest, TierKind
from bot.domain.treasury import Holds

GRAVE = (TierKind.CALL, TierKind.ACCELERATED, TierKind.LIQUIDATION)
FAR = timedelta(days=3650)


class Oracle:
    """`until` is the last instant of credit by what is cured together, `debts_at` when its debts are read."""

    def __init__(self, book: Book, until: Mapping[str, datetime], debts_at: Mapping[str, datetime]) -> None:
        self.book, self.until, self.debts_at = book, until, debts_at
        self.price = book.price.usable or 0

    def optimum(self, *, cents: int = 0) -> float | None:
        """The fewest coins sold, in BTC, or None where nothing cures.

        With each test tightened by `cents` a loan; every least repayment tried as left out and as made.
        """
        picky = [f for f in self._members() if f.terms_at(self.book.at).min_repayment]
        best: float | None = None
        for picked in product((True, False), repeat=len(picky)):
            sold = self._solve(dict(zip([f.id for f in picky], picked, strict=True)), cents)
            if sold is not None and (best is None or sold < best):
                best = sold
        return best

    def _members(self) -> list[Facility]:
        return [f for together in self.together() for f in together[1]]

    def together(self) -> list[tuple[str, list[Facility], Any]]:
        """What is cured together: name, loans, group."""
        found: dict[str, tuple[str, list[Facility], Any]] = {}
        treasury = self.book.treasury
        for exposure in self.book.exposures:
            if self.aim(exposure) is None:
                continue
            group_id = exposure.id if exposure.is_group else treasury.facility_by_id[exposure.id].group
            group = treasury.group_by_id[group_id] if group_id else None
            loans = list(treasury.members(group)) if group else [treasury.facility_by_id[exposure.id]]
            name = group_id or exposure.id
            found.setdefault(name, (name, loans, group))
        return list(found.values())

    def aim(self, exposure: Exposure) -> Fraction | None:
        reading = read(exposure, self.book.price)
        calls = calls_of(exposure, open_calls(self.book))
        if not exposure.bounds or not exposure.tested:
            return None
        if not calls and not any(tier.tier.kind in GRAVE for tier in reading.reached):
            return None
        rank = max([t.rank for t in reading.reached] + [c.rank for c in calls])
        return exposure.bounds[rank].target

    def kind(self, exposure: Exposure) -> TierKind:
        reading = read(exposure, self.book.price)
        calls = calls_of(exposure, open_calls(self.book))
        rank = max([t.rank for t in reading.reached] + [c.rank for c in calls])
        return exposure.bounds[rank].tier.kind

    def due(self, name: str) -> datetime:
        """The earliest deadline of what is cured together."""
        _, loans, group = next(one for one in self.together() if one[0] == name)
        now, treasury = self.book.at, self.book.treasury
        exposures = [self.book.snapshot.facility(f) for f in loans]
        exposures += [self.book.snapshot.group(group)] if group else []
        dues = []
        for exposure in exposures:
            if self.aim(exposure) is None:
                continue
            calls = calls_of(exposure, open_calls(self.book))
            dues += [call.due for call in calls if call.due and call.due > now]
            reached = [t for t in read(exposure, self.book.price).reached if t.tier.kind in GRAVE]
            called = max((call.rank for call in calls), default=-1)
            if reached and reached[-1].rank > called:
                windows = [deadline(t.tier, now, treasury.calendars, treasury.zone) for t in reached]
                dues += [due for due in windows if due is not None]
        return min(dues, default=now + FAR)

    def _leaves(self, account: Any, ready: datetime) -> datetime:
        calendar = self.book.treasury.calendars.get(account.calendar or "")
        return calendar.next_open(ready) if account.holds is Holds.BANK and calendar else ready

    def _solve(self, picked: Mapping[str, bool], cents: int) -> float | None:  # noqa: C901, PLR0912, PLR0915
        book, treasury, policy = self.book, self.book.treasury, self.book.treasury.policy
        rows: list[tuple[dict[Hashable, float], float]] = []
        now, price = book.at, float(self.price) / 1e5  # thousands of dollars a coin
        accounts = [a for a in treasury.accounts if a.holds is not Holds.POOL]
        held = book.balances.accounts
        curve = policy.curve
        coins: list[tuple[Hashable, float, datetime, datetime]] = []
        for account in accounts:
            ready = now + account.ready_hours
            sold = min(self._leaves(other, ready) for other in accounts)
            coins.append((account.id, held[account.id].btc / 1e8, ready, sold))
        needing = {f.id for _, loans, _ in self.together() for f in loans}
        for facility in treasury.facilities:
            amount = self._released(facility) if facility.id not in needing and accounts else 0
            if amount > 0:
                keeper = min(accounts, key=lambda account: account.ready_hours)
                ready = now + (facility.terms_at(now).credit_hours or timedelta(0)) + keeper.ready_hours
                sold = min(self._leaves(other, ready) for other in accounts)
                coins.append((("released", facility.id), amount / 1e8, ready, sold))
        used: dict[Hashable, dict[Hashable, float]] = {}
        cash: dict[Hashable, dict[Hashable, float]] = {}
        all_sold: dict[Hashable, float] = {}
        steps: dict[int, dict[Hashable, float]] = {}
        for name, loans, group in self.together():
            then = book.register.snapshot(now, self.debts_at[name])
            slow = max(f.terms_at(now).credit_hours or timedelta(0) for f in loans)
            last = self.until[name] - slow
            pooled = group is not None and group.pool is not None
            spots = [name] if pooled else [f.id for f in loans]
            pot: dict[Hashable, float] = {}
            sales: dict[Hashable, float] = {}
            moved: dict[str, dict[Hashable, float]] = {spot: {} for spot in spots}
            for account in accounts:
                if self._leaves(account, now) <= last:
                    pot["cash", account.id, name] = 1
                    cash.setdefault(account.id, {})["cash", account.id, name] = 1
            for source, _, ready, sold in coins:
                if ready <= last:
                    for spot in spots:
                        moved[spot]["top", source, name, spot] = 1
                        used.setdefault(source, {})["top", source, name, spot] = 1
                if sold <= last:
                    sales["free", source, name] = 1
                    used.setdefault(source, {})["free", source, name] = 1
            for spot in spots:
                exposure = then.group(group) if pooled else then.facility(treasury.facility_by_id[spot])
                desk = treasury.calendars.get(exposure.desk_calendar or "")
                opens = desk.next_open(now) if desk else now
                if exposure.consent is not Consent.NONE and opens <= last and accounts:
                    sales["sold", name, spot] = 1
                    moved[spot]["sold", name, spot] = -1
                    rows.append(({("sold", name, spot): 1}, exposure.collateral / 1e8))
            all_sold |= sales
            for n, step in enumerate(curve):
                pot["step", name, n] = price * (1 - (policy.fee_bps + step.bps) / 1e4)
                steps.setdefault(n, {})["step", name, n] = 1
            rows.append(({("step", name, n): 1.0 for n in range(len(curve))} | dict.fromkeys(sales, -1.0), 0))
            exposure = then.group(group) if group else None
            now_group = book.snapshot.group(group) if group else None
            aim = self.aim(now_group) if now_group is not None else None
            required: dict[str, int] = {}
            if group and aim is not None and group.test is GroupTest.REQUIREMENTS:
                targets = then.required_targets(group, self.kind(now_group))
                required = {f: then.tested(treasury.facility_by_id[f]) for f in targets}
            repaid: dict[str, dict[Hashable, float]] = {}
            for f in loans:
                owed = then.tested(f) / 1e5
                terms: dict[Hashable, float] = {("repay", f.id): 1}
                repaid[f.id] = terms
                rows.append((terms, owed))
                least = f.terms_at(now).min_repayment / 1e5
                if f.id in picked:
                    rows.append(({k: -v for k, v in terms.items()}, -min(least, owed)) if picked[f.id] else (terms, 0))
            total: dict[Hashable, float] = {}
            for terms in repaid.values():
                for k, v in terms.items():
                    total[k] = total.get(k, 0) + v
            rows.append((total | {k: -v for k, v in pot.items()}, 0))
            for f in loans:
                own = then.facility(f)
                if not own.bounds or not own.tested:
                    continue
                a, short, need = self._inequality(own, self.aim(book.snapshot.facility(f)))
                left = {k: -v for k, v in repaid[f.id].items()}
                for k, v in moved[f.id].items():
                    left[k] = left.get(k, 0) - a * v
                rows.append((left, -short - (cents / 1e5 if need else 0)))
            if exposure is None or not exposure.bounds or not exposure.tested:
                continue
            left = {}
            if required:
                reading = read(exposure, book.price)
                v = float(reading.valued) / 1e5
                asked = sum(required[f] / 1e5 / float(targets[f]) for f in required)
                scale = sum(required.values()) / 1e5 / asked
                for f in required:
                    for k, part in repaid[f].items():
                        left[k] = left.get(k, 0) - part * scale / float(targets[f])
                a, short, need = scale * v, scale * (asked - v * exposure.collateral / 1e8), True
            else:
                a, short, need = self._inequality(exposure, aim)
                left = {k: -v for k, v in total.items()}
            for spot in spots:
                for k, part in moved[spot].items():
                    left[k] = left.get(k, 0) - a * part
            rows.append((left, -short - (cents * len(loans) / 1e5 if need else 0)))
        for source, there, _, _ in coins:
            if source in used:
                rows.append((used[source], there))
        free = sum(held[a.id].btc for a in accounts)
        own_coins = {k: 1.0 for source, terms in used.items() if not isinstance(source, tuple) for k in terms}
        rows.append((own_coins, max(free - policy.reserve_btc, 0) / 1e8))
        for account, terms in cash.items():
            rows.append((terms, held[account].usd / 1e5))
        all_cash = sum(held[a.id].usd for a in accounts)
        rows.append(({k: 1.0 for t in cash.values() for k in t}, max(all_cash - policy.min_cash_usd, 0) / 1e5))
        if policy.max_cover_btc is not None:
            rows.append((all_sold, policy.max_cover_btc / 1e8))
        for n, terms in steps.items():
            if curve[n].btc is not None:
                rows.append((terms, curve[n].btc / 1e8))
        return _linear(rows, all_sold)

    def _released(self, facility: Facility) -> float:
        exposure = self.book.snapshot.facility(facility)
        amount = release_now(replace(self.book, price=self.book.price), facility, exposure)
        if not exposure.bounds or not exposure.tested:
            return amount
        valued = read(exposure, self.book.price).valued
        target = exposure.bounds[0].target
        return min(amount, float(exposure.collateral - exposure.tested * 10**8 / (target * valued)))

    def _inequality(self, exposure: Exposure, aim: Fraction | None) -> tuple[float, float, bool]:
        """Thousands of dollars that a coin more or less counts, and what is short."""
        valued = float(read(exposure, self.book.price).valued) / 1e5
        coins, owed = exposure.collateral / 1e8, exposure.tested / 1e5
        a = float(aim if aim is not None else exposure.bounds[0].target or 0) * valued
        if aim is None and coins:
            a = max(a, owed / coins)
        return a, owed - a * coins, aim is not None


def _linear(rows: list[tuple[dict[Hashable, float], float]], aim: dict[Hashable, float]) -> float | None:
    names = {name: n for n, name in enumerate(dict.fromkeys(k for terms, _ in rows for k in terms))}
    if not names:
        return 0.0 if all(bound >= -1e-12 for _, bound in rows) else None
    matrix = np.zeros((len(rows), len(names)))
    for n, (terms, _) in enumerate(rows):
        for name, value in terms.items():
            matrix[n, names[name]] = value
    costs = np.array([aim.get(name, 0.0) for name in names])
    options = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9, "presolve": False}
    bounds = [bound for _, bound in rows]
    for method in ("highs-ds", "highs-ipm"):  # either may take what is just possible for impossible
        found = linprog(costs, A_ub=matrix, b_ub=bounds, method=method, options=options)
        if found.status == 0:
            return float(found.fun)
    return None
