"""Plans as JSON-safe documents, and back without loss; as in `bot.domain.documents`, what has no value has no key.

`*_from` raises KeyError or ValueError on a document that it cannot read. What a button carries is a document as well,
and comes from outside: `wanted_from` takes nothing on trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from bot.domain.alert import Person
from bot.domain.documents import Document, claimed_document, claimed_from
from bot.domain.money import MOST_BTC, MOST_USD, btc_plain, parse_btc, parse_ratio, parse_usd, usd_plain
from bot.domain.periods import as_utc, iso
from bot.domain.plans import Aim, Made, Moved, Plan, Status, Wanted
from bot.domain.sales import Leg, Name, Repayment, Scenario, Way
from bot.domain.treasury import Movement

_LONGEST = 40
"""Characters of a number: Python makes none of thousands of digits."""


def wanted_document(wanted: Wanted) -> Document:
    """What is asked for, short: a button carries it."""
    scenario = wanted.scenario
    return _given(
        {
            "price": usd_plain(scenario.price) if scenario.price is not None else None,
            "drop": str(scenario.drop) if scenario.drop is not None else None,
            "ways": sorted(wanted.ways),
            "most": btc_plain(wanted.most) if wanted.most is not None else None,
            "keep_reserves": wanted.keep_reserves,
        }
    )


def wanted_from(document: Mapping[str, Any]) -> Wanted:
    """ValueError or KeyError where it is none of ours."""
    known = {"price", "drop", "ways", "most", "keep_reserves"}
    if document.keys() - known or not isinstance(document["ways"], list) or type(document["keep_reserves"]) is not bool:
        raise ValueError("not what somebody asked a plan for")
    price, drop, most = (_number(document, name) for name in ("price", "drop", "most"))
    coins, cents = parse_btc(most or "0"), parse_usd(price or "0")
    if coins > MOST_BTC or cents > MOST_USD:
        raise ValueError("more than there is")
    return Wanted(
        Scenario(cents if price is not None else None, parse_ratio(drop) if drop is not None else None),
        frozenset(Way(str(word)) for word in document["ways"]),
        coins if most is not None else None,
        document["keep_reserves"],
    )


def _number(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    if found is not None and (not isinstance(found, str) or len(found) > _LONGEST):
        raise ValueError(f"{name} is not a number")
    return found


def plan_document(plan: Plan) -> Document:
    """All of a plan but its id."""
    return _given(
        {
            "wanted": wanted_document(plan.wanted),
            "made": made_document(plan.made),
            "proposed_by": _person(plan.proposed_by),
            "proposed_at": iso(plan.proposed_at),
            "asked": plan.asked,
            "status": plan.status.value,
            "decided_by": _person(plan.decided_by) if plan.decided_by else None,
            "decided_at": iso(plan.decided_at) if plan.decided_at else None,
            "approved_at": iso(plan.approved_at) if plan.approved_at else None,
            "reason": plan.reason,
            "fills": list(plan.fills),
            "was": [[one.what, one.facility, one.before, one.now] for one in plan.was],
            "under": plan.under,
        }
    )


def plan_from(plan_id: int, document: Mapping[str, Any]) -> Plan:
    return Plan(
        id=plan_id,
        wanted=wanted_from(document["wanted"]),
        made=made_from(document["made"]),
        proposed_by=Person(**document["proposed_by"]),
        proposed_at=_at(document["proposed_at"]),
        asked=document["asked"],
        status=Status(document["status"]),
        decided_by=Person(**document["decided_by"]) if "decided_by" in document else None,
        decided_at=_at(document["decided_at"]) if "decided_at" in document else None,
        approved_at=_at(document["approved_at"]) if "approved_at" in document else None,
        reason=document["reason"],
        fills=tuple(document["fills"]),
        was=tuple(Moved(*one) for one in document["was"]),
        under=document["under"],
    )


def made_document(made: Made) -> Document:
    """What planning came to, every number of it."""
    return _given(
        {
            "at": iso(made.at),
            "revision": made.revision,
            "price": usd_plain(made.price),
            "last": usd_plain(made.last) if made.last is not None else None,
            "name": made.name.value,
            "legs": [_leg(leg) for leg in made.legs],
            "repayments": [
                {
                    "facility": one.facility,
                    "principal": usd_plain(one.principal),
                    "interest": usd_plain(one.interest),
                    "raised": one.raised,
                }
                for one in made.repayments
            ],
            "movements": [claimed_document(movement) for movement in made.movements],
            "aims": [_aim(aim) for aim in made.aims],
            "notes": list(made.notes),
            "seen": list(made.seen) or None,
        }
    )


def made_from(document: Mapping[str, Any]) -> Made:
    return Made(
        at=_at(document["at"]),
        revision=document["revision"],
        price=parse_usd(document["price"]),
        last=parse_usd(document["last"]) if "last" in document else None,
        name=Name(document["name"]),
        legs=tuple(_leg_from(one) for one in document["legs"]),
        repayments=tuple(
            Repayment(one["facility"], parse_usd(one["principal"]), parse_usd(one["interest"]), one["raised"])
            for one in document["repayments"]
        ),
        movements=tuple(_movement_from(one) for one in document["movements"]),
        aims=tuple(_aim_from(one) for one in document["aims"]),
        notes=tuple(document["notes"]),
        seen=tuple(document.get("seen", ())),
    )


def _movement_from(document: Mapping[str, Any]) -> Movement:
    found = claimed_from(document)
    if not isinstance(found, Movement):
        raise ValueError("not a movement")
    return found


def _leg(leg: Leg) -> Document:
    return _given(
        {
            "way": leg.way.value,
            "facility": leg.facility,
            "starts": iso(leg.starts),
            "credited_at": iso(leg.credited_at),
            "account": leg.account,
            "through": leg.through,
            "btc": btc_plain(leg.btc),
            "usd": usd_plain(leg.usd),
            "gross": str(leg.gross),
            "released_from": leg.released_from,
            "asks": leg.asks,
        }
    )


def _leg_from(document: Mapping[str, Any]) -> Leg:
    return Leg(
        way=Way(document["way"]),
        facility=document["facility"],
        starts=_at(document["starts"]),
        credited_at=_at(document["credited_at"]),
        account=document.get("account"),
        through=document.get("through"),
        btc=parse_btc(document["btc"]),
        usd=parse_usd(document["usd"]),
        gross=Fraction(document["gross"]),
        released_from=document.get("released_from"),
        asks=document["asks"],
    )


def _aim(aim: Aim) -> Document:
    return _given(
        {
            "key": aim.key,
            "title": aim.title,
            "tier": aim.tier,
            "target": str(aim.target),
            "before": str(aim.before) if aim.before is not None else None,
            "after": str(aim.after) if aim.after is not None else None,
        }
    )


def _aim_from(document: Mapping[str, Any]) -> Aim:
    ratios = {name: Fraction(document[name]) for name in ("target", "before", "after") if name in document}
    return Aim(document["key"], document["title"], document["tier"], **ratios)


def _person(person: Person) -> Document:
    return {"id": person.id, "name": person.name}


def _at(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
