"""`/ltv`: each facility and group held against its lines, the worst in full where not all of it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from slackblocks import Block

from bot.domain import wording
from bot.domain.answers import in_transit, verdicts
from bot.domain.book import Book
from bot.domain.checks import Verdict
from bot.domain.covenant import Exposure
from bot.domain.interest_words import interest_lines
from bot.domain.money import half_up, plain, show_btc, show_usd, show_usd_short
from bot.domain.price import PriceState
from bot.domain.words import moment, price_phrase, span
from bot.slack.limits import Payload
from bot.slack.slash import Slash
from bot.slack.text import flat, packed, rich
from bot.slack.views.parts import code, context, payload, section

BUDGET = 7_000
"""Characters of all exposures together; the whole message may have about 9,000."""
MOST_SECTIONS = 40


def ltv(
    book: Book, exposures: Sequence[Exposure], slash: Slash, headed: str = "", under: Sequence[Block] = ()
) -> Payload:
    """The answer about `exposures`, in their order; `headed`: what it is the answer to, said first. `under`: what is
    shown under them, with 1,500 characters at most."""
    found = verdicts(book, exposures)
    blocks: list[Block] = [section(f"*{rich(headed)}*")] if headed else []
    blocks += [section(f"*{rich(heading(book))}*")] if _is_news(book) else []
    pieces, note = _fitted(book, found, slash)
    index = wording.price_index_sentence(book, exposures[0]) if len(exposures) == 1 else None
    if index:
        pieces += packed(index)
    blocks += [section(piece) for piece in pieces]
    if not found:
        blocks += [section("There are no facilities: nothing is borrowed.")]
    if note:
        blocks += [context(note)]
    blocks += [*under, context(rich(price_line(book)))]
    summary = "\n".join([*([headed] if headed else []), heading(book), *(short(verdict) for verdict in found)])
    return payload(flat(summary), blocks)


def _is_news(book: Book) -> bool:
    """Whether the LTVs are not simply those of now: that is said before them."""
    return _what_if(book) or (book.price.state.is_blind and book.price.last is not None)


def _what_if(book: Book) -> bool:
    return book.price.state is PriceState.SCENARIO


def heading(book: Book) -> str:
    """What is answered: the LTVs now, or what they would be; where there is no price, that first."""
    if _what_if(book) and book.price.last is not None:
        return f"What if bitcoin were at {show_usd(book.price.last)}: a scenario, not the market"
    view = book.price
    if view.last is None:
        return "No price yet: LTV unknown"
    if view.state.is_blind:
        aged = f" ({span(view.age)} old)" if view.age is not None else ""
        return f"No price now; last {show_usd(view.last)}{aged}"
    return f"LTV at {price_phrase(view)}"


def price_line(book: Book) -> str:
    """The price with its age and sources; of a scenario, what it was taken from."""
    view, zone = book.price, book.treasury.zone
    asked = f"Asked {moment(book.at, zone, book.at)}."
    if view.fallen is not None and view.fallen_from is not None:
        since = f" of {moment(view.as_of, zone, book.at)}" if view.as_of else ""
        return f"{_percent(view.fallen)} below {show_usd(view.fallen_from)}{since}."
    if _what_if(book):
        return f"What if {show_usd(view.last or 0)}. {asked}"
    if view.last is None:
        return f"No price yet: LTVs are unknown. {asked}"
    blind = " That is no price to judge by: LTVs are unknown." if view.state.is_blind else ""
    sources = f" from {', '.join(view.sources)}" if view.sources else ""
    return f"Bitcoin {price_phrase(view)}{sources}.{blind} {asked}"


def _percent(ratio: Fraction) -> str:
    """A percentage as it was typed: "20 %", "12.5 %"."""
    return plain(half_up(ratio * 10**8), 6).rstrip("0").rstrip(".") + " %"


def _fitted(book: Book, found: list[Verdict], slash: Slash) -> tuple[list[str], str]:
    """A piece of mrkdwn for each exposure (or few), and what to say where some are shown in one line or not at all."""
    full = [_in_full(book, verdict) for verdict in found]
    brief = [rich(short(verdict)) for verdict in found]
    chosen = [[line] for line in brief]
    room = BUDGET - sum(len(line) + 1 for line in brief)
    for index in sorted(range(len(found)), key=lambda i: -_severity(found[i])):
        more = sum(len(piece) for piece in full[index]) - len(brief[index])
        if more <= room and sum(len(pieces) for pieces in chosen) - 1 + len(full[index]) <= MOST_SECTIONS:
            chosen[index], room = full[index], room - more
    in_brief = [i for i, pieces in enumerate(chosen) if pieces == [brief[i]] and full[i] != [brief[i]]]
    hidden = _hide(found, chosen) if room < 0 or len(chosen) > MOST_SECTIONS else []
    shown = [index for index in range(len(found)) if index not in hidden]
    pieces = _merged([(chosen[index], index in in_brief) for index in shown])
    return pieces, _note(found, [index for index in in_brief if index in shown], hidden, slash)


def _in_full(book: Book, verdict: Verdict) -> list[str]:
    first, *rest = _lines(book, verdict)
    return [f"*{rich(first)}*\n{piece}" if not i else piece for i, piece in enumerate(packed("\n".join(rest), 2_500))]


def _hide(found: list[Verdict], chosen: list[list[str]]) -> list[int]:
    """Which exposures there is no room for even in one line: the mildest."""
    hidden, used = [], 0
    for index in sorted(range(len(found)), key=lambda i: -_severity(found[i])):
        used += sum(len(piece) + 1 for piece in chosen[index])
        if used > BUDGET:
            hidden.append(index)
    return hidden


def _merged(chosen: list[tuple[list[str], bool]]) -> list[str]:
    """Exposures in one line share a section."""
    pieces: list[str] = []
    joining = False
    for own, in_brief in chosen:
        if in_brief and joining and len(pieces[-1]) + 1 + len(own[0]) <= 3_000:
            pieces[-1] += f"\n{own[0]}"
        else:
            pieces += own
        joining = in_brief
    return pieces


def _note(found: list[Verdict], in_brief: list[int], hidden: list[int], slash: Slash) -> str:
    if not in_brief and not hidden:
        return ""
    example = found[(hidden or in_brief)[0]].reading.exposure.id
    said = f"{len(in_brief)} of {len(found)} in one line each." if in_brief else ""
    if hidden:
        said += f" {len(hidden)} more are not shown, all no worse than these."
    return f"{said.strip()} All about one: {code(slash(f'ltv {example}'))}"


def _severity(verdict: Verdict) -> int:
    """Worst first; an unknown LTV is nothing to hide."""
    return 2 if verdict.level is None else int(verdict.level)


def short(verdict: Verdict) -> str:
    """One exposure in one line."""
    reading = verdict.reading
    said = f"{reading.exposure.title}: {_standing(verdict) if reading.exposure.bounds else _status(verdict)}"
    if reading.known and reading.next_line is not None:
        said += f". {wording.next_line_sentence(reading.next_line)}"
    return said


def _standing(verdict: Verdict) -> str:
    """The LTV and what it means; one that is unknown means nothing by itself."""
    exposure, phrase = verdict.reading.exposure, wording.ltv_phrase(verdict.reading)
    if exposure.uncovered:
        phrase = f"{show_usd_short(exposure.tested)} owed and no coins credited"
    elif not exposure.tested:
        phrase = "nothing owed"
    return phrase if verdict.level is None else f"{phrase}, {_status(verdict)}"


def _status(verdict: Verdict) -> str:
    """The level word and what it rests on."""
    reading, level = verdict.reading, verdict.level
    word = level.word if level is not None else "unknown"
    called = verdict.calls[0] if verdict.calls else None
    if reading.worst is not None and (called is None or reading.worst.rank > called.rank):
        word += f", at its {wording.line_name(reading.worst.tier)}"
    return f"{word}, called ({called.tier.name})" if called is not None else word


def _lines(book: Book, verdict: Verdict) -> Iterator[str]:
    """One exposure in full: what stands, what is owed, due and pledged, calls, cures, what comes next."""
    reading, calls = verdict.reading, verdict.calls
    exposure = reading.exposure
    yield _first(book, verdict)
    coins = f"{show_btc(exposure.collateral)} BTC pledged"
    if on_the_way := in_transit(book, exposure):
        coins += f", {show_btc(on_the_way)} BTC in transit"
    yield f"Debt {show_usd_short(exposure.debt)}, {coins}."
    yield from interest_lines(book, exposure)
    if reading.known or calls:  # that it is unknown, the first line says
        yield from wording.standing(book, reading, calls)
    if reading.next_line is not None:
        yield wording.next_line_sentence(reading.next_line)
    elif exposure.bounds and not reading.known:
        yield "Lines: " + "; ".join(f"{t.name} at {show_usd(t.price)}" for t in reading.tiers if t.price) + "."


def _first(book: Book, verdict: Verdict) -> str:
    exposure = verdict.reading.exposure
    if exposure.bounds:
        kind = "Group " if exposure.is_group else ""
        return f"{kind}{exposure.title}: {_standing(verdict)}"
    facility = book.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
    pool = book.treasury.pool_of(facility) if facility is not None else None
    if pool is not None:
        return f"{exposure.title}: its coins are pooled in {pool.id}, which is tested as one"
    return f"{exposure.title}: no covenant lines, no LTV; counted as debt"
