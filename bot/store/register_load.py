"""Loads the whole register. Columns, not models: two years of ten facilities must not take longer than a blink."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot.domain.documents import calendar_from, claimed_from, group_from, policy_from, terms_from
from bot.domain.terms import Facility, PriceIndex, TermsVersion, Waiver
from bot.domain.treasury import (
    ANSWERS,
    Account,
    CashCost,
    Claim,
    Holds,
    Movement,
    MovementKind,
    Need,
    Notice,
    Statement,
    Treasury,
)
from bot.store import tables
from bot.store.columns import Base, table_of

Columns: TypeAlias = tuple[str, ...]

ACCOUNT: Columns = ("id", "btc", "usd", "holds", "calendar", "ready_hours")
OUTCOMES: Columns = (*ANSWERS, "recovered")
NOTICE: Columns = (
    *("ref", "tier", "at", "price", "facility", "group", "demand_btc", "demand_usd"),
    *("due", *OUTCOMES),
)
FACILITY: Columns = ("id", "lender", "principal", "accrued", "collateral", "drawn", "group")
WAIVER: Columns = ("since", "until", "reason")
PRICE_INDEX: Columns = ("since", "note")
NEED: Columns = ("due", "usd", "purpose")
MOVEMENT: Columns = (
    *("at", "kind", "ref", "account", "to", "facility", "btc", "usd", "of", "reverses", "gross_usd", "fee_usd"),
    *("fee_btc", "venue", "order", "purpose", "site", "region", "reason", "note"),
)
STATEMENT: Columns = ("month", "mined", "sold", "held")
CASH_COST: Columns = ("month", "usd_per_btc")
"""The columns of each table that are fields of its domain object, in the order of the object's; OUTCOMES are those of a
notice that say what became of it."""

_KINDS = {kind.value: kind for kind in MovementKind}


def load_treasury(connection: Connection) -> Treasury:
    """The register as it is in this transaction; there must be one."""
    treasury = table_of(tables.Treasury)
    row = connection.execute(select(treasury)).one()
    return Treasury(
        name=row.name,
        zone=ZoneInfo(row.timezone),
        production_zone=ZoneInfo(row.production_timezone),
        opened=row.opened,
        policy=policy_from(row.policy),
        calendars={id_: calendar_from(document) for id_, document in _documents(connection, tables.Calendar)},
        accounts=_accounts(connection),
        facilities=_facilities(connection),
        groups=tuple(group_from(document) for _, document in _documents(connection, tables.FacilityGroup)),
        notices=tuple(Notice(*row) for row in _rows(connection, tables.Notice, NOTICE, "seq")),
        needs=tuple(Need(*row) for row in _rows(connection, tables.Need, NEED, "id")),
        movements=_movements(connection),
        cash_costs=tuple(CashCost(*row) for row in _rows(connection, tables.CashCost, CASH_COST, "id")),
        statements=tuple(Statement(*row) for row in _rows(connection, tables.Statement, STATEMENT, "id")),
        claims=open_claims(connection),
    )


def _rows(connection: Connection, model: type[Base], names: Columns, *order: str) -> Sequence[Any]:
    table = table_of(model)
    query = select(*(table.c[name] for name in names)).order_by(*(table.c[name] for name in order))
    return connection.execute(query).all()


def _documents(connection: Connection, model: type[Base]) -> Sequence[Any]:
    return _rows(connection, model, ("id", "document"), "position", "id")


def _accounts(connection: Connection) -> tuple[Account, ...]:
    rows = _rows(connection, tables.Account, ACCOUNT, "position", "id")
    return tuple(Account(id_, btc, usd, Holds(holds), *rest) for id_, btc, usd, holds, *rest in rows)


def _facilities(connection: Connection) -> tuple[Facility, ...]:
    versions: defaultdict[str, dict[date | None, TermsVersion]] = defaultdict(dict)
    for facility, effective, document in _rows(
        connection, tables.FacilityTerms, ("facility", "effective", "document"), "id"
    ):
        versions[facility][effective] = TermsVersion(effective, terms_from(document))
    waivers: defaultdict[str, list[Waiver]] = defaultdict(list)
    for facility, *waiver in _rows(connection, tables.Waiver, ("facility", *WAIVER), "id"):
        waivers[facility].append(Waiver(*waiver))
    noted: defaultdict[str, list[PriceIndex]] = defaultdict(list)
    for facility, *index in _rows(connection, tables.PriceIndex, ("facility", *PRICE_INDEX), "id"):
        noted[facility].append(PriceIndex(*index))
    rows = _rows(connection, tables.Facility, (*FACILITY, "timezone"), "position", "id")
    return tuple(
        Facility(
            **{name: row._mapping[name] for name in FACILITY},
            zone=ZoneInfo(row.timezone),
            versions=tuple(sorted(versions[row.id].values(), key=lambda version: version.effective or date.min)),
            waivers=tuple(waivers[row.id]),
            price_index=tuple(noted[row.id]),
        )
        for row in rows
    )


def _movements(connection: Connection) -> tuple[Movement, ...]:
    rows = _rows(connection, tables.Movement, MOVEMENT, "at", "seq")
    return tuple(Movement(at, _KINDS[kind], *rest) for at, kind, *rest in rows)


def open_claims(connection: Connection) -> tuple[Claim, ...]:
    """Those that nobody has confirmed or withdrawn, in the order of recording."""
    claims = table_of(tables.Claim)
    query = select(claims).where(claims.c.ended_at.is_(None)).order_by(claims.c.id)
    return tuple(
        Claim(row.id, claimed_from(row.document), row.recorded_by, row.name, row.recorded_at)
        for row in connection.execute(query)
    )
