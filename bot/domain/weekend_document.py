"""Weekend readiness as JSON: `sales --weekend --json`."""

from __future__ import annotations

from datetime import datetime

from bot.domain.answers import Document, heading
from bot.domain.book import Book
from bot.domain.closures import bank_closures
from bot.domain.money import btc_plain, percent_plain, usd_plain
from bot.domain.periods import iso
from bot.domain.sales.plan import Leg, Missing
from bot.domain.weekend import Fall, Movable, Readiness, Wanted, readiness
from bot.domain.weekend_acts import cheapest_act


def weekend_document(book: Book) -> Document:
    """The next closed period of each bank calendar, the first to shut first; none where no rail ever closes."""
    found = [readiness(book, closure) for closure in bank_closures(book.treasury, book.at)]
    return {**heading(book), "closures": [_closure(one) for one in found]}


def _closure(found: Readiness) -> Document:
    nearest = found.nearest
    return {
        "calendar": found.closure.calendar.id,
        "last_wire": iso(found.closure.shuts),
        "next_wire": iso(found.closure.opens),
        "next_line": None
        if nearest is None
        else {
            "title": nearest.title,
            "tier": nearest.line.name,
            "price_usd": _usd(nearest.line.price),
            "headroom_pct": percent_plain(nearest.headroom),
        },
        "falls": [_fall(found, fall) for fall in found.falls],
    }


def _fall(found: Readiness, fall: Fall) -> Document:
    act = cheapest_act(found, fall)
    return {
        "fall_pct": percent_plain(fall.part),
        "price_usd": _usd(fall.view.last),
        "needs": [_wanted(one) for one in fall.wanted],
        "movable": _movable(fall.movable) if fall.movable is not None else None,
        "short": _missing(fall.moved.missing) if fall.moved is not None else None,
        "act": None
        if act is None
        else {
            "before_last_wire": [_leg(leg) for leg in act.now],
            "once_called": [_leg(leg) for leg in act.then],
            "missing": _missing(act.missing),
        },
    }


def _wanted(one: Wanted) -> Document:
    return {
        "id": one.need.id,
        "group": one.need.is_group,
        "tier": one.need.tier.name,
        "target_pct": percent_plain(one.need.target),
        "called": one.need.called,
        "due": None if one.guessed else iso(one.due),
        "top_up_btc": _btc(one.top_up),
        "repay_usd": _usd(one.repay),
        "waived_until": _instant(one.waived),
    }


def _movable(movable: Movable) -> Document:
    return {
        "by": iso(movable.by),
        "btc": _btc(movable.btc),
        "releasable_btc": _btc(movable.released),
        "usdt": _usd(movable.usdt),
        "usdc": _usd(movable.usdc),
        "bank_usd": _usd(movable.bank),
        "too_late_usd": _usd(movable.stuck),
    }


def _missing(missing: Missing | None) -> Document | None:
    return None if missing is None else {"btc": _btc(missing.btc), "usd": _usd(missing.usd)}


def _leg(leg: Leg) -> Document:
    return {
        "way": leg.way.value,
        "facility": leg.facility,
        "account": leg.account,
        "btc": _btc(leg.btc),
        "usd": _usd(leg.usd),
        "credited_at": iso(leg.credited_at),
    }


def _btc(amount: int | None) -> str | None:
    return None if amount is None else btc_plain(amount)


def _usd(amount: int | None) -> str | None:
    return None if amount is None else usd_plain(amount)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
