"""That an answer about the past counts what was recorded since: which records, for which question, and the words.

What comes later changes nothing that was true before it, unless it is dated before it; then this says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.book import Book
from bot.domain.late import LateRecord
from bot.domain.merge_found import What
from bot.domain.periods import iso
from bot.domain.production import month_ends
from bot.domain.words import dated

MOST_NAMED = 3
LONGEST_REF = 60

_OF_COINS = frozenset({What.MOVEMENT, What.ACCOUNT, What.FACILITY, What.GROUP})
_OF_HOLDINGS = _OF_COINS | {What.AMENDMENT}
_OF_A_MONTH = frozenset({What.STATEMENT, What.CASH_COST})


def late_for_loans(book: Book) -> tuple[LateRecord, ...]:
    """What the answer about loans, and a digest, count that came late: all but what is said of months."""
    return tuple(one for one in book.late if one.what not in _OF_A_MONTH)


def late_for_holdings(book: Book) -> tuple[LateRecord, ...]:
    """What the answer about holdings counts that came late; terms, as interest is owed by them."""
    return tuple(one for one in book.late if one.what in _OF_HOLDINGS)


def late_for_months(book: Book, months: Sequence[str]) -> tuple[LateRecord, ...]:
    """What the report of `months`, in order, counts that came late: what moved before their end, what is said of
    them. What is only claimed is not in it."""
    ends = month_ends(months[-1], book.treasury.production_zone)
    return tuple(
        one
        for one in book.late
        if (one.what in _OF_COINS and one.at < ends and not one.became)
        or (one.what in _OF_A_MONTH and one.ref in months)
    )


def restated_note(book: Book, late: Sequence[LateRecord]) -> str:
    """That the answer counts what came late, naming the first few; "" where nothing did."""
    if not late:
        return ""
    said = [f"{one.named(LONGEST_REF)} (recorded {_when(book, one)})" for one in late[:MOST_NAMED]]
    if len(late) > MOST_NAMED:
        said.append(f"and {len(late) - MOST_NAMED} more")
    count = "1 record dated before this came later, and counts" if len(late) == 1 else _several(len(late))
    return f"Restated: {count}: {'; '.join(said)}."


def _several(count: int) -> str:
    return f"{count:,} records dated before this came later, and count"


def _when(book: Book, one: LateRecord) -> str:
    return dated(one.recorded_at, book.treasury.zone, book.at)


def restated_document(late: Sequence[LateRecord]) -> list[dict[str, Any]]:
    """All of it, as JSON has it."""
    return [{"what": one.kind, "ref": one.ref, "at": iso(one.at), "recorded_at": iso(one.recorded_at)} for one in late]
