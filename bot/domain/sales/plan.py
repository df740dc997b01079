"""What a Cover answer is made of: pure data, integers in satoshis and cents, instants in UTC (contract §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import floor

from bot.domain.covenant import Reading
from bot.domain.ledger import Balances
from bot.domain.money import Cents, Price, Sats
from bot.domain.periods import END_OF_TIME
from bot.domain.price import PriceView
from bot.domain.terms import Tier, TierKind
from bot.domain.treasury import Movement


class Way(StrEnum):
    """How a loan is brought back: each takes from somewhere else."""

    CASH = "cash"
    TOP_UP = "top_up"
    SELL_FREE = "sell_free"
    SELL_PLEDGED = "sell_pledged"


EVERY_WAY = frozenset(Way)
SALES = frozenset({Way.SELL_FREE, Way.SELL_PLEDGED})


class Name(StrEnum):
    """The alternatives, as they are called everywhere."""

    RECOMMENDED = "recommended mix"
    TOP_UP = "top up"
    CASH = "repay from cash"
    FREE = "free coins only"
    PLEDGED = "pledged only"
    NOTHING = "do nothing"
    BROKEN = "recommended mix, reserves broken"


@dataclass(frozen=True, slots=True)
class Scenario:
    """At which price to plan: `price` (cents per BTC), else `drop` off the last price (0.30 is 30 %).

    With neither, the policy's `withstand_drop` off the last price, else the last price. ValueError: both, or no price
    of more than 0 and no fall in [0, 1).
    """

    price: Price | None = None
    drop: Fraction | None = None

    def __post_init__(self) -> None:
        if self.price is not None and self.drop is not None:
            raise ValueError("a scenario is a price or a fall, not both")
        if self.price is not None and self.price <= 0:
            raise ValueError("a price is more than 0")
        if self.drop is not None and not 0 <= self.drop < 1:
            raise ValueError("a fall is from 0 to under 100 %")

    def view(self, last: PriceView, withstand: Fraction | None) -> PriceView:
        """The price to plan at; one that is not usable where there is none."""
        if self.price is not None:
            return PriceView.scenario(self.price)
        drop = self.drop if self.drop is not None else withstand
        return last.fall(drop) if drop is not None else last


@dataclass(frozen=True, slots=True)
class Need:
    """A facility or group that would be at a call line (or has an open call) and must end at or under `target`.

    `tier` is the worst line reached or called. `due` is the deadline that governs: of an open call, or if called now;
    None where the terms give none, or where it is past (`missed`).
    """

    key: str
    id: str
    title: str
    is_group: bool
    tier: Tier
    target: Fraction
    due: datetime | None
    missed: bool
    called: bool

    @property
    def at_once(self) -> bool:
        """Whether the lender need not wait for the deadline."""
        return self.missed or self.tier.kind is TierKind.LIQUIDATION


@dataclass(frozen=True, slots=True)
class Leg:
    """One thing to do. Coins in satoshis, dollars in cents.

    `facility` is the loan it is for (a member, where the coins or dollars are for its group), `account` where coins
    or cash come from (None: pledged coins) and `through` the account that takes a sale's dollars. `usd` is what is
    repaid from cash or a sale's net proceeds, `gross` the same coins at the scenario price. `starts` is when it can
    leave or the desk opens. `released_from` names the facility that lets the coins go first; `asks` says that the
    lender must agree.
    """

    way: Way
    facility: str
    starts: datetime
    credited_at: datetime
    account: str | None = None
    through: str | None = None
    btc: Sats = 0
    usd: Cents = 0
    gross: Fraction = Fraction(0)
    released_from: str | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Repayment:
    """What is paid to one lender, in cents, of principal and of interest."""

    facility: str
    principal: Cents
    interest: Cents
    raised: bool = False
    """Whether it was raised to the lender's least repayment."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The least that would make an alternative feasible, each by itself; None where that alone would not do.

    `usd`: more cash that arrives in time (cents). `btc`: more free coins that do (satoshis). `later`: more time for
    every deadline.
    """

    usd: Cents | None = None
    btc: Sats | None = None
    later: timedelta | None = None


@dataclass(frozen=True, slots=True)
class After:
    """A facility or group once the plan is carried out, read at the scenario price.

    `debt` and `collateral` in cents and satoshis, `call_price` the highest tier price of a call line (cents per BTC).
    `settles` is when the last of what is for it is credited; None where nothing is.
    """

    reading: Reading
    debt: Cents
    collateral: Sats
    call_price: Price | None
    settles: datetime | None
    cured: bool

    @property
    def id(self) -> str:
        return self.reading.exposure.id

    @property
    def is_group(self) -> bool:
        return self.reading.exposure.is_group


@dataclass(frozen=True, slots=True)
class Liquidation:
    """What a lender may sell where nothing is done, and from when (None: at once).

    `usd` is what that repays, `still_owed` what all the coins do not pay, `cost` the lender's fee; cents.
    """

    facility: str
    btc: Sats
    usd: Cents
    still_owed: Cents
    cost: Cents
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way out, with its working. Amounts are None where it is not feasible.

    `why` says in a sentence why not, `notes` what else must be known. `movements` are what to record as it is carried
    out. `proven` is False where an all-or-nothing choice was not tried in full, so that fewer coins may do.
    """

    name: Name
    feasible: bool
    why: str = ""
    notes: tuple[str, ...] = ()
    legs: tuple[Leg, ...] = ()
    repayments: tuple[Repayment, ...] = ()
    movements: tuple[Movement, ...] = ()
    liquidations: tuple[Liquidation, ...] = ()
    after: tuple[After, ...] = ()
    balances: Balances | None = None
    missing: Missing | None = None
    proven: bool = True
    breaks_reserves: bool = False

    def _coins(self, way: Way) -> Sats | None:
        return sum(leg.btc for leg in self.legs if leg.way is way) if self.feasible else None

    @property
    def sell_free(self) -> Sats | None:
        return self._coins(Way.SELL_FREE)

    @property
    def sell_pledged(self) -> Sats | None:
        """Pledged coins sold; where nothing is done, by the lender."""
        if self.name is Name.NOTHING:
            return sum(one.btc for one in self.liquidations)
        return self._coins(Way.SELL_PLEDGED)

    @property
    def top_up(self) -> Sats | None:
        return self._coins(Way.TOP_UP)

    @property
    def repaid(self) -> Cents | None:
        """Dollars paid to lenders, principal and interest."""
        if self.name is Name.NOTHING:
            return sum(one.usd for one in self.liquidations)
        return sum(one.principal + one.interest for one in self.repayments) if self.feasible else None

    @property
    def cost(self) -> Cents | None:
        """What fees and slippage (of a liquidation, the lender's fee) take, rounded up to the cent."""
        if self.name is Name.NOTHING:
            return sum(one.cost for one in self.liquidations)
        return (
            -floor(sum((leg.usd - leg.gross for leg in self.legs if leg.gross), Fraction(0))) if self.feasible else None
        )

    @property
    def btc_left(self) -> Sats | None:
        """All coins that are still ours afterwards: free, pledged, in transit and owed by pools."""
        return self.balances.held if self.balances is not None else None

    @property
    def credited_at(self) -> datetime | None:
        """When the last of it is credited; None where nothing is done."""
        instants = [leg.credited_at for leg in self.legs]
        return max(instants) if instants else None


@dataclass(frozen=True, slots=True)
class Answer:
    """The recommendation and the alternatives side by side, for one price at one instant.

    `needs` is what must be cured; where there is none, nothing is to be done and `alternatives` is empty.
    `why` says so in a sentence, or that there is no price.
    """

    at: datetime
    view: PriceView
    needs: tuple[Need, ...] = ()
    recommended: Alternative | None = None
    alternatives: tuple[Alternative, ...] = ()
    why: str = ""

    @property
    def due(self) -> datetime | None:
        """The earliest deadline of all."""
        return min((need.due for need in self.needs if need.due), default=None)


NEVER = END_OF_TIME
"""The deadline of what has none."""
