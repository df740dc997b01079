"""A policy replay in words and rows, for people."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from bot.domain.money import percent_plain, show_btc, show_percent, show_usd
from bot.domain.periods import iso
from bot.domain.policy_replay.outcome import Act, Comparison, RunName, What
from bot.domain.treasury import Treasury

RUN_TITLES = {RunName.POLICY: "By the policy", RunName.NOTHING: "Doing nothing"}
_DONE = {
    What.SOLD_FREE: "sold free coins",
    What.SOLD_PLEDGED: "sold pledged coins",
    What.PLEDGED: "pledged",
    What.RELEASED: "released",
    What.REPAID: "repaid",
    What.NO_PLAN: "no plan is feasible",
    What.DROPPED: "plan dropped",
    What.CALLED: "lender called",
    What.MET: "call met",
    What.RECOVERED: "call ended by price",
    What.LIQUIDATED: "lender sold",
}
_BTC = {
    "Free coins sold, BTC": "sold_free",
    "Pledged coins sold, BTC": "sold_pledged",
    "Sold by lenders, BTC": "sold_by_lender",
    "Coins sold in all, BTC": "sold",
}
_USD = {
    "Repaid": "repaid",
    "Repaid by lenders' sales": "repaid_by_lender",
    "Fees, slippage, lenders' cost": "cost",
}
_COUNTS = {
    "Days at or past a call line": "days_at_line",
    "Calls": "calls",
    "Lenders' sales": "liquidations",
}
_END = {"Cash at the end": "cash", "Debt at the end": "debt", "Costs that could not be paid": "unpaid"}


def total_rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Label, by the policy, doing nothing."""
    both = [run.totals for run in found.runs]
    yield from ((label, *(show_btc(getattr(one, name)) for one in both)) for label, name in _BTC.items())
    yield from ((label, *(show_usd(getattr(one, name)) for one in both)) for label, name in _USD.items())
    yield from ((label, *(f"{getattr(one, name):,}" for one in both)) for label, name in _COUNTS.items())
    yield ("Coins at the end, BTC", *(show_btc(one.coins) for one in both))
    for label, name in _END.items():
        if name != "unpaid" or any(one.unpaid for one in both):
            yield (label, *(show_usd(getattr(one, name)) for one in both))
    yield (f"Net worth at {show_usd(found.price)}", *(show_usd(one.net_worth) for one in both))


def act_row(act: Act, zone: ZoneInfo) -> tuple[str, ...]:
    """When, what, of what, coins, dollars, price."""
    when = act.at.astimezone(zone)
    return (
        f"{when:%Y-%m-%d %H:%M}",
        _DONE[act.what],
        act.of or "—",
        show_btc(act.btc) if act.btc else "—",
        show_usd(act.usd) if act.usd else "—",
        show_usd(act.price),
    )


def explained(treasury: Treasury, found: Comparison) -> Iterator[str]:
    """What the numbers stand on, a sentence or two each."""
    drop = treasury.policy.withstand_drop
    fall = f"for a price {show_percent(percent_plain(drop))} lower" if drop is not None else "for the price of the day"
    yield (
        f"A plan a day at 00:00 in {treasury.zone.key}, made {fall} and carried out if feasible; its coins are sold at "
        "the price of the day. Lenders call and sell at once, as far as their terms allow."
    )
    if found.left_out:
        listed = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in found.left_out.items())
        yield (
            f"Left out of both, as the company's own answer to what happened (recorded movements): {listed}. Coins "
            "mined, costs, draws, interest and transfers go on, cut down to what there is."
        )
    for act in found.policy.acts:
        if act.what in (What.NO_PLAN, What.DROPPED):
            yield f"{iso(act.at)}: {_DONE[act.what]}: {act.text}"
