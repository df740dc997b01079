"""The digest as JSON: the figures of `holdings --json` and `ltv --json`, with those of a week ago beside them."""

from __future__ import annotations

from typing import Any

from bot.domain.advice import advice
from bot.domain.alert import Episode, Silence
from bot.domain.answers import Document, heading, holdings_document, ltv_document
from bot.domain.book import Book
from bot.domain.digest import Digest, Flow, MonthFlow, Standing
from bot.domain.digest_dates import Ahead
from bot.domain.money import btc_plain, percent_plain, plain, usd_plain
from bot.domain.periods import iso
from bot.domain.restated import late_for_loans, restated_document
from bot.domain.words import plain_text

_OF_HOLDINGS = ("coins", "value_usd", "cash_usd", "in_transit_usd", "debt_usd", "net_usd")
_OF_LTV = ("id", "lender", "ltv_pct", "lender_ltv_pct", "level", "tier")


def digest_document(digest: Digest) -> Document:
    """Everything of the digest; what was not known is null, as is what was before the treasury opened."""
    book, before, week = digest.book, digest.before, digest.week
    document = ltv_document(book)
    then = ltv_document(before) if before is not None else {}
    change = digest.price_change
    flows = {"week": _flow(digest.flow), "week_before": _flow(digest.flow_before)}
    return {
        **heading(book),
        "restated": restated_document(late_for_loans(book)),
        "week": {"name": week.name, "begins": iso(week.begins), "ends": iso(week.ends), "over": digest.is_over},
        "before": heading(before) if before is not None else None,
        "price_change_pct": percent_plain(change) if change is not None else None,
        "recommendation": plain_text(advice(book, [one.verdict for one in digest.standings])),
        "holdings": _holdings(book),
        "holdings_before": _holdings(before),
        "facilities": _standings(digest, document["facilities"], then.get("facilities", []), is_group=False),
        "groups": _standings(digest, document["groups"], then.get("groups", []), is_group=True),
        "production": {**flows, "month": _month(digest.month), "month_before": _month(digest.month_before)},
        "alerts": {
            "opened": [_episode(one) for one in digest.opened],
            "closed": [_episode(one) for one in digest.closed],
            "open": [_episode(one) for one in digest.still_open],
        },
        "silences": [_silence(one) for one in digest.silences],
        "ahead": [_coming(one) for one in digest.ahead],
    }


def _holdings(book: Book | None) -> Document | None:
    if book is None:
        return None
    whole = holdings_document(book)
    return {name: whole[name] for name in _OF_HOLDINGS}


def _standings(digest: Digest, now: list[Document], then: list[Document], *, is_group: bool) -> list[Document]:
    """What `ltv --json` says of each, its next line, and what it said a week ago."""
    before = {one["id"]: one for one in then}
    of_kind = [one for one in digest.standings if one.verdict.reading.exposure.is_group is is_group]
    return [
        {
            **_kept(document),
            "next": _next(standing, document),
            "change_pct": plain(standing.change, 2) if standing.change is not None else None,
            "before": _kept(before[document["id"]]) if document["id"] in before else None,
        }
        for standing, document in zip(of_kind, now, strict=True)
    ]


def _kept(document: Document) -> Document:
    return {name: document[name] for name in _OF_LTV}


def _next(standing: Standing, document: Document) -> Document | None:
    """The mildest line that is not reached, as `ltv --json` has it; null where none is known to be ahead."""
    line = standing.verdict.reading.next_line
    return next((tier for tier in document["tiers"] if line is not None and tier["name"] == line.name), None)


def _flow(flow: Flow | None) -> Document | None:
    if flow is None:
        return None
    return {
        "mined_btc": btc_plain(flow.mined),
        "sold_btc": btc_plain(flow.sold),
        "proceeds_usd": usd_plain(flow.proceeds) if flow.proceeds is not None else None,
        "average_usd": usd_plain(flow.average) if flow.average is not None else None,
    }


def _month(month: MonthFlow | None) -> Document | None:
    return {"month": month.month, **(_flow(month.flow) or {})} if month is not None else None


def _episode(one: Episode) -> Document:
    return {
        "key": one.key,
        "level": one.level.word,
        "tier": one.tier,
        "opened_at": iso(one.opened_at),
        "closed_at": iso(one.closed_at) if one.closed_at else None,
        "text": one.latest,
    }


def _silence(one: Silence) -> Document:
    return {
        "id": one.id,
        "checks": sorted(one.checks),
        "subjects": sorted(one.subjects),
        "reason": one.reason,
        "by": one.by.id,
        "at": iso(one.at),
        "until": iso(one.until),
    }


def _coming(one: Ahead) -> dict[str, Any]:
    when = {"day": one.day.isoformat()} if one.day is not None else {"at": iso(one.at)}
    return {**when, "kind": one.kind, "text": plain_text(one.text)}
