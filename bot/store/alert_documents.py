"""The domain `Alert` as a JSON document, and back without loss: instants ISO in UTC, durations in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alert import Active, Alert, Hold, Person, Silence
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
        "hold": _hold_document(alert.hold),
        "silence": silence_document(alert.silence) if alert.silence else None,
        "owed": alert.owed,
        "unowned_since": _iso(alert.unowned_since),
        "escalated_at": _iso(alert.escalated_at),
        "ups": [iso(up) for up in alert.ups],
        "flapping": alert.flapping,
    }


def alert_from(document: Mapping[str, Any]) -> Alert:
    """The alert that `alert_document` wrote. KeyError, TypeError or ValueError where it did not.

    What an earlier version did not write yet has no value.
    """
    return Alert(
        key=document["key"],
        opened_at=_at(document["opened_at"]),
        active=tuple(_active_from(line) for line in document["active"]),
        seen_until={ref: _at(text) for ref, text in document["seen_until"].items()},
        call_states=dict(document["call_states"]),
        text=document["text"],
        posted_at=_maybe_at(document["posted_at"]),
        edited_at=_maybe_at(document["edited_at"]),
        hold=_hold_from(document.get("hold")),
        silence=silence_from(document["silence"]) if document.get("silence") else None,
        owed=document.get("owed", False),
        unowned_since=_maybe_at(document.get("unowned_since")),
        escalated_at=_maybe_at(document.get("escalated_at")),
        ups=tuple(_at(text) for text in document.get("ups", ())),
        flapping=document.get("flapping", False),
    )


def silence_document(silence: Silence) -> dict[str, Any]:
    """Everything of `silence`."""
    return {
        "id": silence.id,
        "checks": sorted(silence.checks),
        "subjects": sorted(silence.subjects),
        "reason": silence.reason,
        "by": _person_document(silence.by),
        "at": iso(silence.at),
        "until": iso(silence.until),
    }


def silence_from(document: Mapping[str, Any]) -> Silence:
    """The silence that `silence_document` wrote."""
    return Silence(
        id=document["id"],
        checks=frozenset(document["checks"]),
        subjects=frozenset(document["subjects"]),
        reason=document["reason"],
        by=Person(**document["by"]),
        at=_at(document["at"]),
        until=_at(document["until"]),
    )


def _hold_document(hold: Hold | None) -> dict[str, Any] | None:
    return {"by": _person_document(hold.by), "at": iso(hold.at), "until": _iso(hold.until)} if hold else None


def _hold_from(document: Mapping[str, Any] | None) -> Hold | None:
    return Hold(Person(**document["by"]), _at(document["at"]), _maybe_at(document["until"])) if document else None


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
        "urgent": line.urgent,
        "demands": line.demands,
        "reached": line.reached,
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
        urgent=document.get("urgent", False),
        demands=document.get("demands", False),
        reached=document.get("reached", True),
    )


def _iso(instant: datetime | None) -> str | None:
    return iso(instant) if instant else None


def _at(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))


def _maybe_at(text: str | None) -> datetime | None:
    return _at(text) if text else None


def _person_document(person: Person) -> dict[str, Any]:
    return {"id": person.id, "name": person.name}
