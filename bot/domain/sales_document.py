"""A recommended sale as JSON: `sales --json`. Amounts are exact; null where an alternative cannot be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.answers import Document, price_document
from bot.domain.book import Book
from bot.domain.documents import claimed_document
from bot.domain.money import Cents, Sats, btc_plain, percent_plain, usd_plain
from bot.domain.periods import iso
from bot.domain.price import PriceView
from bot.domain.restated import late_for_loans, restated_document
from bot.domain.sales.plan import After, Alternative, Answer, Leg, Liquidation, Missing, Need
from bot.domain.sales_words import recommendation
from bot.domain.words import plain_text


def sales_document(book: Book, answer: Answer, *, named: bool = False) -> Document:
    """The answer of Cover. `named`: its price was asked about, and is the answer's `price` as in other questions."""
    best = answer.recommended
    return {
        **sales_heading(book, answer.view, named=named),
        "text": plain_text(recommendation(book, answer)),
        "due": iso(answer.due) if answer.due else None,
        "needs": [_need(need) for need in answer.needs],
        "recommended": _alternative(best) if best is not None else None,
        "alternatives": [_alternative(one) for one in answer.alternatives],
    }


def sales_heading(book: Book, view: PriceView, *, named: bool) -> Document:
    """As of when, at which price, and the one that is planned at."""
    return {
        "as_of": iso(book.at),
        "price": price_document(view if named else book.price),
        "restated": restated_document(late_for_loans(book)),
        "scenario": {
            "usd": _usd(view.usable),
            "state": view.state.value,
            "drop_pct": percent_plain(view.fallen) if view.fallen is not None else None,
            "from_usd": _usd(view.fallen_from),
        },
    }


def _need(need: Need) -> Document:
    return {
        "id": need.id,
        "group": need.is_group,
        "tier": need.tier.name,
        "target_ltv_pct": percent_plain(need.target),
        "due": iso(need.due) if need.due else None,
        "called": need.called,
        "missed": need.missed,
    }


def _alternative(one: Alternative) -> Document:
    return {
        "name": one.name.value,
        "feasible": one.feasible,
        "why": plain_text(one.why) or None,
        "sell_free_btc": _btc(one.sell_free),
        "sell_pledged_btc": _btc(one.sell_pledged),
        "top_up_btc": _btc(one.top_up),
        "repay_usd": _usd(one.repaid),
        "cost_usd": _usd(one.cost),
        "btc_left": _btc(one.btc_left),
        "credited_at": iso(one.credited_at) if one.credited_at else None,
        "proven": one.proven,
        "breaks_reserves": one.breaks_reserves,
        "missing": _missing(one.missing) if one.missing else None,
        "notes": [plain_text(note) for note in one.notes],
        "by_facility": [_after(after) for after in one.after if not after.is_group],
        "by_group": [_after(after) for after in one.after if after.is_group],
        "legs": [_leg(leg) for leg in one.legs],
        "repayments": [
            {"facility": r.facility, "principal_usd": usd_plain(r.principal), "interest_usd": usd_plain(r.interest)}
            for r in one.repayments
        ],
        "liquidations": [_liquidation(sold) for sold in one.liquidations],
        "movements": [claimed_document(movement) for movement in one.movements],
    }


def _after(after: After) -> Document:
    reading = after.reading
    return {
        "id": after.id,
        "ltv_pct": reading.show(reading.ours),
        "lender_ltv_pct": reading.show(reading.lenders),
        "call_price_usd": _usd(after.call_price),
        "debt_usd": usd_plain(after.debt),
        "collateral_btc": btc_plain(after.collateral),
        "settles_at": iso(after.settles) if after.settles else None,
        "cured": after.cured,
    }


def _leg(leg: Leg) -> Document:
    return {
        "way": leg.way.value,
        "facility": leg.facility,
        "account": leg.account,
        "through": leg.through,
        "btc": btc_plain(leg.btc),
        "usd": usd_plain(leg.usd),
        "starts": iso(leg.starts),
        "credited_at": iso(leg.credited_at),
        "released_from": leg.released_from,
        "asks": leg.asks,
    }


def _liquidation(sold: Liquidation) -> Document:
    return {
        "facility": sold.facility,
        "btc": btc_plain(sold.btc),
        "usd": usd_plain(sold.usd),
        "fee_usd": usd_plain(sold.cost),
        "still_owed_usd": usd_plain(sold.still_owed),
        "at": iso(sold.at) if sold.at else None,
    }


def _missing(missing: Missing) -> dict[str, Any]:
    later = missing.later
    return {
        "usd": _usd(missing.usd),
        "btc": _btc(missing.btc),
        "later_s": -(-later // timedelta(seconds=1)) if later is not None else None,
    }


def _usd(amount: Cents | None) -> str | None:
    return usd_plain(amount) if amount is not None else None


def _btc(amount: Sats | None) -> str | None:
    return btc_plain(amount) if amount is not None else None
