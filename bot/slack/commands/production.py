"""`/production [2026-01 | ytd | sites]`"""

from __future__ import annotations

from slack_bolt import App

from bot.domain.production import is_month
from bot.domain.report import YEAR_TO_DATE, months_asked
from bot.services.errors import UsageError
from bot.services.questions import Questions
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.text import quoted
from bot.slack.views.production import production as view
from bot.slack.views.production import sites

EXAMPLES = ("production 2026-01", "production ytd", "production sites")
SITES = "sites"


def register(app: App, desk: Desk, questions: Questions) -> None:
    """Answers with a month's production, the year's so far, or where it was mined."""

    def production(asked: Asked) -> Payload:
        words = tidy(asked.text).lower().split()
        by_site = SITES in words
        left = [word for word in words if word != SITES]
        book = questions.book()
        month = left[0] if left else ""
        if len(left) > 1 or not (is_month(month) or month in ("", YEAR_TO_DATE)):
            raise UsageError(f"{quoted(' '.join(left))} is not a month.")
        try:
            months = months_asked(book, month)
        except ValueError as error:
            raise UsageError(f"{error}.") from None
        return sites(book, months) if by_site else view(book, months)

    app.command(desk.slash("production"))(desk.answering(production, EXAMPLES))
