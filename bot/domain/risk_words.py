"""What is said of how near the lines are: one text for Slack and the command line."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.domain.money import percent_plain, show_percent
from bot.domain.price_history import VOLATILITY_NEEDS
from bot.domain.risk import CURE, ExposureRisk, Risk, WindowRisk
from bot.domain.words import span

NOTHING = "–"
TOO_SHORT = "history too short"


def window_name(window: WindowRisk) -> str:
    """A window by its length: "24 h", "cure 3 d"."""
    if window.name != CURE or window.hours is None:
        return window.name
    return f"{CURE} {span(timedelta(hours=window.hours))}"


def counted(window: WindowRisk) -> str:
    """How often: "12 of 8,736 (0.14 %)"."""
    if window.of == 0:
        return TOO_SHORT
    if window.fell is None or window.of is None:
        return NOTHING
    share = show_percent(percent_plain(Fraction(window.fell, window.of)))
    return f"{window.fell:,} of {window.of:,} ({share})"


def modelled(window: WindowRisk) -> str:
    """The model's chance: "3.19 %"."""
    if window.model is None:
        return NOTHING
    digits = model_percent(window.model)
    return "under 0.001 %" if window.model and not float(digits) else f"{digits} %"


def model_percent(chance: float) -> str:
    """A chance as a percentage with three digits, of which three decimals at most: "0.094", "3.19", "31.9", "100"."""
    for below, places in ((1, 3), (10, 2), (100, 1)):
        digits = f"{chance * 100:.{places}f}"
        if float(digits) < below:
            return digits
    return "100"


def no_line(risk: Risk, one: ExposureRisk) -> str:
    """Why an exposure has no line ahead."""
    exposure = one.reading.exposure
    facility = risk.book.treasury.facility_by_id.get(exposure.id) if not exposure.is_group else None
    pool = risk.book.treasury.pool_of(facility) if facility is not None else None
    if pool is not None:
        return f"its coins are pooled in {pool.id}, which is tested as one"
    if not exposure.bounds:
        return "no covenant lines"
    if not exposure.tested:
        return "nothing owed"
    return "every line is reached"


def explained(risk: Risk) -> list[str]:
    """What the numbers are, and are not."""
    history, zone = risk.history, risk.book.treasury.zone
    if history.begins is None or history.ends is None:
        return [f"There is no price history up to {_day(risk.book.at, zone)}: nothing to count, and no model."]
    of = f"the history from {_day(history.begins, zone)} to {_day(history.ends, zone)}"
    prices = f"{history.points:,} price{'s' if history.points > 1 else ''}"
    said = [
        f"Counted: in how many windows of {of} ({prices}) the price fell as far as the line is now. One begins each "
        "hour, so they overlap."
    ]
    if risk.volatility is None:
        needs = VOLATILITY_NEEDS // 24
        return [*said, f"No model: it needs {needs} of the last 30 days. What is counted is no forecast."]
    volatility = show_percent(percent_plain(Fraction(risk.volatility)))
    model = f"a driftless log-normal price with the realised volatility of the last 30 days, {volatility} a year"
    return [*said, f"Model: {model}. Neither is a forecast."]


def _day(instant: datetime, zone: ZoneInfo) -> str:
    there = instant.astimezone(zone)
    return f"{there.day} {there:%b %Y}"
