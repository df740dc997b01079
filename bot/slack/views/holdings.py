"""`/holdings`: where the coins and dollars are, what is owed, and how that changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.answers import holdings_value, net
from bot.domain.book import Book
from bot.domain.money import show_btc, show_usd_short
from bot.domain.periods import as_utc
from bot.domain.price import PriceState, PriceView
from bot.domain.treasury import Holds
from bot.domain.words import price_phrase
from bot.slack.limits import Payload
from bot.slack.text import flat, rich
from bot.slack.views.ltv import price_line
from bot.slack.views.parts import context, payload, section, sections, shortened

MOST_LISTED = 25


def holdings(book: Book) -> Payload:
    """Coins by where they are, value, cash, debt, net, and the change on the week and the month."""
    value = holdings_value(book)
    total = f"{show_btc(book.coins.total)} BTC" + (f", worth {show_usd_short(value)}" if value is not None else "")
    worth = total if value is not None else f"{total}; value unknown: {price_phrase(book.price)}"
    changes = list(_changes(book))
    blocks = [section(f"*{rich(worth)}*"), *sections("\n".join(_coins(book)))]
    blocks += sections("\n".join(_dollars(book)))
    if changes:
        blocks += sections("\n".join(changes))
    blocks += [context(rich(price_line(book)))]
    return payload(flat("\n".join([worth, *_coins(book), *_dollars(book), *changes])), blocks)


def _coins(book: Book) -> Iterator[str]:
    coins, balances = book.coins, book.balances
    pools = {account.id for account in book.treasury.accounts if account.holds is Holds.POOL}
    held = {key: balance.btc for key, balance in balances.accounts.items() if balance.btc}
    yield _row("Free", coins.free, [(key, btc) for key, btc in held.items() if key not in pools])
    pledged = [
        (book.snapshot.title(facility), balances.collateral.get(facility.id, 0))
        for facility in book.treasury.facilities
    ]
    yield _row("Pledged", coins.pledged, [*((who, btc) for who, btc in pledged if btc), *balances.pools.items()])
    if coins.in_transit:
        claimed = {claim.ref for claim in book.treasury.claims}
        sent = [(f"{item.ref}{', claimed' * (item.ref in claimed)}", item.btc) for item in balances.transit if item.btc]
        yield _row("In transit", coins.in_transit, sent)
    if coins.pool:
        yield _row("Owed by pools", coins.pool, [(key, btc) for key, btc in held.items() if key in pools])


def _row(what: str, total: int, parts: list[tuple[str, int]]) -> str:
    named = shortened([f"{who} {show_btc(btc)}" for who, btc in sorted(parts, key=lambda p: -p[1])], MOST_LISTED, "")
    return f"{what}: {show_btc(total)} BTC" + (f" ({', '.join(named)})" if named else "")


def _dollars(book: Book) -> Iterator[str]:
    cash = [(key, balance.usd) for key, balance in book.balances.accounts.items() if balance.usd]
    yield f"Cash: {show_usd_short(book.cash)}{_named(cash)}"
    if book.cash_in_transit:
        yield f"Cash in transit: {show_usd_short(book.cash_in_transit)}"
    owed = [(book.snapshot.title(f), book.balances.debts[f.id].total) for f in book.treasury.facilities]
    yield f"Debt: {show_usd_short(book.debt)}{_named([(who, usd) for who, usd in owed if usd])}"
    left = net(book)
    yield f"Net: {show_usd_short(left)}" if left is not None else "Net: unknown without a price"


def _named(parts: list[tuple[str, int]]) -> str:
    ordered = sorted(parts, key=lambda part: -part[1])
    named = shortened([f"{who} {show_usd_short(usd)}" for who, usd in ordered], MOST_LISTED, "")
    return f" ({', '.join(named)})" if named else ""


def _changes(book: Book) -> Iterator[str]:
    """What a week and a month have changed, from the ledger; left out where the treasury had not opened yet."""
    for label, since in (("Week", book.at - timedelta(days=7)), ("Month", month_before(book.at, book.treasury.zone))):
        if since < book.treasury.opened:
            continue
        then = Book(book.register, since, PriceView(PriceState.NONE))
        coins = _signed_btc(book.coins.total - then.coins.total)
        free = _signed_btc(book.coins.free - then.coins.free)
        cash = _signed_usd(book.cash + book.cash_in_transit - then.cash - then.cash_in_transit)
        yield f"{label}: coins {coins} (free {free}), cash {cash}, debt {_signed_usd(book.debt - then.debt)}"


def month_before(instant: datetime, zone: ZoneInfo) -> datetime:
    """The same local time one calendar month earlier; of a day that month has not, its last."""
    local = instant.astimezone(zone)
    last = date(local.year, local.month, 1) - timedelta(days=1)
    day = last.replace(day=min(local.day, last.day))
    return as_utc(datetime.combine(day, time(local.hour, local.minute, local.second), tzinfo=zone))


def _signed_btc(amount: int) -> str:
    return "unchanged" if not amount else f"{_sign(amount)}{show_btc(abs(amount))} BTC"


def _signed_usd(amount: int) -> str:
    return "unchanged" if not amount else f"{_sign(amount)}{show_usd_short(abs(amount))}"


def _sign(amount: int) -> str:
    return "+" if amount > 0 else "−"
