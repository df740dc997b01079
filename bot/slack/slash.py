"""The commands by the names that this workspace has for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slash:
    """`prefix` is COMMAND_PREFIX: "tr-" makes `/ltv` into `/tr-ltv`."""

    prefix: str = ""

    def __call__(self, words: str) -> str:
        """ "ltv at 55000" as it is typed: "/ltv at 55000"."""
        return f"/{self.prefix}{words}"
