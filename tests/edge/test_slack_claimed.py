"""What is claimed while a call is open, and what is recorded at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.calls import open_calls
from bot.store.store import Store

from .claiming import AT, REPAID, TOP_UP, call, called, presses
from .clicking import shown
from .recording import (
    AUDIT,
    CALLED,
    book,
    recorded,
    recording,
    records,
    treasury,
)
from .test_slack_bench import TREASURY, Bench


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with called(store) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "fields", "claimed"),
    [
        ("repaid", REPAID, True),
        ("interest_paid", REPAID | {"usd": "1,000"}, True),
        ("repaid_in_kind", {"facility": "antalpha", "btc": "100", "usd": "5.6m", "at": AT, "ref": "kind 1"}, True),
        ("sent", TOP_UP, False),
        ("released", TOP_UP, False),
        ("drawn", REPAID, False),
        ("sold", REPAID | {"btc": "10", "usd": "550,000"}, False),
        ("cost", {"account": "custody", "usd": "5", "at": AT, "ref": "fee"}, False),
    ],
)
def test_what_would_ease_the_call_is_claimed_and_nothing_else(
    bot: Bench, kind: str, fields: dict[str, Any], claimed: bool
) -> None:
    records(bot, kind, **fields)
    assert (len(treasury(bot).claims), len(recorded(bot))) == ((1, 0) if claimed else (0, 1))


@pytest.mark.parametrize("ahead", [1, 2])
def test_the_minute_to_come_is_no_way_around_it(bot: Bench, ahead: int) -> None:
    """A clock may be ahead by so much: what is dated then changes nothing yet, and must be claimed all the same."""
    soon = AT + timedelta(minutes=ahead)
    said_first = records(bot, "pledged", **TOP_UP | {"at": soon})
    assert "Claimed: Antalpha has called" in said_first
    assert "missing 1,095.57 BTC or $40.67M → LTV 71.77 %" in said_first
    records(bot, "answer", call="notice 1", became="met", at=soon)
    bot.clock.set(soon)
    assert (len(treasury(bot).claims), recorded(bot), call(bot).missing) == (2, {}, 1)
    presses(bot)
    assert open_calls(book(bot)) == []


def test_what_undoes_a_release_is_claimed(bot: Bench) -> None:
    records(bot, "released", **TOP_UP | {"ref": "back", "btc": "1"})
    records(bot, "reversal", reverses="back", note="typo", at=AT, ref="undo back")
    assert ([claim.ref for claim in treasury(bot).claims], list(recorded(bot))) == (["undo back"], ["back"])
    listed = shown(bot.slack.command("/record claims", user="U2").blocks)
    assert "reverses “back”, released 1.00 BTC by antalpha: typo (“undo back”)" in listed
    assert book(bot).coins.pledged == 699_900_000_000
    presses(bot)
    assert book(bot).coins.pledged == 700_000_000_000


def test_without_an_open_call_it_is_recorded_at_once(store: Store) -> None:
    with recording(store, TREASURY[: TREASURY.index("[[call]]")]) as calm:
        calm.clock.set(AT)
        calm.checks(56_000)
        records(calm, "pledged", **TOP_UP)
        assert list(recorded(calm)) == ["top-up 1"]


def test_a_group_call_makes_claims_of_what_its_members_get(store: Store) -> None:
    group = CALLED.replace('facility = "antalpha"\ntier = "margin call"', 'group = "antalpha-all"\ntier = "group call"')
    with recording(store, group) as bot:
        bot.clock.set(AT)
        bot.checks(54_000)
        assert "Claimed: antalpha-all has called" in records(bot, "repaid", **REPAID)
        assert len(treasury(bot).claims) == 1


def test_what_was_recorded_before_its_notice_and_counts_towards_it_is_pointed_out(store: Store) -> None:
    with recording(store) as bot:
        bot.clock.set(AT)
        bot.knows("U1", channels=("C1", AUDIT))
        bot.checks(56_000)
        records(bot, "pledged", **TOP_UP)
        notice = {"exposure": "facility:antalpha", "tier": "margin call", "price": "57,100", "ref": "notice 9"}
        before = AT - timedelta(hours=1)
        pointed_out = records(bot, "notice", at=before, **notice)
    assert ":warning: “top-up 1” (pledged 474.62 BTC to antalpha) counts towards it already: see that the lender" in (
        pointed_out
    )
