"""What a silence may be asked for: families of alerts, and what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from bot.domain.alert import Silence, family, subject
from bot.domain.book import Book
from bot.domain.production import is_month
from bot.domain.production_words import MonthCheck, called
from bot.domain.words import sentence

CHECKS = {
    "covenant": "Covenants",
    "release": "Releases",
    "price": "Price",
    "transit": "In transit",
    "production": "Production",
}
"""Each family of alerts as people say it."""

LONGEST = timedelta(days=30)
LONGEST_REASON = 200


def subjects_of(book: Book, open_keys: Iterable[str]) -> dict[str, frozenset[str]]:
    """What a silence may be about, each with the families that know it: every facility and group, and what is open."""
    found: dict[str, frozenset[str]] = {}
    about = [(exposure.id, "covenant") for exposure in book.exposures]
    about += [(facility.id, "release") for facility in book.treasury.facilities]
    about += [(subject(key), family(key)) for key in open_keys if subject(key)]
    for name, check in about:
        found[name] = found.get(name, frozenset()) | {check}
    return found


def uncovered(checks: Iterable[str], subjects: Iterable[str], known: Mapping[str, frozenset[str]]) -> list[str]:
    """The checks of which no alert is about any of `subjects`: silenced together with them, they would go on."""
    chosen = set(subjects)
    if not chosen:
        return []
    reached = frozenset().union(*(known.get(name, frozenset()) for name in chosen))
    return [check for check in CHECKS if check in set(checks) and check not in reached]


def about(silence: Silence) -> str:
    """What is silenced, in words: "Covenants and Releases of antalpha", "Price"."""
    checks = sentence([CHECKS.get(check, check) for check in sorted(silence.checks, key=_place)], last="and")
    named = [subject_name(name) for name in sorted(silence.subjects)]
    return f"{checks} of {sentence(named, last='and')}" if named else checks


def subject_name(name: str) -> str:
    """What alerts are about, as people say it: the id of a facility as it is, a month's check in words."""
    month, _, check = name.partition(":")
    return called(month, MonthCheck(check)) if is_month(month) and check in set(MonthCheck) else name


def _place(check: str) -> tuple[int, str]:
    return (list(CHECKS).index(check) if check in CHECKS else len(CHECKS), check)
