"""`/alerts`: what is open and in whose hands, over signed HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.store.store import Store

from .clicking import SNOOZE, alerted, at_the_call_line, click, dialog, newest, posts, shown, snooze_value
from .test_slack_bench import TREASURY, Bench, bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with alerted(store) as made:
        yield made


def said(bot: Bench, line: str) -> str:
    """What the asker reads in the acknowledgement."""
    answer = bot.slack.command(line)
    assert answer.ok, (answer.error, answer.problems)
    return shown(answer.blocks)


def test_it_says_what_is_open_since_when_and_in_whose_hands(bot: Bench) -> None:
    text = said(bot, "/alerts")
    assert text.startswith("*1 alert open, not taken*\n*Open*\n• Warning · Antalpha is at its early warning: LTV 7")
    assert "· since <!date^1770465600^{date_short_pretty} {time}|Sat 06:00>" in text
    click(bot, newest(bot))
    text = said(bot, "/alerts")
    assert text.startswith("*1 alert open*\n*Acknowledged*\n• Warning · Antalpha is")
    assert "· Acknowledged by <@U1> <!date^" in text
    click(bot, newest(bot), SNOOZE, value=snooze_value(newest(bot), "1h"))
    assert "*Snoozed*\n• Warning" in said(bot, "/alerts")
    assert "· Snoozed by <@U1> until <!date^1770469200^" in said(bot, "/alerts")
    assert not [call for call in bot.slack.calls if call.method not in ("chat.update", "chat.postMessage")]


def test_it_says_when_a_call_is_due(bot: Bench) -> None:
    bot.clock.passes(3 * 3600)
    bot.knows("U1")
    bot.checks(56_000)
    text = said(bot, "/alerts")
    assert "• Critical · Antalpha has called: margin call" in text
    assert text.count("due <!date^1770560100^{date_short_pretty} {time}|Sun 08:15>") == 1


def test_it_says_what_closed_last(bot: Bench) -> None:
    bot.clock.passes(60)
    bot.checks(80_000)
    bot.clock.passes(11 * 60)
    bot.checks(80_000)
    text = said(bot, "/alerts")
    assert text.startswith("*No alert is open*\n*Closed last*\n• Antalpha is clear: LTV ")
    assert "· closed <!date^" in text


def test_it_is_empty_at_first(store: Store) -> None:
    with bench(store) as bot:
        bot.imports()
        bot.knows("U1")
        assert said(bot, "/alerts") == "*No alert is open*\n`/alerts silence` asks for silence too."


def test_before_an_import_it_says_so(store: Store) -> None:
    with bench(store) as bot:
        bot.knows("U1")
        assert said(bot, "/alerts") == "Nothing imported yet: plimsoll import FILE"
        assert said(bot, "/alerts silence") == "Nothing imported yet: plimsoll import FILE"


@pytest.mark.parametrize("words", ["all", "silences", "silence antalpha"])
def test_a_wrong_word_gets_an_example(bot: Bench, words: str) -> None:
    text = said(bot, f"/alerts {words}")
    assert text == f"“{words}” is nothing to ask alerts about. Try `/alerts` or `/alerts silence`."


def test_it_carries_the_prefix(store: Store) -> None:
    with bench(store, prefix="tr-") as bot:
        bot.imports()
        bot.knows("U1")
        bot.checks(61_000)
        assert "`/tr-alerts silence`" in said(bot, "/tr-alerts")
        dialog(bot, "/tr-alerts silence")
        assert bot.slack.command("/alerts").body == ""


def test_a_hundred_open_alerts_fit_and_what_is_left_out_is_counted(store: Store) -> None:
    head, facility = TREASURY[: TREASURY.index("[[facility]]")], TREASURY[TREASURY.index("[[facility]]") :]
    facility = facility[: facility.index("[[group]]")].replace('group = "antalpha-all"', "")
    many = [facility.replace('"antalpha"', f'"lender-{n}"').replace('"Antalpha"', f'"Lender {n}"') for n in range(100)]
    with bench(store) as bot:
        bot.imports(head + "\n".join(many))
        bot.price(50_000)
        bot.knows("U1")
        from bot.services.checking import run_checks

        run_checks(bot.store, bot.books, bot.clock, bot.channels)
        for number in range(15):
            bot.acting.silence(_silence(bot, number))
        answer = bot.slack.command("/alerts")
        assert answer.ok, answer.problems
        text = shown(answer.blocks)
        there = text.count("• Critical")
        assert there > 20
        assert f"{100 - there} more are open, none worse than these." in text
        ends = text.count("· by <@U1> until")
        assert ends >= 1
        assert f"{15 - ends} more silences, ending later." in text
        view = dialog(bot)
        assert len(view.blocks[1]["element"]["options"]) == 100


def _silence(bot: Bench, number: int) -> Any:
    from bot.domain.alert import Person, Silence

    now = bot.clock.now()
    ends = now + timedelta(hours=number + 1)
    why = "&" * 200
    return Silence(0, frozenset({"transit"}), frozenset({f"x{n}" for n in range(90)}), why, Person("U1"), now, ends)


def test_while_it_clears_the_message_says_how_it_is_now(bot: Bench) -> None:
    at_the_call_line(bot)
    bot.clock.passes(60)
    bot.checks(65_000)
    assert newest(bot).headline.startswith(
        "Antalpha is back under its margin-call line: LTV 66.02 %, clears at 65.00 %"
    )
    for usd, ltv in ((90_000, "47.68 %"), (91_000, "47.16 %")):  # 75.96 % × 56,500 / usd
        bot.clock.passes(60)
        bot.checks(usd)
        said = f"Antalpha is back under its margin-call line: LTV {ltv}, clears Sat 06:13 if it stays at or under"
        assert newest(bot).headline.startswith(said)
        assert f"Price ${usd:,}.00 (12 s old, 4 sources)." in shown(newest(bot).blocks)


def test_a_price_that_comes_and_goes_is_not_said_to_be_gone_while_it_is_there(bot: Bench) -> None:
    for _ in range(5):
        for _ in range(2):
            bot.clock.passes(200)
            bot.no_price()
            bot.checks()
        for _ in range(2):
            bot.clock.passes(60)
            bot.checks(61_000)
    said = [headline for headline in posts(bot) if "bitcoin price" in headline]
    assert said[-1] == "The bitcoin price is back, but comes and goes: $61,000.00 (12 s old, 4 sources)"
