"""A plan from proposal to done, decided in one pure place.

Somebody proposes what `bot.domain.sales` recommends, somebody else approves it, people carry it out and record it;
`decide` holds what happened against the plan as it was and returns what becomes of it and why. Invariants: who proposed
a plan never approves it; what is approved is what the book of that very instant asks for, and where that has moved by
more than `TOLERANCE` it is asked for anew; what has ended never begins again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from bot.domain.alert import Person
from bot.domain.money import Cents, Price, Sats
from bot.domain.sales import Leg, Name, Repayment, Scenario, Way
from bot.domain.sales.plan import EVERY_WAY
from bot.domain.treasury import Movement

TOLERANCE = Fraction(1, 100)
"""How far any number of a plan may move between its proposal and its approval without being asked for anew: 1 % of
what was proposed. What is approved are the numbers of then, so none of them is short, however far it moved."""

Figures: TypeAlias = Mapping[tuple[str, str], int]
"""Numbers by what they are, and for which facility: coins by way in satoshis; "repay" in cents."""


class Status(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    """There was nothing to cure any more when it was to be approved."""
    SUPERSEDED = "superseded"
    """A newer plan for the same was proposed, or approved."""
    COMPLETE = "complete"

    @property
    def is_open(self) -> bool:
        return self in (Status.PROPOSED, Status.APPROVED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: at which price, by which ways, and the most coins to sell (satoshis; None: the policy's).

    `keep_reserves` False goes into the reserves. ValueError: no way, or less than no coins.
    """

    scenario: Scenario = field(default_factory=Scenario)
    ways: frozenset[Way] = EVERY_WAY
    most: Sats | None = None
    keep_reserves: bool = True

    def __post_init__(self) -> None:
        if not self.ways:
            raise ValueError("a plan needs at least one way")
        if self.most is not None and self.most < 0:
            raise ValueError("at most some coins, or none")


@dataclass(frozen=True, slots=True)
class Aim:
    """A facility or group that the plan brings back: from the line `tier`, whose target is `target`.

    `before` and `after` are its lender's LTV at the plan's price, now and carried out; None: no coins, no LTV.
    """

    key: str
    title: str
    tier: str
    target: Fraction
    before: Fraction | None = None
    after: Fraction | None = None


@dataclass(frozen=True)
class Made:
    """What planning came to on the book of `at`, whose register had `revision`.

    `price` is what it was planned at and `last` the bitcoin price then, in cents per BTC (None: there was none).
    `movements` are what to record as it is carried out; amounts in satoshis and cents. `seen` are the refs of what was
    recorded by then with a time in that very minute: it is in these numbers, and no fill of them.
    """

    at: datetime
    revision: int
    price: Price
    last: Price | None
    name: Name
    legs: tuple[Leg, ...] = ()
    repayments: tuple[Repayment, ...] = ()
    movements: tuple[Movement, ...] = ()
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the alerts that it answers."""
        return frozenset(aim.key for aim in self.aims)

    @cached_property
    def figures(self) -> Figures:
        """Every number that is approved."""
        return figures_of(self.legs, self.repayments)

    @property
    def facilities(self) -> frozenset[str]:
        """The facilities that it is for: no two approved plans share one."""
        return frozenset(leg.facility for leg in self.legs) | {one.facility for one in self.repayments}

    def overlaps(self, other: Made) -> bool:
        """Whether both are for the same, in part at least."""
        return bool(self.keys & other.keys or self.facilities & other.facilities)

    def coins(self, *ways: Way) -> Sats:
        """Coins that leave by `ways`."""
        return sum(leg.btc for leg in self.legs if leg.way in ways)

    @property
    def repaid(self) -> Cents:
        return sum(one.principal + one.interest for one in self.repayments)


def figures_of(legs: Iterable[Leg], repayments: Iterable[Repayment]) -> Figures:
    """The numbers of a plan with these steps."""
    found: Counter[tuple[str, str]] = Counter()
    for leg in legs:
        if leg.way is not Way.CASH:
            found[leg.way.value, leg.facility] += leg.btc
    for one in repayments:
        found["repay", one.facility] += one.principal + one.interest
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """One number of a plan that is another by now. `what` is a `Way`'s word or "repay"."""

    what: str
    facility: str
    before: int
    now: int


def moved(before: Figures, now: Figures, tolerance: Fraction = TOLERANCE) -> tuple[Moved, ...]:
    """The numbers that have moved by more than `tolerance` of what they were; one that came or went always has."""
    changes = (Moved(*what, before.get(what, 0), now.get(what, 0)) for what in dict.fromkeys((*before, *now)))
    return tuple(one for one in changes if abs(one.now - one.before) > tolerance * one.before)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is kept. `asked` counts how often approvers were asked, `decided_by` who approved or ended it.

    `approved_at` is when it was; what is recorded since then may be a fill. `fills` are the refs of those, `was` the
    numbers that had moved when it was asked for anew, `under` says that bitcoin has been well under its price since.
    """

    id: int
    wanted: Wanted
    made: Made
    proposed_by: Person
    proposed_at: datetime
    asked: int = 1
    status: Status = Status.PROPOSED
    decided_by: Person | None = None
    decided_at: datetime | None = None
    approved_at: datetime | None = None
    reason: str = ""
    fills: tuple[str, ...] = ()
    was: tuple[Moved, ...] = ()
    under: bool = False

    @property
    def title(self) -> str:
        """What it is called, and what the order of its sales says."""
        return plan_title(self.id)

    @property
    def is_open(self) -> bool:
        return self.status.is_open


def plan_title(plan_id: int) -> str:
    """ "plan 7": the name of a plan, and the order that its sales are recorded with."""
    return f"plan {plan_id}"


class Did(StrEnum):
    """What happens to a plan."""

    APPROVE = "approve"
    DISMISS = "dismiss"
    SUPERSEDE = "supersede"
    LOOK = "look"
    """A check looks how far it has come."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens. `by` is who does it (None: Plimsoll), `asked` which asking they saw, `reason` why."""

    kind: Did
    by: Person | None = None
    asked: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What planning came to now: `made`, or why there is none.

    `needed` False: there is nothing to cure.
    """

    made: Made | None = None
    why: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an approved plan has come: the refs of its fills, whether all it aims at is cured, whether bitcoin is
    well under its price."""

    fills: tuple[str, ...] = ()
    cured: bool = False
    under: bool = False


class Change(StrEnum):
    """What becomes of a plan. Each has its word in the audit log (`bot.domain.audit.What`)."""

    KEPT = "kept"
    PROPOSED = "proposed"
    ASKED_AGAIN = "asked again"
    APPROVED = "approved"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    FILLED = "filled"
    COMPLETED = "completed"
    NOTED = "noted"


class Why(StrEnum):
    """Why that."""

    FIRST = "first"
    NOT_OPEN = "not_open"
    OWN = "own"
    SEEN_OLDER = "seen_older"
    NOT_FEASIBLE = "not_feasible"
    NOT_NEEDED = "not_needed"
    MOVED = "moved"
    AS_PROPOSED = "as_proposed"
    SAID_SO = "said_so"
    NEWER = "newer"
    RECORDED = "recorded"
    CURED = "cured"
    UNDER_PRICE = "under_price"
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a plan: as it was (None: it is new), as it is, what changed and why."""

    before: Plan | None
    plan: Plan
    change: Change
    why: Why

    @property
    def counts(self) -> bool:
        return self.change is not Change.KEPT


def propose(wanted: Wanted, made: Made, by: Person, now: datetime) -> Turn:
    """A new plan; its id is given when it is kept."""
    return Turn(None, Plan(0, wanted, made, by, now), Change.PROPOSED, Why.FIRST)


def decide(plan: Plan, act: Act, now: datetime, found: Found | None = None, progress: Progress | None = None) -> Turn:
    """What becomes of `plan` when `act` happens at `now`. An approval needs what planning has `found` now, a look the
    `progress`."""
    if not plan.is_open:
        return Turn(plan, plan, Change.KEPT, Why.NOT_OPEN)
    match act.kind:
        case Did.APPROVE:
            return _approved(plan, act, now, found or Found())
        case Did.DISMISS:
            return _ended(plan, act, now, Status.DISMISSED, Change.DISMISSED, Why.SAID_SO)
        case Did.SUPERSEDE:
            return _ended(plan, act, now, Status.SUPERSEDED, Change.SUPERSEDED, Why.NEWER)
        case Did.LOOK:
            return _looked(plan, now, progress or Progress())


def _approved(plan: Plan, act: Act, now: datetime, found: Found) -> Turn:
    def kept(why: Why) -> Turn:
        return Turn(plan, plan, Change.KEPT, why)

    if plan.status is not Status.PROPOSED or act.by is None:
        return kept(Why.NOT_OPEN)
    if act.by.id == plan.proposed_by.id:
        return kept(Why.OWN)
    if act.asked != plan.asked:
        return kept(Why.SEEN_OLDER)
    if not found.needed:
        return _ended(plan, act, now, Status.EXPIRED, Change.EXPIRED, Why.NOT_NEEDED)
    if found.made is None:
        return kept(Why.NOT_FEASIBLE)
    changes = moved(plan.made.figures, found.made.figures)
    if changes or found.made.keys != plan.made.keys:
        asked = replace(plan, made=found.made, asked=plan.asked + 1, was=changes)
        return Turn(plan, asked, Change.ASKED_AGAIN, Why.MOVED)
    approved = replace(
        plan, made=found.made, status=Status.APPROVED, decided_by=act.by, decided_at=now, approved_at=now, was=()
    )
    return Turn(plan, approved, Change.APPROVED, Why.AS_PROPOSED)


def _ended(plan: Plan, act: Act, now: datetime, status: Status, change: Change, why: Why) -> Turn:
    after = replace(plan, status=status, decided_by=act.by, decided_at=now, reason=act.reason)
    return Turn(plan, after, change, why)


def _looked(plan: Plan, now: datetime, progress: Progress) -> Turn:
    """Only an approved plan is carried out. That bitcoin has been under its price is said once."""
    if plan.status is not Status.APPROVED:
        return Turn(plan, plan, Change.KEPT, Why.NOTHING_NEW)
    after = replace(plan, fills=progress.fills, under=plan.under or progress.under)
    if progress.cured:
        done = replace(after, status=Status.COMPLETE, decided_at=now)
        return Turn(plan, done, Change.COMPLETED, Why.CURED)
    if progress.fills != plan.fills:
        return Turn(plan, after, Change.FILLED, Why.RECORDED)
    if after.under != plan.under:
        return Turn(plan, after, Change.NOTED, Why.UNDER_PRICE)
    return Turn(plan, plan, Change.KEPT, Why.NOTHING_NEW)
