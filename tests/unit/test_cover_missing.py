"""What is missing is exactly that: with it there is a plan, with a little less there is none."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

from cover_books import random_book
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.book import Book, Register
from bot.domain.sales import Alternative, Name, alternative
from bot.domain.sales.situation import needs_of
from bot.domain.treasury import Account, Holds, Treasury

BOOKS = int(os.environ.get("COVER_BOOKS", "1000")) // 15
MANY = settings(max_examples=BOOKS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
ALONE = "there-all-along"
"""An account from which everything can leave at once: what is added to it opens no quicker way than there was."""


def with_quick_account(seed: int) -> Book:
    book = random_book(seed, steady=True)
    quick = Account(ALONE, 0, 0, Holds.USDT)
    return rebuilt(book, replace(book.treasury, accounts=(*book.treasury.accounts, quick)))


def rebuilt(book: Book, treasury: Treasury) -> Book:
    return Book(Register.of(treasury), book.at, book.price, book.midnight_prices)


def richer(book: Book, *, coins: int = 0, cents: int = 0) -> Book:
    """With so much more: of it what the reserves lack fills them up first."""
    accounts = [replace(a, btc=coins, usd=cents) if a.id == ALONE else a for a in book.treasury.accounts]
    return rebuilt(book, replace(book.treasury, accounts=tuple(accounts)))


def recommended(book: Book) -> Alternative | None:
    needs = tuple(needs_of(book, book.price))
    return alternative(book, book.price, needs, Name.RECOMMENDED) if needs else None


def in_time(book: Book) -> bool:
    """Whether what leaves now is credited before every deadline."""
    longest = max(f.terms_at(book.at).credit_hours or timedelta(0) for f in book.treasury.facilities)
    dues = [need.due for need in needs_of(book, book.price) if need.due is not None]
    return all(book.at + longest <= due for due in dues)


@MANY
@example(3551)  # a loan of a cent, topped up by the exact solution and repaid by every tighter one
@given(st.integers(0, 10**9))
def test_so_many_more_dollars_or_coins_are_enough_and_fewer_are_not(seed):
    book = with_quick_account(seed)
    made = recommended(book)
    if made is None or made.feasible or made.missing is None or not in_time(book):
        return
    usd, coins = made.missing.usd, made.missing.btc
    cents = 20 * len(book.treasury.facilities)
    if usd is not None:
        assert recommended(richer(book, cents=usd + cents)).feasible
        assert usd <= cents or not recommended(richer(book, cents=usd - cents)).feasible
    if coins is not None:
        few = 10_000 * len(book.treasury.facilities)
        assert recommended(richer(book, coins=coins + few)).feasible
        assert coins <= few or not recommended(richer(book, coins=coins - few)).feasible


@MANY
@given(st.integers(0, 10**9))
def test_so_much_more_time_is_enough_and_less_is_not(seed):
    book = random_book(seed, steady=True)
    made = recommended(book)
    if made is None or made.feasible or made.missing is None or made.missing.later is None:
        return
    assert feasible_later(book, made.missing.later)
    assert not feasible_later(book, made.missing.later - timedelta(minutes=1))


def feasible_later(book: Book, later: timedelta) -> bool:
    """Whether there is a plan where every deadline is `later`."""
    needs = tuple(replace(need, due=need.due + later) if need.due else need for need in needs_of(book, book.price))
    dues = {(need.id, need.is_group): need.due for need in needs}
    notices = tuple(
        replace(one, due=dues[one.facility, False]) if one.due and one.due > book.at else one
        for one in book.treasury.notices
        if (one.facility, False) in dues
    )
    moved = rebuilt(book, replace(book.treasury, notices=notices))
    return alternative(moved, moved.price, needs, Name.RECOMMENDED).feasible
