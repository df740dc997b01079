"""Plans held against a Book: what planning comes to now, what counts as a fill, and what is left to do.

A fill is a movement that is recorded and not undone, dated at or after the minute of the approval, which the plan has
not been made with already (`Made.seen`), and

- of a sale: its `order` names the plan ("plan 7"), or it names no plan and its coins were pledged to a facility whose
  pledged coins the plan sells;
- of a pledge or a repayment (principal, interest, in coins): it is for a facility that the plan pledges to or repays.
  At most one approved plan is for a facility, so that needs no name.

What is left is planned anew from the Book of now, at the price that was approved: so a part that is done, and better or
worse prices than expected, are taken in by the arithmetic itself. Nothing is asked for twice: what a sale of the plan
brought and nobody has paid on yet pays first, whatever ways were approved; and what is on its way to the lender, or
claimed and not confirmed, counts as arrived in what is left to do, though not in what is done.

A plan is complete when everything it aims at is at its cure target at that price, and not before: under its line is not
cured.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from bot.domain.book import Book, Register
from bot.domain.covenant import Exposure, read
from bot.domain.ledger import Transit, ledger_faults
from bot.domain.money import Cents, Sats, show_usd
from bot.domain.plans import Aim, Found, Made, Plan, Progress, Wanted
from bot.domain.price import PriceView
from bot.domain.sales import Alternative, Name, Need, Way, alternative
from bot.domain.sales.situation import needs_of, patient, patients_of
from bot.domain.treasury import Claim, Holds, Movement, MovementKind, Policy, Treasury
from bot.domain.words import price_sentence

WELL_UNDER = Fraction(99, 100)
"""Bitcoin is well under a plan's price at less than this part of it."""

_ALONE = {
    frozenset({Way.TOP_UP}): Name.TOP_UP,
    frozenset({Way.CASH}): Name.CASH,
    frozenset({Way.SELL_FREE}): Name.FREE,
    frozenset({Way.SELL_PLEDGED}): Name.PLEDGED,
}
_PAYS = (MovementKind.REPAID, MovementKind.INTEREST_PAID, MovementKind.REPAID_IN_KIND)
_FROM_CASH = (MovementKind.REPAID, MovementKind.INTEREST_PAID)
_FOR_A_LENDER = (MovementKind.PLEDGED, *_PAYS)
_A_PLAN = re.compile(r"plan \d+", re.ASCII)


def plan_now(book: Book, wanted: Wanted, revision: int) -> Found:
    """The plan that `wanted` comes to on this Book, or why there is none. A fall off a price that isn't one is none."""
    view = wanted.scenario.view(book.price, book.treasury.policy.withstand_drop)
    if view.usable is None or (wanted.scenario.price is None and book.price.usable is None):
        return Found(why=f"{price_sentence(book.price)} Without a price nothing can be recommended.")
    needs = tuple(needs_of(book, view))
    if not needs:
        return Found(why=f"Nothing would be at a call line at {show_usd(view.usable)}.", needed=False)
    return _found(book, view, needs, wanted, wanted.most, revision)


def remaining(book: Book, plan: Plan) -> Found:
    """What is left to do of an approved plan; `needed` False where nothing is, once what is on its way has arrived."""
    book = arrived(book, plan)
    view = PriceView.scenario(plan.made.price)
    needs = tuple(_aimed_at(book, view, plan.made))
    if not _short(book, view, needs):
        return Found(why="Nothing is left to do.", needed=False)
    most, wanted = plan.wanted.most, plan.wanted
    sold = sum(one.btc or 0 for one in fills_of(plan, book) if one.kind is MovementKind.SOLD)
    unpaid = _unpaid(plan, book)
    if unpaid:
        book = _to_be_paid(book, wanted, unpaid)
        wanted = replace(wanted, ways=wanted.ways | {Way.CASH})
    return _found(book, view, needs, wanted, None if most is None else max(most - sold, 0), plan.made.revision)


def progress_of(book: Book, plan: Plan) -> Progress:
    """How far an approved plan has come."""
    view = PriceView.scenario(plan.made.price)
    last = book.price.usable
    return Progress(
        fills=(
            *(one.ref for one in fills_of(plan, book)),
            *(f"{one.ref}, on its way" for one in on_its_way(plan, book)),
        ),
        cured=not _short(book, view, tuple(_aimed_at(book, view, plan.made))),
        under=last is not None and last < WELL_UNDER * plan.made.price,
    )


def fills_of(plan: Plan, book: Book) -> tuple[Movement, ...]:
    """What is recorded of an approved plan, in order; () before it is approved."""
    undone = {movement.reverses for movement in book.treasury.movements if movement.reverses}
    known = (one for one in book.treasury.movements if one.ref not in undone and one.at <= book.at)
    return tuple(sorted((one for one in known if is_fill(plan, one)), key=lambda one: (one.at, one.ref)))


def claimed_of(plan: Plan, book: Book) -> tuple[Claim, ...]:
    """What would be a fill and waits for a second person."""
    return tuple(one for one in book.treasury.claims if isinstance(one.thing, Movement) and is_fill(plan, one.thing))


def on_its_way(plan: Plan, book: Book) -> tuple[Transit, ...]:
    """What has left for one of an approved plan's lenders since, claimed or sent, and is not credited."""
    ours = (one for one in book.balances.transit if one.facility in plan.made.facilities)
    return tuple(one for one in ours if _is_since(plan, one.ref, one.sent_at))


def arrived(book: Book, plan: Plan) -> Book:
    """The Book as if all that is claimed of a plan, or on its way to one of its lenders, were credited now."""
    claimed = claimed_of(plan, book)
    things = tuple(one.thing for one in claimed if isinstance(one.thing, Movement))
    waiting = tuple(one for one in book.treasury.claims if one not in claimed)
    came = _with(book, replace(book.treasury, claims=waiting, movements=(*book.treasury.movements, *things)), claimed)
    credited = tuple(_credited(came, plan))
    return _with(came, replace(came.treasury, movements=(*came.treasury.movements, *credited)), credited)


def _with(book: Book, treasury: Treasury, more: Sequence[object]) -> Book:
    """The Book with another treasury, which has `more`; the same where that is nothing, or cannot be booked."""
    if not more or any(ledger_faults(treasury)):
        return book
    return replace(book, register=Register.of(treasury, book.register.alerts), known=None)


def _credited(book: Book, plan: Plan) -> Iterator[Movement]:
    """What is in transit to the plan's lenders as it will be recorded: pledged, or principal and then interest paid."""
    paid: Counter[str] = Counter()
    for item in book.balances.transit:
        if item.facility not in plan.made.facilities:
            continue
        owed = book.register.ledger.debt_at(item.facility, book.at, book.at).principal - paid[item.facility]
        principal = min(item.usd, owed)
        paid[item.facility] += principal
        parts = (
            (MovementKind.PLEDGED, item.btc, 0),
            (MovementKind.REPAID, 0, principal),
            (MovementKind.INTEREST_PAID, 0, item.usd - principal),
        )
        for kind, coins, cents in parts:
            if coins or cents:
                ref = f"{item.ref} {kind.value} when it arrives"
                amounts = (coins or None, cents or None)
                yield Movement(book.at, kind, ref, None, None, item.facility, *amounts, of=item.ref)


def _unpaid(plan: Plan, book: Book) -> Cents:
    """What the plan's sales have brought and is in our accounts still."""
    fills = fills_of(plan, book)
    brought = sum(one.usd or 0 for one in fills if one.kind is MovementKind.SOLD)
    paid = sum(one.usd or 0 for one in fills if one.kind in _FROM_CASH and one.of is None)
    sent = sum(one.usd or 0 for one in book.treasury.movements if _is_sent(plan, book, one))
    return max(brought - paid - sent, 0)


def _is_sent(plan: Plan, book: Book, movement: Movement) -> bool:
    if movement.kind is not MovementKind.SENT or movement.facility not in plan.made.facilities:
        return False
    undone = any(one.reverses == movement.ref for one in book.treasury.movements)
    return _is_since(plan, movement.ref, movement.at) and movement.at <= book.at and not undone


def _to_be_paid(book: Book, wanted: Wanted, unpaid: Cents) -> Book:
    """The Book under a policy by which what sales have brought may all be paid, and of other cash what the plan may."""
    ours = (one.id for one in book.treasury.accounts if one.holds is not Holds.POOL)
    before = sum(book.balances.accounts[account].usd for account in ours) - unpaid
    policy = book.treasury.policy
    least = min(policy.min_cash_usd, before) if Way.CASH in wanted.ways else before
    return _under(book, replace(policy, min_cash_usd=max(least, 0)))


def is_fill(plan: Plan, movement: Movement) -> bool:
    """Whether a movement is of this plan; see above."""
    if not _is_since(plan, movement.ref, movement.at):
        return False
    made = plan.made
    if movement.kind is MovementKind.SOLD:
        order = " ".join((movement.order or "").split()).casefold()
        if _A_PLAN.fullmatch(order):
            return order == plan.title
        return movement.facility in {leg.facility for leg in made.legs if leg.way is Way.SELL_PLEDGED}
    if movement.kind not in _FOR_A_LENDER:
        return False
    pledged = {leg.facility for leg in made.legs if leg.way is Way.TOP_UP}
    return movement.facility in pledged | {one.facility for one in made.repayments}


def _is_since(plan: Plan, ref: str, at: datetime) -> bool:
    """Whether what is recorded as `ref` came after the approval; of its minute, what it was not made with."""
    return plan.approved_at is not None and at >= _minute(plan.approved_at) and ref not in plan.made.seen


def _seen(book: Book) -> Iterator[str]:
    minute = _minute(book.at)
    return (one.ref for one in book.treasury.movements if minute <= one.at <= book.at)


def _minute(instant: datetime) -> datetime:
    """People record to the minute."""
    return instant.replace(second=0, microsecond=0)


def _found(
    book: Book, view: PriceView, needs: tuple[Need, ...], wanted: Wanted, most: Sats | None, revision: int
) -> Found:
    limited = _limited(book, most)
    name = _ALONE.get(wanted.ways, Name.RECOMMENDED) if wanted.keep_reserves else Name.BROKEN
    came = alternative(limited, view, needs, name, wanted.ways, keep_reserves=wanted.keep_reserves)
    if not came.feasible or view.usable is None:
        return Found(why=came.why)
    return Found(
        Made(
            at=book.at,
            revision=revision,
            price=view.usable,
            last=book.price.usable,
            name=came.name,
            legs=came.legs,
            repayments=came.repayments,
            movements=came.movements,
            aims=tuple(_aim(book, view, need, came) for need in needs),
            notes=came.notes,
            seen=tuple(_seen(book)),
        )
    )


def _aim(book: Book, view: PriceView, need: Need, came: Alternative) -> Aim:
    before = next(read(one, view).lenders for one in book.exposures if one.key == need.key)
    after = next((one.reading.lenders for one in came.after if one.reading.exposure.key == need.key), None)
    return Aim(need.key, need.title, need.tier.name, need.target, before, after)


def _limited(book: Book, most: Sats | None) -> Book:
    """The Book under a policy by which no more than `most` may be sold."""
    policy = book.treasury.policy
    limits = [limit for limit in (most, policy.max_cover_btc) if limit is not None]
    if most is None or min(limits) == policy.max_cover_btc:
        return book
    return _under(book, replace(policy, max_cover_btc=min(limits)))


def _under(book: Book, policy: Policy) -> Book:
    treasury = replace(book.treasury, policy=policy)
    return replace(book, register=replace(book.register, treasury=treasury), known=None)


def _aimed_at(book: Book, view: PriceView, made: Made) -> Iterator[Need]:
    """What a plan aims at as it stands now: the line it is at or called at, else the one that the plan was for."""
    current = {need.key: need for need in needs_of(book, view)}
    exposures = {exposure.key: exposure for exposure in book.exposures}
    for aim in made.aims:
        exposure = exposures.get(aim.key)
        if aim.key in current:
            yield current[aim.key]
        elif exposure is not None and exposure.bounds and exposure.tested:
            yield _need(exposure, aim)


def _need(exposure: Exposure, aim: Aim) -> Need:
    bound = next((one for one in exposure.bounds if one.tier.name == aim.tier), exposure.bounds[-1])
    return Need(
        key=aim.key,
        id=exposure.id,
        title=exposure.title,
        is_group=exposure.is_group,
        tier=bound.tier,
        target=bound.target if bound.target is not None else aim.target,
        due=None,
        missed=False,
        called=False,
    )


def _short(book: Book, view: PriceView, needs: tuple[Need, ...]) -> bool:
    """Whether anything of `needs` is over its target now."""
    keys = patients_of(book, needs)
    tests = (test for key in keys for test in patient(book, view, needs, key, book.at).tests)
    return any(test.is_need and test.short > 0 for test in tests)
