"""One file, the same twice, or many files in whatever order they are taken: the same books."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.answers import holdings_document, ltv_document, production_document
from bot.domain.book import Book, Register
from bot.domain.price import PriceView
from bot.domain.report import months_asked
from bot.domain.treasury import Treasury
from bot.services.errors import RefusedError
from bot.services.importing import try_file
from bot.treasury_file import TreasuryFileError, read_file

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
END = OPENED + timedelta(days=120)
HEAD = '[treasury]\nname = "T"\ntimezone = "UTC"\nopened = 2026-01-01T00:00:00Z\n'
FACILITY = """[[facility]]
id = "antalpha"
lender = "Antalpha"
principal = "2000000.00"
collateral_btc = "50"
drawn = 2025-01-01
rate = "0.07"
day_count = "ACT/360"
interest = "capitalised"
  [[facility.tier]]
  kind = "call"
  ltv = "0.75"
  cure_to = "0.65"
  window_hours = 24
"""
ACCOUNTS = '[[account]]\nid = "custody"\nbtc = "4"\nusd = "100000.00"\n[[account]]\nid = "exchange"\n'
FIRST = HEAD + ACCOUNTS + FACILITY
AMENDED = ('rate = "0.09"', 'cushion = "0.02"', 'rate = "0.08"\n  cushion = "0.03"', 'min_repayment = "5"')
PURSE = st.sampled_from(["custody", "exchange"])
KINDS = ("mined", "sold", "pledged", "released", "transfer", "sent", "credited", "cost", "repaid", "reversal")


@st.composite
def movements(draw: st.DrawFn) -> list[str]:
    """Tables of a file; each may rest on any before it."""
    made, sent, refs = [], list[str](), list[str]()
    for number in range(draw(st.integers(1, 9))):
        kind, account, btc = draw(st.sampled_from(KINDS)), draw(PURSE), draw(st.integers(1, 5))
        ref = f"m{number}"
        other = "exchange" if account == "custody" else "custody"
        at = OPENED + timedelta(hours=12 * draw(st.integers(1, 60)))
        mine, loan, coins = f'account = "{account}"', 'facility = "antalpha"', f'btc = "{btc}"'
        said = {
            "mined": (kind, mine, coins),
            "sold": (kind, mine, coins, f'usd = "{btc}0000"', f'order = "o{number % 3}"'),
            "pledged": (kind, mine, loan, coins),
            "released": (kind, mine, loan, coins),
            "transfer": (kind, mine, f'to = "{other}"', coins),
            "sent": (kind, mine, loan, coins),
            "credited": ("pledged", mine, loan, 'btc = "1"', f'of = "{draw(st.sampled_from(sent or ["m0"]))}"'),
            "cost": (kind, mine, f'usd = "{btc}000"'),
            "repaid": (kind, mine, loan, f'usd = "{btc}0000"'),
            "reversal": ("", f'reverses = "{draw(st.sampled_from(refs or ["m0"]))}"'),
        }
        name, *fields = said[kind]
        fields = [*([f'kind = "{name}"'] if name else []), *fields]
        table = "\n".join(["[[movement]]", f"at = {at:%Y-%m-%dT%H:%M:%SZ}", f'ref = "{ref}"', *fields, ""])
        if taken(None, FIRST + "".join([*made, table])) is not None:
            made.append(table)
            refs.append(ref)
            sent += [ref] if kind == "sent" else []
    return made


@st.composite
def whole(draw: st.DrawFn) -> list[str]:
    """What can be in any file of its own: movements, terms, a call, months."""
    days = draw(st.lists(st.integers(2, 110), unique=True, max_size=3))
    amendments = [
        f"{FACILITY}  [[facility.amendment]]\n  effective = {OPENED + timedelta(days=day):%Y-%m-%d}\n  {terms}\n"
        for day, terms in zip(days, draw(st.permutations(AMENDED)), strict=False)
    ]
    months = [
        f'[[statement]]\nmonth = "2026-0{month}"\nmined = "{month}"\nsold = "0"\nheld = "1"\n'
        for month in draw(st.lists(st.integers(1, 3), unique=True))
    ]
    call = '[[call]]\nfacility = "antalpha"\ntier = "call"\nat = 2026-02-01T00:00:00Z\nprice = "50000"\nref = "n"\n'
    return [*draw(movements()), *amendments, *months, *draw(st.sampled_from([[], [call]]))]


def taken(recorded: Treasury | None, text: str) -> Treasury | None:
    """What is recorded after the file; None where it is refused."""
    try:
        return try_file(recorded, read_file, "f.toml", text).treasury
    except (RefusedError, TreasuryFileError):
        return None


def file_of(parts: list[str], accounts: str = "") -> str:
    """A file that says these; with `accounts`, the first of all. A loan has its amendments under it, or isn't named."""
    amendments = [part.removeprefix(FACILITY) for part in parts if part.startswith(FACILITY)]
    others = [part for part in parts if not part.startswith(FACILITY)]
    loan = [FACILITY, *sorted(amendments)] if accounts or amendments else []
    return "".join([HEAD, accounts, *loan, *others])


def import_in_any_order(files: list[list[str]], seen: list[str]) -> Treasury | None:
    """Each as soon as it is taken; None where some wait for each other for ever."""
    recorded, waiting = taken(None, FIRST), files
    while waiting:
        left = []
        for file in waiting:
            after = taken(recorded, file_of(file))
            seen.append("taken" if after is not None else "refused")
            recorded, left = (after, left) if after is not None else (recorded, [*left, file])
        if left == waiting:
            return None
        waiting = left
    return recorded


def books(treasury: Treasury) -> list[dict[str, Any]]:
    """Every answer, every few days."""
    register = Register.of(treasury)
    found = []
    at = OPENED
    while at <= END:
        book = Book(register, at, PriceView.scenario(70_000_00))
        production = production_document(book, months_asked(book, "ytd"))
        found.append({"ltv": ltv_document(book), "holdings": holdings_document(book), "production": production})
        at += timedelta(days=3, hours=12)
    return found


thoroughly = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thoroughly
@given(whole())
def test_the_same_file_twice_is_the_same_file_once(parts: list[str]) -> None:
    once = taken(None, file_of(parts, ACCOUNTS))
    assert once is not None
    again = try_file(once, read_file, "f.toml", file_of(parts, ACCOUNTS))
    assert (again.lines, again.treasury) == ((), once)


def test_split_into_files_in_any_order_that_is_taken_it_gives_the_same_books() -> None:
    seen: list[str] = []

    @settings(thoroughly, max_examples=90)
    @given(whole(), st.data())
    def split(parts: list[str], data: st.DataObject) -> None:
        once = taken(None, file_of(parts, ACCOUNTS))
        assert once is not None
        files: list[list[str]] = [[] for _ in range(data.draw(st.integers(2, 4)))]
        for part in parts:
            files[data.draw(st.integers(0, len(files) - 1))].append(part)
        found = import_in_any_order(data.draw(st.permutations([file for file in files if file])), seen)
        if found is None:
            seen.append("never taken")
            return
        assert books(found) == books(once)
        assert replace(found, movements=(), statements=()) == replace(once, movements=(), statements=())
        assert set(found.movements) == set(once.movements)
        assert set(found.statements) == set(once.statements)
        assert try_file(found, read_file, "f.toml", file_of(parts, ACCOUNTS)).lines == ()

    split()
    assert seen.count("taken") > seen.count("never taken")
    assert "refused" in seen
