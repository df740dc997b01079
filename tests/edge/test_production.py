"""Production as people ask for it: at the command line and in Slack; and its alerts in the channel."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.store import Store

from .cli_process import Plimsoll
from .test_slack_bench import GOLDEN, Bench, bench, said

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "cango_months.csv"
SEVENTH = "2026-02-07T12:00:00Z"
MINED = 'kind = "mined"\naccount = "custody"\nbtc = "117.86"\nref = "m1"\n'


@pytest.fixture
def database_kind() -> str:
    """One is enough: it is the same register that every question reads."""
    return "sqlite"


@pytest.fixture
def bot(store: Store) -> Iterator[Bench]:
    with bench(store) as made:
        made.imports(GOLDEN)
        made.price(68_500)
        made.knows("U1")
        made.slack.clear_calls()
        yield made


def published(rows: list[dict[str, str]]) -> str:
    """The public months as a treasury file: each month's coins on its fifteenth, and its statement."""
    parts = ['[treasury]\nname = "Cango"\ntimezone = "UTC"\nopened = 2024-11-01T00:00:00Z\n']
    parts += ['[policy]\nrollforward_tolerance_btc = "0"\nstatement_due_day = 10\n[[account]]\nid = "custody"\n']
    for row in rows:
        month, moved = row["month"], f'at = {row["month"]}-15T00:00:00Z\naccount = "custody"\n'
        parts += [f'[[movement]]\n{moved}kind = "mined"\nbtc = "{row["mined_btc"]}"\nref = "mined {month}"\n']
        if float(row["sold_btc"]):
            sold = f'kind = "sold"\nbtc = "{row["sold_btc"]}"\nusd = "1.00"\nref = "sold {month}"\n'
            parts += [f"[[movement]]\n{moved}{sold}"]
        stated = f'mined = "{row["mined_btc"]}"\nsold = "{row["sold_btc"]}"\nheld = "{row["held_btc"]}"\n'
        parts += [f'[[statement]]\nmonth = "{month}"\n{stated}']
    return "\n".join(parts)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_public_record_rolls_forward_and_a_gap_is_told_with_its_amount(plimsoll: Plimsoll, tmp_path: Path) -> None:
    with SHARED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    (tmp_path / "cango.toml").write_text(published(rows))
    assert plimsoll("import", "cango.toml").code == 0
    months = []
    for instant in ("2024-12-31T23:59:59Z", "2025-12-31T23:59:59Z", "2026-02-01T00:00:00Z"):
        months += plimsoll("production", "ytd", "--at", instant, "--json").json["months"]
    stated = {month["month"]: (month["gap_btc"], month["findings"]) for month in months if month["statement"]}
    assert stated == {row["month"]: ("0.00000000", []) for row in rows}
    assert len(rows) == 15
    january = plimsoll("production", "2026-01", "--at", "2026-02-01T00:00:00Z", "--json").json
    amounts = [january[f"{name}_btc"] for name in ("opening", "mined", "sold", "other", "closing")]
    assert amounts == ["7528.30000000", "496.35000000", "550.03000000", "0.00000000", "7474.62000000"]
    (tmp_path / "restated.toml").write_text(published([*rows[:-1], {**rows[-1], "held_btc": "7474.60"}]))
    assert plimsoll("import", "restated.toml").code == 0
    (found,) = plimsoll("production", "2026-01", "--at", "2026-02-01T00:00:00Z", "--json").json["findings"]
    assert (found["key"], found["level"]) == ("production:2026-01:roll-forward", "warning")
    assert "the statement holds 0.02 BTC less than the movements" in found["text"]


def test_it_prints_a_month_and_the_year_and_refuses_what_is_none(imported: Plimsoll) -> None:
    month = imported("production", "--at", SEVENTH)
    assert month.out.splitlines()[2:5] == [
        "February 2026 so far (6 days over): mined 0.00 BTC, sold 0.00 BTC, 7,474.62 BTC held (days of UTC)",
        "  Warning: February 2026 is behind plan: 0.00 of 117.86 BTC planned for 6 days, 100.00 % short.",
        "  Opening 7,474.62 + mined 0.00 − sold 0.00 + other 0.00 = 7,474.62 BTC.",
    ]
    assert "January 2026 to February 2026 so far" in imported("production", "YTD", "--at", SEVENTH).out
    refusals = {
        "2026-13": "“2026-13” is not a month; write it as 2026-02, or ytd for the year to date\n",
        "2026-03": f"2026-03 has not begun at {SEVENTH}\n",
        "2025-12": "2025-12 ended before the treasury opened (2026-01-31T23:59:59Z)\n",
    }
    for asked, why in refusals.items():
        refused = imported("production", asked, "--at", SEVENTH)
        assert (refused.code, refused.out, refused.err) == (2, "", why)


def test_it_answers_in_slack(bot: Bench) -> None:
    text = said(bot, "/production")
    assert text.startswith("*February 2026 so far (6 days over): mined 0.00 BTC, sold 0.00 BTC, 7,474.62 BTC held*")
    assert "Warning: February 2026 is behind plan: 0.00 of 117.86 BTC planned for 6 days, 100.00 % short." in text
    assert "*January 2026: mined 0.00 BTC" in said(bot, "/production 2026-01")
    assert "*January 2026 to February 2026 so far" in said(bot, "/production YTD")
    assert "Nothing was mined." in said(bot, "/production sites")
    assert "Nothing was mined." in said(bot, "/production 2026-01 sites")
    bot.imports(f"{GOLDEN}\n[[movement]]\nat = {SEVENTH}\n{MINED}")
    bot.clock.passes(3600)
    assert "not said: 117.86 BTC, 100.00 %" in said(bot, "/production sites")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("<@U1> &amp; x", "is not a month"),
        ("2026-01 2026-02", "“2026-01 2026-02” is not a month"),
        ("2027-01", "2027-01 has not begun"),
        ("2025-01", "2025-01 ended before the treasury opened"),
    ],
)
def test_what_is_no_month_is_refused_with_an_example(bot: Bench, words: str, why: str) -> None:
    text = said(bot, f"/production {words}")
    assert why in text
    assert "/production 2026-01" in text
    assert "<@U1>" not in text


def test_a_month_behind_plan_is_one_message_that_closes_by_itself(bot: Bench) -> None:
    bot.checks(68_500)
    (post,) = [m for m in bot.slack.channel("C1") if "behind plan" in m.headline]
    assert "<!channel>" not in post.text
    assert "alert_plan" not in post.action_ids
    bot.clock.passes(3600)
    bot.imports(f"{GOLDEN}\n[[movement]]\nat = {SEVENTH}\n{MINED}")
    bot.checks(68_500)
    assert post.text.startswith("February 2026 is not behind plan: 117.86 of 117.86 BTC planned for 6 days")
    assert [reply.headline for reply in post.replies] == [
        "Closed: February 2026 is not behind plan: 117.86 of 117.86 BTC planned for 6 days, as planned"
    ]


def test_a_long_year_of_long_names_still_fits_into_a_message(bot: Bench) -> None:
    """The bench is strict: what Slack would refuse is a failure here."""
    rows = [GOLDEN]
    for number in range(120):
        at = f"[[movement]]\nat = 2026-02-0{number % 5 + 1}T00:00:00Z\naccount = 'custody'\nbtc = '0.01'\n"
        rows.append(f"{at}kind = 'mined'\nsite = '{'Ω' * 60} {number}'\nregion = '{'&' * 60}'\nref = 'm{number}'\n")
        rows.append(f"{at}kind = 'sold'\nusd = '700.00'\norder = '{'<' * 90} {number}'\nref = 's{number}'\n")
    bot.imports("\n".join(rows))
    for asked in ("2026-02", "ytd", "sites"):
        text = said(bot, f"/production {asked}")
        assert "more: plimsoll production lists them all" in text
        assert "February 2026 so far" in text
