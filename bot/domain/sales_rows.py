"""The alternatives side by side: each as a row of short texts, the same for Slack and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.book import Book
from bot.domain.money import show_btc_down, show_btc_up, show_usd
from bot.domain.sales.plan import After, Alternative, Answer, Name
from bot.domain.sales_words import after_of, ltv, reading_now
from bot.domain.words import capital, dated


@dataclass(frozen=True, slots=True)
class Row:
    """One alternative in words; "" where it has no such thing. `ltv` and `call` are the highest after it.

    `possible` says in a word whether it can be done; of doing nothing, nobody asks.
    """

    name: str
    possible: bool
    sell_free: str
    sell_pledged: str
    top_up: str
    repay: str
    cost: str
    ltv: str
    call: str
    left: str
    credited: str
    why: str


def rows(book: Book, answer: Answer) -> list[Row]:
    """Every alternative of an answer, the recommended one first, doing nothing last."""
    return [_row(book, answer, one) for one in answer.alternatives]


def label(name: Name) -> str:
    """An alternative's name as a title."""
    return capital(name.value)


def _row(book: Book, answer: Answer, one: Alternative) -> Row:
    worst = worst_after(answer, one)
    return Row(
        name=label(one.name),
        possible=one.feasible,
        sell_free=show_btc_up(one.sell_free) if one.sell_free else "",
        sell_pledged=show_btc_up(one.sell_pledged) if one.sell_pledged else "",
        top_up=show_btc_up(one.top_up) if one.top_up else "",
        repay=show_usd(one.repaid) if one.repaid else "",
        cost=show_usd(one.cost) if one.cost is not None else "",
        ltv=ltv(worst.reading) if worst is not None else "",
        call=show_usd(worst.call_price) if worst is not None and worst.call_price else "",
        left=show_btc_down(one.btc_left) if one.btc_left is not None else "",
        credited=dated(one.credited_at, book.treasury.zone) if one.credited_at else "",
        why=one.why,
    )


def worst_after(answer: Answer, one: Alternative) -> After | None:
    """Of what needed a cure, that whose LTV is the highest afterwards."""
    found = [after for need in answer.needs if (after := after_of(one, need)) is not None]
    return max(found, key=lambda after: (after.reading.exposure.uncovered, after.reading.lenders or 0), default=None)


def by_need(book: Book, answer: Answer, plan: Alternative) -> Iterator[tuple[str, ...]]:
    """Of each facility and group that needs a cure: its name, LTV now and then, call line then, repaid, settled by."""
    for need in answer.needs:
        then = after_of(plan, need)
        members = {need.id}
        if need.is_group:
            members = {one.id for one in book.treasury.members(book.treasury.group_by_id[need.id])}
        repaid = sum(one.principal + one.interest for one in plan.repayments if one.facility in members)
        yield (
            f"{need.id} (group)" if need.is_group else need.id,
            ltv(reading_now(book, answer.view, need)),
            ltv(then.reading) if then is not None else "nothing owed",
            show_usd(then.call_price) if then is not None and then.call_price else "–",
            show_usd(repaid) if repaid else "–",
            dated(then.settles, book.treasury.zone) if then is not None and then.settles else "–",
        )


def told(row: Row) -> str:
    """An alternative in a few short sentences, without its name."""
    done = [f"{what} {amount} {unit}".strip() for what, amount, unit in _amounts(row) if amount] if row.possible else []
    first = ", ".join(done)
    said = [f"{capital(first)}."] if done else []
    if not row.possible and not row.left:
        return f"not possible. {row.why}"
    said += [row.why] if row.why else []
    line = f", call line {row.call}" if row.call else ""
    said += [f"LTV then {row.ltv}{line}."] if row.ltv else ["Nothing owed then."]
    said.append(f"Costs {row.cost}, {row.left} BTC left." if row.cost else f"{row.left} BTC left.")
    said += [f"Credited {row.credited}."] if row.credited else []
    return " ".join(said)


def _amounts(row: Row) -> tuple[tuple[str, str, str], ...]:
    return (
        ("sell", row.sell_free, "free BTC"),
        ("sell", row.sell_pledged, "pledged BTC"),
        ("pledge", row.top_up, "BTC"),
        ("repay", row.repay, ""),
    )
