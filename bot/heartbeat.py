"""The ping of HEARTBEAT_URL: a watchman elsewhere misses it where the bot does not really check.

Its address is a secret and in no log: whoever has it can feign a healthy bot.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import structlog

from bot.services.turns import PutOffError
from bot.store.store import Store

EVERY = timedelta(minutes=1)
_TIME_OUT_S = 5.0
_log = structlog.get_logger()


class Ping:
    """Sends one ping a call, where all checks were completed `within` so long by whichever process."""

    def __init__(self, store: Store, http: httpx.Client, url: str, within: timedelta) -> None:
        self._store = store
        self._http = http
        self._url = url
        self._within = within

    def __call__(self, *_: object) -> None:
        """PutOffError where nothing was really checked lately."""
        with self._store.reading() as tx:
            checked, nothing_to_check = tx.checked_ago(), tx.treasury() is None
        if nothing_to_check:
            raise PutOffError("nothing is imported")
        if checked is None or checked > self._within:
            raise PutOffError("the checks do not complete")
        try:
            with self._http.stream("GET", self._url, timeout=_TIME_OUT_S, follow_redirects=False) as answer:
                if not answer.is_success:
                    _log.warning("heartbeat_refused", status=answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("heartbeat_failed", reason=type(error).__name__)
