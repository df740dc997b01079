"""docs/alerts.md and what it documents."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain.transitions import Reason

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def test_every_reason_is_explained_once_and_in_order() -> None:
    table = PAGE.partition("## Reasons")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([a-z_]+)` \| ([A-Z][^|]*\.) \|$", table, re.MULTILINE)
    assert [name for name, _ in explained] == [reason.value for reason in Reason]
