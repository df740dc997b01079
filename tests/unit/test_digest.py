"""The digest's figures: those of a week from the ledger, what comes, what is advised, and what is unknown stays so."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DAY, HOUR, OPENED, THREE, at, book, btc, loan, move, notice, treasury, usd

from bot.domain.advice import advice
from bot.domain.alert import Episode, Person, Silence
from bot.domain.answers import holdings_document, ltv_document, verdicts
from bot.domain.book import Register
from bot.domain.digest import Digest, digest_of, flow
from bot.domain.digest_dates import dates_ahead
from bot.domain.digest_document import digest_document
from bot.domain.digest_words import Told, told
from bot.domain.ledger import Ledger
from bot.domain.production import month_production
from bot.domain.terms import Group, GroupTest, InterestMode, Level, TermsVersion, Waiver
from bot.domain.treasury import Account, Movement, MovementKind, Need, Policy, Statement, Treasury
from bot.domain.weeks import Weekly
from bot.domain.words import plain_text

WEEKLY = Weekly(0, time(9))
ENDS = at("02-16 09:00")
MINUTES = 60 * 24 * 60


def digest(
    register: Treasury,
    price: Any = "68500",
    was: Any = "70000",
    when: datetime = ENDS,
    episodes: tuple[Episode, ...] = (),
    silences: tuple[Silence, ...] = (),
) -> Digest:
    week = WEEKLY.ended(when, register.zone) if WEEKLY.ended(when, register.zone).ends == when else None
    week = week or WEEKLY.running(when, register.zone)
    known = Register.of(register)
    before = book(known, was, week.begins) if week.begins >= register.opened else None
    last = WEEKLY.before(week, register.zone)
    return digest_of(week, last, book(known, price, when), before, episodes, silences)


def text(of: Digest) -> str:
    return plain_text(told(of).text)


def advised(register: Treasury, price: Any, when: datetime = ENDS) -> str:
    asked = book(register, price, when)
    return plain_text(advice(asked, verdicts(asked, asked.exposures)))


def ahead(register: Treasury, when: datetime = ENDS, silences: tuple[Silence, ...] = ()) -> list[tuple[str, str]]:
    """What comes, as day or minute and words."""
    found = dates_ahead(book(register, "68500", when), silences)
    return [(f"{one.day or format(one.at, '%Y-%m-%d %H:%M')}", plain_text(one.text)) for one in found]


# Figures


trades = st.lists(
    st.tuples(st.sampled_from(("mined", "sold")), st.integers(0, MINUTES), st.integers(1, 10**9), st.booleans()),
    max_size=12,
)


@given(trades, st.lists(st.integers(0, MINUTES), min_size=2, max_size=6).map(sorted))
def test_what_a_stretch_of_time_mined_sold_and_fetched_is_what_its_movements_say(
    drawn: list[tuple[str, int, int, bool]], cuts: list[int]
) -> None:
    """Against a plain sum over the movements; a reversal counts against the stretch that it is in."""
    movements: list[Movement] = []
    for number, (kind, minute, amount, undone) in enumerate(drawn):
        when = OPENED + timedelta(minutes=minute)
        fields = {"btc": amount, "account": "custody"} | ({"usd": amount // 7} if kind == "sold" else {})
        movements.append(Movement(when, MovementKind(kind), f"m{number}", **fields))
        if undone:
            back = when + timedelta(minutes=amount % 10_000)
            movements.append(Movement(back, MovementKind.REVERSAL, f"r{number}", reverses=f"m{number}"))
    ledger = Ledger(treasury(movements=tuple(movements)))
    by_ref = {one.ref: one for one in movements}

    def sums(after: datetime, until: datetime) -> tuple[int, int, int]:
        mined = sold = fetched = 0
        for one in movements:
            if not after < one.at <= until:
                continue
            sign, what = (-1, by_ref[one.reverses]) if one.reverses else (1, one)
            if what.kind is MovementKind.MINED:
                mined += sign * (what.btc or 0)
            else:
                sold, fetched = sold + sign * (what.btc or 0), fetched + sign * (what.usd or 0)
        return mined, sold, fetched

    instants = [OPENED + timedelta(minutes=cut) for cut in cuts]
    for after, until in pairwise(instants):
        found = flow(ledger, after, until)
        assert (found.mined, found.sold, found.proceeds) == sums(after, until)
        if found.sold > 0 and found.average is not None and found.proceeds is not None:
            assert abs(found.average * found.sold - found.proceeds * 10**8) * 2 <= found.sold


def test_a_months_coins_are_those_of_its_roll_forward_in_the_production_zone() -> None:
    moves = [
        move("mined", OPENED, "at the opening", btc="1"),
        move("mined", OPENED + timedelta(seconds=1), "february's first", btc="2"),
        move("sold", at("02-28 23:59:59"), "february's last", btc="3", usd="150000"),
        move("mined", at("03-01 00:00"), "march's first", btc="5"),
        move("sold", at("03-02 09:00"), "at the end of the week", btc="7", usd="350000.01"),
        move("mined", at("03-02 09:00:01"), "the next week's", btc="11"),
    ]
    register = treasury(movements=tuple(replace(one, facility=None) for one in moves))
    found = digest(register, when=at("03-02 09:00"))
    for month in (found.month, found.month_before):
        assert month is not None
        rolled = month_production(register, Ledger(register), month.month, found.book.at)
        assert (month.flow.mined, month.flow.sold) == (rolled.mined, rolled.sold)
    said = text(found)
    assert "Week: mined 5.00 BTC, sold 10.00 BTC at $50,000.00 on average, net (the week before: mined 0.00" in said
    assert (
        "March 2026 so far: mined 5.00 BTC, sold 7.00 BTC at $50,000.00 on average, net (February 2026: mined 2.00"
        in said
    )


def test_a_sale_without_its_dollars_leaves_the_average_unsaid() -> None:
    sale = Movement(at("02-10 12:00"), MovementKind.SOLD, "s1", account="custody", btc=10**8)
    found = digest(treasury(movements=(sale,)))
    assert (found.flow.sold, found.flow.average) == (10**8, None)
    assert "Week: mined 0.00 BTC, sold 1.00 BTC (the week before" in text(found)


def test_its_figures_are_those_of_holdings_and_ltv_now_and_a_week_ago() -> None:
    pool = Group("g", GroupTest.RATIO, THREE, pool=5 * 10**11)
    register = treasury(loan(), loan("pooled", coins="0", group="g"), groups=(pool,))
    found = digest(register)
    said = digest_document(found)
    assert found.before is not None
    for name, of in (("", found.book), ("_before", found.before)):
        whole = holdings_document(of)
        assert said[f"holdings{name}"] == {key: whole[key] for key in said[f"holdings{name}"]}
    now, then = ltv_document(found.book), ltv_document(found.before)
    for kind in ("facilities", "groups"):
        for one, is_now, was in zip(said[kind], now[kind], then[kind], strict=True):
            for key in ("id", "lender", "ltv_pct", "lender_ltv_pct", "level", "tier"):
                assert (one[key], one["before"][key]) == (is_now[key], was[key])
            lines = [line for line in is_now["tiers"] if line["reached"] is False]
            assert one["next"] == (None if one["id"] == "pooled" else lines[0])
    assert said["facilities"][0]["change_pct"] == "1.35"
    assert said["price_change_pct"] == "-2.14"


@pytest.mark.parametrize("usd_now", ["54000", "61000", "68500", "57142.85"])
def test_the_change_of_an_ltv_is_that_of_the_printed_ones(usd_now: str) -> None:
    said = digest_document(digest(treasury(), usd_now))["facilities"][0]
    change = Fraction(said["lender_ltv_pct"]) - Fraction(said["before"]["lender_ltv_pct"])
    assert Fraction(said["change_pct"]) == change


def test_an_unknown_price_leaves_every_figure_that_needs_one_unsaid() -> None:
    found = digest(treasury(), price=None)
    said = digest_document(found)
    assert said["price_change_pct"] is None
    assert (said["holdings"]["value_usd"], said["holdings"]["net_usd"]) == (None, None)
    assert said["facilities"][0]["lender_ltv_pct"] is said["facilities"][0]["change_pct"] is None
    assert said["facilities"][0]["level"] == "unknown"
    words = text(found)
    assert words.split("\n")[0] == "Week 2026-W07, to Mon 16 Feb 09:00: no bitcoin price"
    assert "Value: unknown without a price (a week ago $560.00M)" in words
    assert "Antalpha: LTV unknown (a week ago 61.22 %)." in words
    assert "nothing can be recommended" in words
    (line,) = re.findall(r"Antalpha: .*", words)
    assert line.count("%") == 1


def test_a_week_that_began_before_the_treasury_opened_has_nothing_beside_it() -> None:
    found = digest(treasury(opened=at("02-12 00:00")))
    assert found.before is found.flow_before is found.month_before is None
    said = digest_document(found)
    assert said["before"] is said["holdings_before"] is said["facilities"][0]["before"] is None
    words = text(found)
    assert "A week ago the treasury had not opened." in words
    assert "(a week ago" not in words


def test_while_a_week_runs_it_is_told_as_far_as_it_has_come() -> None:
    found = digest(treasury(), when=at("02-18 12:00"))
    assert not found.is_over
    assert found.before is not None
    assert found.before.at == ENDS
    words = text(found)
    assert (
        words.split("\n")[0] == "Week 2026-W08 so far, since Mon 16 Feb 09:00: bitcoin $68,500.00, −2.14 % since then"
    )
    assert "(at its start $" in words
    assert "a week ago" not in words


def test_alerts_are_listed_as_opened_closed_and_open() -> None:
    line = "covenant:antalpha"
    episodes = (
        Episode("price", at("02-01 10:00"), None, Level.WARNING, None, "No bitcoin price", "Still no price"),
        Episode("production:2026-01:roll-forward", at("02-01 11:00"), None, Level.WARNING, None, "A gap", "A gap"),
        Episode("production:2026-02:sold-over-mined", at("02-01 12:00"), None, Level.WARNING, None, "Sold", "Sold"),
        Episode(
            line, at("02-09 09:00"), at("02-10 10:00"), Level.WARNING, "early", "Antalpha is at", "Antalpha is clear"
        ),
        Episode(line, at("02-11 10:00"), None, Level.CRITICAL, "margin call", "Antalpha is at its line", "worse"),
    )
    words = text(digest(treasury(), episodes=episodes))
    alerts = words.split("Alerts:\n")[1].split("\nNext four")[0].split("\n")
    assert alerts == [
        "Open: Antalpha (margin call), critical, since Wed 10:00",
        "Open: Price, warning, since 1 Feb 10:00",
        "Open: January 2026, a gap in the roll-forward, warning, since 1 Feb 11:00",
        "Open: February 2026, sold over its limit, warning, since 1 Feb 12:00",
        "Opened Wed 10:00: Antalpha is at its line",
        "Closed Tue 10:00: Antalpha is clear",
    ]
    assert "None opened or closed; none is open." in text(digest(treasury()))


def test_what_it_says_survives_the_outbox_and_lateness_is_said() -> None:
    said = told(digest(treasury()), ENDS + DAY)
    assert Told.of(said.document()) == said
    late = "Late: it was due Mon 16 Feb 09:00, 24 h ago. Its figures are those of then, not of now."
    assert plain_text(said.note) == late
    assert told(digest(treasury())).note == ""


# What is advised


def test_where_no_line_is_reached_the_nearest_of_all_is_named() -> None:
    register = treasury(loan(), loan("other", debt="200000000", coins="7000"))
    assert advised(register, "68500") == (
        "Nothing is to be done: the nearest line is Antalpha's early warning at $63,025.21, 7.99 % below the price."
    )


def test_the_recommended_sale_of_the_worst_is_advised() -> None:
    register = treasury(loan("other", debt="200000000"), loan())
    assert advised(register, "55000") == (
        "Antalpha first, at its margin-call line; repay Antalpha $49,750,000.00 from cash: LTV 77.92 % → 65.00 %, call "
        "line then $47,666.66."
    )


def test_where_no_plan_does_it_each_way_is_said_and_what_is_missing() -> None:
    register = treasury(accounts=(Account("custody", btc("500"), usd("1000000")),))
    assert advised(register, "55000") == (
        "Antalpha first, at its margin-call line; cure to 65.00 %: pledge 1,391.61 BTC (500.00 free), "
        "or repay $49.75M ($1.00M in cash), or sell 904.55 free BTC (500.00 free) and repay, "
        "or sell 2,584.42 pledged BTC (the lender has not agreed to that). Within all limits no plan does it. "
        "Short by $21.25M, or 386.37 BTC more free."
    )


def test_a_call_comes_before_a_line_of_its_kind_and_the_earliest_deadline_first() -> None:
    loans = (loan(), loan("other"), loan("third"))
    notices = (
        replace(notice(ENDS - HOUR, "n1", price="55000"), facility="other"),
        replace(notice(ENDS - 2 * HOUR, "n2", price="55000"), facility="third"),
    )
    said = advised(treasury(*loans, notices=notices), "55000")
    assert said == (
        "Third first, called, due Tue 07:00, missing 1,391.61 BTC or $49.75M; repay Third $49,750,000.00 from cash: "
        "LTV 77.92 % → 65.00 %, call line then $47,666.66."
    )


def test_a_call_of_which_nothing_is_missing_waits_behind_a_line_that_is_reached() -> None:
    met = replace(notice(at("02-10 12:00"), price="55000", demand_btc="1"), facility="other")
    pledge = move("pledged", at("02-10 13:00"), btc="3000", facility="other")
    register = treasury(loan("other"), notices=(met,), movements=(pledge,))
    assert advised(register, "55000") == (
        "Other first, called, due 11 Feb 12:00; nothing of it is missing: get the lender's word that it is met, "
        "and record that."
    ).replace("11 Feb", "Wed")
    both = treasury(loan("other"), loan(), notices=(met,), movements=(pledge,))
    assert advised(both, "55000").startswith("Antalpha first, at its margin-call line")


def test_without_a_price_a_call_says_what_is_missing_and_nothing_more() -> None:
    register = treasury(notices=(notice(ENDS - HOUR, price="55000"),))
    assert advised(register, None) == "Antalpha first, called, due Tue 08:00, missing 1,391.61 BTC or $49.75M."
    assert advised(treasury(), None).startswith("Without a price LTVs are unknown and nothing can be recommended")


def test_where_nothing_has_a_line_it_says_so() -> None:
    assert advised(treasury(loan(tiers=())), "68500") == "Nothing is to be done: nothing that is owed has a line."
    uncovered = advised(treasury(loan(coins="0")), None)
    assert uncovered.startswith("Antalpha first, at its liquidation line; cure to 65.00 %: repay $300.00M")


def test_a_waiver_is_named_with_the_advice() -> None:
    waived = loan(waivers=(Waiver(at("02-10 00:00"), at("02-20 00:00"), "standstill"),))
    assert advised(treasury(waived), "55000").startswith("Antalpha first (waived until Fri 00:00), at its margin-call")


# What comes


def test_what_falls_due_in_four_weeks_is_listed_in_order() -> None:
    early = loan(
        "early",
        rate=Fraction(12, 100),
        interest=InterestMode.PAID,
        matures=date(2026, 3, 10),
        waivers=(
            Waiver(at("02-01 00:00"), ENDS - HOUR, "over"),
            Waiver(at("02-16 08:30"), at("02-20 12:00"), "standstill"),
        ),
    )
    terms = early.versions[0].terms
    better = replace(terms, rate=Fraction(8, 100), tiers=THREE[:2])
    early = replace(early, versions=(*early.versions, TermsVersion(date(2026, 3, 5), better)))
    ada, until = Person("U1", "Ada"), at("02-17 00:00")
    quiet = Silence(1, frozenset({"price"}), frozenset(), "move", ada, at("02-10 00:00"), until)
    register = treasury(
        early,
        notices=(replace(notice(ENDS - HOUR, price="55000", demand_usd="5000000"), facility="early"),),
        needs=(
            Need(date(2026, 2, 16), usd("1000000"), "today"),
            Need(date(2026, 2, 15), usd("1"), "yesterday"),
            Need(date(2026, 3, 16), usd("2000000"), "the last day"),
            Need(date(2026, 3, 17), usd("1"), "later"),
        ),
        policy=Policy(statement_due_day=5),
    )
    assert ahead(register, silences=(quiet,)) == [
        ("2026-02-01", "Early: $100,000.00 of interest overdue since 1 Feb (15 days)"),  # one midnight
        ("2026-02-16", "$1.00M needed for today"),
        ("2026-02-17 00:00", "silence of Price ends (move)"),
        ("2026-02-17 08:00", "deadline of Early's call “n1”, missing $5.00M"),
        ("2026-02-20 12:00", "Early's waiver ends (standstill)"),
        ("2026-03-01", "Early: $2.80M of interest due"),  # 28 days at 12 % on $300M
        ("2026-03-05", "statement of February 2026 due"),
        ("2026-03-05", "Early: amended terms take effect (rate 12.00 % to 8.00 % and lines)"),
        ("2026-03-10", "Early matures: $303.63M to be repaid"),
        ("2026-03-16", "$2.00M needed for the last day"),
    ]


def test_interest_is_ahead_while_its_day_lasts_then_overdue_until_it_is_paid() -> None:
    early = loan("early", rate=Fraction(12, 100), interest=InterestMode.PAID, zone=ZoneInfo("America/Chicago"))
    register = treasury(early, movements=(move("interest_paid", at("02-02 12:00"), usd="100000", facility="early"),))
    due, april = ("2026-03-01", "Early: $2.80M of interest due"), ("2026-04-01", "Early: $3.10M of interest due")
    first = ("2026-02-01", "Early: $100,000.00 of interest overdue since 1 Feb (1 day)")
    assert ahead(register, at("02-02 06:00")) == [first, due]
    assert ahead(register) == [due]
    assert ahead(register, at("03-02 05:59")) == [due]
    late = ("2026-03-01", "Early: $2.80M of interest overdue since 1 Mar (8 days)")
    assert ahead(register, at("03-09 05:00")) == [late, april]
    assert digest_document(digest(register, when=at("03-09 05:00")))["ahead"][0] == {
        "day": "2026-03-01",
        "kind": "overdue",
        "text": late[1],
    }
    payment = move("interest_paid", at("03-08 12:00"), usd="2800000", facility="early")
    assert ahead(replace(register, movements=(*register.movements, payment)), at("03-09 05:00")) == [april]


def test_a_statement_that_is_there_and_a_debt_that_is_paid_are_not_ahead() -> None:
    register = treasury(
        loan(matures=date(2026, 3, 10)),
        movements=(move("repaid", at("02-10 12:00"), usd="300000000"),),
        statements=(Statement("2026-02", 1, 1, 1),),
        policy=Policy(statement_due_day=31),
    )
    assert ahead(register) == []
    assert "Nothing falls due." in text(digest(register))
    unstated = replace(register, statements=())
    assert ahead(unstated, at("03-05 09:00")) == [("2026-03-31", "statement of February 2026 due")]
    assert ahead(unstated, at("04-04 09:00")) == [("2026-04-30", "statement of March 2026 due")]


def test_a_maturity_that_an_amendment_moves_is_that_of_the_terms_in_force_then() -> None:
    one = loan(matures=date(2026, 3, 10))
    longer = replace(one.versions[0].terms, matures=date(2026, 3, 12))
    moved = replace(one, versions=(*one.versions, TermsVersion(date(2026, 3, 1), longer)))
    assert [day for day, said in ahead(treasury(moved)) if "matures" in said] == ["2026-03-12"]
    too_late = replace(one, versions=(*one.versions, TermsVersion(date(2026, 3, 11), longer)))
    assert [day for day, said in ahead(treasury(too_late)) if "matures" in said] == ["2026-03-10", "2026-03-12"]
