"""`/record amendment`: by an approver, previewed, and never true before its day; what it changes is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from bot.domain.answers import ltv_document
from bot.domain.terms import InterestMode, Release
from bot.store.store import Store

from .agreeing import JUNE, PLAIN, amends, approves, checked, ltv_at, opens, terms, types, wrong
from .clicking import dialog, shown
from .recording import CALLED, CALM, audit_channel, recording, sends, treasury
from .test_slack_bench import Bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with recording(store, PLAIN) as made:
        yield made


def test_new_terms_are_filled_in_with_what_is_in_force_and_count_from_their_day(bot: Bench) -> None:
    view = opens(bot, JUNE)
    assert shown(view.blocks).startswith(
        "*Antalpha: in force on 1 Jun 2026.* What you change here counts from 1 Jun 2026 00:00 Chicago on."
    )
    filled = {
        block["block_id"].removeprefix("term_"): block["element"].get("initial_value")
        or block["element"].get("initial_date")
        or block["element"].get("initial_option", {}).get("value")
        for block in view.blocks
        if block["type"] == "input"
    }
    assert filled == {
        "rate": "7 %",
        "interest": "capitalised",
        "cushion": "0 %",
        "matures": "2028-04-30",
        "min_call_usd": "$0.00",
        "credit_hours": "1",
        "line_0": "68 %",
        "line_1": "75 %",
        "cure_1": "65 %",
        "window_1": "24 h",
        "line_2": "90 %",
        "release_line": "50 %",
        "release_to": "60 %",
        "release_days": "3",
    }
    types(bot, view, rate="8.5", line_1="1.35x", cure_1="66.67 %", window_1="2 days", min_call_usd="25k")
    check = checked(bot)
    lines = shown(check.blocks).split("\n")
    assert lines[:6] == [
        "*New terms of antalpha from 1 Jun 2026 00:00 Chicago*",
        "Rate: 7 % → 8.5 %",
        "No notice under: $0.00 → $25,000.00",
        "margin call: 75 % → 1.35x (LTV 74.07 %), cured to 65 % → 66.67 %, notice 24 h → 2 days",
        "Price of “early warning” at today's debt: stays at $63,111.00",
        "Price of “margin call” at today's debt: $57,220.64 → $57,935.90",
    ]
    assert lines[-1] == "Until then nothing changes."
    assert len(treasury(bot).facilities[0].versions) == 1
    approves(bot)
    before = terms(bot, datetime(2026, 6, 1, 4, 59, 59, tzinfo=UTC))
    after = terms(bot, datetime(2026, 6, 1, 5, 0, tzinfo=UTC))
    assert (before.rate, before.tiers[1].line, before.min_call_usd) == (Fraction(7, 100), Fraction(3, 4), 0)
    assert (after.rate, after.tiers[1].line, after.min_call_usd) == (Fraction(85, 1000), Fraction(20, 27), 2_500_000)
    assert (after.tiers[1].cure_to, after.tiers[1].window_hours, after.tiers[1].window_days) == (
        Fraction(6667, 10_000),
        None,
        2,
    )
    assert (after.tiers[0], after.tiers[2], after.release) == (before.tiers[0], before.tiers[2], before.release)


def test_last_months_ltv_still_goes_by_last_months_terms(bot: Bench) -> None:
    """It is March; new terms since the first of it are recorded on the tenth."""
    february = datetime(2026, 2, 20, 12, tzinfo=UTC)
    bot.clock.set(february)
    bot.price(61_000)
    before = ltv_at(bot, february)
    bot.clock.set(datetime(2026, 3, 10, 12, tzinfo=UTC))
    bot.checks(61_000)
    told = amends(bot, date(2026, 3, 1), rate="12 %", cushion="5 %", line_0="61 %", line_1="70 %")
    assert "\nDebt: $3" in told
    assert "\nAntalpha: LTV 7" in told
    assert ":warning: In force for 9 d 6 h already: what was true since then is told anew from now on." in told
    assert ltv_at(bot, february) == before
    after = ltv_document(bot.questions.book(at=datetime(2026, 3, 5, 12, tzinfo=UTC)))
    assert [(one["what"], one["ref"]) for one in after["restated"]] == [("amendment", "antalpha 2026-03-01")]
    assert [tier["ltv_pct"] for tier in before["tiers"]] == ["68.00", "75.00", "90.00"]
    march = ltv_at(bot, bot.clock.now())
    assert [tier["ltv_pct"] for tier in march["tiers"]] == ["61.00", "70.00", "90.00"]
    assert (march["lender_price_usd"], before["lender_price_usd"]) == ("57950.00", "61000.00")
    assert march["tier"] == "margin call"


def test_nothing_different_is_no_amendment(bot: Bench) -> None:
    view = opens(bot, JUNE)
    same = {"rate": "Nothing differs from what is in force that day; change a term, or cancel."}
    assert wrong(types(bot, view)) == same
    assert wrong(types(bot, view, rate="7.00 %", line_1="4/3", window_1="24 hours", credit_hours="1.0")) == same


REFUSALS: list[tuple[dict[str, str], dict[str, str]]] = [
    (
        {"line_1": "60 %"},
        {
            "line_1": "ltv 0.6 is below “early warning” 0.68; tiers go from mild to fatal.",
            "cure_1": "0.65 is above its line, ltv 0.6; a cure ends at its line or milder.",
        },
    ),
    ({"cure_1": "76 %"}, {"cure_1": "0.76 is above its line, ltv 0.75; a cure ends at its line or milder."}),
    ({"line_1": "0.75"}, {"line_1": "“0.75” may be an LTV or a coverage; write it as 75 %, 4/3 or 1.35x."}),
    (
        {"line_1": "2/3"},
        {"line_1": "“2/3” as a coverage is an LTV of 150.00 %; write 2/3 as a percentage, or 2/3x where it is meant."},
    ),
    ({"rate": "0.08"}, {"rate": "“0.08” may be 0.08 % or 8.00 %; write it with its %."}),
    ({"rate": "100 %"}, {"rate": "“1” is not under 1; write a ratio, as “0.30” for 30 %."}),
    (
        {"matures": "2020-01-01"},
        {"matures": "2020-01-01 is not after drawn 2024-11-11; a loan ends after it begins."},
    ),
    ({"window_1": "24"}, {"window_1": "“24” is no length of notice; write it as 24 h or 2 days."}),
    ({"credit_hours": "9000"}, {"credit_hours": "“9000” is more than a year; write hours."}),
    (
        {"release_to": "68 %"},
        {
            "release_to": "a release then goes to LTV 68.00 %, not below “early warning”, LTV 68.00 %; a release "
            "reaches no tier."
        },
    ),
    ({"release_days": "0"}, {"release_days": "0 is out of range; write 1 to 366."}),
]


def test_what_an_import_would_refuse_is_refused_under_its_field(bot: Bench) -> None:
    view = opens(bot, JUNE)
    for fields, refused in REFUSALS:
        assert wrong(types(bot, view, **fields)) == refused
    assert len(treasury(bot).facilities[0].versions) == 1


def test_an_amendment_stays_and_a_later_one_gets_what_it_does_not_name(store: Store) -> None:
    with recording(store, CALM) as bot:
        view = dialog(bot, "/record amendment", "U3")
        answer = sends(bot, view, facility="antalpha", effective="2026-03-01")
        assert answer.json["errors"] == {
            "record_effective": "It is amended from that day on already, and an amendment stays; choose another day."
        }
        told = amends(bot, date(2026, 2, 15), rate="9 %", cushion="2.5 %")
        carried = "From 1 Mar 2026 00:00 Chicago the amendment of that day counts besides, with this carried into it."
        assert carried in told
        found = [terms(bot, datetime(2026, month, day, 12, tzinfo=UTC)) for month, day in ((2, 14), (2, 15), (3, 1))]
        assert [(one.rate, one.cushion) for one in found] == [
            (Fraction(7, 100), Fraction(0)),
            (Fraction(9, 100), Fraction(1, 40)),
            (Fraction(8, 100), Fraction(1, 40)),
        ]


def test_what_new_terms_do_to_the_clock_of_an_open_call_is_said(store: Store) -> None:
    """From a day before its notice: its window is another, and at half an hour it has run out already."""
    with recording(store, CALLED) as bot:
        bot.clock.set(datetime(2026, 2, 7, 15, tzinfo=UTC))
        told_first = amends(bot, date(2026, 2, 5), window_1="2 days")
        assert "\nCall “notice 1”: due <!date^1770560100^" in told_first
        assert "|Sun 8 Feb 08:15> → due <!date^1770678000^{date_short_pretty} {time}|Mon 9 Feb 17:00>" in told_first
        assert "Call “notice 1”: due" in audit_channel(bot)[-1]
        assert "|Sat 7 Feb 08:45> (missed)" in amends(bot, date(2026, 2, 6), window_1="0.5 h")
        assert "Call “notice 1”" not in amends(bot, date(2026, 2, 8), rate="9 %")


def test_terms_that_changed_since_the_form_was_opened_are_not_amended_by_it(bot: Bench) -> None:
    late = date(2026, 5, 1)
    types(bot, opens(bot, JUNE), rate="9 %")
    check = checked(bot)
    bot.imports(PLAIN.replace("[[group]]", f'[[facility.amendment]]\neffective = {late}\nrate = "0.08"\n[[group]]', 1))
    answer = bot.slack.submit_view(check.id)
    assert answer.json["response_action"] == "update"
    assert "The terms of that day have changed since this was opened" in shown(answer.json["view"]["blocks"])
    assert len(treasury(bot).facilities[0].versions) == 2


def test_how_interest_is_paid_maturity_and_a_release_are_amended_too(bot: Bench) -> None:
    amends(bot, JUNE, interest="paid", matures="2029-01-31", release_days="5", line_2="$45,000", cure_1=None)
    after = terms(bot, datetime(2026, 7, 1, tzinfo=UTC))
    assert (after.interest, after.matures) == (InterestMode.PAID, date(2029, 1, 31))
    assert after.release == Release(Fraction(1, 2), Fraction(3, 5), 5)
    assert (after.tiers[2].line, after.tiers[2].price, after.tiers[1].cure_to) == (None, 4_500_000, None)
    assert after.tiers[2].liquidate_to == Fraction(7, 10)
