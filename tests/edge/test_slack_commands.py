"""Commands as a person types them: signed, over HTTP, answered in the acknowledgement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.price import PriceState, PriceView
from bot.slack.health import Health
from bot.store.store import Store

from .test_slack_bench import SOURCES, TREASURY, Bench, bench, said


@pytest.fixture
def database_kind() -> str:
    """One is enough: the queries behind commands have tests of their own on both."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1", "U2")
        made.slack.clear_calls()
        yield made


def test_it_answers_ltv_in_the_acknowledgement_without_asking_slack_anything(bot: Bench) -> None:
    answer = bot.slack.command("/ltv")
    assert answer.json["response_type"] == "ephemeral"
    assert "Antalpha: LTV 62.66 %, ok" in answer.body.encode().decode("unicode_escape", "replace") or answer.blocks
    assert "*" not in answer.text.split("\n")[0]
    assert not bot.slack.calls
    assert [m.ephemeral_to for m in bot.slack.ephemerals("U1")] == ["U1"]


def test_it_shows_ltv_level_next_line_debt_and_price_with_its_age_and_sources(bot: Bench) -> None:
    text = said(bot, "/ltv")
    assert "Antalpha: LTV" in text
    assert ", ok" in text
    assert "Debt $300.41M, 7,000.00 BTC pledged." in text
    assert "Next line: early warning at $" in text
    assert "$68,500.00 (12 s old, 4 sources) from coinbase, kraken, bitstamp, gemini" in text
    assert "Group antalpha-all: LTV" in text


@pytest.mark.parametrize(
    "words",
    [
        "at 55000",
        "at $55,000",
        "at 55k",
        "AT 55K",
        "at  $55,000.00",
        "antalpha at 55000",
        "Antalpha at 55,000 USD",
        "@ 55000",
    ],
)
def test_it_answers_what_if_bitcoin_were_at_a_price(bot: Bench, words: str) -> None:
    text = said(bot, f"/ltv {words}")
    assert "What if bitcoin were at $55,000.00: a scenario, not the market" in text
    assert "critical, at its margin-call line" in text
    assert "Cure to 65.00 %: pledge" in text
    assert "sell " in text
    assert "free BTC (474.62 free) and repay" in text


@pytest.mark.parametrize("words", ["-20%", "-20 %", "− 20%", "–20%", "antalpha -20.0%", "ANTALPHA − 20 %"])
def test_it_answers_what_if_bitcoin_fell(bot: Bench, words: str) -> None:
    text = said(bot, f"/ltv {words}")
    assert "What if bitcoin were at $54,800.00" in text
    assert "20 % below $68,500.00 of <!date^1770465588^{date_short_pretty} {time}|Sat 05:59>." in text
    assert "Asked" not in text


def test_a_fall_off_an_old_price_tells_how_old(bot: Bench) -> None:
    bot.clock.passes(3 * 3600)
    bot.knows("U1")
    text = said(bot, "/ltv -12.5%")
    assert "12.5 % below $68,500.00 of <!date^1770465588^{date_short_pretty} {time}|Sat 05:59>." in text


def test_without_a_price_now_the_last_one_is_no_heading_of_ltvs(bot: Bench) -> None:
    bot.clock.passes(12 * 60)
    answer = bot.slack.command("/ltv")
    assert answer.blocks[0]["text"]["text"] == "*No price now; last $68,500.00 (12 min old)*"
    assert "LTV at" not in json.dumps([answer.text, *answer.blocks])


def test_an_open_call_is_shown_with_its_clock_demand_and_cures(bot: Bench) -> None:
    bot.clock.passes(timedelta(hours=6).total_seconds())
    bot.knows("U1")
    bot.price(56_000)
    text = said(bot, "/ltv antalpha")
    assert "critical, called (margin call)" in text
    assert "Notice “notice 1” of <!date^1770473700^{date_short_pretty} {time}|Sat 08:15> at $57,100.00" in text
    assert "due <!date^1770560100^{date_short_pretty} {time}|Sun 08:15> (in 20 h 15 min)" in text
    assert "Demanded 1,095.57 BTC or $40.67M" in text
    assert "Cure to 65.00 %: pledge" in text


def test_it_knows_a_facility_by_id_or_lender_in_any_case(bot: Bench) -> None:
    for named in ("antalpha", "ANTALPHA", "Antalpha"):
        text = said(bot, f"/ltv {named}")
        assert "Antalpha: LTV" in text
        assert "antalpha-all" not in text
    assert "Group antalpha-all" in said(bot, "/ltv antalpha-all")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/ltv at banana", "“banana” is not a price. Try `/ltv at 55000` or `/ltv -20%`."),
        ("/ltv at", "“at” needs a price. Try `/ltv at 55000` or `/ltv -20%`."),
        ("/ltv at 0", "“0” is not a price. Try"),
        ("/ltv at 55.0001", "“55.0001” is not a price."),
        ("/ltv at 5,5", "“5,5” is not a price."),
        ("/ltv at -5", "“-5” is not a price."),
        ("/ltv at 99999999999999", "is not a price."),
        ("/ltv 20%", "“20%” is not a fall: it begins with a minus."),
        ("/ltv +20%", "“+20%” is not a fall"),
        ("/ltv -20", "“-20” lacks its %."),
        ("/ltv -100%", "“-100%” is not a fall between 0 and 100 %."),
        ("/ltv -abc%", "“-abc%” is not a fall between 0 and 100 %."),
        ("/ltv -20% at 55000", "Ask about a price or a fall, not both."),
        ("/ltv coinbank", "“coinbank” is not a facility. There is antalpha, antalpha-all (group)."),
        ("/ltv 55000", "“55000” is not a facility."),
        ("/holdings please", "“please” is nothing to ask holdings about: it takes no words. Try `/holdings`."),
        ("/plimsoll banana", "“banana” is nothing to ask plimsoll about: it takes “risk”, or no word. Try `/plimsoll`"),
        ("/plimsoll risk at banana", "“banana” is not a price. Try `/plimsoll`"),
        ("/plimsoll risk coinbank", "“coinbank” is not a facility. There is antalpha, antalpha-all (group)."),
    ],
)
def test_a_wrong_word_gets_one_line_with_an_example(bot: Bench, line: str, answer: str) -> None:
    text = said(bot, line)
    assert answer in text
    assert "Try `/" in text
    assert "\n" not in text


def test_a_persons_words_wake_nobody_and_link_nowhere(bot: Bench) -> None:
    answer = bot.slack.command("/ltv <!channel> @here <https://x.example|y> *b* `c`")
    assert "<!channel>" not in answer.body
    assert "<https" not in answer.body
    assert "@here" not in answer.text
    assert answer.blocks[0]["text"]["verbatim"] is True


def test_a_very_long_question_is_answered_briefly(bot: Bench) -> None:
    assert len(said(bot, f"/ltv {'x' * 5000}")) < 300


def test_it_answers_holdings(bot: Bench) -> None:
    text = said(bot, "/holdings")
    assert "*7,474.62 BTC, worth $512.01M*" in text
    assert "Free: 474.62 BTC (custody 474.62)" in text
    assert "Pledged: 7,000.00 BTC (Antalpha 7,000.00)" in text
    assert "Cash: $10.00M (custody $10.00M)" in text
    assert "Debt: $300.41M (Antalpha $300.41M)" in text
    assert "Net: $221.60M" in text
    assert "Week:" not in text  # it opened less than a week ago


def test_holdings_say_what_a_week_and_a_month_changed(bot: Bench) -> None:
    bot.clock.passes(timedelta(days=29).total_seconds())
    bot.knows("U1")
    text = said(bot, "/holdings")
    assert "Week: coins unchanged (free unchanged), cash unchanged, debt +$" in text
    assert "Month: coins −3,650.00 BTC (free unchanged), cash unchanged, debt −$249." in text
    assert "value unknown: $68,500.00 (29 d old, 4 sources, stale)" in text
    assert "Net: unknown without a price" in text


def test_without_a_price_the_ltv_is_unknown_never_fine(store: Store) -> None:
    with bench(store) as bot:
        bot.imports()
        bot.knows("U1")
        text = said(bot, "/ltv")
        assert "*Antalpha: LTV unknown*\n" in text
        assert "No price yet: LTVs are unknown." in text
        assert ", ok" not in text
        bot.price(68_500, age=600)
        assert "That is no price to judge by: LTVs are unknown." in said(bot, "/ltv")


def test_before_any_import_it_says_how_to_import(store: Store) -> None:
    with bench(store) as bot:
        bot.knows("U1")
        for line in ("/ltv", "/holdings", "/ltv at 55000"):
            assert said(bot, line) == "Nothing imported yet: plimsoll import FILE"


def test_help_and_health(bot: Bench) -> None:
    view = PriceView(PriceState.FRESH, 6_850_000, age=timedelta(seconds=12), sources=SOURCES)
    now = bot.clock.now()
    bot.health = lambda: Health(now, view, SOURCES, last_check=now - timedelta(seconds=20))
    text = said(bot, "/plimsoll")
    assert "`/ltv at 55000`" in text
    assert "*All is well*" in text
    assert "Price: fresh, $68,500.00 (12 s old, 4 sources); asked: coinbase, kraken, bitstamp, gemini" in text
    assert "Last check: 20 s ago" in text
    assert "Messages not delivered yet: 0" in text
    assert "Database: ok" in text
    bot.health = lambda: Health(
        now,
        view,
        SOURCES,
        last_check=now - timedelta(minutes=30),
        undelivered=3,
        undelivered_since=now - timedelta(minutes=5),
        failed=2,
        failures=("channel_not_found", "channel_not_found"),
        database="locked",
        socket_silent_for=timedelta(seconds=70),
    )
    text = said(bot, "/plimsoll health")
    assert "Not well: the database; checks do not run; messages are not delivered; messages were given up" in text
    assert "Messages not delivered yet: 3, the oldest for 5 min" in text
    assert "Messages given up in the last day: 2 (channel_not_found)" in text
    assert "Socket Mode: last heard 1 min ago" in text


def test_commands_and_examples_carry_the_prefix(store: Store) -> None:
    with bench(store, prefix="tr-") as bot:
        bot.imports()
        bot.price(68_500)
        bot.knows("U1")
        assert "Antalpha: LTV" in said(bot, "/tr-ltv")
        assert "Try `/tr-ltv at 55000`" in said(bot, "/tr-ltv at banana")
        assert bot.slack.command("/ltv").body == ""


def test_thirty_facilities_in_trouble_fit_one_answer_and_nothing_is_cut_silently(store: Store) -> None:
    head, facility = TREASURY[: TREASURY.index("[[facility]]")], TREASURY[TREASURY.index("[[facility]]") :]
    facility = facility[: facility.index("[[group]]")].replace('group = "antalpha-all"', "")
    many = [facility.replace('"antalpha"', f'"lender-{n}"').replace('"Antalpha"', f'"Lender {n}"') for n in range(30)]
    with bench(store) as bot:
        bot.imports(head + "\n".join(many))
        bot.price(50_000)
        bot.knows("U1")
        shown = said(bot, "/ltv")
        assert all(f"Lender {n}: LTV" in shown for n in range(30))
        assert "of 30 in one line each. All about one: `/ltv lender-" in shown
        assert said(bot, "/ltv lender-29").count("Cure to") == 1
