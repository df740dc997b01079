"""`/record`: from the list of kinds over its form and the preview to the register, the audit channel and the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.money import SATS_PER_BTC
from bot.domain.roles import Role
from bot.domain.treasury import Movement, MovementKind
from bot.slack.record_forms import FORMS, MOVEMENTS
from bot.store.engine import DatabaseUnavailableError
from bot.store.store import Store

from .clicking import dialog, shown, told
from .recording import (
    AUDIT,
    CALM,
    ROLES,
    audit_channel,
    book,
    entries,
    errors,
    fills,
    preview,
    recorded,
    recording,
    records,
    sends,
    treasury,
)
from .test_slack_bench import START, Bench, bench, said

MINED: dict[str, Any] = {"account": "custody", "btc": "12.5", "at": START, "ref": "pool 7"}
SOLD: dict[str, Any] = {"account": "custody", "btc": "100", "usd": "6.1m", "at": START, "ref": "fill 1"}


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with recording(store) as made:
        yield made


# The way through


def test_it_leads_from_the_list_over_the_form_to_the_preview_and_records(bot: Bench) -> None:
    view = dialog(bot, "/record")
    assert (view.callback_id, view.title) == ("record_kind", "Record")
    offered = view.blocks[0]["element"]["options"]
    kinds = [kind for kind, asked in FORMS.items() if asked.needs <= Role.OPERATOR]
    assert [one["value"] for one in offered] == kinds
    assert bot.slack.submit_view(view.id, {"record_kind": "mined"}).json["response_action"] == "update"
    assert (view.callback_id, view.title) == ("record_form", "Coins mined")
    assert sends(bot, view, site="Villarrica", region="Paraguay", **MINED).json["response_action"] == "push"
    check = preview(bot)
    assert (check.title, recorded(bot)) == ("Check, then record", {})
    assert shown(check.blocks).startswith("*Mined 12.50 BTC into custody (“pool 7”), <!date^")
    assert shown(check.blocks).endswith(
        "\nFree coins: 474.62 → 487.12 BTC\nAll coins: 7,474.62 → 7,487.12 BTC\nFebruary 2026: mined 0.00 → 12.50 BTC"
    )
    assert bot.slack.submit_view(check.id).json == {"response_action": "clear"}
    bot.delivers()
    assert recorded(bot)["pool 7"] == Movement(
        START,
        MovementKind.MINED,
        "pool 7",
        account="custody",
        btc=1_250_000_000,
        site="Villarrica",
        region="Paraguay",
    )
    assert told(bot)[-1].startswith("Recorded: mined 12.50 BTC into custody")
    assert audit_channel(bot)[-1].startswith("*Recorded by Ada Byron: mined 12.50 BTC into custody")
    assert entries(bot)[-1] == ("U1", "recorded", "pool 7")


def test_the_form_of_a_kind_opens_at_once_where_it_is_named(bot: Bench) -> None:
    assert dialog(bot, "/record sold").title == "Coins sold"
    assert dialog(bot, "/record interest paid").title == "Interest paid"


def test_what_is_no_kind_is_said_with_those_there_are(bot: Bench) -> None:
    assert said(bot, "/record banana").startswith("“banana” is nothing to record; it is one of mined, sold, pledged,")
    assert said(bot, "/record banana").endswith("Try `/record` or `/record sold` or `/record claims`.")


def test_it_takes_an_operator(bot: Bench) -> None:
    assert said(bot, "/record", user="U4").startswith("This takes an operator, and you are a viewer. Ask <@U1>")
    view = dialog(bot, "/record mined")
    answer = bot.slack.submit_view(view.id, {f"record_{k}": v for k, v in _slack(MINED).items()}, user="U4")
    assert "This takes an operator" in shown(answer.json["view"]["blocks"])
    assert recorded(bot) == {}


def test_back_from_the_preview_the_form_is_as_it_was_filled_in(bot: Bench) -> None:
    view, _ = fills(bot, "mined", **MINED)
    bot.slack.close_view(preview(bot).id)
    sends(bot, view, **MINED | {"btc": "13"})
    assert shown(preview(bot).blocks).startswith("*Mined 13.00 BTC")


def test_a_retry_or_a_second_click_records_once(bot: Bench) -> None:
    fills(bot, "mined", **MINED)
    check = preview(bot)
    bot.slack.submit_view(check.id)
    bot.slack.submit_view(check.id, retry_num=1)
    bot.slack.submit_view(check.id, force=True)
    bot.delivers()
    assert (list(recorded(bot)), len(audit_channel(bot))) == (["pool 7"], 1)
    assert [what for _, what, _ in entries(bot)].count("recorded") == 1


def test_what_is_recorded_already_says_so_before_anything_is_sent(bot: Bench) -> None:
    records(bot, "mined", **MINED)
    fills(bot, "mined", **MINED)
    view = preview(bot)
    assert ("submit" in view.body, view.title) == (False, "Not recorded")
    assert shown(view.blocks).endswith("it is recorded already, just so. Nothing would change.")


def test_what_changed_since_the_preview_is_refused_in_its_place(bot: Bench) -> None:
    fills(bot, "sold", **SOLD | {"btc": "474.62"})
    check = preview(bot)
    records(bot, "sold", user="U2", **SOLD | {"ref": "fill 2"})
    answer = bot.slack.submit_view(check.id)
    assert answer.json["response_action"] == "update"
    assert "574.62 BTC leaves it; at most 474.62 BTC can" in shown(answer.json["view"]["blocks"])
    assert list(recorded(bot)) == ["fill 2"]


# Every kind

GIVEN: dict[str, dict[str, Any]] = {
    "mined": MINED | {"site": "Villarrica", "region": "Paraguay", "note": "block reward"},
    "sold": SOLD
    | {"facility": "antalpha", "gross_usd": "6,101,000", "fee_usd": "1,000", "fee_btc": "0.01", "venue": "OTC"}
    | {"order": "7", "purpose": "cover", "note": "desk"},
    "pledged": {"facility": "antalpha", "account": "custody", "btc": "1.5", "of": "out", "at": START, "ref": "in"},
    "released": {"facility": "antalpha", "account": "custody", "btc": "1", "at": START, "ref": "back"},
    "sent": {"facility": "antalpha", "account": "custody", "btc": "2", "at": START, "ref": "out 2"},
    "drawn": {"facility": "antalpha", "account": "custody", "usd": "1m", "at": START, "ref": "draw"},
    "repaid": {"facility": "antalpha", "account": "custody", "usd": "1m", "at": START, "ref": "repay"},
    "repaid_in_kind": {"facility": "antalpha", "btc": "1", "usd": "61,000", "at": START, "ref": "kind"},
    "interest_paid": {"facility": "antalpha", "account": "custody", "usd": "100.25", "at": START, "ref": "interest"},
    "cost": {"account": "custody", "btc": "0.5", "at": START, "ref": "power"},
    "transfer": {"account": "custody", "to": "cold", "usd": "5", "at": START, "ref": "moved"},
    "adjustment": {"account": "custody", "btc": "-0.00000001", "reason": "dust", "at": START, "ref": "dust"},
    "reversal": {"reverses": "out", "note": "never left", "at": START, "ref": "undo"},
}
TWO_ACCOUNTS = '\n[[account]]\nid = "cold"\n'
OUT = """
[[movement]]
at = 2026-02-07T11:00:00Z
kind = "sent"
facility = "antalpha"
account = "custody"
btc = "2"
ref = "out"
"""


@pytest.mark.parametrize("kind", list(MOVEMENTS))
def test_every_kind_is_recorded_with_all_that_was_filled_in(store: Store, kind: str) -> None:

    with recording(store, CALM + TWO_ACCOUNTS + OUT) as bot:
        given = GIVEN[kind]
        records(bot, kind, **given)
        made = recorded(bot)[given["ref"]]
    assert made.kind == kind
    for name, value in given.items():
        assert getattr(made, name) == EXACT.get(str(value), value), name
    filled = {name for name in Movement.__slots__ if getattr(made, name) is not None}
    assert filled == {*given, "kind"}


EXACT = {
    "12.5": 1_250_000_000,
    "100": 10_000_000_000,
    "6.1m": 610_000_000,
    "6,101,000": 610_100_000,
    "1,000": 100_000,
    "0.01": 1_000_000,
    "1.5": 150_000_000,
    "1": SATS_PER_BTC,
    "2": 2 * SATS_PER_BTC,
    "1m": 100_000_000,
    "61,000": 6_100_000,
    "100.25": 10_025,
    "0.5": 50_000_000,
    "5": 500,
    "-0.00000001": -1,
}
"""What the amounts above are, in satoshis and cents, by hand."""


# Undoing


def test_a_reversal_undoes_all_of_a_movement_with_its_reason(bot: Bench) -> None:
    records(bot, "mined", **MINED)
    view = dialog(bot, "/record reversal")
    (offered,) = view.blocks[0]["element"]["options"]
    assert offered["text"]["text"] == "Sat 7 Feb 06:00: mined 12.50 BTC into custody (“pool 7”)"
    bot.clock.passes(3600)
    bot.knows("U1", channels=("C1", AUDIT))
    said_first = records(bot, "reversal", reverses="pool 7", note="typo", at=bot.clock.now(), ref="undo")
    assert "Free coins: 487.12 → 474.62 BTC" in said_first
    assert "February 2026: mined 12.50 → 0.00 BTC" in said_first
    assert (list(recorded(bot)), book(bot).coins.free) == (["pool 7", "undo"], 47_462_000_000)
    assert "no movement is recorded that is not undone" in said(bot, "/record reversal")


def test_a_reversal_needs_its_reason(bot: Bench) -> None:
    records(bot, "mined", **MINED)
    view = dialog(bot, "/record reversal")
    answer = bot.slack.submit_view(
        view.id, {"record_reverses": "pool 7", "record_at": int(START.timestamp()), "record_ref": "u"}, force=True
    )
    assert errors(answer) == {"note": "Fill this in."}


# Statements and notices


def test_a_statement_is_recorded_and_its_gap_shown(bot: Bench) -> None:
    view = dialog(bot, "/record statement")
    assert view.blocks[0]["element"]["initial_value"] == "2026-01"
    said_first = records(bot, "statement", month="2026-02", mined="0", sold="0", held="7,474.60")
    assert said_first.endswith("\nFebruary 2026: gap unknown → -0.02 BTC")
    assert treasury(bot).statements[-1].held == 747_460_000_000
    assert entries(bot)[-1] == ("U1", "recorded", "statement 2026-02")


def test_a_statement_stated_anew_supersedes_and_says_so(bot: Bench) -> None:
    records(bot, "statement", month="2026-02", mined="0", sold="0", held="7,474.60")
    assert "gap -0.02 → 0.00 BTC" in records(bot, "statement", month="2026-02", mined="0", sold="0", held="7474.62")
    opening = records(bot, "statement", month="2026-01", mined="496.35", sold="550.03", held="7474.62")
    assert opening == "*Statement of January 2026: mined 496.35, sold 550.03, held 7,474.62 BTC*"
    assert len([one for one in treasury(bot).statements if one.month == "2026-02"]) == 2


NOTICE: dict[str, Any] = {
    "exposure": "facility:antalpha",
    "tier": "margin call",
    "price": "57,100",
    "at": START,
    "ref": "notice 9",
}


def test_a_lenders_notice_starts_its_clock_and_the_alert_says_so(bot: Bench) -> None:
    said_first = records(bot, "notice", **NOTICE)
    assert said_first.startswith("*Notice “notice 9”: antalpha called at “margin call”, <!date^")
    assert "call “notice 9” missing" in said_first
    (made,) = treasury(bot).notices
    assert (made.facility, made.tier, made.price, made.at, made.due) == (
        "antalpha",
        "margin call",
        5_710_000,
        START,
        None,
    )
    assert any(one.headline.startswith("Antalpha has called: margin call due") for one in bot.slack.channel("C1"))


def test_a_notice_may_state_its_demand_and_deadline(bot: Bench) -> None:
    due = START + timedelta(hours=6)
    records(bot, "notice", **NOTICE, demand_btc="1,000", due=due)
    (made,) = treasury(bot).notices
    assert (made.demand_btc, made.demand_usd, made.due) == (100_000_000_000, None, due)


def test_without_an_audit_channel_it_is_recorded_all_the_same(store: Store) -> None:

    with bench(store, roles=ROLES) as bot:
        bot.imports(CALM)
        bot.knows("U1")
        records(bot, "mined", **MINED)
        assert list(recorded(bot)) == ["pool 7"]


# When it does not go as it should


def test_a_busy_database_and_a_bug_lose_nothing_that_was_filled_in(bot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise DatabaseUnavailableError("locked")

    def broken(*_: object) -> None:
        raise RuntimeError("nobody should read this")

    view = dialog(bot, "/record mined")
    for failing, words in ((busy, "the database is busy"), (broken, "reference ")):
        with monkeypatch.context() as patched:
            patched.setattr(bot.records, "preview", failing)
            sends(bot, view, **MINED)
        over = preview(bot)
        assert words in shown(over.blocks)
        assert "nobody" not in shown(over.blocks)
        bot.slack.close_view(over.id)
        assert (view.status, view.callback_id) == ("open", "record_form")
    sends(bot, view, **MINED)
    for failing, words in ((busy, "the database is busy"), (broken, "reference ")):
        check = preview(bot)
        with monkeypatch.context() as patched:
            patched.setattr(bot.records, "record", failing)
            answer = bot.slack.submit_view(check.id)
        assert words in shown(answer.json["view"]["blocks"])
        bot.slack.close_view(check.id)
        sends(bot, view, **MINED)
    assert recorded(bot) == {}
    bot.slack.submit_view(preview(bot).id)
    assert list(recorded(bot)) == ["pool 7"]


def test_whoever_must_be_looked_up_first_is_asked_to_ask_again(bot: Bench) -> None:
    view = dialog(bot, "/record mined")
    bot.clock.passes(2 * 3600)
    sends(bot, view, **MINED)
    bot.quiet()
    assert told(bot)[-1] == (
        "Record: nothing was changed. Plimsoll had to look you up in Slack first; ask for the dialog again."
    )


def test_whoever_must_be_looked_up_before_the_last_step_has_it_recorded_then(bot: Bench) -> None:
    fills(bot, "mined", **MINED)
    bot.clock.passes(2 * 3600)
    bot.slack.submit_view(preview(bot).id)
    bot.delivers()
    assert told(bot)[-1].startswith("Recorded: mined 12.50 BTC")
    assert list(recorded(bot)) == ["pool 7"]


def test_in_a_channel_that_became_shared_nothing_is_recorded(bot: Bench) -> None:
    fills(bot, "mined", **MINED)
    bot.slack.add_channel("C1", name="treasury", is_ext_shared=True)
    bot.access.channel_changed("C1")
    answer = bot.slack.submit_view(preview(bot).id)
    assert "This channel is shared with another organisation" in shown(answer.json["view"]["blocks"])
    assert recorded(bot) == {}


def _slack(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: int(value.timestamp()) if isinstance(value, datetime) else value for name, value in fields.items()}
