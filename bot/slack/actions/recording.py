"""The dialogs of `/record`: from the kind to its form, from the form to what it would change, and then it is recorded.

Each dialog is answered within its own submission, so nothing is asked of Slack in between, and a retry gets the same
answer. What is recorded is known by its reference: said twice, it is recorded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt import App

from bot.domain.facts import Fact
from bot.domain.roles import Role
from bot.domain.words import capital
from bot.services.errors import FactRefusedError, UsageError
from bot.services.records import Became, Preview, Recorded, Records
from bot.slack.agreements import (
    agreed_of,
    amended_fields,
    amendment_of,
    block_of,
    by_block,
    changed_terms,
    day_of_amendment,
)
from bot.slack.asked import Asked
from bot.slack.desk import Desk, Step
from bot.slack.limits import Payload
from bot.slack.record_forms import AGREED, AMENDMENT, FORMS
from bot.slack.record_reading import Values, WrongFieldsError, fact_of, filled_in
from bot.slack.text import one_line
from bot.slack.views import notes
from bot.slack.views import record as views
from bot.slack.views.terms import TERMS, terms_form

NOT_UNDERSTOOD = "This dialog is not understood any more: open a new one."
TOO_LONG = "All texts together are too long for Slack; shorten them."
TOO_MUCH = "That is more than Slack carries at once; amend it by a file."
MOST_CARRIED = 2_900
"""Characters that a dialog may carry: Slack's limit is 3,000."""

_log = structlog.get_logger(__name__)


def register(app: App, desk: Desk, records: Records) -> None:
    """What records takes an operator, or an approver where the kind does, whichever dialog it comes from."""
    app.view(views.KIND)(desk.submitting("Record", partial(_choose, records), views.KIND_BLOCK, _chosen_needs))
    for form, check, needs in (
        (views.FORM, views.CHECK, Role.OPERATOR),
        (views.AGREE, views.APPROVE, Role.APPROVER),
    ):
        app.view(form)(desk.submitting("Record", partial(_check, records), _over_it, needs))
        app.view(check)(desk.submitting("Record", partial(_take, records, desk), _instead, needs))
    app.view(TERMS)(desk.submitting("Record", partial(_amend, records), _over_it, Role.APPROVER))


def _over_it(trouble: str) -> Step:
    """Over the form, so that nothing that was filled in is lost."""
    return Step("push", views.trouble(trouble))


def _instead(trouble: str) -> Step:
    """In place of the preview, which is true no more."""
    return Step("update", views.trouble(trouble))


def _choose(records: Records, asked: Asked) -> dict[str, str] | Step:
    """Which kind: its form takes the place of the list."""
    kind = _chosen(asked)
    if kind not in FORMS:
        return {views.KIND_BLOCK: "Choose what to record."}
    book = records.look()
    if why := views.lacking(kind, book):
        return {views.KIND_BLOCK: why}
    return Step("update", views.form(kind, book, asked.carrying(kind=kind)))


def _chosen(asked: Asked) -> str:
    option = asked.value(views.KIND_BLOCK).get("selected_option")
    return str(option.get("value")) if isinstance(option, Mapping) else ""


def _chosen_needs(asked: Asked) -> Role:
    """The list of an operator has nothing that takes an approver; who sends such a kind all the same must be one."""
    form = FORMS.get(_chosen(asked))
    return form.needs if form else Role.OPERATOR


def _check(records: Records, asked: Asked) -> dict[str, str] | Step:
    """A form: what it would change is laid over it, so that what was filled in is still there to correct.

    Of an amendment the day: the terms in force on it take its place.
    """
    kind = _kind(asked)
    values = filled_in(asked, kind)
    try:
        if kind == AMENDMENT:
            book = records.look()
            facility, day = day_of_amendment(values, book)
            return Step("update", terms_form(book, facility, day, asked))
        preview = records.preview(_fact(records, kind, values))
    except WrongFieldsError as wrong:
        return {f"record_{name}": text for name, text in wrong.wrong.items()}
    except FactRefusedError as refused:
        return _by_block(kind, values, refused)
    return _over(asked, kind, values, preview, {FORMS[kind].fields[-1].block: TOO_LONG})


def _amend(records: Records, asked: Asked) -> dict[str, str] | Step:
    """The terms as they shall be: what differs from what is in force is laid over them."""
    kind = _kind(asked)
    if kind != AMENDMENT:
        raise UsageError(NOT_UNDERSTOOD)
    book = records.look()
    values = changed_terms(asked, _carried(asked), book)
    fields = amended_fields(values, book)
    try:
        preview = records.preview(amendment_of(records.agreements, values, book))
    except WrongFieldsError as wrong:
        return {block_of(fields, name): text for name, text in wrong.wrong.items()}
    except FactRefusedError as refused:
        return by_block(fields, refused)
    return _over(asked, kind, values, preview, {fields[-1].block: TOO_MUCH})


def _over(asked: Asked, kind: str, values: Values, preview: Preview, too_long: dict[str, str]) -> dict[str, str] | Step:
    """The preview over its form; `too_long`, where it is more than Slack carries."""
    origin = asked.carrying(kind=kind, values=values)
    if len(origin) > MOST_CARRIED:
        return too_long
    return Step("push", views.check(preview, origin, views.CHECK if kind not in AGREED else views.APPROVE))


def _fact(records: Records, kind: str, values: Values) -> Fact:
    book = records.look()
    return agreed_of(records.agreements, kind, values, book) if kind in AGREED else fact_of(kind, values, book)


def _take(records: Records, desk: Desk, asked: Asked) -> dict[str, str] | Step:
    """The preview, sent: it is recorded, if it still may be."""
    kind, values = _kind(asked), _carried(asked)
    try:
        done = records.record(_fact(records, kind, values), desk.person(asked))
    except WrongFieldsError as wrong:
        raise UsageError(str(wrong)) from wrong
    if done.became is Became.ALREADY:
        desk.note(asked, about=done.preview.phrase, wrong="recorded already")
    _log.info("recorded", kind=kind, became=done.became.value, user=asked.user_id)
    desk.tell(asked, desk.ephemeral(_told(done)))
    return Step("clear")


def _kind(asked: Asked) -> str:
    kind = asked.carried.get("kind")
    if not isinstance(kind, str) or kind not in FORMS or FORMS[kind].needs > asked.needs:
        raise UsageError(NOT_UNDERSTOOD)
    return kind


def _carried(asked: Asked) -> Values:
    """What the form said, as the preview has brought it back."""
    values: Any = asked.carried.get("values")
    if not isinstance(values, Mapping) or not all(type(value) in (str, int) for value in values.values()):
        raise UsageError(NOT_UNDERSTOOD)
    return {name: one_line(value) if isinstance(value, str) else value for name, value in values.items()}


def _by_block(kind: str, values: Values, refused: FactRefusedError) -> dict[str, str]:
    """What is wrong, under the field that it is about; what is about none that is shown, under the first."""
    blocks = {field.name: field.block for field in FORMS[kind].fields}
    shown: dict[str, list[str]] = {}
    for key, text in refused.faults:
        block = blocks.get(key)
        if block is None or (key not in values and key not in _ALWAYS_SHOWN):
            block = FORMS[kind].fields[0].block
        shown.setdefault(block, []).append(text)
    return {block: " ".join(dict.fromkeys(texts)) for block, texts in shown.items()}


_ALWAYS_SHOWN = ("btc", "usd", "at", "ref", "account")


def _told(done: Recorded) -> Payload:
    """What became of it, for whoever recorded it."""
    phrase, preview = done.preview.phrase, done.preview
    match done.became:
        case Became.RECORDED:
            said = f"Recorded: {phrase}."
        case Became.CLAIMED:
            said = f"{preview.claimed}\n{capital(phrase)}."
        case Became.CONFIRMED:
            said = f"Somebody else had claimed the same, so it is confirmed and counts now: {phrase}."
        case Became.ALREADY:
            waits = " It waits to be confirmed by a second operator." if done.claim else ""
            return notes.note(f"It was recorded already, just so: {phrase}. Nothing was changed.{waits}")
    return notes.note("\n".join([said, *preview.outcome]))
