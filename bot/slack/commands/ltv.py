"""`/ltv [facility] [at 55000 | -20%]`"""

from __future__ import annotations

from slack_bolt import App

from bot.services.questions import Questions
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import named_exposures, parse_ltv
from bot.slack.views.ltv import ltv as view

EXAMPLES = ("ltv at 55000", "ltv -20%")


def register(app: App, desk: Desk, questions: Questions) -> None:
    """Answers with every facility's LTV, or one's, at the price as it is or a what-if."""

    def ltv(asked: Asked) -> Payload:
        question = parse_ltv(asked.text)
        book = questions.book(question.scenario)
        return view(book, named_exposures(book, question.named), desk.slash)

    app.command(desk.slash("ltv"))(desk.answering(ltv, EXAMPLES))
