"""Weekend readiness in words: until when no wire leaves, what a fall would ask for, and what to do before the last one.

It is no alert: it has no level and nobody takes it. It wakes the channel only where something would be short after a
fall of 10 %, the mildest that is looked at: what a week's ordinary move can bring must be seen while rails are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

from bot.domain.book import Book
from bot.domain.calls import open_calls
from bot.domain.closures import Closure, bank_calendars, bank_closures
from bot.domain.digest_words import Part, Told
from bot.domain.money import Cents, percent_plain, plain, show_btc_down, show_btc_up, show_usd, show_usd_short
from bot.domain.sales.plan import Leg, Missing, Way
from bot.domain.weekend import FALLS, Fall, Movable, Nearest, Readiness, Wanted, readiness, short_falls
from bot.domain.weekend_acts import Act, cheapest_act
from bot.domain.wording import amounts, line_name
from bot.domain.words import moment, price_phrase, sentence

NO_RAIL_CLOSES = "No rail ever closes: no account with bank dollars has a calendar, so wires leave at any hour"
_WITHOUT = "If a bank does close, name its calendar with the account in the treasury file."


def weekend_told(book: Book) -> Told:
    """What `/sales weekend` answers: the next closed period of every bank calendar, the first to shut in full."""
    ahead = bank_closures(book.treasury, book.at)
    if not ahead:
        return Told(NO_RAIL_CLOSES, _WITHOUT, parts=())
    first, *others = (closure_told(book, one) for one in ahead)
    more = [Part(one.headline, (one.advice, *_lines(one.parts))) for one in others]
    return Told(first.headline, first.advice, (*first.parts, *more), first.note, mention=False)


def closure_told(book: Book, closure: Closure) -> Told:
    """What is posted before `closure`."""
    found = readiness(book, closure)
    acts = [(fall, cheapest_act(found, fall)) for fall in found.falls]
    return Told(
        headline=_headline(found),
        advice=_advice(found, acts),
        parts=tuple(_part(found, fall, act) for fall, act in acts if fall.wanted),
        note=_note(found),
        mention=any(fall.is_short and fall.part == FALLS[0] for fall in found.falls),
    )


def _note(found: Readiness) -> str:
    """What the figures rest on."""
    if not found.falls:
        return ""
    sales = "; coins sold count at the fallen one" if any(short_falls(found)) else ""
    return f"Falls are off the last price, {price_phrase(found.book.price)}{sales}."


def _lines(parts: Sequence[Part]) -> Iterator[str]:
    return (f"{part.title}: {line}" for part in parts for line in part.lines)


def _when(found: Readiness) -> tuple[str, str]:
    """The last wire and the next opening."""
    zone, now = found.book.treasury.zone, found.book.at
    return moment(found.closure.shuts, zone, now), moment(found.closure.opens, zone, now)


def _headline(found: Readiness) -> str:
    last, opens = _when(found)
    named = len(bank_calendars(found.book.treasury)) > 1
    by = f" by {found.closure.calendar.id}" if named else ""
    gone = f"the last one went {last}" if found.has_begun else f"the last one {last}"
    return f"No wires{by} until {opens}; {gone}"


def _advice(found: Readiness, acts: Sequence[tuple[Fall, Act | None]]) -> str:
    """What to do first."""
    if not found.falls:
        if found.book.price.last is None:
            return "No price yet, so what a fall would ask for is unknown: find out why the sources give none."
        return "Nothing that is owed has a call line: no fall of the price asks for a wire."
    deepest = found.falls[-1]
    short = next(((fall, act) for fall, act in acts if fall.is_short), None)
    if short is not None:
        fall, act = short
        return f"{_short(fall, f'Short at {_drop(fall)}')} {_to_do(found, fall, act)}"
    if any(fall.wanted for fall in found.falls):
        return (
            f"Nothing is short down to {_drop(deepest)}: what lenders would ask for can be met with what still moves."
        )
    nearest = f": {_far(found.nearest)}" if found.nearest is not None else ""
    return f"Nothing is needed down to {_drop(deepest)}, {show_usd(deepest.view.last or 0)}{nearest}."


def _far(nearest: Nearest) -> str:
    """How far the price may fall: rounded down, so that it may fall so far."""
    percent = plain(floor(nearest.headroom * 10_000), 2)
    line = f"{nearest.title}'s {line_name(nearest.line.tier)}, {show_usd(nearest.line.price or 0)}"
    return f"the price may fall {percent} % before {line}"


def _drop(fall: Fall) -> str:
    return f"−{fall.part * 100} %"


def _short(fall: Fall, begin: str) -> str:
    """By how much what still moves is not enough: more coins, or more dollars, that are there in time."""
    missing = fall.moved.missing if fall.moved is not None else None
    if missing is None or (missing.btc is None and missing.usd is None):
        return f"{begin}: neither coins nor dollars alone would do."
    return f"{begin} by {amounts(missing.btc, missing.usd)}."


def _to_do(found: Readiness, fall: Fall, act: Act | None) -> str:
    """The cheapest act, and what it leaves for later; where it is too late for one, what is left."""
    if act is None:
        return _left(found, fall)
    last, _ = _when(found)
    if act.now:
        rest = f" Then, once called: {_steps(found.book, act.then)}." if act.then else ""
        return f"The cheapest act by {last}: {_steps(found.book, act.now)}.{rest}"
    if act.then:
        return f"Only a sale would do, by {last} or once called: {_steps(found.book, act.then)}."
    return f"No act by {last} would do: {_lacking(act.missing)}. Ask the lender for time, or find it."


def _left(found: Readiness, fall: Fall) -> str:
    """What can still be done once the last wire has gone."""
    if fall.sold is not None and fall.sold.feasible:
        return f"What still does: {_steps(found.book, fall.sold.legs)}."
    return "Nothing that can be sold would be credited in time: ask the lender for time."


def _lacking(missing: Missing | None) -> str:
    if missing is None or (missing.btc is None and missing.usd is None):
        return "neither more coins nor more dollars alone are enough"
    return f"it takes {amounts(missing.btc, missing.usd)} more"


def _part(found: Readiness, fall: Fall, act: Act | None) -> Part:
    return Part(f"At {_drop(fall)}, {show_usd(fall.view.last or 0)}", tuple(_about(found, fall, act)))


def _about(found: Readiness, fall: Fall, act: Act | None) -> Iterator[str]:
    """A line each; of the mildest fall that is short, what is missing and to be done is said above already."""
    for wanted in fall.wanted:
        yield _wanted(found, wanted)
    if fall.movable is not None:
        yield _movable(found, fall.movable)
    if not fall.is_short:
        steps = _steps(found.book, fall.moved.legs) if fall.moved is not None else ""
        yield f"That is enough; once called: {steps}." if steps else "That is enough: nothing is to be moved."
        return
    if fall is not next(short_falls(found)):
        yield f"{_short(fall, 'Short')} {_to_do(found, fall, act)}"
    if act is not None and act.now:
        yield _instead(found, fall)


def _instead(found: Readiness, fall: Fall) -> str:
    """What becomes of it where nothing is done before the close."""
    if fall.sold is not None and fall.sold.feasible:
        return f"Without it, once called: {_steps(found.book, fall.sold.legs)}."
    return "Without it nothing would be credited in time, sales included."


def _wanted(found: Readiness, wanted: Wanted) -> str:
    """One lender: what it needs, its line, its deadline."""
    need = wanted.need
    title = f"Group {need.title}" if need.is_group else need.title
    ways = [f"{show_btc_up(wanted.top_up)} BTC pledged"] if wanted.top_up is not None else []
    ways += [f"{show_usd(wanted.repay)} repaid"] if wanted.repay is not None else []
    asked = f" needs {sentence(ways)} for {percent_plain(need.target)} %" if ways else " has no target to bring it to"
    line = f"{'called at its' if need.called else 'at its'} {line_name(need.tier)}"
    said = ", ".join([line, _clock(found, wanted), *_besides(found, wanted)])
    return f"{title}{asked}: {said}."


def _clock(found: Readiness, wanted: Wanted) -> str:
    due = moment(wanted.due, found.book.treasury.zone, found.book.at)
    if wanted.need.at_once:
        return "it may act at once"
    if wanted.guessed:
        return f"no deadline in its terms, so by {due}"
    if wanted.need.called:
        return f"due {due}"
    return f"due {due} if called {'now' if found.has_begun else 'right after the close'}"


def _besides(found: Readiness, wanted: Wanted) -> Iterator[str]:
    """What a lender that has called asks for itself, and what makes a call less likely; it changes no number."""
    need = wanted.need
    for call in open_calls(found.book) if need.called else []:
        if call.missing and need.id == (call.notice.group if need.is_group else call.notice.facility):
            yield f"with {amounts(call.missing_btc, call.missing_usd)} of “{call.notice.ref}” still missing"
    if wanted.waived is not None:
        yield f"waived until {moment(wanted.waived, found.book.treasury.zone, found.book.at)}"
    if wanted.least_call:
        yield f"though it sends no notice for less than {show_usd_short(wanted.least_call)}"


def _movable(found: Readiness, movable: Movable) -> str:
    """What can be there in time, coins rounded down; and what of the dollars in banks cannot."""
    zone, now = found.book.treasury.zone, found.book.at
    there = [f"{show_btc_down(movable.btc)} BTC"]
    there += [f"{show_btc_down(movable.released)} BTC that lenders may release"] if movable.released else []
    there += [_stable(movable.usdt, "USDT")]
    there += [_stable(movable.usdc, "USDC")] if movable.usdc else []
    there += [f"{show_usd_short(movable.bank)} by wire"] if movable.bank else []
    said = f"Movable by {moment(movable.by, zone, now)}: {', '.join(there)}"
    if movable.stuck and movable.moves_at is not None:
        leave = moment(movable.moves_at, zone, now)
        return f"{said}; not {show_usd_short(movable.stuck)} in banks, which can leave {leave}."
    return f"{said}."


def _stable(cents: Cents, unit: str) -> str:
    return f"{show_usd(cents)[1:]} {unit}"


def _steps(book: Book, legs: Sequence[Leg]) -> str:
    return sentence([_step(book, leg) for leg in legs], last="and")


def _step(book: Book, leg: Leg) -> str:
    """One step as people say it: coins up to 0.01 BTC, dollars to the cent."""
    lender = book.snapshot.title(book.treasury.facility_by_id[leg.facility])
    coins = show_btc_up(Fraction(leg.btc))
    if leg.way is Way.CASH:
        return f"repay {show_usd(leg.usd)} to {lender} from {leg.account}"
    if leg.way is Way.SELL_PLEDGED:
        ask = " (ask it first)" if leg.asks else ""
        return f"sell {coins} pledged BTC at {lender}'s desk{ask} and repay {show_usd(leg.usd)}"
    source = f"{leg.account} (released by {leg.released_from})" if leg.released_from else str(leg.account)
    if leg.way is Way.TOP_UP:
        return f"pledge {coins} BTC of {source} to {lender}"
    return f"sell {coins} free BTC of {source} and repay {show_usd(leg.usd)} to {lender}"
