"""How a request is signed: as Slack does it, or in one of the ways in which somebody else would."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from bot.workspace.signing import signature

from .world import SIGNING_SECRET

_STAMPS = (
    "",
    "abc",
    "-1",
    "+1",
    "1.5",
    " ",
    "٣",
    "²",
    "1_0",
    "1e9",
    "nan",
    "0",
    "9" * 12,
    "9" * 13,
    "9" * 5_000,
    "\xe9",
    "\x00",
)
_SIGNATURES = ("", "v0=", "v0=\xe9", "\xe9", "v1=abc", "0" * 9_000, "v0=" + "0" * 64, "v0=" + "f" * 63)


@dataclass(frozen=True)
class Signing:
    """`way` is "sound", or what is wrong; `given` is the stamp or signature that stands in its place."""

    way: str = "sound"
    given: str = ""

    @property
    def sound(self) -> bool:
        return self.way == "sound"

    def headers(self, body: bytes) -> dict[str, str]:
        """Those for `body`, now."""
        now = str(int(time.time()))
        stamp = {"stamp": self.given, "stale": str(int(now) - 400), "ahead": str(int(now) + 400)}.get(self.way, now)
        try:
            signed = signature(f"{SIGNING_SECRET}!" if self.way == "secret" else SIGNING_SECRET, stamp, body)
        except UnicodeEncodeError:
            signed = "v0="
        if self.way == "body":
            signed = signature(SIGNING_SECRET, stamp, body + b" ")
        if self.way == "signature":
            signed = self.given
        made = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}
        dropped = {
            "unsigned": tuple(made),
            "no stamp": ("X-Slack-Request-Timestamp",),
            "no signature": ("X-Slack-Signature",),
        }
        return {name: value for name, value in made.items() if name not in dropped.get(self.way, ())}


def signing(chance: random.Random, sound: float = 0.9) -> Signing:
    """Sound with that probability."""
    if chance.random() < sound:
        return Signing()
    way = chance.choice(
        ("unsigned", "no stamp", "no signature", "secret", "body", "stale", "ahead", "stamp", "signature")
    )
    given = chance.choice(_STAMPS) if way == "stamp" else chance.choice(_SIGNATURES) if way == "signature" else ""
    return Signing(way, given)
