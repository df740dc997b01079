"""Answers as documents: what `--json` prints. Amounts are decimal strings, instants ISO 8601 UTC, unknown is null."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from bot.domain.book import Book
from bot.domain.calls import Call, calls_of, open_calls
from bot.domain.checks import Verdict
from bot.domain.claims import claims_on
from bot.domain.covenant import Cures, Exposure, TierReading
from bot.domain.interest_words import due_of
from bot.domain.money import SATS_PER_BTC, Cents, Sats, btc_plain, percent_plain, usd_plain
from bot.domain.periods import iso
from bot.domain.price import PriceView
from bot.domain.production_checks import found_in
from bot.domain.report import Report, Sale, month_report, report
from bot.domain.restated import late_for_holdings, late_for_loans, late_for_months, restated_document
from bot.domain.terms import Tier
from bot.domain.treasury import Claim, Movement
from bot.domain.wording import aimed_cures
from bot.domain.words import plain_text

Document = dict[str, Any]


def price_document(view: PriceView) -> Document:
    return {
        "usd": _usd(view.last),
        "state": view.state.value,
        "as_of": iso(view.as_of) if view.as_of else None,
        "age_s": int(view.age.total_seconds()) if view.age is not None else None,
        "sources": list(view.sources),
    }


def heading(book: Book) -> Document:
    """What every question carries: the instant asked about and the price it was judged by."""
    return {"as_of": iso(book.at), "price": price_document(book.price)}


def verdicts(book: Book, exposures: Iterable[Exposure]) -> list[Verdict]:
    """The reading and the open calls of each exposure, in order."""
    calls = open_calls(book)
    return [Verdict(book.read(exposure), calls_of(exposure, calls)) for exposure in exposures]


def asked_about(book: Book, named: str | None = None) -> list[Exposure]:
    """Every facility and group; with `named`, the facility of that id, or else the group."""
    if named is None:
        return list(book.exposures)
    return [exposure for exposure in book.exposures if exposure.id == named][:1]  # facilities come first


def ltv_document(book: Book, facility: str | None = None) -> Document:
    """Every facility and group (or only the one of that id) held against its lines."""
    judged = verdicts(book, asked_about(book, facility))
    return {
        **heading(book),
        "restated": restated_document(late_for_loans(book)),
        "facilities": [_exposure_document(book, one) for one in judged if not one.reading.exposure.is_group],
        "groups": [_exposure_document(book, one) for one in judged if one.reading.exposure.is_group],
    }


def _exposure_document(book: Book, verdict: Verdict) -> Document:
    reading = verdict.reading
    exposure = reading.exposure
    waiver, index = book.waiver(exposure), book.price_index(exposure)
    needed = bool(reading.reached or verdict.calls)
    aim = aimed_cures(book, reading, verdict.calls) if needed else None
    return {
        "id": exposure.id,
        "lender": lenders(book, exposure),
        "debt_usd": usd_plain(exposure.debt),
        "collateral_btc": btc_plain(exposure.collateral),
        "in_transit_btc": btc_plain(in_transit(book, exposure)),
        "ltv_pct": reading.show(reading.ours),
        "lender_ltv_pct": reading.show(reading.lenders),
        "lender_price_usd": _usd(floor(reading.valued)) if reading.valued is not None else None,
        "level": verdict.level.word if verdict.level is not None else "unknown",
        "tier": reading.worst.name if reading.worst else None,
        "waived_until": iso(waiver.until) if waiver else None,
        "price_index": {"note": index.note, "since": iso(index.since)} if index else None,
        "call": _call_document(verdict.calls[0]) if verdict.calls else None,
        "claims": [_claim_document(claim) for claim in claims_on(book, exposure)],
        "tiers": [_tier_document(tier) for tier in reading.tiers] or _unread_tiers(book, exposure),
        "cures": _cures_document(aim) if aim else None,
        "interest_due": _interest_document(book, exposure),
    }


def _interest_document(book: Book, exposure: Exposure) -> Document | None:
    """The next payment of interest in cash, and what is overdue; null where neither is."""
    owed = due_of(book, exposure)
    if owed is None or not (owed.next or owed.overdue):
        return None
    return {
        "usd": _usd(owed.next.usd if owed.next else None),
        "due": owed.next.due.isoformat() if owed.next else None,
        "overdue_usd": usd_plain(owed.overdue_usd),
        "overdue_since": owed.overdue_since.isoformat() if owed.overdue_since else None,
    }


def lenders(book: Book, exposure: Exposure) -> str:
    """The lender; of a group, each of its lenders once."""
    if not exposure.is_group:
        return book.treasury.facility_by_id[exposure.id].lender
    members = book.treasury.members(book.treasury.group_by_id[exposure.id])
    return ", ".join(dict.fromkeys(facility.lender for facility in members))


def in_transit(book: Book, exposure: Exposure) -> Sats:
    """Coins on their way to the exposure, in satoshis: not collateral yet."""
    named = {exposure.id}
    if exposure.is_group:
        named = {facility.id for facility in book.treasury.members(book.treasury.group_by_id[exposure.id])}
    return sum(item.btc for item in book.balances.transit if item.facility in named)


def _tier_document(tier: TierReading) -> Document:
    return {
        "name": tier.name,
        "kind": tier.tier.kind.value,
        "ltv_pct": percent_plain(tier.bound.line) if tier.bound.line is not None else None,
        "price_usd": _usd(tier.price),
        "headroom_pct": percent_plain(tier.headroom) if tier.headroom is not None else None,
        "reached": tier.reached,
    }


def _unread_tiers(book: Book, exposure: Exposure) -> list[Document]:
    """The lines of a facility whose coins are its group's: as agreed, with no reading of their own."""
    facility = book.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
    tiers: Sequence[Tier] = book.snapshot.terms(facility).tiers if facility else ()
    return [
        {
            "name": tier.name,
            "kind": tier.kind.value,
            "ltv_pct": percent_plain(tier.line) if tier.line is not None else None,
            "price_usd": None,
            "headroom_pct": None,
            "reached": False,
        }
        for tier in tiers
    ]


def _cures_document(aim: Cures) -> Document:
    return {
        "top_up_btc": _up(aim.top_up, btc_plain),
        "repay_usd": _up(aim.repay, usd_plain),
        "sell_free_btc": _up(aim.sell_free, btc_plain),
        "sell_pledged_btc": _up(aim.sell_pledged, btc_plain),
    }


def _up(amount: Fraction | None, show: Any) -> str | None:
    return show(ceil(amount)) if amount is not None else None


def _call_document(call: Call) -> Document:
    return {
        "at": iso(call.notice.at),
        "due": iso(call.due) if call.due else None,
        "tier": call.tier.name,
        "state": call.state.value,
        "demand_btc": _btc(call.demand.btc),
        "demand_usd": _usd(call.demand.usd),
        "sent_btc": btc_plain(call.sent_btc),
        "sent_usd": usd_plain(call.sent_usd),
        "credited_btc": btc_plain(call.credited.btc),
        "credited_usd": usd_plain(call.credited.usd),
        "missing_btc": _btc(call.missing_btc),
        "missing_usd": _usd(call.missing_usd),
    }


def _claim_document(claim: Claim) -> Document:
    """What somebody recorded and nobody has confirmed: it counts in nothing but what is in transit."""
    said = claim.thing
    return {
        "ref": said.ref,
        "what": (said.kind if isinstance(said, Movement) else said.how).value,
        "btc": _btc(said.btc) if isinstance(said, Movement) else None,
        "usd": _usd(said.usd) if isinstance(said, Movement) else None,
        "at": iso(said.at),
        "by": claim.by,
        "recorded_at": iso(claim.at),
    }


def holdings_document(book: Book) -> Document:
    """Coins by where they are, their value (rounded down), cash, debt and what is left of it all."""
    coins, value = book.coins, holdings_value(book)
    balances = book.balances
    return {
        **heading(book),
        "restated": restated_document(late_for_holdings(book)),
        "coins": {
            "free_btc": btc_plain(coins.free),
            "pledged_btc": btc_plain(coins.pledged),
            "in_transit_btc": btc_plain(coins.in_transit),
            "pool_btc": btc_plain(coins.pool),
            "total_btc": btc_plain(coins.total),
        },
        "by_account": [
            {"id": key, "btc": btc_plain(balance.btc), "usd": usd_plain(balance.usd)}
            for key, balance in balances.accounts.items()
        ],
        "by_facility": [
            {
                "id": facility.id,
                "collateral_btc": btc_plain(balances.collateral.get(facility.id, 0)),
                "debt_usd": usd_plain(balances.debts[facility.id].total),
            }
            for facility in book.treasury.facilities
        ],
        "by_group": [{"id": key, "collateral_btc": btc_plain(amount)} for key, amount in balances.pools.items()],
        "value_usd": _usd(value),
        "cash_usd": usd_plain(book.cash),
        "in_transit_usd": usd_plain(book.cash_in_transit),
        "debt_usd": usd_plain(book.debt),
        "net_usd": _usd(net(book)),
    }


def production_document(book: Book, months: Sequence[str]) -> Document:
    """One month's roll-forward with what is found in it; of several, each of them, and their totals."""
    total = report(book, months)
    head = {**heading(book), "restated": restated_document(late_for_months(book, months))}
    if len(months) == 1:
        return {**head, **_month_document(book, total)}
    each = [_month_document(book, month_report(book, month)) for month in months]
    return {**head, "months": each, "total": _report_document(total)}


def _month_document(book: Book, about: Report) -> Document:
    stated = about.month.statement
    return {
        "month": about.month.month,
        **_report_document(about),
        "statement": {
            "mined_btc": btc_plain(stated.mined),
            "sold_btc": btc_plain(stated.sold),
            "held_btc": btc_plain(stated.held),
        }
        if stated
        else None,
        "gap_btc": _btc(about.month.gap),
        "cash_cost_usd": _usd(about.cash_cost),
        "findings": [
            {"key": one.key, "level": one.level_word, "text": plain_text(f"{said}\n{one.text}")}
            for one, said in found_in(book, about)
        ],
    }


def _report_document(about: Report) -> Document:
    sale = about.sale
    return {
        "opening_btc": btc_plain(about.opening),
        "mined_btc": btc_plain(about.mined),
        "sold_btc": btc_plain(about.sold),
        "other_btc": btc_plain(about.other),
        "closing_btc": btc_plain(about.closing),
        "days": about.days,
        "mined_per_day_btc": _btc(about.per_day),
        "plan_btc": _btc(about.plan),
        "received_usd": _usd(sale.usd if sale else 0),
        "price_usd": _usd(sale.price if sale else None),
        "net_price_usd": _usd(sale.net_price if sale else None),
        "sites": [{"region": one.region, "site": one.site, "btc": btc_plain(one.btc)} for one in about.mined_at],
        "sales": [_sale_document(one) for one in about.sales],
    }


def _sale_document(sale: Sale) -> Document:
    return {
        "name": sale.name,
        "venue": sale.venue,
        "btc": btc_plain(sale.btc),
        "usd": usd_plain(sale.usd),
        "gross_usd": _usd(sale.gross),
        "price_usd": _usd(sale.price),
        "net_price_usd": _usd(sale.net_price),
    }


def holdings_value(book: Book) -> Cents | None:
    """All coins at the price, in cents, rounded down; None without a price."""
    price = book.price.usable
    return book.coins.total * price // SATS_PER_BTC if price is not None else None


def net(book: Book) -> Cents | None:
    """Coins and dollars, those in transit too, less debt, in cents; None without a price."""
    value = holdings_value(book)
    return value + book.cash + book.cash_in_transit - book.debt if value is not None else None


def _usd(amount: Cents | None) -> str | None:
    return usd_plain(amount) if amount is not None else None


def _btc(amount: Sats | None) -> str | None:
    return btc_plain(amount) if amount is not None else None
