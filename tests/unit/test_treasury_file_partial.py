"""A later file may be a part: what it names may be recorded, and what it leaves out stays as it is."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from bot.domain.merge import Merge, merge
from bot.domain.treasury import SlippageStep, Treasury
from bot.treasury_file import TreasuryFileError, read_file, read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
RECORDED = read_treasury("contract.toml", CONTRACT)

HEAD = """
[treasury]
name = "Example Mining"
timezone = "America/Chicago"
opened = 2026-01-31T23:59:59Z
"""
FACILITY = """
[[facility]]
id = "antalpha"
lender = "Antalpha"
principal = "300000000.00"
drawn = 2024-11-11
rate = "0.07"
day_count = "ACT/360"
interest = "capitalised"
"""


def importing(text: str, recorded: Treasury = RECORDED) -> Merge:
    return merge(recorded, read_treasury("treasury.toml", HEAD + text, recorded))


def faults_of(text: str, recorded: Treasury = RECORDED) -> list[str]:
    with pytest.raises(TreasuryFileError) as refused:
        read_treasury("treasury.toml", HEAD + text, recorded)
    return refused.value.faults


def refusals_of(text: str, recorded: Treasury = RECORDED) -> list[str]:
    file = read_file("treasury.toml", HEAD + text, recorded)
    return file.refused(merge(recorded, file.treasury).refusals)


def test_a_file_with_nothing_but_its_treasury_changes_nothing() -> None:
    assert importing("") == Merge(RECORDED)


def test_a_treasury_that_leaves_out_its_production_zone_keeps_it() -> None:
    recorded = read_treasury("a", CONTRACT.replace('production_timezone = "UTC"', 'production_timezone = "Asia/Tokyo"'))
    assert importing("", recorded) == Merge(recorded)


ONE_TABLE: dict[str, tuple[str, str]] = {
    "a movement": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "repaid"\nusd = "1000"\nfacility = "antalpha"\n'
        'account = "custody"\nref = "r"',
        "+ movement “r”: repaid $1,000.00 of antalpha",
    ),
    "a reversal": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nreverses = "repayment 1"\nref = "undo"',
        "+ movement “undo”: reverses “repayment 1”",
    ),
    "a call": (
        '[[call]]\nfacility = "antalpha"\ntier = "margin call"\nat = 2026-02-09T00:00:00Z\nprice = "50000"\nref = "n"',
        "+ call “n”: antalpha called at “margin call” 2026-02-09T00:00:00Z, price $50,000.00",
    ),
    "a call of a group": (
        '[[call]]\ngroup = "antalpha-all"\ntier = "group call"\nat = 2026-02-09T00:00:00Z\nprice = "1"\nref = "n"',
        "+ call “n”: antalpha-all called at “group call” 2026-02-09T00:00:00Z, price $1.00",
    ),
    "a statement": (
        '[[statement]]\nmonth = "2026-02"\nmined = "1"\nsold = "2"\nheld = "3"',
        "+ statement 2026-02: mined 1.00, sold 2.00, held 3.00 BTC",
    ),
    "an account": (
        '[[account]]\nid = "bank"\ncalendar = "new-york"',
        "+ account bank: 0.00 BTC, $0.00 (bank)",
    ),
    "one value of the policy": (
        '[policy]\nreserve_btc = "600"',
        "~ policy reserve_btc 500.00 BTC → 600.00 BTC",
    ),
    "one setting of an account": (
        '[[account]]\nid = "custody"\nready_hours = 6',
        "~ account custody ready_hours → 6 h",
    ),
    "a day on which a calendar is closed": (
        '[[calendar]]\nid = "new-york"\ntimezone = "America/New_York"\nopen = "09:00"\nclose = "17:00"\n'
        "closed = [2026-05-25]",
        "~ calendar new-york also closed on 2026-05-25",
    ),
    "a facility of a recorded group": (
        FACILITY.replace('"antalpha"', '"second"') + 'group = "antalpha-all"\n[[facility.tier]]\nkind = "call"\n'
        'ltv = "0.8"\ncalendar = "new-york"',
        "+ facility second: Antalpha, $300,000,000.00 at 7.00 %, 0.00 BTC pledged, 1 tier",
    ),
    "an amendment": (
        FACILITY + '[[facility.amendment]]\neffective = 2026-06-01\nrate = "0.09"',
        "+ amendment antalpha 2026-06-01: rate 0.09",
    ),
    "an amendment back to what was first agreed": (
        FACILITY + '[[facility.amendment]]\neffective = 2026-06-01\nrate = "0.07"',
        "+ amendment antalpha 2026-06-01: rate 0.07",
    ),
    "a waiver": (
        FACILITY + '[[facility.waiver]]\nfrom = 2026-03-01T00:00:00Z\nuntil = 2026-03-02T00:00:00Z\nreason = "grace"',
        "+ waiver antalpha 2026-03-01: until 2026-03-02T00:00:00Z, grace",
    ),
}


@pytest.mark.parametrize("name", ONE_TABLE)
def test_one_table_is_enough_and_says_one_thing(name: str) -> None:
    text, line = ONE_TABLE[name]
    result = importing(text)
    assert (result.lines, result.refusals) == ((line,), ())
    assert importing(text, result.treasury) == Merge(result.treasury)


@pytest.mark.parametrize("name", [name for name in ONE_TABLE if name not in ("an account", "a statement")])
def test_alone_it_would_not_do(name: str) -> None:
    """What names something recorded is refused as a first file, or says something else."""
    text, _ = ONE_TABLE[name]
    try:
        alone = read_treasury("treasury.toml", HEAD + text)
    except TreasuryFileError:
        return
    assert merge(RECORDED, alone).lines != importing(text).lines or merge(RECORDED, alone).refusals


def test_a_facility_and_a_group_that_leave_out_what_is_recorded_keep_it() -> None:
    recorded = read_treasury(
        "a",
        CONTRACT.replace('accrued_usd = "0.00" ', 'accrual_timezone = "Asia/Tokyo"\naccrued_usd = "5.00" ').replace(
            'test = "ratio"', 'test = "ratio"\ncushion = "0.02"'
        ),
    )
    assert importing(FACILITY + '[[group]]\nid = "antalpha-all"\ntest = "ratio"', recorded) == Merge(recorded)


def test_an_amendment_beside_a_recorded_one_follows_it() -> None:
    text = FACILITY + '[[facility.amendment]]\neffective = 2026-06-01\ncushion = "0.01"'
    first, march, june = importing(text).treasury.facilities[0].versions
    assert (first.terms.rate, march.terms.rate, june.terms.rate) == (
        Fraction(7, 100),
        Fraction(8, 100),
        Fraction(8, 100),
    )
    assert june.effective == date(2026, 6, 1)


ONE_FAULT: dict[str, tuple[str, str]] = {
    "a calendar": (
        '[[account]]\nid = "bank"\ncalendar = "new-yrok"',
        "account[1] (bank): calendar: there is no calendar “new-yrok”; did you mean “new-york”?",
    ),
    "a facility called": (
        '[[call]]\nfacility = "antlpha"\ntier = "margin call"\nat = 2026-02-09T00:00:00Z\nprice = "1"\nref = "n"',
        "call[1] “n”: facility: there is no facility “antlpha”; did you mean “antalpha”?",
    ),
    "a tier called": (
        '[[call]]\nfacility = "antalpha"\ntier = "margn call"\nat = 2026-02-09T00:00:00Z\nprice = "1"\nref = "n"',
        "call[1] “n”: tier: “margn call” is no tier of antalpha; did you mean “margin call”?",
    ),
    "a tier called of a group": (
        '[[call]]\ngroup = "antalpha-all"\ntier = "x"\nat = 2026-02-09T00:00:00Z\nprice = "1"\nref = "n"',
        "call[1] “n”: tier: “x” is no tier of antalpha-all; its tiers then were “group call”.",
    ),
    "a group": (
        FACILITY.replace('"antalpha"', '"second"') + 'group = "antalpha-al"',
        "facility[1] (second): group: there is no group “antalpha-al”; did you mean “antalpha-all”?",
    ),
    "an account": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "cost"\nusd = "1"\naccount = "bank"\nref = "m"',
        "movement[1] “m”: account: there is no account “bank”; accounts: custody.",
    ),
    "what it reverses": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nreverses = "nothing"\nref = "m"',
        "movement[1] “m”: reverses: reverses names “nothing”, which is not recorded; it takes the ref of the movement "
        "to undo.",
    ),
    "what it is of": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "repaid"\nusd = "1"\nfacility = "antalpha"\nof = "sale 1"\n'
        'ref = "m"',
        "movement[1] “m”: of: of names “sale 1”, the sold movement of 2026-02-08T18:00:00Z; it takes the ref of a sent "
        "movement.",
    ),
    "fees with recorded slippage": (
        "[policy]\nfee_bps = 9990",
        "policy: fee_bps: with slippage_bps it is 10030; a sale must bring something: under 10000.",
    ),
    "a tier under a recorded release": (
        FACILITY + '[[facility.amendment]]\neffective = 2026-06-01\n[[facility.amendment.tier]]\nkind = "call"\n'
        'ltv = "0.55"',
        "facility[1] (antalpha) amendment[1] (2026-06-01): a release then goes to LTV 60.00 %, not below “call”, LTV "
        "55.00 %; a release reaches no tier.",
    ),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_a_reference_to_nothing_stays_a_fault(name: str) -> None:
    text, line = ONE_FAULT[name]
    assert faults_of(text) == [f"treasury.toml: {line}"]


def test_a_call_of_a_tier_that_a_recorded_amendment_brought() -> None:
    amended = read_treasury(
        "a",
        CONTRACT.replace('  rate = "0.08"', '  tier = [{kind = "call", name = "new call", ltv = "0.80"}]'),
    )
    call = '[[call]]\nfacility = "antalpha"\ntier = "new call"\nat = 2026-03-0{}T18:00:00Z\nprice = "1"\nref = "n"'
    for text in (call, FACILITY + call):
        assert importing(text.format(2), amended).refusals == ()
    assert faults_of(call.format(1).replace("03-01", "02-28"), amended) == [
        "treasury.toml: call[1] “n”: tier: “new call” is no tier of antalpha; did you mean “margin call”?"
    ]


def test_a_call_of_a_recorded_requirements_group_goes_by_kind() -> None:
    group = CONTRACT[CONTRACT.index("  [[group.tier]]") : CONTRACT.index("[[call]]")]
    recorded = read_treasury("a", CONTRACT.replace(group, "").replace('test = "ratio"', 'test = "requirements"'))
    call = '[[call]]\ngroup = "antalpha-all"\ntier = "{}"\nat = 2026-02-09T00:00:00Z\nprice = "1"\nref = "n"'
    assert importing(call.format("call"), recorded).refusals == ()
    assert faults_of(call.format("margin call"), recorded) == [
        "treasury.toml: call[1] “n”: tier: “margin call” is no line of antalpha-all, which go by kind; its lines are "
        "early, call, liquidation."
    ]


def test_movements_are_judged_beside_other_faults_and_what_is_recorded() -> None:
    text = (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "cost"\nusd = "1"\naccount = "custody"\nref = "fine"\n'
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "cost"\nusd = "1"\naccount = "bank"\nref = "m"\n'
        "[[statement]]\nmonth = 1"
    )
    assert [line.split(":")[1].strip() for line in faults_of(text)] == ["movement[2] “m”"] + ["statement[1] (1)"] * 4


COST = '[[movement]]\nat = 2026-02-{}T00:00:00Z\nkind = "cost"\nbtc = "{}"\naccount = "custody"\nref = "{}"\n'

REFUSED: dict[str, tuple[str, str]] = {
    "a balance that turns negative": (
        COST.format("10", "1", "fine") + COST.format("11", "500", "sale 9"),
        "movement[2] “sale 9”: btc: account “custody” has 473.62 BTC at 2026-02-11T00:00:00Z, and 500.00 BTC leaves "
        "it; at most 473.62 BTC can.",
    ),
    "more repaid than owed": (
        '[[movement]]\nat = 2026-02-09T00:00:00Z\nkind = "repaid_in_kind"\nbtc = "1"\nusd = "60000000"\n'
        'facility = "antalpha"\nref = "r"',
        "movement[1] “r”: usd: antalpha owes $50,058,333.33 of principal at 2026-02-09T00:00:00Z, and $60,000,000.00 "
        "of it is repaid; at most $50,058,333.33 can be.",
    ),
    "a changed movement": (
        '[[movement]]\nat = 2026-02-08T18:00:00Z\nkind = "sold"\nbtc = "3651"\nusd = "250000000.00"\n'
        'facility = "antalpha"\naccount = "custody"\nref = "sale 1"',
        "movement[1] “sale 1”: btc: 3,651.00 BTC, but 3,650.00 BTC is recorded; a movement stays; reverse it and "
        "record it anew.",
    ),
    "a changed opening": (
        '[[account]]\nid = "custody"\nbtc = "475"',
        "account[1] (custody): btc: 475.00 BTC, but 474.62 BTC is recorded; opening figures stay; record a movement.",
    ),
    "other coins of a facility": (
        FACILITY + 'collateral_btc = "7001"',
        "facility[1] (antalpha): collateral_btc: 7,001.00 BTC, but 7,000.00 BTC is recorded; opening figures stay; "
        "record a movement.",
    ),
    "other terms": (
        FACILITY.replace("0.07", "0.075"),
        "facility[1] (antalpha): rate: 0.075, but 0.07 is recorded; terms change by an amendment with its effective "
        "day.",
    ),
    "another amendment of a day": (
        FACILITY + '[[facility.amendment]]\neffective = 2026-03-01\nrate = "0.09"',
        "facility[1] (antalpha) amendment[1] (2026-03-01): rate: 0.09, but 0.08 is recorded; an amendment stays; write "
        "another with its own effective day.",
    ),
    "another price of a notice": (
        '[[call]]\nfacility = "antalpha"\ntier = "margin call"\nat = 2026-02-07T14:15:00Z\nprice = "57000"\n'
        'ref = "notice 1"',
        "call[1] “notice 1”: price: $57,000.00, but $57,100.00 is recorded; a notice stays as it was given; record a "
        "new one.",
    ),
    "another group": (
        '[[group]]\nid = "antalpha-all"\ntest = "ratio"\ncollateral_btc = "1"',
        "group[1] (antalpha-all): collateral_btc: 1.00 BTC, but nothing is recorded; a master agreement stays; write "
        "another group.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_register_refuses_names_file_table_and_number(name: str) -> None:
    text, line = REFUSED[name]
    assert refusals_of(text) == [f"treasury.toml: {line}"]


def test_refusals_are_in_file_order() -> None:
    text = "\n".join(text for text, _ in (REFUSED["other terms"], REFUSED["a changed opening"]))
    assert [line.split(":")[1].strip() for line in refusals_of(text)] == [
        "facility[1] (antalpha)",
        "account[1] (custody)",
    ]


def test_another_treasury_is_named_by_its_table() -> None:
    file = read_file("treasury.toml", HEAD.replace("America/Chicago", "Asia/Tokyo"), RECORDED)
    assert file.refused(merge(RECORDED, file.treasury).refusals) == [
        "treasury.toml: treasury: timezone: Asia/Tokyo, but America/Chicago is recorded; another treasury needs a "
        "database of its own."
    ]


def test_a_recorded_movement_that_would_turn_negative_is_named_as_recorded() -> None:
    recorded = importing(COST.format("11", "400", "rent")).treasury
    assert refusals_of(COST.format("10", "100", "new"), recorded) == [
        "treasury.toml: movement “rent” (recorded): btc: account “custody” has 374.62 BTC at 2026-02-11T00:00:00Z, and "
        "400.00 BTC leaves it; at most 374.62 BTC can."
    ]


TOP_UP_LINE = (
    '[[facility.amendment.tier]]\nkind = "call"\nname = "top-up"\nltv = "0.75"\ncure_to = "0.65"\nwindow_hours = 24'
)


def test_a_line_that_was_called_cannot_be_amended_away_from_a_day_before() -> None:
    """Without it nothing can be said of the call, nor checked."""
    amended = FACILITY + "[[facility.amendment]]\neffective = {}\n" + TOP_UP_LINE
    assert refusals_of(amended.format("2026-02-07")) == [
        "treasury.toml: call “notice 1” (recorded): tier: the new terms have no line “margin call” at "
        "2026-02-07T14:15:00Z, when it was called; keep its name, or amend from a later day."
    ]
    assert importing(amended.format("2026-02-08"), RECORDED).refusals == ()
    assert refusals_of(amended.format("2026-02-07").replace('"top-up"', '"margin call"')) == []


def test_a_ref_twice_in_the_file_is_refused_even_where_it_is_recorded() -> None:
    cost = COST.format("11", "4", "rent")
    assert faults_of(cost + cost.replace('"4"', '"5"'), importing(cost).treasury) == [
        "treasury.toml: movement[2] “rent”: ref: ref “rent” is already that of the cost movement of "
        "2026-02-11T00:00:00Z; every movement needs a ref of its own."
    ]


def test_without_anything_recorded_balances_are_judged_too() -> None:
    with pytest.raises(TreasuryFileError, match="account “custody” has"):
        read_treasury("treasury.toml", CONTRACT + COST.format("11", "500", "c"))
    assert read_treasury("contract.toml", CONTRACT, RECORDED) == RECORDED


CURVE = '[policy]\nslippage = [{ btc = "500", bps = 20 }, { btc = "1000.5", bps = 60 }]\n'


def test_a_slippage_curve_takes_the_place_of_the_flat_rate_and_the_other_way_round():
    assert RECORDED.policy.curve == (SlippageStep(None, 40),)
    curved = importing(CURVE)
    assert [change.line for change in curved.changes] == [
        "~ policy slippage_bps 40 → 0",
        "~ policy slippage [] → [500.00 BTC at 20 bps; 1,000.50 BTC at 60 bps]",
    ]
    policy = curved.treasury.policy
    assert policy.curve == (SlippageStep(500 * 10**8, 20), SlippageStep(None, 60))
    assert (policy.sale_cost, policy.fee_bps) == (Fraction(70, 10_000), 10)  # fees, and what its last coin loses
    again = importing("[policy]\nslippage_bps = 30\n", curved.treasury)
    assert again.treasury.policy.curve == (SlippageStep(None, 30),)
    assert importing("[policy]\nfee_bps = 15\n", curved.treasury).treasury.policy.slippage == policy.slippage


def test_a_fee_that_leaves_nothing_beside_a_recorded_curve_is_refused():
    recorded = importing(CURVE).treasury
    assert faults_of("[policy]\nfee_bps = 9940\n", recorded) == [
        "treasury.toml: policy: fee_bps: with slippage it is 10000; a sale must bring something: under 10000."
    ]
