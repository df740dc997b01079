"""Keeps what has become of a plan: its row, its line in the audit log and its message, together or not at all.

A plan has one stream of messages. It is posted when it is proposed and when it is asked for anew (the older post then
says where it goes on); everything else edits it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.audit import PLIMSOLL, Entry, What
from bot.domain.book import Book
from bot.domain.money import btc_plain, usd_plain
from bot.domain.plan_documents import wanted_document
from bot.domain.plan_words import PlanTold, reply, told
from bot.domain.planning import progress_of
from bot.domain.plans import Act, Change, Did, Plan, Status, Turn, decide
from bot.domain.terms import Level
from bot.services.ports import Enqueues, KeepsPlans
from bot.services.recording import Channels

POSTS = frozenset({Change.PROPOSED, Change.ASKED_AGAIN})


def keep(tx: KeepsPlans, book: Book, turn: Turn, channels: Channels, by: str = PLIMSOLL) -> Turn:
    """Writes a turn that counts; the same, with the id that a new plan was given. `by` whom, for the audit log."""
    if turn.before is None:
        turn = replace(turn, plan=replace(turn.plan, id=tx.add_plan(turn.plan)))
    else:
        tx.save_plan(turn.plan)
    tx.add_audit(Entry(book.at, by, What(turn.change.value), turn.plan.title, _detail(turn)))
    post = "post" if turn.change in POSTS else "edit"
    _say(tx, channels.approval, turn.plan, told(book, turn.plan), book.at, post)
    if (said := reply(book, turn)) is not None:
        _say(tx, channels.approval, turn.plan, said, book.at, "reply")
    return turn


def look_at_plans(tx: KeepsPlans, book: Book, channels: Channels) -> list[Turn]:
    """Holds every approved plan against the Book; what has come further, or is complete, is kept and returned."""
    approved = [plan for plan in tx.open_plans() if plan.status is Status.APPROVED]
    looked = [decide(plan, Act(Did.LOOK), book.at, progress=progress_of(book, plan)) for plan in approved]
    return [keep(tx, book, turn, channels) for turn in looked if turn.counts]


def supersede(tx: KeepsPlans, book: Book, newer: Plan, channels: Channels, by: str) -> None:
    """Ends what is open for the same as `newer`: before its approval only what is not approved either."""
    for plan in tx.open_plans():
        weaker = newer.status is Status.APPROVED or plan.status is Status.PROPOSED
        if plan.id != newer.id and weaker and plan.made.overlaps(newer.made):
            turn = decide(plan, Act(Did.SUPERSEDE, reason=newer.title), book.at)
            keep(tx, book, turn, channels, by)


def _say(tx: Enqueues, channel: str | None, plan: Plan, said: PlanTold, at: datetime, kind: str) -> None:
    if channel is None:
        return
    tx.enqueue(
        alert_id=None,
        stream=f"plan:{plan.id}",
        kind=kind,
        channel=channel,
        message=said.document(),
        level=Level.WARNING,
        at=at,
    )


def _detail(turn: Turn) -> dict[str, Any]:
    """What the audit log keeps of it: the numbers that are asked for or approved, and what is new."""
    plan = turn.plan
    detail: dict[str, Any] = {"why": turn.why.value, "asked": plan.asked}
    if turn.change in (Change.PROPOSED, Change.ASKED_AGAIN, Change.APPROVED):
        detail |= {"price_usd": usd_plain(plan.made.price), "revision": plan.made.revision}
        detail |= {"wanted": wanted_document(plan.wanted), "alerts": sorted(plan.made.keys)}
        detail |= {"plan": dict(_figures(plan))}
    if turn.change is not Change.PROPOSED:
        detail |= {"proposed_by": plan.proposed_by.id}
    if turn.change in (Change.FILLED, Change.COMPLETED):
        detail |= {"fills": list(plan.fills)}
    return detail | ({"reason": plan.reason} if plan.reason else {})


def _figures(plan: Plan) -> Iterator[tuple[str, str]]:
    for (what, facility), amount in plan.made.figures.items():
        yield f"{what} {facility}", usd_plain(amount) if what == "repay" else btc_plain(amount)
