"""`/alerts [silence]`"""

from __future__ import annotations

from slack_bolt import App

from bot.services.acting import Acting
from bot.services.errors import UsageError
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.text import quoted
from bot.slack.views.listing import listing
from bot.slack.views.silence import silencing

EXAMPLES = ("alerts", "alerts silence")


def register(app: App, desk: Desk, acting: Acting, dialogs: Dialogs) -> None:
    """Answers with what is open and in whose hands, or opens the dialog that asks for a silence."""

    def alerts(asked: Asked) -> Payload | None:
        said = tidy(asked.text)
        if said.lower() == "silence":
            dialogs.open(asked, silencing(acting.listing(), asked.origin))
            return None
        if said:
            raise UsageError(f"{quoted(said)} is nothing to ask alerts about.")
        return listing(acting.listing(), desk.slash)

    app.command(desk.slash("alerts"))(desk.answering(alerts, EXAMPLES))
