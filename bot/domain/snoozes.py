"""How long something may be put off with one click."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.periods import ONE_DAY, as_utc, local_day

SNOOZES = {"1h": "1 h", "4h": "4 h", "tomorrow": "Tomorrow 9:00"}
"""Each choice with its label."""

_HOURS = {"1h": 1, "4h": 4}
_MORNING = time(9)


def put_off_until(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a choice ends; tomorrow is the treasury's, in `zone`. KeyError where there is no such choice."""
    if choice == "tomorrow":
        day = local_day(now, zone) + ONE_DAY
        return as_utc(datetime.combine(day, _MORNING, zone))
    return now + timedelta(hours=_HOURS[choice])
