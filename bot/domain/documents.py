"""Terms, groups, calendars, policy, and what is claimed, as JSON-safe documents, and back without loss.

A document is a plain dict of strings, integers, lists and dicts: money and coins as plain decimals ("57000.00"),
ratios exact ("4/3"), days and instants ISO, durations in seconds ("86400"), zones by name. What has no value has no
key, so that two equal objects have equal documents whatever order they are written in. `*_from` raises ValueError on
a key it does not know and KeyError or ValueError on a document it cannot read: a document is ours, never typed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from bot.domain.money import btc_plain, parse_amount, parse_btc, parse_usd, plain, usd_plain
from bot.domain.periods import Calendar, as_utc, iso
from bot.domain.terms import (
    Consent,
    DayCount,
    Group,
    GroupTest,
    InterestMode,
    Level,
    LtvOn,
    OnRecovery,
    Release,
    Terms,
    Tier,
    TierKind,
)
from bot.domain.treasury import CallEnd, Ending, Movement, MovementKind, Policy, SlippageStep

Document: TypeAlias = dict[str, Any]
"""Strings, integers, lists and dicts only: `json.dumps` takes it as it is."""


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one field is written, and read back."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_Fields: TypeAlias = Mapping[str, _Codec]


def _write(thing: object, fields: _Fields) -> Document:
    values = ((key, codec, getattr(thing, key)) for key, codec in fields.items())
    return {key: codec.write(value) for key, codec, value in values if value is not None}


def _read(document: Mapping[str, Any], fields: _Fields) -> dict[str, Any]:
    if unknown := sorted(document.keys() - fields.keys()):
        raise ValueError(f"a document with unknown keys: {', '.join(unknown)}")
    return {key: fields[key].read(value) for key, value in document.items()}


def _seconds(duration: timedelta) -> str:
    text = plain(duration // timedelta(microseconds=1), 6)
    return text.rstrip("0").rstrip(".")


def _duration(text: str) -> timedelta:
    return timedelta(microseconds=parse_amount(text, 6))


def _list_of(codec: _Codec) -> _Codec:
    return _Codec(lambda items: [codec.write(item) for item in items], lambda items: tuple(map(codec.read, items)))


_TEXT = _Codec(str, str)
_WHOLE = _Codec(int, int)
_BTC = _Codec(btc_plain, parse_btc)
_USD = _Codec(usd_plain, parse_usd)
_RATIO = _Codec(str, Fraction)
_DAY = _Codec(date.isoformat, date.fromisoformat)
_TIME = _Codec(time.isoformat, time.fromisoformat)
_INSTANT = _Codec(iso, lambda text: as_utc(datetime.fromisoformat(text)))
_DURATION = _Codec(_seconds, _duration)
_ZONE = _Codec(lambda zone: zone.key, ZoneInfo)
_LEVEL = _Codec(lambda level: level.word, lambda word: Level[word.upper()])

_TIER: _Fields = {
    "kind": _Codec(str, TierKind),
    "name": _TEXT,
    "line": _RATIO,
    "price": _USD,
    "cure_to": _RATIO,
    "window_hours": _DURATION,
    "window_days": _WHOLE,
    "due_time": _TIME,
    "notice_cutoff": _TIME,
    "calendar": _TEXT,
    "own_level": _LEVEL,
    "liquidate_to": _RATIO,
    "liquidation_fee_bps": _WHOLE,
}
_TIERS = _list_of(_Codec(lambda tier: _write(tier, _TIER), lambda document: Tier(**_read(document, _TIER))))

_RELEASE: _Fields = {"line": _RATIO, "to": _RATIO, "days": _WHOLE}

_TERMS: _Fields = {
    "rate": _RATIO,
    "day_count": _Codec(str, DayCount),
    "interest": _Codec(str, InterestMode),
    "tiers": _TIERS,
    "release": _Codec(lambda release: _write(release, _RELEASE), lambda doc: Release(**_read(doc, _RELEASE))),
    "ltv_on": _Codec(str, LtvOn),
    "cushion": _RATIO,
    "reference": _TEXT,
    "on_recovery": _Codec(str, OnRecovery),
    "credit_hours": _DURATION,
    "min_repayment": _USD,
    "min_call_usd": _USD,
    "consent": _Codec(str, Consent),
    "desk_calendar": _TEXT,
    "matures": _DAY,
}


_GROUP: _Fields = {
    "id": _TEXT,
    "test": _Codec(str, GroupTest),
    "tiers": _TIERS,
    "pool": _BTC,
    "cushion": _RATIO,
    "reference": _TEXT,
    "on_recovery": _Codec(str, OnRecovery),
    "min_call_usd": _USD,
}

_CALENDAR: _Fields = {
    "id": _TEXT,
    "zone": _ZONE,
    "open": _TIME,
    "close": _TIME,
    "closed": _Codec(
        lambda days: [day.isoformat() for day in sorted(days)], lambda days: frozenset(map(date.fromisoformat, days))
    ),
}

_STEP: _Fields = {"btc": _BTC, "bps": _WHOLE}

_POLICY: _Fields = {
    "withstand_drop": _RATIO,
    "reserve_btc": _BTC,
    "min_cash_usd": _USD,
    "max_cover_btc": _BTC,
    "sell_of_mined": _RATIO,
    "max_daily_btc": _BTC,
    "fee_bps": _WHOLE,
    "slippage_bps": _WHOLE,
    "slippage": _list_of(_Codec(lambda step: _write(step, _STEP), lambda doc: SlippageStep(**_read(doc, _STEP)))),
    "sold_over_mined_limit": _RATIO,
    "plan_btc_per_month": _BTC,
    "plan_tolerance": _RATIO,
    "rollforward_tolerance_btc": _BTC,
    "statement_due_day": _WHOLE,
}


_MOVEMENT: _Fields = {
    "at": _INSTANT,
    "kind": _Codec(str, MovementKind),
    **dict.fromkeys(("ref", "account", "to", "facility", "of", "reverses"), _TEXT),
    **dict.fromkeys(("btc", "fee_btc"), _BTC),
    **dict.fromkeys(("usd", "gross_usd", "fee_usd"), _USD),
    **dict.fromkeys(("venue", "order", "purpose", "site", "region", "reason", "note"), _TEXT),
}

_CALL_END: _Fields = {"ref": _TEXT, "how": _Codec(str, Ending), "at": _INSTANT}


def claimed_document(thing: Movement | CallEnd) -> Document:
    """What is claimed: a movement, or the end of a call."""
    return _write(thing, _MOVEMENT if isinstance(thing, Movement) else _CALL_END)


def claimed_from(document: Mapping[str, Any]) -> Movement | CallEnd:
    if "how" in document:
        return CallEnd(**_read(document, _CALL_END))
    return Movement(**_read(document, _MOVEMENT))


def terms_document(terms: Terms) -> Document:
    """Terms with their tiers and release."""
    return _write(terms, _TERMS)


def terms_from(document: Mapping[str, Any]) -> Terms:
    return Terms(**_read(document, _TERMS))


def group_document(group: Group) -> Document:
    """A master agreement with its tiers and pool."""
    return _write(group, _GROUP)


def group_from(document: Mapping[str, Any]) -> Group:
    return Group(**_read(document, _GROUP))


def calendar_document(calendar: Calendar) -> Document:
    """A calendar; its closed days are in order."""
    return _write(calendar, _CALENDAR)


def calendar_from(document: Mapping[str, Any]) -> Calendar:
    return Calendar(**_read(document, _CALENDAR))


def policy_document(policy: Policy) -> Document:
    return _write(policy, _POLICY)


def policy_from(document: Mapping[str, Any]) -> Policy:
    return Policy(**_read(document, _POLICY))
