"""`plimsoll digest`: a week that ended, with the very figures of the other commands at its end, and `--post`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.store.engine import open_engine
from bot.store.store import Store
from edge.cli_process import NOTHING_YET, Plimsoll, price

ENDS = "2026-02-09T15:00:00Z"
BEGINS = "2026-02-02T15:00:00Z"
HOUR = timedelta(hours=1)
CHANNEL = {"DIGEST_CHANNEL": "C0123456789"}


@pytest.fixture
def recorded(imported: Plimsoll, tmp_path: Path) -> Plimsoll:
    """The contract's treasury, with a price at both ends of the week and another since."""
    price(tmp_path, "2026-02-02T14:59:00Z", 77_150_00)
    price(tmp_path, "2026-02-09T14:59:00Z", 70_940_00)
    price(tmp_path, "2026-02-11T00:00:00Z", 50_000_00)
    return imported


@pytest.fixture
def outbox(recorded: Plimsoll, tmp_path: Path) -> Iterator[Store]:
    one = Store(open_engine(f"sqlite:///{tmp_path}/var/plimsoll.db"))
    yield one
    one.close()


def waiting(store: Store) -> list[Any]:
    with store.reading() as tx:
        return tx.waiting()


def test_its_figures_are_those_of_holdings_and_ltv_at_both_ends_of_the_week(recorded: Plimsoll) -> None:
    said = recorded("digest", "--at", "2026-02-11T12:00:00Z", "--json").json
    assert said["week"] == {"name": "2026-W06", "begins": BEGINS, "ends": ENDS, "over": True}
    assert (said["as_of"], said["before"]["as_of"]) == (ENDS, BEGINS)
    ahead: list[Any] = []
    for instant, holdings, of in ((ENDS, "holdings", None), (BEGINS, "holdings_before", "before")):
        whole = recorded("holdings", "--at", instant, "--json").json
        assert said[holdings] == {key: whole[key] for key in said[holdings]}
        assert set(said[holdings]) == {"coins", "value_usd", "cash_usd", "in_transit_usd", "debt_usd", "net_usd"}
        lines = recorded("ltv", "--at", instant, "--json").json
        assert (said if of is None else said[of])["price"] == lines["price"]
        ahead = ahead or lines["facilities"][0]["tiers"]
        for kind in ("facilities", "groups"):
            shown = [one if of is None else one[of] for one in said[kind]]
            keys = ("id", "lender", "ltv_pct", "lender_ltv_pct", "level", "tier")
            assert [{key: one[key] for key in keys} for one in shown] == [
                {key: one[key] for key in keys} for one in lines[kind]
            ]
    (antalpha,) = said["facilities"]
    assert antalpha["next"] == ahead[0]
    assert (antalpha["lender_ltv_pct"], antalpha["before"]["lender_ltv_pct"]) == ("21.24", "55.57")
    assert (antalpha["change_pct"], said["price_change_pct"]) == ("-34.33", "-8.05")
    assert said["production"]["week"] == {
        "mined_btc": "0.00000000",
        "sold_btc": "3650.00000000",
        "proceeds_usd": "250000000.00",
        "average_usd": "68493.15",
    }
    assert said["production"]["week_before"] is said["production"]["month_before"] is None
    assert [(one["day"], one["kind"]) for one in said["ahead"][1:]] == [
        ("2026-03-01", "need"),
        ("2026-03-01", "amendment"),
        ("2026-03-05", "statement"),
    ]
    assert said["ahead"][0]["at"] == "2026-02-10T00:00:00Z"
    assert said["recommendation"].startswith("Antalpha first (waived until Mon 18:00), called, deadline MISSED")


def test_people_read_which_week_first_and_then_what_to_do(recorded: Plimsoll) -> None:
    shown = recorded("digest", "--at", "2026-02-16T14:59:59Z")
    lines = shown.out.splitlines()
    assert lines[0] == "Week 2026-W06, to Mon 9 Feb 09:00: bitcoin $70,940.00, −8.05 % on the week"
    assert lines[2].startswith("Antalpha first (waived until Mon 18:00), called, deadline MISSED (it was due Sun")
    assert "  Pledged: 3,350.00 BTC (a week ago 7,000.00 BTC)" in lines
    assert "  Sun 1 Mar: $38.00M needed for operations" in lines
    titles = ["Price", "Holdings", "LTV", "Mined and sold", "Alerts", "Next four weeks"]
    assert [line for line in lines[4:] if line and not line.startswith(" ")] == titles
    assert max(len(line) for line in lines) <= 120


def test_digest_at_says_when_a_week_ends(recorded: Plimsoll) -> None:
    said = recorded("digest", "--at", "2026-02-11T12:00:00Z", "--json", DIGEST_AT="fri 17:00").json
    assert said["week"]["ends"] == "2026-02-06T23:00:00Z"


def test_post_puts_a_week_into_the_outbox_once_unless_slack_refused_it(recorded: Plimsoll, outbox: Store) -> None:
    at = ("--at", "2026-02-11T12:00:00Z", "--post")
    first = recorded("digest", *at, **CHANNEL)
    assert first.code == 0
    assert first.out.splitlines()[-1] == "Week 2026-W06: a running plimsoll run posts it in C0123456789 now."
    (row,) = waiting(outbox)
    assert (row.stream, row.kind, row.channel, row.alert_id) == ("digest:2026-W06", "post", "C0123456789", None)
    assert row.message["headline"].startswith("Week 2026-W06, to ")
    assert row.message["note"].startswith("Late: it was due ")
    again = recorded("digest", *at, "--json", **CHANNEL).json
    assert again["post"] == {"channel": "C0123456789", "status": "waiting"}
    assert waiting(outbox) == [row]
    refuse(outbox, row)
    assert recorded("digest", *at, "--json", **CHANNEL).json["post"]["status"] == "queued"
    (row,) = waiting(outbox)
    with outbox.sharing() as tx:
        assert tx.claim(row.id, "w", HOUR)
        tx.delivered(row.id, "1.2", row.created_at)
    done = recorded("digest", *at, **CHANNEL)
    assert done.out.splitlines()[-1] == "Week 2026-W06 was posted already; nothing was added."
    assert waiting(outbox) == []


def refuse(store: Store, row: Any) -> None:
    """Slack will never take it."""
    with store.sharing() as tx:
        assert tx.claim(row.id, "w", HOUR)
        assert tx.failed(row.id, "w", "channel_not_found", row.created_at)


def test_what_cannot_be_posted_is_refused_in_one_line(recorded: Plimsoll, outbox: Store) -> None:
    unset = recorded("digest", "--post")
    assert (unset.code, unset.out, unset.err.count("\n")) == (2, "", 1)
    assert unset.err.startswith("DIGEST_CHANNEL is not set: --post needs the id of the channel")
    ahead = recorded("digest", "--at", "2199-02-11T12:00:00Z", "--post", **CHANNEL)
    assert (ahead.code, ahead.out) == (2, "")
    assert ahead.err == "Week 2199-W05 has not ended yet: only a week that has is posted\n"
    early = recorded("digest", "--at", "2026-02-01T00:00:00Z", "--post", **CHANNEL)
    assert (early.code, early.out) == (2, "")
    assert early.err == "No week had ended since the treasury opened; the first ends 2026-02-02T15:00:00Z\n"
    assert waiting(outbox) == []


def test_before_an_import_even_post_says_so_and_makes_no_database(plimsoll: Plimsoll, tmp_path: Path) -> None:
    done = plimsoll("digest", "--post", **CHANNEL)
    assert (done.code, done.out, done.err) == (1, "", NOTHING_YET)
    assert not (tmp_path / "var").exists()
