"""The one door that every payload passes: each limit, at it and over it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.words import plain_text
from bot.slack.limits import LimitError, faults, outgoing
from bot.slack.text import cut, escape, packed, quoted, rich

Json = dict[str, Any]


def text(words: str, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": words}


def section(words: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": text(words), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def button(action_id: str = "a", words: str = "Go", value: str = "v") -> Json:
    return {"type": "button", "action_id": action_id, "text": text(words, "plain_text"), "value": value}


def table(rows: int = 1, cells: int = 1, words: str = "x") -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": words}] * cells] * rows}


def select(options: int) -> Json:
    option = {"text": text("x", "plain_text"), "value": "x"}
    return {"type": "static_select", "action_id": "s", "options": [option] * options}


def message(*blocks: Json, words: str = "words") -> Json:
    return {"text": words, "blocks": list(blocks)}


SOUND = {
    "text alone": {"text": "x" * 40_000},
    "50 blocks": message(*[section()] * 50),
    "a section of 3,000": message(section("x" * 3_000)),
    "a button": message(actions(button("a", "x" * 75, "x" * 2_000))),
    "the same action in two blocks": message(actions(button()), actions(button())),
    "a table": message(table(100, 20)),
    "100 options": message(actions(select(100))),
}
WRONG = {
    "no text": ({"text": " ", "blocks": [section()]}, "text is missing"),
    "text over 40,000": ({"text": "x" * 40_001}, "text has 40001 characters"),
    "no blocks": (message(), "no blocks"),
    "51 blocks": (message(*[section()] * 51), "51 blocks, at most 50"),
    "a section of 3,001": (message(section("x" * 3_001)), "text has 3001 characters"),
    "an empty section": (message({"type": "section"}), "has neither text nor fields"),
    "11 fields": (message({"type": "section", "fields": [text("x")] * 11}), "11 fields"),
    "a field of 2,001": (message({"type": "section", "fields": [text("x" * 2_001)]}), "field has 2001"),
    "a header of 151": (message({"type": "header", "text": text("x" * 151, "plain_text")}), "text has 151"),
    "11 elements in a context": (message({"type": "context", "elements": [text("x")] * 11}), "11 elements"),
    "empty actions": (message(actions()), "0 elements"),
    "26 actions": (message(actions(*[button(str(n)) for n in range(26)])), "26 elements"),
    "a button's text of 76": (message(actions(button("a", "x" * 76))), "button text has 76"),
    "a button's value of 2,001": (message(actions(button("a", "x", "x" * 2_001))), "button value has 2001"),
    "an id of 256": (message(section(block_id="x" * 256)), "block_id has 256"),
    "a block id twice": (message(section(block_id="b"), section(block_id="b")), "block_id “b” is used twice"),
    "an action id twice": (message(actions(button(), button())), "action_id “a” is used twice"),
    "two tables": (message(table(), table()), "two tables"),
    "an empty cell": (message(table(words=" ")), "an empty cell"),
    "101 rows": (message(table(101)), "101 rows"),
    "21 cells": (message(table(1, 21)), "21 cells"),
    "101 options": (message(actions(select(101))), "101 options"),
    "all text over 9,000": (message(*[section("x" * 2_500)] * 4), "all blocks together have 10000"),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_slack_takes_passes_unchanged(name: str) -> None:
    assert outgoing(SOUND[name], strict=True) is SOUND[name]


@pytest.mark.parametrize("name", WRONG)
def test_what_slack_refuses_is_found(name: str) -> None:
    payload, fault = WRONG[name]
    assert any(fault in found for found in faults(payload)), faults(payload)
    with pytest.raises(LimitError, match=r"characters|allowed|missing|blocks|twice|tables|cell|neither|options"):
        outgoing(payload, strict=True)


@pytest.mark.parametrize("name", WRONG)
def test_in_production_the_words_go_out_all_the_same(name: str) -> None:
    sent = outgoing({**WRONG[name][0], "response_type": "ephemeral"}, strict=False)
    assert faults(sent) == []
    assert "blocks" not in sent
    assert sent["response_type"] == "ephemeral"


def test_modals_have_limits_of_their_own() -> None:
    modal = {"type": "modal", "title": text("Record", "plain_text"), "blocks": [section()] * 100}
    assert faults(modal, "modal") == []
    assert faults({**modal, "title": text("x" * 25, "plain_text")}, "modal") == ["title has 25 characters, at most 24"]
    assert faults({**modal, "private_metadata": "x" * 3_001}, "modal")
    assert faults({**modal, "blocks": [section()] * 101}, "modal")
    assert faults({**modal, "blocks": [{"type": "input"}]}, "modal") == ["a modal with inputs needs submit"]
    assert faults({"type": "home", "blocks": [table()]}, "home") == ["a table in the App Home"]
    with pytest.raises(LimitError):
        outgoing({**modal, "blocks": []}, strict=False, surface="modal")


def test_a_mark_in_what_stands_beside_a_moment_is_none() -> None:
    odd = "“\x02nasty”, \x022026-02-07T12:00:00Z|Sat 06:00\x03, \x02never|said\x03"
    assert "<!date^1770465600^{date_short_pretty} {time}|Sat 06:00>" in rich(odd)
    assert "nasty”, \x02never|said" in plain_text(odd).replace("Sat 06:00, ", "")


def test_text_is_cut_between_words_and_never_inside_a_moment() -> None:
    moment = "\x022026-02-07T14:15:00Z|Sat 08:15\x03"
    said = " ".join(["word", moment] * 400)
    pieces = packed(said, 500)
    assert all(len(piece) <= 500 for piece in pieces)
    assert "".join(pieces).count("<!date^1770473700^{date_short_pretty} {time}|Sat 08:15>") == 400
    assert "\n".join(pieces).split() == rich(said).split()


def test_even_one_endless_word_is_cut_to_fit() -> None:
    pieces = packed("&" * 10_000, 3_000)
    assert all(len(piece) <= 3_000 for piece in pieces)
    assert "".join(pieces).replace("\n", "") == "&amp;" * 10_000


def test_a_quoted_word_is_short_and_on_one_line() -> None:
    assert quoted("a\nb `c` @here") == "“a b 'c' @\u2060here”"
    assert len(quoted("x" * 500)) < 70


def test_a_text_is_not_cut_within_what_stands_for_one_character() -> None:
    text = escape("a<b & c>d " * 3)
    for longest in range(10, len(text) + 2):
        said = cut(text, longest)
        assert len(said) <= longest
        assert text.startswith(said.removesuffix("…"))
        assert "<" not in said.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
        assert "&" not in said.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
