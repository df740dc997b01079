"""The Bolt app: every command, click, dialog and event, answered from the database within the request.

`process_before_response` runs a listener in the request's own thread, where a bare command answers in 0.6-1.0 ms; the
default polls every 10 ms and loses an acknowledgement that is followed by an exception. Bolt's own `auth.test` is
replaced by a local answer: no network call happens before the acknowledgement.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.services.access import Access
from bot.services.acting import Acting
from bot.services.digest import Digests
from bot.services.plans import Plans
from bot.services.questions import Questions
from bot.services.records import Records
from bot.slack import events
from bot.slack.actions import approving, claiming, holding, plan, planning, recording, silencing
from bot.slack.commands import alerts, digest, holdings, ltv, plimsoll, production, record, sales
from bot.slack.desk import Desk, Recorder
from bot.slack.dialogs import Dialogs
from bot.slack.health import Health
from bot.slack.requests import Later, Requests
from bot.slack.slash import Slash

_ANYTHING = re.compile(".*", re.DOTALL)


def build_app(  # noqa: PLR0913  (every part of it by name, in one place)
    *,
    signing_secret: str,
    client: WebClient,
    questions: Questions,
    acting: Acting,
    records: Records,
    plans: Plans,
    digests: Digests,
    access: Access,
    requests: Requests,
    audit: Recorder,
    health: Callable[[], Health],
    run_later: Later,
    command_prefix: str = "",
    unavailable: tuple[type[Exception], ...] = (),
    strict: bool = False,
) -> App:
    """The app, ready to be served. `run_later` runs what talks to Slack, in an executor of ours.

    `unavailable` are the errors by which the store says that it cannot be used now; `strict` raises where a payload
    breaks a limit of Slack's (tests) instead of sending its plain text.
    """
    app = App(
        name="plimsoll",
        logger=_bolt_logger(),
        process_before_response=True,
        signing_secret=signing_secret,
        client=client,
        authorize=_at_home(client),
        token_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )
    desk = Desk(
        access=access,
        requests=requests,
        audit=audit,
        run_later=run_later,
        slash=Slash(command_prefix),
        unavailable=unavailable,
        strict=strict,
    )
    ltv.register(app, desk, questions)
    holdings.register(app, desk, questions)
    sales.register(app, desk, questions, plans)
    production.register(app, desk, questions)
    plimsoll.register(app, desk, questions, health)
    digest.register(app, desk, digests)
    dialogs = Dialogs(client, desk)
    alerts.register(app, desk, acting, dialogs)
    holding.register(app, desk, acting)
    plan.register(app, desk, acting)
    silencing.register(app, desk, acting, dialogs)
    record.register(app, desk, records, dialogs)
    recording.register(app, desk, records)
    claiming.register(app, desk, records, dialogs)
    planning.register(app, desk, plans, dialogs)
    approving.register(app, desk, plans, dialogs)
    events.register(app, access, run_later)
    _take_the_rest(app)
    return app


def _at_home(client: WebClient) -> Callable[..., AuthorizeResult]:
    """The bot lives in one workspace: everything that carries Slack's signature is authorised with its one token."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    return authorize


def _take_the_rest(app: App) -> None:
    """Acknowledges what nobody here listens to: an older button, an event subscribed to for later."""

    def taken(ack: Ack) -> None:
        ack()

    for listen in (app.command, app.action, app.shortcut, app.view, app.options):
        listen(_ANYTHING)(taken)
    app.view_closed(_ANYTHING)(taken)
    app.event(_ANYTHING)(taken)


def _bolt_logger() -> logging.Logger:
    """Bolt's own, errors only: its warnings are about what is chosen here on purpose."""
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
