"""What is agreed by `/record`: waivers and price indices, the trail that each leaves, and that it takes an approver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.domain.roles import Role
from bot.domain.terms import PriceIndex, Waiver
from bot.slack.record_forms import AGREED, FORMS
from bot.store.store import Store

from .agreeing import JUNE, PLAIN, amends, approves, clicks_twice, fills, ltv_at, opens, types
from .clicking import dialog, newest, posts, shown, told
from .recording import AUDIT, audit_channel, entries, preview, recording, sends, treasury
from .test_slack_bench import START, Bench, said

REFUSED = "This takes an approver, and you are an operator. Ask <@U3>"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with recording(store, PLAIN) as made:
        yield made


# Waivers


def test_a_waiver_relabels_the_alert_and_silences_none(bot: Bench) -> None:
    assert newest(bot).headline.startswith("Antalpha is at its early warning")
    before = len(posts(bot))
    until = START + timedelta(days=3)
    assert fills(bot, "waiver", **{"from": START, "until": until, "reason": "standstill <letter>"}).ok
    told = approves(bot)
    assert "Alerts of Antalpha are headed as waived meanwhile; none is silenced." in told
    assert treasury(bot).facilities[0].waivers == (Waiver(START, until, "standstill <letter>"),)
    bot.clock.passes(60)
    bot.checks(56_500)
    assert len(posts(bot)) > before
    assert newest(bot).headline.startswith("Antalpha is at its margin-call line")
    assert "(waived)" in newest(bot).headline
    assert "(standstill &lt;letter&gt;)" in shown(newest(bot).blocks)


def test_a_waiver_ends_after_it_begins_and_one_that_ended_is_pointed_out(bot: Bench) -> None:
    given = {"from": START, "reason": "standstill"}
    answer = fills(bot, "waiver", until=START, **given)
    assert answer.json["errors"] == {
        "record_until": "2026-02-07T12:00:00Z is not after from 2026-02-07T12:00:00Z; a waiver ends after it begins."
    }
    bot.slack.close_view(bot.slack.state.open_modal("U3").id)
    fills(bot, "waiver", until=START - timedelta(hours=5), **given | {"from": START - timedelta(days=1)})
    assert ":warning: It ended 5 h ago: it relabels nothing now." in approves(bot)
    assert len(treasury(bot).facilities[0].waivers) == 1


# The index


def test_an_index_is_noted_and_shown_as_of_the_instant_asked_about(bot: Bench) -> None:
    first, later = START - timedelta(days=2), START - timedelta(hours=1)
    fills(bot, "price_index", since=later, note="CME CF BRR, 16:00 London")
    assert "It is a note: no number changes." in approves(bot)
    fills(bot, "price index", since=first, note="Coinbase <spot>")
    approves(bot)
    noted = [ltv_at(bot, at)["price_index"] for at in (first - timedelta(seconds=1), first, later)]
    assert noted == [
        None,
        {"note": "Coinbase <spot>", "since": "2026-02-05T12:00:00Z"},
        {"note": "CME CF BRR, 16:00 London", "since": "2026-02-07T11:00:00Z"},
    ]
    assert treasury(bot).facilities[0].price_index == (
        PriceIndex(later, "CME CF BRR, 16:00 London"),
        PriceIndex(first, "Coinbase <spot>"),
    )
    assert "Priced by CME CF BRR, 16:00 London since <!date^" in said(bot, "/ltv antalpha", user="U3")
    assert "Priced by" not in said(bot, "/ltv", user="U3")


# The trail


def test_each_leaves_a_trail(bot: Bench) -> None:
    amends(bot, JUNE, rate="8 %")
    fills(bot, "waiver", **{"from": START, "until": START + timedelta(days=1), "reason": "letter"})
    approves(bot)
    fills(bot, "price_index", since=START, note="BRR")
    approves(bot)
    words = {"amended", "waived", "index noted"}
    assert [entry for entry in entries(bot) if entry[1] in words] == [
        ("U3", "amended", "amendment antalpha 2026-06-01"),
        ("U3", "waived", "waiver antalpha"),
        ("U3", "index noted", "price index antalpha"),
    ]
    assert [message.partition("<!date")[0].partition("\n")[0] for message in audit_channel(bot)] == [
        "*Recorded by Grace Hopper: new terms of antalpha from 1 Jun 2026 00:00 Chicago*",
        "*Recorded by Grace Hopper: waiver of antalpha, ",
        "*Recorded by Grace Hopper: price index of antalpha since ",
    ]
    assert "Rate: 7 % → 8 %" in audit_channel(bot)[-3]
    assert told(bot, "U3")[-1].startswith("Recorded: price index of antalpha since <!date^")
    with bot.store.engine.connect() as connection:
        for table in ("facility_terms", "waiver", "price_index"):
            query = text(f"SELECT recorded_by, source FROM {table} ORDER BY id DESC LIMIT 1")  # noqa: S608
            assert tuple(connection.execute(query).one()) == ("U3", "slack"), table


def test_a_second_click_records_once_and_the_same_waiver_is_none(bot: Bench) -> None:
    given = {"from": START, "until": START + timedelta(days=1), "reason": "letter"}
    fills(bot, "waiver", **given)
    clicks_twice(bot)
    assert (len(treasury(bot).facilities[0].waivers), len(audit_channel(bot))) == (1, 1)
    types(bot, opens(bot, JUNE), rate="8 %")
    clicks_twice(bot)
    assert (len(treasury(bot).facilities[0].versions), len(audit_channel(bot))) == (2, 2)
    assert told(bot, "U3")[-1].startswith("It was recorded already, just so: new terms of antalpha")
    fills(bot, "waiver", **given)
    view = bot.slack.state.open_modal("U3")
    assert shown(view.blocks).endswith("it is recorded already, just so. Nothing would change.")


# Who may


def test_it_takes_an_approver(bot: Bench) -> None:
    listed = [one["value"] for one in dialog(bot, "/record", "U3").blocks[0]["element"]["options"]]
    assert listed == list(FORMS)
    for kind in AGREED:
        assert FORMS[kind].needs is Role.APPROVER
        assert said(bot, f"/record {kind}").startswith(REFUSED)
    view = dialog(bot, "/record", "U1")
    kinds = view.blocks[0]["element"]["options"]
    assert not {one["value"] for one in kinds} & AGREED.keys()
    forged = {"selected_option": {"text": kinds[0]["text"], "value": "waiver"}}
    answer = bot.slack.submit_view(view.id, {"record_kind": {"kind": forged}})
    assert "This takes an approver" in answer.json["errors"]["record_kind"]
    assert treasury(bot).facilities[0].waivers == ()
    assert bot.slack.channel(AUDIT) == []


def test_the_form_of_an_operator_records_nothing_that_takes_an_approver(bot: Bench) -> None:
    """Its callback is an operator's, whatever the dialog brings back."""
    view = dialog(bot, "/record mined", "U1")
    view.body["private_metadata"] = view.private_metadata.replace('"mined"', '"waiver"')
    answer = bot.slack.submit_view(view.id, {"record_account": "custody", "record_btc": "1", "record_ref": "r"})
    assert "This dialog is not understood any more" in shown(answer.json["view"]["blocks"])


def test_an_operators_kinds_are_for_an_approver_too(bot: Bench) -> None:
    view = dialog(bot, "/record mined", "U3")
    sends(bot, view, account="custody", btc="1", at=START, ref="pool 9")
    assert shown(preview(bot, "U3").blocks).startswith("*Mined 1.00 BTC")
