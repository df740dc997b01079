"""FALLBACK_URLS through the apprise library: e-mail, SMS, PagerDuty, webhooks. No address, being a secret, is logged.

The library is imported when it is first needed: it costs time and memory that a bot without fallbacks does not have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.services.fallback import PATIENCE
from bot.settings import SettingsError

if TYPE_CHECKING:
    from apprise import Apprise


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
    """Implements `bot.services.fallback.Targets`."""

    def __init__(self, urls: Iterable[SecretStr]) -> None:
        self._urls = tuple(urls)

    def __len__(self) -> int:
        return len(self._urls)

    def name(self, number: int) -> str:
        return scheme(self._urls[number])

    def send(self, number: int, title: str, body: str) -> bool:
        """As plain text, which mails would show as HTML, in one line; as a failure, or pagers take it for news."""
        from apprise import NotifyFormat, NotifyType

        target = _apprise()
        target.add(self._urls[number].get_secret_value())
        return bool(
            target.notify(title=title, body=body, body_format=NotifyFormat.TEXT, notify_type=NotifyType.FAILURE)
        )


def _apprise() -> Apprise:
    from apprise import Apprise, AppriseAsset

    for name in ("apprise", "urllib3"):  # they log whole addresses
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return Apprise(asset=AppriseAsset(service_timeout=PATIENCE.total_seconds()))
