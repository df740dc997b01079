"""`alerts`: what is open and in whose hands, what closed last, and the silences in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from bot.cli import output
from bot.cli.common import At, Json, instant, load, store_to_read
from bot.cli.holdings_ltv import heading

if TYPE_CHECKING:
    from bot.domain.alert import Active, Hold, Person, Silence
    from bot.domain.book import Book
    from bot.domain.calls import Call
    from bot.store.alert_rows import AlertEventRow, AlertRow
    from bot.store.store import Tx

LAST_CLOSED = 10
_EVERY = 1_000_000


def register(app: typer.Typer) -> None:
    app.command()(alerts)


def alerts(at: At = None, json: Json = False) -> None:
    """Open alerts, in whose hands they are, and what closed last."""
    settings = load()
    from bot.services.books import Books
    from bot.services.ports import SystemClock

    asked = instant(at)
    with store_to_read(settings) as store, store.reading() as tx:
        books = Books(settings.alert_policy(), settings.price_policy())
        book = books.open(tx, asked or SystemClock().now())
        silences = tx.silences(book.at)
        rows = alerts_at(tx, book, silences, asked) if asked else tx.alerts(LAST_CLOSED)
    if json:
        from bot.domain.answers import heading as heading_document

        known = [dict(_fields(row, book)) for row in rows]
        listed = [dict(_silence_fields(silence)) for silence in silences]
        output.print_json({**heading_document(book), "alerts": known, "silences": listed})
        return
    out = output.Page()
    out.print(output.bold(heading(book)))
    out.print()
    if rows:
        _show_alerts(out, book, rows)
    else:
        out.print("No alerts: none is open and none has been.")
    if silences:
        _show_silences(out, book, silences)


def _show_alerts(out: output.Page, book: Book, rows: Sequence[AlertRow]) -> None:
    columns = ("", "Level", "Alert", "Line", "Since", "Due", "By", "Until")
    shown = output.table(*columns, names=("Alert", "Line", "By"))
    zone = book.treasury.zone
    for row in rows:
        since = output.local(row.opened_at, zone)
        due = output.local(row.due, zone) if row.due and row.status != "closed" else output.NOTHING
        by, until = _hands(row, book)
        cells = (output.level(row.level.word), row.key, row.tier or output.NOTHING, since, due)
        who = (by.name or by.id) if by else output.NOTHING
        shown.add_row(_status(row), *cells, who, output.local(until, zone) if until else output.NOTHING)
    out.table(shown)
    for row in rows:
        if row.status != "closed":
            out.print()
            head, *body = _text(row).splitlines() or [row.key]
            out.print(output.bold(head))
            for line in body:
                out.paragraph(line)


def _show_silences(out: output.Page, book: Book, silences: Sequence[Silence]) -> None:
    from bot.domain.silencing import about

    out.print()
    shown = output.table("Silenced", "By", "Since", "Until", "Why", names=("Silenced", "By", "Why"))
    zone = book.treasury.zone
    for one in silences:
        by = one.by.name or one.by.id
        shown.add_row(about(one), by, output.local(one.at, zone), output.local(one.until, zone), one.reason)
    out.table(shown)


def alerts_at(tx: Tx, book: Book, silences: tuple[Silence, ...], at: datetime) -> list[AlertRow]:
    """The alerts as they stood at `at`, by their history: open ones, the worst first, then the last ten closed."""
    open_then, closed_then = [], []
    for row in tx.alerts(_EVERY):
        if row.opened_at > at:
            continue
        if row.closed_at is not None and row.closed_at <= at:
            closed_then.append(row)
        else:
            history = [event for event in tx.alert_events(row.id) if event.at <= at]
            hold = _held(history, tx)
            open_then.append(_restated(row, history, hold, book, silences))
    open_then.sort(key=lambda row: (-row.level, row.opened_at, row.id))
    closed_then.sort(key=lambda row: (row.closed_at or row.opened_at, row.id), reverse=True)
    return open_then + closed_then[:LAST_CLOSED]


def _restated(
    row: AlertRow, history: list[AlertEventRow], hold: Hold | None, book: Book, silences: tuple[Silence, ...]
) -> AlertRow:
    """An open alert as its history has it."""
    if not history:
        return replace(row, status="open", closed_at=None)
    last = history[-1]
    policy = replace(book.register.alerts, silences=silences)
    silence = None if _urgent(row.key, history, book) else policy.silence(row.key, book.at)
    alert = replace(row.alert, active=_standing(row, last), hold=hold, silence=silence)
    stood = replace(row, status="open", closed_at=None, level=last.level, tier=last.tier, text=last.text)
    return replace(stood, alert=alert, due=_due(row.key, book))


def _standing(row: AlertRow, last: AlertEventRow) -> tuple[Active, ...]:
    """One line that stands for what was active then: its level is all that is asked of it."""
    from bot.domain.alert import Active

    return (Active(last.tier or row.key, 0, last.level, last.tier),)


def _held(history: list[AlertEventRow], tx: Tx) -> Hold | None:
    """In whose hands it was: the last act, unless it was said aloud again since."""
    from bot.domain.alert import Hold, Person
    from bot.domain.transitions import LOUD, Change, Reason

    hold: Hold | None = None
    for event in history:
        change = Change(event.change)
        if event.by and change in (Change.ACKNOWLEDGED, Change.SNOOZED):
            known = tx.user(event.by)
            name = str(known.document.get("real_name") or "") if known else ""
            hold = Hold(Person(event.by, name), event.at, event.until)
        elif change in LOUD and event.reason != Reason.UNANSWERED:
            hold = None
    return hold


def _urgent(key: str, history: list[AlertEventRow], book: Book) -> bool:
    """Whether it could not wait, so that no silence quieted it: its worst line, or a deadline missed."""
    from bot.domain.calls import CallState

    exposure = next((one for one in book.exposures if one.key == key), None)
    bound = exposure.bound_named(history[-1].tier or "") if exposure else None
    if bound is not None and bound.tier.kind.is_urgent:
        return True
    return any(call.state is CallState.MISSED for call in _calls(key, book))


def _due(key: str, book: Book) -> datetime | None:
    """The deadline of the call that was open then."""
    calls = _calls(key, book)
    return calls[0].due if calls else None


def _calls(key: str, book: Book) -> list[Call]:
    """The open calls that an alert is about, the governing one first."""
    from bot.domain.calls import calls_of, open_calls

    exposure = next((one for one in book.exposures if one.key == key), None)
    return calls_of(exposure, open_calls(book)) if exposure else []


def _text(row: AlertRow) -> str:
    from bot.domain.words import plain_text

    return plain_text(row.text)


def _status(row: AlertRow) -> str:
    return "closed" if row.status == "closed" else row.alert.status


def _hands(row: AlertRow, book: Book) -> tuple[Person | None, datetime | None]:
    """Who has it, or had it silenced, and until when as far as that is known."""
    if row.status == "closed":
        return None, None
    alert = row.alert
    if alert.hold is not None:
        return alert.hold.by, alert.held_until(book.register.alerts)
    return (alert.silence.by, alert.silence.until) if alert.silence else (None, None)


def _fields(row: AlertRow, book: Book) -> Iterator[tuple[str, Any]]:
    from bot.domain.periods import iso

    by, until = _hands(row, book)
    yield "key", row.key
    yield "level", row.level.word
    yield "tier", row.tier
    yield "status", _status(row)
    yield "opened_at", iso(row.opened_at)
    yield "due", iso(row.due) if row.due else None
    yield "by", by.id if by else None
    yield "until", iso(until) if until else None
    yield "text", _text(row)


def _silence_fields(silence: Silence) -> Iterator[tuple[str, Any]]:
    from bot.domain.periods import iso

    yield "id", silence.id
    yield "checks", sorted(silence.checks)
    yield "subjects", sorted(silence.subjects)
    yield "reason", silence.reason
    yield "by", silence.by.id
    yield "at", iso(silence.at)
    yield "until", iso(silence.until)
