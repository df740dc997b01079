"""Taking an alert: acknowledge, snooze, and say that no notice came."""

from __future__ import annotations

import structlog
from slack_bolt import App

from bot.domain.messages import ACKNOWLEDGE, NO_NOTICE, SNOOZE
from bot.domain.snoozes import SNOOZES, put_off_until
from bot.domain.transitions import Act, ActKind
from bot.services.acting import Acting
from bot.services.errors import UsageError
from bot.slack.actions.pressed import NOT_UNDERSTOOD, Pressed
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.limits import Payload
from bot.slack.views.acts import answer
from bot.slack.views.alerts import ACTIONS

_log = structlog.get_logger(__name__)


def register(app: App, desk: Desk, acting: Acting) -> None:
    """Each acts on the alert at once."""

    def act(asked: Asked, kind: ActKind) -> Payload | None:
        pressed = Pressed.of(asked.text)
        until = None
        if kind is ActKind.SNOOZE:
            if pressed.choice not in SNOOZES:
                raise UsageError(NOT_UNDERSTOOD)
            book = acting.look(pressed.alert_id).book
            until = put_off_until(pressed.choice, book.at, book.treasury.zone)
        wanted = Act(kind, desk.person(asked), until, pressed.seen)
        acted = acting.act(pressed.alert_id, wanted)
        became = acted.transition
        _log.info(
            "alert_act",
            act=kind.value,
            alert=pressed.alert_id,
            user=asked.user_id,
            change=became.change.value if became else None,
            reason=became.reason.value if became else None,
        )
        return answer(acted, wanted, desk.slash)

    def pressing(name: str, label: str, kind: ActKind) -> None:
        app.action(ACTIONS[name])(desk.pressing(label, lambda asked: act(asked, kind), records=True))

    pressing(ACKNOWLEDGE, "Acknowledge", ActKind.ACKNOWLEDGE)
    pressing(SNOOZE, "Snooze", ActKind.SNOOZE)
    pressing(NO_NOTICE, "No notice received", ActKind.NO_NOTICE)
