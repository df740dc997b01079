"""Who may ask and where: this is unpublished, price-sensitive information.

A command's payload tells neither a guest nor a channel shared with another organisation, so both are judged by what
Slack said of the user and the channel, kept in the database. `judge` looks nowhere else: it is asked before Slack is
acknowledged. What is not known, or was said more than an hour ago, is `UNKNOWN`, and `look_up` asks Slack. Whatever
cannot be established is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bot.services.ports import Clock, Reading, Writing

MAX_AGE = timedelta(hours=1)
REFRESH_AFTER = timedelta(minutes=40)
"""What is older is asked again by `refresh`, so that people in daily use never wait for a look-up."""

_USER_FACTS = (
    "team_id",
    "real_name",
    "deleted",
    "is_bot",
    "is_app_user",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
)
_SHARING = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")
_CHANNEL_FACTS = ("name", "is_im", "is_archived", *_SHARING)
_UNSEEN = ("channel_not_found", "not_in_channel", "no_permission")
_NOBODY = ("user_not_found", "users_not_found", "user_not_visible")
_LONG_AGO = timedelta(days=365 * 20)

Document = dict[str, Any]


class Ruling(StrEnum):
    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` says, where refused, why and what would be right."""

    ruling: Ruling
    reason: str = ""

    @property
    def allowed(self) -> bool:
        return self.ruling is Ruling.ALLOWED


ALLOWED = Judgement(Ruling.ALLOWED)
UNKNOWN = Judgement(Ruling.UNKNOWN)


class LookUpFailedError(Exception):
    """Slack did not say. `code` is Slack's error or what became of the request; `passing`: it may work later."""

    def __init__(self, code: str, *, passing: bool = True, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after


class Directory(Protocol):
    """What Slack says of people and places. LookUpFailedError where it does not."""

    def home(self) -> str:
        """The id of the workspace that the bot is at home in."""
        ...

    def user(self, user_id: str) -> Mapping[str, Any]: ...

    def channel(self, channel_id: str) -> Mapping[str, Any]: ...


class Said(Protocol):
    """What Slack said of one user or channel, and when."""

    @property
    def document(self) -> Document: ...

    @property
    def fetched_at(self) -> datetime: ...


class ReadsCache(Protocol):
    def user(self, user_id: str) -> Said | None: ...

    def channel(self, channel_id: str) -> Said | None: ...

    def cached_ids(self, kind: str, before: datetime) -> list[str]: ...


class WritesCache(ReadsCache, Protocol):
    def put_users(self, documents: Iterable[tuple[str, Document]], fetched_at: datetime) -> None: ...

    def put_channels(self, documents: Iterable[tuple[str, Document]], fetched_at: datetime) -> None: ...


class CacheStore(Reading[ReadsCache], Writing[WritesCache], Protocol):
    """The store, as far as access needs it."""


class Access:
    """Judges from the database; looks up only when asked to. May be shared between threads."""

    def __init__(self, store: CacheStore, directory: Directory, clock: Clock, max_age: timedelta = MAX_AGE) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._max_age = max_age
        self._home: str | None = None

    def judge(self, user_id: str, team_id: str, channel_id: str | None) -> Judgement:
        """Whether `user_id` may be answered in `channel_id`, by what is known here. No network.

        None: nowhere, as in a dialog. The person alone is judged.
        """
        if self._home is None:
            return UNKNOWN
        if team_id and team_id != self._home:
            return _refused(_ELSEWHERE)
        with self._store.reading() as tx:
            user = self._fresh(tx.user(user_id))
            channel = self._fresh(tx.channel(channel_id)) if channel_id is not None else None
        by_person = person(user, self._home) if user is not None else UNKNOWN
        if by_person.ruling is Ruling.REFUSED:
            return by_person
        if channel_id is None:
            return by_person
        by_place = _place(channel_id, channel)
        return by_place if by_person.allowed or by_place.ruling is Ruling.REFUSED else by_person

    def look_up(self, user_id: str, team_id: str, channel_id: str | None) -> Judgement:
        """The same, asking Slack about what is not known. Never UNKNOWN: a failed look-up refuses."""
        try:
            self._find_home()
            self._look_up_user(user_id)
        except LookUpFailedError as failed:
            return _refused(_not_checked("who you are", failed))
        try:
            if channel_id is not None:
                self.place(channel_id)
        except LookUpFailedError as failed:
            if failed.code in _UNSEEN:
                return _refused(_NOT_SEEN)
            return _refused(_not_checked("this channel", failed))
        judged = self.judge(user_id, team_id, channel_id)
        return judged if judged.ruling is not Ruling.UNKNOWN else _refused(_CHECK_LATER.format(what="you", code="?"))

    def name(self, user_id: str) -> str:
        """What somebody goes by, as Slack last said, however long ago; "" where it never did. No network."""
        with self._store.reading() as tx:
            known = tx.user(user_id)
        return str(known.document.get("real_name") or "") if known else ""

    def place(self, channel_id: str) -> Judgement:
        """Whether anything may be said in `channel_id`, asking Slack where it is not known. LookUpFailedError."""
        with self._store.reading() as tx:
            known = self._fresh(tx.channel(channel_id))
        if known is None and not _is_direct(channel_id):
            known = self._ask_channel(channel_id)
        return _place(channel_id, known)

    def user_changed(self, user_id: str) -> None:
        """Forgets what was known of a user, if anything was, and asks Slack. LookUpFailedError: it stays unknown."""
        if self._outdate(user=user_id):
            self._ask_user(user_id)

    def channel_changed(self, channel_id: str) -> None:
        """Forgets what was known of a channel, if anything was, and asks Slack. LookUpFailedError: it stays unknown."""
        if self._outdate(channel=channel_id):
            self._ask_channel(channel_id)

    def ask_home(self) -> None:
        """Asks Slack whose bot this is: each process must know. LookUpFailedError; what was known serves on."""
        self._home = self._directory.home()

    def refresh(self) -> int:
        """Asks Slack again about everybody and everything known that has grown old; how many answered.

        What it says is kept in the database, for every process. One entry that cannot be had is left to grow old.
        """
        before = self._clock.now() - REFRESH_AFTER
        with self._store.reading() as tx:
            users, channels = tx.cached_ids("user", before), tx.cached_ids("channel", before)
        asks: list[tuple[Callable[[str], Document], list[str]]] = [
            (self._ask_user, users),
            (self._ask_channel, channels),
        ]
        return sum(self._tried(ask, one) for ask, ids in asks for one in ids)

    def _tried(self, ask: Callable[[str], Document], one: str) -> bool:
        try:
            ask(one)
        except LookUpFailedError:
            return False
        return True

    def _find_home(self) -> None:
        if self._home is None:
            self._home = self._directory.home()

    def _look_up_user(self, user_id: str) -> None:
        with self._store.reading() as tx:
            known = self._fresh(tx.user(user_id))
        if known is None:
            self._ask_user(user_id)

    def _ask_user(self, user_id: str) -> Document:
        told = self._directory.user(user_id)
        facts = {name: told[name] for name in _USER_FACTS if name in told}
        with self._store.writing() as tx:
            tx.put_users([(user_id, facts)], self._clock.now())
        return facts

    def _ask_channel(self, channel_id: str) -> Document:
        told = self._directory.channel(channel_id)
        facts = {name: told[name] for name in _CHANNEL_FACTS if name in told}
        facts["is_inviting"] = bool(told.get("pending_shared") or told.get("pending_connected_team_ids"))
        with self._store.writing() as tx:
            tx.put_channels([(channel_id, facts)], self._clock.now())
        return facts

    def _outdate(self, *, user: str = "", channel: str = "") -> bool:
        """Whether anything was known; it counts no more."""
        long_ago = self._clock.now() - _LONG_AGO
        with self._store.writing() as tx:
            known = tx.user(user) if user else tx.channel(channel)
            if known is not None and user:
                tx.put_users([(user, known.document)], long_ago)
            elif known is not None:
                tx.put_channels([(channel, known.document)], long_ago)
        return known is not None

    def _fresh(self, said: Said | None) -> Document | None:
        """What was said, unless it is too old to rely on."""
        if said is None or self._clock.now() - said.fetched_at > self._max_age:
            return None
        return said.document


def person(facts: Mapping[str, Any], home: str) -> Judgement:
    """Whether somebody of whom Slack says `facts` may be answered by a bot at home in workspace `home`."""
    if facts.get("is_bot") or facts.get("is_app_user"):
        return _refused("Plimsoll answers people, not bots.")
    if facts.get("deleted"):
        return _refused("This account is deactivated; Plimsoll answers active members only.")
    if facts.get("is_restricted") or facts.get("is_ultra_restricted"):
        return _refused(
            "Plimsoll answers full members of this workspace, and you are a guest here. "
            "Ask a full member, or an administrator to change your account."
        )
    if facts.get("is_stranger") or facts.get("team_id") != home:
        return _refused(_ELSEWHERE)
    return ALLOWED


def shared_outside(facts: Mapping[str, Any]) -> bool:
    """Whether people of another organisation are, or are invited to be, in a channel of which Slack says `facts`.

    Shared between the workspaces of one organisation alone (`is_org_shared`) does not count.
    """
    outside = any(facts.get(name) for name in ("is_ext_shared", "is_pending_ext_shared", "is_inviting"))
    return outside or bool(facts.get("is_shared") and not facts.get("is_org_shared"))


def _place(channel_id: str, facts: Mapping[str, Any] | None) -> Judgement:
    if _is_direct(channel_id):
        return ALLOWED
    if facts is None:
        return UNKNOWN
    return _refused(_SHARED) if shared_outside(facts) else ALLOWED


def _is_direct(channel_id: str) -> bool:
    return channel_id.startswith("D")


def _refused(reason: str) -> Judgement:
    return Judgement(Ruling.REFUSED, reason)


_ELSEWHERE = "Plimsoll answers members of its own workspace, and your account belongs to another organisation."
_SHARED = (
    "This channel is shared with another organisation, and Plimsoll's answers are not public. "
    "Ask in an internal channel or in a direct message."
)
_NOT_SEEN = (
    "Plimsoll cannot see this channel, so it cannot tell whether it is shared with another organisation. "
    "Invite it with /invite @Plimsoll, or ask in a direct message."
)
_CHECK_LATER = (
    "Plimsoll could not check {what} with Slack just now ({code}), so it does not answer. Try again in a minute."
)
_NO_SUCH_USER = (
    "Slack does not show Plimsoll your account ({code}), so it does not answer. "
    "It answers full members of its own workspace."
)
_MAY_NOT_CHECK = (
    "Slack does not let Plimsoll check {what} ({code}), so it does not answer, and will not until that is mended. "
    "Tell whoever runs Plimsoll: plimsoll doctor says the next step."
)


def _not_checked(what: str, failed: LookUpFailedError) -> str:
    """Why a look-up came to nothing, and whether another try would help."""
    if failed.passing:
        return _CHECK_LATER.format(what=what, code=failed.code)
    if failed.code in _NOBODY:
        return _NO_SUCH_USER.format(code=failed.code)
    return _MAY_NOT_CHECK.format(what=what, code=failed.code)
