"""What a form of `/record` offers to choose from, as the register stands now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.domain.book import Book
from bot.domain.calls import open_calls
from bot.domain.merge_lines import described
from bot.domain.money import show_btc, show_usd
from bot.domain.treasury import Ending, MovementKind
from bot.domain.words import dated, moment, plain_text
from bot.slack.record_forms import Ask

MOST = 100
"""Options of one menu."""
LONGEST_VALUE = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """One option: `value` is what Slack brings back, `thing` what is meant by it."""

    value: str
    label: str
    thing: Any


def choices(ask: Ask, book: Book) -> list[Choice]:
    """All there is to choose, at most as many as a menu holds."""
    return [Choice(_value(key), label, thing) for key, label, thing in _CHOICES[ask](book)][:MOST]


def chosen(ask: Ask, value: str, book: Book) -> Any | None:
    """What `value` means; None where it is offered no more."""
    return next((choice.thing for choice in choices(ask, book) if choice.value == value), None)


def _value(key: str) -> str:
    """`key`, or what stands for one too long for a menu."""
    return key if len(key) <= LONGEST_VALUE else sha256(key.encode()).hexdigest()


_Offered = Iterator[tuple[str, str, Any]]


def _accounts(book: Book) -> _Offered:
    for account in book.treasury.accounts:
        balance = book.balances.accounts[account.id]
        yield account.id, f"{account.id}: {show_btc(balance.btc)} BTC, {show_usd(balance.usd)}", account.id


def _facilities(book: Book) -> _Offered:
    for facility in book.treasury.facilities:
        yield facility.id, _named(book.snapshot.title(facility), facility.id), facility.id


def _exposures(book: Book) -> _Offered:
    for exposure in book.exposures:
        key = f"{'group' if exposure.is_group else 'facility'}:{exposure.id}"
        label = f"{exposure.id} (group)" if exposure.is_group else _named(exposure.title, exposure.id)
        yield key, label, ("group" if exposure.is_group else "facility", exposure.id)


def _named(title: str, id_: str) -> str:
    return title if id_ in title or title.casefold() == id_ else f"{title} ({id_})"


def _lines(book: Book) -> _Offered:
    """The lines of all facilities and groups by name, each once, as agreements name them alike."""
    bounds = [bound.tier.name for exposure in book.exposures for bound in exposure.bounds]
    pooled = [tier.name for facility in book.treasury.facilities for tier in book.snapshot.terms(facility).tiers]
    for name in dict.fromkeys([*bounds, *pooled]):
        yield name, name, name


def _transits(book: Book) -> _Offered:
    claimed = {claim.ref for claim in book.treasury.claims}
    for item in book.balances.transit:
        if item.ref not in claimed:
            amount = f"{show_btc(item.btc)} BTC" if item.btc else show_usd(item.usd)
            sent = moment(item.sent_at, book.treasury.zone, book.at)
            yield item.ref, plain_text(f"{amount} to {item.facility}, {sent} (“{item.ref}”)"), item.ref


def _movements(book: Book) -> _Offered:
    """The newest first; what is undone already is left out."""
    undone = {movement.reverses for movement in book.treasury.movements}
    for movement in reversed(book.treasury.movements):
        if movement.kind is not MovementKind.REVERSAL and movement.ref not in undone:
            when = plain_text(dated(movement.at, book.treasury.zone))
            yield movement.ref, f"{when}: {described(movement)} (“{movement.ref}”)", movement.ref


def _calls(book: Book) -> _Offered:
    for call in open_calls(book):
        title = book.snapshot.exposure(call.notice.facility, call.notice.group).title
        yield call.notice.ref, f"{title}: {call.tier.name} (“{call.notice.ref}”)", call.notice


def _ends(_book: Book) -> _Offered:
    yield Ending.MET.value, "Met: the lender has what it asked", Ending.MET.value
    yield Ending.WITHDRAWN.value, "Withdrawn by the lender", Ending.WITHDRAWN.value
    yield "disputed", "Disputed: it stays open, and so does its clock", "disputed"


_CHOICES: Mapping[Ask, Callable[[Book], _Offered]] = {
    Ask.ACCOUNT: _accounts,
    Ask.FACILITY: _facilities,
    Ask.EXPOSURE: _exposures,
    Ask.LINE: _lines,
    Ask.TRANSIT: _transits,
    Ask.MOVEMENT: _movements,
    Ask.CALL: _calls,
    Ask.END: _ends,
}
MENUS = frozenset(_CHOICES)
"""What is asked by a menu."""
