"""The dialog of new terms: what is in force on the day, to be changed."""

from __future__ import annotations

from datetime import date
from typing import Any

from slackblocks import Block, DatePicker, InputBlock, PlainTextInput, StaticSelectMenu

from bot.domain.agreed import in_force
from bot.domain.agreed_words import from_when
from bot.domain.book import Book
from bot.domain.term_words import INTEREST
from bot.domain.terms import Facility
from bot.slack.agreements import carried_with
from bot.slack.asked import Asked
from bot.slack.record_forms import AMENDMENT
from bot.slack.term_fields import LONGEST_TYPED, TermAsk, TermField, term_fields
from bot.slack.text import rich
from bot.slack.views.dialog import modal, option, plain
from bot.slack.views.parts import context, section

TERMS = "record_terms"
"""The callback of the dialog."""


def terms_form(book: Book, facility: Facility, day: date, asked: Asked) -> dict[str, Any]:
    """The terms of `facility` in force on `day`; what is changed in them is the amendment."""
    title, when = book.snapshot.title(facility), from_when(day, facility.zone)
    heading = f"*{rich(title)}: in force on {day.day} {day:%b %Y}.* What you change here counts from {rich(when)} on."
    by_file = "Lines are added and removed, and all other terms amended, by a treasury file."
    blocks: list[Block] = [section(heading), *(_input(field) for field in term_fields(in_force(facility, day)))]
    origin = asked.carrying(kind=AMENDMENT, values=carried_with(facility, day))
    return modal(TERMS, "New terms", "Check", origin, [*blocks, context(by_file)])


def _input(field: TermField) -> Block:
    hint = plain(field.hint) if field.hint else None
    return InputBlock(plain(field.label), _element(field), block_id=field.block, hint=hint, optional=field.optional)


def _element(field: TermField) -> Any:
    if field.ask is TermAsk.DAY:
        return DatePicker(field.name, initial_date=field.shown or None)
    if field.ask is TermAsk.INTEREST:
        offered = {mode.value: option(said.capitalize(), mode.value) for mode, said in INTEREST.items()}
        return StaticSelectMenu(field.name, list(offered.values()), initial_option=offered[field.shown])
    return PlainTextInput(field.name, initial_value=field.shown or None, max_length=LONGEST_TYPED)
