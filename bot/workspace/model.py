"""What a workspace holds: people, channels, messages, modals, files, and the record of what was asked of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, overload

Json = dict[str, Any]


def ts_key(ts: str) -> tuple[int, int]:
    """A `ts` ("1700000000.000100") as integers, for exact ordering. Raises ValueError if it is none."""
    seconds, _, micros = ts.partition(".")
    return int(seconds), int((micros or "0").ljust(6, "0")[:6])


@dataclass(frozen=True)
class Due:
    """An instant that is reached by either clock: tests move the workspace's, the demo waits for the real one."""

    by_clock: datetime
    by_monotonic: float

    @classmethod
    def after(cls, seconds: float, now: datetime) -> Due:
        """`seconds` from now on both clocks."""
        return cls(now + timedelta(seconds=seconds), time.monotonic() + seconds)

    def plus(self, seconds: float) -> Due:
        """`seconds` after this."""
        return Due(self.by_clock + timedelta(seconds=seconds), self.by_monotonic + seconds)

    def reached(self, now: datetime) -> bool:
        """Whether either clock has passed it."""
        return now >= self.by_clock or time.monotonic() >= self.by_monotonic


@dataclass(frozen=True)
class Identity:
    """The team and the app that lives in it. Ids look like Slack's and never change, so tests may name them."""

    bot_name: str = "Plimsoll"
    team_id: str = "T0LOCAL"
    team_domain: str = "local"
    user_id: str = "U0PLIMSOLL"
    bot_id: str = "B0PLIMSOLL"
    app_id: str = "A0PLIMSOLL"


@dataclass
class User:
    """A person (or bot) as `users.info` describes one."""

    id: str
    name: str
    team_id: str
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass
class Channel:
    """A conversation. `im_user` is set for the direct messages between that user and the bot.

    `is_pending_ext_shared`: another organisation is invited to it.
    """

    id: str
    name: str
    is_ext_shared: bool = False
    is_archived: bool = False
    bot_is_member: bool = True
    is_private: bool = False
    im_user: str | None = None
    is_pending_ext_shared: bool = False


@dataclass(frozen=True)
class Version:
    """How a message read before an edit, and when that edit happened."""

    text: str
    blocks: list[Json]
    metadata: Json | None
    edited_at: datetime


@dataclass
class Message:
    """One message. `blocks` is replaced, never changed in place, so a list once read stays as it was."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json]
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    ephemeral_to: str | None = None
    command: str | None = None
    notice: str | None = None
    posted: Due | None = None
    edited_ts: str | None = None
    deleted: bool = False
    edits: list[Version] = field(default_factory=list)
    replies: list[Message] = field(default_factory=list)
    shown: Due | None = None

    @property
    def at(self) -> datetime:
        """When it arrived, by the workspace's clock."""
        if self.posted is None:
            raise RuntimeError("this message was never posted")
        return self.posted.by_clock

    @property
    def headline(self) -> str:
        """First line of the text: what a notification would show."""
        return self.text.split("\n", 1)[0]

    @property
    def is_reply(self) -> bool:
        """Whether it lives in a thread, under another message."""
        return self.thread_ts is not None

    def elements(self) -> Iterator[tuple[Json, Json]]:
        """Every (block, interactive element) of the message, in order."""
        yield from interactive(self.blocks)

    @property
    def action_ids(self) -> list[str]:
        """What can be pressed on the message now."""
        return [element["action_id"] for _, element in self.elements() if "action_id" in element]


def interactive(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """(block, element) for each thing in `blocks` that a person can press or fill in."""
    for block in blocks:
        found = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        if block.get("type") in {"actions", "section", "input"}:
            yield from ((block, element) for element in found if element and element.get("type") != "image")


class Messages(list[Message]):
    """What everyone in a channel sees at the top level, oldest first; `all_posts` leaves nothing out."""

    def __init__(self, seen: Iterable[Message], every: Iterable[Message]) -> None:
        super().__init__(seen)
        self.all_posts: list[Message] = list(every)


@dataclass
class View:
    """A modal, or an App Home tab (`kind` "home"). `status` is open, closed or submitted."""

    id: str
    kind: str
    user: str
    body: Json
    hash: str
    status: str = "open"
    root: str | None = None
    previous: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def callback_id(self) -> str:
        """As the app named it, or ""."""
        return str(self.body.get("callback_id", ""))

    @property
    def title(self) -> str:
        """Text of the title, or ""."""
        return str(self.body.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """Blocks as the app sent them, with ids filled in."""
        return list(self.body.get("blocks", []))

    @property
    def private_metadata(self) -> str:
        """As the app sent it, or ""."""
        return str(self.body.get("private_metadata", ""))


@dataclass
class File:
    """An uploaded file. `done` once `files.completeUploadExternal` has named it."""

    id: str
    name: str
    length: int
    content: bytes = b""
    title: str = ""
    done: bool = False


@dataclass(frozen=True)
class Call:
    """One request to the Web API or to a response_url, whether it was taken or not.

    `outcome` is "ok", Slack's error, or the fault that met it; `taken` says whether Slack acted on it.
    """

    method: str
    args: Json
    at: datetime
    monotonic: float
    outcome: str
    taken: bool


class Calls(Sequence[Call]):
    """Calls in order of arrival. `calls["chat.postMessage"]` counts one method, `calls.of(…)` lists it."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self._calls = list(calls)

    def __len__(self) -> int:
        return len(self._calls)

    @overload
    def __getitem__(self, key: int) -> Call: ...
    @overload
    def __getitem__(self, key: slice) -> list[Call]: ...
    @overload
    def __getitem__(self, key: str) -> int: ...
    def __getitem__(self, key: int | slice | str) -> Call | list[Call] | int:
        return self.count(key) if isinstance(key, str) else self._calls[key]

    def __repr__(self) -> str:
        return f"Calls({dict(self.by_method)})"

    def count(self, value: object) -> int:
        """How often a method was called."""
        return len(self.of(str(value)))

    def of(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self._calls if call.method == method]

    @property
    def by_method(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(call.method for call in self._calls)


@dataclass(frozen=True)
class Response:
    """What came to a response_url: the payload, whom it was for, and whether it was taken."""

    user: str
    channel: str
    payload: Json
    at: datetime
    outcome: str

    @property
    def text(self) -> str:
        """The text sent, or ""."""
        return str(self.payload.get("text") or "")

    @property
    def blocks(self) -> list[Json]:
        """The blocks sent, or none."""
        return list(self.payload.get("blocks") or [])
