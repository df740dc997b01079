"""What the word `weekend` of `/sales` answers."""

from __future__ import annotations

from bot.domain.weekend_words import weekend_told
from bot.services.questions import Questions
from bot.slack.limits import Payload
from bot.slack.views.digest import digest as view

WORD = "weekend"


def weekend_answer(questions: Questions) -> Payload:
    """How ready the treasury is for the next closed period of each bank calendar, as of now."""
    return view(weekend_told(questions.book()))
