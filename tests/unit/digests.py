"""Digests for the golden files: a week on the example's treasury with one of everything, and others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.alert import Episode, Person, Silence
from bot.domain.book import Book, Register
from bot.domain.digest import Digest, digest_of
from bot.domain.digest_words import told
from bot.domain.late import LateRecord
from bot.domain.merge_found import What
from bot.domain.price import PriceState, PriceView
from bot.domain.terms import Level
from bot.domain.treasury import Treasury
from bot.domain.weeks import Week, Weekly
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.views.digest import digest as view
from bot.treasury_file import read_treasury

GOLDEN = Path(__file__).parent.parent / "golden"
TREASURY = read_treasury("treasury.toml", (GOLDEN / "treasury.toml").read_text(encoding="utf-8"))
SOURCES = ("coinbase", "kraken", "bitstamp", "gemini")
WEEKLY = Weekly.parse("mon 09:00")
ENDED = WEEKLY.ended(datetime(2026, 2, 10, tzinfo=UTC), TREASURY.zone)
ADA = Person("U1", "Ada Byron")
SILENCE = Silence(
    1,
    frozenset({"price"}),
    frozenset(),
    "feeds <move>",
    ADA,
    datetime(2026, 2, 9, 12, tzinfo=UTC),
    datetime(2026, 2, 11, 12, tzinfo=UTC),
)
CALLED = Episode(
    "covenant:antalpha",
    datetime(2026, 2, 5, 15, 18, tzinfo=UTC),
    None,
    Level.CRITICAL,
    "margin call",
    "Antalpha is at its early warning: LTV 69.12 % ≥ 68.00 %",
    "Antalpha has called: margin call deadline MISSED (it was due Sun 08:15), LTV 21.24 %",
)
GROUP = Episode(
    "covenant:group:antalpha-all",
    datetime(2026, 2, 5, 20, 0, tzinfo=UTC),
    datetime(2026, 2, 8, 18, 10, tzinfo=UTC),
    Level.CRITICAL,
    "group call",
    "antalpha-all is at its group-call line: LTV 78.80 % ≥ 78.00 %",
    "antalpha-all is clear: LTV 21.20 %; it was at its group-call line, open for 2 d 22 h",
)

LATE = LateRecord(
    What.MOVEMENT,
    "sale <1>",
    datetime(2026, 2, 8, 18, tzinfo=UTC),
    datetime(2026, 2, 9, 16, 12, tzinfo=UTC),
)


def priced(at: datetime, usd: int, state: PriceState = PriceState.FRESH) -> PriceView:
    aged = timedelta(seconds=12) if not state.is_blind else timedelta(hours=12)
    return PriceView(state, usd * 100, at - aged, aged, SOURCES)


def of_week(
    week: Week = ENDED,
    at: datetime | None = None,
    usd: int = 70_940,
    was: int = 77_150,
    state: PriceState = PriceState.FRESH,
    treasury: Treasury = TREASURY,
    episodes: tuple[Episode, ...] = (),
    silences: tuple[Silence, ...] = (),
) -> Digest:
    register, now = Register.of(treasury), at or week.ends
    book = Book(register, now, priced(now, usd, state))
    before = Book(register, week.begins, priced(week.begins, was)) if week.begins >= treasury.opened else None
    return digest_of(week, WEEKLY.before(week, treasury.zone), book, before, episodes, silences)


def posted() -> Payload:
    """As it is posted, late, with one of everything."""
    found = of_week(episodes=(CALLED, GROUP), silences=(SILENCE,))
    found = replace(found, book=replace(found.book, late=(LATE,)))
    return view(told(found, found.week.ends + timedelta(hours=29)))


def so_far() -> Payload:
    now = datetime(2026, 2, 18, 12, tzinfo=UTC)
    return view(told(of_week(WEEKLY.running(now, TREASURY.zone), now, 68_500, 70_940)), Slash("tr-"))


def calm() -> Payload:
    """Nothing is borrowed against the coins that could be called, and nothing happened."""
    loans = tuple(replace(one, waivers=(), versions=one.versions[:1]) for one in TREASURY.facilities)
    quiet = replace(TREASURY, facilities=loans, notices=(), needs=(), movements=())
    week = WEEKLY.ended(datetime(2026, 2, 17, tzinfo=UTC), TREASURY.zone)
    return view(told(of_week(week, usd=68_500, was=68_500, treasury=quiet)))


def blind() -> Payload:
    week = WEEKLY.ended(datetime(2026, 2, 17, tzinfo=UTC), TREASURY.zone)
    return view(told(of_week(week, usd=68_500, state=PriceState.STALE)))


DIGESTS = {"digest": posted, "digest_so_far": so_far, "digest_calm": calm, "digest_no_price": blind}
