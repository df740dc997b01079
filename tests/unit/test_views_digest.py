"""The digest's message at its limits: everything fits, what is left out is counted, and nobody's words wake anybody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from digests import ADA, CALLED, TREASURY, of_week
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alert import Silence
from bot.domain.digest_words import Part, Told, told
from bot.domain.treasury import Treasury
from bot.slack.limits import faults
from bot.slack.slash import Slash
from bot.slack.views.digest import digest as view
from bot.workspace.blocks import check_blocks


def many(count: int) -> Treasury:
    one = replace(TREASURY.facilities[0], group=None, waivers=())
    loans = tuple(replace(one, id=f"lender-{n}", lender=f"Lender {n}") for n in range(count))
    needs = tuple(replace(TREASURY.needs[0], purpose=f"purpose {n}") for n in range(count))
    return replace(TREASURY, facilities=loans, groups=(), notices=(), movements=(), needs=needs)


def shown(made: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in made["blocks"] if "text" in block)


@pytest.mark.parametrize("count", [0, 1, 20, 300])
@pytest.mark.parametrize("usd", [90_000, 50_000])
def test_any_number_of_everything_fits_and_what_is_missing_is_counted(count: int, usd: int) -> None:
    opened = tuple(replace(CALLED, opened_at=CALLED.opened_at + timedelta(seconds=n)) for n in range(count))
    treasury = many(count)
    made = view(told(of_week(usd=usd, treasury=treasury, episodes=opened)), Slash())
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    words = shown(made)
    for title, line, of in (
        ("LTV", r"^Lender \d+: LTV", count),
        ("Alerts", r"^Open", count),
        ("Next four weeks", r"needed for purpose", count),
    ):
        part = words.split(f"*{title}*\n")[1].split("\n*")[0]
        left = re.search(r"^and (\d+) more$", part, re.MULTILINE)
        there = len(re.findall(line, part, re.MULTILINE))
        assert there if count else not there
        if title == "LTV":  # the others list other things as well
            assert there + (int(left[1]) if left else 0) == of


def test_the_worst_ltv_is_first_and_so_never_left_out() -> None:
    treasury = many(300)
    worse = replace(treasury.facilities[200], collateral=treasury.facilities[200].collateral * 7 // 10)
    treasury = replace(treasury, facilities=(*treasury.facilities[:200], worse, *treasury.facilities[201:]))
    words = shown(view(told(of_week(usd=61_000, treasury=treasury))))
    assert words.split("*LTV*\n")[1].startswith("Lender 200: LTV")


def test_what_a_person_named_is_escaped_everywhere() -> None:
    evil = "<!channel> & <@U1|x>"
    loan = replace(TREASURY.facilities[0], lender=evil, group=None, waivers=())
    need = replace(TREASURY.needs[0], purpose=evil)
    treasury = replace(TREASURY, facilities=(loan,), groups=(), notices=(), needs=(need,))
    at = datetime(2026, 2, 9, 12, tzinfo=UTC)
    silence = Silence(1, frozenset({"price"}), frozenset(), evil, ADA, at, at + timedelta(days=3))
    body = json.dumps(
        view(told(of_week(treasury=treasury, episodes=(replace(CALLED, opening=evil),), silences=(silence,))))
    )
    assert "<!channel>" not in body
    assert "<@U1|x>" not in body
    assert body.count("&lt;!channel&gt; &amp; &lt;@U1|x&gt;") >= 4


words = st.text("a&<> é", min_size=1, max_size=900).filter(str.strip)


@settings(max_examples=60)
@given(words, words, st.lists(st.lists(words.map(lambda one: one * 3), max_size=30), min_size=1, max_size=6), words)
def test_slack_takes_it_whatever_it_says(headline: str, advice: str, lines: list[list[str]], note: str) -> None:
    clean = [tuple(line.replace("\x02", "") or "-" for line in own) for own in lines]
    parts = tuple(Part(f"Part {n}", own) for n, own in enumerate(clean))
    said = Told(
        headline.replace("\x02", "x")[:300], advice.replace("\x02", "x"), parts, note.replace("\x02", "x")[:300]
    )
    for slash in (None, Slash("tr-")):
        made = view(said, slash)
        assert faults(made) == []
        assert check_blocks(made["blocks"]) == []
