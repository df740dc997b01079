"""What an import would write, in words: one line a thing, as `--dry-run` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import singledispatch
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.money import percent_plain, show_btc, show_usd
from bot.domain.periods import Calendar, iso
from bot.domain.term_words import hours_text
from bot.domain.terms import Facility, Group, Level, PriceIndex, Release, Tier, Waiver
from bot.domain.treasury import Account, CashCost, Movement, MovementKind, Need, Notice, Policy, SlippageStep, Statement
from bot.domain.words import counted, sentence

_COINS = ("btc", "reserve_btc", "max_cover_btc", "max_daily_btc", "plan_btc_per_month", "rollforward_tolerance_btc")
_COINS_TOO = ("demand_btc", "fee_btc", "collateral", "pool")
_DOLLARS = ("usd", "principal", "accrued", "min_repayment", "price")


def shown(name: str, value: Any) -> str:
    """The value of a field, for people; `name` tells coins from dollars from plain numbers."""
    match value:
        case None:
            return "off" if name in _OFF else "nothing"
        case Level():
            return value.word
        case int() if name in _COINS or name in _COINS_TOO:
            return f"{show_btc(value)} BTC"
        case int() if name in _DOLLARS or name.endswith("_usd"):
            return show_usd(value)
        case _:
            return _plainly(value)


_OFF = (
    *("withstand_drop", "max_cover_btc", "max_daily_btc", "sold_over_mined_limit", "plan_btc_per_month"),
    *("rollforward_tolerance_btc", "statement_due_day"),
)


def _plainly(value: Any) -> str:
    """What its type alone tells how to show."""
    match value:
        case Fraction():
            return ratio(value)
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("auto" if value.second else "minutes")
        case timedelta():
            return f"{hours_text(value)} h"
        case ZoneInfo():
            return value.key
        case Release():
            return f"at {ratio(value.line)} to {ratio(value.to)}, {value.days} in a row"
        case tuple():
            return f"[{'; '.join(described(tier) for tier in value)}]"
    return str(value)


def ratio(value: Fraction) -> str:
    """A ratio as people write it: "0.30" where that is exact in four places, else "4/3"."""
    tens = value * 10_000
    if tens.denominator != 1:
        return str(value)
    whole, part = divmod(tens.numerator, 10_000)
    return f"{whole}.{f'{part:04d}'.rstrip('0').ljust(2, '0')}"


def listed(named: Mapping[str, Any]) -> str:
    """Fields with their values: “rate 0.08, cushion 0.05”; nothing where there are none."""
    return ", ".join(f"{name} {shown(name, value)}" for name, value in named.items()) or "nothing changes"


@singledispatch
def described(thing: object) -> str:
    """What is added, after its name."""
    raise TypeError(f"nobody has said how to describe {type(thing).__name__}")


@described.register
def _(thing: Account) -> str:
    return f"{show_btc(thing.btc)} BTC, {show_usd(thing.usd)} ({thing.holds})"


@described.register
def _(thing: Calendar) -> str:
    return f"{thing.open:%H:%M} to {thing.close:%H:%M} {thing.zone.key}"


@described.register
def _(thing: Facility) -> str:
    terms = thing.versions[0].terms
    more = f", {len(thing.versions) - 1} amended" if len(thing.versions) > 1 else ""
    more += f", {len(thing.waivers)} waived" if thing.waivers else ""
    return (
        f"{thing.lender}, {show_usd(thing.principal)} at {percent_plain(terms.rate)} %, "
        f"{show_btc(thing.collateral)} BTC pledged, {counted(len(terms.tiers), 'tier')}{more}"
    )


@described.register
def _(thing: Group) -> str:
    pool = f", {show_btc(thing.pool)} BTC pooled" if thing.pool is not None else ""
    return f"{thing.test}, {counted(len(thing.tiers), 'tier')}{pool}"


@described.register
def _(thing: Tier) -> str:
    line = f"at {show_usd(thing.price)}" if thing.price is not None else ratio(thing.line or Fraction(0))
    cure = f" cured to {ratio(thing.cure_to)}" if thing.cure_to is not None else ""
    return f"{thing.name} {line}{cure}"


@described.register
def _(thing: Waiver) -> str:
    return f"until {iso(thing.until)}, {thing.reason}"


@described.register
def _(thing: PriceIndex) -> str:
    return thing.note


@described.register
def _(thing: Notice) -> str:
    return f"{thing.facility or thing.group} called at “{thing.tier}” {iso(thing.at)}, {asked_for(thing)}"


def asked_for(call: Notice) -> str:
    """The lender's own price and demand: “price $57,100.00, demands 474.62 BTC or $20,000,000.00”."""
    demands = [f"{show_btc(call.demand_btc)} BTC"] if call.demand_btc is not None else []
    demands += [show_usd(call.demand_usd)] if call.demand_usd is not None else []
    demand = f", demands {sentence(demands)}" if demands else ""
    return f"price {show_usd(call.price)}{demand}"


@described.register
def _(thing: Need) -> str:
    return f"{show_usd(thing.usd)} by {thing.due.isoformat()}"


@described.register
def _(thing: Statement) -> str:
    return f"mined {show_btc(thing.mined)}, sold {show_btc(thing.sold)}, held {show_btc(thing.held)} BTC"


@described.register
def _(thing: CashCost) -> str:
    return f"{show_usd(thing.usd_per_btc)} a coin"


@described.register
def _(thing: SlippageStep) -> str:
    return f"{show_btc(thing.btc or 0)} BTC at {thing.bps} bps"


@described.register
def _(thing: Policy) -> str:
    default = Policy()
    values = {item.name: getattr(thing, item.name) for item in fields(thing)}
    return listed({name: value for name, value in values.items() if value != getattr(default, name)})


_DID: Mapping[MovementKind, str] = {
    MovementKind.MINED: "mined {amount} into {account}",
    MovementKind.SOLD: "sold {btc} for {usd}",
    MovementKind.PLEDGED: "pledged {amount} to {facility}",
    MovementKind.RELEASED: "released {amount} by {facility}",
    MovementKind.SENT: "sent {amount} to {facility}",
    MovementKind.DRAWN: "drew {amount} of {facility} into {account}",
    MovementKind.REPAID: "repaid {amount} of {facility}",
    MovementKind.INTEREST_PAID: "paid {amount} of interest to {facility}",
    MovementKind.REPAID_IN_KIND: "repaid {usd} of {facility} with {btc}",
    MovementKind.COST: "spent {amount} from {account}",
    MovementKind.TRANSFER: "moved {amount} from {account} to {to}",
    MovementKind.ADJUSTMENT: "adjusted {account} by {amount}, {reason}",
    MovementKind.REVERSAL: "reverses “{reverses}”",
}


@described.register
def _(thing: Movement) -> str:
    btc, usd = f"{show_btc(thing.btc or 0)} BTC", show_usd(thing.usd or 0)
    return _DID[thing.kind].format(
        amount=usd if thing.btc is None else btc,
        btc=btc,
        usd=usd,
        account=thing.account,
        to=thing.to,
        facility=thing.facility,
        reason=thing.reason,
        reverses=thing.reverses,
    )
