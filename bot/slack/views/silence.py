"""The dialog that asks for a silence, and the fields that it asks in."""

from __future__ import annotations

from typing import Any

from slackblocks import (
    DateTimePicker,
    InputBlock,
    PlainTextInput,
    StaticMultiSelectMenu,
    StaticSelectMenu,
)

from bot.domain.silencing import CHECKS, LONGEST_REASON, subject_name, subjects_of
from bot.domain.snoozes import SILENCES
from bot.services.acting import Listing
from bot.slack.views.dialog import modal, option, plain

CALLBACK = "silence"
CHECKS_BLOCK, SUBJECTS_BLOCK, UNTIL_BLOCK, EXACT_BLOCK, REASON_BLOCK = (
    "silence_checks",
    "silence_subjects",
    "silence_until",
    "silence_exact",
    "silence_reason",
)
MOST_OPTIONS, LONGEST_VALUE = 100, 150


def silencing(listed: Listing, origin: str) -> dict[str, Any]:
    """The view. `origin` comes back with it and says where to answer."""
    known = subjects_of(listed.book, (row.key for row in listed.alerts if row.closed_at is None))
    subjects = [name for name in known if len(name) <= LONGEST_VALUE][:MOST_OPTIONS]
    blocks = [
        InputBlock(
            plain("What"),
            StaticMultiSelectMenu("checks", [option(label, check) for check, label in CHECKS.items()]),
            block_id=CHECKS_BLOCK,
        )
    ]
    if subjects:
        names = _titles(listed)
        about = StaticMultiSelectMenu(
            "subjects", [option(names.get(name) or subject_name(name), name) for name in subjects]
        )
        blocks += [
            InputBlock(
                plain("About"), about, block_id=SUBJECTS_BLOCK, hint=plain("Nothing chosen means all."), optional=True
            )
        ]
    blocks += [
        InputBlock(
            plain("For how long"),
            StaticSelectMenu("until", [option(label, choice) for choice, label in SILENCES.items()]),
            block_id=UNTIL_BLOCK,
            optional=True,
        ),
        InputBlock(
            plain("Or until"),
            DateTimePicker("exact"),
            block_id=EXACT_BLOCK,
            hint=plain("At most 30 days ahead. It counts instead of the choice above."),
            optional=True,
        ),
        InputBlock(
            plain("Why"),
            PlainTextInput("reason", max_length=LONGEST_REASON),
            block_id=REASON_BLOCK,
            hint=plain("Everybody sees it. What cannot wait is said all the same."),
        ),
    ]
    return modal(CALLBACK, "Silence alerts", "Silence", origin, blocks)


def _titles(listed: Listing) -> dict[str, str]:
    """Facilities and groups as people know them."""
    known = {}
    for exposure in listed.book.exposures:
        if exposure.is_group:
            known[exposure.id] = f"{exposure.id} (group)"
        else:
            alike = exposure.title.casefold() == exposure.id
            known[exposure.id] = exposure.title if alike else f"{exposure.title} ({exposure.id})"
    return known
