"""Pictures: LTVs against their lines, and coins by month, as PNG or SVG. matplotlib is imported only to draw.

A picture has a ground of its own, so that it reads the same on a light page and on a dark one, and letters that can be
read at the width of a phone.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.domain.history import LtvHistory, MonthCoins
from bot.domain.money import SATS_PER_BTC, percent_plain, show_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg")
MOST_SHOWN = 6
"""So many loans fit one picture; the nearest to their lines are shown."""
MOST_IN_DIGEST = 3
_WIDTH, _HEIGHT_OF_ONE, _DPI = 5.0, 2.6, 160
_GROUND, _INK, _FAINT = "#ffffff", "#1d1c1d", "#d6d6d6"
_LTV, _MINED, _SOLD = "#1264a3", "#2eb67d", "#e0671f"
_LINES = ("#b8860b", "#d9480f", "#a61e4d", "#5f0f40")
_LOOKS: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "svg.hashsalt": "plimsoll",
    "svg.fonttype": "path",
    "text.parse_math": False,  # a lender may have dollars in its name
}


def ltv_picture(
    histories: Sequence[LtvHistory], zone: ZoneInfo, fmt: str = ".png", marks: Iterable[tuple[datetime, str]] = ()
) -> bytes:
    """Each loan's LTV over time with its lines; `marks` are instants to point out, each in the colour of the line that
    it names."""
    shown, marks = list(histories)[:MOST_SHOWN], list(marks)
    figure, axes = _figure(max(len(shown), 1))
    for axis, history in zip(axes, shown, strict=False):
        _draw_ltv(axis, history, zone, marks)
    if not shown:
        axes[0].set_title("No loan has a line to hold an LTV against", loc="left")
    return _written(figure, fmt)


def week_picture(histories: Sequence[LtvHistory], months: Sequence[MonthCoins], zone: ZoneInfo) -> bytes:
    """The digest's: the loans nearest to their lines, and under them the coins by month."""
    shown = list(histories)[:MOST_IN_DIGEST]
    figure, axes = _figure(len(shown) + 1)
    for axis, history in zip(axes, shown, strict=False):
        _draw_ltv(axis, history, zone, [])
    _draw_months(axes[-1], months)
    return _written(figure, ".png")


def months_picture(months: Sequence[MonthCoins], fmt: str = ".png") -> bytes:
    """Coins mined and sold, month by month."""
    figure, (axis,) = _figure(1)
    _draw_months(axis, months)
    return _written(figure, fmt)


def _draw_months(axis: Axes, months: Sequence[MonthCoins]) -> None:
    places = list(range(len(months)))
    for offset, color, label, coins in (
        (-0.2, _MINED, "mined", [month.mined for month in months]),
        (0.2, _SOLD, "sold", [month.sold for month in months]),
    ):
        heights = [amount / SATS_PER_BTC for amount in coins]
        axis.bar([place + offset for place in places], heights, width=0.4, color=color, label=label)
    axis.set_xticks(places, [_month(month) for month in months], rotation=45, ha="right")
    axis.set_title("BTC mined and sold by month", loc="left")
    axis.legend(frameon=False, loc="upper left")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def write_picture(path: Path, drawn: bytes) -> None:
    """The whole file or none. OSError where it cannot be written."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(drawn)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _figure(rows: int) -> tuple[Figure, list[Axes]]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of its fonts the first time
    with mpl.rc_context(_LOOKS):
        size = (_WIDTH, _HEIGHT_OF_ONE * rows + 0.2)
        figure = Figure(figsize=size, dpi=_DPI, facecolor=_GROUND, layout="constrained")
        axes = [figure.add_subplot(rows, 1, row + 1, facecolor=_GROUND) for row in range(rows)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color=_FAINT, linewidth=0.5)
        axis.set_axisbelow(True)
    return figure, axes


def _draw_ltv(axis: Axes, history: LtvHistory, zone: ZoneInfo, marks: list[tuple[datetime, str]]) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter, date2num

    when = [float(date2num(instant)) for instant in history.instants]  # type: ignore[no-untyped-call]
    colors = dict(zip(history.lines, _colors(len(history.lines)), strict=True))
    for name, ltvs in history.lines.items():
        color = colors[name]
        axis.plot(when, _floats(ltvs), color=color, linewidth=1.2, linestyle="--", drawstyle="steps-post")
        if ltvs[-1] is not None:
            axis.annotate(
                f"{name} {show_percent(percent_plain(ltvs[-1]))}",
                (0, float(ltvs[-1]) * 100),
                xycoords=("axes fraction", "data"),
                xytext=(3, 2),
                textcoords="offset points",
                color=color,
                fontsize=8,
                parse_math=False,
            )
    axis.plot(when, _floats(history.ltvs), color=_LTV, linewidth=1.6)
    for instant, name in marks:
        at = float(date2num(instant))  # type: ignore[no-untyped-call]
        axis.axvline(at, color=colors.get(name, _INK), linewidth=0.8, alpha=0.7)
    now = history.printed[-1] if history.printed else None
    axis.set_title(f"LTV of {history.title}: {show_percent(now) if now is not None else 'unknown'}", loc="left")
    axis.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=5, tz=zone))  # type: ignore[no-untyped-call]
    axis.xaxis.set_major_formatter(DateFormatter("%d %b", tz=zone))  # type: ignore[no-untyped-call]
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")


def _colors(count: int) -> list[str]:
    return [_LINES[min(number, len(_LINES) - 1)] for number in range(count)]


def _floats(ltvs: Iterable[Fraction | None]) -> list[float]:
    """Percentages to draw; what is unknown leaves a gap."""
    return [float("nan") if ltv is None else float(ltv) * 100 for ltv in ltvs]


def _month(month: MonthCoins) -> str:
    year, number = month.month.split("-")
    short = f"{datetime(int(year), int(number), 1):%b %y}"  # noqa: DTZ001  (a month's name has no zone)
    return short if month.is_over else f"{short} so far"


def _written(figure: Figure, fmt: str) -> bytes:
    import matplotlib as mpl

    out = BytesIO()
    nothing = {"Date": None} if fmt == ".svg" else {"Software": None}
    with mpl.rc_context(_LOOKS):
        figure.savefig(out, format=fmt.removeprefix("."), metadata=nothing, facecolor=_GROUND)
    return out.getvalue()
