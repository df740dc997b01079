"""`holdings` and `ltv`: where the coins are, and how far each loan is from its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from bot.cli import output
from bot.cli.common import At, AtPrice, Drop, Json, Named, instant, load, scenario, store_to_read
from bot.services.errors import UsageError

if TYPE_CHECKING:
    from bot.domain.book import Book
    from bot.domain.checks import Verdict
    from bot.domain.late import LateRecord
    from bot.domain.price_history import PriceHistory
    from bot.services.books import Scenario
    from bot.services.questions import Questions


def register(app: typer.Typer) -> None:
    app.command()(holdings)
    app.command()(ltv)


def holdings(at: At = None, json: Json = False) -> None:
    """Coins, cash and debt: where they are, what is left."""
    book = open_book(instant(at), None)
    if json:
        from bot.domain.answers import holdings_document

        output.print_json(holdings_document(book))
    else:
        _print_holdings(book)


def ltv(
    facility: Named = None,
    price: AtPrice = None,
    drop: Drop = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Every loan against its lines.

    LTV, the next line with its price, open calls with their clocks, and what would cure them.
    """
    book = open_book(instant(at), scenario(price, drop))
    known(book, facility)
    if json:
        from bot.domain.answers import ltv_document

        output.print_json(ltv_document(book, facility))
    else:
        _print_ltv(book, facility)


def open_book(at: datetime | None, what_if: Scenario | None) -> Book:
    """The Book at `at` (default now): one reading transaction and nothing else."""
    with _questions() as asked:
        return asked.book(what_if, at)


def open_book_and_prices(at: datetime | None, what_if: Scenario | None) -> tuple[Book, PriceHistory]:
    """The same, with the stored price history up to its instant."""
    with _questions() as asked:
        return asked.book_and_prices(what_if, at)


@contextmanager
def _questions() -> Iterator[Questions]:
    settings = load()
    from bot.services.books import Books, NoPriceLeftError
    from bot.services.ports import SystemClock
    from bot.services.questions import Questions

    with store_to_read(settings) as store:
        try:
            yield Questions(store, Books(settings.alert_policy(), settings.price_policy()), SystemClock())
        except NoPriceLeftError as nothing:
            problem = "--drop leaves less than a cent, and that is no price; write 20 for a price 20 % lower"
            raise UsageError(problem) from nothing


def known(book: Book, named: str | None) -> None:
    """UsageError, with all there are, where `named` is no facility or group."""
    ids = [one.id for one in book.treasury.facilities] + [f"{one.id} (group)" for one in book.treasury.groups]
    if named is not None and named not in book.treasury.facility_by_id and named not in book.treasury.group_by_id:
        there_are = f"known: {', '.join(ids)}" if ids else "none is recorded"
        raise UsageError(f"There is no facility or group “{named}”; {there_are}")


def heading(book: Book) -> str:
    """Whose answer it is, as of when, and by which price."""
    from bot.domain.words import price_phrase

    when = output.local(book.at, book.treasury.zone)
    price = price_phrase(book.price)
    return f"{book.treasury.name}, {when}, {'bitcoin at ' if book.price.last is not None else ''}{price}"


def say_restated(out: output.Page, book: Book, late: Sequence[LateRecord]) -> None:
    """That the answer counts what was recorded after its instant; nothing where it does not."""
    from bot.domain.restated import restated_note
    from bot.domain.words import plain_text

    if late:
        out.print()
        out.paragraph(plain_text(restated_note(book, late)), indent=0)


def _print_holdings(book: Book) -> None:
    from bot.domain.money import show_btc, show_usd
    from bot.domain.restated import late_for_holdings

    shown = output.table("", "BTC", "USD", right=("BTC", "USD"), names=("",))
    for label, sats, cents in _holdings_rows(book):
        strong = label in _TOTALS
        usd = show_usd(cents) if cents is not None else output.NOTHING if strong else ""
        shown.add_row(label, show_btc(sats) if sats is not None else "", usd, style="bold" if strong else "")
    accounts = output.table("Account", "BTC", "USD", right=("BTC", "USD"), names=("Account",))
    for name, balance in book.balances.accounts.items():
        accounts.add_row(name, show_btc(balance.btc), show_usd(balance.usd))

    out = output.Page()
    out.print(output.bold(heading(book)))
    out.print()
    out.table(shown)
    if book.balances.accounts:
        out.print()
        out.table(accounts)
    if book.price.usable is None:
        out.print()
        out.print("There is no price to value the coins by: plimsoll doctor asks the sources.")
    say_restated(out, book, late_for_holdings(book))


_TOTALS = ("Coins", "Net")


def _holdings_rows(book: Book) -> Iterator[tuple[str, int | None, int | None]]:
    """What there is and what is owed: label, satoshis, cents; parts are indented under their sum."""
    from bot.domain.answers import holdings_value, net
    from bot.domain.money import SATS_PER_BTC

    coins, balances, price = book.coins, book.balances, book.price.usable

    def worth(sats: int) -> int | None:
        return sats * price // SATS_PER_BTC if price is not None else None

    yield "Free", coins.free, worth(coins.free)
    yield "Pledged", coins.pledged, worth(coins.pledged)
    for facility in book.treasury.facilities:
        if amount := balances.collateral.get(facility.id, 0):
            yield f"  {facility.id}", amount, None
    for group, amount in balances.pools.items():
        yield f"  {group} (group)", amount, None
    if coins.in_transit:
        yield "In transit", coins.in_transit, worth(coins.in_transit)
    if coins.pool:
        yield "Owed by pools", coins.pool, worth(coins.pool)
    yield "Coins", coins.total, holdings_value(book)
    yield "Cash", None, book.cash
    if book.cash_in_transit:
        yield "Cash in transit", None, book.cash_in_transit
    yield "Debt", None, -book.debt
    for facility in book.treasury.facilities:
        yield f"  {facility.id}", None, -balances.debts[facility.id].total
    yield "Net", None, net(book)


def _print_ltv(book: Book, facility: str | None) -> None:
    from bot.domain.answers import asked_about, verdicts
    from bot.domain.restated import late_for_loans

    shown = output.table(
        *("", "LTV", "Level", "Reached", "Next line", "At", "Headroom"),
        right=("LTV", "At", "Headroom"),
        names=("", "Reached", "Next line"),
    )
    judged = verdicts(book, asked_about(book, facility))
    for verdict in judged:
        shown.add_row(*_ltv_row(verdict))

    out = output.Page()
    out.print(output.bold(heading(book)))
    out.print()
    if not judged:
        out.print("No facility is recorded.")
        return
    out.table(shown)
    for verdict in judged:
        lines = [*_details(book, verdict), *(_index(book, verdict) if facility is not None else ())]
        if lines:
            out.print()
            out.print(output.bold(_name(verdict)))
        for line in lines:
            out.paragraph(line)
    if book.price.usable is None:
        out.print()
        out.print("Without a price LTVs are unknown. Ask with --price, or see what the sources say: plimsoll doctor")
    say_restated(out, book, late_for_loans(book))


def _name(verdict: Verdict) -> str:
    exposure = verdict.reading.exposure
    return f"{exposure.id} (group)" if exposure.is_group else exposure.id


def _ltv_row(verdict: Verdict) -> Iterator[output.Cell | str]:
    from bot.domain.money import percent_plain, show_percent, show_usd

    reading = verdict.reading
    lenders, following = reading.show(reading.lenders), reading.next_line
    if not following and not reading.known and reading.tiers:
        following = reading.tiers[0]
    yield _name(verdict)
    yield show_percent(lenders) if lenders is not None else output.NOTHING
    yield output.level(verdict.level.word if verdict.level is not None else "unknown")
    yield _reached(verdict)
    yield following.name if following else output.NOTHING
    yield show_usd(following.price) if following and following.price is not None else output.NOTHING
    headroom = following.headroom if following else None
    yield show_percent(percent_plain(headroom)) if headroom is not None else output.NOTHING


def _reached(verdict: Verdict) -> str:
    """The worst line reached, or called."""
    worst = verdict.reading.worst
    if verdict.calls and (worst is None or verdict.calls[0].rank >= worst.rank):
        return f"{verdict.calls[0].tier.name} (called)"
    return worst.name if worst else output.NOTHING


def _index(book: Book, verdict: Verdict) -> Iterator[str]:
    """What was noted of the index that the lender prices by."""
    from bot.domain.wording import price_index_sentence
    from bot.domain.words import plain_text

    if said := price_index_sentence(book, verdict.reading.exposure):
        yield plain_text(said)


def _details(book: Book, verdict: Verdict) -> Iterator[str]:
    """What is to be done about an exposure and by when; nothing where nothing is."""
    from bot.domain.answers import in_transit
    from bot.domain.interest_words import interest_lines
    from bot.domain.money import show_btc
    from bot.domain.wording import standing
    from bot.domain.words import plain_text

    reading = verdict.reading
    if reading.known or verdict.calls:  # that it is unknown is said once, for all
        yield from (plain_text(line) for line in standing(book, reading, verdict.calls))
    if coming := in_transit(book, reading.exposure):
        yield f"{show_btc(coming)} BTC in transit: not collateral until the lender credits them."
    yield from interest_lines(book, reading.exposure)
