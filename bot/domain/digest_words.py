"""The digest in words: which week, what is to be done, and the figures under their titles. For Slack and terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.advice import advice
from bot.domain.alert import Episode, family, subject
from bot.domain.answers import holdings_value, net
from bot.domain.audit import Head
from bot.domain.book import Book
from bot.domain.checks import Verdict
from bot.domain.digest import Digest, Flow, Standing
from bot.domain.digest_dates import Ahead
from bot.domain.messages import silence_phrase
from bot.domain.money import half_up, plain, show_btc, show_percent, show_usd, show_usd_short
from bot.domain.production_checks import named
from bot.domain.production_words import called, month_name
from bot.domain.restated import late_for_loans, restated_note
from bot.domain.silencing import CHECKS, about
from bot.domain.wording import line_name, ltv_phrase, next_line_sentence
from bot.domain.words import dated, moment, plain_people, price_phrase, span

VIEW = "digest"
"""What a document of the outbox that is a digest says of itself."""

LATE_AFTER = timedelta(minutes=15)
"""What is posted so long after it was due says that it is late."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that Slack has: its file's id, and the same in words."""

    file_id: str
    alt: str


@dataclass(frozen=True, slots=True)
class Part:
    """A title and lines under it, the most important first; they may hold moments."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A whole digest in words, with its picture where it has one.

    `note` says what is out of the ordinary about it: that it is late, that it counts what was recorded since. `seal` is
    the head of the audit log as it was posted. `mention` asks that the channel be woken.
    """

    headline: str
    advice: str
    parts: tuple[Part, ...]
    note: str = ""
    seal: str = ""
    picture: Picture | None = None
    mention: bool = False

    def document(self) -> dict[str, Any]:
        return {"view": VIEW, **asdict(self)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Told:
        parts = tuple(Part(part["title"], tuple(part["lines"])) for part in document["parts"])
        picture = Picture(**document["picture"]) if document["picture"] else None
        return cls(
            document["headline"],
            document["advice"],
            parts,
            document["note"],
            document["seal"],
            picture,
            bool(document.get("mention")),  # not there in what was written before it could be asked for
        )

    @property
    def text(self) -> str:
        """All of it, a line each."""
        lines = [line for part in self.parts for line in (f"{part.title}:", *part.lines)]
        return "\n".join([self.headline, self.advice, *lines, *(line for line in (self.note, self.seal) if line)])


def told(
    digest: Digest, said_at: datetime | None = None, sealed: Head | None = None, picture: Picture | None = None
) -> Told:
    """The digest as it is said; where it is posted, at `said_at`, which is mentioned if it is late.

    What was recorded since the week's end and is dated before it is mentioned always. `sealed` is the head of the audit
    log: kept in the channel, it vouches for every entry before it.
    """
    book, zone = digest.book, digest.book.treasury.zone
    late = late_note(digest.week.ends, said_at, zone) if said_at is not None else ""
    return Told(
        headline=headline(digest),
        advice=advice(book, [one.verdict for one in digest.standings]),
        parts=(
            Part("Price", tuple(_price(digest))),
            Part("Holdings", tuple(_holdings(digest))),
            Part("LTV", tuple(_ltvs(digest))),
            Part("Mined and sold", tuple(_production(digest))),
            Part("Alerts", tuple(_alerts(digest))),
            Part("Next four weeks", tuple(_ahead(digest))),
        ),
        note=noted(late, restated_note(book, late_for_loans(book))),
        seal=f"Audit log: {sealed.phrase}" if sealed is not None else "",
        picture=picture,
    )


def headline(digest: Digest) -> str:
    """Which week it is of, whether it is over, and the price."""
    book, week, zone = digest.book, digest.week, digest.book.treasury.zone
    if digest.is_over:
        which = f"Week {week.name}, to {dated(week.ends, zone)}"
    else:
        which = f"Week {week.name} so far, since {dated(week.begins, zone)}"
    price = book.price.usable
    if price is None:
        return f"{which}: no bitcoin price"
    change = digest.price_change
    during = "on the week" if digest.is_over else "since then"
    moved = f", {_signed_percent(half_up(change * 10_000))} {during}" if change is not None else ""
    return f"{which}: bitcoin {show_usd(price)}{moved}"


def _price(digest: Digest) -> Iterator[str]:
    view, before = digest.book.price, digest.before
    if view.usable is not None:
        yield f"{price_phrase(view)}."
    else:
        yield f"Unknown: {price_phrase(view)}. LTVs and values are unknown with it."
    then = _then(digest).capitalize()
    if before is None:
        yield f"{then} the treasury had not opened."
    elif before.price.usable is None:
        yield f"{then} it was unknown: {price_phrase(before.price)}."
    else:
        yield f"{then} {show_usd(before.price.usable)}."


def _holdings(digest: Digest) -> Iterator[str]:
    """Each figure with what it was; what is mostly nothing, only where it is or was something."""
    then = {name: (shown, is_nothing) for name, shown, is_nothing in _figures(digest.before)}
    for name, shown, is_nothing in _figures(digest.book):
        was, was_nothing = then.get(name, ("", True))
        if not (name in _OFTEN_NOTHING and is_nothing and was_nothing):
            yield f"{name}: {shown}" + (f" ({_then(digest)} {was})" if was else "")


_OFTEN_NOTHING = frozenset({"In transit", "Owed by pools", "Cash in transit"})


def _figures(book: Book | None) -> Iterator[tuple[str, str, bool]]:
    """What `holdings` says: the name of each figure, the figure as printed, and whether it is nothing."""
    if book is None:
        return
    coins = book.coins
    for name, sats in (
        ("Free", coins.free),
        ("Pledged", coins.pledged),
        ("In transit", coins.in_transit),
        ("Owed by pools", coins.pool),
        ("All coins", coins.total),
    ):
        yield name, f"{show_btc(sats)} BTC", not sats
    for name, cents in (
        ("Value", holdings_value(book)),
        ("Cash", book.cash),
        ("Cash in transit", book.cash_in_transit),
        ("Debt", book.debt),
        ("Net", net(book)),
    ):
        yield name, show_usd_short(cents) if cents is not None else "unknown without a price", cents == 0


def _then(digest: Digest) -> str:
    """When the figures beside those of now were so."""
    return "a week ago" if digest.is_over else "at its start"


def _ltvs(digest: Digest) -> Iterator[str]:
    """A line each, the worst first; an unknown LTV comes before one that is fine."""
    for standing in sorted(digest.standings, key=lambda one: -_severity(one.verdict)):
        yield _ltv(digest, standing)
    if not digest.standings:
        yield "No facility is recorded."


def _severity(verdict: Verdict) -> int:
    return 2 if verdict.level is None else int(verdict.level)


def _ltv(digest: Digest, standing: Standing) -> str:
    book, verdict = digest.book, standing.verdict
    reading, exposure = verdict.reading, verdict.reading.exposure
    title = f"Group {exposure.title}" if exposure.is_group else exposure.title
    if not exposure.bounds:
        facility = book.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
        pool = book.treasury.pool_of(facility) if facility is not None else None
        return f"{title}: {f'its coins are in the pool of {pool.id}' if pool else 'no lines; counted as debt'}."
    status = f", {_status(verdict)}" if verdict.level is not None else ""  # that it is unknown, the LTV says
    said = f"{title}: {ltv_phrase(reading)}{status}{_was(digest, standing)}"
    if reading.known and reading.next_line is not None and exposure.tested:
        said += f". {next_line_sentence(reading.next_line)}"
    return said if said.endswith(".") else f"{said}."


def _status(verdict: Verdict) -> str:
    """The level, and the line or call it comes from."""
    word = verdict.level.word if verdict.level is not None else ""
    worst = verdict.reading.worst
    if worst is not None:
        word += f", at its {line_name(worst.tier)}"
    return f"{word}, called ({verdict.calls[0].tier.name})" if verdict.calls else word


def _was(digest: Digest, standing: Standing) -> str:
    """What it was then, where that is known, and by how many points it has risen."""
    then = standing.before
    was = then.show(then.lenders) if then is not None else None
    if was is None:
        return ""
    change = standing.change
    points = f", {_signed(change)} points" if change is not None else ""
    return f" ({_then(digest)} {show_percent(was)}{points})"


def _production(digest: Digest) -> Iterator[str]:
    before = f" (the week before: {_flow(digest.flow_before)})" if digest.flow_before is not None else ""
    yield f"{'Week' if digest.is_over else 'Week so far'}: {_flow(digest.flow)}{before}."
    last = digest.month_before
    before = f" ({month_name(last.month)}: {_flow(last.flow)})" if last is not None else ""
    yield f"{month_name(digest.month.month)} so far: {_flow(digest.month.flow)}{before}."


def _flow(flow: Flow) -> str:
    at = f" at {show_usd(flow.average)} on average, net" if flow.average is not None else ""
    return f"mined {show_btc(flow.mined)} BTC, sold {show_btc(flow.sold)} BTC{at}"


def _alerts(digest: Digest) -> Iterator[str]:
    book, zone = digest.book, digest.book.treasury.zone
    for one in sorted(digest.still_open, key=lambda one: (-one.level, one.opened_at)):
        since = moment(one.opened_at, zone, book.at)
        yield f"Open: {_named(book, one)}, {one.level.word}, since {since}"
    for one in digest.opened:
        yield f"Opened {moment(one.opened_at, zone, book.at)}: {one.opening}"
    for one in digest.closed:
        yield f"Closed {moment(one.closed_at or book.at, zone, book.at)}: {one.latest}"
    if not digest.still_open:
        yield "None is open." if digest.opened or digest.closed else "None opened or closed; none is open."
    for silence in digest.silences:
        yield f"Silenced: {about(silence)} {plain_people(silence_phrase(book, silence))}"


def _named(book: Book, one: Episode) -> str:
    """An alert by what it is about: "Antalpha (margin call)", "Price", "January 2026, behind plan"."""
    exposure = next((exposure for exposure in book.exposures if exposure.key == one.key), None)
    if exposure is not None:
        return f"{exposure.title} ({one.tier})" if one.tier else exposure.title
    if family(one.key) == "production":
        return called(*named(one.key))
    check = CHECKS.get(family(one.key), family(one.key))
    return f"{check}: {subject(one.key)}" if subject(one.key) else check


def _ahead(digest: Digest) -> Iterator[str]:
    for one in digest.ahead:
        yield f"{_when(digest, one)}: {one.text}"
    if not digest.ahead:
        yield "Nothing falls due."


def _when(digest: Digest, one: Ahead) -> str:
    if one.day is None:
        return moment(one.at, digest.book.treasury.zone, digest.book.at)
    return f"{one.day:%a} {one.day.day} {one.day:%b}"


def noted(*notes: str) -> str:
    """What is out of the ordinary, in a row."""
    return " ".join(note for note in notes if note)


def late_note(due_at: datetime, said_at: datetime, zone: ZoneInfo) -> str:
    """That something is said later than it was due; "" where it is not, or hardly."""
    late = said_at - due_at
    if late <= LATE_AFTER:
        return ""
    return f"Late: it was due {dated(due_at, zone)}, {span(late)} ago. Its figures are those of then, not of now."


def _signed(hundredths: int) -> str:
    """Points with their sign: "+1.46", "−0.20", "±0.00"."""
    return f"{'+' if hundredths > 0 else '−' if hundredths else '±'}{plain(abs(hundredths), 2)}"


def _signed_percent(hundredths: int) -> str:
    return f"{_signed(hundredths)[0]}{show_percent(plain(abs(hundredths), 2))}"
