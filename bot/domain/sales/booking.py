"""A rounded plan as legs that people read and movements that are recorded as it is carried out.

All that is for one patient is booked at the instant at which the last of it is credited: its debt then is what the
plan was made for, and whoever is credited earlier owes less interest, not more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import count

from bot.domain.book import Book
from bot.domain.money import Cents
from bot.domain.sales.movements import coins_moved, matched, repaid
from bot.domain.sales.plan import Leg, Repayment, Way
from bot.domain.sales.rounding import Draft, Use
from bot.domain.sales.settling import Found, credited
from bot.domain.sales.situation import Patient
from bot.domain.terms import Consent
from bot.domain.treasury import Movement, MovementKind


@dataclass(frozen=True)
class Booked:
    """The same plan three ways: for people, by lender, and for the ledger."""

    legs: tuple[Leg, ...]
    repayments: tuple[Repayment, ...]
    movements: tuple[Movement, ...]


def booked(book: Book, found: Found) -> Booked:
    """The plan that was found, written out. ValueError where nothing was."""
    if found.draft is None:
        raise ValueError("what does not cure is not booked")
    writer = _Writer(book, found, found.draft)
    for patient in found.problem.patients:
        writer.write(patient)
    movements = tuple(sorted(writer.movements, key=lambda movement: movement.at))
    return Booked(tuple(writer.legs), tuple(writer.repayments), movements)


class _Writer:
    def __init__(self, book: Book, found: Found, draft: Draft) -> None:
        self.book, self.found, self.draft = book, found, draft
        self.legs: list[Leg] = []
        self.repayments: list[Repayment] = []
        self.movements: list[Movement] = []
        taken = {movement.ref for movement in book.treasury.movements}
        self._refs = (ref for n in count(1) if (ref := f"plan {n}") not in taken)

    def write(self, patient: Patient) -> None:
        at = self.found.settles[patient.id]
        due = self.draft.repayments(patient) or {}
        proceeds = self.draft.proceeds(patient)
        streams: list[tuple[Leg, Cents]] = []
        for use in self.draft.uses(patient):
            if not (amount := self.draft.amounts[use]):
                continue
            leg = self._leg(patient, use, proceeds.get(use, (0, Fraction(0))))
            if leg.way is Way.CASH:
                streams.append((leg, amount))
                continue
            self._book(coins_moved(leg, at, self._released_at(use) or at))
            self.legs.append(leg)
            if leg.way is not Way.TOP_UP:
                streams.append((leg, leg.usd))
        for leg, facility, usd in matched(streams, due):
            if leg.way is Way.CASH:
                self.legs.append(replace(leg, facility=facility, usd=usd))
            self._repay(facility, leg.through or leg.account, usd, at)
        for member in patient.members:
            if due.get(member.id):
                raised = member.id in self.draft.problem.raised
                principal = min(due[member.id], self._principal(member.id, at))
                self.repayments.append(Repayment(member.id, principal, due[member.id] - principal, raised))

    def _leg(self, patient: Patient, use: Use, brought: tuple[Cents, Fraction]) -> Leg:
        """The step that a use is; of cash, without whom it repays and how much of it."""
        way, number, where = use
        times, amount, lender = credited(self.draft, patient, use), self.draft.amounts[use], patient.members[0].id
        if way is Way.CASH:
            return Leg(way, lender, *times, self.draft.dollars[number].account)
        if way is Way.SELL_PLEDGED:
            spot = next(spot for spot in patient.spots if spot.id == where)
            through = self.found.problem.sources.desk_account
            return Leg(way, spot.facility, *times, None, through, amount, *brought, asks=spot.consent is Consent.ASK)
        coins = self.draft.coins[number]
        if way is Way.SELL_FREE:
            through = coins.through or coins.account
            return Leg(way, lender, *times, coins.account, through, amount, *brought, coins.released_from)
        facility = next(spot.facility for spot in patient.spots if spot.id == where)
        return Leg(way, facility, *times, coins.account, btc=amount, released_from=coins.released_from)

    def _released_at(self, use: Use) -> datetime | None:
        return self.draft.coins[use[1]].released_at if use[0] in (Way.TOP_UP, Way.SELL_FREE) else None

    def _principal(self, facility: str, at: datetime) -> Cents:
        return self.book.register.ledger.debt_at(facility, at, self.book.at).principal

    def _repay(self, facility: str, account: str | None, usd: Cents, at: datetime) -> None:
        before = sum(m.usd or 0 for m in self.movements if m.facility == facility and m.kind is MovementKind.REPAID)
        self._book(repaid(facility, account, usd, at, self._principal(facility, at) - before))

    def _book(self, movements: Iterable[Movement]) -> None:
        self.movements += (replace(movement, ref=next(self._refs)) for movement in movements)
