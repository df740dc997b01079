"""What somebody types or sends to be taken for more than it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import parse_qs, urlencode

import pytest

from bot.slack.desk import respond
from bot.store.store import Store
from bot.workspace.signing import send
from bot.workspace.values import report

from .clicking import dialog
from .test_slack_bench import SECRET, Bench, bench


@pytest.fixture
def database_kind() -> str:
    """One is enough: nothing here reaches it."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    """A bot that knows its people and has a treasury and a price."""
    with bench(store) as made:
        made.imports()
        made.price(68_500)
        made.knows("U1")
        yield made


COMMANDS = ("/ltv", "/holdings", "/sales", "/production", "/alerts", "/digest", "/plimsoll")
MARKS = (
    "\x02@U2|sam\x03",
    "\x02#C2|escalation\x03",
    "\x02^S1|officers\x03",
    "\x022026-02-07T12:00:00Z|Sat 12:00\x03",
    "\x02never|never\x03",
)


def test_marks_of_ours_that_somebody_types_are_letters(bot: Bench) -> None:
    for command, typed in product(COMMANDS, MARKS):
        answer = bot.slack.command(f"{command} x{typed}x")
        assert answer.text.startswith("“x"), (command, typed, answer.text)
        assert "<" not in answer.text, (command, typed)
        assert "<" not in str(answer.blocks), (command, typed)


def test_a_reason_with_everybody_in_it_wakes_nobody(bot: Bench) -> None:
    view = dialog(bot)
    filled = {
        "silence_checks": ["price"],
        "silence_until": "4h",
        "silence_reason": "tell @here, @Channel and @everyone",
    }
    assert bot.slack.submit_view(view.id, filled).ok
    bot.quiet()
    shown = bot.slack.ephemerals("U1")[-1]
    said = f"{shown.text} {shown.blocks}"
    assert "tell @" in said
    assert not re.search("@(here|channel|everyone)", said, re.IGNORECASE)


def test_a_persons_word_is_repeated_without_what_turns_a_line_around(bot: Bench) -> None:
    answer = bot.slack.command("/ltv \u202eatlahp\u2066la")
    assert answer.text.startswith("“atlahp la” is not a facility.")


def test_a_dialog_with_a_choice_of_another_shape_says_which_field_is_wrong(bot: Bench) -> None:
    view = dialog(bot)
    body, kind = bot.slack._payloads.submission(view, report(view.blocks, {}), "U1")
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    for odd in ({"value": {"a": 1}}, {"value": ["1h"]}, {"value": None}, 7, None):
        payload["trigger_id"] = f"odd {odd}"
        payload["view"]["state"]["values"]["silence_until"] = {"until": {"selected_option": odd}}
        answer = send(bot.url, SECRET, (urlencode({"payload": json.dumps(payload)}).encode(), kind), {})
        assert answer.json["errors"]["silence_until"] == "Choose how long, or a date and time below."


def test_a_silence_is_about_what_there_is_and_nothing_else(bot: Bench) -> None:
    view = dialog(bot)
    filled = {"silence_checks": ["covenant"], "silence_until": "4h", "silence_reason": "quiet"}
    body, kind = bot.slack._payloads.submission(view, report(view.blocks, filled), "U1")
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    chosen = [{"value": "antalpha"}, {"value": "x" * 9_000}]
    payload["view"]["state"]["values"]["silence_subjects"] = {"subjects": {"selected_options": chosen}}
    answer = send(bot.url, SECRET, (urlencode({"payload": json.dumps(payload)}).encode(), kind), {})
    assert answer.json["errors"] == {"silence_subjects": "One of these is not there any more: choose again."}


@pytest.mark.parametrize(
    "url", ["a word", "http://[::1", "http://\u0130.\u2024/", "http://127.0.0.1:x/", "file:///etc/passwd"]
)
def test_an_address_to_answer_at_that_is_none_is_logged_and_nothing_breaks(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    respond(url, {"text": "hello"})
    assert "response_not_delivered" in capsys.readouterr().out


def test_a_price_of_thousands_of_digits_is_no_price(bot: Bench) -> None:
    for price in ("9" * 5_000, "0" * 5_000, "1" + ",000" * 5_000, "0." + "1" * 5_000, "٣" * 5_000):
        answer = bot.slack.command(f"/ltv at {price}")
        assert re.match("“.{59}…” is not a price. Try", answer.text), answer.text


def test_what_is_too_long_for_an_id_or_an_address_is_none(bot: Bench) -> None:
    listed = bot.slack.command("/alerts")
    shown = bot.slack.ephemerals("U1")[-1]
    assert listed.ok
    bot.slack.clear_calls()
    pressed = bot.slack.click(shown.ts, "silence_ask", user="U1")
    bot.quiet()
    payload = json.loads(parse_qs(pressed.request[0].decode())["payload"][0])
    odd = {"response_url": "http://127.0.0.1:9/" + "a" * 9_000, "channel": {"id": "D" + "1" * 9_000}}
    for number, (name, value) in enumerate(odd.items()):
        body = {**payload, name: value, "trigger_id": f"odd {number}"}
        assert send(bot.url, SECRET, (urlencode({"payload": json.dumps(body)}).encode(), pressed.request[1]), {}).ok
        bot.quiet()
    with bot.store.reading() as tx:
        assert not [row for row in tx.audit_rows() if "failed" in row.detail]


def test_a_fall_that_leaves_nothing_is_no_price(bot: Bench) -> None:
    answer = bot.slack.command("/ltv -99.999999%")
    assert answer.text.startswith("That fall leaves less than a cent, which is no price: ask about a smaller one. Try")
    assert "LTV" in bot.slack.command("/ltv -99.99%").text
