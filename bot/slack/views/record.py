"""The dialogs of `/record`: which kind, its form, and what it would change before it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from slackblocks import (
    ActionsBlock,
    Block,
    Button,
    DatePicker,
    DateTimePicker,
    InputBlock,
    PlainTextInput,
    StaticSelectMenu,
)

from bot.domain.book import Book
from bot.domain.fact_words import claim_phrase
from bot.domain.periods import local_day
from bot.domain.production import month_begins, month_key
from bot.domain.record_told import RecordTold
from bot.domain.roles import Role
from bot.domain.treasury import Claim
from bot.domain.words import capital, plain_people
from bot.services.records import Preview
from bot.slack.limits import Payload
from bot.slack.record_choices import MENUS, choices
from bot.slack.record_forms import AMENDMENT, FORMS, Ask, Field
from bot.slack.record_reading import LONGEST
from bot.slack.slash import Slash
from bot.slack.text import flat, rich
from bot.slack.views.dialog import modal, option, plain
from bot.slack.views.parts import code, context, payload, section, sections, within

KIND, FORM, CHECK, WITHDRAW = "record_kind", "record_form", "record_check", "record_withdraw"
"""The callbacks of the dialogs: which kind, a form, what it would change, why a claim is withdrawn."""
AGREE, APPROVE = "record_agree", "record_approve"
"""Those of a form and of what it would change, where that takes an approver."""
KIND_BLOCK, REASON_BLOCK = "record_kind", "record_reason"
CONFIRM_CLAIM, WITHDRAW_CLAIM = "record_confirm_claim", "record_withdraw_claim"
"""The action ids of a claim's buttons."""
MOST_CLAIMS = 15


def kinds(origin: str, role: Role) -> dict[str, Any]:
    """The first dialog: what is to be recorded, of all that somebody of `role` may record."""
    offered = [option(form.label, kind) for kind, form in FORMS.items() if form.needs <= role]
    menu = StaticSelectMenu("kind", offered)
    return modal(KIND, "Record", "Next", origin, [InputBlock(plain("What"), menu, block_id=KIND_BLOCK)])


def form(kind: str, book: Book, origin: str) -> dict[str, Any]:
    """The form of one kind, with what there is to choose from now. Menus with nothing in them are left out."""
    blocks = [block for field in FORMS[kind].fields if (block := _input(field, book)) is not None]
    asked = FORMS[kind]
    next_one = "Next" if kind == AMENDMENT else "Check"
    return modal(AGREE if asked.needs > Role.OPERATOR else FORM, asked.title, next_one, origin, blocks)


def lacking(kind: str, book: Book) -> str:
    """Why a form cannot be filled in: there is nothing to choose from; "" where it can be."""
    empty = [f for f in FORMS[kind].fields if f.ask in MENUS and not f.optional and not choices(f.ask, book)]
    return f"There is nothing to choose as “{empty[0].label}”: {_NOTHING[empty[0].ask]}." if empty else ""


_NOTHING = {
    Ask.ACCOUNT: "no account is recorded; a treasury file has them",
    Ask.FACILITY: "no facility is recorded; a treasury file has them",
    Ask.EXPOSURE: "no facility is recorded; a treasury file has them",
    Ask.LINE: "no facility has a line; a treasury file has them",
    Ask.MOVEMENT: "no movement is recorded that is not undone",
    Ask.CALL: "no call is open",
}


def _input(field: Field, book: Book) -> Block | None:
    element = _element(field, book)
    if element is None:
        return None
    hint = plain(field.hint) if field.hint else None
    return InputBlock(plain(field.label), element, block_id=field.block, hint=hint, optional=field.optional)


def _element(field: Field, book: Book) -> Any | None:
    if field.ask in MENUS:
        offered = [option(one.label, one.value) for one in choices(field.ask, book)]
        only = offered[0] if len(offered) == 1 and not field.optional else None
        return StaticSelectMenu(field.name, offered, initial_option=only) if offered else None
    if field.ask is Ask.WHEN:
        return DateTimePicker(field.name, initial_datetime=None if field.optional else int(book.at.timestamp()))
    if field.ask is Ask.UNTIL:
        return DateTimePicker(field.name)
    if field.ask is Ask.DAY:
        return DatePicker(field.name, initial_date=local_day(book.at, book.treasury.zone).isoformat())
    if field.ask is Ask.MONTH:
        return PlainTextInput(field.name, initial_value=_last_month(book), max_length=7)
    return PlainTextInput(field.name, max_length=LONGEST.get(field.ask, 40))


def _last_month(book: Book) -> str:
    zone = book.treasury.production_zone
    return month_key(month_begins(month_key(book.at, zone), zone) - timedelta.resolution, zone)


def check(preview: Preview, origin: str, callback: str = CHECK) -> dict[str, Any]:
    """What recording it would change. Nothing is recorded before it is sent."""
    said = capital(preview.phrase)
    if preview.nothing:
        return trouble(f"{said}: it is recorded already, just so. Nothing would change.")
    blocks = [section(f"*{rich(said)}*"), *(sections(preview.claimed) if preview.claimed else [])]
    blocks += within(preview.outcome)
    blocks += [section(f":warning: {rich(one)}") for one in preview.remarks]
    return modal(callback, "Check, then record", "Claim" if preview.claimed else "Record", origin, blocks, close="Back")


def trouble(text: str) -> dict[str, Any]:
    """Why it was not recorded, in place of the preview."""
    return modal(CHECK, "Not recorded", None, "", sections(text), close="Back")


def withdrawing(phrase: str, origin: str) -> dict[str, Any]:
    """Asks why a claim is taken back."""
    reason = InputBlock(plain("Why"), PlainTextInput("reason", max_length=LONGEST[Ask.LONG]), block_id=REASON_BLOCK)
    return modal(WITHDRAW, "Withdraw a claim", "Withdraw", origin, [*sections(phrase), reason])


def told(record: RecordTold) -> Payload:
    """The message of the audit channel. It wakes nobody: people are named, not mentioned."""
    blocks = [section(f"*{rich(plain_people(record.headline))}*"), *within(record.lines)]
    if record.state:
        blocks += [context(rich(plain_people(record.state)))]
    if record.claim:
        blocks += [_buttons(record.claim)]
    return payload(flat(record.text), blocks)


def claims(open_ones: Sequence[Claim], book: Book, slash: Slash) -> Payload:
    """What waits to be confirmed, each with its buttons."""
    if not open_ones:
        text = f"No claim is open. {code(slash('record'))} records something."
        return payload(text, [section(text)])
    one = len(open_ones) == 1
    heading = (
        f"{len(open_ones)} claim{' waits' if one else 's wait'} for a second operator, and count{'s' * one} in no line"
    )
    blocks = [section(f"*{heading}*")]
    lines = [heading]
    for claim in open_ones[:MOST_CLAIMS]:
        line = claim_phrase(claim, book)
        lines.append(line)
        blocks += [*sections(line), _buttons(claim.id)]
    if len(open_ones) > MOST_CLAIMS:
        blocks += [context(f"and {len(open_ones) - MOST_CLAIMS} more")]
    return payload(flat("\n".join(lines)), blocks)


def _buttons(claim_id: int) -> Block:
    return ActionsBlock(
        [
            Button("Confirm", CONFIRM_CLAIM, value=str(claim_id), style="primary"),
            Button("Withdraw…", WITHDRAW_CLAIM, value=str(claim_id)),
        ]
    )
