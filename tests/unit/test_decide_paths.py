"""Random price paths through the checks and `decide`, beside a model that looks at the whole past each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from support import NOW, THREE, book, loan, tier, treasury

from bot.domain.alerts import Alert, AlertPolicy, Change, decide
from bot.domain.book import Book, Register
from bot.domain.checks import all_findings
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import Level

TIERS = (*THREE[:2], tier("accelerated", "0.80", cure_to="0.60"), THREE[2])
REGISTER = Register.of(
    treasury(loan(debt="70", coins="1", tiers=TIERS)), AlertPolicy(repeat_every=None, edit_every=None)
)
SNAPSHOT = book(REGISTER, "100").snapshot
HELD = timedelta(minutes=10)

ROWS = (  # name, reached from, clear from, how loud: written down again from the contract
    ("early warning", Fraction("0.68"), Fraction("0.67"), Level.WARNING),
    ("margin call", Fraction("0.75"), Fraction("0.65"), Level.CRITICAL),
    ("accelerated", Fraction("0.80"), Fraction("0.60"), Level.CRITICAL),
    ("liquidation", Fraction("0.90"), Fraction("0.89"), Level.CRITICAL),
)


@dataclass
class Seen:
    """One check: when, and the price in cents, None where there was none."""

    at: datetime
    price: int | None

    @property
    def ltv(self) -> Fraction | None:
        return Fraction(7000, self.price) if self.price else None


def standing(past: list[Seen], reached: Fraction, clear: Fraction) -> bool:
    """Whether a line that was ever reached stands still: it hasn't been clear, at accepted prices, for ten minutes.

    Read backwards from each check: the time between a check that found it clear and the next check counts, the time
    after one that had no price doesn't, and the first that found it not clear is where counting ends.
    """
    up = False
    for index, now in enumerate(past):
        if now.ltv is None:
            continue
        if now.ltv >= reached:
            up = True
        elif up and now.ltv <= clear:
            clear_for = timedelta(0)
            for before, after in zip(reversed(past[:index]), reversed(past[1 : index + 1]), strict=True):
                if before.ltv is not None and before.ltv > clear:
                    break
                clear_for += after.at - before.at if before.ltv is not None else timedelta(0)
            up = clear_for < HELD
    return up


def expected(past: list[Seen]) -> list[tuple[int, str, Level]]:
    rows = enumerate(ROWS)
    return [(rank, name, level) for rank, (name, reached, clear, level) in rows if standing(past, reached, clear)]


def change_between(before: list[tuple[int, str, Level]], after: list[tuple[int, str, Level]]) -> Change:
    def worst(lines: list[tuple[int, str, Level]]) -> tuple[int, int]:
        return max((level for *_, level in lines), default=0), max((rank for rank, *_ in lines), default=-1)

    if not before:
        return Change.OPENED if after else Change.KEPT
    if not after:
        return Change.CLOSED
    level, rank = (new - old for new, old in zip(worst(after), worst(before), strict=True))
    if level > 0 or rank > 0:
        return Change.WORSE
    return Change.EASED if level < 0 or rank < 0 else Change.KEPT


near_a_line = st.sampled_from([77, 78, 79, 80, 87, 88, 93, 94, 102, 103, 104, 105, 107, 108, 116, 117, 120]).map(
    lambda dollars: dollars * 100
)
steps = st.tuples(
    st.sampled_from([1, 20, 30, 60, 120, 300, 599, 600, 601]), st.none() | near_a_line | near_a_line | near_a_line
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, min_size=1, max_size=25))
def test_an_alert_is_what_the_whole_past_says_it_is(path):
    now, past, alert = NOW, [], None
    for seconds, price in path:
        now += timedelta(seconds=seconds)
        before = expected(past)
        past.append(Seen(now, price))
        after = expected(past)
        state = PriceState.FRESH if price else PriceState.STALE
        seen = Book(REGISTER, now, PriceView(state, price or 10_000), known=SNAPSHOT)
        done = decide(alert, all_findings(seen).get("covenant:antalpha"), now, REGISTER.alerts)
        alert = done.alert
        assert sorted((line.rank, line.name, line.level) for line in (alert.active if alert else ())) == after
        assert done.change is change_between(before, after)
        if price is None:
            assert done.change is Change.KEPT


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, min_size=1, max_size=25), st.integers(15, 45))
def test_checking_more_often_at_the_same_price_changes_no_instant_for_the_worse(path, every):
    """Polls between two prices find what stands: an alert opens and worsens at the price, never between."""
    now, price, alert = NOW, 12_000, None
    for seconds, following in path:
        end = now + timedelta(seconds=seconds)
        while (now := now + timedelta(seconds=every)) < end:
            alert = check(alert, now, price, at_the_price=False)
        now, price = end, following or price
        alert = check(alert, now, price, at_the_price=True)


def check(alert: Alert | None, now: datetime, price: int, *, at_the_price: bool) -> Alert | None:
    seen = Book(REGISTER, now, PriceView(PriceState.FRESH, price), known=SNAPSHOT)
    done = decide(alert, all_findings(seen).get("covenant:antalpha"), now, REGISTER.alerts)
    if not at_the_price:
        assert done.change not in (Change.OPENED, Change.WORSE)
    return done.alert
