"""What people see of plans, for the golden files: proposed, asked for anew, carried out, dismissed; and the dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.alert import Person
from bot.domain.book import Book, Register
from bot.domain.plan_words import told
from bot.domain.planning import plan_now
from bot.domain.plans import Act, Did, Found, Made, Plan, Wanted, decide, propose
from bot.domain.price import PriceState, PriceView
from bot.domain.sales import Scenario
from bot.domain.treasury import Movement, MovementKind
from bot.services.plans import Planned
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views import plans as views
from bot.treasury_file import read_treasury

GOLDEN = Path(__file__).parent.parent / "golden"
TEXT = (GOLDEN / "treasury.toml").read_text(encoding="utf-8")
CALM = read_treasury("treasury.toml", TEXT[: TEXT.index("[[call]]")])
NOW = datetime(2026, 2, 9, 16, 0, tzinfo=UTC)
ADA, GRACE = Person("U1", "Ada <Byron>"), Person("U3", "Grace Hopper")
WANTED = Wanted(Scenario(price=5_500_000))
ORIGIN = '{"response_url": "", "in_list": false}'


def book(minutes: int = 0, *movements: Movement) -> Book:
    """Monday, with the desk open and banks too."""
    price = PriceView(PriceState.FRESH, 5_650_000, NOW, timedelta(seconds=12), ("coinbase", "kraken"))
    treasury = replace(CALM, movements=(*CALM.movements, *movements))
    return Book(Register.of(treasury), NOW + timedelta(minutes=minutes), price)


def made(wanted: Wanted = WANTED) -> Made:
    found = plan_now(book(), wanted, 1).made
    assert found is not None
    return found


def proposed() -> Plan:
    return replace(propose(WANTED, made(), ADA, NOW).plan, id=7)


def asked_again() -> Plan:
    now = Found(made(Wanted(Scenario(price=5_300_000))))
    return decide(proposed(), Act(Did.APPROVE, GRACE, 1), NOW, now).plan


def approved() -> Plan:
    return decide(proposed(), Act(Did.APPROVE, GRACE, 1), NOW, Found(made())).plan


SOLD = Movement(
    NOW + timedelta(minutes=9),
    MovementKind.SOLD,
    "fill 1",
    account="custody",
    facility="antalpha",
    btc=100_000_000_000,
    usd=5_420_000_000,
    order="plan 7",
)


def carried_out() -> Payload:
    return views.told(told(book(10, SOLD), replace(approved(), fills=("fill 1",), under=True)))


def ended() -> Plan:
    return decide(proposed(), Act(Did.DISMISS, GRACE, reason="sold <elsewhere>"), NOW).plan


def adjusted(wanted: Wanted) -> Payload:
    return views.planned(Planned(book(), wanted, plan_now(book(), wanted, 1)), Slash("tr-"))


PLANS: dict[str, Callable[[], Payload]] = {
    "plan_proposed": lambda: views.told(told(book(), proposed())),
    "plan_asked_again": lambda: views.told(told(book(), asked_again())),
    "plan_carried_out": carried_out,
    "plan_dismissed": lambda: views.told(told(book(), ended())),
    "plan_adjusted": lambda: adjusted(replace(WANTED, most=400_000_000_000)),
    "plan_not_feasible": lambda: adjusted(replace(WANTED, most=0)),
    "plans": lambda: views.listing(book(10, SOLD), (proposed(), approved(), ended()), Slash("tr-")),
    "plans_none": lambda: views.listing(book(), (), Slash("tr-")),
}
DIALOGS: dict[str, Callable[[], dict[str, Any]]] = {
    "plan_adjust_dialog": lambda: views.adjusting(replace(WANTED, most=400_000_000_000), ORIGIN),
    "plan_dismiss_dialog": lambda: views.dismissing(proposed(), ORIGIN),
}
