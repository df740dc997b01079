"""Interest: against a clerk who goes from midnight to midnight, and against the contract's own figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.interest import Loan, begun_day
from bot.domain.ledger import Debt, Ledger, ledger_faults
from bot.domain.terms import DayCount, Facility, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Account, Movement, MovementKind, Treasury

CHICAGO = ZoneInfo("America/Chicago")
# Clocks that jump over midnight (São Paulo, Beirut), repeat the hour after it (Havana), a minute past it
# (St. John's, until 2011), or stand 14 hours ahead of UTC (Apia, Kiritimati).
ZONES = [
    *("UTC", "America/Chicago", "Pacific/Apia", "America/Sao_Paulo", "America/Havana", "Asia/Beirut"),
    *("America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/London"),
]
M300 = 300_000_000_00


def terms(
    rate: str = "0.07",
    day_count: DayCount = DayCount.ACT_360,
    interest: InterestMode = InterestMode.AT_CLOSE,
) -> Terms:
    return Terms(Fraction(rate), day_count, interest)


def facility(
    *later: TermsVersion,
    first: Terms | None = None,
    principal: int = M300,
    accrued: int = 0,
    drawn: date = date(2020, 1, 1),
    zone: ZoneInfo = CHICAGO,
) -> Facility:
    versions = (TermsVersion(None, first or terms()), *later)
    return Facility("loan", "Lender", principal, drawn, zone, versions, accrued=accrued)


def ledger(loan: Facility, opened: datetime, *movements: Movement) -> Ledger:
    cash = Account("cash", usd=10**15)
    utc = ZoneInfo("UTC")
    return Ledger(Treasury("T", loan.zone, utc, opened, accounts=(cash,), facilities=(loan,), movements=movements))


def paying(kind: MovementKind, at: datetime, usd: int, ref: str = "m") -> Movement:
    return Movement(at, kind, ref, account="cash", facility="loan", usd=usd)


def debt(book: Ledger, at: datetime) -> Debt:
    return book.at(at).debts["loan"]


def local(zone: ZoneInfo, year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def begins(day: date, zone: ZoneInfo) -> datetime:
    return local(zone, day.year, day.month, day.day)


# -- the clerk --


def clerks_days(day: date, day_count: DayCount) -> int:
    """The days that the midnight at which `day` begins accrues, by the rule as spoken: each month has thirty."""
    if day_count is not DayCount.THIRTY_360:
        return 1
    if day.day == 31:
        return 0
    if day.day > 1:
        return 1
    last = (day - timedelta(days=1)).day
    return {28: 3, 29: 2, 30: 1, 31: 1}[last]


class Clerk:
    """Keeps one loan's debt, one local midnight at a time."""

    def __init__(self, loan: Facility, opened: datetime) -> None:
        self.loan = loan
        self.later = begins(loan.drawn, loan.zone) > opened
        self.principal = 0 if self.later else loan.principal
        self.owed = Fraction(0 if self.later else loan.accrued)
        self.in_force = loan.versions[0].terms

    def midnight(self, day: date) -> None:
        in_force = self.in_force
        year = 365 if in_force.day_count is DayCount.ACT_365 else 360
        self.owed += self.principal * in_force.rate * clerks_days(day, in_force.day_count) / year
        if day.day == 1 and in_force.interest is InterestMode.CAPITALISED:
            self.principal += max(floor(self.owed + Fraction(1, 2)), 0)
            self.owed = Fraction(0)
        if self.later and day == self.loan.drawn:
            self.principal += self.loan.principal

    def amend(self, day: date) -> None:
        for version in self.loan.versions:
            if version.effective == day:
                self.in_force = version.terms

    def book(self, movement: Movement) -> None:
        assert movement.usd is not None
        if movement.kind is MovementKind.INTEREST_PAID:
            self.owed -= movement.usd
        else:
            self.principal += movement.usd if movement.kind is MovementKind.DRAWN else -movement.usd


def clerks_debt(loan: Facility, opened: datetime, movements: list[Movement], when: datetime) -> tuple[int, Fraction]:
    """Principal and exact interest at `when`."""
    clerk = Clerk(loan, opened)
    day = opened.astimezone(loan.zone).date() - timedelta(days=40)  # amendments may be older than the books
    while begins(day, loan.zone) <= when:
        if begins(day, loan.zone) > opened:
            clerk.midnight(day)
        clerk.amend(day)
        next_day = day + timedelta(days=1)
        for movement in movements:
            if begins(day, loan.zone) <= movement.at < begins(next_day, loan.zone) and movement.at <= when:
                clerk.book(movement)
        day = next_day
    return clerk.principal, clerk.owed


rates = st.sampled_from([Fraction(0), Fraction(7, 100), Fraction(895, 10_000), Fraction(1, 3), Fraction(123, 997)])
any_terms = st.builds(Terms, rates, st.sampled_from(DayCount), st.sampled_from(InterestMode))
days = st.integers(0, 800)


@st.composite
def instants(draw: st.DrawFn, opened: datetime, zone: ZoneInfo) -> datetime:
    """Any instant from `opened` on, with a liking for midnights, firsts, and the moments around them."""
    day = opened.astimezone(zone).date() + timedelta(days=draw(days))
    if draw(st.booleans()):
        day = day.replace(day=draw(st.sampled_from([1, 28])))
    minutes = draw(st.sampled_from([0, 0, 0, 1, 59, 60, 720, 1439]))
    around = draw(st.sampled_from([0, 0, -1, 1]))
    instant = begins(day, zone) + timedelta(minutes=minutes, microseconds=around)
    return max(instant, opened)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Facility, datetime, list[Movement], datetime]:
    """A loan, what its treasury knew from when, what moved it, and an instant to ask about."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    opening_day = draw(st.dates(date(2015, 1, 1), date(2026, 6, 1)))
    opened = begins(opening_day, zone) + timedelta(
        minutes=draw(st.sampled_from([0, 0, 1, 600, 1439])), microseconds=draw(st.sampled_from([0, -1]))
    )
    amended = draw(st.lists(days, max_size=3, unique=True))
    on_the_first = draw(st.booleans())
    effective = {
        (day.replace(day=1) if on_the_first else day)
        for day in (opening_day + timedelta(days=n) for n in sorted(amended))
    }
    versions = tuple(TermsVersion(day, draw(any_terms)) for day in sorted(effective))
    loan = facility(
        *versions,
        first=draw(any_terms),
        principal=draw(st.integers(10**9, 10**11)),
        accrued=draw(st.integers(0, 10**7)),
        drawn=opening_day + timedelta(days=draw(st.sampled_from([-400, -1, 0, 1, 17, 200]))),
        zone=zone,
    )
    kinds = st.sampled_from([MovementKind.DRAWN, MovementKind.REPAID, MovementKind.INTEREST_PAID])
    moments = draw(st.lists(instants(opened, zone), max_size=6))
    moved = [
        paying(draw(kinds), max(at, loan.drawn_at), draw(st.integers(1, 10**8)), f"m{i}")
        for i, at in enumerate(moments)
    ]
    return loan, opened, moved, draw(instants(opened, zone))


@settings(max_examples=250, deadline=None)
@given(lives())
def test_it_owes_what_a_clerk_finds_who_goes_from_midnight_to_midnight(
    life: tuple[Facility, datetime, list[Movement], datetime],
) -> None:
    loan, opened, moved, when = life
    found = debt(ledger(loan, opened, *moved), when)
    assert (found.principal, found.accrued) == clerks_debt(loan, opened, moved, when)


@settings(max_examples=100, deadline=None)
@given(lives(), days)
def test_what_is_known_earlier_accrues_to_the_day_asked_about(
    life: tuple[Facility, datetime, list[Movement], datetime], later: int
) -> None:
    loan, opened, moved, known_until = life
    when = known_until + timedelta(days=later)
    known = [movement for movement in moved if movement.at <= known_until]
    found = ledger(loan, opened, *moved).debt_at("loan", when, known_until)
    assert (found.principal, found.accrued) == clerks_debt(loan, opened, known, when)


# -- the contract's figures --


def days_of_interest(days: int, day_count: DayCount = DayCount.ACT_360) -> Fraction:
    """Exact cents on 300 million at 7 %."""
    return Fraction(M300 * 7 * days, 100 * (365 if day_count is DayCount.ACT_365 else 360))


@pytest.mark.parametrize(
    ("day_count", "owed"),
    [(DayCount.ACT_360, 1_750_000_00), (DayCount.ACT_365, 1_726_027_40), (DayCount.THIRTY_360, 1_750_000_00)],
)
def test_thirty_days_of_300_million_at_7_percent(day_count: DayCount, owed: int) -> None:
    loan = facility(first=terms(day_count=day_count))
    opened = local(CHICAGO, 2026, 4, 1)
    found = debt(ledger(loan, opened), local(CHICAGO, 2026, 5, 1))
    assert (found.interest, found.total) == (owed, M300 + owed)
    assert found.accrued == days_of_interest(30, day_count)


@pytest.mark.parametrize(
    ("since", "until", "act", "thirty"),
    [
        (date(2024, 2, 28), date(2024, 3, 1), 2, 3),
        (date(2025, 2, 28), date(2025, 3, 1), 1, 3),
        (date(2024, 2, 29), date(2024, 3, 31), 31, 31),
        (date(2025, 1, 30), date(2025, 1, 31), 1, 0),
        (date(2025, 1, 31), date(2025, 2, 1), 1, 1),
        (date(2025, 1, 31), date(2025, 3, 31), 59, 60),
        (date(2025, 1, 1), date(2026, 1, 1), 365, 360),
    ],
)
def test_days_are_counted_by_the_calendar_or_by_months_of_thirty(
    since: date, until: date, act: int, thirty: int
) -> None:
    for day_count, days in ((DayCount.ACT_360, act), (DayCount.ACT_365, act), (DayCount.THIRTY_360, thirty)):
        book = ledger(facility(first=terms(day_count=day_count)), begins(since, CHICAGO))
        assert debt(book, begins(until, CHICAGO)).accrued == days_of_interest(days, day_count)


# -- what happens at one midnight --


def test_it_accrues_nothing_until_the_first_midnight_after_opening() -> None:
    opened = local(CHICAGO, 2026, 1, 31)
    book = ledger(facility(accrued=12_34), opened)
    assert debt(book, opened).interest == 12_34
    assert debt(book, local(CHICAGO, 2026, 1, 31, 23, 59, 59)).interest == 12_34
    assert debt(book, local(CHICAGO, 2026, 2, 1)).interest == 12_34 + 58_333_33


def test_a_repayment_at_midnight_comes_after_that_midnights_accrual() -> None:
    opened, midnight = local(CHICAGO, 2026, 1, 10, 12), local(CHICAGO, 2026, 1, 11)
    repaid = paying(MovementKind.REPAID, midnight, M300)
    assert debt(ledger(facility(), opened, repaid), midnight).accrued == days_of_interest(1)
    just_before = paying(MovementKind.REPAID, midnight - timedelta(microseconds=1), M300)
    assert debt(ledger(facility(), opened, just_before), midnight).accrued == 0


def test_capitalised_interest_joins_the_principal_on_the_first_rounded_once() -> None:
    opened = local(CHICAGO, 2026, 1, 31, 17, 59, 59)
    book = ledger(facility(first=terms(interest=InterestMode.CAPITALISED)), opened)
    february = M300 + 58_333_33  # 58,333.33⅓: one midnight
    assert debt(book, local(CHICAGO, 2026, 2, 1)) == Debt(february, Fraction(0))
    march = february + round(Fraction(february * 7 * 28, 36_000))
    assert debt(book, local(CHICAGO, 2026, 3, 1)) == Debt(march, Fraction(0))
    assert debt(book, local(CHICAGO, 2026, 2, 28, 23, 59)).principal == february


@pytest.mark.parametrize("mode", [InterestMode.PAID, InterestMode.AT_CLOSE])
def test_interest_that_is_paid_or_due_at_close_stays_interest(mode: InterestMode) -> None:
    opened = local(CHICAGO, 2026, 1, 1)
    book = ledger(facility(first=terms(interest=mode)), opened)
    assert debt(book, local(CHICAGO, 2026, 12, 31)) == Debt(M300, Fraction(M300 * 7 * 364, 36_000))


def test_an_amendment_counts_after_the_midnight_on_which_it_takes_effect() -> None:
    dearer = TermsVersion(date(2026, 3, 1), terms("0.08", DayCount.ACT_365))
    opened = local(CHICAGO, 2026, 2, 27)
    book = ledger(facility(dearer), opened)
    old = Fraction(M300 * 7, 36_000)
    assert debt(book, local(CHICAGO, 2026, 3, 1)).accrued == 2 * old
    assert debt(book, local(CHICAGO, 2026, 3, 2)).accrued == 2 * old + Fraction(M300 * 8, 36_500)


def test_the_first_on_which_an_amendment_takes_effect_still_capitalises_by_the_old_terms() -> None:
    opened, first = local(CHICAGO, 2026, 2, 28), local(CHICAGO, 2026, 3, 1)
    leaving = facility(
        TermsVersion(date(2026, 3, 1), terms(interest=InterestMode.PAID)),
        first=terms(interest=InterestMode.CAPITALISED),
    )
    assert debt(ledger(leaving, opened), first) == Debt(M300 + 58_333_33, Fraction(0))
    joining = facility(
        TermsVersion(date(2026, 3, 1), terms(interest=InterestMode.CAPITALISED)),
        first=terms(interest=InterestMode.PAID),
    )
    assert debt(ledger(joining, opened), first) == Debt(M300, Fraction(M300 * 7, 36_000))
    assert debt(ledger(joining, opened), local(CHICAGO, 2026, 4, 1)).accrued == 0


def test_a_loan_drawn_later_owes_nothing_before_and_accrues_from_the_next_midnight() -> None:
    opened = local(CHICAGO, 2026, 2, 10)
    book = ledger(facility(drawn=date(2026, 3, 1)), opened)
    assert debt(book, local(CHICAGO, 2026, 2, 28, 23, 59, 59)) == Debt(0, Fraction(0))
    assert debt(book, local(CHICAGO, 2026, 3, 1)) == Debt(M300, Fraction(0))
    assert debt(book, local(CHICAGO, 2026, 3, 3)).accrued == 2 * Fraction(M300 * 7, 36_000)
    assert book.debt_at("loan", local(CHICAGO, 2026, 3, 2), opened) == Debt(M300, Fraction(M300 * 7, 36_000))


def test_half_a_cent_is_owed_as_a_cent_and_paying_it_leaves_nothing_owed() -> None:
    opened = local(CHICAGO, 2026, 1, 1)
    loan = facility(first=terms("0.36"), principal=5_00, accrued=10)  # half a cent a day
    noon = local(CHICAGO, 2026, 1, 2, 12)
    assert debt(ledger(loan, opened), noon).interest == 11
    paid = ledger(loan, opened, paying(MovementKind.INTEREST_PAID, noon, 11))
    assert ledger_faults(paid.treasury) == []
    assert debt(paid, noon) == Debt(5_00, Fraction(-1, 2))
    assert (debt(paid, noon).interest, debt(paid, noon).total) == (0, 5_00)
    assert debt(paid, local(CHICAGO, 2026, 1, 4)).interest == 1


# -- clocks --


def test_a_day_begins_once_where_clocks_go_back_across_midnight() -> None:
    st_johns = ZoneInfo("America/St_Johns")
    midnight = local(st_johns, 2010, 11, 7)  # at 00:01 it became 23:01 of the 6th
    again = midnight + timedelta(minutes=30)
    assert again.astimezone(st_johns).date() == date(2010, 11, 6)
    assert begun_day(midnight - timedelta(microseconds=1), st_johns) == date(2010, 11, 6)
    assert begun_day(midnight, st_johns) == begun_day(again, st_johns) == date(2010, 11, 7)


def test_a_day_that_the_calendar_left_out_is_still_a_day_of_interest() -> None:
    """Apia went from 29 to 31 December 2011: a lender counts dates, and two have passed."""
    apia = ZoneInfo("Pacific/Apia")
    loan = Loan(facility(zone=apia, drawn=date(2011, 1, 1)), local(apia, 2011, 12, 29))
    after = loan.roll(loan.opening, begun_day(local(apia, 2011, 12, 31), apia))
    assert after.debt.accrued == 2 * Fraction(M300 * 7, 36_000)


def test_a_midnight_that_the_clocks_skip_accrues_when_the_day_begins() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    one_o_clock = local(sao_paulo, 2018, 11, 4, 1)  # 00:00 to 01:00 did not happen
    book = ledger(facility(zone=sao_paulo, drawn=date(2018, 1, 1)), local(sao_paulo, 2018, 11, 3))
    assert debt(book, one_o_clock - timedelta(microseconds=1)).accrued == 0
    assert debt(book, one_o_clock).accrued == Fraction(M300 * 7, 36_000)


def test_a_naive_instant_is_an_error() -> None:
    book = ledger(facility(), local(CHICAGO, 2026, 1, 1))
    with pytest.raises(ValueError, match="no time zone"):
        book.at(datetime(2026, 2, 1))  # noqa: DTZ001
