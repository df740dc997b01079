"""What becomes of a claim: a second operator confirms it, or somebody withdraws it and says why."""

from __future__ import annotations

import structlog
from slack_bolt import App

from bot.domain.fact_words import claim_phrase
from bot.domain.roles import Role
from bot.services.errors import UsageError
from bot.services.records import Records
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.record_forms import Ask
from bot.slack.record_reading import LONGEST
from bot.slack.text import one_line
from bot.slack.views import notes
from bot.slack.views import record as views

_log = structlog.get_logger(__name__)


def register(app: App, desk: Desk, records: Records, dialogs: Dialogs) -> None:
    """Either takes an operator; who recorded it may withdraw it, and may not confirm it."""

    def confirm(asked: Asked) -> Payload:
        said = records.confirm(_claim_id(asked.text), desk.person(asked))
        _log.info("claim_confirmed", claim=asked.text, user=asked.user_id)
        return notes.note(said)

    def ask_why(asked: Asked) -> Payload | None:
        claim_id, book = _claim_id(asked.text), records.look()
        claim = next((one for one in book.treasury.claims if one.id == claim_id), None)
        if claim is None:
            raise UsageError("That claim is not open any more.")
        phrase = claim_phrase(claim, book)
        dialogs.open(asked, views.withdrawing(phrase, asked.carrying(claim=claim_id)))
        return None

    def withdraw(asked: Asked) -> dict[str, str]:
        reason = one_line(str(asked.value(views.REASON_BLOCK).get("value") or ""))
        claim_id = asked.carried.get("claim")
        if not isinstance(claim_id, int):
            return {views.REASON_BLOCK: "This dialog is not understood any more: open a new one."}
        if not reason:
            return {views.REASON_BLOCK: "Say why: it stays with the claim."}
        said = records.withdraw(claim_id, desk.person(asked), reason[: LONGEST[Ask.LONG]])
        _log.info("claim_withdrawn", claim=claim_id, user=asked.user_id)
        desk.tell(asked, desk.ephemeral(notes.note(said)))
        return {}

    operator = Role.OPERATOR
    app.action(views.CONFIRM_CLAIM)(desk.pressing("Confirm", confirm, operator, records=True))
    app.action(views.WITHDRAW_CLAIM)(desk.pressing("Withdraw…", ask_why, operator))
    app.view(views.WITHDRAW)(desk.submitting("Withdraw", withdraw, views.REASON_BLOCK, operator))


def _claim_id(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError("This button is not understood any more.")
    return int(text[:18])
