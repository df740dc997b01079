"""What may be done with a recommendation: propose it to the approvers, adjust it, or let it go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt import App

from bot.domain.money import MOST_BTC, Sats, percent_plain, usd_plain
from bot.domain.plan_documents import wanted_document, wanted_from
from bot.domain.plans import Wanted
from bot.domain.roles import Role
from bot.domain.sales import Scenario, Way
from bot.services.errors import UsageError
from bot.services.plans import Plans
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.parsing import parse_drop, parse_price
from bot.slack.record_reading import amount_of
from bot.slack.text import one_line
from bot.slack.views import notes
from bot.slack.views import plans as views

_log = structlog.get_logger(__name__)

NOT_UNDERSTOOD = "This button is not understood any more: use those of the newest message."


def register(app: App, desk: Desk, plans: Plans, dialogs: Dialogs) -> None:
    """Proposing takes an operator; to look at another plan, or at none, takes nothing."""

    def propose(asked: Asked) -> Payload:
        came = plans.propose(_wanted(asked.text), desk.person(asked))
        if came.turn is None or came.already:
            desk.note(asked, reason=came.found.why or "already")
        else:
            _log.info("plan_proposed", plan=came.turn.plan.id, user=asked.user_id)
        return notes.note(views.proposed(came, plans.channel or ""))

    def ask_how(asked: Asked) -> None:
        wanted = _wanted(asked.text)
        dialogs.open(asked, views.adjusting(wanted, asked.carrying(wanted=wanted_document(wanted))))

    def adjust(asked: Asked) -> dict[str, str]:
        wrong, wanted = _adjusted(asked)
        if wanted is not None:
            shown = views.planned(plans.look(wanted), desk.slash)
            desk.note(asked, wanted=wanted_document(wanted))
            desk.tell(asked, {**desk.ephemeral(shown), "replace_original": asked.in_list})
        return wrong

    def drop(asked: Asked) -> Payload:
        return {**notes.note("Dismissed: nothing was proposed."), "replace_original": asked.in_list}

    app.action(views.PROPOSE)(desk.pressing("Propose", propose, Role.OPERATOR, records=True))
    app.action(views.ADJUST)(desk.pressing("Adjust…", ask_how))
    app.view(views.ADJUST)(desk.submitting("Adjust the plan", adjust, views.PRICE_BLOCK))
    app.action(views.DROP)(desk.pressing("Dismiss", drop))


def _wanted(text: str) -> Wanted:
    """What a button carries. UsageError where it is none of ours."""
    try:
        return wanted_from(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(NOT_UNDERSTOOD) from error


def _adjusted(asked: Asked) -> tuple[dict[str, str], Wanted | None]:
    """What the dialog asks for, or what is wrong with it, by field."""
    wrong: dict[str, str] = {}
    try:
        was = wanted_from(asked.carried["wanted"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return {views.PRICE_BLOCK: "This dialog is not understood any more: open a new one."}, None
    ways = _ways(asked)
    if not ways:
        wrong[views.WAYS_BLOCK] = "Choose at least one."
    most = _typed(asked, views.MOST_BLOCK)
    coins = _coins(most, wrong) if most else None
    scenario = _scenario(asked, was.scenario, wrong)
    return (wrong, None) if wrong else ({}, Wanted(scenario, ways, coins, was.keep_reserves or Way.CASH not in ways))


def _scenario(asked: Asked, was: Scenario, wrong: dict[str, str]) -> Scenario:
    """The price or fall that is asked for. One that was only filled in, and stands so, gives way to what was typed."""
    price, drop = _typed(asked, views.PRICE_BLOCK), _typed(asked, views.DROP_BLOCK)
    filled_price = usd_plain(was.price) if was.price is not None else ""
    filled_drop = percent_plain(was.drop) if was.drop is not None else ""
    if (price, drop) == (filled_price, filled_drop):
        return was
    if price and drop:
        price, drop = price if price != filled_price else "", drop if drop != filled_drop else ""
    if price and drop:
        wrong[views.DROP_BLOCK] = "Give a price or a fall, not both."
        return Scenario()
    try:
        if price:
            return Scenario(price=parse_price(price))
        return Scenario(drop=parse_drop(drop.removesuffix("%").strip().lstrip("-−"))) if drop else Scenario()
    except UsageError as error:
        wrong[views.PRICE_BLOCK if price else views.DROP_BLOCK] = str(error)
        return Scenario()


def _coins(text: str, wrong: dict[str, str]) -> Sats:
    try:
        coins = amount_of(text, 8, "1,391.61")
    except ValueError as error:
        wrong[views.MOST_BLOCK] = str(error)
        return 0
    if not 0 <= coins <= MOST_BTC:
        wrong[views.MOST_BLOCK] = "Give a number of coins, or nothing."
    return coins


def _ways(asked: Asked) -> frozenset[Way]:
    options: Any = asked.value(views.WAYS_BLOCK).get("selected_options")
    chosen = [str(one.get("value") or "") for one in options or () if isinstance(one, Mapping)]
    return frozenset(Way(word) for word in chosen if word in set(Way))


def _typed(asked: Asked, block: str) -> str:
    return one_line(str(asked.value(block).get("value") or ""))
