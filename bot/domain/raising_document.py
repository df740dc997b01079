"""Raising an amount by a day as JSON: `sales --raise USD --by DATE --json`."""

from __future__ import annotations

from bot.domain.answers import Document
from bot.domain.book import Book
from bot.domain.fund import DaySale, Shortfall
from bot.domain.money import Sats, btc_plain, half_up, percent_plain, usd_plain
from bot.domain.raising import Raising, Runway
from bot.domain.raising_words import raising_sentence
from bot.domain.sales_document import sales_heading


def raising_document(book: Book, found: Raising, *, named: bool = False) -> Document:
    """The schedule under `fund`; nothing is recommended for a loan. `named`: its price was asked about."""
    plan, short = found.plan, found.shortfall
    return {
        **sales_heading(book, found.view, named=named),
        "text": raising_sentence(book, found),
        "recommended": None,
        "alternatives": [],
        "fund": {
            "raise_usd": usd_plain(found.asked.usd),
            "by": found.asked.due.isoformat(),
            "feasible": found.feasible if plan is not None else None,
            "until": found.until.isoformat(),
            "expected_btc_per_month": btc_plain(half_up(found.expected.a_month)),
            "needs": [
                {"due": need.due.isoformat(), "usd": usd_plain(need.usd), "purpose": need.purpose}
                for need in (plan.needs if plan is not None else (found.asked,))
            ],
            "mined_btc": btc_plain(plan.mined) if plan is not None else None,
            "free_btc": btc_plain(plan.free) if plan is not None else None,
            "usd": usd_plain(plan.usd) if plan is not None else None,
            "sales": [_sale(sale) for sale in plan.sales] if plan is not None else [],
            "shortfall": _shortfall(short, found.more_btc) if short is not None else None,
            "runways": [_runway(one) for one in found.runways],
        },
    }


def _sale(sale: DaySale) -> Document:
    return {
        "day": sale.day.isoformat(),
        "mined_btc": btc_plain(sale.mined),
        "free_btc": btc_plain(sale.free),
        "price_usd": usd_plain(sale.price),
        "usd": usd_plain(sale.usd),
    }


def _shortfall(short: Shortfall, more: Sats | None) -> Document:
    return {
        "day": short.day.isoformat(),
        "purposes": list(short.purposes),
        "missing_usd": usd_plain(short.missing),
        "missing_btc": btc_plain(more) if more is not None else None,
    }


def _runway(one: Runway) -> Document:
    short = one.plan.shortfall
    return {
        "price_usd": usd_plain(one.price),
        "drop_pct": percent_plain(one.drop) if one.drop is not None else None,
        "weeks": one.plan.runway_weeks,
        "ends": short.day.isoformat() if short is not None else None,
        "missing_usd": usd_plain(short.missing) if short is not None else None,
    }
