"""Timing: repeat, sort, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def timed(do: Callable[[], object], times: int, warm: int = 3) -> list[float]:
    """Seconds of each of `times` calls, sorted, after `warm` unmeasured ones."""
    for _ in range(warm):
        do()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def line(name: str, taken: list[float], baseline: list[float], of: str) -> str:
    """One figure: median and 99th percentile in ms, and the ratio of the medians."""
    p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
    ratio = median(taken) / median(baseline)
    return (
        f"{name}: p50 {median(taken) * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms; "
        f"{of}: p50 {median(baseline) * 1e3:.2f} ms; ratio {ratio:.1f}"
    )
