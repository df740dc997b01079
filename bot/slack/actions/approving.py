"""What becomes of a proposed plan: a second person approves it, or an approver dismisses it and says why."""

from __future__ import annotations

import re

import structlog
from slack_bolt import App

from bot.domain.plans import Change
from bot.domain.roles import Role
from bot.services.errors import UsageError
from bot.services.plans import Plans
from bot.slack.actions.planning import NOT_UNDERSTOOD
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.text import one_line
from bot.slack.views import notes
from bot.slack.views import plans as views

_log = structlog.get_logger(__name__)

_PLAN = re.compile(r"(\d{1,18}) (\d{1,9})\Z", re.ASCII)
_APPROVALS = {
    Change.APPROVED: "Approved: {plan}. Carry it out, and record it as it is done.",
    Change.ASKED_AGAIN: "Not approved: its numbers have moved by more than 1 %. {Plan} is asked for anew, below.",
    Change.EXPIRED: "Not approved: nothing is to be cured any more, so {plan} has ended.",
}


def register(app: App, desk: Desk, plans: Plans, dialogs: Dialogs) -> None:
    """Either takes an approver; who proposed it may dismiss it, and may not approve it."""

    def approve(asked: Asked) -> Payload:
        plan_id, shown = _plan(asked.text)
        came = plans.approve(plan_id, shown, desk.person(asked))
        _log.info("plan_approval", plan=plan_id, user=asked.user_id, became=came.turn.change.value)
        title = came.turn.plan.title
        said = came.refused or _APPROVALS[came.turn.change].format(plan=title, Plan=title.capitalize())
        return notes.note(said)

    def ask_why(asked: Asked) -> None:
        plan_id, _ = _plan(asked.text)
        _, plan = plans.plan(plan_id)
        if not plan.is_open:
            raise UsageError(f"{plan.title.capitalize()} is {plan.status.value} already.")
        dialogs.open(asked, views.dismissing(plan, asked.carrying(plan=plan_id)))

    def dismiss(asked: Asked) -> dict[str, str]:
        reason = one_line(str(asked.value(views.REASON_BLOCK).get("value") or ""))
        plan_id = asked.carried.get("plan")
        if not isinstance(plan_id, int):
            return {views.REASON_BLOCK: "This dialog is not understood any more: open a new one."}
        if not reason:
            return {views.REASON_BLOCK: "Say why: it stays with the plan."}
        came = plans.dismiss(plan_id, desk.person(asked), reason[: views.LONGEST_REASON])
        _log.info("plan_dismissal", plan=plan_id, user=asked.user_id, became=came.turn.change.value)
        desk.tell(asked, desk.ephemeral(notes.note(came.refused or f"Dismissed: {came.turn.plan.title}.")))
        return {}

    approver = Role.APPROVER
    app.action(views.APPROVE)(desk.pressing("Approve", approve, approver, records=True))
    app.action(views.DISMISS)(desk.pressing("Dismiss…", ask_why, approver))
    app.view(views.DISMISS)(desk.submitting("Dismiss a plan", dismiss, views.REASON_BLOCK, approver))


def _plan(text: str) -> tuple[int, int]:
    """Which plan, and which asking of it. UsageError where it is none of ours."""
    found = _PLAN.match(text)
    if found is None:
        raise UsageError(NOT_UNDERSTOOD)
    return int(found[1]), int(found[2])
