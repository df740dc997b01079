"""`/alerts`: what is open and in whose hands, the silences in force, and what closed last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slackblocks import ActionsBlock, Block, Button, ConfirmationDialogue, SectionBlock, Text, TextType

from bot.domain.alert import Silence
from bot.domain.messages import headline, state_of
from bot.domain.silencing import about
from bot.domain.words import moment, plain_text, someone
from bot.services.acting import Listing
from bot.services.ports import OpenAlert
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import flat, packed, rich
from bot.slack.views.parts import code, context, payload, section

END, ASK = "silence_end", "silence_ask"
"""The action ids of its buttons."""

BUDGET = 8_000
"""Characters of everything shown; a message may have about 9,000."""
SILENCES_BUDGET, CLOSED_BUDGET = 3_000, 1_800
MOST_SILENCES = 10
LONGEST_NAMED, LONGEST_HEADLINE, LONGEST_REASON = 400, 180, 200
STATUSES = {"open": "Open", "acknowledged": "Acknowledged", "snoozed": "Snoozed", "silenced": "Silenced"}
_OVERHEAD = 400
"""Titles, the line on what is left out, and the button."""

Render = Callable[[str], str]


def listing(listed: Listing, slash: Slash, told: str = "") -> Payload:
    """The answer. `told`: what has just been done, said first (not escaped, with moments)."""
    open_now = [row for row in listed.alerts if row.closed_at is None]
    closed = [row for row in listed.alerts if row.closed_at is not None]
    silences = _shown_silences(listed)
    left = BUDGET - _OVERHEAD - len(rich(told)) - sum(one.size for one in silences)
    over = [_closed(listed, row) for row in closed]
    shown_over, left = _fitting(over, min(left, CLOSED_BUDGET), left)
    lines = {row.id: _line(listed, row) for row in open_now}
    render: Render = rich if sum(len(rich(line)) + 1 for line in lines.values()) <= left else flat
    kept, _ = _kept(open_now, lines, render, left)

    blocks: list[Block] = [section(piece) for piece in packed(told)]
    blocks += [section(f"*{rich(_heading(open_now, listed.silences))}*")]
    for status, title in STATUSES.items():
        mine = [render(lines[row.id]) for row in open_now if row.alert.status == status and row.id in kept]
        blocks += [section(piece) for piece in _sections(f"*{title}*", mine)]
    if len(kept) < len(open_now):
        blocks += [context(f"{len(open_now) - len(kept)} more are open, none worse than these.")]
    blocks += [section("*Silences*")] if silences else []
    blocks += [one.block for one in silences]
    if len(silences) < len(listed.silences):
        blocks += [context(f"{_many(len(listed.silences) - len(silences), 'more silence')}, ending later.")]
    blocks += [section(piece) for piece in _sections("*Closed last*", [rich(line) for line in shown_over])]
    blocks += [ActionsBlock([Button("Silence…", ASK, value="ask")])]
    blocks += [context(f"{code(slash('alerts silence'))} asks for silence too.")]
    spoken = [told, _heading(open_now, listed.silences), *lines.values()]
    return payload(flat("\n".join(line for line in spoken if line)), blocks)


@dataclass(frozen=True, slots=True)
class _Silence:
    block: Block
    size: int


def _heading(open_now: Sequence[OpenAlert], silences: Sequence[Silence]) -> str:
    """How many there are and how many nobody has taken: the answer in one line."""
    if not open_now:
        return "No alert is open" + (f"; {_many(len(silences), 'silence')} in force" if silences else "")
    untaken = sum(row.alert.status == "open" for row in open_now)
    said = f"{_many(len(open_now), 'alert')} open"
    if not untaken:
        return said
    return f"{said}, {untaken} of them not taken" if untaken < len(open_now) else f"{said}, not taken"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _line(listed: Listing, row: OpenAlert) -> str:
    """One open alert: level, headline, since when, due, in whose hands."""
    book, zone = listed.book, listed.book.treasury.zone
    named = headline(book, row.key, row.alert)  # not that of its text: in there moments are the treasury's time
    named = named if len(named) <= LONGEST_NAMED else _cut(plain_text(named))
    said = f"{row.level.word.capitalize()} · {named} · since {moment(row.opened_at, zone, book.at)}"
    if row.due is not None and (due := moment(row.due, zone, book.at)) not in named:
        said += f" · due {due}"
    held = state_of(book, row.alert)
    return f"{said} · {held}" if held else said


def _closed(listed: Listing, row: OpenAlert) -> str:
    book = listed.book
    when = moment(row.closed_at or row.opened_at, book.treasury.zone, book.at)
    first = row.text.split("\n", 1)[0] or row.key
    return f"{_cut(first)} · closed {when}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_HEADLINE else text[: LONGEST_HEADLINE - 1] + "…"


def _shown_silences(listed: Listing) -> list[_Silence]:
    """Those there is room for, the one that ends first first."""
    kept: list[_Silence] = []
    for silence in listed.silences[:MOST_SILENCES]:
        one = _silence(listed, silence)
        if kept and sum(other.size for other in kept) + one.size > SILENCES_BUDGET:
            break
        kept.append(one)
    return kept


def _silence(listed: Listing, silence: Silence) -> _Silence:
    """One silence with the button that ends it."""
    book = listed.book
    what = _cut(about(silence))
    reason = silence.reason[:LONGEST_REASON]
    until = moment(silence.until, book.treasury.zone, book.at)
    words = rich(f"{what} · by {someone(silence.by)} until {until} · {reason}")
    ask = ConfirmationDialogue(
        _plain("End this silence?"), _plain("What it kept quiet is said at once."), _plain("End it"), _plain("Keep it")
    )
    button = Button("End", END, value=str(silence.id), confirm=ask)
    return _Silence(SectionBlock(text=Text(words, verbatim=True), accessory=button), len(words) + 80)


def _plain(text: str) -> Text:
    return Text(text, type_=TextType.PLAINTEXT)


def _fitting(lines: Sequence[str], most: int, left: int) -> tuple[list[str], int]:
    """The first lines that fit into `most`, and what is left of `left`."""
    kept, used = [], 0
    for line in lines:
        used += len(rich(line)) + 3
        if used > most:
            break
        kept.append(line)
    return kept, left - sum(len(rich(line)) + 3 for line in kept)


def _kept(rows: Sequence[OpenAlert], lines: dict[int, str], render: Render, left: int) -> tuple[set[int], int]:
    """The alerts there is room for, the worst first."""
    kept: set[int] = set()
    for row in rows:
        left -= len(render(lines[row.id])) + 3
        if left < 0:
            break
        kept.add(row.id)
    return kept, left


def _sections(title: str, lines: Sequence[str]) -> list[str]:
    """Lines under their title, in sections of at most 3,000 characters."""
    pieces: list[str] = []
    for line in lines:
        bullet = f"• {line}"
        if not pieces:
            pieces = [f"{title}\n{bullet}"]
        elif len(pieces[-1]) + 1 + len(bullet) <= 3_000:
            pieces[-1] += f"\n{bullet}"
        else:
            pieces.append(bullet)
    return pieces
