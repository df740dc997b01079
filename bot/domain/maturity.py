"""When a facility must be paid back, and how much is owed then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.ledger import Ledger
from bot.domain.money import Cents
from bot.domain.periods import midnight
from bot.domain.terms import Facility


@dataclass(frozen=True, slots=True)
class Maturity:
    """What is to be paid back on `day`, a date where the facility's interest accrues, which begins `at`.

    `usd` is principal and interest in cents: what is owed then (of a day that is over, now), if nothing is paid before.
    """

    day: date
    at: datetime
    usd: Cents


def maturities(ledger: Ledger, facility: Facility, at: datetime) -> Iterator[Maturity]:
    """Every maturity by the terms that are in force on its day, in order, as known at `at`; none of what is paid back.

    One that is over comes first, while the terms of today still have it.
    """
    days = {version.terms.matures for version in facility.versions if version.terms.matures is not None}
    for day in sorted(days):
        begins = midnight(day, facility.zone)
        then = max(begins, at)
        owed = ledger.debt_at(facility.id, then, at).total
        if owed and facility.terms_at(then).matures == day:
            yield Maturity(day, begins, owed)
