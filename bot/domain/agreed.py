"""What is agreed with a lender anew: terms from a day on, a waiver, which index it prices by.

Each is said as a treasury file would say it, so that a file's own rules judge it: a table of what is recorded of the
facility with one part that is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from hashlib import sha256
from json import dumps
from typing import Any, TypeAlias

from bot.domain.documents import terms_document
from bot.domain.merge_found import differing
from bot.domain.money import usd_plain
from bot.domain.term_words import LONGEST, hours_text, ratio_text
from bot.domain.terms import Facility, PriceIndex, Release, Terms, TermsVersion, Tier, Waiver
from bot.domain.treasury import Treasury

Table: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Amendment:
    """New terms from `effective` on. `facility` has them among what was agreed before; `before` was in force then."""

    facility: Facility
    effective: date
    before: Terms

    @property
    def version(self) -> TermsVersion:
        return next(version for version in self.facility.versions if version.effective == self.effective)

    @property
    def ref(self) -> str:
        """What the audit log files it under."""
        return f"amendment {self.facility.id} {self.effective.isoformat()}"


@dataclass(frozen=True)
class Waived:
    """A waiver: `facility` has this one and no other."""

    facility: Facility

    @property
    def waiver(self) -> Waiver:
        return self.facility.waivers[0]

    @property
    def ref(self) -> str:
        return f"waiver {self.facility.id}"


@dataclass(frozen=True)
class Indexed:
    """A note of the index that a lender prices by: `facility` has this one and no other."""

    facility: Facility

    @property
    def index(self) -> PriceIndex:
        return self.facility.price_index[0]

    @property
    def ref(self) -> str:
        return f"price index {self.facility.id}"


Agreed: TypeAlias = Amendment | Waived | Indexed


def in_force(facility: Facility, day: date) -> Terms:
    """The terms in force when `day` begins, but for an amendment of that very day."""
    return next(v.terms for v in reversed(facility.versions) if v.effective is None or v.effective < day)


def amended_on(facility: Facility, day: date) -> TermsVersion | None:
    """The amendment of that very day, where one is recorded: it stays as it is."""
    return next((version for version in facility.versions if version.effective == day), None)


def fingerprint(terms: Terms) -> str:
    """Tells terms from any others, in a few characters."""
    return sha256(dumps(terms_document(terms), sort_keys=True).encode()).hexdigest()[:16]


def document_of(treasury: Treasury, facility: Facility, key: str, table: Mapping[str, Any]) -> Table:
    """A treasury file that says nothing but the one `table` of `facility`: [[facility.KEY]]."""
    first = facility.versions[0].terms
    own = {
        "id": facility.id,
        "lender": facility.lender,
        "principal": usd_plain(facility.principal),
        "drawn": facility.drawn,
        "rate": ratio_text(first.rate),
        "day_count": first.day_count.value,
        "interest": first.interest.value,
    }
    heading = {
        "name": treasury.name,
        "timezone": treasury.zone.key,
        "production_timezone": treasury.production_zone.key,
        "opened": treasury.opened,
    }
    return {"treasury": heading, "facility": [{**own, key: [dict(table)]}]}


def amendment_table(effective: date, before: Terms, after: Terms) -> Table:
    """[[facility.amendment]] for what differs; nothing but `effective` where nothing does.

    An amendment takes nothing away: ValueError where `after` lacks what is agreed and no value says “none”.
    """
    table: Table = {"effective": effective}
    for name, (_, value) in differing(before, after).items():
        if value is None:
            raise ValueError(f"an amendment cannot take {name} away")
        match name:
            case "tiers":
                table["tier"] = [_tier(tier) for tier in value]
            case "release":
                table["release"] = _release(value)
            case "rate" | "cushion":
                table[name] = ratio_text(value)
            case "min_call_usd" | "min_repayment":
                table[name] = usd_plain(value)
            case "credit_hours":
                table[name] = hours_text(value)
            case _:
                table[name] = value if isinstance(value, date) else str(value)
    return table


def _tier(tier: Tier) -> Table:
    said: Table = {}
    for item in fields(tier):
        value = getattr(tier, item.name)
        if value is not None:
            said |= _of_tier(item.name, value)
    return said


def _of_tier(name: str, value: Any) -> Table:
    match name:
        case "line":
            return _ltv("ltv", "coverage", value)
        case "cure_to":
            return _ltv("cure_to", "cure_to_coverage", value)
        case "liquidate_to":
            return {name: ratio_text(value)}
        case "price":
            return {name: usd_plain(value)}
        case "window_hours":
            return {name: hours_text(value)}
        case "own_level":
            return {"level": value.word}
        case "kind":
            return {name: value.value}
    return {name: value}


def _release(release: Release) -> Table:
    return {
        **_ltv("ltv", "coverage", release.line),
        **_ltv("to", "to_coverage", release.to),
        "days": release.days,
    }


def _ltv(key: str, coverage_key: str, value: Fraction) -> Table:
    """An LTV by the one of two keys by which it is short enough: one over a long coverage is no short LTV."""
    text = ratio_text(value)
    if len(text) <= LONGEST or not value:
        return {key: text}
    return {coverage_key: ratio_text(1 / value)}
