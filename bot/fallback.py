"""FALLBACK_URLS through the apprise library: e-mail, SMS, PagerDuty, webhooks. No address, being a secret, is logged.

The library is imported when it is first needed: it costs time and memory that a bot without fallbacks does not have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from bot.settings import SettingsError

if TYPE_CHECKING:
    from apprise import Apprise

_log = structlog.get_logger(__name__)


def scheme(url: SecretStr) -> str:
    """What may be said of an address: "mailto"."""
    return url.get_secret_value().partition("://")[0]


def check_targets(urls: Iterable[SecretStr]) -> None:
    """SettingsError, without the address, for one that apprise does not know."""
    for url in urls:
        if not _apprise().add(url.get_secret_value()):
            raise SettingsError(
                f"FALLBACK_URLS: an address that begins with “{scheme(url)}://” is not one that apprise understands; "
                "write it as mailto://user:password@host or json://host/path (its value is not shown)"
            )


class AppriseTargets:
    """Implements `bot.services.fallback.Targets`. One that took a message gets it no second time from this process."""

    def __init__(self, urls: Iterable[SecretStr]) -> None:
        self._urls = tuple(urls)
        self._taken: set[tuple[int, int]] = set()

    def send(self, message_id: int, title: str, body: str) -> int:
        """How many targets have it now."""
        return sum(self._to(number, message_id, title, body) for number in range(len(self._urls)))

    def _to(self, number: int, message_id: int, title: str, body: str) -> bool:
        if (message_id, number) in self._taken:
            return True
        target = _apprise()
        target.add(self._urls[number].get_secret_value())
        if not target.notify(title=title, body=body):
            _log.error("fallback_target_failed", scheme=scheme(self._urls[number]), number=number + 1)
            return False
        self._taken.add((message_id, number))
        return True


def _apprise() -> Apprise:
    from apprise import Apprise

    for name in ("apprise", "urllib3"):  # they log whole addresses
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return Apprise()
