"""Who has which role: by a slow reading of the settings, one list after another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.roles import Role, Roles, Standing

USERS, GROUPS = ("U1", "U2", "W3"), ("S1", "S2", "S3")
NAMED = st.lists(st.sampled_from(USERS + GROUPS), unique=True, max_size=4).map(tuple)
ROLES = st.builds(Roles, st.none() | NAMED, NAMED, NAMED)
MEMBERS = st.fixed_dictionaries({group: st.sets(st.sampled_from(USERS)) for group in GROUPS})
LISTS = ("viewers", "operators", "approvers")


def may(roles: Roles, user: str, needs: Role, members: dict[str, set[str]]) -> bool:
    """Named by the list of this role or of a higher one, where all is known of the groups."""
    if needs is Role.VIEWER and roles.viewers is None:
        return True
    everybody = {
        one
        for name in LISTS[needs - 1 :]
        for named in getattr(roles, name) or ()
        for one in members.get(named, {named})
    }
    return user in everybody


@given(ROLES, st.sampled_from(USERS), st.sampled_from(Role), MEMBERS)
def test_whoever_is_named_has_it_and_nobody_else(
    roles: Roles, user: str, needs: Role, members: dict[str, set[str]]
) -> None:
    assert roles.standing(user, members).has(needs) is may(roles, user, needs, members)


@given(ROLES, st.sampled_from(USERS), st.sampled_from(Role), MEMBERS, st.sets(st.sampled_from(GROUPS)))
def test_an_unknown_group_is_no_role_and_counts_only_where_it_could_make_one(
    roles: Roles, user: str, needs: Role, members: dict[str, set[str]], unknown: set[str]
) -> None:
    known = {group: users for group, users in members.items() if group not in unknown}
    standing = roles.standing(user, known)
    at_worst = may(roles, user, needs, {**members, **{group: set() for group in unknown}})
    at_best = may(roles, user, needs, {**members, **{group: {user} for group in unknown}})
    assert standing.has(needs) is (at_worst if at_worst == at_best else None)
    asked_for = set(standing.missing(needs))
    assert asked_for <= unknown
    if at_worst != at_best:
        assert may(roles, user, needs, {**members, **{g: {user} if g in asked_for else set() for g in unknown}})


def test_each_holder_is_named_once_the_lowest_role_first() -> None:
    roles = Roles(("U1", "S1"), ("U2", "U1"), ("S1", "U3"))
    assert roles.holders(Role.VIEWER) == ("U1", "S1", "U2", "U3")
    assert roles.holders(Role.APPROVER) == ("S1", "U3")
    assert roles.groups == ("S1",)
    assert Roles().holders(Role.OPERATOR) == ()


def test_of_unknown_groups_those_count_that_give_more_than_somebody_has() -> None:
    roles = Roles(("S0",), ("U1", "S1"), ("S2", "S1"))
    assert roles.standing("U1", {}) == Standing(Role.OPERATOR, (("S1", Role.APPROVER), ("S2", Role.APPROVER)))
    assert Roles(("S0",), ("U1", "S1"), ("S2",)).standing("U1", {}) == Standing(Role.OPERATOR, (("S2", Role.APPROVER),))


def test_nobody_named_is_nobody() -> None:
    assert Roles().standing("U1", {}) == Standing(Role.VIEWER)
    assert Roles(("U2",)).standing("U1", {}) == Standing(None)
