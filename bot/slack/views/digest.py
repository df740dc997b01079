"""The weekly digest: what is to be done first, then the figures, each part with as much room as the others leave it."""

from __future__ import annotations

from collections.abc import Sequence

from slackblocks import Block

from bot.domain.digest_words import Part, Told
from bot.domain.words import plain_text
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import flat, packed, rich
from bot.slack.views.parts import code, context, payload, picture, section

BUDGET = 7_000
"""Characters of all lines together; a message may have about 9,000, titles and the rest included."""
LONGEST_LINE, LONGEST_ADVICE = 600, 1_000


def digest(told: Told, slash: Slash | None = None) -> Payload:
    """The digest as a message; with `slash` as an answer to who asked, which says what else there is to ask."""
    wake = "<!channel> " if told.mention and slash is None else ""
    blocks: list[Block] = [section(f"{wake}*{rich(told.headline)}*"), section(_line(told.advice, LONGEST_ADVICE))]
    lines = [[_line(line, LONGEST_LINE) for line in part.lines] for part in told.parts]
    rooms = _shared(BUDGET, [_size(own) for own in lines])
    if told.picture is not None:
        blocks += [picture(told.picture.file_id, told.picture.alt)]
    for part, own, room in zip(told.parts, lines, rooms, strict=True):
        blocks += _part(part, own, room)
    blocks += [context(rich(line)) for line in (told.note, told.seal) if line]
    if slash is not None:
        words = f"{code(slash('digest last'))} shows the last week that ended; {code(slash('ltv'))} has all about LTVs."
        blocks += [context(words)]
    return payload(flat(told.text), blocks)


def _part(part: Part, lines: Sequence[str], room: int) -> list[Block]:
    """A title over as many of its lines as there is room for; what is left out is counted."""
    kept = list(lines)
    while kept and _size(kept) > room:
        kept.pop()
    left = len(lines) - len(kept)
    more = [f"and {left} more"] if left else []
    pieces = [f"*{rich(part.title)}*"]
    for line in [*kept, *more]:
        if len(pieces[-1]) + 1 + len(line) <= 3_000:
            pieces[-1] += f"\n{line}"
        else:
            pieces.append(line)
    return [section(piece) for piece in pieces]


def _shared(budget: int, wanted: Sequence[int]) -> list[int]:
    """How much of `budget` each gets: what it wants where that is no more than its share of what is left."""
    rooms, left = [0] * len(wanted), budget
    smallest_first = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for taken, index in enumerate(smallest_first):
        rooms[index] = min(wanted[index], left // (len(wanted) - taken))
        left -= rooms[index]
    return rooms


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _line(text: str, longest: int) -> str:
    """One line as mrkdwn; one that is too long is cut, its moments in the treasury's own time."""
    whole = rich(text)
    if len(whole) <= longest:
        return whole
    return f"{packed(plain_text(text), longest - 1)[0]}…"
