"""Logs: structlog to stderr, as text for people or JSON for machines, with every secret masked on the way out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_TOKEN = re.compile(r"(xox[a-z]|xapp|xoxe\.xox[a-z])-[A-Za-z0-9.\-]+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(://[^\s:/@]*):[^\s@/]+@")
_SHORTEST_SECRET = 4
_KEY = re.compile(r"(?=.*\d)[\w\-]{16,}", re.ASCII)
"""What in an address looks like a key, and not like a name."""
_TOO_TALKATIVE = ("httpx", "httpcore", "slack_bolt", "alembic")
_SAID_BY_US = ("slack_sdk", "apscheduler.executors")
"""Log as an error what they raise or tell as well, and we say what it means."""
_WARNED_BY_US = ("apscheduler",)
"""Its warnings are of runs skipped or missed, which `bot.schedule` logs."""


class Redaction:
    """Masks tokens, passwords in URLs, and the secrets it was told of in any case, wherever in an event they are."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known)), re.IGNORECASE) if known else None

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: self.clean(value) for key, value in event.items()}

    def clean(self, value: Any) -> Any:
        """`value` without secrets. What is neither text nor made of texts is taken as it prints."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, dict):
            return {key: self.clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.clean(item) for item in value]
        return self.clean_text(value if isinstance(value, str) else str(value))

    def clean_text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub("…", text)
        return _CREDENTIALS.sub(r"\1:…@", _TOKEN.sub(r"\1-…", text))


def password_in(url: str) -> set[str]:
    """The password of an address, as it is written there and as it is meant; empty where it has none."""
    try:
        found = urlsplit(url).password
    except ValueError:
        return set()
    return {found, unquote(found)} if found else set()


def secrets_in(url: str) -> set[str]:
    """What of an address must not be seen: the whole, its password, and what looks like a key by itself."""
    parts = {unquote(part) for part in re.split(r"[/:@?&=#]+", url)}
    return {url, *password_in(url), *(part for part in parts if _KEY.fullmatch(part))}


def configure_logs(log_format: str, secrets: Iterable[str] = ()) -> None:
    """Logs of ours and of the libraries, to stderr, in one form ("text" or "json"). May be called again."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = log_format == "json"
    after: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # before the masking: a traceback may quote a secret
        Redaction(secrets),
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _WARNED_BY_US:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in _SAID_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)
