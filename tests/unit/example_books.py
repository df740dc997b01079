"""The example's treasury at an instant and a price, for the golden files, and its LTVs as Slack shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.book import Book, Register
from bot.domain.price import PriceState, PriceView
from bot.domain.treasury import Treasury
from bot.slack.limits import Payload
from bot.slack.parsing import named_exposures
from bot.slack.slash import Slash
from bot.slack.views.ltv import ltv
from bot.treasury_file import read_treasury

GOLDEN = Path(__file__).parent.parent / "golden"
SOURCES = ("coinbase", "kraken", "bitstamp", "gemini")
TREASURY = read_treasury("treasury.toml", (GOLDEN / "treasury.toml").read_text(encoding="utf-8"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def book(when: str, usd: int, state: PriceState = PriceState.FRESH, treasury: Treasury = TREASURY) -> Book:
    now = at(when)
    aged = timedelta(seconds=12) if not state.is_blind else timedelta(minutes=12)
    view = PriceView(state, usd * 100, now - aged, aged, SOURCES, lowest_fresh=usd * 99, blind_polls=3)
    return Book(Register.of(treasury), now, view)


def what_if(when: str, usd: int) -> Book:
    return replace(book(when, usd), price=PriceView.scenario(usd * 100))


def many(count: int) -> Treasury:
    """`count` loans like the example's, each with a lender of its own."""
    one = replace(TREASURY.facilities[0], group=None, waivers=())
    loans = tuple(replace(one, id=f"lender-{n}", lender=f"Lender {n}") for n in range(count))
    return replace(TREASURY, facilities=loans, groups=(), notices=(), movements=())


def ltv_of(now: Book, named: str | None = None) -> Payload:
    return ltv(now, named_exposures(now, named), Slash())
