"""Reads the arguments of a Web API call, form or JSON, as forgivingly and as strictly as Slack does."""

from __future__ import annotations

import json
from typing import Any

from bot.workspace.model import Json, ts_key


class RefusedError(Exception):
    """Slack says no: `error` is its code, `extra` what comes along in the answer."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = extra | ({"response_metadata": {"messages": list(messages)}} if messages else {})

    @property
    def body(self) -> Json:
        """The answer."""
        return {"ok": False, "error": self.code, **self.extra}


class Args:
    """Arguments by name. In a form everything is a string; in JSON, numbers, booleans and arrays are themselves."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self.raw.get(name)
        return default if value is None else value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """A string that must be there. Raises RefusedError `invalid_arguments`."""
        if not self.text(name):
            raise RefusedError("invalid_arguments", f"[ERROR] missing required field: {name}")
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean: true, "1" or "true"."""
        return self.text(name, str(default)).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int) -> int:
        """A count from 1 to `most`. Raises RefusedError `invalid_limit`."""
        try:
            value = int(self.text(name, str(default)) or default)
        except ValueError as not_a_number:
            raise RefusedError("invalid_limit") from not_a_number
        if not 1 <= value <= most:
            raise RefusedError("invalid_limit")
        return value

    def json(self, name: str, error: str) -> Any:
        """A structure: itself in a JSON call, encoded in a form; None if absent. Raises RefusedError `error`."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as broken:
            raise RefusedError(error) from broken

    def instant(self, name: str, error: str) -> tuple[int, int] | None:
        """A message `ts`, or None if absent. Raises RefusedError `error`."""
        try:
            return ts_key(self.text(name)) if self.text(name) else None
        except ValueError as broken:
            raise RefusedError(error) from broken
