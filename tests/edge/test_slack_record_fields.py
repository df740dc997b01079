"""The forms of `/record`: what is wrong is said under its field, what to look at twice before it is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.store.store import Store

from .clicking import dialog, shown
from .recording import AUDIT, audit_channel, errors, fills, preview, recorded, recording, records, sends
from .test_slack_bench import START, Bench
from .test_slack_record import GIVEN, MINED, NOTICE, SOLD

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
"""None of it is the database's."""


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with recording(store) as made:
        yield made


# What is wrong, under its field


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("mined", {"btc": "banana"}, {"btc": "“banana” is not an amount; write it as 1,391.61."}),
        ("mined", {"btc": "1.391,61"}, {"btc": "“1.391,61” is not an amount; write it as 1,391.61."}),
        ("mined", {"btc": "0.000000001"}, {"btc": "“0.000000001” has more than 8 decimal places."}),
        ("mined", {"btc": "0"}, {"btc": "btc is 0.00 BTC; a movement moves something."}),
        ("mined", {"btc": "-3"}, {"btc": "btc is -3.00 BTC; it must be more than 0, the kind says which way it goes."}),
        ("mined", {"btc": "22m"}, {"btc": "That is more than the 21,000,000.00 BTC there will ever be."}),
        ("mined", {"at": START + timedelta(hours=1)}, {"at": "That is ahead; record what has happened."}),
        (
            "mined",
            {"at": datetime(2026, 1, 31, tzinfo=UTC)},
            {
                "at": "2026-01-31T00:00:00Z is before the treasury opened (2026-01-31T23:59:59Z), whose opening "
                "figures have it already; leave it out or correct its at."
            },
        ),
        (
            "sold",
            SOLD | {"gross_usd": "6.2m", "fee_usd": "1"},
            {
                "usd": "gross_usd $6,200,000.00 less fee_usd $1.00 is $6,199,999.00, but usd says $6,100,000.00; usd "
                "is the net received."
            },
        ),
        (
            "cost",
            {"account": "custody", "btc": "1", "usd": "1", "at": START, "ref": "c"},
            {"usd": "cost needs exactly one of btc and usd, not both; record two movements."},
        ),
        (
            "cost",
            {"account": "custody", "at": START, "ref": "c"},
            {"btc": "cost needs exactly one of btc and usd, neither is given."},
        ),
        (
            "repaid",
            GIVEN["repaid"] | {"usd": "11m"},
            {
                "usd": "account “custody” has $10,000,000.00 at 2026-02-07T12:00:00Z, and $11,000,000.00 leaves it; at "
                "most $10,000,000.00 can."
            },
        ),
        (
            "transfer",
            {"account": "custody", "to": "custody", "btc": "1", "at": START, "ref": "t"},
            {"to": "to is “custody”, the account it leaves; name another account."},
        ),
    ],
)
def test_what_is_wrong_is_said_under_its_field(
    bot: Bench, kind: str, fields: dict[str, Any], wrong: dict[str, str]
) -> None:
    _, answer = fills(bot, kind, **(MINED if kind == "mined" else {}) | fields)
    assert errors(answer) == wrong
    assert recorded(bot) == {}


def test_a_reference_that_is_taken_is_refused(bot: Bench) -> None:
    records(bot, "mined", **MINED)
    _, answer = fills(bot, "mined", **MINED | {"btc": "13"})
    assert errors(answer) == {
        "btc": "13.00 BTC, but 12.50 BTC is recorded; a movement stays; reverse it and record it anew."
    }


@pytest.mark.parametrize(
    ("month", "wrong"),
    [
        ("banana", "“banana” is not a month; write it as 2026-01."),
        ("2026-13", "“2026-13” is not a month; write it as 2026-01."),
        ("2026-03", "2026-03 has not begun; state a month that is over."),
    ],
)
def test_a_month_that_cannot_be_stated_is_said(bot: Bench, month: str, wrong: str) -> None:
    _, answer = fills(bot, "statement", month=month, mined="1", sold="1", held="1")
    assert errors(answer) == {"month": wrong}


def test_a_statement_of_less_than_nothing_is_refused(bot: Bench) -> None:
    _, answer = fills(bot, "statement", month="2026-01", mined="-1", sold="0", held="-2")
    assert errors(answer) == dict.fromkeys(("mined", "held"), "That is negative; write 0 or more.")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"due": START - timedelta(hours=1)}, {"due": "That is before the notice; a deadline comes after it."}),
        (
            {"tier": "group call"},
            {"tier": "It had no line “group call” at 2026-02-07T12:00:00Z; choose one that it had then."},
        ),
        ({"at": START + timedelta(hours=1)}, {"at": "That is ahead; record what has happened."}),
        ({"price": "0"}, {"price": "That is nothing; write more than 0."}),
        ({"price": "-57,100"}, {"price": "That is negative; write more than 0."}),
        ({"demand_btc": "0"}, {"demand_btc": "That is nothing; write more than 0."}),
        ({"demand_usd": "-1m"}, {"demand_usd": "That is negative; write more than 0."}),
    ],
)
def test_a_notice_that_cannot_be_is_said(bot: Bench, fields: dict[str, Any], wrong: dict[str, str]) -> None:
    _, answer = fills(bot, "notice", **NOTICE | fields)
    assert errors(answer) == wrong


def test_a_call_cannot_have_been_met_before_it_was_given(bot: Bench) -> None:
    records(bot, "notice", **NOTICE)
    _, answer = fills(bot, "answer", call="notice 9", became="met", at=START - timedelta(hours=1))
    assert errors(answer) == {"at": "That is before the notice, of 2026-02-07T12:00:00Z."}


# What to look at twice


def test_something_alike_is_pointed_out(bot: Bench) -> None:
    records(bot, "mined", **MINED)
    fills(bot, "mined", **MINED | {"ref": "pool 8"})
    assert ":warning: “pool 7” of <!date^" in shown(preview(bot).blocks)
    assert shown(preview(bot).blocks).endswith("moved the same. Record this only if it happened besides.")


def test_what_comes_late_says_what_it_tells_anew(bot: Bench) -> None:
    fills(bot, "mined", **MINED | {"at": datetime(2026, 2, 1, tzinfo=UTC)})
    assert "It is dated 6 d 12 h back: what was true since then is told anew from now on." in shown(preview(bot).blocks)


def test_what_counts_in_a_month_that_is_over_says_so(bot: Bench) -> None:
    bot.clock.set(datetime(2026, 3, 2, tzinfo=UTC))
    bot.knows("U1", "U2", channels=("C1", AUDIT))
    fills(bot, "mined", **MINED)
    assert "It counts in February 2026, which is over." in shown(preview(bot).blocks)


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "January"),
        (datetime(2026, 2, 1, 0, 0, 0, tzinfo=UTC), "February"),
    ],
)
def test_a_coin_mined_around_midnight_counts_in_its_own_month(bot: Bench, at: datetime, month: str) -> None:
    assert f"{month} 2026: mined 0.00 → 12.50 BTC" in records(bot, "mined", **MINED | {"at": at})


# What people type


def test_what_people_type_wakes_nobody_and_stands_as_it_was_typed(bot: Bench) -> None:
    nasty = "<!channel> <@U2> & *x* \x02@U2|x\x03"
    records(bot, "mined", **MINED | {"ref": nasty, "note": nasty})
    (message,) = audit_channel(bot)
    assert "&lt;!channel&gt; &lt;@U2&gt; &amp; *x* @U2|x" in message
    assert "<!channel>" not in message
    assert next(iter(recorded(bot))) == "<!channel> <@U2> & *x* @U2|x"


def test_what_a_preview_brings_back_is_on_one_line_too(bot: Bench) -> None:
    fills(bot, "mined", **MINED | {"ref": "REF", "note": "NOTE"})
    view = preview(bot)
    odd = json.dumps("\x02R\nE\u202eF")[1:-1]
    view.body["private_metadata"] = view.private_metadata.replace('"REF"', f'"{odd}"')
    assert bot.slack.submit_view(view.id).json == {"response_action": "clear"}
    bot.delivers()
    assert next(iter(recorded(bot))) == "R E F"
    (message,) = audit_channel(bot)
    assert "“R E F”" in message


def test_all_texts_together_have_to_fit_into_a_dialog(bot: Bench) -> None:
    long = dict.fromkeys(("venue", "order", "purpose"), '"' * 100)
    _, answer = fills(bot, "sold", **SOLD | {"facility": "antalpha", "ref": "\\" * 100, "note": '"' * 300} | long)
    assert answer.json["response_action"] == "push"
    assert len(answer.json["view"]["private_metadata"]) < 3_000


@pytest.mark.parametrize(
    "carried", ["", "{}", "[" * 2_999, '{"carried": {"kind": "banana"}}', '{"carried": {"kind": ["mined"]}}']
)
def test_a_dialog_of_another_time_is_said_not_to_be_understood(bot: Bench, carried: str) -> None:
    view = dialog(bot, "/record mined")
    view.body["private_metadata"] = carried
    answer = sends(bot, view, **MINED)
    assert shown(answer.json["view"]["blocks"]) == "This dialog is not understood any more: open a new one."
