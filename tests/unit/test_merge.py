"""An import adds and never deletes, and says every line of what it would do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.merge import Merge, What, merge
from bot.domain.treasury import Treasury
from bot.treasury_file import read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
RECORDED = read_treasury("contract.toml", CONTRACT)
CAPITAL = "opening figures stay; record a movement."
ANOTHER = "another treasury needs a database of its own."


def edited(*edits: tuple[str, str]) -> Treasury:
    text = CONTRACT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return read_treasury("treasury.toml", text, RECORDED)


def importing(*edits: tuple[str, str]) -> Merge:
    return merge(RECORDED, edited(*edits))


def without(text: str, begins: str, ends: str) -> str:
    return text[: text.index(begins)] + text[text.index(ends) :]


def test_the_first_import_adds_everything() -> None:
    first = merge(None, RECORDED)
    assert (first.treasury, first.changes, first.refusals) == (RECORDED, (), ())
    assert first.lines == (
        "+ treasury “Example Mining”",
        "+ policy: withstand_drop 0.30, reserve_btc 500.00 BTC, min_cash_usd $10,000,000.00, "
        "max_cover_btc 5,000.00 BTC, "
        "max_daily_btc 600.00 BTC, fee_bps 10, slippage_bps 40, sold_over_mined_limit 1.00, "
        "plan_btc_per_month 550.00 BTC, "
        "plan_tolerance 0.10, rollforward_tolerance_btc 0.01 BTC, statement_due_day 5",
        "+ calendar new-york: 09:00 to 17:00 America/New_York",
        "+ account custody: 474.62 BTC, $10,000,000.00 (bank)",
        "+ group antalpha-all: ratio, 1 tier",
        "+ facility antalpha: Antalpha, $300,000,000.00 at 7.00 %, 7,000.00 BTC pledged, 3 tiers, 1 amended, 1 waived",
        "+ call “notice 1”: antalpha called at “margin call” 2026-02-07T14:15:00Z, price $57,100.00",
        "+ need “operations”: $38,000,000.00 by 2026-03-01",
        "+ movement “sale 1”: sold 3,650.00 BTC for $250,000,000.00",
        "+ movement “repayment 1”: repaid $250,000,000.00 of antalpha",
        "+ cash_cost 2026-01: $78,000.00 a coin",
        "+ statement 2026-01: mined 496.35, sold 550.03, held 7,474.62 BTC",
    )


def test_the_same_file_twice_changes_nothing() -> None:
    assert merge(RECORDED, RECORDED) == Merge(RECORDED)


def test_a_file_that_lacks_what_is_recorded_deletes_nothing() -> None:
    text = without(CONTRACT, "[[call]]", "[[cash_cost]]")
    text = without(text, "  [[facility.amendment]]", "[[group]]")
    result = merge(RECORDED, read_treasury("treasury.toml", text[: text.index("[[cash_cost]]")]))
    assert result == Merge(RECORDED)


# the sign says whether something is added or changed
ONE_CHANGE: dict[str, tuple[tuple[str, str], str]] = {
    "a policy value": (
        ('withstand_drop = "0.30"', 'withstand_drop = "0.35"'),
        "~ policy withstand_drop 0.30 → 0.35",
    ),
    "a day on which a calendar is closed": (
        ("closed = [2026-02-16]", "closed = [2026-05-25]"),
        "~ calendar new-york also closed on 2026-05-25",
    ),
    "how long signers need": (
        ("ready_hours = 4", "ready_hours = 6"),
        "~ account custody ready_hours → 6 h",
    ),
    "what became of a call": (
        ('ref = "notice 1"', 'ref = "notice 1"\nmet = 2026-02-08T20:00:00Z #'),
        "~ call “notice 1” met 2026-02-08T20:00:00Z",
    ),
    "a need": (
        ('usd = "38000000.00"', 'usd = "40000000.00"'),
        "~ need “operations” of 2026-03-01: $38,000,000.00 → $40,000,000.00",
    ),
    "a restated statement": (
        ('held = "7474.62"', 'held = "7474.63"'),
        "~ statement 2026-01 restated: mined 496.35, sold 550.03, held 7,474.63 BTC",
    ),
    "a restated cost": (
        ('usd_per_btc = "78000"', 'usd_per_btc = "79000"'),
        "~ cash_cost 2026-01 restated: $79,000.00 a coin",
    ),
    "a movement": (
        (
            "[[cash_cost]]",
            '[[movement]]\nat=2026-02-09T00:00:00Z\nkind="mined"\naccount="custody"\nbtc="1.5"\nref="m"\n[[cash_cost]]',
        ),
        "+ movement “m”: mined 1.50 BTC into custody",
    ),
    "an account": (
        ("[[facility]]", '[[account]]\nid="bank"\n[[facility]]'),
        "+ account bank: 0.00 BTC, $0.00 (bank)",
    ),
    "an amendment": (
        (
            "  [[facility.waiver]]",
            '  [[facility.amendment]]\n  effective=2026-06-01\n  rate="0.09"\n  [[facility.waiver]]',
        ),
        "+ amendment antalpha 2026-06-01: rate 0.09",
    ),
    "a waiver": (
        (
            "[[group]]",
            "  [[facility.waiver]]\n  from=2026-03-01T00:00:00Z\n  until=2026-03-02T00:00:00Z\n  "
            'reason="grace"\n[[group]]',
        ),
        "+ waiver antalpha 2026-03-01: until 2026-03-02T00:00:00Z, grace",
    ),
    "a price index": (
        (
            "[[group]]",
            '  [[facility.price_index]]\n  since=2026-03-01T00:00:00Z\n  note="CME CF BRR, 16:00 London"\n[[group]]',
        ),
        "+ price_index antalpha 2026-03-01: CME CF BRR, 16:00 London",
    ),
    "a statement": (
        ("[[statement]]", '[[statement]]\nmonth="2026-02"\nmined="1"\nsold="2"\nheld="3"\n[[statement]]'),
        "+ statement 2026-02: mined 1.00, sold 2.00, held 3.00 BTC",
    ),
}


@pytest.mark.parametrize("name", ONE_CHANGE)
def test_it_says_the_one_thing_that_is_new(name: str) -> None:
    edit, line = ONE_CHANGE[name]
    result = importing(edit)
    assert (result.lines, result.refusals) == ((line,), ())
    assert merge(result.treasury, edited(edit)) == Merge(result.treasury)


ONE_REFUSAL: dict[str, tuple[tuple[str, str], str]] = {
    "another name": (
        ('name = "Example Mining"', 'name = "Another"'),
        f"treasury “Example Mining”: name: Another, but Example Mining is recorded; {ANOTHER}",
    ),
    "another zone": (
        ('production_timezone = "UTC"', 'production_timezone = "Asia/Tokyo"'),
        f"treasury “Example Mining”: production_zone: Asia/Tokyo, but UTC is recorded; {ANOTHER}",
    ),
    "another opening of an account": (
        ('btc = "474.62"', 'btc = "475"'),
        f"account custody: btc: 475.00 BTC, but 474.62 BTC is recorded; {CAPITAL}",
    ),
    "another principal": (
        ('principal = "300000000.00"', 'principal = "310000000.00"'),
        f"facility antalpha: principal: $310,000,000.00, but $300,000,000.00 is recorded; {CAPITAL}",
    ),
    "other terms": (
        ('rate = "0.07"', 'rate = "0.075"'),
        "facility antalpha: rate: 0.075, but 0.07 is recorded; terms change by an amendment with its effective day.",
    ),
    "another amendment": (
        ('rate = "0.08"', 'rate = "0.085"'),
        "amendment antalpha 2026-03-01: rate: 0.085, but 0.08 is recorded; an amendment stays; write another with its "
        "own effective day.",
    ),
    "other hours": (
        ('close = "17:00"', 'close = "16:00"'),
        "calendar new-york: close: 16:00, but 17:00 is recorded; a calendar's zone and hours stay; write another "
        "calendar.",
    ),
    "another group": (
        ('cure_to = "0.68"', 'cure_to = "0.60"'),
        "group antalpha-all: tiers: [group call 0.78 cured to 0.60], but [group call 0.78 cured to 0.68] is recorded; "
        "a master agreement stays; write another group.",
    ),
    "another price of a notice": (
        ('price = "57100"', 'price = "57000"'),
        "call “notice 1”: price: $57,000.00, but $57,100.00 is recorded; a notice stays as it was given; record a new "
        "one.",
    ),
    "a demand added to a notice": (
        ('price = "57100"', 'price = "57100"\ndemand_btc = "100"'),
        "call “notice 1”: demand_btc: 100.00 BTC, but nothing is recorded; a notice stays as it was given; record a "
        "new one.",
    ),
    "another movement": (
        ('btc = "3650"', 'btc = "3651"'),
        "movement “sale 1”: btc: 3,651.00 BTC, but 3,650.00 BTC is recorded; a movement stays; reverse it and record "
        "it anew.",
    ),
}


@pytest.mark.parametrize("name", ONE_REFUSAL)
def test_it_refuses_to_rewrite_what_happened_or_was_agreed(name: str) -> None:
    edit, line = ONE_REFUSAL[name]
    assert [str(refusal) for refusal in importing(edit).refusals] == [line]


def test_it_names_every_refusal_at_once() -> None:
    edits = [
        edit
        for name, (edit, _) in ONE_REFUSAL.items()
        if name not in ("another name", "another zone", "a demand added to a notice")
    ]
    assert len(importing(*edits).refusals) == len(edits)


def test_the_old_statement_is_kept_under_the_new() -> None:
    result = importing(('held = "7474.62"', 'held = "7474.63"'))
    assert [statement.held for statement in result.treasury.statements] == [7474_62_000_000, 7474_63_000_000]


def test_movements_recorded_elsewhere_stand_beside_those_of_the_file() -> None:
    """A coin recorded in Slack, then a file, without it, that spends it: alone it couldn't, together they can."""
    mined = '[[movement]]\nat=2026-02-09T00:00:00Z\nkind="mined"\naccount="custody"\nbtc="100"\nref="m"\n[[cash_cost]]'
    spent = '[[movement]]\nat=2026-02-10T00:00:00Z\nkind="cost"\naccount="custody"\nbtc="500"\nref="c"\n[[cash_cost]]'
    assert importing(("[[cash_cost]]", spent)).refusals != ()
    recorded = importing(("[[cash_cost]]", mined)).treasury
    together = merge(recorded, edited(("[[cash_cost]]", spent)))
    assert (together.refusals, together.lines) == ((), ("+ movement “c”: spent 500.00 BTC from custody",))
    assert [movement.ref for movement in together.treasury.movements] == ["sale 1", "repayment 1", "m", "c"]


def test_the_ledger_judges_the_union() -> None:
    spent = '[[movement]]\nat=2026-02-10T00:00:00Z\nkind="cost"\naccount="custody"\nbtc="500"\nref="c"\n[[cash_cost]]'
    (refusal,) = importing(("[[cash_cost]]", spent)).refusals
    assert str(refusal).startswith("movement “c”: btc: account “custody” has 474.62 BTC")


def test_an_amendment_that_comes_between_is_carried_into_the_later() -> None:
    result = importing(
        (
            "  [[facility.waiver]]",
            '  [[facility.amendment]]\n  effective=2026-02-15\n  cushion="0.05"\n  [[facility.waiver]]',
        )
    )
    first, february, march = result.treasury.facilities[0].versions
    assert [str(version.terms.cushion) for version in (first, february, march)] == ["0", "1/20", "1/20"]
    assert [str(version.terms.rate) for version in (first, february, march)] == ["7/100", "7/100", "2/25"]
    assert [(change.what, change.id, change.facility) for change in (*result.additions, *result.changes)] == [
        (What.AMENDMENT, "2026-02-15", "antalpha"),
        (What.AMENDMENT, "2026-03-01", "antalpha"),
    ]
    assert result.changes[0].thing == march
    assert merge(result.treasury, RECORDED) == Merge(result.treasury)


def test_what_plimsoll_recorded_of_a_call_stays() -> None:
    (notice,) = RECORDED.notices
    recovered = replace(RECORDED, notices=(replace(notice, recovered=notice.at, met=notice.at),))
    assert merge(recovered, RECORDED) == Merge(recovered)


def test_a_call_that_ended_cannot_end_otherwise() -> None:
    (notice,) = RECORDED.notices
    met = replace(RECORDED, notices=(replace(notice, met=notice.at),))
    (refusal,) = merge(met, edited(('ref = "notice 1"', 'ref = "notice 1"\nmet = 2026-02-08T20:00:00Z #'))).refusals
    assert str(refusal).startswith("call “notice 1”: met: 2026-02-08T20:00:00Z, but 2026-02-07T14:15:00Z is recorded")


ADDITIVE = [name for name, (_, line) in ONE_CHANGE.items() if line.startswith("+")]


def contents(treasury: Treasury) -> Treasury:
    """The treasury with its lists in one order."""
    lists = ("accounts", "facilities", "groups", "notices", "needs", "movements", "cash_costs", "statements")
    waivers = tuple(
        replace(one, waivers=tuple(sorted(one.waivers, key=lambda waiver: waiver.since))) for one in treasury.facilities
    )
    treasury = replace(treasury, facilities=waivers)
    return replace(treasury, **{name: tuple(sorted(getattr(treasury, name), key=repr)) for name in lists})


@settings(max_examples=30, deadline=None)
@given(st.permutations(ADDITIVE))
def test_it_does_not_matter_in_what_order_files_come(names: list[str]) -> None:
    treasury = RECORDED
    for name in names:
        result = merge(treasury, edited(ONE_CHANGE[name][0]))
        assert (result.refusals, len(result.additions), result.changes) == ((), 1, ())
        treasury = result.treasury
    everything = merge(RECORDED, edited(*(ONE_CHANGE[name][0] for name in ADDITIVE))).treasury
    assert contents(treasury) == contents(everything)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(sorted(ONE_CHANGE)), unique=True))
def test_whatever_a_file_says_importing_it_twice_is_importing_it_once(names: list[str]) -> None:
    once = importing(*(ONE_CHANGE[name][0] for name in names))
    assert (len(once.lines), once.refusals) == (len(names), ())
    assert merge(once.treasury, edited(*(ONE_CHANGE[name][0] for name in names))) == Merge(once.treasury)
