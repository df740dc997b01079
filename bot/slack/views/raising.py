"""`/sales raise 38m by 2026-03-01`: whether it can be raised, the sales by day, the runway."""

from __future__ import annotations

from slackblocks import Block

from bot.domain.book import Book
from bot.domain.raising import Raising
from bot.domain.raising_words import (
    expected_line,
    need_lines,
    raising_heading,
    raising_sentence,
    recorded_note,
    run_line,
    runway_lines,
    sale_runs,
)
from bot.slack.limits import Payload
from bot.slack.text import clipped, flat, rich
from bot.slack.views.ltv import price_line
from bot.slack.views.parts import context, fitted, payload, section, sections

MOST_RUNS = 14
MOST_NEEDS = 10
LONGEST = 1_900
"""Characters of one part: three of them, and the sentence, stay under what a message may have."""


def raising(book: Book, found: Raising) -> Payload:
    """The answer; what there is no room for is counted, and the command line has it."""
    first, said = raising_heading(found), raising_sentence(book, found)
    whole = f"plimsoll sales --raise {found.asked.usd // 100} --by {found.asked.due}"
    blocks: list[Block] = [section(f"*{rich(first)}*"), *sections(clipped(said, LONGEST))]
    runs = [f"• {run_line(*run)}" for run in sale_runs(found)]
    if runs:
        blocks += sections("\n".join(["Sell:", *fitted(runs, MOST_RUNS, LONGEST, whole)]))
    blocks += sections(clipped("\n".join(filter(None, [recorded_note(found), *runway_lines(found)])), LONGEST))
    needs = [f"• {line}" for line in need_lines(found)]
    blocks += sections("\n".join(["To be paid:", *fitted(needs, MOST_NEEDS, LONGEST, whole)]))
    blocks += [context(rich(f"{expected_line(book, found)} {price_line(book)}"))]
    return payload(flat("\n".join([first, said, *runway_lines(found)])), blocks)
