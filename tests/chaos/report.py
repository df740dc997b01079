"""What is printed: a table, a line of what was met, and a line for each fault found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from .checker import summed
from .series import Result

_HEAD = ("", "kills", "stops", "prices", "decided", "delivered", "lost", "duplicated", "uncalled", "out of order")
_HEAD += ("stale edits", "take-over p50", "max", "time")
_MOST = 40


def summary(results: Sequence[Result]) -> Iterator[str]:
    first = [one for one in results if not one.plan.beyond]
    second = [one for one in results if one.plan.beyond]
    rows = [_HEAD, *(_row(one.plan.name, [one]) for one in first)]
    if len(first) > 1:
        rows.append(_row("together", first))
    rows += [_row(f"{one.plan.name} *", [one]) for one in second]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
    if second:
        yield "* with arrivals later than SETTLE_AFTER: there a message may be posted twice, and none may be lost"
    if overtaken := summed(one.verdict for one in first).overtaken:
        yield f"{overtaken} messages came after those of a later alert of the same key: order is promised per alert"
    met: Counter[str] = sum((one.met for one in results), Counter())
    yield f"\nMet: {', '.join(f'{count} × {what}' for what, count in met.most_common())}."
    for one in results:
        for note in [*one.notes, *one.verdict.found][:_MOST]:
            yield f"{one.plan.name}{' *' if one.plan.beyond else ''}: {note}"


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    whole = summed(one.verdict for one in results)
    times = [seconds for one in results for seconds in one.takeovers]
    counts = (
        sum(one.kills for one in results),
        sum(one.stops for one in results),
        sum(one.steps for one in results),
        whole.decided,
        whole.delivered,
        whole.lost,
        whole.duplicated,
        whole.uncalled,
        whole.out_of_order,
        whole.stale,
    )
    p50, most = (f"{median(times):.1f} s", f"{max(times):.1f} s") if times else ("-", "-")
    return (name, *map(str, counts), p50, most, f"{sum(one.seconds for one in results):.0f} s")
