"""Small checks that combine into the shape of a block: each looks at one value and reports what Slack would refuse.

Written from Slack's documentation and deliberately sharing no code with slackblocks or slack_sdk.models: a mistake
there must not be repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

ID_LENGTH = 255
URL_LENGTH = 3000


@dataclass
class Report:
    """Collects problems in Slack's own wording. `files` are the ids of files that a block may show."""

    files: Collection[str] = ()
    problems: list[str] = field(default_factory=list)

    def add(self, path: str, problem: str) -> None:
        """Note a problem at a JSON pointer."""
        self.problems.append(f"[ERROR] {problem} [json-pointer:{path}]")


Check = Callable[[Report, Any, str], None]


def string(longest: int, shortest: int = 1) -> Check:
    """A string of `shortest` to `longest` characters."""

    def check(report: Report, value: Any, path: str) -> None:
        if not isinstance(value, str):
            report.add(path, "must be a string")
        elif len(value) < shortest:
            report.add(path, f"must be more than {shortest - 1} characters")
        elif len(value) > longest:
            report.add(path, f"must be less than {longest + 1} characters")

    return check


def pattern(regex: str, what: str) -> Check:
    """A string that matches `regex` whole."""

    def check(report: Report, value: Any, path: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(regex, value):
            report.add(path, f"must be {what}")

    return check


def url(report: Report, value: Any, path: str) -> None:
    """An address: http, https or mailto, at most 3,000 characters."""
    string(URL_LENGTH)(report, value, path)
    if isinstance(value, str) and not re.match(r"(https?://\S|mailto:\S)", value):
        report.add(path, "invalid url")


def boolean(report: Report, value: Any, path: str) -> None:
    """true or false."""
    if not isinstance(value, bool):
        report.add(path, "must be a boolean")


def number(low: int, high: int) -> Check:
    """An integer from `low` to `high`."""

    def check(report: Report, value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            report.add(path, f"must be an integer from {low} to {high}")

    return check


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(report: Report, value: Any, path: str) -> None:
        if value not in choices:
            report.add(path, f"must be one of: {', '.join(choices)}")

    return check


def items(check_item: Check, low: int, high: int) -> Check:
    """An array of `low` to `high` items that each pass."""

    def check(report: Report, value: Any, path: str) -> None:
        if not isinstance(value, list):
            report.add(path, "must be an array")
            return
        if len(value) < low:
            report.add(path, f"no fewer than {low} items allowed")
        if len(value) > high:
            report.add(path, f"no more than {high} items allowed")
        for index, item in enumerate(value):
            check_item(report, item, f"{path}/{index}")

    return check


def keys(known: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """An object with only `known` keys, all `required` ones among them."""

    def check(report: Report, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            report.add(path, "must be an object")
            return
        for key in required:
            if key not in value:
                report.add(path, f"missing required field: {key}")
        for key, item in value.items():
            if key not in known:
                report.add(path, f"invalid additional property: {key}")
            else:
                known[key](report, item, f"{path}/{key}")

    return check


def typed(shapes: Mapping[str, Check], what: str) -> Check:
    """An object whose `type` picks its shape; any other type is refused."""

    def check(report: Report, value: Any, path: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in shapes:
            report.add(path, f"unsupported type: {kind} is not allowed for {what}")
        else:
            shapes[kind](report, value, path)

    return check


def text(longest: int, *kinds: str) -> Check:
    """A text object of the given kinds (default either), 1 to `longest` characters."""
    allowed = kinds or ("mrkdwn", "plain_text")
    marks = {"plain_text": "emoji", "mrkdwn": "verbatim"}

    def check(report: Report, value: Any, path: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            report.add(path, f"must be a text object of type {' or '.join(allowed)}")
            return
        known: dict[str, Check] = {"type": one_of(*allowed), "text": string(longest), marks[kind]: boolean}
        keys(known, ["text"])(report, value, path)

    return check


def plain(longest: int) -> Check:
    """A plain_text object."""
    return text(longest, "plain_text")
