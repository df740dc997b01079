"""Our own channels: one that is shared with another organisation, archived or out of the bot's sight is closed.

Nothing is said in it then, so that it is closed is said elsewhere, once, and once more when that is over: in the other
channels of the settings, and where there is none that is open, by FALLBACK_URLS and in the channel itself when it can
be. The change and its messages are one transaction, whichever process finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from bot.domain.messages import Message
from bot.domain.terms import Level
from bot.domain.words import sentence, somewhere, span
from bot.services.directory import IsClosed, ReadsCache, WritesCache
from bot.services.recording import Channels

SHARED, ARCHIVED, UNSEEN = "shared", "archived", "unseen"

WORDS = {
    SHARED: "is shared with another organisation",
    ARCHIVED: "is archived",
    UNSEEN: "is out of the bot's sight",
}
"""Why nothing can be said in a channel, as its name is followed by it."""

_NEXT = {
    SHARED: "Nothing is posted or answered in it until it is shared with nobody. End the sharing, or set {settings} to "
    "an internal channel.",
    ARCHIVED: "Nothing can be posted in it. Unarchive it, or set {settings} to another channel.",
    UNSEEN: "Slack shows the bot no such channel, or the bot is not in it. /invite the bot there, or set {settings} to "
    "a channel that it is in.",
}
_SHARING = ("is_ext_shared", "is_pending_ext_shared", "is_inviting")

_log = structlog.get_logger(__name__)


def shared_outside(facts: Mapping[str, Any]) -> bool:
    """Whether people of another organisation are, or are invited to be, in a channel of which Slack says `facts`.

    Shared between the workspaces of one organisation alone (`is_org_shared`) does not count.
    """
    outside = any(facts.get(name) for name in _SHARING)
    return outside or bool(facts.get("is_shared") and not facts.get("is_org_shared"))


def why_closed(facts: Mapping[str, Any] | None) -> str | None:
    """Why nothing can be said in a channel of which Slack says `facts` (None: that it shows none); None: it can."""
    if facts is None:
        return UNSEEN
    if shared_outside(facts):
        return SHARED
    if facts.get("is_archived"):
        return ARCHIVED
    return UNSEEN if facts.get("is_member") is False else None


class Places:
    """The channels that the settings name."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        named: dict[str, list[str]] = {}
        for setting, channel in channels.by_setting().items():
            named.setdefault(channel, []).append(setting)
        self.settings = {channel: sentence(settings, last="and") for channel, settings in named.items()}
        """By channel, the settings that name it."""

    def noted(self, tx: WritesCache, channel_id: str, facts: Mapping[str, Any] | None, now: datetime) -> None:
        """What Slack says now of a channel, None where it shows none: tells people where that is news."""
        if channel_id not in self.settings:
            return
        known, why = tx.closed_channels(), why_closed(facts)
        before = known.get(channel_id)
        if (before.why if before else None) == why:
            return
        name = str((facts or {}).get("name") or "")
        if why is None:
            tx.open_channel(channel_id)
        else:
            tx.close_channel(channel_id, why, before.since if before else now)
        others = [one for one in self.settings if one != channel_id and one not in known]
        if why is None:
            message = self._over(channel_id, name, before, now)
        else:
            message = self._closed(channel_id, name, why, others)
        for target in others or [channel_id]:
            group = self._channels.group if target == self._channels.escalation else None
            self._tell(tx, channel_id, target, replace(message, group=group or ""), now)
        _log.warning("channel_closed" if why else "channel_open", channel=channel_id, why=why)

    def troubles(self, tx: ReadsCache) -> list[str]:
        """Which of them are closed, and why."""
        known = tx.closed_channels()
        return [
            f"{settings} ({channel}) {WORDS[known[channel].why]}"
            for channel, settings in self.settings.items()
            if channel in known
        ]

    def _closed(self, channel_id: str, name: str, why: str, others: Collection[str]) -> Message:
        settings, escalation = self.settings[channel_id], self._channels.escalation
        body = _NEXT[why].format(settings=settings)
        if self._is_for_alerts(channel_id) and escalation in others:
            body += "\nMeanwhile critical alerts that nobody takes are said here, and can be taken here."
        what = "Alerts are not posted" if self._is_for_alerts(channel_id) else f"{settings} gets nothing"
        return Message(
            key=_stream(channel_id),
            level=(Level.CRITICAL if self._is_for_alerts(channel_id) else Level.WARNING).word,
            headline=f"{what}: {somewhere(channel_id, name)} {WORDS[why]}",
            body=body,
            mention=True,
        )

    def _over(self, channel_id: str, name: str, before: IsClosed | None, now: datetime) -> Message:
        was = f"It {WORDS[before.why].replace('is ', 'was ', 1)} for {span(now - before.since)}. " if before else ""
        return Message(
            key=_stream(channel_id),
            level=Level.NOTICE.word,
            headline=f"{somewhere(channel_id, name)} is open to Plimsoll again",
            body=f"{was}What waited for less than a day is posted there now.",
        )

    def _tell(self, tx: WritesCache, about: str, target: str, message: Message, now: datetime) -> None:
        tx.enqueue(
            alert_id=None,
            stream=f"{_stream(about)}:{target}",
            kind="post",
            channel=target,
            message=message.document(),
            level=Level.CRITICAL if message.mention else Level.NOTICE,
            at=now,
            elsewhere=message.mention,
        )

    def _is_for_alerts(self, channel_id: str) -> bool:
        return channel_id == self._channels.alerts


def _stream(channel_id: str) -> str:
    return f"place:{channel_id}"
