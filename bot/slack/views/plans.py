"""Plans: the buttons under a recommendation, the approvers' message, the dialogs that adjust and dismiss, the list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from slackblocks import ActionsBlock, Block, Button, CheckboxGroup, InputBlock, PlainTextInput

from bot.domain.book import Book
from bot.domain.money import btc_plain, percent_plain, usd_plain
from bot.domain.plan_documents import wanted_document
from bot.domain.plan_words import PLANNED, PlanTold, gist, listed, name_phrase, steps
from bot.domain.plans import Plan, Wanted
from bot.domain.sales import Way
from bot.domain.words import capital, plain_people, somewhere
from bot.services.plans import Planned, Proposed
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import flat, rich
from bot.slack.views.dialog import modal, option, plain
from bot.slack.views.parts import code, context, payload, section, sections, within

PROPOSE, ADJUST, DROP = "sales_propose", "sales_adjust", "sales_drop"
"""The action ids of the buttons under a recommendation; `ADJUST` is the callback of its dialog, too."""
APPROVE, DISMISS = "plan_approve", "plan_dismiss"
"""Those of a plan's own; `DISMISS` is the callback of its dialog, too."""
PRICE_BLOCK, DROP_BLOCK, WAYS_BLOCK, MOST_BLOCK, REASON_BLOCK = (
    "plan_price",
    "plan_drop",
    "plan_ways",
    "plan_most",
    "plan_reason",
)
LONGEST_REASON, LONGEST_NUMBER = 300, 40
MOST_LISTED = 20


def plan_buttons(wanted: Wanted, *, feasible: bool = True) -> Block:
    """The buttons under a recommendation that was made for `wanted`; what is not `feasible` is not proposed."""
    value = json.dumps(wanted_document(wanted), separators=(",", ":"))
    offered = [Button("Propose", PROPOSE, value=value, style="primary")] if feasible else []
    return ActionsBlock([*offered, Button("Adjust…", ADJUST, value=value), Button("Dismiss", DROP)])


def planned(come: Planned, slash: Slash) -> Payload:
    """What planning came to for what somebody adjusted, with the same buttons."""
    made, wanted = come.found.made, come.wanted
    if made is None:
        said = come.found.why
        return payload(flat(said), [*sections(said), plan_buttons(wanted, feasible=False)])
    title = f"{name_phrase(made.name, wanted)}: {gist(made)}"
    lines = steps(come.book, made)
    blocks = [section(f"*{rich(title)}*"), *within(lines), plan_buttons(wanted)]
    blocks.append(context(f"Nothing is proposed yet. {code(slash('record'))} records what is done."))
    return payload(flat("\n".join([title, *lines])), blocks)


def told(plan: PlanTold) -> Payload:
    """A plan's message, or a line of its thread. It names people; a line that `wakes` mentions them."""
    named = (lambda text: text) if plan.wakes else plain_people
    headline = rich(named(plan.headline))
    blocks = [section(f"*{headline}*" if plan.plan else headline), *within([named(line) for line in plan.lines])]
    if plan.state:
        blocks.append(context(rich(plain_people(plan.state))))
    if plan.buttons:
        blocks.append(_own_buttons(plan))
    return payload(flat(plan.text), blocks)


def _own_buttons(plan: PlanTold) -> Block:
    value = f"{plan.plan} {plan.asked}"
    approve = [Button("Approve", APPROVE, value=value, style="primary")] if plan.buttons == "proposed" else []
    return ActionsBlock([*approve, Button("Dismiss…", DISMISS, value=value)])


def proposed(came: Proposed, channel: str) -> str:
    """What the proposer is told."""
    if came.turn is None:
        return f"Not proposed. {came.found.why}"
    plan = came.turn.plan
    if came.already:
        return (
            f"{plan.title.capitalize()} says the same already: nothing new was proposed. It is in {somewhere(channel)}."
        )
    return f"Proposed as {plan.title} in {somewhere(channel)}: {gist(plan.made)}. An approver other than you decides."


def adjusting(wanted: Wanted, origin: str) -> dict[str, Any]:
    """Asks what is to be planned for, filled in with what was."""
    scenario = wanted.scenario
    price = usd_plain(scenario.price) if scenario.price is not None else None
    drop = percent_plain(scenario.drop) if scenario.drop is not None else None
    ways = [option(capital(PLANNED[way]), way.value) for way in Way]
    chosen = [one for one, way in zip(ways, Way, strict=True) if way in wanted.ways]
    most = btc_plain(wanted.most) if wanted.most is not None else None
    blocks: list[Block] = [
        InputBlock(
            plain("At a price (USD per BTC)"),
            PlainTextInput("price", initial_value=price, max_length=LONGEST_NUMBER),
            block_id=PRICE_BLOCK,
            optional=True,
            hint=plain("Neither: the fall that the policy withstands, else the last price."),
        ),
        InputBlock(
            plain("Or at a fall (%)"),
            PlainTextInput("drop", initial_value=drop, max_length=LONGEST_NUMBER),
            block_id=DROP_BLOCK,
            optional=True,
        ),
        InputBlock(plain("Ways that may be used"), CheckboxGroup("ways", ways, chosen), block_id=WAYS_BLOCK),
        InputBlock(
            plain("Most coins to sell (BTC)"),
            PlainTextInput("most", initial_value=most, max_length=LONGEST_NUMBER),
            block_id=MOST_BLOCK,
            optional=True,
            hint=plain("Nothing: as many as the policy allows."),
        ),
    ]
    return modal(ADJUST, "Adjust the plan", "Plan", origin, blocks)


def dismissing(plan: Plan, origin: str) -> dict[str, Any]:
    """Asks why a plan is dismissed."""
    why = InputBlock(plain("Why"), PlainTextInput("reason", max_length=LONGEST_REASON), block_id=REASON_BLOCK)
    said = f"{plan.title.capitalize()}: {gist(plan.made)}"
    return modal(DISMISS, "Dismiss a plan", "Dismiss", origin, [*sections(said), why])


def listing(book: Book, plans: Sequence[Plan], slash: Slash) -> Payload:
    """Plans that are open and the last that have ended, each with how far it has come."""
    lines = listed(book, plans[:MOST_LISTED])
    if not lines:
        text = f"No plan is open and none has been. {code(slash('sales'))} recommends one."
        return payload(text, [section(text)])
    if len(plans) > MOST_LISTED:
        lines.append(f"and {len(plans) - MOST_LISTED} more")
    return payload(flat("\n".join(lines)), within([plain_people(line) for line in lines]))
