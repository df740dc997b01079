"""What tiers, releases, references, groups, calls and movements must be; each mistake has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.treasury_file import TreasuryFileError, read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")

EARLY = '  [[facility.tier]]\n  kind = "early"'
MARGIN = '  name = "margin call"\n  ltv = "0.75" '
LIQUIDATION = '  name = "liquidation"\n  ltv = "0.90"'
WINDOW = "  window_hours = 24 "
RATIO_GROUP = 'test = "ratio"'
GROUP_TIERS = CONTRACT[CONTRACT.index("  [[group.tier]]") : CONTRACT.index("[[call]]")]
REQUIREMENTS = ((RATIO_GROUP, 'test = "requirements"'), (GROUP_TIERS, ""))
TIER_CALL = 'tier = "margin call"'
CALL_ON_GROUP = (
    '[[call]]                                # a lender\'s notice\nfacility = "antalpha"',
    '[[call]]\ngroup = "antalpha-all"',
)
DRAWN_LATER = ("drawn = 2024-11-11", "drawn = 2026-02-02")

F = "facility[1] (antalpha)"
CALL_TIER = f"{F} tier[2] “margin call”"

Edits = tuple[tuple[str, str], ...]


def edited(*edits: tuple[str, str]) -> str:
    text = CONTRACT
    for old, new in edits:
        assert text.count(old) >= 1, f"the contract's file no longer has {old!r}"
        text = text.replace(old, new, 1)
    return text


def faults_of(text: str) -> list[str]:
    with pytest.raises(TreasuryFileError) as refused:
        read_treasury("treasury.toml", text)
    return refused.value.faults


def in_order(text: str) -> list[str]:
    return [line.removeprefix("treasury.toml: ") for line in faults_of(text)]


ONE_FAULT: dict[str, tuple[Edits, str]] = {
    # tiers
    "two lines": (
        ((MARGIN, f'  price = "57000"\n{MARGIN}'),),
        f"{CALL_TIER}: price: a tier has one line, and ltv is given too; keep one of them.",
    ),
    "a line milder than the one before": (
        ((LIQUIDATION, LIQUIDATION.replace("0.90", "0.70")),),
        f"{F} tier[3] “liquidation”: ltv 0.70 is below “margin call” 0.75; tiers go from mild to fatal.",
    ),
    "a coverage above the one before": (
        (
            (MARGIN, MARGIN.replace('ltv = "0.75"', 'coverage = "4/3"')),
            (LIQUIDATION, LIQUIDATION.replace('ltv = "0.90"', 'coverage = "1.40"')),
        ),
        f"{F} tier[3] “liquidation”: coverage 1.40 is above “margin call” 4/3; tiers go from mild to fatal.",
    ),
    "a coverage milder than an ltv": (
        ((LIQUIDATION, LIQUIDATION.replace('ltv = "0.90"', 'coverage = "1.40"')), ('  liquidate_to = "0.70"\n', "")),
        f"{F} tier[3] “liquidation”: coverage 1.40 (LTV 71.43 %) is below “margin call” ltv 0.75; "
        "tiers go from mild to fatal.",
    ),
    "a price that rises": (
        (
            (MARGIN, MARGIN.replace('ltv = "0.75"', 'price = "57000"')),
            (LIQUIDATION, LIQUIDATION.replace('ltv = "0.90"', 'price = "58000"')),
        ),
        f"{F} tier[3] “liquidation”: price 58000 is above “margin call” 57000; tiers go from mild to fatal.",
    ),
    "a mild kind after a worse": (
        (('kind = "early"', 'kind = "accelerated"'),),
        f"{CALL_TIER}: kind: call comes after “early warning” accelerated; tiers go from mild to fatal.",
    ),
    "two tiers of one name": (
        (('name = "early warning"', 'name = "margin call"'),),
        f"{CALL_TIER}: name: “margin call” is already tier[1]; give each tier a name of its own.",
    ),
    "two unnamed tiers of one kind": (
        (
            ('  name = "early warning"\n', ""),
            (
                '  [[facility.tier]]\n  kind = "call"',
                '  [[facility.tier]]\n  kind = "early"\n  ltv = "0.70"\n  [[facility.tier]]\n  kind = "call"',
            ),
        ),
        f"{F} tier[2] “early”: name is missing; tier[1] is “early” already, so give both a name.",
    ),
    "a cure above its line": (
        (('cure_to = "0.65" ', 'cure_to = "0.80" '),),
        f"{CALL_TIER}: cure_to: 0.80 is above its line, ltv 0.75; a cure ends at its line or milder.",
    ),
    "a cure of an early tier": (
        (('  ltv = "0.68"', '  ltv = "0.68"\n  cure_to = "0.60"'),),
        f"{F} tier[1] “early warning”: cure_to: an early tier has no cure; only call and accelerated have one.",
    ),
    "two cures": (
        (('cure_to = "0.65" ', 'cure_to = "0.65"\ncure_to_coverage = "1.6" '),),
        f"{CALL_TIER}: cure_to_coverage: a tier has one cure, and cure_to is given too; keep one of them.",
    ),
    "a cure in coverage under its line": (
        (
            (MARGIN, MARGIN.replace('ltv = "0.75"', 'coverage = "4/3"')),
            ('cure_to = "0.65" ', 'cure_to_coverage = "1.30" '),
        ),
        f"{CALL_TIER}: cure_to_coverage: 1.30 is below its line, coverage 4/3; a cure ends at its line or milder.",
    ),
    "two windows": (
        ((WINDOW, "  window_days = 1\n" + WINDOW),),
        f"{CALL_TIER}: window_days: a tier has one window, and window_hours is given too; keep one of them.",
    ),
    "a liquidation that stops above its line": (
        (('liquidate_to = "0.70"', 'liquidate_to = "0.95"'),),
        f"{F} tier[3] “liquidation”: liquidate_to: 0.95 is above ltv 0.90; write at most that.",
    ),
    # release, amendments, waivers
    "a release that goes up": (
        (('  to = "0.60"', '  to = "0.45"'),),
        f"{F} release: to: 0.45 is below the release line, ltv 0.50; it is that or above.",
    ),
    "a release into a tier": (
        (('  to = "0.60"', '  to = "0.68"'),),
        f"{F} release: to: 0.68 is not below “early warning”, ltv 0.68; a release reaches no tier.",
    ),
    "a release without its end": (
        (('  to = "0.60"', ""),),
        f'{F} release: to is missing; write for example to = "0.60"',
    ),
    "a release with two lines": (
        (('  ltv = "0.50"', '  ltv = "0.50"\n  coverage = "2"'),),
        f"{F} release: coverage: ltv is given too; keep one of them.",
    ),
    "an amendment under a release": (
        (('  rate = "0.08"', '  tier = [{kind = "call", ltv = "0.55"}]'),),
        f"{F} release: to: 0.60 is not below “call”, ltv 0.55; a release reaches no tier.",
    ),
    "an amendment of what is no term": (
        (('  rate = "0.08"', '  principal = "1"'),),
        f"{F} amendment[1] (2026-03-01): principal: is not a term and cannot be amended; an amendment may name ltv_on, "
        "cushion, reference, on_recovery, credit_hours, min_repayment, min_call_usd, consent, desk_calendar, matures, "
        "rate, day_count, interest, tier or release.",
    ),
    "an amendment that names nothing": (
        (("  [[facility.waiver]]", "  [[facility.amendment]]\n  effective = 2026-04-01\n  [[facility.waiver]]"),),
        f"{F} amendment[2] (2026-04-01): names nothing to change; write what is so from that day on, for example "
        'rate = "0.08"',
    ),
    "two amendments of one day": (
        (
            (
                "  [[facility.waiver]]",
                '  [[facility.amendment]]\n  effective = 2026-03-01\n  cushion = "0.01"\n  [[facility.waiver]]',
            ),
        ),
        f"{F} amendment[2] (2026-03-01): effective: 2026-03-01 is already amendment[1]; put what changes "
        "that day in one.",
    ),
    "an amendment by which the loan ends before it begins": (
        (
            (
                "  [[facility.waiver]]",
                "  [[facility.amendment]]\n  effective = 2026-04-01\n  matures = 2024-11-11\n  [[facility.waiver]]",
            ),
        ),
        f"{F} amendment[2] (2026-04-01): matures: 2024-11-11 is not after drawn 2024-11-11; a loan ends after "
        "it begins.",
    ),
    "a waiver that ends before it begins": (
        (("until = 2026-02-10T00:00:00Z", "until = 2026-02-06T00:00:00Z"),),
        f"{F} waiver[1]: until: 2026-02-06T00:00:00Z is not after from 2026-02-06T00:00:00Z; a waiver ends "
        "after it begins.",
    ),
    "a loan that ends before it begins": (
        (("matures = 2028-04-30", "matures = 2024-04-30"),),
        f"{F}: matures: 2024-04-30 is not after drawn 2024-11-11; a loan ends after it begins.",
    ),
    # references and repeats
    "an unknown calendar": (
        (('calendar = "new-york"', 'calendar = "new-yrok"'),),
        "account[1] (custody): calendar: there is no calendar “new-yrok”; did you mean “new-york”?",
    ),
    "an unknown calendar of a tier": (
        ((WINDOW, '  calendar = "tokyo"\n' + WINDOW),),
        f"{CALL_TIER}: calendar: there is no calendar “tokyo”; there is new-york.",
    ),
    "an unknown desk calendar": (
        (('consent = "desk" ', 'desk_calendar = "tokyo"\nconsent = "desk" '),),
        f"{F}: desk_calendar: there is no calendar “tokyo”; there is new-york.",
    ),
    "an unknown group": (
        (('group = "antalpha-all" ', 'group = "antalpha-al" '),),
        f"{F}: group: there is no group “antalpha-al”; did you mean “antalpha-all”?",
    ),
    "an unknown facility called": (
        (('notice\nfacility = "antalpha"', 'notice\nfacility = "ledn"'),),
        "call[1] “notice 1”: facility: there is no facility “ledn”; there is antalpha.",
    ),
    "an unknown tier called": (
        ((TIER_CALL, 'tier = "margin cal"'),),
        "call[1] “notice 1”: tier: “margin cal” is no tier of antalpha; did you mean “margin call”?",
    ),
    "an unknown tier of a group": (
        (CALL_ON_GROUP, (TIER_CALL, 'tier = "second"')),
        "call[1] “notice 1”: tier: “second” is no tier of antalpha-all; its tiers then were “group call”.",
    ),
    "a tier of a requirements group by its name": (
        (*REQUIREMENTS, CALL_ON_GROUP),
        "call[1] “notice 1”: tier: “margin call” is no line of antalpha-all, which go by kind; its lines are early, "
        "call, liquidation.",
    ),
    "an unknown account": (
        (('account = "custody"', 'account = "bank"'),),
        "movement[1] “sale 1”: account: there is no account “bank”; accounts: custody.",
    ),
    "an account twice": (
        (("[[facility]]", '[[account]]\nid = "custody"\n[[facility]]'),),
        "account[2] (custody): id: “custody” is already account[1]; give each an id of its own.",
    ),
    "a notice twice": (
        (
            (
                "[[need]]",
                '[[call]]\nfacility="antalpha"\ntier="margin call"\nat=2026-02-07T14:15:00Z\nprice="1"\n'
                'ref="notice 1"\n[[need]]',
            ),
        ),
        "call[2] “notice 1”: ref: “notice 1” is already call[1]; give each notice a ref of its own.",
    ),
    "a need twice": (
        (("[[movement]]", '[[need]]\ndue = 2026-03-01\nusd = "1"\npurpose = "operations"\n[[movement]]'),),
        "need[2] “operations”: purpose: “operations” due 2026-03-01 is already need[1]; write one need of both.",
    ),
    "a statement twice": (
        (("[[statement]]", '[[statement]]\nmonth="2026-01"\nmined="1"\nsold="1"\nheld="1"\n[[statement]]'),),
        "statement[2] (2026-01): month: “2026-01” is already statement[1]; keep the one that counts; an import keeps "
        "what was recorded before.",
    ),
    # groups
    "a ratio group without tiers": (
        ((GROUP_TIERS, ""),),
        "group[1] (antalpha-all): tier is missing; a ratio group has tiers of its own, write [[group.tier]]",
    ),
    "a requirements group with tiers": (
        ((RATIO_GROUP, 'test = "requirements"'),),
        "group[1] (antalpha-all): tier: a requirements group has the lines of its facilities; leave "
        "[[group.tier]] out.",
    ),
    "coins in a facility and its pool": (
        ((RATIO_GROUP, f'collateral_btc = "7000"\n{RATIO_GROUP}'),),
        f"{F}: collateral_btc: its group antalpha-all holds the coins of its facilities; put them in its "
        "collateral_btc.",
    ),
    "a desk of a group": (
        ((RATIO_GROUP, f'consent = "desk"\n{RATIO_GROUP}'),),
        "group[1] (antalpha-all): consent: unknown key; here may be id, test, collateral_btc, cushion, reference, "
        "on_recovery, min_call_usd or tier.",
    ),
    # calls
    "a call of both": (
        (("notice\nfacility", 'notice\ngroup = "antalpha-all"\nfacility'),),
        "call[1] “notice 1”: group: a call is of one facility or one group, and facility is given too; keep one.",
    ),
    "a call of neither": (
        (('notice\nfacility = "antalpha"', "notice"),),
        'call[1] “notice 1”: facility is missing; write for example facility = "antalpha", or group',
    ),
    "a call due before it was made": (
        (('price = "57100"', 'due = 2026-02-07T14:14:00Z\nprice = "57100"'),),
        "call[1] “notice 1”: due: 2026-02-07T14:14:00Z is before the notice, at 2026-02-07T14:15:00Z.",
    ),
    "a call met before it was made": (
        (('price = "57100"', 'met = 2026-02-07T14:14:00Z\nprice = "57100"'),),
        "call[1] “notice 1”: met: 2026-02-07T14:14:00Z is before the notice, at 2026-02-07T14:15:00Z.",
    ),
    # movements
    "a reversal with a kind": (
        (('kind = "sold"', 'kind = "sold"\nreverses = "repayment 1"'),),
        "movement[1] “sale 1”: kind: a reversal has only at, ref, reverses and note; leave kind out.",
    ),
    "a reversal by its kind": (
        (('kind = "sold"', 'kind = "reversal"'),),
        "movement[1] “sale 1”: kind: a reversal has no kind; leave kind out and name the movement it undoes "
        "in reverses.",
    ),
    "a movement of an unknown kind": (
        (('kind = "sold"', 'kind = "solde"'),),
        "movement[1] “sale 1”: kind: “solde” is unknown; did you mean “sold”?",
    ),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_it_says_what_is_wrong_and_what_would_be_right(name: str) -> None:
    edits, line = ONE_FAULT[name]
    assert faults_of(edited(*edits)) == [f"treasury.toml: {line}"]


def test_a_facility_drawn_later_begins_with_its_principal_alone() -> None:
    text = edited(DRAWN_LATER, ('accrued_usd = "0.00"', 'accrued_usd = "1.00"'))
    assert in_order(text) == [
        f"{F}: accrued_usd: it is drawn on 2026-02-02, after opened, so nothing has accrued yet; leave it out.",
        f"{F}: collateral_btc: it is drawn on 2026-02-02, after opened; record its coins by a pledged movement.",
    ]


def test_it_judges_movements_beside_other_faults() -> None:
    text = edited(('rate = "0.07"', "rate = 0.07"), ('kind = "repaid"\nusd = "250000000.00"', 'kind = "repaid"'))
    assert in_order(text) == [
        f'{F}: rate: 0.07 is a float; write it in quotes: "0.07"',
        "movement[2] “repayment 1”: usd: repaid needs usd; it takes facility, account, usd, and may have of.",
    ]


def test_it_blames_nobody_for_what_could_not_be_read() -> None:
    text = edited(("[[account]] ", '[[account]]\nholds = "box"  '), ('id = "custody"', 'id = "Custody"'))
    text = text.replace('holds = "bank"', "", 1)
    assert [line.split(";")[0] for line in in_order(text)] == [
        "account[1] (Custody): holds: “box” is unknown",
        "account[1] (Custody): id: “Custody” is no id",
    ]


def test_faults_of_the_ledger_name_the_movement_by_its_place_in_the_file() -> None:
    text = edited(('kind = "repaid"\nusd = "250000000.00"', 'kind = "repaid"\nusd = "350000000.00"'))
    assert [line.split(":")[0] for line in in_order(text)] == ["movement[2] “repayment 1”"] * len(in_order(text))
