"""`/plimsoll`"""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt import App

from bot.services.errors import UsageError
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.health import Health
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.text import quoted
from bot.slack.views.plimsoll import May
from bot.slack.views.plimsoll import plimsoll as view

EXAMPLES = ("plimsoll",)
WORDS = ("", "help", "health", "status")


def register(app: App, desk: Desk, health: Callable[[], Health]) -> None:
    """Answers with help, who may do what, and health."""

    def plimsoll(asked: Asked) -> Payload:
        said = tidy(asked.text)
        if said.lower() not in WORDS:
            raise UsageError(f"{quoted(said)} is nothing to ask plimsoll about: it takes no words.")
        may = May(desk.roles, desk.standing(asked), desk.name)
        return view(health(), may, desk.slash)

    app.command(desk.slash("plimsoll"))(desk.answering(plimsoll, EXAMPLES))
