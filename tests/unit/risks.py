"""The lines ahead for the golden files: the example's treasury against prices made up by a rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from digests import TREASURY, priced

from bot.domain.book import Book, Register
from bot.domain.price import PriceState, PriceView
from bot.domain.price_history import PriceHistory
from bot.domain.risk import risk
from bot.domain.treasury import Treasury
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views.risk import risk as view

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC)


def walked(days: int) -> PriceHistory:
    """Up and down by 0.4 % each hour until now, and once, in the middle, 20 % down for an hour."""
    prices = [70_000_00 - n % 2 * 280_00 for n in range(24 * days)]
    prices[12 * days : 12 * days + 1] = [56_000_00]
    return PriceHistory.of([(NOW - timedelta(hours=24 * days - n), prices[n]) for n in range(24 * days)])


def answer(price: PriceView, days: int, treasury: Treasury = TREASURY) -> Payload:
    now = Book(Register.of(treasury), NOW, price)
    return view(risk(now, walked(days), now.exposures), Slash())


RISKS = {
    "risk": lambda: answer(priced(NOW, 68_500), 90),
    "risk_no_price": lambda: answer(priced(NOW, 68_500, PriceState.DISPUTED), 2),
    "risk_what_if": lambda: answer(PriceView.scenario(48_000_00), 0),
}
