"""Who is in the user groups that the settings name, as Slack last said: kept in the database, for every process.

`refresh` asks again off the answer's path, and an event at once. What Slack said longer ago than `SERVES_FOR` counts no
more, and what it refuses to say (a group that is no more, a scope that was taken away) counts at once no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain.roles import Role, Roles, Standing
from bot.services.directory import LONG_AGO, CacheStore, Directory, LookUpFailedError, ReadsCache
from bot.services.ports import Clock

SERVES_FOR = timedelta(hours=6)
"""Where Slack does not answer, people keep their roles for so long: an outage that begins with a margin call must not
lock the team out of it. No longer: somebody who left a group as its event was lost must not act for ever."""


class Groups:
    """Says what people may do by `roles`. May be shared between threads."""

    def __init__(self, store: CacheStore, directory: Directory, clock: Clock, roles: Roles) -> None:
        self.roles = roles
        self._store = store
        self._directory = directory
        self._clock = clock

    def standing(self, tx: ReadsCache, user_id: str) -> Standing:
        """What a full member may do, by what is known in `tx`."""
        oldest = self._clock.now() - SERVES_FOR
        said = tx.groups(self.roles.groups)
        return self.roles.standing(
            user_id, {group: one.document["users"] for group, one in said.items() if one.fetched_at >= oldest}
        )

    def look_up(self, user_id: str, needs: Role) -> None:
        """Asks Slack who is in the groups on which it depends whether somebody has `needs`.

        LookUpFailedError where it still depends on one of which Slack does not say.
        """
        failed: LookUpFailedError | None = None
        for group in self._standing(user_id).missing(needs):
            if self._standing(user_id).has(needs):
                return
            try:
                self.ask(group)
            except LookUpFailedError as error:
                failed = failed or error
        if failed is not None and self._standing(user_id).has(needs) is None:
            raise failed

    def ask(self, group_id: str) -> None:
        """Asks Slack who is in a group. LookUpFailedError."""
        asked_at = self._clock.now()
        try:
            users = self._directory.group(group_id)
        except LookUpFailedError as failed:
            if not failed.passing:
                self._forget(group_id)
            raise
        with self._store.writing() as tx:
            tx.put_group(group_id, users, asked_at)

    def changed(self, group_id: str) -> None:
        """Forgets who was in a group, if the settings name it, and asks Slack. LookUpFailedError: it stays unknown."""
        if group_id in self.roles.groups:
            self._forget(group_id)
            self.ask(group_id)

    def grown_old(self, before: datetime) -> Iterator[str]:
        """The groups to ask about again, or for the first time."""
        with self._store.reading() as tx:
            said = tx.groups(self.roles.groups)
        yield from (group for group in self.roles.groups if group not in said or said[group].fetched_at < before)

    def _standing(self, user_id: str) -> Standing:
        with self._store.reading() as tx:
            return self.standing(tx, user_id)

    def _forget(self, group_id: str) -> None:
        with self._store.writing() as tx:
            tx.outdate("group", group_id, self._clock.now() - LONG_AGO)
