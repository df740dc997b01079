"""`plans`: what is proposed and being carried out, how far it has come, and what ended last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from bot.cli import output
from bot.cli.common import Json, load, store_to_read
from bot.cli.holdings_ltv import heading

if TYPE_CHECKING:
    from bot.domain.book import Book
    from bot.domain.plans import Plan


def register(app: typer.Typer) -> None:
    app.command()(plans)


def plans(json: Json = False) -> None:
    """Plans that wait, are carried out, or ended last."""
    settings = load()
    from bot.domain.plan_words import done_phrase, headline, left_phrase, state_of
    from bot.domain.plans import Status
    from bot.domain.words import plain_text
    from bot.services.books import Books
    from bot.services.plans import LAST_ENDED
    from bot.services.ports import SystemClock

    with store_to_read(settings) as store, store.reading() as tx:
        book = Books(settings.alert_policy(), settings.price_policy()).open(tx, SystemClock().now())
        known = (*tx.open_plans(), *tx.ended_plans(LAST_ENDED))
    if json:
        from bot.domain.answers import heading as heading_document

        output.print_json({**heading_document(book), "plans": [_document(book, plan) for plan in known]})
        return
    out = output.Page()
    out.print(output.bold(heading(book)))
    if not known:
        out.print("No plan is open and none has been.")
    for plan in known:
        out.print()
        out.print(output.bold(plain_text(headline(plan))))
        out.paragraph(plain_text(state_of(book, plan)))
        if plan.status is Status.APPROVED:
            out.paragraph(plain_text(f"Done: {done_phrase(book, plan)}. {left_phrase(book, plan)}"))


def _document(book: Book, plan: Plan) -> dict[str, Any]:
    """All of a plan as it is kept, and of one that is being carried out what is left."""
    from bot.domain.plan_documents import made_document, plan_document
    from bot.domain.planning import remaining
    from bot.domain.plans import Status

    left = remaining(book, plan).made if plan.status is Status.APPROVED else None
    return {"id": plan.id, **plan_document(plan), "left": made_document(left) if left is not None else None}
