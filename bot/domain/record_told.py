"""What the audit channel is told of each record: by whom, what, and what it changed; of a claim, who may confirm it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

VIEW = "record"


@dataclass(frozen=True, slots=True)
class RecordTold:
    """One record in words, which may hold moments and people (`bot.domain.words`).

    `claim` is the id of a claim that is open, and so may be confirmed or withdrawn; 0 where there is none. `state` says
    what became of it.
    """

    headline: str
    lines: tuple[str, ...] = ()
    state: str = ""
    claim: int = 0

    def document(self) -> dict[str, Any]:
        return {"view": VIEW, **asdict(self)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RecordTold:
        return cls(document["headline"], tuple(document["lines"]), document["state"], document["claim"])

    def ended(self, state: str) -> RecordTold:
        """The same once the claim is none any more."""
        return replace(self, state=state, claim=0)

    @property
    def text(self) -> str:
        return "\n".join([self.headline, *self.lines, *([self.state] if self.state else [])])
