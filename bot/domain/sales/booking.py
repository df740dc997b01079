"""A rounded plan as legs that people read and movements that are recorded as it is carried out.

All that is for one patient is booked at the instant at which the last of it is credited: its debt then is what the
plan was made for, and whoever is credited earlier owes less interest, not more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import count

from bot.domain.book import Book
from bot.domain.money import Cents
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


@dataclass(frozen=True, slots=True)
class _Stream:
    """Dollars that are in an account for a patient, by one use (of cash) or one sale."""

    leg: Leg
    account: str
    usd: Cents


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
        streams: list[_Stream] = []
        for use in self.draft.uses(patient):
            if self.draft.amounts[use]:
                streams += self._use(patient, use, proceeds.get(use, (0, Fraction(0))), at)
        for stream, facility, usd in _matched(streams, due):
            if stream.leg.way is Way.CASH:
                self.legs.append(replace(stream.leg, facility=facility, usd=usd))
            self._repay(facility, stream.account, usd, at)
        for member in patient.members:
            if due.get(member.id):
                raised = member.id in self.draft.problem.raised
                principal = min(due[member.id], self._principal(member.id, at))
                self.repayments.append(Repayment(member.id, principal, due[member.id] - principal, raised))

    def _use(self, patient: Patient, use: Use, brought: tuple[Cents, Fraction], at: datetime) -> Iterator[_Stream]:
        if use[0] is Way.CASH:
            yield self._cash(patient, use)
        elif use[0] is Way.SELL_PLEDGED:
            yield self._pledged(patient, use, brought, at)
        elif use[0] is Way.SELL_FREE:
            yield self._free(patient, use, brought, at)
        else:
            self._top_up(patient, use, at)

    def _cash(self, patient: Patient, use: Use) -> _Stream:
        account = self.draft.dollars[use[1]].account
        leg = Leg(Way.CASH, patient.members[0].id, *credited(self.draft, patient, use), account)
        return _Stream(leg, account, self.draft.amounts[use])

    def _pledged(self, patient: Patient, use: Use, brought: tuple[Cents, Fraction], at: datetime) -> _Stream:
        spot = next(spot for spot in patient.spots if spot.id == use[2])
        through, coins, (usd, gross) = self.found.problem.sources.desk_account or "", self.draft.amounts[use], brought
        times = credited(self.draft, patient, use)
        asks = spot.consent is Consent.ASK
        leg = Leg(Way.SELL_PLEDGED, spot.facility, *times, None, through, coins, usd, gross, asks=asks)
        self._move(MovementKind.SOLD, at, account=through, facility=spot.facility, btc=coins, usd=usd)
        self.legs.append(leg)
        return _Stream(leg, through, usd)

    def _free(self, patient: Patient, use: Use, brought: tuple[Cents, Fraction], at: datetime) -> _Stream:
        coins, amount, (usd, gross) = self.draft.coins[use[1]], self.draft.amounts[use], brought
        account, through, lender = coins.account, coins.through or coins.account, patient.members[0].id
        times = credited(self.draft, patient, use)
        self._released(use[1], amount)
        if through != account:
            self._move(MovementKind.TRANSFER, at, account=account, to=through, btc=amount)
        self._move(MovementKind.SOLD, at, account=through, btc=amount, usd=usd, purpose=f"repay {lender}")
        leg = Leg(Way.SELL_FREE, lender, *times, account, through, amount, usd, gross, coins.released_from)
        self.legs.append(leg)
        return _Stream(leg, through, usd)

    def _top_up(self, patient: Patient, use: Use, at: datetime) -> None:
        coins, amount = self.draft.coins[use[1]], self.draft.amounts[use]
        facility = next(spot.facility for spot in patient.spots if spot.id == use[2])
        times = credited(self.draft, patient, use)
        self._released(use[1], amount)
        self._move(MovementKind.PLEDGED, at, account=coins.account, facility=facility, btc=amount)
        self.legs.append(
            Leg(Way.TOP_UP, facility, *times, coins.account, btc=amount, released_from=coins.released_from)
        )

    def _released(self, number: int, amount: int) -> None:
        coins = self.draft.coins[number]
        if coins.released_from is not None and coins.released_at is not None:
            self._move(
                MovementKind.RELEASED,
                coins.released_at,
                facility=coins.released_from,
                account=coins.account,
                btc=amount,
            )

    def _principal(self, facility: str, at: datetime) -> Cents:
        return self.book.register.ledger.debt_at(facility, at, self.book.at).principal

    def _repay(self, facility: str, account: str, usd: Cents, at: datetime) -> None:
        """Principal first; what is more than it pays the interest."""
        before = sum(m.usd or 0 for m in self.movements if m.facility == facility and m.kind is MovementKind.REPAID)
        principal = min(usd, self._principal(facility, at) - before)
        if principal:
            self._move(MovementKind.REPAID, at, facility=facility, account=account, usd=principal)
        if usd > principal:
            self._move(MovementKind.INTEREST_PAID, at, facility=facility, account=account, usd=usd - principal)

    def _move(self, kind: MovementKind, at: datetime, **fields: object) -> None:
        self.movements.append(Movement(at, kind, next(self._refs), **fields))  # type: ignore[arg-type]


def _matched(streams: list[_Stream], due: Mapping[str, Cents]) -> Iterator[tuple[_Stream, str, Cents]]:
    """Who is paid from where: in order, each stream until it is used up."""
    left = dict(due)
    for stream in streams:
        there = stream.usd
        for member in due:
            here = min(there, left[member])
            if here:
                yield stream, member, here
                there -= here
                left[member] -= here
