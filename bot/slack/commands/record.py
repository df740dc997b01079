"""`/record [KIND | claims]`"""

from __future__ import annotations

from slack_bolt import App

from bot.domain.roles import Role
from bot.services.errors import UsageError
from bot.services.records import Records
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.record_forms import FORMS
from bot.slack.text import quoted
from bot.slack.views import notes
from bot.slack.views.record import claims, form, kinds, lacking

EXAMPLES = ("record", "record sold", "record claims")


def register(app: App, desk: Desk, records: Records, dialogs: Dialogs) -> None:
    """Opens the dialog that asks what to record, or the form of a kind, or lists what waits to be confirmed."""

    def record(asked: Asked) -> Payload | None:
        said = _said(asked)
        book = records.look()
        if said == "claims":
            return claims(book.treasury.claims, book, desk.slash)
        if not said:
            dialogs.open(asked, kinds(asked.origin, desk.standing(asked).role or asked.needs))
            return None
        if said not in FORMS:
            raise UsageError(f"{quoted(tidy(asked.text))} is nothing to record; it is one of {', '.join(FORMS)}.")
        if why := lacking(said, book):
            return notes.note(why)
        dialogs.open(asked, form(said, book, asked.carrying(kind=said)))
        return None

    app.command(desk.slash("record"))(desk.answering(record, EXAMPLES, _needs))


def _said(asked: Asked) -> str:
    return tidy(asked.text).lower().replace(" ", "_")


def _needs(asked: Asked) -> Role:
    """What recording a kind takes; an operator, where it is none or not said yet."""
    form = FORMS.get(_said(asked))
    return form.needs if form else Role.OPERATOR
