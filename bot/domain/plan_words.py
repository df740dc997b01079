"""What the approvers' channel and whoever asks are told of a plan: the numbers, how far it has come, the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.domain.book import Book
from bot.domain.fact_words import fact_phrase
from bot.domain.money import percent_plain, show_btc, show_percent, show_usd, show_usd_short
from bot.domain.planning import claimed_of, fills_of, on_its_way, remaining
from bot.domain.plans import TOLERANCE, Aim, Change, Made, Moved, Plan, Status, Turn, Wanted, Why
from bot.domain.sales import Name, Way
from bot.domain.sales_words import steps as sales_steps
from bot.domain.sales_words import title
from bot.domain.treasury import MovementKind
from bot.domain.words import capital, moment, sentence, someone

VIEW = "plan"
MOST_FILLS, MOST_STEPS = 10, 30
PLANNED = {
    Way.CASH: "repay from cash",
    Way.TOP_UP: "pledge free coins",
    Way.SELL_FREE: "sell free coins",
    Way.SELL_PLEDGED: "sell pledged coins",
}
"""The ways, as the dialog offers them."""


@dataclass(frozen=True, slots=True)
class PlanTold:
    """A plan in words, which may hold moments and people (`bot.domain.words`).

    `plan` is its id, `asked` which asking this is, `buttons` whether it may be approved and dismissed ("proposed"),
    only dismissed ("approved"), or neither (""). `wakes`: people are mentioned, not only named.
    """

    headline: str
    lines: tuple[str, ...] = ()
    state: str = ""
    plan: int = 0
    asked: int = 0
    buttons: str = ""
    wakes: bool = False

    def document(self) -> dict[str, Any]:
        return {"view": VIEW, **asdict(self)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> PlanTold:
        told = {name: value for name, value in document.items() if name != "view"}
        return cls(**{**told, "lines": tuple(document["lines"])})

    @property
    def text(self) -> str:
        return "\n".join([self.headline, *self.lines, *([self.state] if self.state else [])])


def told(book: Book, plan: Plan) -> PlanTold:
    """The plan's own message, as it reads now."""
    return PlanTold(
        headline=headline(plan),
        lines=(*_asked_again(plan), *steps(book, plan.made, plan.title), *_carried_out(book, plan)),
        state=state_of(book, plan),
        plan=plan.id,
        asked=plan.asked,
        buttons=plan.status.value if plan.is_open else "",
    )


def headline(plan: Plan) -> str:
    """ "Plan 7, proposed by Ada Byron: sell 909.10 BTC and repay $49.75M"."""
    return f"{plan.title.capitalize()}, proposed by {someone(plan.proposed_by)}: {gist(plan.made)}"


def gist(made: Made) -> str:
    """What it comes to, in one breath."""
    parts = []
    if coins := made.coins(Way.SELL_FREE):
        parts.append(f"sell {show_btc(coins)} free BTC")
    if coins := made.coins(Way.SELL_PLEDGED):
        parts.append(f"sell {show_btc(coins)} pledged BTC")
    if coins := made.coins(Way.TOP_UP):
        parts.append(f"pledge {show_btc(coins)} BTC")
    if made.repaid:
        parts.append(f"repay {show_usd_short(made.repaid)}")
    return sentence(parts, last="and") if parts else "nothing to do"


def steps(book: Book, made: Made, order: str = "") -> tuple[str, ...]:
    """Each step with its numbers and times, what it does to each LTV, and what must be known besides."""
    todo = sales_steps(book, made, order)
    listed = [f"- {step}" for step in todo[:MOST_STEPS]]
    if len(todo) > MOST_STEPS:
        listed.append(f"- and {len(todo) - MOST_STEPS} more")
    return (
        f"Made for a price of {show_usd(made.price)}{_now(book, made)}.",
        *listed,
        *map(_aim, made.aims),
        *made.notes,
    )


def _now(book: Book, made: Made) -> str:
    """What bitcoin was at then."""
    if made.last is None or made.last == made.price:
        return ""
    return f", with bitcoin at {show_usd(made.last)} {moment(made.at, book.treasury.zone, book.at)}"


def _aim(aim: Aim) -> str:
    before, after, target = (_percent(one) for one in (aim.before, aim.after, aim.target))
    return f"{aim.title}: LTV {before} → {after} at that price, for its {aim.tier} line (cured at {target})"


def _percent(ratio: Any) -> str:
    return show_percent(percent_plain(ratio)) if ratio is not None else "none (no coins)"


def _asked_again(plan: Plan) -> Iterator[str]:
    """What moved, where it is asked for anew."""
    if plan.asked > 1 and plan.status is Status.PROPOSED:
        most = show_percent(percent_plain(TOLERANCE))
        yield f"Asked again: since it was last shown it has moved by more than {most}."
        yield from (f"- {moved_phrase(one)}" for one in plan.was)


def moved_phrase(one: Moved) -> str:
    """ "repay antalpha: $49,750,000.00 → $51,200,000.00"."""
    show = show_usd if one.what == "repay" else (lambda amount: f"{show_btc(amount)} BTC")
    what = "repay" if one.what == "repay" else PLANNED[Way(one.what)]
    return f"{what}, {one.facility}: {show(one.before)} → {show(one.now)}"


def since_phrase(book: Book, plan: Plan, changes: Sequence[Moved]) -> str:
    """What has changed since an open plan for the same."""
    said = f"{plan.title} ({plan.status}, made {moment(plan.made.at, book.treasury.zone, book.at)})"
    if not changes:
        return f"Since {said} no number has changed."
    return f"Since {said}: {'; '.join(moved_phrase(one) for one in changes)}."


def _carried_out(book: Book, plan: Plan) -> Iterator[str]:
    """What is recorded of an approved plan, and what is left of it now."""
    if plan.approved_at is None:
        return
    fills = fills_of(plan, book)
    if fills:
        yield f"Recorded: {done_phrase(book, plan)}."
        yield from (f"- {fact_phrase(one, book.treasury)}" for one in fills[-MOST_FILLS:])
        if len(fills) > MOST_FILLS:
            yield f"- and {len(fills) - MOST_FILLS} earlier"
    claims = {claim.ref for claim in claimed_of(plan, book)}
    for item in on_its_way(plan, book):
        if item.ref not in claims:
            amount = f"{show_btc(item.btc)} BTC" if item.btc else show_usd(item.usd)
            yield f"On its way to {title(book, item.facility)}: {amount} (“{item.ref}”)."
    for claim in claimed_of(plan, book):
        yield f"Claimed, and counts once it is confirmed: {fact_phrase(claim.thing, book.treasury)}."
    if plan.status is Status.APPROVED:
        yield left_phrase(book, plan)
    if plan.status is Status.APPROVED and plan.under and book.price.usable is not None:
        now = f"{show_usd(book.price.usable)} {moment(book.at, book.treasury.zone, book.at)}"
        yield f"Bitcoin is under the plan's price, {now}: what is left may not be enough. Ask for a new plan."


def done_phrase(book: Book, plan: Plan) -> str:
    """ "sold 400.00 of 909.10 BTC, repaid $21.89M of $49.75M"."""
    fills, made = fills_of(plan, book), plan.made
    sold = sum(one.btc or 0 for one in fills if one.kind is MovementKind.SOLD)
    pledged = sum(one.btc or 0 for one in fills if one.kind is MovementKind.PLEDGED)
    paid = sum(one.usd or 0 for one in fills if one.kind not in (MovementKind.SOLD, MovementKind.PLEDGED))
    to_sell, to_pledge = made.coins(Way.SELL_FREE, Way.SELL_PLEDGED), made.coins(Way.TOP_UP)
    parts = []
    if sold or to_sell:
        parts.append(f"sold {show_btc(sold)} of {show_btc(to_sell)} BTC")
    if pledged or to_pledge:
        parts.append(f"pledged {show_btc(pledged)} of {show_btc(to_pledge)} BTC")
    if paid or made.repaid:
        parts.append(f"repaid {show_usd_short(paid)} of {show_usd_short(made.repaid)}")
    return ", ".join(parts)


def left_phrase(book: Book, plan: Plan) -> str:
    """What is left of an approved plan, planned anew from the book of now."""
    left = remaining(book, plan)
    if left.made is not None:
        return f"Left to do at that price: {gist(left.made)}."
    if not left.needed:
        return "Nothing is left to send; it is complete once all of it is credited."
    return f"What is left cannot be done as approved: {left.why}"


def state_of(book: Book, plan: Plan) -> str:
    """What has become of it, and who must do what next."""
    who = someone(plan.decided_by) if plan.decided_by else "Plimsoll"
    when = moment(plan.decided_at, book.treasury.zone, book.at) if plan.decided_at else ""
    match plan.status:
        case Status.PROPOSED:
            return f"Waits for an approver other than {someone(plan.proposed_by)}"
        case Status.APPROVED:
            return (
                f"Approved by {who} {when}. Carry it out and record it: sales with the order “{plan.title}”, "
                "pledges and repayments by their facility"
            )
        case Status.DISMISSED:
            return f"Dismissed by {who} {when} ({plan.reason})"
        case Status.EXPIRED:
            return f"Ended {when}: when {who} was to approve it, nothing was to be cured any more"
        case Status.SUPERSEDED:
            return f"Overtaken {when} by {plan.reason}"
        case Status.COMPLETE:
            return f"Complete {when}: all it was for is at its cure target at that price"


def reply(book: Book, turn: Turn) -> PlanTold | None:
    """The line for its thread, which wakes who proposed it; None where the message itself says enough."""
    plan, who = turn.plan, someone(turn.plan.proposed_by)
    if turn.change is Change.APPROVED and plan.decided_by:
        return PlanTold(f"{who}: approved by {plan.decided_by.name or plan.decided_by.id}. Carry it out.", wakes=True)
    if turn.change is Change.DISMISSED and plan.decided_by and plan.decided_by.id != plan.proposed_by.id:
        return PlanTold(f"{who}: dismissed ({plan.reason}).", wakes=True)
    if turn.change is Change.EXPIRED:
        return PlanTold(f"{who}: nothing is to be cured any more, so it has ended.", wakes=True)
    if turn.change is Change.FILLED:
        return PlanTold(f"Recorded: {done_phrase(book, plan)}. {left_phrase(book, plan)}")
    if turn.change is Change.COMPLETED:
        return PlanTold(f"{who}: complete, {done_phrase(book, plan)}.", wakes=True)
    if turn.change is Change.NOTED:
        return PlanTold(f"{who}: bitcoin is under the plan's price. Ask for a new plan.", wakes=True)
    return None


def refusal(book: Book, turn: Turn, because: str = "") -> str:
    """What somebody is told whose click changed nothing."""
    plan = turn.plan
    match turn.why:
        case Why.OWN:
            return "You proposed this yourself; a second person with the role of an approver approves it."
        case Why.SEEN_OLDER:
            return f"{plan.title.capitalize()} has been asked for anew since that message: look at the newest one."
        case Why.NOT_FEASIBLE:
            return f"Not approved: it cannot be carried out now. {because}".strip()
        case _:
            state = state_of(book, plan)
            return f"Nothing was changed. {plan.title.capitalize()}: {state[:1].lower()}{state[1:]}."


def wanted_phrase(wanted: Wanted) -> str:
    """The ways that were asked for, where these are not all; the most that may be sold."""
    parts = []
    if len(wanted.ways) < len(Way):
        parts.append(f"only: {sentence([PLANNED[way] for way in Way if way in wanted.ways], last='and')}")
    if wanted.most is not None:
        parts.append(f"at most {show_btc(wanted.most)} BTC sold")
    if not wanted.keep_reserves:
        parts.append("going into the reserves")
    return "; ".join(parts)


def name_phrase(name: Name, wanted: Wanted) -> str:
    """What the alternative is called, with what it was limited to."""
    more = wanted_phrase(wanted)
    return f"{capital(name.value)}{f' ({more})' if more else ''}"


def listed(book: Book, plans: Sequence[Plan]) -> list[str]:
    """Open plans and what ended last, a line each."""
    return [f"{headline(plan)}. {_standing(book, plan)}." for plan in plans]


def _standing(book: Book, plan: Plan) -> str:
    if plan.status is not Status.APPROVED:
        return state_of(book, plan)
    left = left_phrase(book, plan).rstrip(".")
    approved = someone(plan.decided_by) if plan.decided_by else ""
    return f"Approved by {approved}; {done_phrase(book, plan)}. {left}"
