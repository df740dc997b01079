"""What alerts say: the answer first, then the numbers with their units, then the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    at,
    btc,
    contract,
    fresh,
    loan,
    move,
    notice,
    tier,
    treasury,
    usd,
)

from bot.domain.alerts import Alert, AlertPolicy, decide
from bot.domain.book import Book, Register
from bot.domain.checks import all_findings
from bot.domain.messages import Message, message_of, reply_of
from bot.domain.periods import Calendar
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import Consent, Group, GroupTest, OnRecovery
from bot.domain.treasury import Account, Policy, Treasury
from bot.domain.words import MOMENT, moment, plain_text, price_phrase, price_sentence, sentence, span

COVENANT = "covenant:antalpha"
CHICAGO = ZoneInfo("America/Chicago")


class Channel:
    """One key's alert as people see it, check by check."""

    def __init__(self, register: Treasury, key: str = COVENANT) -> None:
        self.register, self.key = Register.of(register, AlertPolicy()), key
        self.alert: Alert | None = None
        self.last: tuple[Book, Any] | None = None

    def see(self, price: str | PriceView | None, when: datetime = NOW, **more: Any) -> Message:
        view = fresh(price) if isinstance(price, str) else price or PriceView(PriceState.NONE)
        asked = Book(self.register, when, view, **more)
        done = decide(self.alert, all_findings(asked).get(self.key), when, self.register.alerts)
        self.alert, self.last = done.alert, (asked, done)
        return plain(message_of(asked, done))

    def reply(self) -> str:
        return plain(reply_of(*self.last)).headline


def plain(message: Message) -> Message:
    return Message(
        message.key,
        message.level,
        plain_text(message.headline),
        plain_text(message.body),
        message.mention,
        message.closed,
    )


def first(
    register: Treasury, price: str | PriceView | None, when: datetime = NOW, key: str = COVENANT, **more: Any
) -> Message:
    return Channel(register, key).see(price, when, **more)


# -- headlines --


@pytest.mark.parametrize(
    ("price", "headline"),
    [
        ("63000", "Antalpha is at its early warning: LTV 68.03 % ≥ 68.00 %"),
        ("55000", "Antalpha is at its margin-call line: LTV 77.92 % ≥ 75.00 %"),
        ("47619.04", "Antalpha is at its liquidation line: LTV 90.00 % ≥ 90.00 %"),
    ],
)
def test_a_line_that_is_reached_is_named_as_a_line(price, headline):
    assert first(treasury(), price).headline == headline


def test_a_notice_is_headed_by_what_the_lender_did():
    called = first(treasury(notices=(notice(NOW),)), "57100").headline
    assert called == "Antalpha has called: margin call due Thu 12:00 (24 h left), LTV 75.06 %"


def test_a_worse_line_than_the_one_called_comes_first():
    assert first(treasury(notices=(notice(NOW),)), "47000").headline.startswith("Antalpha is at its liquidation line")


def test_a_line_merely_reached_is_never_headed_margin_call():
    """Reached, held until it clears, without a price, and after the lender has withdrawn its notice without one."""
    channel = Channel(treasury(notices=(notice(NOW + 5 * HOUR, withdrawn=NOW + 6 * HOUR),)))
    stale = PriceView(PriceState.STALE, usd("57000"), age=4 * MINUTE)
    said = [
        channel.see("57000").headline,
        channel.see("60000", NOW + MINUTE).headline,
        channel.see(stale, NOW + 2 * MINUTE).headline,
    ]
    assert (
        channel.see(stale, NOW + 5 * HOUR).headline
        == "Antalpha has called: margin call due Thu 17:00 (24 h left), LTV unknown"
    )
    said.append(channel.see(stale, NOW + 6 * HOUR).headline)
    assert said == [
        "Antalpha is at its margin-call line: LTV 75.19 % ≥ 75.00 %",
        "Antalpha is back under its margin-call line: LTV 71.43 %, clears at 65.00 %",
        "Antalpha: LTV unknown, last at its margin-call line",
        "Antalpha: LTV unknown, last at its margin-call line",
    ]


def test_two_loans_of_one_lender_are_told_apart():
    second = replace(loan("second", coins="100000"), lender="Antalpha")
    assert first(treasury(loan(), second), "55000").headline.startswith("Antalpha (antalpha) is at its")


def test_a_price_line_says_the_price():
    lent = loan(tiers=(tier("call", price="57000", name="margin call"),))
    assert first(treasury(lent), "56999").headline == (
        "Antalpha is at its margin-call line: $56,999.00 ≤ $57,000.00, LTV 75.19 %"
    )


def test_debt_without_coins_says_so():
    said = first(treasury(loan(coins="0")), None)
    assert said.headline == "Antalpha is at its liquidation line: $300.00M owed and no coins credited"
    assert said.body == "No price yet.\nNo notice recorded.\nCure to 65.00 %: repay $300.00M."


def test_a_group_is_named_by_its_id():
    group = Group("antalpha-all", GroupTest.RATIO, (tier("call", "0.7", "group call", cure_to="0.6"),))
    said = first(treasury(loan(group="antalpha-all"), groups=(group,)), "60000", key="covenant:group:antalpha-all")
    assert said.headline == "antalpha-all is at its group-call line: LTV 71.43 % ≥ 70.00 %"


def test_closing_says_what_is_true_now():
    channel = Channel(treasury())
    channel.see("63000")
    channel.see("70000", NOW + MINUTE)
    said = channel.see("70000", NOW + 11 * MINUTE)
    assert (said.headline, said.body, said.closed, said.mention) == (
        "Antalpha is clear: LTV 61.22 %; it was at its early warning, open for 11 min",
        "Price $70,000.00.",
        True,
        False,
    )
    assert channel.reply() == "Closed: Antalpha is clear: LTV 61.22 %; it was at its early warning, open for 11 min"


def test_a_loan_that_was_repaid_is_not_unknown():
    gone = (move("repaid", NOW + MINUTE, usd="300000000"), move("released", NOW + MINUTE, btc="7000"))
    channel = Channel(treasury(movements=gone))
    channel.see("63000")
    channel.see("63000", NOW + MINUTE)
    assert (
        channel.see("63000", NOW + 11 * MINUTE).headline
        == "Antalpha is clear: nothing owed; it was at its early warning, open for 11 min"
    )


# -- the body --


def test_a_call_line_says_what_would_cure_it_and_what_is_next():
    """The contract's example: on a Saturday, with 474.62 free coins and $10M that is all reserve."""
    said = first(
        contract(('interest = "capitalised"', 'interest = "paid"'), ('rate = "0.07"', 'rate = "0"'), without=("call",)),
        fresh("55000", age=timedelta(seconds=12), sources=("a", "b", "c", "d")),
        at("02-07 20:15"),
    )
    assert said.body.splitlines() == [
        "Price $55,000.00 (12 s old, 4 sources).",
        "No notice recorded; if called now, due Sun 14:15 (24 h).",
        "Cure to 65.00 %: pledge 1,391.61 BTC (474.62 free), "
        "or repay $49.75M ($10.00M in cash, $10.00M of it reserved), "
        "or sell 909.10 free BTC (474.62 free) and repay, or sell 2,621.88 pledged BTC at the lender's desk.",
        "Waived until Mon 18:00 (standstill letter).",
        "Next line: liquidation at $47,619.04, 13.42 % below.",
    ]
    assert (said.level, said.mention) == ("critical", True)


def rich(**more: Any) -> Treasury:
    return treasury(accounts=(Account("custody", btc("1400"), usd("50000000")),), **more)


def test_what_is_there_is_not_marked():
    assert (
        "Cure to 65.00 %: pledge 1,391.61 BTC, or repay $49.75M, or sell 904.55 free BTC and repay, or"
        in first(rich(), "55000").body
    )


def test_cash_is_marked_by_what_is_left_above_the_reserve():
    assert "repay $49.75M, or" in first(rich(policy=Policy(min_cash_usd=usd("250000"))), "55000").body
    assert (
        "repay $49.75M ($50.00M in cash, $250,000.01 of it reserved), or"
        in first(rich(policy=Policy(min_cash_usd=usd("250000.01"))), "55000").body
    )
    poor = treasury(accounts=(Account("custody", 0, usd("10000000")),))
    assert "pledge 1,391.61 BTC (none free), or repay $49.75M ($10.00M in cash), or" in first(poor, "55000").body


DESK = Calendar("desk", CHICAGO, time(9), time(17), frozenset({date(2026, 2, 9)}))


@pytest.mark.parametrize(
    ("consent", "when", "marked"),
    [
        (Consent.NONE, NOW, "pledged BTC (the lender has not agreed to that)."),
        (Consent.ASK, NOW, "pledged BTC if the lender agrees (ask)."),
        (Consent.DESK, at("02-06 16:00"), "pledged BTC at the lender's desk."),
        (Consent.DESK, at("02-07 16:00"), "pledged BTC at the lender's desk (opens Tue 15:00)."),
    ],
)
def test_selling_pledged_coins_says_whether_the_lender_lets_us(consent, when, marked):
    lent = loan(consent=consent, desk_calendar="desk")
    assert marked in first(treasury(lent, calendars={"desk": DESK}), "55000", when).body


def test_what_no_amount_of_selling_cures_is_not_offered():
    assert "pledged BTC" not in first(treasury(), "42857").body


def test_coins_and_dollars_that_cure_are_rounded_against_ourselves():
    small = treasury(loan(debt="1000000.01", coins="20"))
    assert "pledge 10.77 BTC, or repay $350,000.01" in first(small, "50000").body  # 10.7692… and 350,000.01


def test_a_clock_is_said_with_its_state():
    register = treasury(
        notices=(notice(NOW, price="55000", disputed=NOW + HOUR),), movements=(move("sent", NOW + HOUR, btc="100"),)
    )
    channel = Channel(register)
    assert channel.see("55000").body.splitlines()[1] == (
        "Notice “n1” of Wed 12:00 at $55,000.00, due Thu 12:00 (in 24 h). "
        "Demanded 1,391.61 BTC or $49.75M; nothing sent or credited yet; missing 1,391.61 BTC or $49.75M."
    )
    assert (
        "due Thu 12:00 (in 23 h), disputed (this stops no clock). Demanded 1,391.61 BTC or $49.75M; sent 100.00 BTC;"
        in channel.see("55000", NOW + HOUR).body
    )
    assert "MISSED: it was due Thu 12:00" in channel.see("55000", NOW + DAY).body
    assert channel.reply().startswith("Reminder: notice “n1” missed. Antalpha has called: margin call deadline MISSED")


def test_what_is_credited_is_said():
    register = treasury(
        notices=(notice(NOW, demand_btc="100"),), movements=(move("pledged", NOW + HOUR, btc="99.999"),)
    )
    assert "Demanded 100.00 BTC; credited 99.999 BTC; missing 0.01 BTC." in first(register, "55000", NOW + HOUR).body


def test_a_second_notice_is_said_after_the_one_that_governs():
    notices = (notice(NOW, "one"), notice(NOW, "two", due=NOW + HOUR))
    lines = first(treasury(notices=notices), "55000").body.splitlines()
    assert lines[1].startswith("Notice “two”")
    assert lines[2].startswith("Notice “one”")


def test_a_call_that_price_has_ended_is_not_said_to_be_due():
    channel = Channel(treasury(loan(on_recovery=OnRecovery.BELOW_CALL), notices=(notice(NOW, price="57000"),)))
    channel.see("57000")
    channel.see("60000", NOW + MINUTE)
    said = channel.see("60000", NOW + 11 * MINUTE)
    assert said.headline == "Antalpha is back under its margin-call line: LTV 71.43 %, clears at 65.00 %"
    assert said.body.startswith("The call of notice “n1” has ended: the price has recovered")
    assert "due" not in said.body


def test_a_small_call_is_said_to_bring_no_notice():
    small = treasury(loan(min_call_usd=usd("50000000")))
    assert "The lender sends no notice for less than $50.00M." in first(small, "55000").body
    assert "sends no notice" not in first(treasury(loan(min_call_usd=usd("49750000"))), "55000").body


def test_without_a_window_there_is_no_deadline_to_say():
    bare = treasury(loan(tiers=(tier("call", "0.75", cure_to="0.65"),)))
    assert "No notice recorded; the terms give no deadline if called." in first(bare, "55000").body


def test_the_lenders_ltv_and_ours_are_both_said_where_they_differ():
    said = first(treasury(loan(cushion=Fraction(1, 10))), "60000")
    assert said.headline == "Antalpha is at its margin-call line: LTV 79.37 % ≥ 75.00 %"
    assert "LTV 79.37 % by the lender's terms (71.43 % by ours); the lender's is the one that counts." in said.body


def test_a_line_reached_at_one_venue_only_names_it():
    view = fresh("57200", references={"kraken": usd("57142")})
    said = first(treasury(loan(reference="kraken")), view)
    assert "Reached at kraken's quote of $57,142.00, not at our price." in said.body
    assert (said.level, said.mention) == ("warning", False)


def test_a_next_line_that_our_price_has_passed_is_above_it():
    view = fresh("57100", references={"kraken": usd("57200")})
    assert (
        "Next line: margin call at $57,142.85, 0.08 % above our price."
        in first(treasury(loan(reference="kraken")), view).body
    )


def test_a_waiver_labels_and_never_silences():
    said = first(contract(without=("call", "movement")), "55000", at("02-07 12:00"))
    assert said.headline.endswith("(waived)")
    assert "Waived until Mon 18:00 (standstill letter)." in said.body
    assert (said.level, said.mention) == ("critical", True)


def test_only_what_is_critical_mentions_people():
    assert not first(treasury(), "63000").mention
    assert first(treasury(), "55000").mention


def test_a_message_survives_being_written_down():
    said = first(treasury(), "55000")
    assert Message.of(said.document()) == said


# -- the other families --


def test_release_transit_and_price_have_headlines_of_their_own():
    free = treasury(loan(debt="225000000", release=("0.50", "0.60", 1)))
    said = first(free, "68500", key="release:antalpha", midnight_prices={at("02-04 00:00"): fresh("68500")})
    assert (said.headline, said.level) == ("Antalpha may release 1,525.54 BTC", "notice")
    assert said.body.splitlines() == [
        "1,525.54 BTC can be asked back, down to LTV 60.00 %.",
        "LTV 46.92 % at $68,500.00; at or under 50.00 % for 1 daily mark in a row. Ask Antalpha for it.",
    ]
    slow = treasury(loan(credit_hours=HOUR), movements=(move("sent", NOW, "tx-1", usd="1500000"),))
    said = first(slow, "68500", NOW + 2 * HOUR, key="transit:tx-1")
    assert said.headline == "$1,500,000.00 sent and not credited: tx-1"
    assert said.body.startswith("Sent to Antalpha Wed 12:00, 2 h ago; it should take 1 h.")


def test_blindness_is_said_with_what_was_last_known_and_its_end_with_its_length():
    channel = Channel(treasury(), "price")
    blind = PriceView(PriceState.DISPUTED, usd("57200"), age=MINUTE, blind_polls=2, blind_since=NOW)
    assert (
        channel.see(blind).headline
        == "No bitcoin price (the sources disagree, last $57,200.00 1 min ago): LTVs are unknown"
    )
    assert channel.see("60000", NOW + 5 * MINUTE).headline == "The bitcoin price is back after 5 min: $60,000.00"
    never = PriceView(PriceState.NONE, blind_polls=2, blind_since=NOW)
    assert first(treasury(), never, key="price").headline == "No bitcoin price: LTVs are unknown"


# -- the small pieces --


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (83_400, "23 h 10 min"),
        (172_799, "47 h 59 min"),
        (172_800, "2 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_length_of_time_in_its_two_largest_units(seconds, said):
    assert span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        ("02-08 20:15", "Sun 14:15"),
        ("02-10 20:15", "Tue 14:15"),
        ("03-17 14:00", "17 Mar 09:00"),
        ("01-29 12:00", "Thu 06:00"),
        ("01-05 12:00", "5 Jan 06:00"),
    ],
)
def test_an_instant_as_people_say_it_where_they_are(instant, said):
    marked = moment(at(instant), CHICAGO, NOW)
    assert plain_text(f"due {marked}.") == f"due {said}."
    assert MOMENT.fullmatch(marked).group(1) == at(instant).isoformat().replace("+00:00", "Z")


def test_another_year_is_said():
    assert plain_text(moment(NOW.replace(year=2027), CHICAGO, NOW)) == "4 Feb 2027 06:00"


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (PriceView(PriceState.NONE), "no price yet"),
        (PriceView.scenario(5_500_000), "$55,000.00 (what if)"),
        (fresh("55000", age=timedelta(seconds=12), sources=("a", "b")), "$55,000.00 (12 s old, 2 sources)"),
        (fresh("55000", sources=("a",)), "$55,000.00 (1 source)"),
        (fresh("55000"), "$55,000.00"),
        (PriceView(PriceState.STALE, 5_500_000, age=4 * MINUTE), "$55,000.00 (4 min old, stale)"),
    ],
)
def test_a_price_says_what_it_rests_on(view, said):
    assert price_phrase(view) == said


def test_sentences_are_joined_as_people_do():
    assert [sentence(list("abc")[:n]) for n in range(4)] == ["", "a", "a or b", "a, b or c"]
    assert (price_sentence(fresh("1")), price_sentence(PriceView(PriceState.NONE))) == ("Price $1.00.", "No price yet.")


def test_every_number_in_a_body_has_its_unit():
    """Whatever stands in a cure is BTC, dollars or a percentage."""
    cure = next(part for part in first(treasury(), "55000").body.splitlines() if part.startswith("Cure"))
    for word in cure.replace("(", " ").replace(")", " ").split(" "):
        if any(letter.isdigit() for letter in word) and not word.startswith("$"):
            after = cure.split(word, 1)[1].lstrip()
            assert after.startswith(("BTC", "%", "free", "pledged BTC")), word


def test_what_goes_up_and_down_does_not_say_that_it_clears():
    channel = Channel(treasury())
    channel.see("55000")
    channel.alert = replace(channel.alert, flapping=True, ups=(NOW,) * 5)
    said = channel.see("60000", NOW + MINUTE)
    assert said.headline == "Antalpha is back under its margin-call line: LTV 71.43 %"
    assert said.body.endswith("until it has been calm for one, only what is worse is posted.")
