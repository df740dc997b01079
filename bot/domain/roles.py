"""Who may do what: three roles, each of which may do all that the one before it may.

The settings name people by their own id and by that of a user group; who is in a group, Slack says. What is not known
of a group is no role, and `Standing` says where it would make a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """`VIEWER` asks, takes alerts and silences them; `OPERATOR` records; `APPROVER` approves."""

    VIEWER = 1
    OPERATOR = 2
    APPROVER = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def phrase(self) -> str:
        """With its article: "an operator"."""
        return f"{'a' if self is Role.VIEWER else 'an'} {self.word}"


@dataclass(frozen=True, slots=True)
class Standing:
    """The highest role that somebody is known to have; None: none. `unknown` are the groups that may give more, each
    with the role it gives."""

    role: Role | None
    unknown: tuple[tuple[str, Role], ...] = ()

    def has(self, needs: Role) -> bool | None:
        """Whether `needs` is met; None: it depends on who is in a group of which that is not known."""
        if self.role is not None and self.role >= needs:
            return True
        return None if self.missing(needs) else False

    def missing(self, needs: Role) -> tuple[str, ...]:
        """The groups that would have to be known to say whether somebody without `needs` has it after all."""
        return tuple(group for group, role in self.unknown if role >= needs)


@dataclass(frozen=True, slots=True)
class Roles:
    """Whom the settings name, users and user groups, as written. `viewers` None: every full member is one."""

    viewers: tuple[str, ...] | None = None
    operators: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()

    def named(self, role: Role) -> tuple[str, ...]:
        """Whom the setting of this very role names."""
        return {Role.VIEWER: self.viewers or (), Role.OPERATOR: self.operators, Role.APPROVER: self.approvers}[role]

    def holders(self, role: Role) -> tuple[str, ...]:
        """Whoever is named and has at least `role`, each once."""
        return tuple(dict.fromkeys(one for at_least in Role if at_least >= role for one in self.named(at_least)))

    def is_for_all(self, role: Role) -> bool:
        """Whether every full member has it."""
        return role is Role.VIEWER and self.viewers is None

    @property
    def groups(self) -> tuple[str, ...]:
        """Every user group that is named, each once."""
        return tuple(groups_of(self.holders(Role.VIEWER)))

    def standing(self, user_id: str, members: Mapping[str, Collection[str]]) -> Standing:
        """What a full member may do. `members`: who is in which group, as far as that is known."""
        role, unknown = None, dict[str, Role]()
        for one in Role:
            named = self.named(one)
            if self.is_for_all(one) or user_id in named or any(user_id in members.get(group, ()) for group in named):
                role = one
            unknown |= {group: one for group in groups_of(named) if group not in members}
        return Standing(role, tuple((group, gives) for group, gives in unknown.items() if gives > (role or 0)))


def groups_of(ids: Iterable[str]) -> list[str]:
    """The user groups among users and groups: Slack's ids of them begin with S."""
    return [one for one in ids if one.startswith("S")]
