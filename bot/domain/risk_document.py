"""How near the lines are as JSON: `risk --json`."""

from __future__ import annotations

from fractions import Fraction

from bot.domain.answers import Document, heading
from bot.domain.money import percent_plain, usd_plain
from bot.domain.periods import iso
from bot.domain.risk import ExposureRisk, LineRisk, Risk, WindowRisk
from bot.domain.risk_words import model_percent


def risk_document(risk: Risk) -> Document:
    """The next line of each facility and group with its windows, and the `further` ones; unknown is null."""
    history, volatility = risk.history, risk.volatility
    return {
        **heading(risk.book),
        "history": {
            "from": iso(history.begins) if history.begins else None,
            "to": iso(history.ends) if history.ends else None,
            "points": history.points,
        },
        "volatility_pct": percent_plain(Fraction(volatility)) if volatility is not None else None,
        "facilities": [_exposure(one) for one in risk.exposures if not one.reading.exposure.is_group],
        "groups": [_exposure(one) for one in risk.exposures if one.reading.exposure.is_group],
    }


def _exposure(one: ExposureRisk) -> Document:
    none: Document = {"tier": None, "price_usd": None, "headroom_pct": None, "windows": []}
    following, *further = [*map(_line, one.lines)] or [none]
    return {"id": one.reading.exposure.id, **following, "further": further}


def _line(line: LineRisk) -> Document:
    tier = line.tier
    return {
        "tier": tier.name,
        "price_usd": usd_plain(tier.price) if tier.price is not None else None,
        "headroom_pct": percent_plain(tier.headroom) if tier.headroom is not None else None,
        "windows": [_window(window) for window in line.windows],
    }


def _window(window: WindowRisk) -> Document:
    return {
        "name": window.name,
        "hours": window.hours,
        "fell": window.fell,
        "of": window.of,
        "model_pct": model_percent(window.model) if window.model is not None else None,
    }
