"""Groups: one master agreement over several loans, tested as one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import HOUR, NOW, THREE, book, btc, entry, fresh, line, loan, move, notice, tier, treasury, usd

from bot.domain.checks import all_findings
from bot.domain.covenant import percent_plain
from bot.domain.terms import Group, GroupTest, LtvOn, Tier, TierKind
from bot.domain.treasury import Treasury

RATIO_TIERS = (tier("call", "0.78", "group call", cure_to="0.68", window_hours=12),)


def ratio(**more: Any) -> Group:
    return Group("all", GroupTest.RATIO, **{"tiers": RATIO_TIERS, **more})


def grouped(*facilities: Any, group: Group | None = None, **more: Any) -> Treasury:
    return treasury(*facilities, groups=(group or ratio(),), **more)


TWO = (loan("one", debt="200", coins="4", group="all"), loan("two", debt="100", coins="2", group="all"))


# -- a ratio of its own --


def test_a_ratio_group_holds_all_debt_against_all_coins():
    said = entry(book(grouped(*TWO), "60"), "all")
    assert (said["debt_usd"], said["collateral_btc"], said["ltv_pct"]) == ("300.00", "6.00000000", "83.33")
    assert (said["tier"], said["level"], said["tiers"][0]["price_usd"]) == ("group call", "critical", "64.10")
    assert said["cures"]["repay_usd"] == "55.20"  # 300 − 68 % × 6 × 60


def test_the_members_are_also_tested_alone():
    asked = book(grouped(loan("one", debt="200", coins="3", group="all"), TWO[1]), "100")
    assert [entry(asked, name)["tier"] for name in ("one", "two", "all")] == [None, None, None]
    asked = book(grouped(loan("one", debt="200", coins="2.5", group="all"), TWO[1]), "100")
    assert [entry(asked, name)["tier"] for name in ("one", "two", "all")] == ["margin call", None, None]


def test_a_reached_group_has_an_alert_of_its_own():
    assert set(all_findings(book(grouped(*TWO), "60"))) == {"covenant:one", "covenant:two", "covenant:group:all"}


def test_each_debt_counts_as_its_own_loan_says_and_price_terms_are_the_groups():
    one = loan(
        "one", debt="200", accrued=usd("50"), coins="4", group="all", ltv_on=LtvOn.PRINCIPAL, cushion=Fraction(1, 2)
    )
    asked = book(grouped(one, TWO[1], group=ratio(cushion=Fraction(1, 10))), "60")
    said = entry(asked, "all")
    assert (said["debt_usd"], said["ltv_pct"], said["lender_ltv_pct"]) == ("350.00", "97.22", "92.59")


def test_a_group_has_its_own_reference_venue():
    asked = book(grouped(*TWO, group=ratio(reference="kraken")), fresh("64.20", references={"kraken": usd("64.00")}))
    assert (entry(asked, "all")["tier"], entry(asked, "all")["level"]) == ("group call", "warning")


# -- requirements: the members' own lines add up --


def harmonic(parts: list[tuple[Fraction, Fraction]]) -> Fraction:
    """The LTV at which Σ(debtᵢ / tierᵢ), the coins' worth that the agreements ask for, is all there is."""
    needed = Fraction(0)
    for debt, at in parts:
        needed += debt / at
    return sum(debt for debt, _ in parts) / needed


def test_a_requirements_group_has_the_lines_that_its_members_add_up_to():
    strict = (tier("early", "0.5"), tier("call", "0.6", cure_to="0.45"), tier("liquidation", "0.8"))
    members = (
        loan("one", debt="200", coins="4", group="all"),
        loan("two", debt="100", coins="2", group="all", tiers=strict),
    )
    asked = book(grouped(*members, group=Group("all", GroupTest.REQUIREMENTS)), "71.65")
    said = entry(asked, "all")
    assert [(one["name"], one["ltv_pct"]) for one in said["tiers"]] == [
        ("early", percent_plain(300 / (200 / Fraction("0.68") + 100 / Fraction("0.5")))),
        ("call", percent_plain(300 / (200 / Fraction("0.75") + 100 / Fraction("0.6")))),
        ("liquidation", percent_plain(300 / (200 / Fraction("0.9") + 100 / Fraction("0.8")))),
    ]
    assert (said["ltv_pct"], said["tier"]) == ("69.78", "call")
    target = 300 / (200 / Fraction("0.65") + 100 / Fraction("0.45"))
    assert Fraction(said["cures"]["repay_usd"]) - (300 - target * 6 * Fraction("71.65")) < Fraction(1, 100)


def test_a_member_without_a_kind_counts_with_its_next_worse_line_else_its_worst():
    members = (
        loan("one", debt="200", coins="4", group="all", tiers=(tier("early", "0.6"), tier("accelerated", "0.8"))),
        loan(
            "two",
            debt="100",
            coins="2",
            group="all",
            tiers=(tier("call", "0.7", cure_to="0.5"), tier("call", "0.72", "late")),
        ),
    )
    asked = book(grouped(*members, group=Group("all", GroupTest.REQUIREMENTS)), "1000")
    assert [(one["name"], one["kind"], one["ltv_pct"]) for one in entry(asked, "all")["tiers"]] == [
        ("early", "early", percent_plain(300 / (200 / Fraction("0.6") + 100 / Fraction("0.7")))),
        ("call", "call", percent_plain(300 / (200 / Fraction("0.8") + 100 / Fraction("0.7")))),
        ("accelerated", "accelerated", percent_plain(300 / (200 / Fraction("0.8") + 100 / Fraction("0.72")))),
    ]


lines = st.integers(30, 95).map(lambda percent: Fraction(percent, 100))
kinds = list(TierKind)


@st.composite
def agreements(draw: st.DrawFn) -> tuple[Tier, ...]:
    chosen = sorted(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)), key=kinds.index)
    ats = sorted(draw(st.lists(lines, min_size=len(chosen), max_size=len(chosen))))
    cured = [
        draw(st.none() | st.just(at - Fraction(1, 10))) if kind.is_call else None
        for kind, at in zip(chosen, ats, strict=True)
    ]
    return tuple(
        Tier(kind, f"{kind} {number}", at, cure_to=cure)
        for number, (kind, at, cure) in enumerate(zip(chosen, ats, cured, strict=True))
    )


def counted(tiers: tuple[Tier, ...], kind: TierKind) -> Tier:
    """Its line of that kind (of two, the milder), else its next worse one, else its worst, the last as written."""
    for wanted in kinds[kinds.index(kind) :]:
        if same := [one for one in tiers if one.kind is wanted]:
            return min(same, key=lambda one: one.line)
    return tiers[-1]


def target_of(tiers: tuple[Tier, ...], one: Tier) -> Fraction:
    cures = [other.cure_to for other in tiers if other.cure_to is not None]
    if not cures:
        return tiers[0].line - Fraction(1, 100)
    if one.kind.is_call:
        before = [other.cure_to for other in tiers[: tiers.index(one) + 1] if other.cure_to is not None]
        return before[-1] if before else cures[0]
    return cures[0]


@given(st.lists(st.tuples(st.integers(1, 10**6), agreements()), min_size=1, max_size=3), st.integers(1, 10**6))
def test_the_lines_and_targets_of_a_requirements_group_are_harmonic_means(parts, price):
    members = [
        loan(f"m{number}", debt=f"{debt}", coins="10", group="all", tiers=tiers)
        for number, (debt, tiers) in enumerate(parts)
    ]
    asked = book(grouped(*members, group=Group("all", GroupTest.REQUIREMENTS)), f"{price}")
    exposure = asked.snapshot.groups[0]
    expected = [kind for kind in kinds if any(one.kind is kind for _, tiers in parts for one in tiers)]
    assert [bound.tier.kind for bound in exposure.bounds] == expected
    for bound in exposure.bounds:
        chosen = [(Fraction(debt), tiers, counted(tiers, bound.tier.kind)) for debt, tiers in parts]
        assert bound.line == harmonic([(debt, one.line) for debt, _, one in chosen])
        assert bound.target == harmonic([(debt, target_of(tiers, one)) for debt, tiers, one in chosen])
    debt, worth = sum(debt for debt, _ in parts), Fraction(10 * len(parts) * price)
    reached = [bound.tier.name for bound in exposure.bounds if debt / worth >= bound.line]
    assert entry(asked, "all")["tier"] == (reached[-1] if reached else None)


def test_repaying_pro_rata_cures_every_member_of_a_requirements_group():
    members = (loan("one", debt="200", coins="4", group="all"), loan("two", debt="100", coins="2", group="all"))
    said = entry(book(grouped(*members, group=Group("all", GroupTest.REQUIREMENTS)), "66"), "all")
    left = 300 - Fraction(said["cures"]["repay_usd"])
    assert Fraction("0.65") * 6 * 66 - Fraction(1, 100) <= left <= Fraction("0.65") * 6 * 66


def test_a_group_that_owes_nothing_is_fine():
    members = [loan(name, debt="0", coins="2", group="all") for name in ("one", "two")]
    for group in (ratio(), Group("all", GroupTest.REQUIREMENTS)):
        assert entry(book(grouped(*members, group=group), "66"), "all")["level"] == "ok"


def test_a_group_without_coins_is_at_its_worst_line():
    members = [loan(name, debt="10", coins="0", group="all") for name in ("one", "two")]
    for group, worst in ((ratio(), "group call"), (Group("all", GroupTest.REQUIREMENTS), "liquidation")):
        said = entry(book(grouped(*members, group=group), "66"), "all")
        assert (said["tier"], said["level"], said["ltv_pct"]) == (worst, "critical", None)


# -- a pool of coins --

POOLED = (loan("one", debt="200", coins="0", group="all"), loan("two", debt="100", coins="0", group="all"))


@pytest.mark.parametrize("price", ["10", None])
def test_the_members_of_a_pool_have_no_reading_of_their_own(price):
    said = entry(book(grouped(*POOLED, group=ratio(pool=btc("6"))), price), "one")
    assert said["level"] == "ok"
    assert [said[key] for key in ("ltv_pct", "lender_ltv_pct", "tier", "cures", "call")] == [None] * 5
    assert [(one["price_usd"], one["headroom_pct"]) for one in said["tiers"]] == [(None, None)] * 3
    assert (said["debt_usd"], said["collateral_btc"]) == ("200.00", "0.00000000")


def test_a_pool_is_tested_as_one_and_is_the_only_alert():
    asked = book(grouped(*POOLED, group=ratio(pool=btc("6"))), "60")
    said = entry(asked, "all")
    assert (said["collateral_btc"], said["ltv_pct"], said["tier"]) == ("6.00000000", "83.33", "group call")
    assert set(all_findings(asked)) == {"covenant:group:all"}


def test_movements_that_name_a_member_move_the_pools_coins():
    pledge = move("pledged", NOW, facility="one", btc="2")
    register = grouped(*POOLED, group=ratio(pool=btc("6")), movements=(pledge,))
    assert entry(book(register, "60"), "all")["collateral_btc"] == "8.00000000"


def test_a_pool_by_requirements_counts_its_members_lines():
    asked = book(grouped(*POOLED, group=Group("all", GroupTest.REQUIREMENTS, pool=btc("6"))), "66.66")
    assert (entry(asked, "all")["tier"], line(asked, "call", "all")["price_usd"]) == ("call", "66.66")


# -- a call on a group --


def test_a_call_names_a_group_and_counts_what_any_member_is_credited():
    called = notice(NOW, called="group call", price="60", group="all")
    moves = (
        move("pledged", NOW + HOUR, facility="one", btc="0.5"),
        move("repaid", NOW + HOUR, facility="two", usd="27.60"),
    )
    asked = book(grouped(*TWO, notices=(called,), movements=moves), "60", NOW + 2 * HOUR)
    call = entry(asked, "all")["call"]
    assert (call["tier"], call["due"], call["state"]) == ("group call", "2026-02-05T00:00:00Z", "open")
    assert (call["demand_btc"], call["demand_usd"]) == ("1.35294118", "55.20")
    assert (call["credited_btc"], call["credited_usd"]) == ("0.50000000", "27.60")
    part = 1 - Fraction("0.5") / Fraction("1.35294118") - Fraction(1, 2)
    assert Fraction(call["missing_usd"]) - part * Fraction("55.20") < Fraction(1, 100)
    assert entry(asked, "one")["call"] is None
    assert all_findings(asked)["covenant:group:all"].calls[0].ref == "n1"


def test_a_call_on_a_requirements_group_goes_by_kind():
    called = notice(NOW, called="call", price="60", group="all")
    asked = book(grouped(*TWO, notices=(called,), group=Group("all", GroupTest.REQUIREMENTS)), "60")
    call = entry(asked, "all")["call"]
    assert (call["due"], call["demand_usd"]) == ("2026-02-05T12:00:00Z", "66.00")  # 300 − 65 % × 6 × 60, in 24 h


def test_a_lender_may_call_a_loan_whose_coins_are_pooled():
    """It has no reading of its own, so what is demanded is what the notice says."""
    called = notice(NOW, demand_usd="50")
    members = (loan("antalpha", debt="200", coins="0", group="all", tiers=THREE), POOLED[1])
    asked = book(grouped(*members, group=ratio(pool=btc("6")), notices=(called,)), "90")
    said = entry(asked)
    assert (said["call"]["tier"], said["call"]["demand_usd"], said["call"]["due"]) == (
        "margin call",
        "50.00",
        "2026-02-05T12:00:00Z",
    )
    assert (said["level"], said["ltv_pct"]) == ("critical", None)
    assert all_findings(asked)["covenant:antalpha"].lines[0].call
