"""What alerts say: the answer first, then the numbers, then the next step. One text for Slack, CLI and replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from bot.domain.alerts import Alert
from bot.domain.book import Book
from bot.domain.calls import Call, CallState, deadline
from bot.domain.claims import claims_on
from bot.domain.covenant import Cures, Exposure, Reading, TierReading, cures, read
from bot.domain.fact_words import claim_phrase
from bot.domain.money import (
    Cents,
    Sats,
    half_up,
    percent_plain,
    plain,
    show_btc,
    show_btc_down,
    show_btc_up,
    show_usd,
    show_usd_short,
    show_usd_short_up,
)
from bot.domain.price import PriceView
from bot.domain.terms import Consent, Facility, Tier, TierKind
from bot.domain.treasury import Claim
from bot.domain.words import moment, price_phrase, price_sentence, sentence, span


def percent(text: str | None) -> str:
    """A printed percentage with its unit, or what it is without a price."""
    return f"{text} %" if text is not None else "unknown"


def price_index_sentence(book: Book, exposure: Exposure) -> str | None:
    """What was noted of the index that the lender prices by; None where nothing was."""
    index = book.price_index(exposure)
    if index is None:
        return None
    return f"Priced by {index.note} since {moment(index.since, book.treasury.zone, book.at)} (a note)."


def line_name(tier: Tier) -> str:
    """A tier as a line one can be at: "early warning", "margin-call line", "liquidation line"."""
    if tier.kind is TierKind.EARLY and tier.name != TierKind.EARLY.value:
        return tier.name
    return f"{tier.name.replace(' ', '-')} line"


def ltv_phrase(reading: Reading) -> str:
    """The lender's LTV, and ours beside it where they differ, each labelled."""
    if not reading.exposure.tested:
        return "nothing owed"
    if reading.exposure.uncovered:
        return "no coins credited"
    lenders, ours = reading.show(reading.lenders), reading.show(reading.ours)
    if lenders == ours or ours is None:
        return f"LTV {percent(lenders)}"
    return f"LTV {percent(lenders)} by the lender's terms ({percent(ours)} by ours)"


def covenant_headline(book: Book, reading: Reading, alert: Alert, calls: Sequence[Call]) -> str:
    """The first line of a covenant alert: what stands, worst first; of a call its clock, `calls` governing first."""
    title = reading.exposure.title
    called = [line for line in alert.active if line.call and line.name.removeprefix("call:") in alert.call_states]
    if called and max(called, key=lambda line: line.rank).rank >= alert.rank:
        clock = f" {_short_clock(book, calls[0])}" if calls else ""
        return f"{title} has called: {alert.tier}{clock}, {ltv_phrase(reading)}"
    held = next((tier for tier in reading.tiers if tier.name == alert.tier), None)
    stood = stood_at(reading, alert)
    if not reading.known:
        return f"{title}: LTV unknown, last at its {stood}"
    worst = reading.worst
    if worst is None or worst.rank < alert.rank:
        clears = _clears(book, held.bound.clear_at, alert) if held and held.bound.clear_at else ""
        return f"{title} is back under its {stood}: {ltv_phrase(reading)}{clears}"
    return f"{title} is at its {_reached_phrase(reading, worst)}"


def _clears(book: Book, ltv: Fraction, alert: Alert) -> str:
    """At which LTV its worst line clears; once it is there, when, so that nobody wonders what it waits for."""
    if alert.flapping:
        return ""  # until it has been calm for an hour nothing clears
    at, after = percent(percent_plain(ltv)), book.register.alerts.clear_after
    lines = [line for line in alert.active if line.tier == alert.tier]
    ends = [line.clear_since + after - line.clear_for for line in lines if line.clear_since is not None]
    if not ends or len(ends) < len(lines):
        return f", clears at {at}"
    return f", clears {moment(max(ends), book.treasury.zone, book.at)} if it stays at or under {at}"


def stood_at(reading: Reading, alert: Alert) -> str:
    """The worst line of `alert`, in words; one that was amended away has only its name left."""
    held = next((tier for tier in reading.tiers if tier.name == alert.tier), None)
    return line_name(held.tier) if held else f"{alert.tier} line"


def _short_clock(book: Book, call: Call) -> str:
    if call.due is None:
        return "without a deadline"
    due = moment(call.due, book.treasury.zone, book.at)
    if call.state is CallState.MISSED:
        return f"deadline MISSED (it was due {due})"
    left = f" ({span(call.due - book.at)} left)" if call.due > book.at else ""
    return f"due {due}{left}"


def _reached_phrase(reading: Reading, worst: TierReading) -> str:
    name = line_name(worst.tier)
    if reading.exposure.uncovered:
        return f"{name}: {show_usd_short(reading.exposure.tested)} owed and no coins credited"
    if worst.tier.price is not None:
        return f"{name}: {show_usd(reading.market or 0)} ≤ {show_usd(worst.tier.price)}, {ltv_phrase(reading)}"
    line = f" ≥ {percent_plain(worst.bound.line)} %" if worst.bound.line is not None else ""
    return f"{name}: LTV {percent(reading.show(reading.lenders))}{line}"


def covenant_body(book: Book, reading: Reading, calls: Sequence[Call]) -> str:
    """Everything under an alert's headline, a paragraph a line."""
    further = [next_line_sentence(reading.next_line)] if reading.next_line is not None else []
    return "\n".join([price_sentence(book.price), *standing(book, reading, calls), *further])


def standing(book: Book, reading: Reading, calls: Sequence[Call]) -> Iterator[str]:
    """What stands and what would cure it: calls or the clock of one, the venue, both LTVs, the cures, the waiver."""
    worst = reading.worst
    yield from (call_sentence(book, call) for call in calls)
    yield from (claim_sentence(book, claim) for claim in claims_on(book, reading.exposure))
    if not calls:
        yield from _uncalled(book, reading, worst)
    if worst is not None and worst.venue and reading.market is not None:
        yield f"Reached at {worst.venue}'s quote of {show_usd(reading.market)}, not at our price."
    if reading.lenders != reading.ours and not reading.exposure.uncovered:
        yield f"{ltv_phrase(reading)}; the lender's is the one that counts."
    if aim := aimed_cures(book, reading, calls):
        yield cure_sentence(book, reading, aim)
        if worst is not None and worst.tier.kind.is_call and not calls:
            yield from _small_call(reading, aim)
    if waived := book.waiver(reading.exposure):
        yield f"Waived until {moment(waived.until, book.treasury.zone, book.at)} ({waived.reason})."


def claim_sentence(book: Book, claim: Claim) -> str:
    """What one person has recorded of it and nobody has confirmed."""
    phrase = claim_phrase(claim, book)
    return f"Not counted: {phrase}; it counts once a second operator, or a file, confirms it."


def _uncalled(book: Book, reading: Reading, worst: TierReading | None) -> Iterator[str]:
    """At a call line without a notice: the clock that a notice would start now."""
    if not reading.known:
        yield "Without a price the LTV is unknown."
    elif worst is not None and worst.tier.kind.is_call:
        zone = book.treasury.zone
        due = deadline(worst.tier, book.at, book.treasury.calendars, zone)
        if due is None:
            yield f"{_no_notice(book, reading)}; the terms give no deadline if called."
        else:
            said = f"if called now, due {moment(due, zone, book.at)} ({span(due - book.at)})."
            yield f"{_no_notice(book, reading)}; {said}"
    elif worst is not None and worst.tier.kind is TierKind.LIQUIDATION:
        yield f"{_no_notice(book, reading)}."


def _no_notice(book: Book, reading: Reading) -> str:
    """That there is no call: none was ever recorded, or none is open any more."""
    exposure = reading.exposure
    named = (
        notice.group if exposure.is_group else notice.facility
        for notice in book.treasury.notices
        if notice.at <= book.at
    )
    return "No notice is open" if exposure.id in named else "No notice recorded"


def call_sentence(book: Book, call: Call) -> str:
    """One open call: its notice, deadline and what is demanded, sent, credited and missing."""
    zone, notice = book.treasury.zone, call.notice
    noted = f"Notice “{notice.ref}” of {moment(notice.at, zone, book.at)} at {show_usd(notice.price)}"
    may = f" {_may_now(book, call)}" if call.state is CallState.MISSED else ""
    return f"{noted}, {_clock(book, call)}.{may} {_demand(call)}"


def _may_now(book: Book, call: Call) -> str:
    """What the lender may do next, by the terms of its liquidation line, once a deadline is missed."""
    exposure = book.snapshot.exposure(call.notice.facility, call.notice.group)
    tier = next((b.tier for b in exposure.bounds if b.tier.kind is TierKind.LIQUIDATION), None)
    if tier is None or tier.liquidate_to is None:
        return "The lender may now sell pledged coins by its terms."
    fee = tier.liquidation_fee_bps
    aim = cures(book.read(exposure), tier.liquidate_to, exposure.tested, Fraction(fee, 10_000))
    about = f", now about {show_btc_up(aim.sell_pledged)} BTC" if aim.sell_pledged else ""
    at_fee = f", at a fee of {percent_plain(Fraction(fee, 10_000))} %" if fee else ""
    return f"The lender may now sell pledged coins, down to LTV {percent_plain(tier.liquidate_to)} %{at_fee}{about}."


def _clock(book: Book, call: Call) -> str:
    zone = book.treasury.zone
    if call.due is None:
        clock = "no deadline given"
    elif call.state is CallState.MISSED:
        clock = f"MISSED: it was due {moment(call.due, zone, book.at)}"
    elif call.due <= book.at:
        clock = f"was due {moment(call.due, zone, book.at)}"
    else:
        clock = f"due {moment(call.due, zone, book.at)} (in {span(call.due - book.at)})"
    return f"{clock}, disputed (this stops no clock)" if call.state is CallState.DISPUTED else clock


def _demand(call: Call) -> str:
    """What is asked, what of it is on its way or there, and what is missing; what is nothing goes unsaid."""
    on_its_way = _both(call.sent_btc, call.sent_usd)
    there = _both(call.credited.btc, call.credited.usd)
    done = [f"sent {on_its_way}"] if on_its_way else []
    done += [f"credited {there}"] if there else []
    return (
        f"Demanded {amounts(call.demand.btc, call.demand.usd)}; {', '.join(done) or 'nothing sent or credited yet'}; "
        f"missing {amounts(call.missing_btc, call.missing_usd)}."
    )


def _both(btc: Sats, usd: Cents) -> str:
    parts = [f"{show_btc(btc)} BTC"] if btc else []
    parts += [show_usd_short(usd)] if usd else []
    return " and ".join(parts)


def amounts(btc: Sats | None, usd: Cents | None) -> str:
    """Two alternatives, coins rounded up to 0.01 BTC and dollars to the cent or $0.01M."""
    parts = [f"{show_btc_up(btc)} BTC"] if btc is not None else []
    parts += [show_usd_short_up(usd)] if usd is not None else []
    return sentence(parts)


def aimed_cures(book: Book, reading: Reading, calls: Sequence[Call]) -> Cures | None:
    """The cures for the worst tier reached or called, on the debt at the later of now and the governing deadline."""
    ranks = [call.rank for call in calls] + ([reading.worst.rank] if reading.worst else [])
    bounds = reading.exposure.bounds
    target = bounds[max(ranks)].target if ranks and bounds else None
    if target is None:
        return None
    tested = reading.exposure.tested
    if calls and calls[0].due is not None and calls[0].due > book.at:
        notice = calls[0].notice
        tested = book.register.snapshot(book.at, calls[0].due).exposure(notice.facility, notice.group).tested
    return cures(reading, target, tested, book.treasury.policy.sale_cost)


def cure_sentence(book: Book, reading: Reading, aim: Cures) -> str:
    """The ways back to the target, each marked where coins, cash or consent do not allow it."""
    ways = list(_ways(book, reading, aim))
    if not ways:
        return f"Cure to {percent(percent_plain(aim.target))}: amounts need a price."
    if not aim.repay:
        return f"At its cure target of {percent(percent_plain(aim.target))} already: nothing to add."
    return f"Cure to {percent(percent_plain(aim.target))}: {', or '.join(ways)}."


def _ways(book: Book, reading: Reading, aim: Cures) -> Iterator[str]:
    free = book.coins.free
    if aim.top_up is not None:
        yield f"pledge {show_btc_up(aim.top_up)} BTC{_short_of_coins(aim.top_up, free)}"
    if aim.repay is not None:
        yield f"repay {show_usd_short_up(ceil(aim.repay))}{_short_of_cash(book, aim.repay)}"
    if aim.sell_free is not None:
        yield f"sell {show_btc_up(aim.sell_free)} free BTC{_short_of_coins(aim.sell_free, free)} and repay"
    if aim.sell_pledged is not None:
        yield f"sell {show_btc_up(aim.sell_pledged)} pledged BTC {_consent(book, reading.exposure)}"


def _short_of_coins(need: Fraction, free: Sats) -> str:
    if need <= free:
        return ""
    return f" ({show_btc_down(free)} free)" if free else " (none free)"


def _short_of_cash(book: Book, need: Fraction) -> str:
    reserve = book.treasury.policy.min_cash_usd
    if need <= book.cash - reserve:
        return ""
    kept = f", {show_usd_short(reserve)} of it reserved" if reserve else ""
    return f" ({show_usd_short(book.cash)} in cash{kept})"


def _consent(book: Book, exposure: Exposure) -> str:
    if exposure.consent is Consent.NONE:
        return "(the lender has not agreed to that)"
    if exposure.consent is Consent.ASK:
        return "if the lender agrees (ask)"
    calendar = book.treasury.calendars.get(exposure.desk_calendar) if exposure.desk_calendar else None
    if calendar is None or calendar.is_open(book.at):
        return "at the lender's desk"
    return f"at the lender's desk (opens {moment(calendar.next_open(book.at), book.treasury.zone, book.at)})"


def _small_call(reading: Reading, aim: Cures) -> Iterator[str]:
    least = reading.exposure.min_call_usd
    if least and aim.repay is not None and aim.repay < least:
        yield f"The lender sends no notice for less than {show_usd_short(least)}."


def next_line_sentence(tier: TierReading) -> str:
    """Where the next line is, and how far."""
    return f"Next line: {line_place(tier)}."


def line_place(tier: TierReading) -> str:
    """A line, its price, and how far it is: "liquidation at $47,619.04, 13.42 % below"."""
    if tier.price is None:
        return tier.name
    if tier.headroom is None:
        return f"{tier.name} at {show_usd(tier.price)}"
    far = plain(half_up(abs(tier.headroom) * 10_000), 2)
    where = "below" if tier.headroom >= 0 else "above our price"
    return f"{tier.name} at {show_usd(tier.price)}, {far} % {where}"


def release_headline(title: str, coins: Sats | None) -> str:
    """Good to know: coins that may come back (None: no price to tell); 0 while over the line but not cleared yet."""
    if coins is None:
        return f"{title}: LTV unknown, and so what it may release"
    return f"{title} may release {show_btc_down(coins)} BTC" if coins else f"{title} is over its release line again"


def release_body(book: Book, exposure: Exposure, facility: Facility, coins: Sats) -> str:
    """What may be asked back, and why."""
    release = book.snapshot.terms(facility).release
    lenders = book.read(exposure).show(book.read(exposure).lenders)
    if release is None:
        return ""
    days = f"{release.days} daily mark{'s' if release.days > 1 else ''}"
    return (
        f"{show_btc_down(coins)} BTC can be asked back, down to LTV {percent_plain(release.to)} %.\n"
        f"LTV {percent(lenders)} at {price_phrase(book.price)}; at or under {percent_plain(release.line)} % "
        f"for {days} in a row. Ask {exposure.title} for it."
    )


def price_headline(view: PriceView) -> str:
    """Blindness in one line."""
    if view.last is None:
        return "No bitcoin price: LTVs are unknown"
    if view.usable is not None:  # what comes and goes is held open
        return f"The bitcoin price is back, but comes and goes: {price_phrase(view)}"
    aged = f", last {show_usd(view.last)}" + (f" {span(view.age)} ago" if view.age is not None else "")
    why = "the sources disagree" if view.state.value == "disputed" else "no fresh price"
    return f"No bitcoin price ({why}{aged}): LTVs are unknown"


def price_body(book: Book) -> str:
    """Each facility at the last price and at the lowest fresh quote: what if, not a price."""
    view = book.price
    lines = []
    if view.last is not None:
        aged = f", {span(view.age)} old" if view.age is not None else ""
        lines += [f"At the last price {show_usd(view.last)}{aged}: {_what_if(book, view.last)}."]
    if view.lowest_fresh is not None:
        lowest = f"At the lowest fresh quote {show_usd(view.lowest_fresh)} (what if, not a price)"
        lines += [f"{lowest}: {_what_if(book, view.lowest_fresh)}."]
    lines += ["No covenant alert opens, eases or closes until a price is back; calls keep their clocks."]
    lines += ["Check the price sources: plimsoll doctor."]
    return "\n".join(lines)


def _what_if(book: Book, price: int) -> str:
    view = PriceView.scenario(price)
    readings = [read(exposure, view) for exposure in book.exposures if exposure.bounds]
    said = [
        f"{reading.exposure.title} LTV {percent(reading.show(reading.lenders))}{_at(reading)}" for reading in readings
    ]
    return "; ".join(said) or "no facility has a covenant"


def _at(reading: Reading) -> str:
    return f" (at its {line_name(reading.worst.tier)})" if reading.worst else ""
