"""`/plimsoll [risk [facility] [at 55000 | -20%]]`"""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt import App

from bot.domain.risk import risk
from bot.services.errors import UsageError
from bot.services.questions import Questions
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.health import Health
from bot.slack.limits import Payload
from bot.slack.parsing import named_exposures, parse_ltv, tidy
from bot.slack.slash import Slash
from bot.slack.text import quoted
from bot.slack.views.plimsoll import May
from bot.slack.views.plimsoll import plimsoll as view
from bot.slack.views.risk import risk as risk_view

EXAMPLES = ("plimsoll", "plimsoll risk", "plimsoll risk -20%")
WORDS = ("", "help", "health", "status")
RISK = "risk"


def register(app: App, desk: Desk, questions: Questions, health: Callable[[], Health]) -> None:
    """Answers with help, who may do what, and health; or with how near the lines ahead are."""

    def plimsoll(asked: Asked) -> Payload:
        said = tidy(asked.text)
        word, _, rest = said.partition(" ")
        if word.lower() == RISK:
            return _risk(questions, rest, desk.slash)
        if said.lower() not in WORDS:
            raise UsageError(f"{quoted(said)} is nothing to ask plimsoll about: it takes “{RISK}”, or no word.")
        may = May(desk.roles, desk.standing(asked), desk.name)
        return view(health(), may, desk.slash)

    app.command(desk.slash("plimsoll"))(desk.answering(plimsoll, EXAMPLES))


def _risk(questions: Questions, text: str, slash: Slash) -> Payload:
    question = parse_ltv(text)
    book, history = questions.book_and_prices(question.scenario)
    return risk_view(risk(book, history, named_exposures(book, question.named)), slash)
