"""Why somebody is not answered, on one line each, with whom to ask. Guests and strangers learn of nobody here."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.alert import Person
from bot.domain.roles import Role, Roles, Standing
from bot.domain.words import sentence, some_group, someone
from bot.services.directory import LookUpFailedError

MOST_NAMED = 5

BOT = "Plimsoll answers people, not bots."
DEACTIVATED = "This account is deactivated; Plimsoll answers active members only."
GUEST = (
    "Plimsoll answers full members of this workspace, and you are a guest here. "
    "Ask a full member, or an administrator to change your account."
)
ELSEWHERE = "Plimsoll answers members of its own workspace, and your account belongs to another organisation."
SHARED_CHANNEL = (
    "This channel is shared with another organisation, and Plimsoll's answers are not public. "
    "Ask in an internal channel or in a direct message."
)
NOT_SEEN = (
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
_NOBODY = ("user_not_found", "users_not_found", "user_not_visible")


def not_checked(what: str, failed: LookUpFailedError) -> str:
    """Why a look-up came to nothing, and whether another try would help."""
    if failed.passing:
        return _CHECK_LATER.format(what=what, code=failed.code)
    if failed.code in _NOBODY:
        return _NO_SUCH_USER.format(code=failed.code)
    return _MAY_NOT_CHECK.format(what=what, code=failed.code)


def too_little(roles: Roles, standing: Standing, needs: Role, name: Callable[[str], str]) -> str:
    """A full member without the role that it takes: what they are, and who has it. `name` knows people's names."""
    have = standing.role.phrase if standing.role else "none of those whom Plimsoll answers"
    said, setting = f"This takes {needs.phrase}, and you are {have}.", f"{needs.word.upper()}S"
    holders = holders_phrase(roles.holders(needs), name)
    if not holders:
        return f"{said} Nobody is one yet: whoever runs Plimsoll sets {setting}."
    return f"{said} Ask {holders}, or whoever runs Plimsoll to add you to {setting}."


def holders_phrase(ids: tuple[str, ...], name: Callable[[str], str], last: str = "or") -> str:
    """Users and user groups by name, the first few of them; "" where there are none."""
    shown = [some_group(one) if one.startswith("S") else someone(Person(one, name(one))) for one in ids[:MOST_NAMED]]
    more = len(ids) - len(shown)
    return sentence([*shown, *([f"{more} more"] if more else [])], last=last)
