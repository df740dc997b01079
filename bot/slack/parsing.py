"""What people type after a command, and which of it is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from bot.domain.book import Book
from bot.domain.covenant import Exposure
from bot.domain.money import MOST_USD, Cents, Price, parse_typed_usd
from bot.domain.periods import FIRST_DAY, LAST_DAY
from bot.services.books import Scenario
from bot.services.errors import UsageError
from bot.slack.text import quoted, unescape
from bot.slack.views.parts import shortened

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))
_AT = re.compile(r"(?:^|\s)(?:at|@)(?:\s+(?P<price>.*)|\s*)\Z")
_DROP = re.compile(r"(?:^|\s)-\s*(?P<percent>\S*?)\s*%\s*\Z")
_ANY_PERCENT = re.compile(r"(?:^|\s)(?P<said>[-+]?\s*\S*?\s*%)\s*\Z")
_BARE_FALL = re.compile(r"(?:^|\s)(?P<said>-\s*\d[\d.,]*)\Z")
HIGHEST = 100 * 1_000_000_000
"""Cents per BTC: a price above a billion dollars is a slip of the finger."""
MOST_NAMED = 20
RAISE = "raise"


@dataclass(frozen=True)
class LtvQuestion:
    """`named` is the facility as typed, or None for all; `scenario` None is the price as it is."""

    named: str | None = None
    scenario: Scenario | None = None


def tidy(text: str) -> str:
    """What was typed: one kind of space and of minus, no entities."""
    return " ".join(unescape(text).translate(_DASHES).split())


def parse_ltv(text: str) -> LtvQuestion:
    """`[facility] [at 55000 | -20%]`. UsageError says which word is wrong."""
    said = tidy(text)
    lower = said.lower()
    if found := _AT.search(lower):
        price = parse_price(found["price"] or "")
        if _ANY_PERCENT.search(lower[: found.start()]):
            raise UsageError("Ask about a price or a fall, not both.")
        return LtvQuestion(said[: found.start()].strip() or None, Scenario(price=price))
    if found := _DROP.search(lower):
        return LtvQuestion(said[: found.start()].strip() or None, Scenario(drop=parse_drop(found["percent"])))
    if found := _ANY_PERCENT.search(lower):
        raise UsageError(f"{quoted(found['said'])} is not a fall: it begins with a minus.")
    if found := _BARE_FALL.search(lower):
        raise UsageError(f"{quoted(found['said'])} lacks its %.")
    return LtvQuestion(said or None)


@dataclass(frozen=True)
class SalesQuestion:
    """At which price to plan (None: as the policy says), and dollars (cents) to raise by a day, where asked about."""

    scenario: Scenario | None = None
    usd: Cents | None = None
    by: date | None = None


def parse_sales(text: str) -> SalesQuestion:
    """`[raise 38m by 2026-03-01] [-30% | at 55000]`. UsageError says which word is wrong."""
    asked = parse_ltv(text)
    if asked.named is None:
        return SalesQuestion(asked.scenario)
    word, _, rest = asked.named.partition(" ")
    if word.lower() != RAISE:
        raise UsageError(f"{quoted(asked.named)} is nothing to ask sales about.")
    amount, by, day = rest.lower().partition(" by ")
    if not amount or not by:
        raise UsageError("“raise” needs an amount and a day.")
    cents = _typed_usd(amount)
    if cents is None or not 0 < cents <= MOST_USD:
        raise UsageError(f"{quoted(amount)} is not an amount to raise.")
    return SalesQuestion(asked.scenario, cents, _parse_day(day))


def _parse_day(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{quoted(text)} is not a day: write it as 2026-03-01.") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise UsageError(f"{quoted(text)} is out of range: a year from 2009 to 2199.")
    return day


def parse_price(text: str) -> Price:
    """Cents per BTC of `55000`, `$55,000.50`, `55k`, `0.06m`. UsageError where it is no price."""
    if not text.strip():
        raise UsageError("“at” needs a price.")
    cents = _typed_usd(text)
    if cents is None or not 0 < cents <= HIGHEST:
        raise UsageError(f"{quoted(text)} is not a price.")
    return cents


def _typed_usd(text: str) -> Cents | None:
    try:
        return parse_typed_usd(text)
    except ValueError:
        return None


def parse_drop(text: str) -> Fraction:
    """`20` or `12.5` as the part of the price that is lost. UsageError where it is no percentage under 100."""
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) or not 0 < Fraction(text) < 100:
        raise UsageError(f"{quoted(f'-{text}%')} is not a fall between 0 and 100 %.")
    return Fraction(text) / 100


def named_exposures(book: Book, named: str | None) -> list[Exposure]:
    """What `named` means: a facility or group by its id, or all that a lender lent; all where it is None.

    UsageError lists what there is.
    """
    every = list(book.exposures)
    if named is None:
        return every
    word = named.casefold()
    by_id = [exposure for exposure in every if exposure.id.casefold() == word]
    if by_id:
        return by_id
    lent = {f.id for f in book.treasury.facilities if f.lender.casefold() == word}
    found = [e for e in every if e.title.casefold() == word or (not e.is_group and e.id in lent)]
    if not found:
        known = shortened([_known(book, exposure) for exposure in every], MOST_NAMED, "")
        listed = f"There is {', '.join(known)}." if known else "There are none."
        raise UsageError(f"{quoted(named)} is not a facility. {listed}")
    return found


def _known(book: Book, exposure: Exposure) -> str:
    if exposure.is_group:
        return f"{exposure.id} (group)"
    lender = book.treasury.facility_by_id[exposure.id].lender
    return exposure.id if lender.casefold() == exposure.id else f"{exposure.id} ({lender})"
