"""Where coins and dollars can come from, and when each can leave (contract §7, *Cover*).

Bank dollars move only while their account's calendar is open; `usdt` and `usdc` at any hour. Coins leave after the
account's `ready_hours`. What free coins sold bring is dollars in an account and moves as its dollars do: it goes
through the account from which it can leave first. A lender credits after its `credit_hours`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from bot.domain.book import Book, Snapshot
from bot.domain.checks import release_now
from bot.domain.covenant import Exposure, read
from bot.domain.money import SATS_PER_BTC, Cents, Sats
from bot.domain.price import PriceView
from bot.domain.sales.plan import Need
from bot.domain.treasury import Account, Holds


@dataclass(frozen=True, slots=True)
class Dollars:
    """Cash of one account: `usd` in cents, and when it can leave."""

    account: str
    usd: Cents
    leaves: datetime


@dataclass(frozen=True, slots=True)
class Coins:
    """Coins of one account, in satoshis, and when they can leave to be pledged.

    Sold, their dollars go `through` an account and can leave at `sold_leaves` (never, where there is none).
    `released_from` names the facility that has to let them go first, at `released_at`; else they are free already.
    """

    account: str
    btc: Sats
    leaves: datetime
    through: str | None
    sold_leaves: datetime | None
    released_from: str | None = None
    released_at: datetime | None = None


@dataclass(frozen=True)
class Sources:
    """All there is, and what of it may be used: `spare_*` is what is above the reserves, of `free_btc` and `cash`.

    `under_*` is what they are under the reserves already: of more that came, so much would only fill these up.
    """

    dollars: tuple[Dollars, ...]
    coins: tuple[Coins, ...]
    desk_account: str | None
    free_btc: Sats
    spare_btc: Sats
    cash: Cents
    spare_usd: Cents
    sellable: Sats | None
    under_btc: Sats = 0
    under_usd: Cents = 0


def sources_of(book: Book, view: PriceView, needs: list[Need], *, keep_reserves: bool = True) -> Sources:
    """What the treasury may draw on at the Book's instant; with reserves broken, down to nothing."""
    policy, held = book.treasury.policy, book.balances.accounts
    accounts = [account for account in book.treasury.accounts if account.holds is not Holds.POOL]
    free = [coins_in(book, account, accounts) for account in accounts if held[account.id].btc > 0]
    dollars = [Dollars(a.id, held[a.id].usd, moves(book, a, book.at)) for a in accounts if held[a.id].usd > 0]
    free_btc, cash = sum(coins.btc for coins in free), sum(one.usd for one in dollars)
    return Sources(
        dollars=tuple(sorted(dollars, key=lambda one: one.leaves)),
        coins=tuple(sorted(free, key=lambda one: one.leaves)) + tuple(_releases(book, view, needs, accounts)),
        desk_account=_quickest(book, accounts, book.at)[0],
        free_btc=free_btc,
        spare_btc=max(free_btc - policy.reserve_btc, 0) if keep_reserves else free_btc,
        cash=cash,
        spare_usd=max(cash - policy.min_cash_usd, 0) if keep_reserves else cash,
        sellable=policy.max_cover_btc,
        under_btc=max(policy.reserve_btc - free_btc, 0) if keep_reserves else 0,
        under_usd=max(policy.min_cash_usd - cash, 0) if keep_reserves else 0,
    )


def moves(book: Book, account: Account, ready: datetime) -> datetime:
    """When dollars that are in `account` from `ready` on can leave it."""
    calendar = book.treasury.calendars.get(account.calendar) if account.calendar else None
    return calendar.next_open(ready) if account.holds is Holds.BANK and calendar else ready


def coins_in(book: Book, account: Account, accounts: list[Account]) -> Coins:
    leaves = book.at + account.ready_hours
    first = [account, *(other for other in accounts if other is not account)]
    through, sold_leaves = _quickest(book, first, leaves)
    return Coins(account.id, book.balances.accounts[account.id].btc, leaves, through, sold_leaves)


def _quickest(book: Book, accounts: list[Account], ready: datetime) -> tuple[str | None, datetime | None]:
    """The account that a sale's dollars can leave first; of equals the first."""
    if not accounts:
        return None, None
    best = min(accounts, key=lambda account: moves(book, account, ready))
    return best.id, moves(book, best, ready)


def _releases(book: Book, view: PriceView, needs: list[Need], accounts: list[Account]) -> Iterator[Coins]:
    """What lenders let go on request: of facilities that need no cure themselves, nor does their group."""
    if not accounts:
        return
    receiver = min(accounts, key=lambda account: account.ready_hours)
    then = replace(book, price=view)
    slack = {group.id: _group_slack(book.snapshot, view, group.id) for group in book.treasury.groups}
    needing = {need.key for need in needs}
    for facility, exposure in zip(book.treasury.facilities, book.snapshot.facilities, strict=True):
        group = facility.group
        if exposure.key in needing or (group and any(_of_group(book, need, group) for need in needs)):
            continue
        coins = min(release_now(then, facility, exposure), _slack(exposure, view))
        if group:
            coins = min(coins, slack[group])
            slack[group] -= max(coins, 0)
        if coins > 0:
            back = book.at + (book.snapshot.terms(facility).credit_hours or timedelta(0))
            put = coins_in(book, receiver, accounts)
            leaves = back + receiver.ready_hours
            through, sold_leaves = _quickest(book, accounts, leaves)
            yield replace(
                put,
                btc=coins,
                leaves=leaves,
                through=through,
                sold_leaves=sold_leaves,
                released_from=facility.id,
                released_at=back,
            )


def _of_group(book: Book, need: Need, group: str) -> bool:
    return need.id == group if need.is_group else book.treasury.facility_by_id[need.id].group == group


def _group_slack(now: Snapshot, view: PriceView, group_id: str) -> Sats:
    exposure = now.group(now.treasury.group_by_id[group_id])
    return _slack(exposure, view) if exposure.bounds else exposure.collateral


def _slack(exposure: Exposure, view: PriceView) -> Sats:
    """Coins above those that keep it at the cure target of its mildest line, by the lender's own price."""
    valued = read(exposure, view).valued
    if not exposure.bounds or not exposure.tested or valued is None:
        return exposure.collateral
    target = exposure.bounds[0].target
    if not target:
        return 0
    kept = Fraction(exposure.tested * SATS_PER_BTC) / (target * valued)
    return max(exposure.collateral - ceil(kept), 0)
