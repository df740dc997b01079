"""Show plan: what would cure it now."""

from __future__ import annotations

from slack_bolt import App

from bot.domain.messages import PLAN
from bot.services.acting import Acting
from bot.services.errors import UsageError
from bot.slack.actions.pressed import Pressed
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.views.alerts import ACTIONS
from bot.slack.views.ltv import ltv
from bot.slack.views.sales import plan_now


def register(app: App, desk: Desk, acting: Acting) -> None:
    """Answers who asks alone, with what `/ltv` would say of the loan that the alert is about, and the recommended sale
    for it at the price as it is."""

    def plan(asked: Asked) -> Payload:
        found = acting.look(Pressed.of(asked.text).alert_id)
        key = found.row.key if found.row else ""
        exposure = next((one for one in found.book.exposures if one.key == key), None)
        if exposure is None:
            raise UsageError(f"There is no loan to make a plan for. Try `{desk.slash('ltv')}`.")
        planned = plan_now(found.book, key, desk.slash)
        shown = ltv(found.book, [exposure], desk.slash, f"What would cure {exposure.title} now", planned)
        desk.note(asked, about=key, act="plan")
        return shown

    app.action(ACTIONS[PLAN])(desk.pressing("Show plan", plan, records=True))
