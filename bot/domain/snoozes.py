"""How long something may be put off with one click."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.periods import ONE_DAY, as_utc, local_day

SNOOZES = {"1h": "1 h", "4h": "4 h", "tomorrow": "Tomorrow 9:00"}
"""Each choice with its label."""

SILENCES = {**SNOOZES, "1d": "1 day", "3d": "3 days"}
"""The same for a silence, which may last longer."""

_HOURS = {"1h": 1, "4h": 4, "1d": 24, "3d": 72}
_MORNING = time(9)


def put_off_until(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a choice ends; tomorrow is the treasury's, in `zone`. KeyError where there is no such choice."""
    if choice == "tomorrow":
        day = local_day(now, zone) + ONE_DAY
        return as_utc(datetime.combine(day, _MORNING, zone))
    return now + timedelta(hours=_HOURS[choice])
