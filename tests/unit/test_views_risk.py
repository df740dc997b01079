"""The answer about the lines ahead at its limits: it fits, the nearest are shown, those left out are counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from digests import TREASURY
from risks import answer

from bot.domain.price import PriceView
from bot.domain.terms import Facility
from bot.domain.treasury import Treasury
from bot.slack.limits import faults
from bot.workspace.blocks import check_blocks


def of(loans: list[Facility]) -> Treasury:
    return replace(TREASURY, facilities=tuple(loans), groups=(), notices=(), movements=())


def many(count: int, lender: str = "Lender") -> list[Facility]:
    one = replace(TREASURY.facilities[0], group=None, waivers=())
    return [replace(one, id=f"lender-{n}", lender=f"{lender} {n}") for n in range(count)]


def shown(made: dict[str, Any]) -> str:
    return json.dumps(made["blocks"], ensure_ascii=False)


@pytest.mark.parametrize("count", [0, 1, 10, 40, 300])
@pytest.mark.parametrize("usd", [90_000, 48_000, 1])
def test_any_number_of_facilities_fits_and_what_is_missing_is_counted(count: int, usd: int) -> None:
    made = answer(PriceView.scenario(usd * 100), 90, of(many(count)))
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    there = sum(f"*Lender {n}*" in shown(made) for n in range(count))
    assert (f"{count - there} more are not shown, none nearer to its next line" in shown(made)) == (there < count)
    assert there or not count


def test_those_nearest_to_a_line_are_shown() -> None:
    loans = many(60)
    loans[33] = replace(loans[33], collateral=loans[33].collateral * 95 // 100)
    assert "*Lender 33*" in shown(answer(PriceView.scenario(68_500_00), 90, of(loans)))
    assert "*Lender 33*" not in shown(answer(PriceView.scenario(68_500_00), 90, of(many(60))))


def test_a_loan_of_many_lines_shows_the_first_and_counts_the_rest() -> None:
    (one,) = many(1)
    terms = one.versions[0].terms
    tiers = tuple(replace(terms.tiers[0], name=f"line {n} " + "x" * 60, line=terms.tiers[0].line) for n in range(200))
    loan = replace(one, versions=(replace(one.versions[0], terms=replace(terms, tiers=tiers)),))
    made = answer(PriceView.scenario(68_500_00), 90, of([loan]))
    assert faults(made) == []
    assert "line 7 x" in shown(made)
    assert "and 192 more" in shown(made)


def test_what_a_person_named_is_escaped() -> None:
    made = answer(PriceView.scenario(68_500_00), 90, of(many(1, "<!channel> & <@U1|x>")))
    assert "<!channel>" not in json.dumps(made)
    assert "&lt;!channel&gt; &amp; &lt;@U1|x&gt;" in json.dumps(made)
