"""`/holdings`"""

from __future__ import annotations

from slack_bolt import App

from bot.services.errors import UsageError
from bot.services.questions import Questions
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.text import quoted
from bot.slack.views.holdings import holdings as view

EXAMPLES = ("holdings",)


def register(app: App, desk: Desk, questions: Questions) -> None:
    """Answers with coins, cash and debt as they are now."""

    def holdings(asked: Asked) -> Payload:
        if said := tidy(asked.text):
            raise UsageError(f"{quoted(said)} is nothing to ask holdings about: it takes no words.")
        return view(questions.book())

    app.command(desk.slash("holdings"))(desk.answering(holdings, EXAMPLES))
