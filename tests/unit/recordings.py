"""What `/record` shows, for the golden files: its dialogs, and what the audit channel is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.agreed import Amendment, in_force
from bot.domain.alert import Person
from bot.domain.book import Book, Register
from bot.domain.facts import Fact
from bot.domain.price import PriceState, PriceView
from bot.domain.record_told import RecordTold
from bot.domain.roles import Role
from bot.domain.treasury import Claim, Movement, MovementKind
from bot.domain.words import someone
from bot.services.agreeing import Agreements
from bot.services.records import previewed
from bot.slack.asked import Asked
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.term_fields import typed_terms
from bot.slack.views import record
from bot.slack.views.terms import terms_form
from bot.treasury_file import read_part, read_treasury

GOLDEN = Path(__file__).parent.parent / "golden"
TEXT = (GOLDEN / "treasury.toml").read_text(encoding="utf-8")
CALLED = read_treasury("treasury.toml", TEXT[: TEXT.index("[[movement]]")])
NOW = datetime(2026, 2, 7, 15, 0, tzinfo=UTC)
ORIGIN = '{"response_url": "", "in_list": false}'
ASKED = Asked("Record", "", "U3", "T1", None, "", "")
ADA = Person("U1", "Ada <Byron>")
MINED = Movement(NOW - timedelta(days=9), MovementKind.MINED, "pool <7>", account="custody", btc=1_250_000_000)
TOP_UP = Movement(NOW, MovementKind.PLEDGED, "top-up 1", account="custody", facility="antalpha", btc=47_462_000_000)
CLAIM = Claim(7, TOP_UP, ADA.id, ADA.name, NOW)


def book(claims: tuple[Claim, ...] = ()) -> Book:
    price = PriceView(PriceState.FRESH, 5_600_000, NOW, timedelta(seconds=12), ("coinbase", "kraken"))
    return Book(Register.of(replace(CALLED, claims=claims)), NOW, price)


def _checked(fact: Fact, claims: tuple[Claim, ...] = ()) -> dict[str, Any]:
    return record.check(previewed(book(claims), fact)[0], ORIGIN)


def _told(fact: Fact, claim: int = 0) -> Payload:
    preview, _ = previewed(book(), fact)
    word = "Claimed" if claim else "Recorded"
    told = RecordTold(f"{word} by {someone(ADA)}: {preview.phrase}", preview.lines, preview.claimed, claim)
    return record.told(told)


def _amended() -> Amendment:
    """A higher rate, and a line that is nearer, since a week ago."""
    facility = CALLED.facilities[0]
    before = in_force(facility, date(2026, 2, 1))
    after = typed_terms(before, {"rate": "8.5 %", "line_1": "1.35x"})
    return Agreements(read_part).amendment(CALLED, facility, date(2026, 2, 1), after)


LATE = replace(MINED, at=NOW - timedelta(days=5))
RECORDS: dict[str, Callable[[], Payload]] = {
    "record_told": lambda: _told(LATE),
    "record_claimed": lambda: _told(TOP_UP, 7),
    "record_claims": lambda: record.claims((CLAIM,), book((CLAIM,)), Slash("tr-")),
    "record_no_claims": lambda: record.claims((), book(), Slash("tr-")),
}
DIALOGS: dict[str, Callable[[], dict[str, Any]]] = {
    "record_kinds_dialog": lambda: record.kinds(ORIGIN, Role.APPROVER),
    "record_sold_dialog": lambda: record.form("sold", book(), ORIGIN),
    "record_notice_dialog": lambda: record.form("notice", book(), ORIGIN),
    "record_amendment_dialog": lambda: record.form("amendment", book(), ORIGIN),
    "record_terms_dialog": lambda: terms_form(book(), CALLED.facilities[0], date(2026, 2, 1), ASKED),
    "record_new_terms_dialog": lambda: _checked(_amended()),
    "record_check_dialog": lambda: _checked(LATE),
    "record_claim_dialog": lambda: _checked(TOP_UP),
    "record_withdraw_dialog": lambda: record.withdrawing("pledged 474.62 BTC to antalpha", ORIGIN),
    "record_trouble_dialog": lambda: record.trouble("“top-up 1” is claimed by Ada <Byron> and not confirmed."),
}
