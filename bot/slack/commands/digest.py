"""`/digest [last]`"""

from __future__ import annotations

from slack_bolt import App

from bot.domain.digest_words import told
from bot.services.digest import Digests
from bot.services.errors import UsageError
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.parsing import tidy
from bot.slack.text import quoted
from bot.slack.views.digest import digest as view

EXAMPLES = ("digest", "digest last")


def register(app: App, desk: Desk, digests: Digests) -> None:
    """Answers with this week's digest as far as the week has come, or that of the last week that ended."""

    def digest(asked: Asked) -> Payload:
        said = tidy(asked.text)
        if said.lower() not in ("", "last"):
            raise UsageError(f"{quoted(said)} is no week to have a digest of.")
        return view(told(digests.ended() if said else digests.running()), desk.slash)

    app.command(desk.slash("digest"))(desk.answering(digest, EXAMPLES))
