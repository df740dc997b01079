"""What was recorded only after an instant that it is dated before: whoever asked then got another answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.merge_found import What, thing_named


@dataclass(frozen=True, slots=True)
class LateRecord:
    """One record that came late. `at` is the first instant at which it counts, `recorded_at` when it was recorded.

    `ref` is its ref, id or month; of what is agreed of a facility, that with the day. `became` is what was recorded of
    a call that was known: met, withdrawn, disputed or recovered; of a movement that is not confirmed yet, claimed.
    """

    what: What
    ref: str
    at: datetime
    recorded_at: datetime
    became: str = ""

    @property
    def kind(self) -> str:
        """ "movement", "statement", "call met"."""
        return f"{self.what} {self.became}".strip()

    def named(self, most: int) -> str:
        """As an import's lines have it, "movement “sale 3”"; a ref longer than `most` characters is cut."""
        ref = self.ref if len(self.ref) <= most else f"{self.ref[: most - 1]}…"
        return f"{thing_named(self.what, ref)} {self.became}".strip()
