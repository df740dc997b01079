"""Whether Slack takes our token: asked now and then by each process for itself, and never while somebody waits."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from bot.services.directory import LookUpFailedError

GOOD_FOR_S = 600.0
_log = structlog.get_logger()


class TokenWatch:
    """`ask` asks Slack whose bot this is, and raises LookUpFailedError where it does not say."""

    def __init__(self, ask: Callable[[], None], good_for_s: float = GOOD_FOR_S) -> None:
        self._ask = ask
        self._good_for_s = good_for_s
        self._good_until = 0.0
        self._known = False
        self._failed: LookUpFailedError | None = None

    def look(self) -> None:
        """Asks, unless Slack took the token lately."""
        if time.monotonic() < self._good_until:
            return
        try:
            self._ask()
        except LookUpFailedError as failed:
            self._failed = failed
            _log.warning("slack_not_asked", reason=failed.code)
            return
        self._known, self._failed = True, None
        self._good_until = time.monotonic() + self._good_for_s

    def trouble(self) -> str | None:
        """What is the matter by Slack's last word. No network."""
        failed = self._failed
        if failed is not None and not failed.passing:
            return f"Slack refuses the token ({failed.code}): plimsoll doctor says the next step"
        if self._known:
            return None
        return "Slack was not asked about the token" + (f": {failed.code}" if failed else "")
