"""Nobody types a call away: what would ease an open call counts when a second person has confirmed it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest

from bot.domain.calls import open_calls
from bot.domain.claims import claims_on
from bot.domain.restated import late_for_holdings, late_for_months, restated_document
from bot.services.errors import RefusedError
from bot.services.importing import import_file
from bot.store.store import Store
from bot.treasury_file.reader import read_file

from .claiming import AT, CONFIRM, REPAID, TOP_UP, WITHDRAW, buttons, call, called, ltv, message, presses
from .clicking import click, dialog, newest, shown, status, told
from .recording import (
    AUDIT,
    CALLED,
    audit_channel,
    book,
    entries,
    errors,
    fills,
    preview,
    recorded,
    records,
    sends,
    treasury,
)
from .test_slack_bench import Bench, said


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with called(store) as made:
        yield made


def test_a_pledge_to_a_called_facility_is_a_claim_and_counts_in_no_line(bot: Bench) -> None:
    before = ltv(bot)
    said_first = records(bot, "pledged", **TOP_UP)
    assert "Claimed: Antalpha has called, so it counts in no line and takes nothing off the demand until" in said_first
    assert "Once it is confirmed:\nFree coins: 474.62 → 0.00 BTC\nPledged: 7,000.00 → 7,474.62 BTC" in said_first
    assert (
        "LTV 76.63 %, at its margin-call line, call “notice 1” missing 1,095.57 BTC or $40.67M → LTV 71.77 %"
        in said_first
    )
    assert (ltv(bot), call(bot).missing, recorded(bot)) == (before, 1, {})
    assert entries(bot)[-1] == ("U1", "claimed", "top-up 1")
    assert buttons(message(bot)) == ["Confirm", "Withdraw…"]
    for read in (audit_channel(bot)[-1], told(bot)[-1]):
        assert "\nOnce it is confirmed:\nFree coins: 474.62 → 0.00 BTC" in read
    presses(bot)
    assert "Once it is confirmed" not in audit_channel(bot)[-1]


def test_what_is_claimed_has_left_its_account_and_is_on_its_way(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    now = book(bot)
    assert (now.coins.free, now.coins.in_transit, now.coins.pledged) == (0, 47_462_000_000, 700_000_000_000)
    assert "In transit: 474.62 BTC (top-up 1, claimed 474.62)" in said(bot, "/holdings")
    assert "Not counted: pledged 474.62 BTC to antalpha (“top-up 1”)" in said(bot, "/ltv")
    assert "claimed by Ada Byron" in said(bot, "/ltv")
    bot.clock.passes(60)
    bot.checks(55_900)
    assert "sent 474.62 BTC; missing 1,095.57 BTC" in shown(newest(bot).blocks)
    _, answer = fills(bot, "pledged", **TOP_UP | {"ref": "top-up 2", "btc": "1"})
    assert "475.62 BTC leaves it; at most 474.62 BTC can." in errors(answer)["btc"]


def test_who_recorded_it_cannot_confirm_it(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    assert presses(bot, user="U1") == "You recorded this yourself; a second operator confirms it."
    assert recorded(bot) == {}


def test_a_viewer_cannot_confirm_or_withdraw_it(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    for action in (CONFIRM, WITHDRAW):
        assert presses(bot, action, "U4").startswith("This takes an operator, and you are a viewer.")
    assert recorded(bot) == {}


def test_a_second_operator_confirms_it_and_it_counts_from_its_own_time(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    bot.clock.passes(600)
    assert presses(bot).startswith("Confirmed, and it counts now: pledged 474.62 BTC to antalpha (“top-up 1”)")
    assert (recorded(bot)["top-up 1"].at, treasury(bot).claims) == (AT, ())
    assert entries(bot)[-1] == ("U2", "confirmed", "top-up 1")
    bot.checks(56_000)
    assert ltv(bot) == Fraction(30_040_840_139, 747_462 * 56_000)  # $300,058,333.33 and six days of interest on it
    assert call(bot).missing_btc == 109_556_098_775 - 47_462_000_000
    (shown_now,) = audit_channel(bot)
    assert "Confirmed by Sam Hill" in shown_now
    assert buttons(message(bot)) == []
    assert "Not counted" not in said(bot, "/ltv")


def test_confirming_twice_or_at_once_records_it_once(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    known = message(bot)
    threads = [
        threading.Thread(target=bot.slack.click, args=(known.ts, CONFIRM), kwargs={"user": user, "channel": AUDIT})
        for user in ("U2", "U3", "U2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bot.delivers()
    answers = [*told(bot, "U2"), *told(bot, "U3")]
    assert sum(one.startswith("Confirmed, and it counts now") for one in answers) == 1
    assert sum(one.startswith("That was confirmed by ") for one in answers) == len(answers) - 1
    assert [what for _, what, _ in entries(bot)].count("confirmed") == 1
    assert list(recorded(bot)) == ["top-up 1"]


def test_the_same_said_by_a_second_operator_confirms_it(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    records(bot, "pledged", user="U2", **TOP_UP)
    assert list(recorded(bot)) == ["top-up 1"]
    assert told(bot, "U2")[-1].startswith("Somebody else had claimed the same, so it is confirmed and counts now")


def test_the_same_said_again_by_the_same_person_changes_nothing(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    records(bot, "pledged", **TOP_UP)
    assert (recorded(bot), len(treasury(bot).claims), len(audit_channel(bot))) == ({}, 1, 1)
    assert told(bot)[-1].startswith("It was recorded already, just so")
    assert told(bot)[-1].endswith("It waits to be confirmed by a second operator.")


@pytest.mark.parametrize("user", ["U1", "U2"])
def test_another_thing_under_the_same_reference_is_refused(bot: Bench, user: str) -> None:
    records(bot, "pledged", **TOP_UP)
    _, answer = fills(bot, "pledged", user, **TOP_UP | {"btc": "400"})
    wrong = "400.00 BTC, but 474.62 BTC is recorded; it is claimed and not confirmed yet; withdraw that claim, or give "
    assert errors(answer) == {"btc": f"{wrong}this another ref."}


def test_a_file_that_has_the_same_confirms_it(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    imports(bot, 'kind = "pledged"\nbtc = "474.62"\nfacility = "antalpha"\naccount = "custody"\nref = "top-up 1"')
    assert (list(recorded(bot)), treasury(bot).claims) == (["top-up 1"], ())
    claim, file = audit_channel(bot)
    assert "Confirmed by treasury.toml, imported by lender" in claim
    assert file.startswith(
        "*Imported by lender from treasury.toml: 1 change*\n+ movement “top-up 1”: pledged 474.62 BTC"
    )
    click(bot, bot.slack.channel(AUDIT)[0], CONFIRM, user="U2", channel=AUDIT, stale=True)
    assert told(bot, "U2")[-1].startswith("That was confirmed by lender ")


def test_a_file_that_says_something_else_under_its_reference_is_refused(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    with pytest.raises(RefusedError, match="claimed and not confirmed yet; withdraw that claim, or give"):
        imports(bot, 'kind = "pledged"\nbtc = "400"\nfacility = "antalpha"\naccount = "custody"\nref = "top-up 1"')
    assert (recorded(bot), len(treasury(bot).claims)) == ({}, 1)


def test_a_file_that_spends_what_is_claimed_is_refused_and_says_that_it_is_claimed(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    wrong = r"“top-up 1” \(claimed\): btc: .* It is not confirmed yet; confirm or withdraw that claim first."
    with pytest.raises(RefusedError, match=wrong):
        imports(bot, 'kind = "sold"\nbtc = "100"\nusd = "5600000"\naccount = "custody"\nref = "sale"')


def test_a_file_that_ends_a_call_otherwise_ends_its_claim_and_does_not_confirm_it(bot: Bench) -> None:
    records(bot, "answer", call="notice 1", became="met", at=AT)
    text = CALLED.replace('ref = "notice 1"', 'ref = "notice 1"\nwithdrawn = 2026-02-07T14:40:00Z')
    import_file(bot.store, read_file, "treasury.toml", text, clock=bot.clock, by="lender", audit=AUDIT)
    bot.delivers()
    assert (treasury(bot).claims, treasury(bot).notices[0].met) == ((), None)
    claim, _ = audit_channel(bot)
    assert "\nOvertaken by treasury.toml, imported by lender" in claim
    assert claim.endswith(", which says something else of that call")
    click(bot, bot.slack.channel(AUDIT)[0], CONFIRM, user="U2", channel=AUDIT, stale=True)
    assert told(bot, "U2")[-1].startswith("That was overtaken by lender ")


def imports(bot: Bench, movement: str) -> None:
    text = f"{CALLED}\n[[movement]]\nat = 2026-02-07T15:00:00Z\n{movement}\n"
    import_file(bot.store, read_file, "treasury.toml", text, clock=bot.clock, by="lender", audit=AUDIT)
    bot.delivers()


def test_it_is_withdrawn_with_a_reason_and_the_coins_are_free_again(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    assert presses(bot, WITHDRAW, "U1") == ""
    view = bot.slack.state.open_modal("U1")
    assert view is not None
    assert "pledged 474.62 BTC to antalpha" in shown(view.blocks)
    bot.slack.submit_view(view.id, {"record_reason": "wrong lender"})
    bot.delivers()
    assert told(bot)[-1].startswith("Withdrawn: pledged 474.62 BTC")
    assert (recorded(bot), treasury(bot).claims, book(bot).coins.free) == ({}, (), 47_462_000_000)
    assert "Withdrawn by Ada Byron" in audit_channel(bot)[-1]
    assert "(wrong lender)" in audit_channel(bot)[-1]
    assert entries(bot)[-1] == ("U1", "claim withdrawn", "top-up 1")
    assert presses_old(bot) == "That was withdrawn by <@U1>"


def presses_old(bot: Bench) -> str:
    """Somebody whose screen still has the buttons."""
    click(bot, message(bot), CONFIRM, user="U2", channel=AUDIT, stale=True)
    return told(bot, "U2")[-1].partition(" <!date")[0]


@pytest.mark.parametrize("became", ["met", "withdrawn"])
def test_that_a_call_is_over_takes_a_second_operator(bot: Bench, became: str) -> None:
    said_first = records(bot, "answer", call="notice 1", became=became, at=AT)
    assert f"Call “notice 1” {became}" in said_first
    assert (len(open_calls(book(bot))), status(bot)) == (1, "open")
    assert f"Not counted: call “notice 1” {became}" in said(bot, "/ltv")
    presses(bot)
    assert open_calls(book(bot)) == []
    assert ("U2", "confirmed", "notice 1") in entries(bot)
    view = bot.slack.command("/record answer")
    assert "There is nothing to choose as “Notice”: no call is open." in shown(view.blocks)


def test_a_dispute_stops_no_clock_and_needs_nobody_else(bot: Bench) -> None:
    records(bot, "answer", call="notice 1", became="disputed", at=AT)
    assert (call(bot).state.value, treasury(bot).claims) == ("disputed", ())


def test_a_call_that_two_people_end_differently_is_settled_first(bot: Bench) -> None:
    records(bot, "answer", call="notice 1", became="met", at=AT)
    fills(bot, "answer", "U2", call="notice 1", became="withdrawn", at=AT)
    answer = bot.slack.submit_view(preview(bot, "U2").id)
    assert "“notice 1” is claimed by Ada Byron and not confirmed" in shown(answer.json["view"]["blocks"])


def test_a_claim_that_cannot_be_any_more_is_said_so_and_stays(bot: Bench) -> None:
    """Two claims on the same transit: the first confirmed leaves too little for the second."""
    records(bot, "sent", **TOP_UP | {"ref": "out"})
    records(bot, "pledged", **TOP_UP | {"ref": "in 1", "of": "out"})
    records(bot, "pledged", **TOP_UP | {"ref": "in 2", "of": "out"})
    assert presses(bot).startswith("Confirmed")
    first = bot.slack.channel(AUDIT)[-2]
    click(bot, first, user="U2", action=CONFIRM, channel=AUDIT)
    assert "949.24 BTC is taken from it; at most 474.62 BTC can be. Withdraw it, or" in told(bot, "U2")[-1]
    assert [claim.ref for claim in treasury(bot).claims] == ["in 1"]


def test_open_claims_are_listed_with_their_buttons(bot: Bench) -> None:
    empty = bot.slack.command("/record claims")
    assert shown(empty.blocks) == "No claim is open. `/record` records something."
    records(bot, "pledged", **TOP_UP)
    listed = bot.slack.command("/record claims", user="U2")
    assert "*1 claim waits for a second operator, and counts in no line*\npledged 474.62 BTC" in shown(listed.blocks)
    ts = bot.slack.ephemerals("U2")[-1].ts
    bot.slack.click(ts, CONFIRM, user="U2")
    bot.delivers()
    assert list(recorded(bot)) == ["top-up 1"]


def test_a_claim_past_the_lenders_hours_is_a_transit_that_somebody_looks_into(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP)
    bot.clock.set(AT + timedelta(hours=1))
    bot.checks(56_000)
    assert status(bot, "transit:top-up 1") == "open"
    warned = bot.slack.channel("C1")[-1]
    assert "Not confirmed: pledged 474.62 BTC to antalpha (“top-up 1”)" in shown(warned.blocks)
    assert "Have a second operator confirm it, or withdraw it." in shown(warned.blocks)
    presses(bot)
    bot.checks(56_000)
    assert status(bot, "transit:top-up 1") == "closed"
    assert bot.slack.channel("C1")[-1].headline == "top-up 1 is credited"


def test_what_is_claimed_or_undone_on_its_way_is_not_said_to_be_credited(bot: Bench) -> None:
    records(bot, "sent", **REPAID | {"ref": "wire 0", "usd": "1m"})
    records(bot, "pledged", **TOP_UP)
    bot.clock.set(AT + timedelta(hours=1))
    bot.checks(56_000)
    presses(bot, WITHDRAW, "U1")
    view = bot.slack.state.open_modal("U1")
    assert view is not None
    bot.slack.submit_view(view.id, {"record_reason": "wrong lender"})
    records(bot, "reversal", reverses="wire 0", note="never left", at=AT, ref="undo wire 0")
    bot.checks(56_000)
    ended = [one.headline for one in bot.slack.channel("C1")][-2:]
    assert ended == ["top-up 1 was only claimed, and is withdrawn", "wire 0 is undone"]


def test_the_past_says_of_what_is_claimed_that_it_came_late(bot: Bench) -> None:
    records(bot, "pledged", **TOP_UP | {"at": AT - timedelta(minutes=20)})
    before, since = (bot.questions.book(at=AT - timedelta(minutes=m)) for m in (30, 10))
    assert (before.late, claims_on(before, before.exposures[0])) == ((), [])
    (came,) = restated_document(late_for_holdings(since))
    assert (came["what"], came["ref"], came["recorded_at"]) == ("movement claimed", "top-up 1", "2026-02-07T15:00:00Z")
    assert (since.coins.free, len(claims_on(since, since.exposures[0]))) == (0, 1)
    assert late_for_months(since, ["2026-02"]) == ()


def test_a_retry_of_the_last_step_records_it_once(bot: Bench) -> None:
    view = dialog(bot, "/record pledged")
    sends(bot, view, **TOP_UP)
    check = preview(bot)
    first = bot.slack.submit_view(check.id)
    again = bot.slack.submit_view(check.id, retry_num=1)
    assert first.json == again.json == {"response_action": "clear"}
    bot.delivers()
    assert (len(treasury(bot).claims), len(audit_channel(bot))) == (1, 1)
