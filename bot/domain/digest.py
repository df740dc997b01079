"""The week's digest: what there is and what is owed, a week ago beside it, what happened, and what comes.

Pure figures of two Books and of what happened between them; `bot.domain.digest_words` says them, `digest_document`
writes them as JSON. Every figure comes from where `holdings` and `ltv` have theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.alert import Episode, Silence
from bot.domain.answers import verdicts
from bot.domain.book import Book
from bot.domain.checks import Verdict
from bot.domain.covenant import Reading
from bot.domain.digest_dates import Ahead, dates_ahead
from bot.domain.ledger import Ledger
from bot.domain.money import Cents, Price, Sats, parse_amount, per_coin
from bot.domain.postings import Asset, Key, Place, net
from bot.domain.production import month_begins, month_key
from bot.domain.treasury import MovementKind
from bot.domain.weeks import Week

_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Flow:
    """Coins mined and sold in a stretch of time (satoshis), and what the sold ones fetched, net (cents).

    `proceeds` None: a sale came without its dollars. A reversal counts negatively.
    """

    mined: Sats
    sold: Sats
    proceeds: Cents | None

    @property
    def average(self) -> Price | None:
        """Net dollars per coin sold, in cents, half-up; None where nothing was sold or that is not known."""
        return per_coin(self.proceeds, self.sold)


@dataclass(frozen=True, slots=True)
class MonthFlow:
    """A calendar month of the production zone: "2026-02"."""

    month: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class Standing:
    """One facility or group, and its reading a week ago; None where the treasury had not opened."""

    verdict: Verdict
    before: Reading | None

    @property
    def change(self) -> int | None:
        """What the printed lender's LTV has risen by, in hundredths of a percentage point; None: one is unknown."""
        now, then = self.verdict.reading, self.before
        printed = now.show(now.lenders), then.show(then.lenders) if then is not None else None
        if printed[0] is None or printed[1] is None:
            return None
        return parse_amount(printed[0], 2) - parse_amount(printed[1], 2)


@dataclass(frozen=True)
class Digest:
    """Everything it says. `book` is at the week's end, or, while `week` runs, at the instant asked.

    `before` is the Book at the week's beginning, None where the treasury had not opened; `flow_before` is of the week
    before and `month_before` of the month before, None unless the treasury was open for all of it. `standings` are in
    file order. `opened` and `closed` are of this week, `still_open` whatever is open at the end of it.
    """

    week: Week
    book: Book
    before: Book | None
    standings: tuple[Standing, ...]
    flow: Flow
    flow_before: Flow | None
    month: MonthFlow
    month_before: MonthFlow | None
    opened: tuple[Episode, ...]
    closed: tuple[Episode, ...]
    still_open: tuple[Episode, ...]
    silences: tuple[Silence, ...]
    ahead: tuple[Ahead, ...]

    @property
    def is_over(self) -> bool:
        """Whether the week has ended; else it is told as far as it has come."""
        return self.book.at >= self.week.ends

    @property
    def price_change(self) -> Fraction | None:
        """The week's change of the price, as a part of what it was; None where either is unknown."""
        now = self.book.price.usable
        then = self.before.price.usable if self.before is not None else None
        return Fraction(now, then) - 1 if now is not None and then else None


def digest_of(
    week: Week,
    week_before: Week,
    book: Book,
    before: Book | None,
    episodes: Iterable[Episode],
    silences: tuple[Silence, ...],
) -> Digest:
    """The digest of `week` as of `book`. `episodes`: every alert open at some instant of (week.begins, book.at]."""
    treasury, ledger, at = book.treasury, book.register.ledger, book.at
    known = tuple(episodes)
    whole = week_before.begins >= treasury.opened
    return Digest(
        week=week,
        book=book,
        before=before,
        standings=tuple(_standings(book, before)),
        flow=flow(ledger, week.begins, at),
        flow_before=flow(ledger, week_before.begins, week_before.ends) if whole else None,
        month=_month(book, at),
        month_before=_month_before(book),
        opened=tuple(one for one in known if one.opened_at > week.begins),
        closed=tuple(one for one in known if one.closed_at is not None),
        still_open=tuple(one for one in known if one.closed_at is None),
        silences=silences,
        ahead=tuple(dates_ahead(book, silences)),
    )


def flow(ledger: Ledger, after: datetime, until: datetime) -> Flow:
    """What was mined and sold in (after, until]."""
    effects = ledger.movements_between(after, until)
    moved = net(effects)
    sales = [effect for effect in effects if effect.movement.kind is MovementKind.SOLD]
    fetched = [effect.sign * effect.movement.usd for effect in sales if effect.movement.usd is not None]
    return Flow(
        mined=-moved.get((Key(Place.MINED), Asset.BTC), 0),
        sold=moved.get((Key(Place.MARKET), Asset.BTC), 0),
        proceeds=sum(fetched) if len(fetched) == len(sales) else None,
    )


def _standings(book: Book, before: Book | None) -> Iterable[Standing]:
    then = {exposure.key: before.read(exposure) for exposure in before.exposures} if before is not None else {}
    for verdict in verdicts(book, book.exposures):
        yield Standing(verdict, then.get(verdict.reading.exposure.key))


def _month(book: Book, until: datetime) -> MonthFlow:
    """The month that `until` lies in, up to it."""
    zone = book.treasury.production_zone
    month = month_key(until, zone)
    return MonthFlow(month, flow(book.register.ledger, month_begins(month, zone) - _TICK, until))


def _month_before(book: Book) -> MonthFlow | None:
    """The whole month before that of the Book; None where the treasury was not open for all of it."""
    zone = book.treasury.production_zone
    last = month_begins(month_key(book.at, zone), zone) - _TICK
    if month_begins(month_key(last, zone), zone) < book.treasury.opened:
        return None
    return _month(book, last)
