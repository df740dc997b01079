"""Each kind of message as JSON: a change of what people see is a diff of a file in tests/golden.

UPDATE_GOLDEN=1 writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from alerted import ALERTS, KEY, listed
from digests import DIGESTS
from example_books import GOLDEN, SOURCES, TREASURY, at, book, ltv_of, many, what_if
from planned import DIALOGS as PLAN_DIALOGS
from planned import PLANS
from productions import with_production
from recordings import DIALOGS as RECORD_DIALOGS
from recordings import RECORDS
from risks import RISKS
from sold import SALES

from bot.domain.book import Book
from bot.domain.closures import bank_calendars, next_closure
from bot.domain.interest_reminders import reminder_told, reminders
from bot.domain.price import PriceState, PriceView
from bot.domain.roles import Role, Roles, Standing
from bot.domain.terms import InterestMode
from bot.domain.treasury import Treasury
from bot.domain.weekend_words import closure_told
from bot.slack.health import Health
from bot.slack.limits import Payload, faults
from bot.slack.parsing import named_exposures
from bot.slack.slash import Slash
from bot.slack.views import notes
from bot.slack.views.digest import digest
from bot.slack.views.holdings import holdings
from bot.slack.views.ltv import ltv
from bot.slack.views.plimsoll import May, plimsoll
from bot.slack.views.production import production, sites
from bot.slack.views.sales import plan_now
from bot.slack.views.silence import silencing
from bot.workspace.blocks import check_blocks, check_view


def mining(when: str) -> Book:
    return book(when, 68_500, treasury=with_production(TREASURY))


def plan_of(now: Book) -> Payload:
    planned = plan_now(now, KEY, Slash())
    return ltv(now, named_exposures(now, "antalpha"), Slash(), "What would cure Antalpha now", planned)


def paying() -> Treasury:
    """The example, its interest due in cash on the first."""
    loan = TREASURY.facilities[0]
    versions = tuple(replace(one, terms=replace(one.terms, interest=InterestMode.PAID)) for one in loan.versions)
    return replace(TREASURY, facilities=(replace(loan, versions=versions),), notices=(), movements=())


def reminded(when: str, nth: int = 0) -> Payload:
    now = book(when, 68_500, treasury=paying())
    return digest(reminder_told(now, list(reminders(now, time(9)))[nth]))


def weekend(usd: int) -> Payload:
    """As it is posted on Friday at noon in New York, with $60M there and nobody called yet."""
    rich = replace(TREASURY.accounts[0], usd=60_000_000_00)
    quiet = replace(TREASURY, accounts=(rich,), notices=(), movements=())
    now = book("02-06 17:00", usd, treasury=replace(quiet, policy=replace(quiet.policy, reserve_btc=10**10)))
    return digest(closure_told(now, next_closure(bank_calendars(quiet)[0], now.at)))


WELL = Health(
    at=at("02-07 12:00"),
    price=book("02-07 12:00", 68_500).price,
    sources=SOURCES,
    last_check=at("02-07 11:59"),
    facility="antalpha",
    version="0.1.0",
)
UNWELL = replace(
    WELL,
    price=PriceView(PriceState.NONE),
    last_check=None,
    undelivered=2,
    undelivered_since=at("02-07 11:50"),
    failed=1,
    failures=("channel_not_found",),
    database="locked",
    facility="",
    socket_silent_for=timedelta(seconds=90),
    closed=("ALERT_CHANNEL (C1) is shared with another organisation",),
)
EVERYBODY = May(Roles(), Roles().standing("U1", {}), lambda _: "")
NAMED = May(
    Roles(("S0TREASURY",), ("U2", "S0DESK"), ("U3",)),
    Standing(Role.VIEWER, (("S0DESK", Role.OPERATOR),)),
    lambda user: {"U2": "Sam Hill", "U3": "Ada <Byron>"}[user],
)

KINDS: dict[str, Callable[[], Payload]] = {
    **ALERTS,
    "plan": lambda: plan_of(book("02-07 12:00", 55_000)),
    "ltv": lambda: ltv_of(book("02-07 12:00", 68_500)),
    "ltv_called": lambda: ltv_of(book("02-07 18:00", 56_000), "antalpha"),
    "ltv_what_if": lambda: ltv_of(what_if("02-07 12:00", 55_000)),
    "ltv_interest": lambda: ltv_of(book("03-09 12:00", 68_500, treasury=paying()), "antalpha"),
    "interest_before": lambda: reminded("02-28 15:00", nth=1),
    "interest_late": lambda: reminded("03-02 15:00"),
    "weekend": lambda: weekend(63_000),
    "weekend_calm": lambda: weekend(75_000),
    "ltv_unknown": lambda: ltv_of(book("02-07 12:00", 68_500, PriceState.DISPUTED)),
    "ltv_of_fourteen": lambda: ltv_of(book("02-07 12:00", 50_000, treasury=many(14))),
    "holdings": lambda: holdings(book("02-07 12:00", 68_500)),
    "holdings_changed": lambda: holdings(book("03-08 12:00", 68_500)),
    "production": lambda: production(mining("02-20 12:00"), ["2026-02"]),
    "production_year": lambda: production(mining("03-20 12:00"), ["2026-01", "2026-02", "2026-03"]),
    "production_sites": lambda: sites(mining("02-20 12:00"), ["2026-02"]),
    **DIGESTS,
    **RISKS,
    **SALES,
    **RECORDS,
    **PLANS,
    "plimsoll": lambda: plimsoll(WELL, EVERYBODY, Slash("tr-")),
    "plimsoll_unwell": lambda: plimsoll(UNWELL, NAMED, Slash()),
    "usage": lambda: notes.usage("“banana” is not a price.", ("/ltv at 55000", "/ltv -20%")),
    "failure": lambda: notes.failure("/ltv", "1a2b3c4d"),
    "busy": lambda: notes.busy("/ltv"),
    "nothing_imported": lambda: notes.note("Nothing imported yet: plimsoll import FILE"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_as_the_golden_file_says(kind: str) -> None:
    made = KINDS[kind]()
    text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    path = GOLDEN / f"{kind}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_slack_would_take_it(kind: str) -> None:
    made = KINDS[kind]()
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []


DIALOGS: dict[str, Callable[[], dict[str, Any]]] = {
    "silence_dialog": lambda: silencing(listed(), '{"response_url": "", "in_list": false}'),
    **RECORD_DIALOGS,
    **PLAN_DIALOGS,
}


@pytest.mark.parametrize("kind", DIALOGS)
def test_a_dialog_reads_as_the_golden_file_says_and_slack_would_take_it(kind: str) -> None:
    made = DIALOGS[kind]()
    text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    path = GOLDEN / f"{kind}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert faults(made, "modal") == []
    assert check_view(made) == []


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*KINDS, *DIALOGS}
