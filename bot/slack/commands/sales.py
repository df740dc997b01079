"""`/sales [-30% | at 55000 | raise 38m by 2026-03-01 | weekend | plans]`"""

from __future__ import annotations

from slack_bolt import App
from slackblocks import Block

from bot.domain.book import Book
from bot.domain.plan_words import since_phrase
from bot.domain.plans import Wanted
from bot.domain.sales import Answer
from bot.domain.sales import Scenario as PlanScenario
from bot.services.books import Scenario
from bot.services.plans import Plans
from bot.services.questions import Questions
from bot.services.selling import recommended, to_raise
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import parse_sales, tidy
from bot.slack.text import rich
from bot.slack.views.parts import context
from bot.slack.views.plans import listing, plan_buttons
from bot.slack.views.raising import raising as raising_view
from bot.slack.views.sales import sales as view
from bot.slack.views.weekend import WORD as WEEKEND
from bot.slack.views.weekend import weekend_answer

PLANS = "plans"
EXAMPLES = (
    "sales",
    "sales -30%",
    "sales at 55000",
    "sales raise 38m by 2026-03-01",
    f"sales {WEEKEND}",
    f"sales {PLANS}",
)
AT_ONCE = 20
"""Facilities for which a plan is there well within the 3 s that Slack waits."""


def register(app: App, desk: Desk, questions: Questions, plans: Plans) -> None:
    """Answers with the recommended sale, what can be done about it and its alternatives; with how an amount is raised
    by a day; with what a weekend asks for; or with the plans there are."""

    def sales(asked: Asked) -> Payload:
        said = tidy(asked.text).lower()
        if said == WEEKEND:
            return weekend_answer(questions.book())
        if said == PLANS:
            return listing(*plans.listing(), desk.slash)
        question = parse_sales(asked.text)
        book = questions.book()
        if question.usd is not None and question.by is not None:
            return raising_view(book, to_raise(book, question.usd, question.by, question.scenario))
        loans = len(book.treasury.facilities)
        if loans > AT_ONCE:
            return desk.in_a_moment(
                asked, planned, f"Planning for {loans} facilities takes a moment; the answer follows."
            )
        return planned(asked)

    def planned(asked: Asked) -> Payload:
        scenario, book = parse_sales(asked.text).scenario, questions.book()
        answer = recommended(book, scenario)
        return view(book, answer, desk.slash, under=_what_to_do(book, answer, scenario))

    def _what_to_do(book: Book, answer: Answer, scenario: Scenario | None) -> list[Block]:
        """What has changed since the last plan for the same, and the buttons."""
        if answer.recommended is None:
            return []
        wanted = Wanted(PlanScenario(scenario.price, scenario.drop) if scenario is not None else PlanScenario())
        last = plans.since_last(wanted, answer.recommended)
        since = [context(rich(since_phrase(book, *last)))] if last is not None else []
        return [*since, plan_buttons(wanted, feasible=answer.recommended.feasible)]

    app.command(desk.slash("sales"))(desk.answering(sales, EXAMPLES))
