"""`/plimsoll risk`: how often the price has fallen as far as the lines ahead are, and what a model says of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from slackblocks import Block

from bot.domain.price import PriceState
from bot.domain.risk import ExposureRisk, LineRisk, Risk, WindowRisk
from bot.domain.risk_words import counted, explained, modelled, no_line, window_name
from bot.domain.wording import line_place
from bot.domain.words import price_phrase
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import flat, packed, rich
from bot.slack.views.ltv import heading, price_line
from bot.slack.views.parts import code, context, payload, section, shortened

BUDGET = 7_000
"""Characters of all exposures together; the whole message may have about 9,000."""
MOST_SECTIONS = 40
MOST_LINES = 8


def risk(found: Risk, slash: Slash) -> Payload:
    """The answer about the exposures of `found`, in their order; those nearest to a line where not all fit."""
    first = _heading(found)
    blocks: list[Block] = [section(f"*{rich(first)}*")]
    pieces = [_pieces(found, one) for one in found.exposures]
    shown = _fitting(found, pieces)
    blocks += [section(piece) for index in shown for piece in pieces[index]]
    if not found.exposures:
        blocks += [section("There are no facilities: nothing is borrowed.")]
    if hidden := len(pieces) - len(shown):
        example = next(one for index, one in enumerate(found.exposures) if index not in shown).reading.exposure.id
        said = f"{hidden} more are not shown, none nearer to its next line than these. One alone: "
        blocks += [context(said + code(slash(f"plimsoll risk {example}")))]
    blocks += [context(rich(" ".join([*explained(found), price_line(found.book)])))]
    return payload(flat("\n".join([first, *(_short(found, one) for one in found.exposures)])), blocks)


def _heading(found: Risk) -> str:
    view = found.book.price
    if view.state is PriceState.SCENARIO or view.usable is None:
        return heading(found.book)
    return f"Lines ahead at {price_phrase(view)}"


def _pieces(found: Risk, one: ExposureRisk) -> list[str]:
    """One exposure as mrkdwn: each line ahead, and under it its windows."""
    said = shortened([_said(line) for line in one.lines], MOST_LINES, "") or [f"{no_line(found, one)}."]
    first, *rest = packed("\n".join(said), 2_500)
    return [f"*{rich(_title(one))}*\n{first}", *rest]


def _title(one: ExposureRisk) -> str:
    exposure = one.reading.exposure
    return f"Group {exposure.title}" if exposure.is_group else exposure.title


def _said(line: LineRisk) -> str:
    windows = " · ".join(_windows(line))
    return f"• {line_place(line.tier)}\n{windows}" if windows else f"• {line_place(line.tier)}"


def _windows(line: LineRisk) -> Iterator[str]:
    if line.tier.headroom is not None:  # how far it is, nobody knows without a price
        yield from (_window(window) for window in line.windows if window.hours is not None)


def _window(window: WindowRisk) -> str:
    model = f", model {modelled(window)}" if window.model is not None else ""
    return f"{window_name(window)}: {counted(window)}{model}"


def _short(found: Risk, one: ExposureRisk) -> str:
    """One exposure in a line: its next line and the shortest window."""
    if not one.lines:
        return f"{_title(one)}: {no_line(found, one)}"
    return f"{_title(one)}: {'; '.join([line_place(one.lines[0].tier), *list(_windows(one.lines[0]))[:1]])}"


def _fitting(found: Risk, pieces: list[list[str]]) -> list[int]:
    """Which exposures there is room for, those nearest to a line first; in their own order."""
    shown: list[int] = []
    room, sections = BUDGET, MOST_SECTIONS
    for index in sorted(range(len(pieces)), key=lambda index: _nearness(found.exposures[index])):
        room -= sum(map(len, pieces[index]))
        sections -= len(pieces[index])
        if shown and (room < 0 or sections < 0):
            break
        shown.append(index)
    return sorted(shown)


def _nearness(one: ExposureRisk) -> tuple[bool, Fraction]:
    headroom = one.lines[0].tier.headroom if one.lines else None
    return (not one.lines, headroom if headroom is not None else Fraction(0))
