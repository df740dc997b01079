"""What an alert's button carries; `bot.slack.views.alerts` writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.services.errors import UsageError

_VALUE = re.compile(r"(\d{1,18}) (\d{1,9})\.(-?\d{1,9})(?: ([0-9a-z]+))?\Z", re.ASCII)

NOT_UNDERSTOOD = "This button is not understood any more: use those of the newest message."


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which alert, how bad it was where somebody clicked (level and rank), and what was chosen from a menu."""

    alert_id: int
    seen: tuple[int, int]
    choice: str = ""

    @classmethod
    def of(cls, value: str) -> Pressed:
        """UsageError where it is none of ours."""
        found = _VALUE.match(value)
        if found is None:
            raise UsageError(NOT_UNDERSTOOD)
        return cls(int(found[1]), (int(found[2]), int(found[3])), found[4] or "")
