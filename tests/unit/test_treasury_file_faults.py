"""Every mistake in a treasury file is one line that says what is wrong and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    # what a key is
    "a float for a rate": (
        (('rate = "0.07"', "rate = 0.07"),),
        f'{F}: rate: 0.07 is a float; write it in quotes: "0.07"',
    ),
    "a float for coins": (
        (('collateral_btc = "7000"', "collateral_btc = 7000.50"),),
        f'{F}: collateral_btc: 7000.50 is a float; write it in quotes: "7000.50"',
    ),
    "a number for dollars": (
        (('min_repayment = "0.00"', "min_repayment = 25000"),),
        f'{F}: min_repayment: 25000 is a number; write it in quotes: "25000"',
    ),
    "a truth for dollars": (
        (('min_repayment = "0.00"', "min_repayment = true"),),
        f'{F}: min_repayment: true is not text; write it in quotes, as "25000.00"',
    ),
    "text for a whole number": (
        (("fee_bps = 10", 'fee_bps = "10"'),),
        "policy: fee_bps: “10” is text; write it without quotes: 10",
    ),
    "a float for a whole number": (
        (("fee_bps = 10", "fee_bps = 10.5"),),
        "policy: fee_bps: 10.5 is not a whole number; write one from 0 to 10000.",
    ),
    "too many decimals in coins": (
        (('btc = "474.62"', 'btc = "474.123456789"'),),
        "account[1] (custody): btc: “474.123456789” has more than 8 decimal places; coins go to the satoshi.",
    ),
    "too many decimals in dollars": (
        (('usd = "10000000.00"', 'usd = "10000000.005"'),),
        "account[1] (custody): usd: “10000000.005” has more than 2 decimal places; dollars go to the cent.",
    ),
    "thousands separators": (
        (('usd = "10000000.00"', 'usd = "10,000,000.00"'),),
        'account[1] (custody): usd: “10,000,000.00” is not a decimal number; write it as "10000000.00"',
    ),
    "a negative amount": (
        (('principal = "300000000.00"', 'principal = "-1"'),),
        f"{F}: principal: “-1” is negative; write 0 or more.",
    ),
    "more coins than there are": (
        (('btc = "474.62"', 'btc = "47462000000"'),),
        "account[1] (custody): btc: “47462000000” is more than the 21,000,000.00 BTC there will ever be.",
    ),
    "a need of nothing": (
        (('usd = "38000000.00"', 'usd = "0"'),),
        "need[1] “operations”: usd: “0” is nothing; write more than 0.",
    ),
    "a negative price": (
        (('price = "57100"', 'price = "-57100"'),),
        "call[1] “notice 1”: price: “-57100” is negative; write more than 0.",
    ),
    "a percentage for a ratio": (
        ((MARGIN, MARGIN.replace("0.75", "75%")),),
        f'{CALL_TIER}: ltv: “75%” is not a ratio; write it as "0.7500"',
    ),
    "a percentage number for an ltv": (
        ((MARGIN, MARGIN.replace("0.75", "75")),),
        f"{CALL_TIER}: ltv: “75” is no LTV; write a ratio above 0, as “0.75” for 75 %.",
    ),
    "an ltv of nothing": (
        ((MARGIN, MARGIN.replace("0.75", "0")),),
        f"{CALL_TIER}: ltv: “0” is no LTV; write a ratio above 0, as “0.75” for 75 %.",
    ),
    "a coverage in per cent": (
        ((MARGIN, MARGIN.replace('ltv = "0.75"', 'coverage = "133"')),),
        f"{CALL_TIER}: coverage: “133” is no coverage; write collateral over debt, as “4/3” or “1.35”.",
    ),
    "a division by zero": (
        ((MARGIN, MARGIN.replace("0.75", "4/0")),),
        f'{CALL_TIER}: ltv: “4/0” is not a ratio; write it as "0.75" or "4/3"',
    ),
    "a negative rate": (
        (('rate = "0.07"', 'rate = "-0.07"'),),
        f"{F}: rate: “-0.07” is negative; write 0 or more.",
    ),
    "a rate in per cent": (
        (('rate = "0.07"', 'rate = "7"'),),
        f"{F}: rate: “7” is not under 1; write a ratio, as “0.30” for 30 %.",
    ),
    "a cushion of all": (
        (('cushion = "0"', 'cushion = "1"'),),
        f"{F}: cushion: “1” is not under 1; write a ratio, as “0.30” for 30 %.",
    ),
    "selling more than is mined": (
        (('sell_of_mined = "1.0"', 'sell_of_mined = "1.5"'),),
        "policy: sell_of_mined: “1.5” is over 1; write a ratio from 0 to 1, as “0.30” for 30 %.",
    ),
    "a drop of all": (
        (('withstand_drop = "0.30"', 'withstand_drop = "1"'),),
        "policy: withstand_drop: “1” is not under 1; write a ratio, as “0.30” for 30 %.",
    ),
    "the 31st as a due day": (
        (("statement_due_day = 5", "statement_due_day = 31"),),
        "policy: statement_due_day: 31 is out of range; write 1 to 28.",
    ),
    "a sale that brings nothing": (
        (("slippage_bps = 40", "slippage_bps = 9990"),),
        "policy: slippage_bps: with fee_bps it is 10000; a sale must bring something: under 10000.",
    ),
    "a curve beside flat slippage": (
        (("slippage_bps = 40", 'slippage_bps = 40\nslippage = [{ btc = "500", bps = 20 }]'),),
        "policy: slippage: stands beside slippage_bps; write one of the two.",
    ),
    "a curve that gets cheaper": (
        (("slippage_bps = 40", 'slippage = [{ btc = "500", bps = 60 }, { btc = "500", bps = 20 }]'),),
        "policy: slippage: step 2 loses 20 bps, less than the 60 before it; no step may.",
    ),
    "a step without coins": (
        (("slippage_bps = 40", "slippage = [{ bps = 60 }]"),),
        "policy: slippage: step 1 needs btc and bps and nothing else; write it "
        'as [{ btc = "500", bps = 20 }, { btc = "1000", bps = 60 }]',
    ),
    "a step of nothing": (
        (("slippage_bps = 40", "slippage = [{}]"),),
        "policy: slippage: step 1 needs btc and bps and nothing else; write it "
        'as [{ btc = "500", bps = 20 }, { btc = "1000", bps = 60 }]',
    ),
    "a step of coins as a float": (
        (("slippage_bps = 40", "slippage = [{ btc = 0.5, bps = 60 }]"),),
        'policy: slippage: step 1: 0.5 is a float; write it in quotes: "0.5"',
    ),
    "no list of steps": (
        (("slippage_bps = 40", 'slippage = "40"'),),
        "policy: slippage: “40” is no list of steps; write it "
        'as [{ btc = "500", bps = 20 }, { btc = "1000", bps = 60 }]',
    ),
    "a curve that brings nothing": (
        (("slippage_bps = 40", 'slippage = [{ btc = "500", bps = 9990 }]'),),
        "policy: slippage: with fee_bps it is 10000; a sale must bring something: under 10000.",
    ),
    "negative hours": (
        (("ready_hours = 4", "ready_hours = -4"),),
        "account[1] (custody): ready_hours: “-4” is negative; write 0 or more.",
    ),
    "hours as a float": (
        (("ready_hours = 4", "ready_hours = 4.5"),),
        'account[1] (custody): ready_hours: 4.5 is a float; write it in quotes: "4.5"',
    ),
    "a word that isn't one": (
        (('interest = "capitalised"', 'interest = "capitalized"'),),
        f"{F}: interest: “capitalized” is unknown; did you mean “capitalised”?",
    ),
    "a word far from any": (
        (('on_recovery = "stays"', 'on_recovery = "x"'),),
        f"{F}: on_recovery: “x” is unknown; write stays, below_call or at_cure.",
    ),
    "an unknown venue": (
        (('cushion = "0"', 'reference = "krakn"'),),
        f"{F}: reference: “krakn” is no venue that Plimsoll asks; did you mean “kraken”?",
    ),
    "a level that is none": (
        ((EARLY, f'{EARLY}\n  level = "ok"'),),
        f"{F} tier[1] “early warning”: level: “ok” is unknown; write notice, warning or critical.",
    ),
    "an id with capitals": (
        (('[[group]]\nid = "antalpha-all"', '[[group]]\nid = "Antalpha All"'),),
        "group[1] (Antalpha All): id: “Antalpha All” is no id; write small letters, digits and hyphens, as "
        "“antalpha-all”.",
    ),
    "a line break in a name": (
        (('reason = "standstill letter"', 'reason = "standstill\\nletter"'),),
        f"{F} waiver[1]: reason: “standstill letter” has a line break or another control character; write "
        "it on one line.",
    ),
    "an empty name": (
        (('lender = "Antalpha"', 'lender = " "'),),
        f"{F}: lender: is empty; write what it is called, or leave the key out.",
    ),
    "a number for a name": (
        (('purpose = "operations"', "purpose = 7"),),
        'need[1]: purpose: 7 is a number; write it in quotes: "7"',
    ),
    # time
    "an unknown zone": (
        (('timezone = "America/Chicago"', 'timezone = "America/Chicgo"'),),
        "treasury: timezone: “America/Chicgo” is no time zone; did you mean “America/Chicago”?",
    ),
    "a zone that is this machine's own": (
        (('timezone = "America/Chicago"', 'timezone = "localtime"'),),
        "treasury: timezone: “localtime” is no time zone; write an IANA zone, as “America/Chicago”.",
    ),
    "a zone of the machinery": (
        (('timezone = "America/Chicago"', 'timezone = "posixrules"'),),
        "treasury: timezone: “posixrules” is no time zone; write an IANA zone, as “America/Chicago”.",
    ),
    "a zone of a machine that was never set up": (
        (('timezone = "America/Chicago"', 'timezone = "Factory"'),),
        "treasury: timezone: “Factory” is no time zone; write an IANA zone, as “America/Chicago”.",
    ),
    "pledged coins that are no number": (
        (('collateral_btc = "7000"', 'collateral_btc = "many"'),),
        f'{F}: collateral_btc: “many” is not a decimal number; write it as "7000"',
    ),
    "stated coins that are no number": (
        (('mined = "496.35"', 'mined = "496,35"'),),
        'statement[1] (2026-01): mined: “496,35” is not a decimal number; write it as "496.35"',
    ),
    "a zone that is a folder": (
        (('timezone = "America/Chicago"', 'timezone = "zzz"'),),
        "treasury: timezone: “zzz” is no time zone; write an IANA zone, as “America/Chicago”.",
    ),
    "a naive time": (
        (("at = 2026-02-07T14:15:00Z", "at = 2026-02-07T14:15:00"),),
        "call[1] “notice 1”: at: 2026-02-07T14:15:00 has no time zone; write 2026-02-07T14:15:00Z",
    ),
    "a date for an instant": (
        (("at = 2026-02-07T14:15:00Z", "at = 2026-02-07"),),
        "call[1] “notice 1”: at: 2026-02-07 is a date; write an instant with its zone: 2026-02-07T14:15:00Z",
    ),
    "an instant in quotes": (
        (("at = 2026-02-07T14:15:00Z", 'at = "2026-02-07T14:15:00Z"'),),
        "call[1] “notice 1”: at: “2026-02-07T14:15:00Z” is text; write it without quotes: 2026-02-07T14:15:00Z",
    ),
    "no instant at all": (
        (("at = 2026-02-07T14:15:00Z", 'at = "saturday"'),),
        "call[1] “notice 1”: at: “saturday” is not an instant with its zone; write it as 2026-02-07T14:15:00Z",
    ),
    "an instant for a date": (
        (("effective = 2026-03-01", "effective = 2026-03-01T00:00:00Z"),),
        f"{F} amendment[1] (2026-03-01T00:00:00Z): effective: 2026-03-01T00:00:00Z is an instant; "
        "write a date: 2026-03-01",
    ),
    "a date in quotes": (
        (("drawn = 2024-11-11", 'drawn = "2024-11-11"'),),
        f"{F}: drawn: “2024-11-11” is text; write it without quotes: 2024-11-11",
    ),
    "a year of two digits": (
        (("drawn = 2024-11-11", "drawn = 0024-11-11"),),
        f"{F}: drawn: 0024-11-11 is out of range; write a year from 2009 to 2199.",
    ),
    "a time of day that isn't": (
        (('close = "17:00"', 'close = "5 pm"'),),
        'calendar[1] (new-york): close: “5 pm” is not a time of day; write it as "17:00"',
    ),
    "a calendar that closes before it opens": (
        (('close = "17:00"', 'close = "08:00"'),),
        "calendar[1] (new-york): close: 08:00 is not after open 09:00; it closes the same day.",
    ),
    "closed days that are no list": (
        (("closed = [2026-02-16]", "closed = 2026-02-16"),),
        "calendar[1] (new-york): closed: 2026-02-16 is not a list of dates; write it as [2026-02-16]",
    ),
    "a month that isn't": (
        (('[[statement]]\nmonth = "2026-01"', '[[statement]]\nmonth = "2026-1"'),),
        'statement[1] (2026-1): month: “2026-1” is not a month; write it as "2026-01"',
    ),
    "a month of no year that there was": (
        (('[[statement]]\nmonth = "2026-01"', '[[statement]]\nmonth = "0000-01"'),),
        "statement[1] (0000-01): month: “0000-01” is out of range; write a year from 2009 to 2199",
    ),
    # keys and tables
    "an unknown key": (
        (("fee_bps = 10", "fees_bps = 10"),),
        "policy: fees_bps: unknown key; did you mean “fee_bps”?",
    ),
    "an unknown key far from any": (
        (('held = "7474.62"', 'held = "7474.62"\ncolour = "red"'),),
        "statement[1] (2026-01): colour: unknown key; here may be month, mined, sold or held.",
    ),
    "an unknown table": (
        (("[[need]]", "[[needs]]"),),
        "needs: unknown table; did you mean [[need]]?",
    ),
    "a key outside a table": (
        (("[treasury]", 'x = "y"\n[treasury]'),),
        "x: unknown key outside a table; the tables are [treasury], [policy], [[calendar]], [[account]], "
        "[[facility]], [[group]], [[call]], [[need]], [[movement]], [[cash_cost]], [[statement]].",
    ),
    "one table where there may be many": (
        (("[[need]]", "[need]"),),
        "need: is one table; write [[need]]",
    ),
    "many tables where there is one": (
        (("[policy]", "[[policy]]"),),
        "policy: is a list; write [policy] once.",
    ),
    "a value where tables are due": (
        ((EARLY, '  tiers = "none"\n' + EARLY),),
        f"{F}: tiers: unknown key; did you mean “tier”?",
    ),
    "a missing key": (
        (('rate = "0.07"\n', ""),),
        f'{F}: rate is missing; write for example rate = "0.07"',
    ),
    "a missing line": (
        ((MARGIN, '  name = "margin call" '),),
        f'{CALL_TIER}: ltv is missing; a tier has one line, for example ltv = "0.75", or coverage, or price',
    ),
    "a missing kind of movement": (
        (('kind = "sold"\n', ""),),
        'movement[1] “sale 1”: kind is missing; write for example kind = "sold"',
    ),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_it_says_what_is_wrong_and_what_would_be_right(name: str) -> None:
    edits, line = ONE_FAULT[name]
    assert faults_of(edited(*edits)) == [f"treasury.toml: {line}"]


def test_it_misses_the_treasury() -> None:
    assert in_order(edited(("[treasury]", "[treasure]"))) == [
        "[treasury] is missing; a treasury file begins with [treasury] and its name, timezone and opened.",
        "treasure: unknown table; did you mean [treasury]?",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "\ufeff"])
def test_it_says_that_a_file_is_empty(text: str) -> None:
    assert in_order(text) == [
        "the file is empty; a treasury file begins with [treasury] and its name, timezone and opened."
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[treasury]\nname = Example", "line 2, column 8: not valid TOML: invalid value."),
        ("[treasury", "line 1, column 10: not valid TOML: expected ']' at the end of a table declaration."),
        (
            "[a]\nb = 1\nb = 2\n",
            "line 3, column 6: not valid TOML: “b” is written twice in one table; keep one of them.",
        ),
        (
            '[a]\n"b" = 1\nb = """\nc = 1\n"""',
            "line 5, column 4: not valid TOML: “b” is written twice in one table; keep one of them.",
        ),
        ("[a]\n[a]\n", "line 2, column 3: not valid TOML: [a] is written twice; keep one of them."),
        (f"a = {'9' * 5000}", "has a number too long to be read; write amounts in quotes."),
        ("a = " + "[" * 5000, "is nested too deeply to be read; a treasury file has tables two deep."),
    ],
)
def test_it_says_where_toml_itself_is_broken(text: str, line: str) -> None:
    assert in_order(text) == [line]


def test_it_names_every_fault_at_once_in_file_order() -> None:
    text = edited(
        ('timezone = "America/Chicago"', 'timezone = "Chicago"'),
        ("fee_bps = 10", "fees = 10"),
        ('rate = "0.07"', "rate = 0.07"),
        (LIQUIDATION, LIQUIDATION.replace("0.90", "0.70")),
        ("until = 2026-02-10T00:00:00Z", "until = 2026-02-10T00:00:00"),
        ('price = "57100"', 'price = "57,100"'),
        ('kind = "repaid"\nusd = "250000000.00"', 'kind = "repaid"'),
        ('held = "7474.62"', ""),
    )
    assert [line.split(":")[0] + ":" + line.split(":")[1].split(" is")[0] for line in in_order(text)] == [
        "treasury: timezone",
        "policy: fees",
        f"{F}: rate",
        f"{F} tier[3] “liquidation”: ltv 0.70",
        f"{F} waiver[1]: until",
        "call[1] “notice 1”: price",
        "statement[1] (2026-01): held",
    ]


APART = [name for name, (edits, _) in ONE_FAULT.items() if len(edits) == 1 and "[" not in edits[0][0]]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(APART), min_size=2, max_size=5, unique=True))
def test_every_fault_of_a_file_with_several_is_reported(names: list[str]) -> None:
    """Mistakes in tables of their own: each is reported as if it were alone."""
    text, expected, tables = CONTRACT, [], set()
    for name in names:
        ((old, new),), line = ONE_FAULT[name]
        table = line.split("[")[0].split(":")[0]
        if text.count(old) == 0 or table in tables:
            continue
        tables.add(table)
        text = text.replace(old, new, 1)
        expected.append(f"treasury.toml: {line}")
    assert set(expected) <= set(faults_of(text))


ANYTHING = (
    *("-1", "1.5", "nan", "true", '""', '"x"', '"1/0"', "[]", "[[]]", "{x = 1}", "2026-01-01", "2026-01-01T00:00:00"),
    *("0001-01-01T00:00:00+14:00", "00:00:00"),
)


@pytest.mark.parametrize("value", ANYTHING)
def test_whatever_is_written_it_answers_in_lines(value: str) -> None:
    lines = CONTRACT.splitlines()
    for number, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if equals:
            answers_in_lines("\n".join([*lines[:number], f"{key} = {value}", *lines[number + 1 :]]))


def test_whatever_is_left_out_it_answers_in_lines() -> None:
    lines = CONTRACT.splitlines()
    for number in range(len(lines)):
        answers_in_lines("\n".join([*lines[:number], *lines[number + 1 :]]))


def answers_in_lines(text: str) -> None:
    faults: list[str] = []
    try:
        read_treasury("treasury.toml", text)
    except TreasuryFileError as refused:
        faults = refused.faults
    assert all(fault.startswith("treasury.toml: ") and "\n" not in fault for fault in faults)
    assert not any("pydantic" in fault or "Input should" in fault for fault in faults)
