"""Weekend readiness: what is needed, what still moves, what is short, and the cheapest act, against sums by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from support import HOUR, book, btc, fresh, loan, notice, tier, treasury, usd

from bot.domain.closures import next_closure
from bot.domain.digest_words import Told
from bot.domain.money import Cents
from bot.domain.periods import Calendar
from bot.domain.sales.plan import Way
from bot.domain.terms import Waiver
from bot.domain.treasury import Account, Holds, Policy, Treasury
from bot.domain.weekend import Readiness, readiness
from bot.domain.weekend_acts import Act, cheapest_act
from bot.domain.weekend_words import closure_told, weekend_told
from bot.domain.words import plain_text

NEW_YORK = Calendar("new-york", ZoneInfo("America/New_York"), time(9), time(17), frozenset({date(2026, 2, 16)}))
FRIDAY = datetime(2026, 2, 6, 17, tzinfo=UTC)
"""Noon in New York, where the last wire leaves at 17:00 and the next on Monday at 09:00."""
SATURDAY = FRIDAY + timedelta(days=1)
CALL = (tier("call", "0.75", "margin call", cure_to="0.65", window_hours=24),)
BANK = Account("custody", btc("500"), usd("30000000"), calendar="new-york", ready_hours=4 * HOUR)
STABLE = Account("chain", 0, usd("2000000"), Holds.USDT)


def made(*accounts: Account, policy: Policy | None = None, **terms: object) -> Treasury:
    """$300M against 7,000 BTC without interest: its call line is at $57,142.85."""
    facility = loan(**{"tiers": CALL, "credit_hours": HOUR, **terms})
    calendars = {"new-york": NEW_YORK}
    return treasury(facility, accounts=accounts or (BANK, STABLE), calendars=calendars, policy=policy or Policy())


def ready(register: Treasury, price: str = "60000", at: datetime = FRIDAY) -> Readiness:
    return readiness(book(register, fresh(price), at), next_closure(NEW_YORK, at))


def act_at(found: Readiness, index: int = 0) -> Act | None:
    return cheapest_act(found, found.falls[index])


def said(register: Treasury, price: str = "60000", at: datetime = FRIDAY) -> str:
    return plain_text(weekend_told(book(register, fresh(price) if price else None, at)).text)


# What is needed


def test_the_needs_are_the_cures_of_each_fall_by_hand_due_a_window_after_the_close() -> None:
    """At $54,000: 300M / (0.65 × 54,000) − 7,000 BTC, and 300M − 0.65 × 7,000 × 54,000."""
    ten, fifteen, twenty = ready(made()).falls
    assert [fall.view.usable for fall in (ten, fifteen, twenty)] == [5_400_000, 5_100_000, 4_800_000]
    (wanted,) = ten.wanted
    assert wanted.top_up == ceil((Fraction(300_000_000) / (Fraction(65, 100) * 54_000) - 7_000) * 10**8)
    assert wanted.repay == 54_300_000_00
    assert [fall.wanted[0].repay for fall in (fifteen, twenty)] == [67_950_000_00, 81_600_000_00]
    assert wanted.due == datetime(2026, 2, 7, 22, 0, 1, tzinfo=UTC)
    assert not wanted.guessed


def test_interest_runs_on_to_the_deadline() -> None:
    """From the 1st to Saturday 22:00 UTC seven midnights: 7 × $300M × 7 % / 360."""
    (wanted,) = ready(made(rate=Fraction(7, 100))).falls[0].wanted
    assert wanted.repay == 54_300_000_00 + 408_333_33


def test_what_moves_is_free_coins_above_the_reserve_and_stablecoins_and_no_bank_dollars() -> None:
    movable = ready(made(policy=Policy(reserve_btc=btc("100"), min_cash_usd=usd("5000000")))).falls[0].movable
    assert movable is not None
    assert (movable.btc, movable.usdt, movable.usdc, movable.bank) == (btc("400"), usd("2000000"), 0, 0)
    assert movable.stuck == usd("25000000")  # five of the thirty million stay
    assert movable.moves_at == datetime(2026, 2, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(("hours", "there"), [(22, "500"), (23, "500"), (24, "0")])
def test_coins_count_only_where_ready_and_credited_by_the_deadline(hours: int, there: str) -> None:
    slow = replace(BANK, ready_hours=hours * HOUR)  # and an hour until they are credited, of 24
    movable = ready(made(slow)).falls[0].movable
    assert movable is not None
    assert movable.btc == btc(there)


@pytest.mark.parametrize(("hours", "wire"), [(64, 0), (65, usd("30000000"))])
def test_the_next_openings_wire_counts_where_the_deadline_allows_it(hours: int, wire: Cents) -> None:
    """From Friday 17:00:01 to Monday 10:00, when a wire of 09:00 is credited, are 64 h 59 min 59 s."""
    longer = (replace(CALL[0], window_hours=hours * HOUR),)
    movable = ready(made(tiers=longer)).falls[0].movable
    assert movable is not None
    assert movable.bank == wire


def test_a_window_of_open_days_counts_from_the_day_after_a_notice_that_comes_after_the_close() -> None:
    """Called after Friday's close: day 0 is Monday, so it is due on Tuesday at 17:00, and Monday's wire is in time."""
    days = (tier("call", "0.75", "margin call", cure_to="0.65", window_days=1, calendar="new-york"),)
    (wanted,) = (fall := ready(made(tiers=days)).falls[0]).wanted
    assert wanted.due == datetime(2026, 2, 10, 22, tzinfo=UTC)
    assert fall.movable is not None
    assert fall.movable.bank == usd("30000000")


def test_without_a_deadline_in_the_terms_the_opening_stands_for_it_and_mondays_wire_is_too_late() -> None:
    open_ended = (tier("call", "0.75", "margin call", cure_to="0.65"),)
    (wanted,) = (fall := ready(made(tiers=open_ended)).falls[0]).wanted
    assert (wanted.due, wanted.guessed) == (datetime(2026, 2, 9, 14, tzinfo=UTC), True)
    assert fall.movable is not None
    assert fall.movable.bank == 0
    assert "no deadline in its terms, so by Mon 14:00" in said(made(tiers=open_ended))


# What is short, and what to do today


def test_short_is_what_the_needs_are_more_than_what_moves() -> None:
    """$54.3M less $2M of USDT, less 500 coins at 0.65 × $54,000: $34.75M; or so much in coins."""
    fall = ready(made()).falls[0]
    assert fall.is_short
    assert fall.moved is not None
    assert fall.moved.missing is not None
    left = 54_300_000_00 - 2_000_000_00 - 500 * 35_100_00
    assert fall.moved.missing.usd == left == 34_750_000_00
    assert fall.moved.missing.btc == ceil(Fraction(left * 10**8, 35_100_00))


def test_the_cheapest_act_is_to_repay_just_what_will_be_missing() -> None:
    act = act_at(ready(made(replace(BANK, usd=usd("40000000")), STABLE)))
    assert act is not None
    assert [(leg.way, leg.account, leg.usd, leg.starts) for leg in act.now] == [
        (Way.CASH, "custody", 34_750_000_00, FRIDAY)
    ]
    assert {(leg.way, leg.btc, leg.usd) for leg in act.then} == {
        (Way.TOP_UP, btc("500"), 0),
        (Way.CASH, 0, 2_000_000_00),
    }


def test_to_the_cent_it_is_enough_and_a_cent_less_is_not() -> None:
    exactly = made(replace(BANK, usd=34_750_000_00), STABLE)
    act = act_at(ready(exactly))
    assert act is not None
    assert [leg.usd for leg in act.now] == [34_750_000_00]
    less = act_at(ready(made(replace(BANK, usd=34_749_999_99), STABLE)))
    assert less is not None
    assert any(leg.way is Way.SELL_FREE for leg in (*less.now, *less.then))


@pytest.mark.parametrize(("stays", "is_enough"), [("7250000", True), ("7250001", False)])
def test_it_leaves_the_cash_that_is_to_stay(stays: str, is_enough: bool) -> None:
    """Of $44M in all $34.75M are paid today, and $2M of USDT once it is called."""
    register = made(replace(BANK, usd=usd("42000000")), STABLE, policy=Policy(min_cash_usd=usd(stays)))
    act = act_at(ready(register))
    assert act is not None
    assert (not any(leg.way is Way.SELL_FREE for leg in (*act.now, *act.then))) is is_enough


def test_coins_are_sold_rather_than_the_cash_that_is_to_stay_paid() -> None:
    register = made(replace(BANK, usd=usd("42000000")), STABLE, policy=Policy(min_cash_usd=usd("12000000")))
    act = act_at(ready(register))
    assert act is not None
    assert sum(leg.usd for leg in (*act.now, *act.then) if leg.way is Way.CASH) == usd("32000000")


@pytest.mark.parametrize(
    ("least", "repaid"),
    [
        ("2000000", "34750000"),  # USDT of two million will do on Saturday
        ("2000001", "36750000"),  # and will not here: 54.3M, less 500 coins at 35,100
        ("40000000", "40000000"),
    ],
)
def test_no_repayment_is_less_than_the_lender_takes(least: str, repaid: str) -> None:
    act = act_at(ready(made(replace(BANK, usd=usd("50000000")), STABLE, min_repayment=usd(least))))
    assert act is not None
    assert [(leg.way, leg.usd) for leg in act.now] == [(Way.CASH, usd(repaid))]


def test_where_cash_does_not_reach_coins_are_sold_while_their_dollars_can_leave() -> None:
    """Without the chain, a sale's dollars land in the bank: on Saturday they would be stuck there."""
    found = ready(made(BANK))
    fall, act = found.falls[0], act_at(found)
    assert fall.sold is not None
    assert not fall.sold.feasible
    assert act is not None
    # 300M − 30M − n·54,000 = 0.65 × 54,000 × (7,000 + 500 − n): each coin sold does 18,900 more than one pledged
    coins = ceil(Fraction(24_300_000 - 500 * 35_100, 54_000 - 35_100) * 10**8)
    by_way = {leg.way: leg for leg in act.now}
    assert set(by_way) == {Way.CASH, Way.SELL_FREE}
    assert by_way[Way.CASH].usd == usd("30000000")
    assert 0 <= by_way[Way.SELL_FREE].btc - coins <= 106  # two cents' worth
    owed = 270_000_000_00 - by_way[Way.SELL_FREE].usd
    assert [(leg.way, leg.btc) for leg in act.then] == [
        (Way.TOP_UP, ceil(Fraction(owed, 35_100_00) * 10**8) - btc("7000"))
    ]


def test_coins_that_would_come_too_late_on_saturday_are_pledged_on_friday() -> None:
    vault = Account("vault", btc("1600"), 0, ready_hours=26 * HOUR)
    act = act_at(ready(made(replace(BANK, btc=0, usd=0), vault)))
    assert act is not None
    assert [(leg.way, leg.account) for leg in act.now] == [(Way.TOP_UP, "vault")]
    assert act.now[0].btc == ceil((Fraction(300_000_000) / (Fraction(65, 100) * 54_000) - 7_000) * 10**8)


def test_where_nothing_would_do_it_says_what_it_takes() -> None:
    act = act_at(ready(made(Account("custody", 0, usd("1000000"), calendar="new-york"))))
    assert act is not None
    assert (act.now, act.then) == ((), ())
    assert act.missing is not None
    assert act.missing.usd == usd("53300000")


def test_once_the_last_wire_has_gone_there_is_no_act_before_it() -> None:
    found = ready(made(), at=SATURDAY)
    assert found.has_begun
    assert found.falls[0].is_short
    assert act_at(found) is None
    assert found.falls[0].wanted[0].due == SATURDAY + 24 * HOUR


def test_an_open_call_is_needed_whatever_the_price() -> None:
    called = replace(made(), notices=(notice(FRIDAY - HOUR, due=FRIDAY + 30 * HOUR),))
    (wanted,) = ready(called, "90000").falls[0].wanted
    assert (wanted.due, wanted.need.called) == (FRIDAY + 30 * HOUR, True)


def test_what_is_missing_of_an_open_call_is_said_beside_what_cures_it() -> None:
    """The lender counts its own demand: at $61,200 less cures the loan than it has asked for."""
    called = notice(FRIDAY - HOUR, price="50000", demand_btc="2000", due=FRIDAY + 30 * HOUR)
    line = next(line for line in said(replace(made(), notices=(called,)), "68000").split("\n") if "needs" in line)
    assert line == (
        "Antalpha needs 541.48 BTC pledged or $21,540,000.00 repaid for 65.00 %: called at its margin-call line, due "
        "Sat 23:00, with 2,000.00 BTC of “n1” still missing."
    )


# In words


def test_the_worked_weekend() -> None:
    assert said(made(replace(BANK, usd=usd("40000000")), STABLE), "63000").split("\n")[:5] == [
        "No wires until Mon 14:00; the last one Fri 22:00",
        "Short at −10 % by 585.75 BTC or $21.59M. The cheapest act by Fri 22:00: repay $21,587,500.00 to Antalpha from "
        "custody. Then, once called: pledge 500.00 BTC of custody to Antalpha and repay $2,000,000.00 to Antalpha from "
        "chain.",
        "At −10 %, $56,700.00:",
        "Antalpha needs 1,140.01 BTC pledged or $42,015,000.00 repaid for 65.00 %: at its margin-call line, due Sat "
        "22:00 if called right after the close.",
        "Movable by Sat 22:00: 500.00 BTC, 2,000,000.00 USDT; not $40.00M in banks, which can leave Mon 14:00.",
    ]


def test_over_a_holiday_it_is_until_the_tuesday() -> None:
    friday = FRIDAY + timedelta(days=7)
    assert said(made(), "100000", friday).startswith("No wires until Tue 14:00; the last one Fri 22:00\n")


def test_where_nothing_is_needed_it_says_on_one_line_how_far_the_price_may_fall() -> None:
    assert said(made(), "75000").split("\n") == [
        "No wires until Mon 14:00; the last one Fri 22:00",
        "Nothing is needed down to −20 %, $60,000.00: the price may fall 23.80 % before Antalpha's margin-call line, "
        "$57,142.85.",
        "Falls are off the last price, $75,000.00.",
    ]


def test_what_still_moves_may_be_enough() -> None:
    rich = made(replace(BANK, btc=btc("3000")), STABLE)
    text = said(rich)
    assert "Nothing is short down to −20 %: what lenders would ask for can be met with what still moves." in text
    assert "That is enough; once called: pledge 1,490.03 BTC of custody" in text


def test_no_price_nothing_borrowed_and_no_calendar() -> None:
    assert said(made(), "").split("\n")[1] == (
        "No price yet, so what a fall would ask for is unknown: find out why the sources give none."
    )
    assert said(replace(made(), facilities=())).split("\n")[1:] == [
        "Nothing that is owed has a call line: no fall of the price asks for a wire."
    ]
    assert said(replace(made(), accounts=(replace(BANK, calendar=None), STABLE))).split("\n") == [
        "No rail ever closes: no account with bank dollars has a calendar, so wires leave at any hour",
        "If a bank does close, name its calendar with the account in the treasury file.",
    ]


def test_of_several_calendars_the_first_to_shut_is_said_in_full_and_each_is_named() -> None:
    hong_kong = Calendar("hong-kong", ZoneInfo("Asia/Hong_Kong"), time(9), time(18))
    both = replace(
        made(replace(BANK, usd=usd("20000000")), Account("asia", 0, usd("20000000"), calendar="hong-kong"), STABLE),
        calendars={"new-york": NEW_YORK, "hong-kong": hong_kong},
    )
    lines = said(both, at=datetime(2026, 2, 5, 12, tzinfo=UTC)).split("\n")
    assert lines[0] == "No wires by hong-kong until Mon 01:00; the last one Fri 10:00"
    assert "No wires by new-york until Mon 14:00; the last one Fri 22:00:" in lines
    # Asia's dollars can leave on Monday at 01:00, New York's only at 14:00: neither is there by Saturday
    assert any("not $40.00M in banks, which can leave Mon 01:00." in line for line in lines)


def test_a_waiver_and_a_notice_that_is_not_worth_sending_are_mentioned() -> None:
    waived = Waiver(FRIDAY, FRIDAY + timedelta(days=2), "letter")
    text = said(made(waivers=(waived,), min_call_usd=usd("60000000")))
    assert "if called right after the close, waived until Sun 17:00, though it sends no notice for less than" in text
    assert "less than $60.00M" in text.split("At −15 %")[0]
    assert "less than $60.00M" not in text.split("At −15 %")[1]


@pytest.mark.parametrize(("price", "wakes"), [("63000", True), ("66000", False), ("75000", False)])
def test_it_wakes_the_channel_only_where_ten_percent_would_be_short(price: str, wakes: bool) -> None:
    now = book(made(), fresh(price), FRIDAY)
    posted = closure_told(now, next_closure(NEW_YORK, FRIDAY))
    assert posted.mention is wakes
    assert Told.of(posted.document()) == posted
    older = {name: value for name, value in posted.document().items() if name != "mention"}
    assert not Told.of(older).mention  # as before it could be asked for
    assert not weekend_told(now).mention  # who asks is awake
