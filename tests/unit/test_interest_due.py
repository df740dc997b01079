"""Interest due in cash: against a bookkeeper who keeps a bill for each first and pours payments over the oldest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_interest import CHICAGO, M300, Clerk, begins, clerks_days, facility, instants, ledger, lives, local, paying

from bot.domain.interest_due import InterestDue, Payment, interest_due, payments
from bot.domain.ledger import ledger_faults
from bot.domain.terms import DayCount, Facility, InterestMode, Terms, TermsVersion
from bot.domain.treasury import Movement, MovementKind

MAR_1, APR_1, MAY_1 = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
OPENED = local(CHICAGO, 2026, 2, 1)
MONTH_28, MONTH_31 = 1_633_333_33, 1_808_333_34
"""28 days at 7 % ACT/360 on $300M, 1,633,333.33⅓, and the 31 after them, 1,808,333.33⅓ and the third left over."""
DAY = timedelta(days=1)


def cash(rate: str = "0.07", mode: InterestMode = InterestMode.PAID, matures: date | None = None) -> Terms:
    return Terms(Fraction(rate), DayCount.ACT_360, mode, matures=matures)


def due(loan: Facility, at: datetime, *moved: Movement, opened: datetime = OPENED) -> InterestDue:
    return interest_due(ledger(loan, opened, *moved), loan, at)


def paid(at: datetime, usd: int, ref: str = "paid") -> Movement:
    return paying(MovementKind.INTEREST_PAID, at, usd, ref)


def undone(at: datetime, of: str = "paid") -> Movement:
    return Movement(at, MovementKind.REVERSAL, f"undo {of}", reverses=of)


# -- the bookkeeper --


class Bookkeeper(Clerk):
    """Keeps, beside the debt, what each first has billed, and one pot of everything paid since the last of it went."""

    def __init__(self, loan: Facility, opened: datetime) -> None:
        super().__init__(loan, opened)
        self.bills: list[tuple[date, Fraction]] = []
        self.unbilled, self.pot = self.owed, 0

    def bill(self, day: date) -> None:
        self.bills.append((day, self.unbilled))
        self.unbilled = Fraction(0)

    def midnight(self, day: date) -> None:
        year = 365 if self.in_force.day_count is DayCount.ACT_365 else 360
        self.unbilled += self.principal * self.in_force.rate * clerks_days(day, self.in_force.day_count) / year
        super().midnight(day)
        if day.day == 1 and self.in_force.interest is InterestMode.PAID:
            self.bill(day)
        if day.day == 1 and self.in_force.interest is InterestMode.CAPITALISED:
            self.bills, self.unbilled, self.pot = [], Fraction(0), 0

    def book(self, movement: Movement) -> None:
        super().book(movement)
        if movement.kind is MovementKind.INTEREST_PAID:
            self.pot += movement.usd or 0

    def unpaid(self) -> list[tuple[date, int]]:
        """Of each bill what the pot does not reach, in cents; the sum of the oldest is rounded once."""
        left, said, billed = [], 0, Fraction(0)
        for day, amount in self.bills:
            billed += amount
            cents = max(floor(billed - self.pot + Fraction(1, 2)), 0)
            left += [(day, cents - said)] if cents > said else []
            said = cents
        return left


def bookkeepers(loan: Facility, opened: datetime, moved: list[Movement], at: datetime) -> InterestDue:
    """From midnight to midnight to the end of the day of `at`, then on without a movement to the next bill."""
    clerk = Bookkeeper(loan, opened)
    day = opened.astimezone(loan.zone).date() - timedelta(days=40)
    while begins(day, loan.zone) <= at:
        _begin(clerk, day, opened)
        for movement in moved:
            if begins(day, loan.zone) <= movement.at < begins(day + DAY, loan.zone) and movement.at <= at:
                clerk.book(movement)
        day += DAY
    today = day - DAY
    found = [Payment(*one) for one in clerk.unpaid()]
    overdue = tuple(one for one in found if one.due < today)
    if len(overdue) < len(found):
        return InterestDue(today, found[-1], overdue)
    return InterestDue(today, _next_bill(clerk, today), overdue)


def _begin(clerk: Bookkeeper, day: date, opened: datetime) -> None:
    """What the midnight of `day` does; of the day in which the books are opened, it has done already."""
    zone = clerk.loan.zone
    if begins(day, zone) > opened:
        clerk.midnight(day)
    elif begins(day + DAY, zone) > opened and day.day == 1 and clerk.in_force.interest is InterestMode.PAID:
        clerk.bill(day)
    clerk.amend(day)


def _next_bill(clerk: Bookkeeper, today: date) -> Payment | None:
    if all(one.terms.interest is not InterestMode.PAID for one in clerk.loan.versions):
        return None
    for later in range(1, 367):
        day = today + timedelta(days=later)
        ends = clerk.in_force.matures
        _begin(clerk, day, datetime.min.replace(tzinfo=UTC))
        if day.day == 1 and ends is not None and today <= ends < day:
            return None
        coming = [Payment(*one) for one in clerk.unpaid() if one[0] == day]
        if coming:
            return coming[0]
    return None


@st.composite
def paying_lives(draw: st.DrawFn) -> tuple[Facility, datetime, list[Movement], datetime]:
    """A loan that is mostly paid in cash, with a like for payments about as large as what is due, some undone."""
    loan, opened, moved, at = draw(lives())
    mostly = st.sampled_from([InterestMode.PAID, InterestMode.PAID, InterestMode.CAPITALISED, InterestMode.AT_CLOSE])
    ends = draw(st.sampled_from([None, None, loan.drawn + timedelta(days=90), at.date() + timedelta(days=9)]))
    versions = tuple(
        replace(one, terms=replace(one.terms, interest=draw(mostly), matures=ends)) for one in loan.versions
    )
    loan = replace(loan, versions=versions)
    for number in range(draw(st.integers(0, 4))):
        when = max(draw(instants(opened, loan.zone)), loan.drawn_at)
        owed = ledger(loan, opened, *moved).debt_at("loan", when, when).interest
        cents = draw(st.sampled_from([owed, owed, owed // 2, owed - 1, 1]))
        if cents > 0:
            moved = [*moved, paid(when, cents, f"p{number}")]
    return loan, opened, moved, at


def reversed_too(moved: list[Movement], chosen: list[int]) -> tuple[list[Movement], list[Movement]]:
    """The movements with some payments undone: as the ledger has it, and as payments of less than nothing."""
    as_recorded, as_sums = list(moved), list(moved)
    for number in set(chosen):
        of = [one for one in moved if one.kind is MovementKind.INTEREST_PAID]
        if number < len(of):
            when = of[number].at + timedelta(days=13 * number, hours=1)
            as_recorded.append(undone(when, of[number].ref))
            as_sums.append(replace(of[number], at=when, ref=f"minus {number}", usd=-(of[number].usd or 0)))
    return as_recorded, as_sums


@settings(max_examples=80, deadline=None)
@given(paying_lives(), st.lists(st.integers(0, 5), max_size=2))
def test_it_is_what_a_bookkeeper_finds_who_keeps_a_bill_for_each_first(
    life: tuple[Facility, datetime, list[Movement], datetime], chosen: list[int]
) -> None:
    loan, opened, moved, at = life
    as_recorded, as_sums = reversed_too(moved, chosen)
    assert due(loan, at, *as_recorded, opened=opened) == bookkeepers(loan, opened, as_sums, at)


@settings(max_examples=60, deadline=None)
@given(paying_lives())
def test_who_pays_what_is_overdue_and_then_what_is_next_owes_nothing_on_that_day(
    life: tuple[Facility, datetime, list[Movement], datetime],
) -> None:
    """The amounts are the ledger's: paid to the cent, it refuses nothing and nothing is left."""
    loan, opened, _, at = life
    never = tuple(one for one in loan.versions if one.terms.interest is not InterestMode.CAPITALISED)
    if not never or never[0].effective is not None:
        return  # what is paid does not join the principal, and so lessens what comes
    loan, at = replace(loan, versions=never), max(at, loan.drawn_at)
    found = due(loan, at, opened=opened)
    moved = [paid(at, found.overdue_usd, "late")] if found.overdue else []
    if moved:
        assert due(loan, at, *moved, opened=opened) == replace(found, overdue=())
    if found.next is not None:
        on_the_day = max(begins(found.next.due, loan.zone), at)
        moved.append(paid(on_the_day, found.next.usd, "next"))
        assert ledger(loan, opened, *moved).at(on_the_day).debts["loan"].interest == 0
        after = due(loan, on_the_day, *moved, opened=opened)
        assert not after.overdue
        assert after.next is None or after.next.due > found.next.due
    assert ledger_faults(ledger(loan, opened, *moved).treasury) == []


def test_the_search_reaches_what_is_overdue_from_two_firsts_paid_in_part_and_coming() -> None:
    reached: set[tuple[int, bool]] = set()

    @settings(max_examples=500, deadline=None, database=None)
    @given(paying_lives())
    def look(life: tuple[Facility, datetime, list[Movement], datetime]) -> None:
        loan, opened, moved, at = life
        found = due(loan, at, *moved, opened=opened)
        reached.add((min(len(found.overdue), 2), found.next is not None))

    look()
    assert reached == {(count, coming) for count in (0, 1, 2) for coming in (False, True)}


# -- one loan of $300M at 7 % --

LOAN = facility(first=cash())


def test_it_is_due_on_the_first_and_overdue_from_the_day_after() -> None:
    coming = Payment(MAR_1, MONTH_28)
    assert due(LOAN, OPENED) == InterestDue(date(2026, 2, 1), coming, ())
    assert due(LOAN, local(CHICAGO, 2026, 2, 28, 23, 59, 59)) == InterestDue(date(2026, 2, 28), coming, ())
    assert due(LOAN, local(CHICAGO, 2026, 3, 1)) == InterestDue(MAR_1, coming, ())
    assert due(LOAN, local(CHICAGO, 2026, 3, 1, 23, 59, 59)) == InterestDue(MAR_1, coming, ())
    late = due(LOAN, local(CHICAGO, 2026, 3, 4, 9))
    assert (late.overdue, late.next) == ((coming,), Payment(APR_1, MONTH_31))
    assert (late.overdue_usd, late.overdue_since, late.days_late) == (MONTH_28, MAR_1, 3)


def test_two_firsts_add_up_to_the_ledgers_debt_rounded_once() -> None:
    """1,633,333.33⅓ + 1,808,333.33⅓ = 3,441,666.66⅔, which is one cent more than each rounded by itself."""
    found = due(LOAN, local(CHICAGO, 2026, 4, 2))
    assert found.overdue == (Payment(MAR_1, MONTH_28), Payment(APR_1, MONTH_31))
    assert found.overdue_usd == ledger(LOAN, OPENED).at(local(CHICAGO, 2026, 4, 1)).debts["loan"].interest


def test_a_payment_goes_to_the_oldest_first_and_what_is_more_lessens_what_comes() -> None:
    now = local(CHICAGO, 2026, 4, 3)
    part = paid(now, 1_000_000_00)
    left = MONTH_28 - 1_000_000_00
    assert due(LOAN, now, part).overdue == (Payment(MAR_1, left), Payment(APR_1, MONTH_31))
    over = paid(now, MONTH_28 + MONTH_31)
    assert due(LOAN, now, over).overdue == ()
    early = paid(local(CHICAGO, 2026, 2, 20), 600_000_00)
    assert due(LOAN, local(CHICAGO, 2026, 2, 20), early).next == Payment(MAR_1, MONTH_28 - 600_000_00)


def test_what_was_paid_at_that_very_midnight_is_paid_on_the_day() -> None:
    found = due(LOAN, local(CHICAGO, 2026, 3, 1), paid(local(CHICAGO, 2026, 3, 1), MONTH_28))
    assert (found.overdue, found.next) == ((), Payment(APR_1, MONTH_31))


def test_a_payment_that_is_undone_is_owed_again_since_it_was_due() -> None:
    in_time, later = local(CHICAGO, 2026, 3, 1, 12), local(CHICAGO, 2026, 3, 20)
    moved = (paid(in_time, MONTH_28), undone(later))
    assert due(LOAN, later - DAY, *moved).overdue == ()
    assert due(LOAN, later, *moved).overdue == (Payment(MAR_1, MONTH_28),)
    early = (paid(local(CHICAGO, 2026, 2, 20), 600_000_00), undone(later))
    assert due(LOAN, later, *early).overdue == (Payment(MAR_1, MONTH_28),)


@pytest.mark.parametrize("mode", [InterestMode.CAPITALISED, InterestMode.AT_CLOSE])
def test_what_is_not_paid_in_cash_is_never_due_in_cash(mode: InterestMode) -> None:
    assert due(facility(first=cash(mode=mode)), local(CHICAGO, 2026, 6, 5)) == InterestDue(date(2026, 6, 5), None, ())


def test_the_first_on_which_the_mode_changes_still_goes_by_the_old_one() -> None:
    def turned(old: InterestMode, new: InterestMode) -> Facility:
        return facility(TermsVersion(MAR_1, cash(mode=new)), first=cash(mode=old))

    now, april = local(CHICAGO, 2026, 3, 5), local(CHICAGO, 2026, 4, 5)
    leaving = turned(InterestMode.PAID, InterestMode.CAPITALISED)
    assert due(leaving, now) == InterestDue(date(2026, 3, 5), None, (Payment(MAR_1, MONTH_28),))
    assert due(leaving, april).overdue == ()  # it has joined the principal
    stays = turned(InterestMode.PAID, InterestMode.AT_CLOSE)
    assert due(stays, april) == InterestDue(date(2026, 4, 5), None, (Payment(MAR_1, MONTH_28),))
    joining = turned(InterestMode.AT_CLOSE, InterestMode.PAID)
    assert due(joining, now) == InterestDue(date(2026, 3, 5), Payment(APR_1, MONTH_28 + MONTH_31), ())


def test_what_will_have_joined_the_principal_is_not_due_any_more() -> None:
    back = facility(TermsVersion(MAR_1, cash(mode=InterestMode.CAPITALISED)), TermsVersion(APR_1, cash()), first=cash())
    found = due(back, local(CHICAGO, 2026, 3, 5))
    april = (M300 + MONTH_28 + MONTH_31) * 7 * 30 / 36_000
    assert (found.overdue, found.next) == ((Payment(MAR_1, MONTH_28),), Payment(MAY_1, round(april)))


def test_a_loan_drawn_later_is_due_from_the_first_after_that() -> None:
    later = facility(first=cash(), drawn=date(2026, 3, 22))
    assert due(later, OPENED).next == Payment(APR_1, 583_333_33)  # ten midnights


def test_what_is_owed_on_the_first_on_which_the_books_open_is_due_that_day() -> None:
    loan = facility(first=cash(), accrued=5_00)
    assert due(loan, OPENED).next == Payment(date(2026, 2, 1), 5_00)
    assert due(loan, OPENED + DAY).overdue == (Payment(date(2026, 2, 1), 5_00),)
    noon = local(CHICAGO, 2026, 2, 1, 12)
    assert due(loan, noon, opened=noon).next == Payment(date(2026, 2, 1), 5_00)
    second = local(CHICAGO, 2026, 2, 2)
    assert due(loan, second, opened=second).next == Payment(MAR_1, 27 * M300 * 7 // 36_000 + 5_00)


def test_after_its_maturity_nothing_falls_due_before_it_has_come() -> None:
    ending = facility(first=cash(matures=date(2026, 3, 20)))
    assert due(ending, local(CHICAGO, 2026, 3, 5)).next is None
    assert due(ending, local(CHICAGO, 2026, 2, 5)).next == Payment(MAR_1, MONTH_28)
    assert due(ending, local(CHICAGO, 2026, 3, 21)).next == Payment(APR_1, MONTH_31)  # and was not repaid
    on_a_first = facility(first=cash(matures=APR_1))
    assert due(on_a_first, local(CHICAGO, 2026, 3, 5)).next == Payment(APR_1, MONTH_31)


def test_days_late_are_dates_where_it_accrues_whatever_the_clocks_do() -> None:
    """In Chicago 8 March has 23 hours; in Berlin the day is over seven hours earlier."""
    assert due(LOAN, local(CHICAGO, 2026, 3, 9)).days_late == 8
    assert due(LOAN, local(CHICAGO, 2026, 3, 9) - timedelta(seconds=1)).days_late == 7
    berlin = facility(first=cash(), zone=ZoneInfo("Europe/Berlin"))
    evening = local(CHICAGO, 2026, 3, 1, 17)
    assert due(LOAN, evening).days_late == 0
    assert due(berlin, evening).days_late == 1


def test_what_comes_is_listed_for_a_year() -> None:
    coming = list(payments(ledger(LOAN, OPENED), LOAN, OPENED))
    assert [one.due for one in coming] == [date(2026 + (n > 12), (n - 1) % 12 + 1, 1) for n in range(3, 15)]
    year = ledger(LOAN, OPENED).debt_at("loan", datetime(2027, 2, 1, 12, tzinfo=UTC), OPENED)
    assert sum(one.usd for one in coming) == year.interest
