"""The answer of recommended sales at its limits: it fits, what is left out is counted, and names are escaped."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from digests import TREASURY
from sold import NOW, answer, many, raised

from bot.domain.book import Book, Register
from bot.domain.price import PriceView
from bot.domain.sales import Scenario, plan_cover
from bot.domain.sales_words import MOST_NAMED, recommendation, steps
from bot.domain.treasury import Need
from bot.domain.words import plain_text
from bot.slack.limits import faults
from bot.slack.slash import Slash
from bot.slack.text import clipped, rich
from bot.slack.views.parts import section
from bot.slack.views.sales import plan_now, sales
from bot.workspace.blocks import check_blocks


def shown(made: dict[str, Any]) -> str:
    return json.dumps(made["blocks"], ensure_ascii=False)


@pytest.mark.parametrize("lender", ["Lender", "A lender & others with a long name, " * 6])
@pytest.mark.parametrize("count", [1, 4, 30])
@pytest.mark.parametrize("usd", [55_000, 20_000])
def test_any_number_of_loans_fits(count: int, usd: int, lender: str) -> None:
    made = answer(usd * 100, many(count, lender))
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    assert "*Do nothing*: " in shown(made)


def test_steps_that_are_not_shown_are_counted() -> None:
    treasury = many(30)
    book = Book(Register.of(treasury), NOW, PriceView.scenario(56_000_00))
    plan = plan_cover(book, Scenario(56_000_00)).recommended
    assert plan is not None
    made = shown(answer(56_000_00, treasury))
    told = [n for n in range(1, 100) if re.search(rf"(\"|\\n){n}\. ", made)]
    assert f"and {len(steps(book, plan)) - len(told)} more: plimsoll sales" in made
    assert 5 < len(told) <= 12


def test_a_sentence_names_a_few_lenders_and_counts_the_rest() -> None:
    book = Book(Register.of(many(9)), NOW, PriceView.scenario(56_000_00))
    said = plain_text(recommendation(book, plan_cover(book, Scenario(56_000_00))))
    assert said.count("LTV ") == MOST_NAMED
    assert said.endswith("; and 6 more.")


def test_there_is_room_for_what_can_be_done_about_it() -> None:
    """Six blocks with 1,000 characters under the longest answer."""
    treasury = many(30, "A lender & others with a long name, " * 6)
    book = Book(Register.of(treasury), NOW, PriceView.scenario(20_000_00))
    blocks = [section("x" * 166)] * 6
    made = sales(book, plan_cover(book, Scenario(20_000_00)), Slash(), blocks)
    assert faults(made) == []
    assert shown(made).index("x" * 166) < shown(made).index("*Do nothing*")


def test_a_plan_under_an_alert_fits_too() -> None:
    treasury = many(30, "A lender & others with a long name, " * 6)
    book = Book(Register.of(treasury), NOW, PriceView.scenario(55_000_00))
    blocks = plan_now(book, "covenant:lender-0", Slash())
    assert sum(len(block._resolve()["text"]["text"]) for block in blocks) < 1_500


def test_a_long_schedule_fits_and_what_is_left_out_is_counted() -> None:
    needs = tuple(Need(date(2026, 2 + n // 28, 1 + n % 28), 10**8 + n, f"purpose {n} " * 9) for n in range(6, 56))
    treasury = replace(TREASURY, needs=needs)
    made = raised("4000000", date(2026, 3, 20), treasury)
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    assert "plimsoll sales --raise 4000000 --by 2026-03-20" in shown(made)


def test_what_a_person_named_is_escaped() -> None:
    made = answer(55_000_00, many(2, "<!channel> & <@U1|x>"))
    assert "<!channel>" not in json.dumps(made)
    assert "&lt;!channel&gt; &amp; &lt;@U1|x&gt;" in json.dumps(made)
    needs = (Need(date(2026, 2, 20), 100, "<!here> racks"),)
    assert "<!here>" not in json.dumps(raised("4000000", date(2026, 3, 20), replace(TREASURY, needs=needs)))


def test_a_text_is_clipped_between_words_and_never_inside_a_moment() -> None:
    said = " ".join(["word", "\x022026-02-07T14:15:00Z|Sat 08:15\x03"] * 50)
    for longest in range(20, 400):
        cut = clipped(said, longest)
        assert len(rich(cut)) <= longest
        assert longest < 200 or len(rich(cut)) > longest - 80
        assert cut.count("\x02") == cut.count("\x03")
