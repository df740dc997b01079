"""Recommended sales for the golden files: the example's treasury, and one with as many loans as is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from digests import TREASURY, priced
from support import btc, usd

from bot.domain.book import Book, Register
from bot.domain.price import PriceState, PriceView
from bot.domain.raising import raising
from bot.domain.sales import Scenario, plan_cover
from bot.domain.terms import Consent
from bot.domain.treasury import Account, Holds, Treasury
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views.raising import raising as raising_view
from bot.slack.views.sales import sales as view

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def answer(cents: int | None, treasury: Treasury = TREASURY, price: PriceView | None = None) -> Payload:
    """`/sales at` a price; None: as the policy says."""
    book = Book(Register.of(treasury), NOW, price or priced(NOW, 68_500))
    return view(book, plan_cover(book, Scenario(cents)), Slash())


def raised(dollars: str, by: date, treasury: Treasury = TREASURY, price: PriceView | None = None) -> Payload:
    book = Book(Register.of(treasury), NOW, price or priced(NOW, 68_500))
    return raising_view(book, raising(book, usd(dollars), by))


def many(count: int, lender: str = "Lender", **policy: object) -> Treasury:
    """So many loans that are at their call line at $55,000, and coins, cash and stablecoins for some of them."""
    one = replace(TREASURY.facilities[0], group=None, waivers=())
    terms = replace(one.versions[0].terms, consent=Consent.ASK)
    one = replace(one, versions=(replace(one.versions[0], terms=terms),))
    loans = tuple(replace(one, id=f"lender-{n}", lender=f"{lender} {n}") for n in range(count))
    accounts = [Account(f"account-{n}", btc("900"), usd("30000000"), Holds.USDT) for n in range(5)]
    plain = replace(TREASURY.policy, max_cover_btc=None, reserve_btc=0, min_cash_usd=0, **policy)  # type: ignore[arg-type]
    parts = {"groups": (), "notices": (), "movements": (), "accounts": tuple(accounts), "policy": plain}
    return replace(TREASURY, facilities=loans, **parts)


SALES = {
    "sales": lambda: answer(55_000_00),
    "sales_withstand": lambda: answer(None),
    "sales_mix": lambda: answer(55_000_00, many(3)),
    "sales_nothing": lambda: answer(65_000_00),
    "sales_no_price": lambda: answer(None, price=PriceView(PriceState.NONE)),
    "sales_raise": lambda: raised("4000000", date(2026, 2, 20)),
    "sales_raise_short": lambda: raised("38000000", date(2026, 3, 1)),
}
