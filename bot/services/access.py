"""Who may ask and where: this is unpublished, price-sensitive information.

A command's payload tells neither a guest nor a channel shared with another organisation, so both are judged by what
Slack said of the user and the channel, kept in the database. `judge` looks nowhere else: it is asked before Slack is
acknowledged. What is not known, or was said more than an hour ago, is `UNKNOWN`, and `look_up` asks Slack. Whatever
cannot be established is refused.

What somebody may do is a role (`bot.domain.roles`): by the settings, and by who is in which user group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from bot.domain.roles import Role, Roles, Standing
from bot.services.directory import LONG_AGO, CacheStore, Directory, Document, LookUpFailedError, ReadsCache, Said
from bot.services.groups import Groups
from bot.services.places import Places, shared_outside
from bot.services.ports import Clock
from bot.services.recording import Channels
from bot.services.refusals import (
    BOT,
    DEACTIVATED,
    ELSEWHERE,
    GUEST,
    NOT_SEEN,
    SHARED_CHANNEL,
    not_checked,
    too_little,
)

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
_CHANNEL_FACTS = ("name", "is_im", "is_archived", "is_member", *_SHARING)
_UNSEEN = ("channel_not_found", "not_in_channel", "no_permission")


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
EVERYBODY_ASKS, NO_CHANNELS = Roles(), Channels("")


class Access:
    """Judges from the database; looks up only when asked to. May be shared between threads.

    `roles` says whom the settings name; `channels` are our own, of which people are told when one is closed.
    """

    def __init__(
        self,
        store: CacheStore,
        directory: Directory,
        clock: Clock,
        roles: Roles = EVERYBODY_ASKS,
        channels: Channels = NO_CHANNELS,
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._groups = Groups(store, directory, clock, roles)
        self._places = Places(channels)
        self._home: str | None = None

    @property
    def roles(self) -> Roles:
        """Whom the settings name."""
        return self._groups.roles

    def judge(self, user_id: str, team_id: str, channel_id: str | None, needs: Role = Role.VIEWER) -> Judgement:
        """Whether `user_id`, who needs a role for it, may be answered in `channel_id`, by what is known. No network.

        None: nowhere, as in a dialog. The person alone is judged.
        """
        if self._home is None:
            return UNKNOWN
        if team_id and team_id != self._home:
            return _refused(ELSEWHERE)
        with self._store.reading() as tx:
            user = self._fresh(tx.user(user_id))
            channel = self._fresh(tx.channel(channel_id)) if channel_id is not None else None
            standing = self._groups.standing(tx, user_id)
        by_person = person(user, self._home) if user is not None else UNKNOWN
        if by_person.ruling is Ruling.REFUSED:
            return by_person
        by_place = _place(channel_id, channel) if channel_id is not None else ALLOWED
        if by_place.ruling is Ruling.REFUSED:
            return by_place
        return self._by_role(standing, needs) if by_person.allowed and by_place.allowed else UNKNOWN

    def look_up(self, user_id: str, team_id: str, channel_id: str | None, needs: Role = Role.VIEWER) -> Judgement:
        """The same, asking Slack about what is not known. Never UNKNOWN: a failed look-up refuses."""
        try:
            self._find_home()
            self._look_up_user(user_id)
        except LookUpFailedError as failed:
            return _refused(not_checked("who you are", failed))
        try:
            if channel_id is not None:
                self.place(channel_id)
        except LookUpFailedError as failed:
            return _refused(NOT_SEEN if failed.code in _UNSEEN else not_checked("this channel", failed))
        judged = self.judge(user_id, team_id, channel_id, needs)
        if judged.ruling is not Ruling.UNKNOWN:
            return judged
        try:
            self._groups.look_up(user_id, needs)
        except LookUpFailedError as failed:
            return _refused(not_checked("who is in its user groups", failed))
        judged = self.judge(user_id, team_id, channel_id, needs)
        return judged if judged.ruling is not Ruling.UNKNOWN else _refused(not_checked("you", LookUpFailedError("?")))

    def standing(self, user_id: str) -> Standing:
        """What a full member may do, by what is known. No network."""
        with self._store.reading() as tx:
            return self._groups.standing(tx, user_id)

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
        if self._outdate("user", user_id):
            self._ask_user(user_id)

    def channel_changed(self, channel_id: str) -> None:
        """Forgets what was known of a channel, if anything was, and asks Slack. LookUpFailedError: it stays unknown."""
        if self._outdate("channel", channel_id) or channel_id in self._places.settings:
            self._ask_channel(channel_id)

    def group_changed(self, group_id: str) -> None:
        """Forgets who was in a user group, if it counts, and asks Slack. LookUpFailedError: it stays unknown."""
        self._groups.changed(group_id)

    def closed(self, tx: ReadsCache) -> list[str]:
        """Which of our own channels are closed, and why."""
        return self._places.troubles(tx)

    def ask_home(self) -> None:
        """Asks Slack whose bot this is: each process must know. LookUpFailedError; what was known serves on."""
        self._home = self._directory.home()

    def refresh(self) -> int:
        """Asks Slack again about everybody and everything known that has grown old; how many answered.

        Our own channels are asked about every time: nothing must be said in one that is shared by now, though the
        event was lost. What Slack says is kept in the database, for every process. One entry that cannot be had is
        left to grow old.
        """
        before = self._clock.now() - REFRESH_AFTER
        with self._store.reading() as tx:
            users, channels = tx.cached_ids("user", before), tx.cached_ids("channel", before)
        asks: list[tuple[Callable[[str], object], Iterable[str]]] = [
            (self._groups.ask, self._groups.grown_old(before)),
            (self._ask_channel, dict.fromkeys([*self._places.settings, *channels])),
            (self._ask_user, users),
        ]
        return sum(self._tried(ask, one) for ask, ids in asks for one in ids)

    def _tried(self, ask: Callable[[str], object], one: str) -> bool:
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
        asked_at = self._clock.now()
        told = self._directory.user(user_id)
        facts = {name: told[name] for name in _USER_FACTS if name in told}
        with self._store.writing() as tx:
            tx.put_users([(user_id, facts)], asked_at)
        return facts

    def _ask_channel(self, channel_id: str) -> Document:
        asked_at = self._clock.now()
        try:
            told = self._directory.channel(channel_id)
        except LookUpFailedError as failed:
            if failed.code in _UNSEEN:
                self._note_unseen(channel_id)
            raise
        facts = {name: told[name] for name in _CHANNEL_FACTS if name in told}
        facts["is_inviting"] = bool(told.get("pending_shared") or told.get("pending_connected_team_ids"))
        with self._store.writing() as tx:
            tx.put_channels([(channel_id, facts)], asked_at)
            kept = tx.channel(channel_id)
            newest = kept.document if kept else facts
            self._places.noted(tx, channel_id, newest, self._clock.now())
        return newest

    def _note_unseen(self, channel_id: str) -> None:
        if channel_id in self._places.settings:
            with self._store.writing() as tx:
                self._places.noted(tx, channel_id, None, self._clock.now())

    def _by_role(self, standing: Standing, needs: Role) -> Judgement:
        has = standing.has(needs)
        if has is None:
            return UNKNOWN
        return ALLOWED if has else _refused(too_little(self.roles, standing, needs, self.name))

    def _outdate(self, kind: str, one: str) -> bool:
        """Whether anything was known; it counts no more."""
        with self._store.writing() as tx:
            return tx.outdate(kind, one, self._clock.now() - LONG_AGO)

    def _fresh(self, said: Said | None) -> Document | None:
        """What was said, unless it is too old to rely on."""
        if said is None or self._clock.now() - said.fetched_at > MAX_AGE:
            return None
        return said.document


def person(facts: Mapping[str, Any], home: str) -> Judgement:
    """Whether somebody of whom Slack says `facts` may be answered by a bot at home in workspace `home`."""
    if facts.get("is_bot") or facts.get("is_app_user"):
        return _refused(BOT)
    if facts.get("deleted"):
        return _refused(DEACTIVATED)
    if facts.get("is_restricted") or facts.get("is_ultra_restricted"):
        return _refused(GUEST)
    if facts.get("is_stranger") or facts.get("team_id") != home:
        return _refused(ELSEWHERE)
    return ALLOWED


def _place(channel_id: str, facts: Mapping[str, Any] | None) -> Judgement:
    if _is_direct(channel_id):
        return ALLOWED
    if facts is None:
        return UNKNOWN
    return _refused(SHARED_CHANNEL) if shared_outside(facts) else ALLOWED


def _is_direct(channel_id: str) -> bool:
    return channel_id.startswith("D")


def _refused(reason: str) -> Judgement:
    return Judgement(Ruling.REFUSED, reason)
