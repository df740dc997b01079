"""`/sales`: the recommended sale in one sentence, what to do, and the other ways beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slackblocks import Block

from bot.domain.book import Book
from bot.domain.sales import cover_now
from bot.domain.sales.plan import Alternative, Answer
from bot.domain.sales_rows import label, rows, told
from bot.domain.sales_words import heading, lowered, plan_sentence, recommendation, steps
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import clipped, flat, packed, rich
from bot.slack.views.ltv import price_line
from bot.slack.views.parts import code, context, fitted, payload, section, sections, shortened

MOST_STEPS = 12
MOST_NOTES = 6
LONGEST_SAID = 1_500
"""Characters of a sentence that names many lenders."""
LONGEST_TODO, LONGEST_NOTES = 1_700, 800
MOST_NOW = 4
LONGEST_NOW = 1_000
"""Characters of a plan under an alert's own numbers."""
LONGEST_WAY = 550
"""Characters of one alternative: six of them, and what is above them, stay under what a message may have."""


def sales(book: Book, answer: Answer, slash: Slash, under: Sequence[Block] = ()) -> Payload:
    """The answer. `under` are blocks of what can be done about it, put between the recommendation and the other ways:
    six at most, with 1,000 characters in all."""
    first, said = heading(answer), recommendation(book, answer)
    blocks: list[Block] = [section(f"*{rich(first)}*"), *sections(clipped(said, LONGEST_SAID))]
    if answer.view.usable is None:
        blocks += [section(f"Ask at a price: {code(slash('sales at 55000'))}")]
    best = answer.recommended
    if best is not None:
        blocks += [section(piece) for piece in _todo(book, best)]
        blocks += [*under]
        blocks += [section(piece) for piece in _others(book, answer)]
    blocks += [context(rich(price_line(book)))]
    return payload(flat(f"{first}\n{said}"), blocks)


def plan_now(book: Book, key: str, slash: Slash) -> list[Block]:
    """What cures one facility or group at the price as it is: the recommended sale and its steps, or what is missing.

    Nothing where it is at no call line, or there is no price.
    """
    needs, plan = cover_now(book, key)
    if plan is None:
        return []
    if plan.feasible and not plan.legs:
        return [section("Recommended: nothing is to be sold or paid, it is at its cure target.")]
    if not plan.feasible:
        said = f"No plan cures it within all limits. {plan.why}"
        return [section(rich(clipped(said, LONGEST_NOW)))]
    lines = [f"Recommended: {lowered(plan_sentence(book, book.price, needs, plan))}"]
    lines += shortened([f"{n}. {step}" for n, step in enumerate(steps(book, plan), 1)], MOST_NOW, slash("sales"))
    return sections(clipped("\n".join(lines), LONGEST_NOW))


def _todo(book: Book, best: Alternative) -> Iterator[str]:
    """Each step with its exact amounts, and what must be known before."""
    numbered = fitted(
        [f"{n}. {step}" for n, step in enumerate(steps(book, best), 1)], MOST_STEPS, LONGEST_TODO, "plimsoll sales"
    )
    notes = fitted([f"• {note}" for note in best.notes], MOST_NOTES, LONGEST_NOTES, "plimsoll sales")
    if lines := [*numbered, *notes]:
        yield from packed("\n".join(lines))


def _others(book: Book, answer: Answer) -> Iterator[str]:
    """The other ways, one a section; what comes to the same as the recommended one says so."""
    for one, row in zip(answer.alternatives, rows(book, answer), strict=True):
        if one is answer.recommended:
            continue
        same = answer.recommended is not None and one.feasible and one.legs == answer.recommended.legs
        said = "the same as recommended." if same else clipped(told(row), LONGEST_WAY)
        yield f"*{rich(label(one.name))}*: {rich(said)}"
