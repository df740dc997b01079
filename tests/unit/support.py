"""What the tests of the pure domain build with: a loan in a line, a treasury, a Book at a price."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.alerts import AlertPolicy
from bot.domain.answers import ltv_document
from bot.domain.book import Book, Register
from bot.domain.money import parse_btc, parse_usd
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import DayCount, Facility, InterestMode, Release, Terms, TermsVersion, Tier, TierKind
from bot.domain.treasury import Account, Movement, MovementKind, Notice, Treasury
from bot.treasury_file import read_treasury

UTC_ZONE = ZoneInfo("UTC")
OPENED = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
NOW = datetime(2026, 2, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CONTRACT = Path(__file__).with_name("contract.toml").read_text(encoding="utf-8")

btc, usd = parse_btc, parse_usd


def at(text: str) -> datetime:
    """An instant of 2026 in UTC: at("02-07 14:15")."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def contract(*edits: tuple[str, str], without: tuple[str, ...] = ()) -> Treasury:
    """The contract's own example, `without` some of its tables, each edit's first text replaced by its second."""
    text = "\n\n".join(
        part for part in CONTRACT.split("\n\n") if not part.startswith(tuple(f"[[{w}]]" for w in without))
    )
    for old, new in edits:
        assert old in text, f"the contract's file has no {old!r}"
        text = text.replace(old, new, 1)
    return read_treasury("treasury.toml", text)


def tier(kind: str, line: str | None = None, name: str | None = None, **more: Any) -> Tier:
    """A tier: tier("call", "0.75", cure_to="0.65", window_hours=24); a price tier: tier("call", price="57000")."""
    if "cure_to" in more:
        more["cure_to"] = Fraction(more["cure_to"])
    if "window_hours" in more:
        more["window_hours"] = timedelta(hours=more["window_hours"])
    if "price" in more:
        more["price"] = usd(more["price"])
    return Tier(TierKind(kind), name or kind, Fraction(line) if line is not None else None, **more)


THREE = (
    tier("early", "0.68", "early warning"),
    tier("call", "0.75", "margin call", cure_to="0.65", window_hours=24),
    tier("liquidation", "0.90"),
)


def loan(
    name: str = "antalpha",
    *,
    debt: str = "300000000",
    coins: str = "7000",
    tiers: tuple[Tier, ...] = THREE,
    **more: Any,
) -> Facility:
    """A loan that bears no interest unless `rate` is given, so that what is owed stays what is written."""
    own = {key: more.pop(key) for key in ("group", "zone", "waivers", "drawn", "accrued") if key in more}
    release = more.pop("release", None)
    terms = Terms(
        Fraction(more.pop("rate", 0)),
        DayCount(more.pop("day_count", "ACT/360")),
        more.pop("interest", InterestMode.AT_CLOSE),
        tiers,
        Release(Fraction(release[0]), Fraction(release[1]), release[2]) if release else None,
        **more,
    )
    begin: dict[str, Any] = {"drawn": date(2024, 11, 11), "zone": UTC_ZONE, **own}
    return Facility(
        name, name.title(), usd(debt), versions=(TermsVersion(None, terms),), collateral=btc(coins), **begin
    )


def treasury(*facilities: Facility, **more: Any) -> Treasury:
    """A treasury with one account of 1,000 BTC and $500M, in UTC."""
    accounts = (Account("custody", btc("1000"), usd("500000000")),)
    parts: dict[str, Any] = {"zone": UTC_ZONE, "production_zone": UTC_ZONE, "opened": OPENED, "accounts": accounts}
    return Treasury("T", facilities=facilities or (loan(),), **{**parts, **more})


def move(kind: str, when: datetime, ref: str = "", **fields: Any) -> Movement:
    """A movement for antalpha from custody unless it says otherwise; amounts as text."""
    exact = {key: {"btc": btc, "usd": usd}.get(key, str)(value) for key, value in fields.items()}
    places = {"account": "custody"} | ({} if kind in ("mined", "cost") else {"facility": "antalpha"})
    return Movement(when, MovementKind(kind), ref or f"{kind} {when:%d %H:%M:%S}", **{**places, **exact})


def notice(when: datetime, ref: str = "n1", called: str = "margin call", price: str = "57100", **more: Any) -> Notice:
    """A lender's notice to antalpha unless `group` is given; demands as text."""
    for key, parse in (("demand_btc", btc), ("demand_usd", usd)):
        if key in more:
            more[key] = parse(more[key])
    named = {} if "group" in more else {"facility": "antalpha"}
    return Notice(ref, called, when, usd(price), **{**named, **more})


def book(
    register: Treasury | Register,
    price: str | PriceView | None,
    when: datetime = NOW,
    policy: AlertPolicy | None = None,
) -> Book:
    """Everything at `when`: at a scenario price in dollars, at a view, or (None) without any price."""
    known = register if isinstance(register, Register) else Register.of(register, policy)
    if price is None:
        view = PriceView(PriceState.NONE)
    else:
        view = price if isinstance(price, PriceView) else PriceView.scenario(usd(price))
    return Book(known, when, view)


def fresh(price: str, **more: Any) -> PriceView:
    """An accepted price, with the fresh quotes of venues as `references`."""
    return PriceView(PriceState.FRESH, usd(price), **more)


def entry(asked: Book, name: str = "antalpha") -> dict[str, Any]:
    """What `ltv --json` says of one facility or group."""
    document = ltv_document(asked)
    return next(one for one in [*document["facilities"], *document["groups"]] if one["id"] == name)


def line(asked: Book, name: str, of: str = "antalpha") -> dict[str, Any]:
    """What `ltv --json` says of one line."""
    return next(one for one in entry(asked, of)["tiers"] if one["name"] == name)
