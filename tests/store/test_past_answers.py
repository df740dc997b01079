"""What was answered at an instant is answered for it ever after, or the answer names what came late: on a real file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.alerts import AlertPolicy
from bot.domain.answers import holdings_document, ltv_document, production_document
from bot.domain.book import Book
from bot.domain.quotes import PricePolicy
from bot.domain.report import months_asked
from bot.services.books import Books
from bot.services.importing import import_file
from bot.services.questions import Questions
from bot.store.engine import open_engine
from bot.store.store import Store
from bot.treasury_file import read_file

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HEAD = '[treasury]\nname = "T"\ntimezone = "UTC"\nopened = 2026-01-01T00:00:00Z\n'
FACILITY = """
[[facility]]
id = "antalpha"
lender = "Antalpha"
principal = "20000000.00"
collateral_btc = "500"
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
FIRST = f'{HEAD}[[account]]\nid = "custody"\nbtc = "1000"\nusd = "1000000.00"\n{FACILITY}'


def written(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Said:
    """One thing to record: its text in a file, and, as this test reckons it, what it is and from when it counts."""

    text: str
    what: str
    ref: str
    at: datetime


def movement(ref: str, at: datetime, more: str) -> Said:
    return Said(f'[[movement]]\nat = {written(at)}\nref = "{ref}"\n{more}\n', "movement", ref, at)


MOVED = {
    "mined": 'account = "custody"\nbtc = "3"',
    "sold": 'account = "custody"\nbtc = "2"\nusd = "140000"',
    "pledged": 'account = "custody"\nfacility = "antalpha"\nbtc = "5"',
    "repaid": 'account = "custody"\nfacility = "antalpha"\nusd = "1000"',
}


def amendment(number: int, at: datetime, known: list[Said]) -> Said | None:
    day = f"{at:%Y-%m-%d}"
    terms = f'  [[facility.amendment]]\n  effective = {day}\n  rate = "0.{10 + number}"\n'
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    there = any(one.ref == f"antalpha {day}" for one in known)
    return None if there else Said(FACILITY + terms, "amendment", f"antalpha {day}", midnight)


def call(number: int, at: datetime, known: list[Said]) -> Said | None:
    return Said(notice(f"call {number}", at), "call", f"call {number}", at)


def met(number: int, at: datetime, known: list[Said]) -> Said | None:
    ended = {one.ref for one in known if one.what == "call met"}
    open_ = [one for one in known if one.what == "call" and one.at <= at and one.ref not in ended]
    if not open_:
        return None
    ref = open_[0].ref
    return Said(f"{notice(ref, open_[0].at)}met = {written(at)}\n", "call met", ref, at)


def reversal(number: int, at: datetime, known: list[Said]) -> Said | None:
    undone = {one.text.split('reverses = "')[1].split('"')[0] for one in known if "reverses" in one.text}
    mined = [one.ref for one in known if one.ref.startswith("mined") and one.ref not in undone and one.at <= at]
    return movement(f"undo {number}", at, f'reverses = "{mined[0]}"') if mined else None


def statement(number: int, at: datetime, known: list[Said]) -> Said | None:
    month, begins = month_of(number)
    text = f'[[statement]]\nmonth = "{month}"\nmined = "{number}"\nsold = "0"\nheld = "{number}"\n'
    return Said(text, "statement", month, begins)


def cash_cost(number: int, at: datetime, known: list[Said]) -> Said | None:
    month, begins = month_of(number)
    return Said(f'[[cash_cost]]\nmonth = "{month}"\nusd_per_btc = "{number + 1}"\n', "cash_cost", month, begins)


def month_of(number: int) -> tuple[str, datetime]:
    month = 1 + number % 4
    return f"2026-{month:02d}", datetime(2026, month, 1, tzinfo=UTC)


OTHERS = (amendment, call, met, reversal, statement, cash_cost)


def notice(ref: str, at: datetime) -> str:
    return f'[[call]]\nfacility = "antalpha"\ntier = "call"\nat = {written(at)}\nprice = "50000"\nref = "{ref}"\n'


@dataclass
class Story:
    """Things in the order of recording, each with its instant: those with the same were one file."""

    recorded: list[tuple[datetime, Said]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A file a day or so for some days; each thing is dated long before, just before, at, or after its recording."""
    told, known, now = [], list[Said](), OPENED + 20 * DAY
    for number in range(draw(st.integers(1, 7))):
        now += draw(st.sampled_from([timedelta(0), HOUR, 3 * DAY, 20 * DAY])) if told else timedelta(0)
        ago = draw(st.sampled_from([18 * DAY, 2 * DAY, HOUR, timedelta(0), -HOUR, -5 * DAY]))
        kind = draw(st.sampled_from([*MOVED, *OTHERS]))
        if isinstance(kind, str):
            thing: Said | None = movement(f"{kind} {number}", now - ago, f'kind = "{kind}"\n{MOVED[kind]}')
        else:
            thing = kind(number, now - ago, known)
        if thing is not None:
            told.append((now, thing))
            known.append(thing)
    return Story(told)


class By:
    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at


@contextmanager
def new_store(template: Path) -> Iterator[Store]:
    with TemporaryDirectory() as directory:
        shutil.copy(template, f"{directory}/plimsoll.db")
        store = Store(open_engine(f"sqlite:///{directory}/plimsoll.db"))
        yield store
        store.close()


def answers(book: Book) -> dict[str, Any]:
    documents = {"ltv": ltv_document(book), "holdings": holdings_document(book)}
    documents |= {f"production {month}": production_document(book, [month]) for month in months_asked(book, "ytd")}
    return json.loads(json.dumps(documents))  # type: ignore[no-any-return]


def late_by_hand(story: Story, asked: datetime, question: str) -> set[tuple[str, str, str, str]]:
    """What was recorded after `asked`, counts from it or before, and has to do with the question."""
    found: dict[tuple[str, str], tuple[str, str, str, str]] = {}
    month = question.partition(" ")[2]
    for recorded, one in story.recorded:
        monthly = one.what in ("statement", "cash_cost")
        if month:
            concerns = one.ref == month if monthly else one.what == "movement" and f"{one.at:%Y-%m}" <= month
        else:
            concerns = not monthly and (question == "ltv" or one.what in ("movement", "amendment"))
        if recorded > asked >= one.at and concerns:
            found[one.what, one.ref] = one.what, one.ref, written(one.at), written(recorded)
    return set(found.values())


def carried_on(story: Story, asked: datetime) -> set[str]:
    """Amendments that one recorded after `asked` comes before, and so changes with it; in force then or not."""
    amendments = [(recorded, one) for recorded, one in story.recorded if one.what == "amendment"]
    return {
        later.ref
        for recorded, one in amendments
        for known, later in amendments
        if recorded > asked and known <= recorded and later.at > one.at
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def past(template: Path, seen: list[str], story: Story) -> None:
    with new_store(template) as store:
        clock = By(OPENED + 10 * DAY)
        import_file(store, read_file, "f.toml", FIRST, clock=clock, by="t")
        questions = Questions(store, Books(AlertPolicy(), PricePolicy()), clock)
        then = {clock.at: answers(questions.book())}
        for now in dict.fromkeys(now for now, _ in story.recorded):
            clock.at = now
            for thing in (one for at, one in story.recorded if at == now):
                import_file(store, read_file, "f.toml", HEAD + thing.text, clock=clock, by="t")
            then[now] = answers(questions.book())
        clock.at += 40 * DAY
        for instant, before in then.items():
            again = answers(questions.book(at=instant))
            for question, answer in again.items():
                assert before[question]["restated"] == []
                late = {(one["what"], one["ref"], one["at"], one["recorded_at"]) for one in answer["restated"]}
                expected = late_by_hand(story, instant, question)
                assert late >= expected
                assert {ref for what, ref, *_ in late - expected} <= carried_on(story, instant)
                if not late:
                    assert answer == before[question]
                seen.append(
                    "unchanged"
                    if not late
                    else "changed"
                    if answer != {**before[question], "restated": answer["restated"]}
                    else "named"
                )


@pytest.fixture
def template(_migrated: Callable[[str], str]) -> Path:
    return Path(_migrated("sqlite").removeprefix("sqlite:///"))


def test_what_was_answered_is_answered_ever_after_or_what_came_late_is_named(template: Path) -> None:
    seen: list[str] = []
    past(template, seen)
    assert set(seen) == {"unchanged", "changed", "named"}
