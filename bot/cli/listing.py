"""`alerts`: what is open, and what closed last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from bot.cli import output
from bot.cli.common import At, Json, instant, load, store_to_read
from bot.cli.holdings_ltv import heading

if TYPE_CHECKING:
    from bot.store.alert_rows import AlertEventRow, AlertRow
    from bot.store.store import Tx

LAST_CLOSED = 10
_EVERY = 1_000_000


def register(app: typer.Typer) -> None:
    app.command()(alerts)


def alerts(at: At = None, json: Json = False) -> None:
    """Open alerts, then the last ten that closed."""
    settings = load()
    from bot.services.books import Books
    from bot.services.ports import SystemClock

    asked = instant(at)
    with store_to_read(settings) as store, store.reading() as tx:
        books = Books(settings.alert_policy(), settings.price_policy())
        book = books.open(tx, asked or SystemClock().now())
        rows = alerts_at(tx, asked) if asked else tx.alerts(LAST_CLOSED)
    if json:
        from bot.domain.answers import heading as heading_document

        output.print_json({**heading_document(book), "alerts": [_document(row) for row in rows]})
        return
    out = output.Page()
    out.print(output.bold(heading(book)))
    out.print()
    if not rows:
        out.print("No alerts: none is open and none has been.")
        return
    shown = output.table("", "Level", "Alert", "Line", "Since", "Due", names=("Alert", "Line"))
    zone = book.treasury.zone
    for row in rows:
        since = output.local(row.opened_at, zone)
        due = output.local(row.due, zone) if row.due and row.status != "closed" else output.NOTHING
        shown.add_row(row.status, output.level(row.level.word), row.key, row.tier or output.NOTHING, since, due)
    out.table(shown)
    for row in rows:
        if row.status != "closed":
            out.print()
            head, *body = _text(row).splitlines() or [row.key]
            out.print(output.bold(head))
            for line in body:
                out.paragraph(line)


def alerts_at(tx: Tx, at: datetime) -> list[AlertRow]:
    """The alerts as they stood at `at`, by their history: open ones, the worst first, then the last ten closed."""
    open_then, closed_then = [], []
    for row in tx.alerts(_EVERY):
        if row.opened_at > at:
            continue
        if row.closed_at is not None and row.closed_at <= at:
            closed_then.append(row)
        else:
            open_then.append(_restated(row, [event for event in tx.alert_events(row.id) if event.at <= at]))
    open_then.sort(key=lambda row: (-row.level, row.opened_at, row.id))
    closed_then.sort(key=lambda row: (row.closed_at or row.opened_at, row.id), reverse=True)
    return open_then + closed_then[:LAST_CLOSED]


def _restated(row: AlertRow, history: list[AlertEventRow]) -> AlertRow:
    last = history[-1] if history else None
    if last is None:
        return replace(row, status="open", closed_at=None)
    return replace(row, status="open", closed_at=None, level=last.level, tier=last.tier, text=last.text)


def _text(row: AlertRow) -> str:
    from bot.domain.words import plain_text

    return plain_text(row.text)


def _document(row: AlertRow) -> dict[str, Any]:
    return dict(_fields(row))


def _fields(row: AlertRow) -> Iterator[tuple[str, Any]]:
    from bot.domain.periods import iso

    yield "key", row.key
    yield "level", row.level.word
    yield "tier", row.tier
    yield "status", row.status
    yield "opened_at", iso(row.opened_at)
    yield "due", iso(row.due) if row.due else None
    yield "by", None
    yield "until", None
    yield "text", _text(row)
