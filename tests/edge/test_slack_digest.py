"""`/digest`: this week as far as it has come, or the last that ended, to who asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.store.store import Store

from .test_slack_bench import TREASURY, Bench, bench, said

MONDAY = datetime(2026, 2, 9, 15, tzinfo=UTC)
COIN = '[[movement]]\nat=2026-02-09T08:00:00Z\nkind="mined"\nbtc="1"\naccount="custody"\nref="mined <1>"\n'


@pytest.fixture
def database_kind() -> str:
    """One is enough: the queries behind it have tests of their own on both."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports()
        yield made


def at(bot: Bench, when: datetime, usd: int | None = None) -> None:
    bot.clock.set(when)
    bot.knows("U1", "U2")
    if usd is not None:
        bot.price(usd)


def test_it_answers_the_week_so_far_with_what_it_began_with_beside(bot: Bench) -> None:
    at(bot, MONDAY, 70_940)
    at(bot, MONDAY + timedelta(days=1), 70_000)
    text = said(bot, "/digest")
    first, advice = text.split("\n")[:2]
    assert first == (
        "*Week 2026-W07 so far, since <!date^1770649200^{date_short_pretty} {time}|Mon 9 Feb 09:00>: "
        "bitcoin $70,000.00, −1.33 % since then*"
    )
    assert advice.startswith("Antalpha first, called, deadline MISSED")
    assert "Free: 474.62 BTC (at its start 474.62 BTC)" in text
    assert "`/digest last` shows the last week that ended" in text
    assert not bot.slack.channel("treasury")


def test_it_answers_the_last_week_that_ended_with_the_figures_of_its_end(bot: Bench) -> None:
    at(bot, MONDAY, 70_940)
    at(bot, MONDAY + timedelta(days=1), 50_000)
    for words in ("last", "LAST", " last "):
        text = said(bot, f"/digest {words}")
        assert text.startswith(
            "*Week 2026-W06, to <!date^1770649200^{date_short_pretty} {time}|Mon 9 Feb 09:00>: bitcoin $70,9"
        )
        assert "50,000" not in text


def test_it_says_what_it_counts_that_was_recorded_after_the_week(bot: Bench) -> None:
    at(bot, MONDAY + timedelta(days=1), 70_940)
    assert "Restated" not in said(bot, "/digest last")
    bot.imports(TREASURY + COIN)
    assert "Restated" not in said(bot, "/digest")
    assert (
        "Restated: 1 record dated before this came later, and counts: movement “mined &lt;1&gt;” (recorded "
        "<!date^1770735600^{date_short_pretty} {time}|Tue 10 Feb 09:00>)."
    ) in said(bot, "/digest last")


def test_it_lists_alerts_and_silences_of_the_week(bot: Bench) -> None:
    at(bot, MONDAY - timedelta(days=2, hours=2), 61_000)
    bot.checks(61_000)
    at(bot, MONDAY)
    text = said(bot, "/digest last")
    assert "Open: Antalpha (early warning), warning, since <!date^" in text
    assert "Antalpha is at its early warning: LTV 70.35 % ≥ 68.00 % (waived)" in text


def test_a_wrong_word_gets_one_line_with_an_example(bot: Bench) -> None:
    at(bot, MONDAY)
    assert said(bot, "/digest 2026-W05") == (
        "“2026-W05” is no week to have a digest of. Try `/digest` or `/digest last`."
    )


def test_before_a_week_has_ended_there_is_none_to_show(bot: Bench) -> None:
    at(bot, datetime(2026, 2, 1, 12, tzinfo=UTC))
    assert said(bot, "/digest last").startswith(
        "No week had ended since the treasury opened; the first ends 2026-02-02T15:00:00Z"
    )
    assert "A week ago" not in said(bot, "/digest")


def test_before_an_import_it_says_so(store: Store) -> None:
    with bench(store, prefix="tr-") as empty:
        empty.knows("U1")
        assert said(empty, "/tr-digest") == "Nothing imported yet: plimsoll import FILE"
        assert "/tr-digest" in said(empty, "/tr-plimsoll")
