"""What the tests of CSV files share: a treasury that is recorded, a good row, and what becomes of a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.domain.merge import Merge, merge
from bot.domain.treasury import Treasury
from bot.treasury_file import TreasuryFileError, read_treasury

CONTRACT = (Path(__file__).parent / "contract.toml").read_text(encoding="utf-8")
RECORDED = read_treasury("contract.toml", CONTRACT)
COLUMNS = "at,kind,ref,account,btc,usd,note"
GOOD = "2026-02-09T00:00:00Z,mined,m1,custody,117.86,,"


def importing(text: str, recorded: Treasury = RECORDED) -> Merge:
    return merge(recorded, read_treasury("movements.csv", text, recorded))


def faults_of(text: str) -> list[str]:
    with pytest.raises(TreasuryFileError) as refused:
        read_treasury("movements.csv", text, RECORDED)
    assert all(fault.startswith("movements.csv: ") for fault in refused.value.faults)
    return [fault.removeprefix("movements.csv: ") for fault in refused.value.faults]


def written(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def as_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str], delimiter: str = ",", **more: Any) -> str:
    out = StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, **more)
    writer.writerow(columns)
    writer.writerows([written(row.get(column, "")) for column in columns] for row in rows)
    return out.getvalue()
