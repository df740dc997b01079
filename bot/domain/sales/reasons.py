"""Why an alternative is not feasible, and what must be known of one that is: short sentences, with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil

from bot.domain.book import Book
from bot.domain.calls import open_calls
from bot.domain.covenant import read
from bot.domain.ledger import Credited
from bot.domain.money import show_btc, show_btc_down, show_btc_up, show_usd, show_usd_short_up
from bot.domain.periods import ONE_DAY
from bot.domain.price import PriceView
from bot.domain.sales.plan import Alternative, Liquidation, Missing, Need, Way
from bot.domain.sales.settling import Search
from bot.domain.sales.situation import Patient
from bot.domain.terms import Consent
from bot.domain.treasury import MovementKind
from bot.domain.words import dated, sentence, span


def why_not(search: Search, missing: Missing) -> str:
    """What stands in the way, and the least that would do."""
    known = search.patients()
    said = [*_no_coins(search), *_limit(search, missing, known), *_unwilling(search, known), *late(search, known)]
    said.append(least(missing))
    return " ".join(said)


def _no_coins(search: Search) -> Iterator[str]:
    policy, sources = search.book.treasury.policy, search.sources
    if search.ways & {Way.TOP_UP, Way.SELL_FREE}:
        kept = (
            f" above the reserve of {show_btc(policy.reserve_btc)}"
            if policy.reserve_btc and sources.spare_btc != sources.free_btc
            else ""
        )
        yield f"{show_btc_down(sources.spare_btc) if sources.spare_btc else 'No'} free BTC{kept}."
    if Way.CASH in search.ways:
        kept = (
            f" above the {show_usd(policy.min_cash_usd)} that stays"
            if policy.min_cash_usd and sources.spare_usd != sources.cash
            else ""
        )
        yield f"{show_usd(sources.spare_usd) if sources.spare_usd else 'No'} cash{kept}."


def _limit(search: Search, missing: Missing, known: Sequence[Patient]) -> Iterator[str]:
    """`max_cover_btc`, where there is more to sell than it, or more free coins would not do because of it."""
    most, coins = search.sources.sellable, 0
    if Way.SELL_FREE in search.ways:
        coins += search.sources.spare_btc + sum(one.btc for one in search.sources.coins if one.released_from)
    if Way.SELL_PLEDGED in search.ways:
        spots = [spot for patient in known for spot in patient.spots if spot.consent is not Consent.NONE]
        coins += sum(spot.coins for spot in spots)
    if most is not None and (most < coins or (Way.SELL_FREE in search.ways and missing.btc is None)):
        yield f"At most {show_btc(most)} BTC may be sold (max_cover_btc)."


def _unwilling(search: Search, known: Sequence[Patient]) -> Iterator[str]:
    if Way.SELL_PLEDGED not in search.ways:
        return
    spots = [spot for patient in known for spot in patient.spots if spot.coins and spot.consent is Consent.NONE]
    names = dict.fromkeys(name for spot in spots for name in _lenders(search.book, spot.facility, Consent.NONE))
    if names:
        have = "has" if len(names) == 1 else "have"
        yield f"{sentence(list(names), 'and')} {have} not agreed to sell pledged coins."


def _lenders(book: Book, facility: str, consent: Consent) -> list[str]:
    """Whose consent is so of those who hold a loan's coins: its lender, or all that share its pool."""
    here = book.treasury.facility_by_id[facility]
    pool = book.treasury.pool_of(here)
    holders = book.treasury.members(pool) if pool is not None else (here,)
    return [book.snapshot.title(one) for one in holders if book.snapshot.terms(one).consent is consent]


def late(search: Search, known: Sequence[Patient]) -> Iterator[str]:
    """What there is and cannot be credited in time, by account or desk, with when it can leave."""
    said: set[str] = set()
    for patient in known:
        due = search.due(patient)
        for what, leaves in _ways(search, patient):
            if patient.due is not None and leaves + patient.credit > due and what not in said:
                said.add(what)
                yield (
                    f"{what} from {_when(search.book, leaves)}, credited "
                    f"{_when(search.book, leaves + patient.credit)}: after the deadline {_when(search.book, due)}."
                )


def _ways(search: Search, patient: Patient) -> Iterator[tuple[str, datetime]]:
    if Way.CASH in search.ways:
        for one in search.sources.dollars:
            yield f"Dollars of {one.account} can leave", one.leaves
    for coins in search.sources.coins:
        released = f" that {coins.released_from} may release" if coins.released_from else ""
        if Way.TOP_UP in search.ways:
            yield f"Coins of {coins.account}{released} can leave", coins.leaves
        if Way.SELL_FREE in search.ways and coins.sold_leaves is not None:
            sold = f"Dollars for coins of {coins.account}{released}, paid into {coins.through}, can leave"
            yield sold, coins.sold_leaves
    if Way.SELL_PLEDGED in search.ways:
        for spot in patient.spots:
            if spot.coins and spot.consent is not Consent.NONE:
                yield f"{_title(search.book, spot.facility)}'s desk can sell", spot.opens


def _when(book: Book, instant: datetime) -> str:
    return dated(instant, book.treasury.zone)


def least(missing: Missing) -> str:
    """What is missing: "Short by $12.30M, or 180.00 BTC more free, or 3 h more"; rounded so that it would do."""
    ways = [show_usd_short_up(missing.usd)] if missing.usd is not None else []
    ways += [f"{show_btc_up(missing.btc)} BTC more free"] if missing.btc is not None else []
    ways += [f"{span(_rounded_up(missing.later))} more"] if missing.later is not None else []
    return f"Short by {', or '.join(ways)}." if ways else "Nothing of it alone would do."


def _rounded_up(length: timedelta) -> timedelta:
    """A length that is enough as `span` says it: to the hour from two days on, else to the minute."""
    unit = timedelta(hours=1) if length >= 2 * ONE_DAY else timedelta(minutes=1)
    return -(-length // unit) * unit


def notes(search: Search, made: Alternative) -> Iterator[str]:
    """What a treasurer must know before carrying a feasible plan out."""
    book = search.book
    for need in search.needs:
        if need.at_once:
            why = "its deadline is missed" if need.missed else "it is at its liquidation line"
            yield f"{need.title} may sell pledged coins at any time, {why}: the earliest way is the best."
    for leg in made.legs:
        if leg.asks:
            lenders = _lenders(book, leg.facility, Consent.ASK)
            agree = "it must agree to the sale of its" if len(lenders) == 1 else "each must agree to the sale of their"
            yield f"Ask {sentence(lenders, 'and')} first: {agree} pledged coins."
    for lender in dict.fromkeys(leg.released_from for leg in made.legs if leg.released_from):
        yield f"Ask {_title(book, lender)} first for the coins it may release."
    for one in made.repayments:
        if one.raised:
            least = book.snapshot.terms(book.treasury.facility_by_id[one.facility]).min_repayment
            yield f"{_title(book, one.facility)} takes no repayment under {show_usd(least)}: raised to it."
    if not made.proven:
        yield "Not every choice of least repayments was tried: a plan that sells less may exist."
    yield from _demands(book, made)
    known = search.patients()
    yield from late(search, known)
    yield from _on_the_way(book, known)
    if made.breaks_reserves:
        yield from _broken(book, made)


def _title(book: Book, facility: str) -> str:
    return book.snapshot.title(book.treasury.facility_by_id[facility])


def _demands(book: Book, made: Alternative) -> Iterator[str]:
    """Open calls that the cure does not meet in full: the lender counts its demand, not our target."""
    for call in open_calls(book):
        group = call.notice.group
        named = (
            {f.id for f in book.treasury.members(book.treasury.group_by_id[group])} if group else {call.notice.facility}
        )
        mine = [m for m in made.movements if m.facility in named]
        btc = sum(m.btc or 0 for m in mine if m.kind is MovementKind.PLEDGED)
        usd = sum(m.usd or 0 for m in mine if m.kind is MovementKind.REPAID)
        left = call.demand.missing_part(Credited(call.credited.btc + btc, call.credited.usd + usd))
        if left:
            ways = [f"{show_btc_up(call.demand.btc * left)} BTC"] if call.demand.btc is not None else []
            ways += [show_usd_short_up(ceil(call.demand.usd * left))] if call.demand.usd is not None else []
            missing = f"Of the demand of notice “{call.notice.ref}” {sentence(ways)} would still be missing"
            if call.due is not None and call.due > book.at:
                yield f"{missing}: pledge or pay it so that it is credited by {_when(book, call.due)}."
            else:
                yield f"{missing}."


def _on_the_way(book: Book, known: Sequence[Patient]) -> Iterator[str]:
    members = {member.id for patient in known for member in patient.members}
    for item in book.balances.transit:
        if item.facility in members:
            what = f"{show_btc(item.btc)} BTC" if item.btc else show_usd(item.usd)
            yield f"{what} on the way to {_title(book, item.facility)} (“{item.ref}”) is not counted."


def _broken(book: Book, made: Alternative) -> Iterator[str]:
    policy, left = book.treasury.policy, made.balances
    if left is None:
        return
    coins = sum(left.accounts[a.id].btc for a in book.treasury.accounts if a.holds.value != "pool")
    cash = sum(balance.usd for balance in left.accounts.values())
    if coins < policy.reserve_btc:
        yield f"Breaks the reserve of {show_btc(policy.reserve_btc)} BTC: {show_btc(coins)} BTC stay free."
    if cash < policy.min_cash_usd:
        yield f"Breaks the least cash of {show_usd(policy.min_cash_usd)}: {show_usd(cash)} stay."


def if_nothing(book: Book, view: PriceView, needs: Sequence[Need], sold: Sequence[Liquidation]) -> str:
    """What lenders may do then, and from when."""
    if not sold:
        over = [need.title for need in needs if not _at_target(book, view, need)]
        if not over:
            held = sentence([need.title for need in needs], "and")
            are = "is at its" if len(needs) == 1 else "are at their"
            return f"{held} {are} cure target; the lender's call stays open."
        return f"{sentence(over, 'and')} would stay over the cure target."
    said = []
    for one in sold:
        when = f"from {_when(book, one.at)}" if one.at is not None else "at once"
        owed = f", and {show_usd(one.still_owed)} would still be owed" if one.still_owed else ""
        does = f"may sell {show_btc_up(one.btc)} pledged BTC {when}" if one.btc else "has no coins left to sell"
        said.append(f"{_title(book, one.facility)} {does}{owed}")
    return f"{'; '.join(said)}."


def _at_target(book: Book, view: PriceView, need: Need) -> bool:
    exposure = next(one for one in book.exposures if one.key == need.key)
    lenders = read(exposure, view).lenders
    return not exposure.tested or (lenders is not None and lenders <= need.target)
