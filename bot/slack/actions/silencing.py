"""Silences: the dialog that asks for one, what it takes, and the button that ends one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt import App

from bot.domain.alert import Silence
from bot.domain.silencing import CHECKS, LONGEST, LONGEST_REASON, about, subjects_of, uncovered
from bot.domain.snoozes import SILENCES, put_off_until
from bot.domain.words import moment, plain_text, sentence
from bot.services.acting import Acting, Listing
from bot.services.errors import UsageError
from bot.slack.asked import Asked
from bot.slack.desk import Desk
from bot.slack.dialogs import Dialogs
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import one_line
from bot.slack.views import silence as fields
from bot.slack.views.listing import ASK, END, listing

_log = structlog.get_logger(__name__)


def register(app: App, desk: Desk, acting: Acting, dialogs: Dialogs) -> None:
    """Whoever may ask may silence; every silence names who, until when and why."""

    def ask(asked: Asked) -> None:
        dialogs.open(asked, fields.silencing(acting.listing(), asked.origin))

    def take(asked: Asked) -> dict[str, str]:
        listed = acting.listing()
        wrong, wanted = _read(asked, listed, desk)
        if wanted is None:
            return wrong
        made = acting.silence(wanted, f"silence:{asked.view_id}")
        if made is not None:
            _log.info("silenced", silence=made.id, user=asked.user_id, until=made.until.isoformat())
            desk.tell(asked, desk.ephemeral(_confirmed(acting.listing(), made, desk.slash, in_list=asked.in_list)))
        return {}

    def end(asked: Asked) -> Payload:
        if not asked.text.isascii() or not asked.text.isdigit():
            raise UsageError(f"This button is not understood any more. Try `{desk.slash('alerts')}`.")
        ended = acting.end_silence(int(asked.text[:18]), desk.person(asked))
        _log.info("silence_ended", silence=asked.text[:18], user=asked.user_id, was_in_force=ended)
        told = "Ended: what it kept quiet is said now." if ended else "That silence had ended already."
        return {**listing(acting.listing(), desk.slash, told), "replace_original": True}

    app.action(ASK)(desk.pressing("Silence…", ask))
    app.action(END)(desk.pressing("End", end, records=True))
    app.view(fields.CALLBACK)(desk.submitting("Silence", take, fields.REASON_BLOCK))


def _confirmed(listed: Listing, made: Silence, slash: Slash, *, in_list: bool) -> Payload:
    """What was recorded, and the list with it; it takes the place of the one that the dialog was opened from."""
    until = moment(made.until, listed.book.treasury.zone, listed.book.at)
    shown = listing(listed, slash, f"Silenced until {until}: {about(made)}.")
    return {**shown, "replace_original": in_list}


def _read(asked: Asked, listed: Listing, desk: Desk) -> tuple[dict[str, str], Silence | None]:
    """The silence that the dialog asks for, or what is wrong with it, by field."""
    checks, subjects = _chosen(asked, fields.CHECKS_BLOCK), _chosen(asked, fields.SUBJECTS_BLOCK)
    reason = one_line(str(asked.value(fields.REASON_BLOCK).get("value") or ""))
    wrong: dict[str, str] = {}
    if not checks or set(checks) - CHECKS.keys():
        wrong[fields.CHECKS_BLOCK] = "Choose at least one."
    known = subjects_of(listed.book, (row.key for row in listed.alerts if row.closed_at is None))
    if set(subjects) - known.keys():
        wrong[fields.SUBJECTS_BLOCK] = "One of these is not there any more: choose again."
    elif missed := uncovered(checks, subjects, known):
        named = sentence([f"“{CHECKS[check]}”" for check in missed], last="and")
        wrong[fields.SUBJECTS_BLOCK] = (
            f"{named} is about none of these. Silence it by itself, with nothing chosen here."
        )
    until, untimely = _until(asked, listed)
    wrong |= untimely
    if not reason:
        wrong[fields.REASON_BLOCK] = "Say why: everybody who misses the alert will ask."
    elif len(reason) > LONGEST_REASON:
        wrong[fields.REASON_BLOCK] = f"At most {LONGEST_REASON} characters; these are {len(reason)}."
    if wrong or until is None:
        return wrong, None
    made = Silence(0, frozenset(checks), frozenset(subjects), reason, desk.person(asked), listed.book.at, until)
    return {}, made


def _until(asked: Asked, listed: Listing) -> tuple[datetime | None, dict[str, str]]:
    """When it ends, or what is wrong with that. The exact time counts where both are given."""
    now, zone = listed.book.at, listed.book.treasury.zone
    exact = asked.value(fields.EXACT_BLOCK).get("selected_date_time")
    option = asked.value(fields.UNTIL_BLOCK).get("selected_option")
    if isinstance(exact, int):
        latest = now + LONGEST
        if exact <= now.timestamp():
            return None, {fields.EXACT_BLOCK: "That has passed: choose a time ahead."}
        if exact > latest.timestamp():
            last = plain_text(moment(latest, zone, now))
            return None, {fields.EXACT_BLOCK: f"At most {LONGEST.days} days ahead: until {last}."}
        return datetime.fromtimestamp(exact, UTC), {}
    choice = option.get("value") if isinstance(option, Mapping) else None
    if isinstance(choice, str) and choice in SILENCES:
        return put_off_until(choice, now, zone), {}
    return None, {fields.UNTIL_BLOCK: "Choose how long, or a date and time below."}


def _chosen(asked: Asked, block: str) -> list[str]:
    options: Any = asked.value(block).get("selected_options")
    if not isinstance(options, list):
        return []
    return [str(one.get("value") or "") for one in options if isinstance(one, Mapping)]
