"""Whatever there is to show fits into one message or dialog, what is left out is counted, and names are escaped."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from alerted import reached, step
from example_books import TREASURY, book, ltv_of, many

from bot.domain.messages import message_of
from bot.slack.limits import faults
from bot.slack.record_forms import FORMS
from bot.slack.views import alerts
from bot.slack.views.holdings import holdings
from bot.slack.views.record import form
from bot.workspace.blocks import check_blocks, check_view


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("count", [1, 300])
def test_every_form_fits_whatever_there_is_to_choose_from(kind: str, count: int) -> None:
    made = form(kind, book("02-08 19:00", 68_500, treasury=many(count)), "{}")
    assert faults(made, "modal") == []
    assert check_view(made) == []


@pytest.mark.parametrize("count", [1, 5, 10, 20, 40, 80, 300])
@pytest.mark.parametrize("usd", [90_000, 50_000])
def test_any_number_of_facilities_fits_and_what_is_missing_is_counted(count: int, usd: int) -> None:
    made = ltv_of(book("02-07 12:00", usd, treasury=many(count)))
    assert faults(made) == []
    assert check_blocks(made["blocks"]) == []
    shown = "\n".join(text for text in _texts(made["blocks"]))
    there = sum(f"Lender {n}: LTV" in shown for n in range(count))
    note = made["blocks"][-2]["elements"][0]["text"] if "elements" in made["blocks"][-2] else ""
    hidden = int(note.split(" more are not shown")[0].split()[-1]) if "not shown" in note else 0
    assert there + hidden == count
    if there < count or ("Cure" not in shown and usd == 50_000):
        assert "`/ltv lender-" in note


def test_the_worst_are_shown_in_full_first() -> None:
    treasury = many(14)
    worse = replace(treasury.facilities[9], collateral=treasury.facilities[9].collateral * 7 // 10)
    treasury = replace(treasury, facilities=(*treasury.facilities[:9], worse, *treasury.facilities[10:]))
    made = ltv_of(book("02-07 12:00", 61_000, treasury=treasury))
    (full,) = [text for text in _texts(made["blocks"]) if "*Lender 9: LTV" in text]
    assert "critical, at its liquidation line" in full
    assert "Cure to" in full


def test_a_very_long_alert_says_how_much_it_left_out() -> None:
    long = replace(reached(), body="\n".join(f"paragraph {n} " + "x" * 200 for n in range(200)))
    made = alerts.alert(long)
    assert faults(made) == []
    assert "more paragraphs: ask for the LTVs" in made["blocks"][-2]["elements"][0]["text"]
    endless = replace(reached(), headline="h" * 5_000, body="y" * 20_000)
    assert faults(alerts.alert(endless)) == []
    assert faults(alerts.reply(endless)) == []


def test_what_a_person_named_is_escaped_everywhere() -> None:
    evil = replace(TREASURY.facilities[0], lender="<!channel> & <@U1|x>", group=None, waivers=())
    treasury = replace(TREASURY, facilities=(evil,), groups=(), notices=())
    now = book("02-07 12:00", 55_000, treasury=treasury)
    told = message_of(now, step(None, now))
    for made in (ltv_of(now), holdings(now), alerts.alert(replace(told, mention=False)), alerts.reply(told)):
        body = json.dumps(made)
        assert "<!channel>" not in body
        assert "<@U1" not in body
        assert "&lt;!channel&gt; &amp; &lt;@U1|x&gt;" in body


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() if isinstance(inner, (dict, list)) for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
