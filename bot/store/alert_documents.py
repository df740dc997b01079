"""The domain `Alert` as a JSON document, and back without loss: instants ISO in UTC, durations in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alerts import Active, Alert
from bot.domain.periods import as_utc, iso
from bot.domain.terms import Level

_MICROSECOND = timedelta(microseconds=1)


def alert_document(alert: Alert) -> dict[str, Any]:
    """Everything of `alert`; what has no value has null."""
    return {
        "key": alert.key,
        "opened_at": iso(alert.opened_at),
        "active": [_active_document(line) for line in alert.active],
        "seen_until": {ref: iso(instant) for ref, instant in alert.seen_until.items()},
        "call_states": dict(alert.call_states),
        "text": alert.text,
        "posted_at": _iso(alert.posted_at),
        "edited_at": _iso(alert.edited_at),
    }


def alert_from(document: Mapping[str, Any]) -> Alert:
    """The alert that `alert_document` wrote. KeyError, TypeError or ValueError where it did not."""
    return Alert(
        key=document["key"],
        opened_at=_at(document["opened_at"]),
        active=tuple(_active_from(line) for line in document["active"]),
        seen_until={ref: _at(text) for ref, text in document["seen_until"].items()},
        call_states=dict(document["call_states"]),
        text=document["text"],
        posted_at=_maybe_at(document["posted_at"]),
        edited_at=_maybe_at(document["edited_at"]),
    )


def _active_document(line: Active) -> dict[str, Any]:
    return {
        "name": line.name,
        "rank": line.rank,
        "level": line.level.word,
        "tier": line.tier,
        "held": line.held,
        "call": line.call,
        "clear_since": _iso(line.clear_since),
        "clear_for_us": line.clear_for // _MICROSECOND,
    }


def _active_from(document: Mapping[str, Any]) -> Active:
    return Active(
        name=document["name"],
        rank=document["rank"],
        level=Level[document["level"].upper()],
        tier=document["tier"],
        held=document["held"],
        call=document["call"],
        clear_since=_maybe_at(document["clear_since"]),
        clear_for=timedelta(microseconds=document["clear_for_us"]),
    )


def _iso(instant: datetime | None) -> str | None:
    return iso(instant) if instant else None


def _at(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))


def _maybe_at(text: str | None) -> datetime | None:
    return _at(text) if text else None
