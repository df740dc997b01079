"""What a policy replay reports: pure data, integers in satoshis and cents, instants in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.answers import Document
from bot.domain.money import Cents, Price, Sats, btc_plain, usd_plain
from bot.domain.periods import iso


class RunName(StrEnum):
    """The two runs, as they are called everywhere."""

    POLICY = "policy"
    NOTHING = "nothing"


class What(StrEnum):
    """What is done, by us or by a lender."""

    SOLD_FREE = "sold_free"
    SOLD_PLEDGED = "sold_pledged"
    PLEDGED = "pledged"
    RELEASED = "released"
    REPAID = "repaid"
    NO_PLAN = "no_plan"
    DROPPED = "plan_dropped"
    CALLED = "called"
    MET = "call_met"
    RECOVERED = "call_recovered"
    LIQUIDATED = "liquidated"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done at `at`, while `price` (cents per BTC) stood; of a sale, at which it was made.

    `of` is a facility, a group or (of free coins) an account; "" where it is of nothing in particular. `btc` in
    satoshis; `usd` what a sale brought net or a lender was paid, and `cost` what fees, slippage or a lender took of
    it, rounded up, in cents. `text` is what else is to be known.
    """

    at: datetime
    what: What
    of: str
    price: Price
    btc: Sats = 0
    usd: Cents = 0
    cost: Cents = 0
    text: str = ""

    def document(self, run: RunName) -> Document:
        return {
            "run": run.value,
            "at": iso(self.at),
            "act": self.what.value,
            "of": self.of or None,
            "price_usd": usd_plain(self.price),
            "btc": btc_plain(self.btc),
            "usd": usd_plain(self.usd),
            "cost_usd": usd_plain(self.cost),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """One run in numbers. Coins in satoshis, dollars in cents.

    `cost` is fees and slippage of our own sales and what lenders' sales cost (`lender_cost`). `days_at_line` are days
    of the treasury's zone on which some facility or group was at or past a call line. `coins` are all that are ours at
    the end, `cash` with what is in transit; `unpaid` is what recorded costs would have taken that was not there.
    """

    sold_free: Sats
    sold_pledged: Sats
    sold_by_lender: Sats
    repaid: Cents
    repaid_by_lender: Cents
    cost: Cents
    lender_cost: Cents
    days_at_line: int
    calls: int
    liquidations: int
    coins: Sats
    cash: Cents
    debt: Cents
    unpaid: Cents
    net_worth: Cents

    @property
    def sold(self) -> Sats:
        """All coins sold, by whomever."""
        return self.sold_free + self.sold_pledged + self.sold_by_lender

    def document(self) -> Document:
        coins = ("sold_free", "sold_pledged", "sold_by_lender", "sold", "coins")
        dollars = ("repaid", "repaid_by_lender", "cost", "lender_cost", "cash", "debt", "unpaid", "net_worth")
        counts = ("days_at_line", "calls", "liquidations")
        return {
            **{f"{name}_btc": btc_plain(getattr(self, name)) for name in coins},
            **{f"{name}_usd": usd_plain(getattr(self, name)) for name in dollars},
            **{name: getattr(self, name) for name in counts},
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to."""

    name: RunName
    acts: tuple[Act, ...]
    totals: Totals


@dataclass(frozen=True)
class Comparison:
    """Both runs over the same prices, from the same treasury.

    `left_out` counts the recorded movements that neither has, by kind. `ends` is the instant of the totals, `price`
    the last price (cents per BTC), by which net worth is reckoned.
    """

    policy: Outcome
    nothing: Outcome
    left_out: Mapping[str, int]
    ends: datetime
    price: Price

    @property
    def runs(self) -> tuple[Outcome, Outcome]:
        return self.policy, self.nothing

    def documents(self) -> Iterator[Document]:
        """The acts of both runs in the order of time, then the totals of each."""
        acts = [(act, run.name) for run in self.runs for act in run.acts]
        for act, name in sorted(acts, key=lambda one: one[0].at):
            yield act.document(name)
        for run in self.runs:
            end = {"at": iso(self.ends), "price_usd": usd_plain(self.price)}
            yield {"run": run.name.value, **end, "totals": run.totals.document(), "left_out": dict(self.left_out)}


def totals(acts: list[Act], *, days: int, coins: Sats, cash: Cents, debt: Cents, unpaid: Cents, worth: Cents) -> Totals:
    """The acts added up, beside what there is at the end; `worth` is what the coins are worth then."""

    def btc(what: What) -> Sats:
        return sum(act.btc for act in acts if act.what is what)

    lender_cost = sum(act.cost for act in acts if act.what is What.LIQUIDATED)
    return Totals(
        sold_free=btc(What.SOLD_FREE),
        sold_pledged=btc(What.SOLD_PLEDGED),
        sold_by_lender=btc(What.LIQUIDATED),
        repaid=sum(act.usd for act in acts if act.what is What.REPAID),
        repaid_by_lender=sum(act.usd for act in acts if act.what is What.LIQUIDATED),
        cost=sum(act.cost for act in acts),
        lender_cost=lender_cost,
        days_at_line=days,
        calls=sum(act.what is What.CALLED for act in acts),
        liquidations=sum(act.what is What.LIQUIDATED for act in acts),
        coins=coins,
        cash=cash,
        debt=debt,
        unpaid=unpaid,
        net_worth=worth + cash - debt - unpaid,
    )
