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
from bot.slack.text import flat, rich
from bot.slack.views.ltv import price_line
from bot.slack.views.parts import context, payload, section, sections, shortened
from bot.slack.views.sales import clipped

MOST_RUNS = 14
MOST_NEEDS = 10
LONGEST = 2_200
"""Characters of one part: three of them, and the sentence, stay under what a message may have."""


def raising(book: Book, found: Raising) -> Payload:
    """The answer; what there is no room for is counted, and the command line has it."""
    first, said = raising_heading(found), raising_sentence(book, found)
    whole = f"plimsoll sales --raise {found.asked.usd // 100} --by {found.asked.due}"
    blocks: list[Block] = [section(f"*{rich(first)}*"), *sections(clipped(said, LONGEST))]
    runs = [f"• {run_line(*run)}" for run in sale_runs(found)]
    if runs:
        blocks += sections(clipped("\n".join(["Sell:", *shortened(runs, MOST_RUNS, whole)]), LONGEST))
    blocks += sections(clipped("\n".join(filter(None, [recorded_note(found), *runway_lines(found)])), LONGEST))
    needs = [f"• {line}" for line in need_lines(found)]
    blocks += sections(clipped("\n".join(["To be paid:", *shortened(needs, MOST_NEEDS, whole)]), LONGEST))
    blocks += [context(rich(f"{expected_line(book, found)} {price_line(book)}"))]
    return payload(flat("\n".join([first, said, *runway_lines(found)])), blocks)
