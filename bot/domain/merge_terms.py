"""Amendments of one facility from several files: each changes what it named in the terms before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias

from bot.domain.merge_found import Found, What, differing
from bot.domain.merge_lines import listed
from bot.domain.terms import Facility, Terms, TermsVersion

Deltas: TypeAlias = Mapping[date, Mapping[str, Any]]
"""What each amendment changes, by its effective day."""


def deltas(facility: Facility) -> Deltas:
    """What each amendment changes in the terms before it."""
    pairs = zip(facility.versions, facility.versions[1:], strict=False)
    return {
        after.effective: {name: said for name, (_, said) in differing(before.terms, after.terms).items()}
        for before, after in pairs
        if after.effective
    }


def amended(first: Terms, amendments: Deltas) -> tuple[TermsVersion, ...]:
    """`first` and, in order of their days, what the amendments leave in force."""
    versions, terms = [TermsVersion(None, first)], first
    for day, named in sorted(amendments.items()):
        terms = replace(terms, **named)
        versions.append(TermsVersion(day, terms))
    return tuple(versions)


def merge_versions(known: Facility, said: Facility, found: Found) -> tuple[TermsVersion, ...]:
    """The amendments of both.

    Versions are whole terms, so an amendment is what differs from the version before: one that comes between two
    recorded ones is carried into the later, and leaving one out doesn't take it back.
    """
    recorded, written = deltas(known), deltas(said)
    first = known.versions[0].terms
    versions = amended(first, {**written, **recorded})
    before = {version.effective: version.terms for version in known.versions}
    terms = first
    for version in versions[1:]:
        day = version.effective
        if day is None:
            raise AssertionError("an amendment without its day")
        if day in recorded and day in written:
            right = "an amendment stays; write another with its own effective day."
            other = replace(terms, **written[day])
            found.refuse_changes(What.AMENDMENT, day.isoformat(), version.terms, other, right, known.id)
        if day not in recorded:
            found.add(What.AMENDMENT, day.isoformat(), version, listed(written[day]), facility=known.id)
        elif before[day] != version.terms:
            text = "follows an earlier one that is new"
            found.change(What.AMENDMENT, day.isoformat(), version, text, facility=known.id)
        terms = version.terms
    return versions
