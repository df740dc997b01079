"""What the production of some months looks like to who must answer for it: by site, by sale, by day, against plan.

The roll-forward itself is `bot.domain.production`'s; here is what is told beside it. All from the same movements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

from bot.domain.book import Book
from bot.domain.money import Cents, Price, Sats, half_up, per_coin
from bot.domain.periods import ONE_DAY, local_day, midnight
from bot.domain.postings import Effect
from bot.domain.production import MonthProduction, is_month, month_begins, month_ends, month_key, month_production
from bot.domain.treasury import Movement, MovementKind

_TICK = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Mined:
    """Coins mined at one place, in satoshis; None where the movement doesn't say."""

    region: str | None
    site: str | None
    btc: Sats

    @property
    def place(self) -> str:
        """As people say it: "Paraguay, Villarrica", "Oman", "not said"."""
        return ", ".join(part for part in (self.region, self.site) if part) or "not said"


@dataclass(frozen=True, slots=True)
class Sale:
    """What one order sold in all its fills; a movement that names no order is a sale of its own.

    `usd` was received, in cents, fees deducted; `gross` is before fees, None where a fill doesn't say.
    """

    name: str
    venue: str | None
    btc: Sats
    usd: Cents
    gross: Cents | None

    def __add__(self, other: Sale) -> Sale:
        gross = None if self.gross is None or other.gross is None else self.gross + other.gross
        return Sale(self.name, self.venue or other.venue, self.btc + other.btc, self.usd + other.usd, gross)

    @property
    def price(self) -> Price | None:
        """Gross proceeds over coins, half-up to the cent; None where they are not known or nothing was sold."""
        return per_coin(self.gross, self.btc)

    @property
    def net_price(self) -> Price | None:
        return per_coin(self.usd, self.btc)


@dataclass(frozen=True)
class Report:
    """One month, or some in a row, up to `as_of`. Amounts in satoshis and cents.

    `days` is how many whole days of theirs, since the treasury opened, were over by then, `elapsed` how many had
    passed, the first and the last in part. `plan` is what was to be mined in `plan_days`, those of its whole months;
    None without a plan or a whole month. `cash_cost` is that of a single month.
    """

    months: tuple[MonthProduction, ...]
    as_of: datetime
    has_ended: bool
    days: int
    elapsed: Fraction
    mined_at: tuple[Mined, ...]
    sales: tuple[Sale, ...]
    plan: Sats | None
    plan_days: int
    cash_cost: Price | None

    @property
    def month(self) -> MonthProduction:
        """The last of its months."""
        return self.months[-1]

    @property
    def opening(self) -> Sats:
        return self.months[0].opening

    @property
    def mined(self) -> Sats:
        return sum(month.mined for month in self.months)

    @property
    def mined_of_plan(self) -> Sats:
        """What was mined in the months that `plan` is about."""
        return sum(month.mined for month in self.months if month.is_whole)

    @property
    def sold(self) -> Sats:
        return sum(month.sold for month in self.months)

    @property
    def other(self) -> Sats:
        return sum(month.other for month in self.months)

    @property
    def closing(self) -> Sats:
        return self.month.closing

    @property
    def per_day(self) -> Sats | None:
        """Coins mined a day, half-up; None in the first day."""
        return half_up(self.mined / self.elapsed) if self.elapsed >= 1 else None

    @property
    def names_places(self) -> bool:
        """Whether any movement says where its coins were mined."""
        return any(one.region or one.site for one in self.mined_at)

    @property
    def sale(self) -> Sale | None:
        """All sales together."""
        return reduce(add, self.sales) if self.sales else None


def month_report(book: Book, month: str) -> Report:
    """One month as of `book.at`. ValueError as for `month_production`."""
    return report(book, [month])


def report(book: Book, months: Sequence[str]) -> Report:
    """Months in a row, as of `book.at`. ValueError as for `month_production`."""
    treasury = book.treasury
    rolled = tuple(month_production(treasury, book.register.ledger, month, book.at) for month in months)
    zone = treasury.production_zone
    begins, ends = month_begins(months[0], zone), month_ends(months[-1], zone)
    moved = book.register.ledger.movements_between(begins - _TICK, min(ends - _TICK, book.at))
    days, elapsed = _days(book, begins, ends)
    whole = [month.month for month in rolled if month.is_whole]
    return Report(
        months=rolled,
        as_of=book.at,
        has_ended=ends <= book.at,
        days=days,
        elapsed=elapsed,
        mined_at=_mined_at(moved),
        sales=_sales(moved),
        plan=_planned(book, whole),
        plan_days=sum(_days_of(book, month) for month in whole),
        cash_cost=cash_cost(book, months[0]) if len(months) == 1 else None,
    )


YEAR_TO_DATE = "ytd"


def months_asked(book: Book, said: str) -> list[str]:
    """The months that "2026-01", "ytd" or "" (the one under way) mean. ValueError, in one line, where it is neither."""
    now = this_month(book)
    if said == YEAR_TO_DATE:
        return months_until(book, now, since=f"{now[:4]}-01")
    month = said or now
    if not is_month(month):
        raise ValueError(f"“{month}” is not a month; write it as {now}, or {YEAR_TO_DATE} for the year to date")
    month_production(book.treasury, book.register.ledger, month, book.at)
    return [month]


def this_month(book: Book) -> str:
    """The month that `book.at` is in, where the mines' days are counted."""
    return month_key(book.at, book.treasury.production_zone)


def months_until(book: Book, month: str, since: str = "") -> list[str]:
    """Every month from the one in which the treasury opened (or `since`, if that is later) to `month`, in order."""
    zone = book.treasury.production_zone
    first, found = max(month_key(book.treasury.opened, zone), since), []
    while first <= month:
        found.append(first)
        first = month_key(month_ends(first, zone), zone)
    return found


def cash_cost(book: Book, month: str) -> Price | None:
    """What mining one coin cost in `month`, in cents; None where nobody has said."""
    return next((cost.usd_per_btc for cost in reversed(book.treasury.cash_costs) if cost.month == month), None)


def statement_due(book: Book, month: str) -> date | None:
    """The last day on which the statement of `month` is in time; None without a rule."""
    day, zone = book.treasury.policy.statement_due_day, book.treasury.production_zone
    if day is None:
        return None
    first = local_day(month_ends(month, zone), zone)
    last = local_day(month_ends(month_key(month_ends(month, zone), zone), zone), zone) - timedelta(days=1)
    return min(first + timedelta(days=day - 1), last)


def share(one: Mined, of: Report) -> Fraction | None:
    """What part of all that was mined; None where that is nothing."""
    return Fraction(one.btc, of.mined) if of.mined > 0 else None


def _days(book: Book, begins: datetime, ends: datetime) -> tuple[int, Fraction]:
    """Whole days that are over by `book.at` since the treasury opened, and how many have passed, with the parts of the
    first and of the last."""
    zone = book.treasury.production_zone
    first, in_first = _day_and_part(max(begins, book.treasury.opened), zone)
    last, in_last = _day_and_part(min(ends, book.at), zone)
    whole = (last - first).days - (1 if in_first else 0)
    return max(whole, 0), (last - first).days + in_last - in_first


def _day_and_part(instant: datetime, zone: ZoneInfo) -> tuple[date, Fraction]:
    """The local day of `instant`, and how much of it has passed by then."""
    day = local_day(instant, zone)
    began, over = midnight(day, zone), midnight(day + ONE_DAY, zone)
    return day, Fraction((instant - began) // _TICK, (over - began) // _TICK)


def _days_of(book: Book, month: str) -> int:
    """How many days of `month` are over by `book.at`."""
    zone = book.treasury.production_zone
    return _days(book, month_begins(month, zone), month_ends(month, zone))[0]


def _planned(book: Book, months: Sequence[str]) -> Sats | None:
    """The plan for the days that are over: whole months, and of the one under way its share, rounded down."""
    a_month, zone = book.treasury.policy.plan_btc_per_month, book.treasury.production_zone
    if a_month is None or not months:
        return None
    planned = Fraction(0)
    for month in months:
        begins, ends = month_begins(month, zone), month_ends(month, zone)
        whole = (local_day(ends, zone) - local_day(begins, zone)).days
        planned += Fraction(a_month * _days_of(book, month), whole)
    return int(planned)


def _mined_at(moved: Iterable[Effect]) -> tuple[Mined, ...]:
    """By region and site, the most coins first."""
    sums: dict[tuple[str | None, str | None], Sats] = {}
    for effect in moved:
        if effect.movement.kind is MovementKind.MINED:
            place = effect.movement.region, effect.movement.site
            sums[place] = sums.get(place, 0) + effect.sign * (effect.movement.btc or 0)
    found = [Mined(region, site, btc) for (region, site), btc in sums.items() if btc]
    return tuple(sorted(found, key=lambda one: (-one.btc, one.place)))


def _sales(moved: Iterable[Effect]) -> tuple[Sale, ...]:
    """By order, in the order in which they began; what has been reversed in the same months is gone."""
    sums: dict[str, Sale] = {}
    for fill in _fills(moved):
        known = sums.get(fill.name)
        sums[fill.name] = known + fill if known else fill
    return tuple(sale for sale in sums.values() if sale.btc or sale.usd)


def _fills(moved: Iterable[Effect]) -> Iterator[Sale]:
    for effect in moved:
        sold = effect.movement
        if sold.kind is MovementKind.SOLD:
            gross = _gross(sold)
            yield Sale(
                name=sold.order or sold.ref,
                venue=sold.venue,
                btc=effect.sign * (sold.btc or 0),
                usd=effect.sign * (sold.usd or 0),
                gross=None if gross is None else effect.sign * gross,
            )


def _gross(sold: Movement) -> Cents | None:
    """Before fees: as stated, or what was received and its fee together."""
    if sold.gross_usd is not None:
        return sold.gross_usd
    return (sold.usd or 0) + sold.fee_usd if sold.fee_usd is not None else None
