"""Claims: whatever is claimed changes no debt, no collateral and no total; confirmed, it is as if recorded at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support import at, contract, fresh, move, usd
from test_ledger_properties import END, OPENED, histories

from bot.domain.book import Book, Register
from bot.domain.claims import claims_on, eased
from bot.domain.documents import claimed_document, claimed_from
from bot.domain.facts import claimable, claimed_fact, merged
from bot.domain.ledger import Ledger, ledger_faults
from bot.domain.treasury import CallEnd, Claim, Ending, Movement, MovementKind, Notice, Treasury

thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TAKEN_OUT = (MovementKind.PLEDGED, MovementKind.REPAID, MovementKind.INTEREST_PAID)


@st.composite
def claimed(draw: st.DrawFn) -> tuple[Treasury, Movement]:
    """A treasury, and one movement of its history that is only claimed: nothing rests on it."""
    treasury = draw(histories())
    rested_on = {name for movement in treasury.movements for name in (movement.of, movement.reverses)}
    loose = [movement for movement in treasury.movements if movement.ref not in rested_on]
    assume(loose)
    one = draw(st.sampled_from(loose))
    rest = replace(treasury, movements=tuple(movement for movement in treasury.movements if movement is not one))
    claim = Claim(1, one, "U1", "Ada", END)
    with_claim = replace(rest, claims=(claim,))
    assume(not ledger_faults(rest))
    assume(not ledger_faults(with_claim))
    return with_claim, one


def instants(treasury: Treasury, one: Movement) -> list[Any]:
    moments = {movement.at for movement in treasury.movements} | {one.at, OPENED, END}
    return sorted(moments | {moment + timedelta(days=1) for moment in moments})


@thoroughly
@given(claimed())
def test_a_claim_changes_no_debt_no_collateral_and_not_what_is_ours(given_: tuple[Treasury, Movement]) -> None:
    treasury, one = given_
    without, with_it = Ledger(replace(treasury, claims=())), Ledger(treasury)
    for instant in instants(treasury, one):
        was, is_now = without.at(instant), with_it.at(instant)
        assert (is_now.debts, is_now.collateral, is_now.pools) == (was.debts, was.collateral, was.pools)
        assert is_now.held == was.held
        assert dollars(is_now) == dollars(was)


def dollars(balances: Any) -> int:
    return sum(a.usd for a in balances.accounts.values()) + sum(one.usd for one in balances.transit)


@thoroughly
@given(claimed())
def test_what_is_claimed_out_of_an_account_cannot_be_spent_again(given_: tuple[Treasury, Movement]) -> None:
    treasury, one = given_
    without, with_it = (Ledger(t).at(END).accounts for t in (replace(treasury, claims=()), treasury))
    for name, account in with_it.items():
        leaves = one.kind in TAKEN_OUT and one.of is None and one.account == name
        assert without[name].btc - account.btc == (one.btc or 0) * leaves
        assert without[name].usd - account.usd == (one.usd or 0) * leaves


@thoroughly
@given(claimed())
def test_confirmed_it_is_as_if_it_had_been_recorded_at_once(given_: tuple[Treasury, Movement]) -> None:
    treasury, one = given_
    confirmed = merged(replace(treasury, claims=()), one)
    at_once = replace(treasury, movements=(*treasury.movements, one), claims=())
    assume(not ledger_faults(at_once))
    assert confirmed.refusals == ()
    for instant in instants(treasury, one):
        assert Ledger(confirmed.treasury).at(instant) == Ledger(at_once).at(instant)


@thoroughly
@given(claimed())
def test_a_document_of_a_claim_is_the_claim(given_: tuple[Treasury, Movement]) -> None:
    _, one = given_
    assert claimed_from(claimed_document(one)) == one


def test_the_end_of_a_call_is_kept_as_it_was_said() -> None:
    end = CallEnd("notice 1", Ending.WITHDRAWN, at("02-07 16:00"))
    assert claimed_from(claimed_document(end)) == end


# What eases a call

CALLED = contract(without=("movement",))
NOW = at("02-07 15:00")


def eases(treasury: Treasury, *movements: Movement) -> list[str]:
    after = replace(treasury, movements=(*treasury.movements, *movements))
    before, then = (Book(Register.of(one), NOW, fresh("56000")) for one in (treasury, after))
    return [call.notice.ref for call in eased(before, then)]


@pytest.mark.parametrize(
    ("kind", "fields", "does"),
    [
        ("pledged", {"account": "custody", "btc": "1"}, True),
        ("repaid", {"account": "custody", "usd": "1"}, True),
        ("interest_paid", {"account": "custody", "usd": "1"}, True),
        ("released", {"account": "custody", "btc": "1"}, False),
        ("drawn", {"account": "custody", "usd": "1"}, False),
        ("sent", {"account": "custody", "btc": "1"}, False),
        ("sold", {"account": "custody", "btc": "1", "usd": "56000"}, False),
        ("repaid_in_kind", {"btc": "1", "usd": "42900"}, True),
        ("repaid_in_kind", {"btc": "100", "usd": "1"}, True),
    ],
)
def test_what_lowers_the_ltv_or_counts_towards_the_demand_eases_the_call(
    kind: str, fields: dict[str, Any], does: bool
) -> None:
    """The last repays in kind so dearly that the LTV rises: it counts towards the demand all the same."""
    assert eases(CALLED, move(kind, NOW, facility="antalpha", **fields)) == (["notice 1"] if does else [])


def test_what_is_dated_before_the_notice_eases_it_too() -> None:
    early = move("pledged", at("02-07 10:00"), facility="antalpha", account="custody", btc="1")
    assert eases(CALLED, early) == ["notice 1"]


@pytest.mark.parametrize(("interest", "does"), [("capitalised", True), ("paid", False), ("at_close", False)])
def test_interest_that_will_not_join_the_principal_tested_eases_the_call(interest: str, does: bool) -> None:
    """By principal the LTV of now stays; that from the first of March on would be lower."""
    terms = ('interest = "capitalised"\nltv_on = "debt"', f'interest = "{interest}"\nltv_on = "principal"')
    by_principal = contract(terms, without=("movement",))
    paid = move("interest_paid", NOW, facility="antalpha", account="custody", usd="1000")
    assert eases(by_principal, paid) == (["notice 1"] if does else [])


def test_a_call_that_is_over_is_eased_by_nothing() -> None:
    over = replace(CALLED, notices=tuple(replace(one, met=at("02-07 14:30")) for one in CALLED.notices))
    assert eases(over, move("pledged", NOW, facility="antalpha", account="custody", btc="1")) == []


def test_the_first_coins_of_a_facility_that_has_none_ease_its_call() -> None:
    bare = contract(('collateral_btc = "7000"\n', 'collateral_btc = "0"\n'), without=("movement",))
    assert eases(bare, move("pledged", NOW, facility="antalpha", account="custody", btc="1")) == ["notice 1"]
    assert eases(bare, move("repaid", NOW, facility="antalpha", account="custody", usd="1")) == ["notice 1"]


def test_a_claim_is_shown_with_its_facility_and_with_its_group() -> None:
    pledge = move("pledged", NOW, "p", facility="antalpha", account="custody", btc="1")
    end = CallEnd("notice 1", Ending.MET, NOW)
    claims = (Claim(1, pledge, "U1", "Ada", NOW), Claim(2, end, "U1", "Ada", NOW))
    asked = Book(Register.of(replace(CALLED, claims=claims)), NOW, fresh("56000"))
    assert [[claim.id for claim in claims_on(asked, exposure)] for exposure in asked.exposures] == [[1, 2], [1, 2]]


# What may be claimed


def test_only_a_movement_or_the_end_of_a_call_may_be_claimed() -> None:
    (known,) = CALLED.notices
    assert claimable(CALLED, known) is None
    assert claimable(CALLED, replace(known, disputed=NOW)) is None
    assert claimable(CALLED, replace(known, withdrawn=NOW)) == CallEnd("notice 1", Ending.WITHDRAWN, NOW)
    assert claimable(CALLED, Notice("new", "margin call", NOW, usd("57100"), facility="antalpha")) is None


def test_the_fact_of_a_claim_is_what_was_said() -> None:
    (known,) = CALLED.notices
    assert claimed_fact(CALLED, CallEnd("notice 1", Ending.MET, NOW)) == replace(known, met=NOW)
    with pytest.raises(KeyError, match="gone"):
        claimed_fact(CALLED, CallEnd("gone", Ending.MET, NOW))


# What a merge does with claims


@pytest.mark.parametrize(("name", "kind"), [("of", "pledged"), ("reverses", "reversal")])
def test_nothing_may_rest_on_a_claim(name: str, kind: str) -> None:
    pledge = move("pledged", NOW, "p", facility="antalpha", account="custody", btc="1")
    treasury = replace(CALLED, claims=(Claim(1, pledge, "U1", "Ada", NOW),))
    fields: dict[str, Any] = {"facility": "antalpha", "account": "custody", "btc": "1"} if kind == "pledged" else {}
    came_to = merged(treasury, move(kind, NOW, "on it", **fields, **{name: "p"}))
    assert (name, "“p” is claimed and not confirmed yet; confirm or withdraw that claim first.") in [
        (refusal.key, refusal.text) for refusal in came_to.refusals
    ]


def test_a_claim_of_a_call_that_a_file_has_ended_is_settled() -> None:
    (known,) = CALLED.notices
    treasury = replace(CALLED, claims=(Claim(1, CallEnd("notice 1", Ending.MET, NOW), "U1", "Ada", NOW),))
    assert merged(treasury, replace(known, withdrawn=NOW)).treasury.claims == ()
    assert merged(treasury, replace(known, disputed=NOW)).treasury.claims == treasury.claims
