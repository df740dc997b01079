"""What is printed: a table of cases by kind and status; of what failed, how to try it again."""

from __future__ import annotations

from collections.abc import Iterator

from .series import BATCH, Result

_MOST = 30


def summary(result: Result) -> Iterator[str]:
    codes = sorted({status for _, status in result.statuses})
    kinds = sorted({kind for kind, _ in result.statuses})
    yield "".join(f"{head:>10}" for head in ("", "cases", "requests", *map(str, codes), "slowest"))
    for kind in kinds:
        counts = [result.statuses[kind, code] for code in codes]
        yield _row(kind, result.cases[kind], counts, result.slowest[kind])
    yield _row(
        "together",
        result.cases.total(),
        [sum(result.statuses[kind, code] for kind in kinds) for code in codes],
        max(result.slowest.values()),
    )
    yield f"{result.unsigned:,} were not signed by Slack. Said to Slack: {sum(result.said.values()):,} calls."
    yield f"Failed: {len(result.failures)}"


def failed(result: Result, seed: str) -> Iterator[str]:
    """What was wrong with each, and how to try it again."""
    for one in result.failures[:_MOST]:
        last = one.first + BATCH - 1
        yield f"\n{one.kind} {one.number}: make fuzz SEED={seed} ONLY={one.number}"
        yield f"  where it takes what came before it: ONLY={one.first}..{last}"
        yield from (f"  {found}" for found in one.found)
        if one.sent:
            yield f"  {one.sent}"


def _row(name: str, cases: int, counts: list[int], seconds: float) -> str:
    return (
        f"{name:>10}{cases:>10,}{sum(counts):>10,}"
        + "".join(f"{count:>10,}" for count in counts)
        + f"{seconds * 1000:>7.0f} ms"
    )
