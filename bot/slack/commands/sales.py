"""`/sales [-30% | at 55000 | raise 38m by 2026-03-01]`"""

from __future__ import annotations

from slack_bolt import App

from bot.services.questions import Questions
from bot.services.selling import recommended, to_raise
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import parse_sales
from bot.slack.views.raising import raising as raising_view
from bot.slack.views.sales import sales as view

EXAMPLES = ("sales", "sales -30%", "sales at 55000", "sales raise 38m by 2026-03-01")


def register(app: App, desk: Desk, questions: Questions) -> None:
    """Answers with the recommended sale and its alternatives, or with how an amount is raised by a day."""

    def sales(asked: Asked) -> Payload:
        question = parse_sales(asked.text)
        book = questions.book()
        if question.usd is not None and question.by is not None:
            return raising_view(book, to_raise(book, question.usd, question.by, question.scenario))
        return view(book, recommended(book, question.scenario), desk.slash)

    app.command(desk.slash("sales"))(desk.answering(sales, EXAMPLES))
