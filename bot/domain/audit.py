"""The audit log: who asked, pressed and changed what, in entries that are only ever added.

Each entry is sealed with a SHA-256 over everything else in it, the seal of the entry before included. So whoever edits,
drops, adds or moves one must make every later seal anew, and then the last one, the head, is no longer what was noted
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from bot.domain.periods import as_utc

FORMAT = "plimsoll audit 1"
FIRST_BEFORE = "0" * 64
"""What the first entry has where others have the seal of the entry before."""
PLIMSOLL = "plimsoll"
"""Who did what nobody asked for: the bot itself."""
LONGEST = 1_000
"""Characters kept of any one text, as of what somebody typed."""
MOST = 50
"""Items kept of any one list."""
SHORTEST_HEAD = 16
"""Hexadecimal digits by which a head may be named: 64 bits, which nobody hits by trying."""


class What(StrEnum):
    """What somebody did. Of a change of an alert it is the word of `bot.domain.transitions.Change`, of a plan's that of
    `bot.domain.plans.Change`."""

    ASKED = "asked"
    CLICKED = "clicked"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    IMPORTED = "imported"
    RECORDED = "recorded"
    AMENDED = "amended"
    WAIVED = "waived"
    INDEX_NOTED = "index noted"
    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    CLAIM_WITHDRAWN = "claim withdrawn"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence ended"
    RECOVERED = "recovered"
    OPENED = "opened"
    WORSE = "worse"
    EASED = "eased"
    REMINDER = "reminder"
    CLOSED = "closed"
    NOTED = "noted"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    POSTED = "posted"
    PROPOSED = "proposed"
    ASKED_AGAIN = "asked again"
    APPROVED = "approved"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    FILLED = "filled"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded: when, by whom, what, about what (a key, a command as typed, a file), and the rest."""

    at: datetime
    actor: str
    what: What
    about: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of the chain. A copy of it kept elsewhere vouches for everything up to it."""

    number: int
    hash: str

    @property
    def phrase(self) -> str:
        """As it is noted elsewhere: "1,234 entries, head 0123456789abcdef"."""
        return f"{self.number:,} entr{'y' if self.number == 1 else 'ies'}, head {self.hash[:SHORTEST_HEAD]}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it is stored: texts, and no others than those that the seal covers.

    `at` is an instant in UTC, always 27 characters long; `detail` a JSON object; `before` the `hash` of the entry
    before, `hash` its own.
    """

    number: int
    at: str
    actor: str
    what: str
    about: str
    detail: str
    before: str
    hash: str

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)

    @property
    def is_intact(self) -> bool:
        """Whether its seal fits what it says."""
        return self.hash == seal_of(self)


class Break(StrEnum):
    """What is wrong with a chain."""

    EDITED = "edited"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is wrong, how, and the same in words."""

    number: int
    how: Break
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a chain: `entries` are unbroken, the last of them is `head`, and then comes `fault`, if any.

    `named`: which entry has the head that was asked for.
    """

    entries: int
    head: Head | None
    fault: Fault | None = None
    named: int | None = None


def as_it_is(value: Any) -> Any:
    """Nothing is a secret."""
    return value


def sealed(entry: Entry, last: Head | None, clean: Callable[[Any], Any] = as_it_is) -> Sealed:
    """`entry` as the one that follows on `last`; `clean` takes secrets out of a text, or of anything made of texts.

    ValueError where its instant is naive.
    """
    detail = _bounded(clean(dict(entry.detail)))
    made = Sealed(
        number=last.number + 1 if last else 1,
        at=instant_text(entry.at),
        actor=_bounded(clean(entry.actor)),
        what=entry.what.value,
        about=_bounded(clean(entry.about)),
        detail=json.dumps(detail, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str),
        before=last.hash if last else FIRST_BEFORE,
        hash="",
    )
    return replace(made, hash=seal_of(made))


def seal_of(row: Sealed) -> str:
    """The SHA-256, in 64 hexadecimal digits, of all that `row` says but its own hash: see `canonical`."""
    return sha256(canonical(row)).hexdigest()


def canonical(row: Sealed) -> bytes:
    """The format's name and every column but the hash, each as a netstring: its length in bytes, ":", it, ",".

    No two rows have the same: where a text ends is said before it begins. What is no UTF-8 (only somebody else can have
    put it there) is taken as the bytes that it is.
    """
    fields = (FORMAT, str(row.number), row.at, row.actor, row.what, row.about, row.detail, row.before)
    texts = [text.encode("utf-8", "surrogateescape") for text in fields]
    return b"".join(b"%d:%b," % (len(text), text) for text in texts)


def verify(rows: Iterable[Sealed], head: str | None = None) -> Verdict:
    """Follows the chain to its end or its first fault. `rows` come by number, and none is looked at twice.

    `head`: the hash, or at least `SHORTEST_HEAD` digits of it, of an entry that must be among them.
    """
    last: Head | None = None
    count, named = 0, None
    for row in rows:
        if fault := _fault(row, last):
            return Verdict(count, last, fault, named)
        count, last = count + 1, row.head
        if head is not None and row.hash.startswith(head):
            named = row.number
    if head is not None and named is None:
        return Verdict(count, last, _cut(last))
    return Verdict(count, last, None, named)


def instant_text(instant: datetime) -> str:
    """An instant as entries have it: UTC, to the microsecond, so that texts are in the order of time."""
    return f"{as_utc(instant):%Y-%m-%dT%H:%M:%S.%fZ}"


def _fault(row: Sealed, last: Head | None) -> Fault | None:
    """What is wrong with `row` as the one after `last`."""
    expected = last.number + 1 if last else 1
    if row.number < expected:
        return Fault(row.number, Break.OUT_OF_ORDER, f"Entry {row.number:,} is none of this chain: it begins with 1.")
    if row.number > expected:
        return Fault(expected, Break.MISSING, _missing(expected, row.number - 1))
    if not row.is_intact:
        return Fault(row.number, Break.EDITED, f"Entry {row.number:,} was edited: its hash does not fit what it says.")
    if row.before != (last.hash if last else FIRST_BEFORE):
        return Fault(row.number, Break.OUT_OF_ORDER, _stranger(row.number))
    return None


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"Entry {first:,} is missing: the one after it is there."
    return f"Entries {first:,} to {last:,} are missing: the one after them is there."


def _stranger(number: int) -> str:
    if number == 1:
        return "Entry 1 is not the first that was written: it follows on another."
    return (
        f"Entry {number:,} does not follow on entry {number - 1:,}: "
        "one of the two was put in another's place, with a hash of its own."
    )


def _cut(last: Head | None) -> Fault:
    number = last.number if last else 0
    ends = f"The chain ends at {number:,}" if last else "There are no entries"
    return Fault(
        number + 1, Break.CUT, f"{ends}, but --head names an entry that is not in it: it was cut, or written anew."
    )


def _bounded(value: Any) -> Any:
    """`value` with every text and list in it cut to what is kept."""
    if isinstance(value, str):
        text = _storable(value)
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if isinstance(value, Mapping):
        return {_bounded(str(name)): _bounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        kept = [_bounded(item) for item in value[:MOST]]
        return [*kept, f"… and {len(value) - MOST:,} more"] if len(value) > MOST else kept
    return value


def _storable(text: str) -> str:
    """`text` as both databases take it: no NUL, and no half of a character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
